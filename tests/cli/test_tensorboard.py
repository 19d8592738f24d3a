"""A run's events, read back from the TensorBoard log that was written of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lstmtext import events as ev
from lstmtext.cli.main import run
from lstmtext.store.run import RunWriter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "demo"
    with RunWriter.create(path, "") as writer:
        for step in (10, 20):
            writer.record(
                ev.Progress(
                    step=step,
                    loss=3.0 / step,
                    learning_rate=0.1,
                    gradient_norm=1.0,
                    tokens=step,
                    tokens_per_second=5.0,
                    epoch=0.1,
                    total_steps=20,
                    seconds=1.0,
                )
            )
        writer.record(ev.Evaluated(step=20, loss=0.25, best=True, tokens=9, seconds=1.0))
        writer.record(ev.Sampled(step=20, prompt="a", text="a sample", temperature=0.8, seed=1))
    return path


@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_values_arrive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for _ in range(2):  # again as the run goes on: what was there before is replaced
        assert run(["runs", "tensorboard", "demo", "--output", str(tmp_path / "logs")]) == 0
        assert "9 values of demo" in capsys.readouterr().err
        time.sleep(1.1)  # the writer names its files by the second
    found = accumulator.EventAccumulator(str(tmp_path / "logs"))
    found.Reload()
    losses = [(item.step, item.value) for item in found.Scalars("loss/train")]
    assert losses == [(10, pytest.approx(0.3)), (20, pytest.approx(0.15))]
    assert [(item.step, item.value) for item in found.Scalars("loss/validation")] == [(20, 0.25)]


def test_a_missing_package_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert run(["runs", "tensorboard", str(folder)]) == 1
    assert "pip install 'lstmtext[tensorboard]'" in capsys.readouterr().err
