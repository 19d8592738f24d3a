"""`lstmtext export MODEL`: a model as an ONNX graph or a PyTorch state dict, for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from lstmtext.errors import InputError

__all__ = ["command"]

MOSTLY = 0.5  # of the tokens unknown: such a text says little about a model


@click.command(
    epilog="Examples:\n\n\b\n  lstmtext export shakespeare --format onnx --output shakespeare-onnx\n"
    "  lstmtext export sentiment --format onnx --quantize int8 --output sentiment-int8\n"
    "  lstmtext export hamlet --format onnx --output hamlet-onnx --data hamlet.txt\n"
    "  lstmtext export shakespeare --format torch --output shakespeare-torch",
)
@click.argument("model")
@click.option("--format", "kind", required=True, type=click.Choice(["onnx", "torch"]), help="What is written.")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder.")
@click.option("--quantize", type=click.Choice(["int8"]), help="onnx: weights in 8 bits, a quarter of the size.")
@click.option(
    "--data",
    multiple=True,
    metavar="DATA",
    help="onnx: text to check the graph on, labelled for a classifier. Default: harbour, or negation.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(
    model: str,
    kind: Literal["onnx", "torch"],
    output: Path,
    quantize: Literal["int8"] | None,
    data: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write MODEL for other tools: the model, its tokenizer, a card, and an example that runs without lstmtext.

    onnx: one graph for steps and sequences, with the state in and out; a classifier's takes texts and gives calibrated
    probabilities. It is run beside lstmtext's own engine on real text first, and is not written where it differs.
    torch: a state dict for nn.LSTM, nn.GRU or nn.RNN in safetensors; no pickle.
    """
    from lstmtext.export.card import describe_agreement
    from lstmtext.export.folder import export_model
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model
    from lstmtext.text.rows import NAME_IT
    from lstmtext.units import format_bytes

    checkpoint = read_checkpoint(find_model(model))
    try:
        facts = export_model(model, checkpoint, output, kind, quantize=quantize, data=data)
    except InputError as error:  # it may advise an option of other commands
        said = str(error)
        for what in ("text", "label"):
            said = said.replace(NAME_IT.format(what), f"Call it {what!r} in the file.")
        raise InputError(said) from None
    size = sum(path.stat().st_size for path in output.glob("model.*"))
    found = facts.check
    if found is not None and found.unknown > MOSTLY:
        click.echo(
            f"Note: the model does not know {found.unknown:.0%} of {found.data}. --data names text that it can read.",
            err=True,
        )
    if as_json:
        import msgspec

        check = msgspec.to_builtins(found)
        document = {"model": model, "folder": str(output), "format": kind, "quantize": quantize}
        click.echo(json.dumps({**document, "bytes": size, "check": check}))
        return
    click.echo(f"{output}: {model} for {'ONNX Runtime' if kind == 'onnx' else 'PyTorch'}, {format_bytes(size)}")
    if found is not None:
        click.echo(describe_agreement(found, int8=quantize == "int8"))
    click.echo(f"Try it: python {output / 'example.py'}", err=True)
