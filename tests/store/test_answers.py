"""A file of answers: whole or in the making, and it goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmtext.errors import InputError, UsageError
from lstmtext.store import answers as module
from lstmtext.store.answers import AnswerFile

JOB = {"model": "sentiment 1234", "form": "json"}
TEXTS = [f"text {number}" for number in range(10)]


def work(path: Path, texts: list[str], stop_after: int | None = None, job: dict[str, str] = JOB) -> int:
    """Answer texts in twos, as a command does; how many were answered now."""
    done = 0
    with AnswerFile(path, job) as out:
        for begin in range(0, len(texts), 2):
            new = texts[begin : begin + 2][out.take(texts[begin : begin + 2]) :]
            if done == stop_after:
                raise KeyboardInterrupt
            out.write("".join(f"{text}!\n" for text in new), new, sum(text.endswith("3") for text in new))
            done += len(new)
        out.finish()
    return done


def interrupt(path: Path, texts: list[str], stop_after: int = 4) -> None:
    with pytest.raises(KeyboardInterrupt):
        work(path, texts, stop_after)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def place(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "a.txt"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no file")
def test_a_folder_that_takes_no_file_is_named_with_the_file_that_was_asked_for() -> None:
    with pytest.raises(OSError, match="nothing can be made in this folder") as raised:
        AnswerFile(Path("/proc/x.csv"), JOB)
    assert raised.value.filename == "/proc/x.csv"


def test_a_finished_file_is_alone(place: Path) -> None:
    assert work(place, TEXTS) == 10
    assert names(place.parent) == ["a.txt"]
    assert place.read_text() == "".join(f"{text}!\n" for text in TEXTS)


def test_an_interrupted_file_goes_on(place: Path) -> None:
    interrupt(place, TEXTS)
    assert names(place.parent) == ["a.txt.partial", "a.txt.partial.json"]
    standing = json.loads(place.with_name("a.txt.partial.json").read_text())
    assert (standing["count"], standing["problems"]) == (4, 1)
    assert work(place, [*TEXTS, "appended"]) == 7
    assert place.read_text() == "".join(f"{text}!\n" for text in [*TEXTS, "appended"])


def test_problems_of_before_are_remembered(place: Path) -> None:
    interrupt(place, TEXTS)
    with AnswerFile(place, JOB) as out:
        assert (out.before.problems, out.now.problems) == (1, 1)


def test_what_came_after_the_last_note_is_cut_off(place: Path) -> None:
    interrupt(place, TEXTS)
    partial = place.with_name("a.txt.partial")
    partial.write_bytes(partial.read_bytes() + b"text 4!\ntext 5!\ntex")
    assert work(place, TEXTS) == 6
    assert place.read_text() == "".join(f"{text}!\n" for text in TEXTS)


def test_an_interruption_twice(place: Path) -> None:
    interrupt(place, TEXTS)
    interrupt(place, TEXTS, stop_after=2)
    assert work(place, TEXTS) == 4
    assert place.read_text() == "".join(f"{text}!\n" for text in TEXTS)


def test_notes_are_written_now_and_then(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAVE_INTERVAL_SECONDS", -1)
    out = AnswerFile(place, JOB)
    out.take(TEXTS[:2])
    out.write("a\nb\n", TEXTS[:2])
    assert json.loads(place.with_name("a.txt.partial.json").read_text())["bytes"] == 4
    assert place.with_name("a.txt.partial").read_text() == "a\nb\n"
    out.close()


# ------------------------------------------------------------------ what is refused


def test_nothing_is_overwritten(place: Path) -> None:
    place.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        AnswerFile(place, JOB)
    assert names(place.parent) == ["a.txt"]
    assert place.read_text() == "mine"


def test_a_partial_file_of_somebody_else_is_left_alone(place: Path) -> None:
    place.with_name("a.txt.partial").write_text("a download")
    with pytest.raises(UsageError, match=r"there is no a\.txt\.partial\.json that says what it is"):
        AnswerFile(place, JOB)
    place.with_name("a.txt.partial.json").write_bytes(b'{"job": {"model": "\xff"}}')
    with pytest.raises(UsageError, match=r"there is no a\.txt\.partial\.json that says what it is"):
        AnswerFile(place, JOB)
    assert place.with_name("a.txt.partial").read_text() == "a download"


@pytest.mark.parametrize(
    ("job", "said"),
    [({**JOB, "model": "sentiment 5678"}, "another model"), ({"model": "x", "form": "csv"}, "another model and")],
)
def test_another_job_is_refused(place: Path, job: dict[str, str], said: str) -> None:
    interrupt(place, TEXTS)
    before = place.with_name("a.txt.partial").read_bytes()
    with pytest.raises(UsageError, match=said):
        work(place, TEXTS, job=job)
    assert place.with_name("a.txt.partial").read_bytes() == before
    assert work(place, TEXTS) == 6


@pytest.mark.parametrize("texts", [["other", *TEXTS[1:]], [*TEXTS[:3], "other", *TEXTS[4:]]])
def test_another_input_is_refused(place: Path, texts: list[str]) -> None:
    interrupt(place, TEXTS)
    with pytest.raises(UsageError, match="the input begins with other texts"):
        work(place, texts)
    assert work(place, TEXTS) == 6


def test_a_shorter_input_is_refused(place: Path) -> None:
    interrupt(place, TEXTS)
    with pytest.raises(InputError, match=r"The input has 2 texts; .* has answers for 4"):
        work(place, TEXTS[:2])
    assert work(place, TEXTS) == 6


def test_a_partial_file_that_was_cut_is_refused(place: Path) -> None:
    interrupt(place, TEXTS)
    partial = place.with_name("a.txt.partial")
    partial.write_bytes(partial.read_bytes()[:-3])
    with pytest.raises(UsageError, match="shorter than it was"):
        AnswerFile(place, JOB)


def test_two_at_a_time_are_refused(place: Path) -> None:
    with AnswerFile(place, JOB), pytest.raises(UsageError, match="Another process is writing"):
        AnswerFile(place, JOB)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        AnswerFile(tmp_path / "nowhere" / "a.txt", JOB)


def test_an_input_that_is_refused_leaves_nothing(place: Path) -> None:
    with AnswerFile(place, JOB) as out:
        out.write("header\n")
    assert names(place.parent) == []


def test_a_note_that_was_left_behind_is_no_hindrance(place: Path) -> None:
    """Killed between giving the file its name and removing the note; then the file was taken away."""
    interrupt(place, TEXTS)
    place.with_name("a.txt.partial").unlink()
    assert work(place, TEXTS) == 10
    assert names(place.parent) == ["a.txt"]
