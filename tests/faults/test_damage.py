"""Damaged and changed files: each is named in one sentence, and nothing is made worse."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lstmtext.events import Resumed
from lstmtext.store.run import RunReader

SHORT = ("--steps", "6", "--set", "save_every=3", "--set", "evaluate_every=3")


@pytest.fixture
def stopped(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps (trained once, copied for each test): its last checkpoint."""
    kept, folder = tmp_path_factory.getbasetemp() / "trained-once", Path(lab.folder("stopped"))
    if not kept.exists():
        lab.train("stopped", *SHORT)
        (folder / "text").write_text(str(lab.text))
        folder.rename(kept)
    shutil.copytree(kept, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace((folder / "text").read_text(), str(lab.text)))
    return folder / "checkpoints" / "step-6"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def as_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": list(range(1000))}))


def another_shape(path: Path) -> None:
    tensors = load_file(path)
    save_file(tensors | {"output.bias": np.zeros(3, np.float32)}, path)


def future(path: Path) -> None:
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"format_version": 99}))


def not_utf8(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10] + b"\xff\xfe" + path.read_bytes()[10:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("file", "damage", "expected"),
    [
        ("model.safetensors", cut, "damaged"),
        ("model.safetensors", empty, "damaged"),
        ("model.safetensors", as_pickle, "damaged"),
        ("model.safetensors", another_shape, "output.bias has shape (3,)"),
        ("model.safetensors", Path.unlink, "incomplete"),
        ("config.json", future, "format version 99"),
        ("config.json", cut, "damaged"),
        ("config.json", not_utf8, "is not UTF-8 text"),
        ("config.json", Path.unlink, "is not a model folder"),
        ("tokenizer.json", cut, "is not the tokenizer"),
        ("tokenizer.json", not_utf8, "is not UTF-8 text"),
        ("training/state.json", cut, "cannot be read"),
        ("training/state.json", not_utf8, "is not UTF-8 text"),
        ("training/optimizer.safetensors", cut, "cannot be read"),
        ("training/optimizer.safetensors", as_pickle, "cannot be read"),
        ("training/carried.safetensors", Path.unlink, "cannot be read"),
        ("training/weights.safetensors", another_shape, "does not fit"),
        ("../../config.toml", cut, "config.toml"),
        ("../../config.toml", Path.unlink, "is not a run"),
    ],
)
def test_a_damaged_file_is_named(
    lab: Any, stopped: Path, file: str, damage: Callable[[Path], None], expected: str
) -> None:
    damage(stopped / file)
    status = stopped.parents[1] / "status.json"
    before = status.read_bytes()
    said = lab.refused("--resume", "stopped")
    assert expected in said
    assert status.read_bytes() == before  # a run that was refused has not failed
    assert Path(file).name in said or "step-6" in said or "is not a run" in said


@pytest.mark.parametrize("damage", [cut, not_utf8, empty, Path.unlink])
def test_a_lost_index_costs_nothing(lab: Any, stopped: Path, damage: Callable[[Path], None]) -> None:
    run = stopped.parents[1]
    before = lab.result("stopped")
    damage(run / "checkpoints.json")
    lab.finish("stopped")
    assert [event.step for event in RunReader(run).events() if isinstance(event, Resumed)] == [6]
    assert lab.result("stopped") == before


def test_a_config_toml_with_a_setting_that_does_not_exist(lab: Any, stopped: Path) -> None:
    config = stopped / "../../config.toml"
    config.write_text(config.read_text().replace("hidden = 16", "hiden = 16"))
    assert "Did you mean 'hidden'?" in lab.refused("--resume", "stopped")


def test_a_config_toml_that_is_not_text(lab: Any, stopped: Path) -> None:
    not_utf8(stopped / "../../config.toml")
    assert "config.toml" in lab.refused("--resume", "stopped")


def test_a_config_toml_of_another_model(lab: Any, stopped: Path) -> None:
    config = stopped / "../../config.toml"
    config.write_text(config.read_text().replace("hidden = 16", "hidden = 17"))
    assert "does not fit this run's settings" in lab.refused("--resume", "stopped")


def test_a_checkpoint_that_is_gone(lab: Any, stopped: Path) -> None:
    shutil.rmtree(stopped)
    assert "step-6" in lab.refused("--resume", "stopped")


@pytest.mark.parametrize("change", ["longer", "a new character", "another one", "shorter"])
def test_a_text_that_has_changed(lab: Any, stopped: Path, change: str) -> None:
    text = lab.text.read_text()
    changed = {"longer": text + "More.\n", "a new character": "☃" + text, "another one": text[:-2] + "e\n"}
    lab.text.write_text(changed.get(change, text[:300]))
    assert "The text of this run has changed since step-6 was saved" in lab.refused("--resume", "stopped")
    lab.text.write_text(text)
    lab.finish("stopped")
    assert stopped.is_dir()


def test_a_validation_text_that_has_changed(lab: Any, tmp_path: Path) -> None:
    held_out = tmp_path / "held-out.txt"
    held_out.write_text(lab.text.read_text()[:500])
    lab.train("run", *SHORT, "--validation", str(held_out))
    held_out.write_text(lab.text.read_text()[1:501])
    assert "The text of this run has changed since step-6 was saved" in lab.refused("--resume", "run")


def test_a_text_that_is_gone(lab: Any, stopped: Path) -> None:
    lab.text.unlink()
    said = lab.refused("--resume", "stopped")
    assert f"The run stopped needs its text again, and {lab.text} is no longer there. Put it back" in said
    assert stopped.is_dir()


def test_a_file_that_is_pointed_to_from_outside(lab: Any, stopped: Path) -> None:
    """A tensor file is data: whatever it says about offsets, nothing outside it is read."""
    content = (stopped / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    start, stop = header[name]["data_offsets"]
    header[name]["data_offsets"] = [start + (1 << 40), stop + (1 << 40)]
    new = json.dumps(header).encode()
    (stopped / "model.safetensors").write_bytes(len(new).to_bytes(8, "little") + new + content[8 + length :])
    assert "damaged" in lab.refused("--resume", "stopped")
