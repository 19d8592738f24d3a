"""`lstmtext runs tensorboard RUN`: a run's events as a TensorBoard log, for those who compare runs there."""

from __future__ import annotations

from pathlib import Path

import click

from lstmtext.errors import MissingExtraError
from lstmtext.units import counted

__all__ = ["tensorboard"]


@click.command(
    epilog="Examples:\n\n\b\n  lstmtext runs tensorboard hamlet\n"
    "  lstmtext runs tensorboard hamlet --output logs/hamlet",
)
@click.argument("run")
@click.option("--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Default: tensorboard/RUN.")
def tensorboard(run: str, output: Path | None) -> None:
    """Write RUN's losses, rates and samples where `tensorboard --logdir tensorboard` finds them."""
    from lstmtext import events as ev
    from lstmtext.store.run import RunReader, find_run, run_name

    try:
        # PyTorch's writer needs the tensorboard package and nothing else; torch itself is a dependency anyway.
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError("`lstmtext runs tensorboard`", "tensorboard") from None

    folder = find_run(run)
    target = output or Path("tensorboard") / run_name(folder)
    writer = SummaryWriter(str(target), purge_step=0)  # what an earlier call wrote there is not shown beside it
    count = 0
    for event in RunReader(folder).events():
        scalars: dict[str, float] = {}
        if isinstance(event, ev.Progress):
            scalars = {
                "loss/train": event.loss,
                "learning rate": event.learning_rate,
                "gradient norm": event.gradient_norm,
                "tokens per second": event.tokens_per_second,
            }
        elif isinstance(event, ev.Evaluated):
            scalars = {"loss/validation": event.loss, **event.metrics}
        elif isinstance(event, ev.Sampled):
            writer.add_text("sample", event.text, event.step, event.time)
        for name, value in scalars.items():
            writer.add_scalar(name, value, event.step, event.time)
            count += 1
    writer.close()
    click.echo(
        f"{counted(count, 'value')} of {run_name(folder)} in {target}: tensorboard --logdir {target.parent}", err=True
    )
