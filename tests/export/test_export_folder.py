"""What `lstmtext export` leaves behind: a whole folder, or nothing and a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file

from lstmtext.cli.main import run
from lstmtext.engine.language_model import EngineModel
from lstmtext.export import recurrent
from lstmtext.export.card import ports
from lstmtext.export.folder import ExportFacts, export_model
from lstmtext.export.state_dict import state_dict
from lstmtext.store.checkpoint import Checkpoint

MODULES = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def test_the_folder_is_whole(tiny: Callable[..., Checkpoint], tmp_path: Path) -> None:
    checkpoint = tiny(tokenizer="word")
    (tmp_path / "out").mkdir()  # an empty folder is a new one
    export_model("tiny", checkpoint, tmp_path / "out", "onnx", quantize="int8")
    found = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert found.keys() == {"model.onnx", "tokenizer.json", "config.json", "README.md", "example.py"}
    assert found["tokenizer.json"].read_text(encoding="utf-8") == checkpoint.tokenizer_json
    facts = msgspec.json.decode(found["config.json"].read_bytes(), type=ExportFacts, strict=True)
    assert facts.model == checkpoint.config
    assert (facts.export, facts.quantize, facts.unknown_id) == ("onnx", "int8", 0)
    assert facts.check is not None
    assert facts.check.data == "harbour"
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_a_word_part_tokenizer_brings_its_plain_form(judge: Callable[..., Checkpoint], tmp_path: Path) -> None:
    export_model("reviews", judge(), tmp_path / "out", "torch")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"model.safetensors", "tokenizer.json", "config.json", "README.md", "example.py", "plain.py"}


@pytest.mark.parametrize("kind", ["classifier", "language model"])
def test_the_usual_check_is_on_what_is_shipped_whatever_lies_here(
    tiny: Callable[..., Checkpoint],
    judge: Callable[..., Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    checkpoint = judge() if kind == "classifier" else tiny()
    for name in ("negation", "harbour"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    found = export_model("it", checkpoint, tmp_path / "out", "onnx").check
    assert found is not None
    assert found.data == ("negation" if kind == "classifier" else "harbour")


def test_padding_is_what_the_card_says(judge: Callable[..., Checkpoint], graph_of: Callable[..., Any]) -> None:
    """Any id of the vocabulary; another one has no row, and ONNX Runtime says so."""
    checkpoint = judge()
    (_, _, told), _ = ports(checkpoint.config)[0]
    assert "padded with any id" in told
    run, lengths = graph_of(checkpoint), np.array([2])
    answers = [run({"tokens": np.array([[5, 6, pad]]), "lengths": lengths})[1] for pad in (0, 299)]
    assert answers[0] == answers[1]
    with pytest.raises(Exception, match="out of data bounds"):
        run({"tokens": np.array([[5, 6, 300]]), "lengths": lengths})


@pytest.mark.parametrize("kind", ["lstm", "gru", "classifier"])
def test_the_card_describes_the_graph(
    tiny: Callable[..., Checkpoint], judge: Callable[..., Checkpoint], tmp_path: Path, kind: str
) -> None:
    checkpoint = judge() if kind == "classifier" else tiny(cell=kind)
    export_model("it", checkpoint, tmp_path / "out", "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    types = {"tensor(int64)": "int64", "tensor(float)": "float32"}
    for told, values in zip(ports(checkpoint.config), (session.get_inputs(), session.get_outputs()), strict=True):
        shapes = [f"({', '.join(map(str, each.shape))}{',' * (len(each.shape) == 1)})" for each in values]
        meant = [(each.name, f"{types[each.type]} {shape}") for each, shape in zip(values, shapes, strict=True)]
        assert [(name, kind) for name, kind, _ in told] == meant
        assert all(f"| `{name}` | {kind} |" in card for name, kind in meant)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_state_dict_fits_pytorch_s_modules(tiny: Callable[..., Checkpoint], tmp_path: Path, cell: str) -> None:
    checkpoint = tiny(cell=cell, dtype="float16")
    export_model("tiny", checkpoint, tmp_path / "out", "torch")
    tensors = load_file(tmp_path / "out" / "model.safetensors")
    assert tensors.keys() == state_dict(checkpoint).keys()
    module = MODULES[cell](5, 6, 2, batch_first=True)
    prefix = f"{cell}."
    parts = {name.removeprefix(prefix): torch.tensor(value) for name, value in tensors.items() if prefix in name}
    module.load_state_dict(parts)  # strict: every name, every shape
    engine, ids = EngineModel(checkpoint), np.arange(24).reshape(2, 12)
    with torch.no_grad():
        hidden, _ = module(torch.tensor(tensors["embedding.weight"][ids]))
    np.testing.assert_allclose(hidden.numpy(), engine.stack.run(ids, engine.zero_state(2))[0], atol=1e-5)


# Refusals


def test_a_graph_that_differs_is_not_written(
    tiny: Callable[..., Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny().folder
    swapped = {kind: (name, order[::-1]) for kind, (name, order) in recurrent.OPERATORS.items()}
    monkeypatch.setattr(recurrent, "OPERATORS", swapped)
    before = sorted(tmp_path.iterdir())
    assert run(["export", str(folder), "--format", "onnx", "--output", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "differs from the engine" in said
    assert "nothing was written" in said
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_overwritten(
    tiny: Callable[..., Checkpoint], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny().folder
    for place in (tmp_path / "full" / "note.txt", tmp_path / "file"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("mine")
    for target in ("full", "file"):
        assert run(["export", str(folder), "--format", "torch", "--output", str(tmp_path / target)]) == 2
        assert "exists already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["note.txt"]


def test_the_folder_that_one_stands_in_is_not_replaced(
    tiny: Callable[..., Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell would stay in the old one, and see nothing."""
    folder, here = str(tiny().folder), tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for target in (".", str(here)):
        assert run(["export", folder, "--format", "torch", "--output", target]) == 2
        assert "is the current folder" in capsys.readouterr().err
    assert not list(here.iterdir())


@pytest.mark.parametrize("absent", ["onnx", "onnxruntime"])
def test_without_the_extra_it_says_which(
    tiny: Callable[..., Checkpoint],
    tmp_path: Path,
    absent: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    assert run(["export", str(tiny().folder), "--format", "onnx", "--output", "out"]) == 1
    assert capsys.readouterr().err == (
        "lstmtext: Exporting to ONNX needs an optional package: pip install 'lstmtext[onnx]'.\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", [["--quantize", "int8"], ["--data", "harbour"]])
def test_options_of_the_other_format(
    tiny: Callable[..., Checkpoint], option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(tiny().folder), "--format", "torch", "--output", "out", *option]) == 2
    assert f"{option[0]} belongs to --format onnx" in capsys.readouterr().err


def test_too_little_to_check_on(
    tiny: Callable[..., Checkpoint],
    judge: Callable[..., Checkpoint],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "one.txt").write_text("a")
    (tmp_path / "neutral.tsv").write_text("text\tlabel\nso so\tneutral\n")
    for folder, data in ((tiny().folder, "one.txt"), (judge().folder, "neutral.tsv")):
        assert run(["export", str(folder), "--format", "onnx", "--output", "out", "--data", data]) == 1
        assert data.partition(".")[0] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# The command


def test_the_command_tells_how_near_it_is(
    judge: Callable[..., Checkpoint], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(judge().folder)
    assert run(["export", folder, "--format", "onnx", "--output", "one"]) == 0
    printed = capsys.readouterr().out
    assert "% right, the engine" in printed
    assert "texts of negation" in printed
    assert run(["export", folder, "--format", "onnx", "--output", "two", "--json", "--quantize", "int8"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["folder"] == "two"
    assert document["quantize"] == "int8"
    assert document["bytes"] == (tmp_path / "two" / "model.onnx").stat().st_size
    assert document["check"]["unit"] == "accuracy"
    assert document["check"]["largest_difference"] > 0


def test_a_text_that_the_model_cannot_read_is_noted(
    tiny: Callable[..., Checkpoint], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "far.txt").write_text("ж" * 50, encoding="utf-8")
    assert run(["export", str(tiny().folder), "--format", "onnx", "--output", "out", "--data", "far.txt"]) == 0
    assert "does not know 100% of far" in capsys.readouterr().err


def test_exporting_does_not_import_torch(tiny: Callable[..., Checkpoint], tmp_path: Path) -> None:
    import subprocess

    program = (
        "import sys\nsys.modules['torch'] = None\nfrom lstmtext.cli.main import run\n"
        f"sys.exit(run(['export', {str(tiny().folder)!r}, '--format', sys.argv[1], '--output', sys.argv[1]]))"
    )
    for kind in ("onnx", "torch"):
        subprocess.run([sys.executable, "-c", program, kind], check=True, cwd=tmp_path, capture_output=True)
        assert (tmp_path / kind / "README.md").is_file()
