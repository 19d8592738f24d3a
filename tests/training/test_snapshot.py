"""What a checkpoint's `training/` must bring back, and what does not fit: refused, and never read past its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tiny_runs import Tiny, stop_at, train, weights

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint_index import read_index
from lstmtext.training.session import Session

Tensors = dict[str, torch.Tensor]


def stop_at_14(settings: TrainSettings, folder: Path) -> Path:
    """Train until step 14 is saved, then drop everything as a killed process does; the checkpoint's `training/`."""
    stop_at(settings, folder, 14)
    return folder / "checkpoints" / "step-14" / "training"


def change(path: Path, how: Callable[[Tensors], object]) -> None:
    tensors = safetensors.torch.load(path.read_bytes())
    how(tensors)
    path.write_bytes(safetensors.torch.save(tensors))


def test_resume_is_exact_where_batches_leave_weights_out(tiny: Tiny, tmp_path: Path) -> None:
    tokens = len({"an unknown one", *(tmp_path / "text.txt").read_text()})
    settings = tiny(
        model={"cutoffs": [10, tokens - 4]},  # the last cluster is w, x, y and z
        batch={"batch_size": 4, "sequence_length": 8, "sequence_jitter": 2.0},
        run={"save_every": 7},
    )
    session = Session(settings, tmp_path / "whole", "test")
    list(session.events())
    steps = {float(state["step"]) for state in session.trainer.optimizer.state.values()}
    assert max(steps) == 40 > min(steps), "every batch has every rare token: nothing is tested"
    stop_at_14(settings, tmp_path / "parts")
    list(Session.resume(tmp_path / "parts", "test").events())
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_a_checkpoint_of_an_earlier_version_resumes_exactly(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(run={"save_every": 7}), tmp_path / "whole")
    training = stop_at_14(tiny(run={"save_every": 7}), tmp_path / "parts")

    def forget_steps(tensors: Tensors) -> None:
        for name in [name for name in tensors if name.startswith("step.")]:
            del tensors[name]

    change(training / "optimizer.safetensors", forget_steps)
    list(Session.resume(tmp_path / "parts", "test").events())
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


DAMAGE: dict[str, tuple[str, Callable[[Tensors], object], str]] = {
    "a moment too short": (
        "optimizer",
        lambda t: t.update({"first.embedding.weight": torch.zeros(1)}),
        r"exp_avg of embedding.weight is \(1,\)",
    ),
    "a moment too narrow": (
        "optimizer",
        lambda t: t.update({"second.embedding.weight": t["second.embedding.weight"].half()}),
        "exp_avg_sq of embedding.weight .* torch.float16",
    ),
    "no moment": ("optimizer", lambda t: t.pop("second.embedding.weight"), "'second.embedding.weight' is missing"),
    "a weight that could be stretched": (
        "weights",
        lambda t: t.update({"output.bias": t["output.bias"][:1].clone()}),
        r"output.bias has shape \(1,\)",
    ),
    "no state": ("carried", lambda t: t.pop("c.1"), "'c.1' is missing"),
    "a state of whole numbers": ("carried", lambda t: t.update({"h.0": t["h.0"].int()}), "h.0 is .* torch.int32"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_does_not_fit_is_refused(tiny: Tiny, tmp_path: Path, name: str) -> None:
    file, how, message = DAMAGE[name]
    training = stop_at_14(tiny(run={"save_every": 7}), tmp_path / "run")
    change(training / f"{file}.safetensors", how)
    with pytest.raises(CheckpointError, match=f"does not fit this run's settings: .*{message}"):
        Session.resume(tmp_path / "run", "test")


@pytest.mark.parametrize("streams", [4, 16])
def test_streams_of_another_number_are_refused(tiny: Tiny, tmp_path: Path, streams: int) -> None:
    stop_at_14(tiny(run={"save_every": 7}), tmp_path / "run")
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace("batch_size = 8", f"batch_size = {streams}"))
    with pytest.raises(CheckpointError, match=rf"h.0 is \(1, 8, 24\), .* expected \(1, {streams}, 24\)"):
        Session.resume(tmp_path / "run", "test")


@pytest.mark.parametrize("step", [-3, 13, 10**12])
def test_a_state_of_another_step_is_refused(tiny: Tiny, tmp_path: Path, step: int) -> None:
    state = stop_at_14(tiny(run={"save_every": 7}), tmp_path / "run") / "state.json"
    state.write_text(state.read_text().replace('"step":14', f'"step":{step}', 1))
    with pytest.raises(CheckpointError, match=f"step-14 is damaged: config.json is of step 14, state.json of {step}"):
        Session.resume(tmp_path / "run", "test")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "training/state.json"])
def test_a_file_that_is_not_utf8_is_said_to_be_so_wherever_the_bytes_stand(
    tiny: Tiny, tmp_path: Path, name: str
) -> None:
    path = stop_at_14(tiny(run={"save_every": 7}), tmp_path / "run").parent / name
    whole = path.read_bytes()
    for at in (0, 10, whole.index(b"{}") + 1 if b"{}" in whole else 20, len(whole)):
        path.write_bytes(whole[:at] + b'"\xe9": 1' + whole[at:])
        with pytest.raises(CheckpointError, match=f"^{path} is damaged: it is not UTF-8 text[.]"):
            Session.resume(tmp_path / "run", "test")


@pytest.mark.parametrize("name", ["state.json", "optimizer.safetensors"])
def test_a_file_that_is_gone_is_named_once(tiny: Tiny, tmp_path: Path, name: str) -> None:
    training = stop_at_14(tiny(run={"save_every": 7}), tmp_path / "run")
    (training / name).unlink()
    with pytest.raises(CheckpointError, match=f"^{training / name} cannot be read: No such file or directory[.]"):
        Session.resume(tmp_path / "run", "test")


def test_a_save_that_is_asked_for_at_the_best_step_is_the_best(tiny: Tiny, tmp_path: Path) -> None:
    """Also for a run that is killed directly after it."""
    from lstmtext.store.run import send

    session = Session(tiny(), tmp_path / "run", "test")
    for event in session.events():
        if isinstance(event, ev.Evaluated):
            assert event.best
            send(tmp_path / "run", "save")
        if isinstance(event, ev.Saved):
            break
    session.run.close("failed")
    index = read_index(tmp_path / "run")
    assert index is not None
    assert (index.last, index.best) == ("step-10", "step-10")
    assert (event.best, event.requested) == (True, True)
