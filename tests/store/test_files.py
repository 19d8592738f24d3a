"""Whole or not there: whatever fails between two writes, a reader never sees half of something."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmtext.files import atomic_folder, make_folder, write_atomically
from lstmtext.store.checkpoint import read_checkpoint

WriteTiny = Callable[..., Path]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced(tmp_path: Path) -> None:
    for content in ("one", b"two", ""):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace", "write"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    write_atomically(tmp_path / "file", "old")

    def fail(*_: object, **__: object) -> None:
        raise error

    if call == "write":
        real = Path.open
        monkeypatch.setattr(Path, "open", lambda self, mode="r": Failing(real(self, mode), error))
    else:
        monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "file", "new content")
    monkeypatch.undo()
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    """As root, `--out /dev/null` would put a file in the place of the device."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    (tmp_path / "link").symlink_to(f"/proc/self/fd/{reader}")  # what /dev/stdout is
    for name in ("pipe", "link"):
        write_atomically(tmp_path / name, "content")
        assert (tmp_path / name).is_fifo()
        assert os.read(reader, 99) == b"content"
    assert names(tmp_path) == ["link", "pipe"]
    os.close(reader)


def test_the_file_that_stdout_goes_to_keeps_what_is_printed(tmp_path: Path) -> None:
    """`lstmtext forecast … --out /dev/stdout > FILE`"""
    program = "from pathlib import Path; from lstmtext.files import write_atomically as write\n"
    program += "print('before', flush=True); write(Path('/dev/stdout'), 'figures\\n'); print('after')"
    with (tmp_path / "file").open("wb") as handle:
        subprocess.run([sys.executable, "-c", program], stdout=handle, check=True)
    assert (tmp_path / "file").read_text() == "before\nfigures\nafter\n"
    assert names(tmp_path) == ["file"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("old")
    (tmp_path / "link").symlink_to("elsewhere/file")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "file").read_text() == "new"
    assert names(tmp_path / "elsewhere") == ["file"]


class Failing:
    """A file whose disk is full after the first bytes."""

    def __init__(self, file: object, error: BaseException) -> None:
        self.file, self.error = file, error

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()  # type: ignore[attr-defined]

    def write(self, data: bytes) -> int:
        self.file.write(data[:3])  # type: ignore[attr-defined]
        raise self.error


def test_a_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep" / "target") as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_text("content")
        assert not (tmp_path / "deep" / "target").exists()
        assert temporary.parent == tmp_path / "deep", "on the same file system, or it could not be renamed"
    assert (tmp_path / "deep" / "target" / "inner" / "file").read_text() == "content"
    assert names(tmp_path / "deep") == ["target"]


@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt, ValueError])
def test_a_folder_that_fails_is_not_there(tmp_path: Path, kind: type[BaseException]) -> None:
    def fail() -> None:
        with atomic_folder(tmp_path / "target") as temporary:
            (temporary / "file").write_text("half")
            raise kind

    with pytest.raises(kind):
        fail()
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that takes nothing is /proc")
def test_who_is_refused_hears_the_name_that_was_given(tmp_path: Path) -> None:
    calls: list[tuple[Path, Callable[[Path], object], str]] = [
        (Path("/proc/a.txt"), lambda path: write_atomically(path, "x"), "nothing can be made in this folder"),
        (Path("/proc/a"), lambda path: atomic_folder(path).__enter__(), "nothing can be made in this folder"),
        (Path("/proc/a"), make_folder, "no folder can be made here"),
        (tmp_path / "nowhere" / "a.txt", lambda path: write_atomically(path, "x"), "No such file"),
        (tmp_path, lambda path: write_atomically(path, "x"), "Is a directory"),
    ]
    for path, call, said in calls:
        with pytest.raises(OSError, match=said) as error:
            call(path)
        assert error.value.filename == str(path)
    assert names(tmp_path) == []


def test_a_folder_is_never_overwritten(tmp_path: Path) -> None:
    def write(content: str) -> None:
        with atomic_folder(tmp_path / "target") as temporary:
            (temporary / "file").write_text(content)

    write("old")
    with pytest.raises(OSError, match=r"not empty|exists"):
        write("new")
    assert (tmp_path / "target" / "file").read_text() == "old"
    assert names(tmp_path) == ["target"]


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors", "README.md"])
def test_a_checkpoint_that_fails_between_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tiny: WriteTiny, file: str
) -> None:
    real_bytes, real_text = Path.write_bytes, Path.write_text

    def write_bytes(self: Path, data: bytes) -> int:
        if self.name == file:
            real_bytes(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_bytes(self, data)

    def write_text(self: Path, data: str, encoding: str | None = None) -> int:
        if self.name == file:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_text(self, data, encoding)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(OSError, match="No space left"):
        write_tiny(tmp_path / "model")
    assert names(tmp_path) == []


def test_killed_between_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tiny: WriteTiny) -> None:
    """A killed process cleans nothing up: what it leaves has another name, and is nobody's model."""
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)

    def die(*_: Path) -> None:
        raise SystemExit

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(SystemExit):
        write_tiny(tmp_path / "checkpoints" / "step-9")
    monkeypatch.undo()
    (left,) = names(tmp_path / "checkpoints")
    assert left.startswith(".step-9.")
    write_tiny(tmp_path / "checkpoints" / "step-9")  # what was left is in nobody's way
    read_checkpoint(tmp_path / "checkpoints" / "step-9")


def test_everything_is_flushed_before_the_name_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut after the rename must not leave a whole folder of empty files."""
    order: list[str] = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real_fsync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    with atomic_folder(tmp_path / "target") as temporary:
        (temporary / "a").write_text("a")
        (temporary / "deep").mkdir()
        (temporary / "deep" / "b").write_text("b")
    before = order[: order.index("rename")]
    assert {"a", "b", "deep"} <= set(before)
    assert any(name.startswith(".target") for name in before)
    assert order[order.index("rename") + 1 :] == [tmp_path.name]
