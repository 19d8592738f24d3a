"""A full disk, a folder that cannot be written: one sentence, and what was saved is whole."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmtext.api import load
from lstmtext.store.checkpoint_index import read_index

DISK_BYTES = 2 << 20


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of two megabytes that holds the runs."""
    if os.geteuid():
        pytest.skip("only root may mount a small disk; the limit on file sizes is tested for everybody")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "lstmtext-test", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk cannot be mounted here: {error}")
    monkeypatch.setenv("LSTMTEXT_RUNS", str(place / "runs"))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing fits."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as handle:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while handle.write(b"x" * size):
                    pass
            except OSError:
                continue
    return filler


def test_a_disk_that_fills_up(lab: Any, small_disk: Path) -> None:
    lab.train("whole")
    process = lab.begin("full", "--json")
    lab.wait_for("full", process, lambda events: any(event["event"] == "saved" for event in events))
    filler = fill(small_disk)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 1, errors
    assert "No space left on device" in errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1, errors
    index = read_index(lab.folder("full"))
    assert index is not None
    load(lab.folder("full") / "checkpoints" / index.last)
    assert "No space left" in lab.refused("--resume", "full")  # still full
    filler.unlink()
    lab.finish("full")
    assert lab.result("full") == lab.result("whole")


def test_a_disk_that_is_full_from_the_start(lab: Any, small_disk: Path) -> None:
    fill(small_disk)
    said = lab.refused(str(lab.text), "--name", "late", "--steps", "2", "--device", "cpu")
    assert "No space left on device" in said


def test_a_limit_on_file_sizes(lab: Any) -> None:
    """The same for everybody: the second session may not write files as large as a checkpoint's."""
    lab.train("whole")
    lab.train("limited", "--steps", "60")
    config = lab.folder("limited") / "config.toml"
    config.write_text(config.read_text().replace("steps = 60", "steps = 120"))
    before = read_index(lab.folder("limited"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192 + (lab.folder("limited") / "events.jsonl").stat().st_size, hard))
    try:
        said = lab.refused("--resume", "limited")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in said
    assert "The last good checkpoint is step-60" in said
    assert read_index(lab.folder("limited")) == before
    assert lab.state("limited") == "failed"
    assert not [path for path in (lab.folder("limited") / "checkpoints").iterdir() if path.name.startswith(".")]
    lab.finish("limited")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(lab: Any) -> None:
    runs = lab.folder("new").parent
    runs.mkdir()
    runs.chmod(0o500)
    try:
        assert "Permission denied" in lab.refused(str(lab.text), "--name", "new", "--steps", "2", "--device", "cpu")
    finally:
        runs.chmod(0o700)


@pytest.mark.parametrize("variable", ["LSTMTEXT_RUNS", "LSTMTEXT_CACHE"])
def test_a_folder_that_is_a_file(lab: Any, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, str(lab.text))
    said = lab.refused(str(lab.text), "--name", "new", "--steps", "2", "--device", "cpu")
    assert "text.txt" in said
    assert any(reason in said for reason in ("Not a directory", "File exists", "is a file"))
    assert variable in said  # which moves it


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that takes nothing is /proc")
@pytest.mark.parametrize("more", [[], ["--detach"]], ids=["", "detached"])
def test_a_cache_that_cannot_be_made(lab: Any, monkeypatch: pytest.MonkeyPatch, more: list[str]) -> None:
    monkeypatch.setenv("LSTMTEXT_CACHE", "/proc/cache")
    said = lab.refused(str(lab.text), "--name", "new", "--steps", "2", "--device", "cpu", *more)
    assert "no folder can be made here. Set $LSTMTEXT_CACHE to a folder that can be written." in said
