"""`make bench`: what it does to the page, and what it does when a benchmark fails. Nothing here is timed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))  # scripts, not a package

import bench  # noqa: E402
import classify_large  # noqa: E402
import memory_of_big_text  # noqa: E402
import scaling  # noqa: E402
import sentiment  # noqa: E402
import sentiment_peers  # noqa: E402
import tui_runs  # noqa: E402
from blocks import Part, Table, block_of, merged, parts_of, replaced, tables_of, written  # noqa: E402
from table import STANDARD, machine, markdown, not_measured, row, verdict  # noqa: E402

from lstmtext.places import recipes_folder  # noqa: E402
from lstmtext.store.control import release_lock, take_lock  # noqa: E402

HEAD = ("", "ours", "command")
OLD = Part((Table(HEAD, (("start", "9 ms", "`a`"), ("peer", "5 ms", "`a`"))),), "Old machine; 2025-01-01.")
PAGE = f"""# Results

Prose | with a bar, and a table that nobody generates:

| x | y |
|---|---|
| 1 | |

<!-- bench: one -->
{written([OLD])}
<!-- end -->

Between, 98 %.
<!-- bench: two -->
Not measured yet.
<!-- end -->
The end."""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "results.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Benchmarks of these names that consist of this Python."""
    monkeypatch.setattr(bench, "HERE", tmp_path)
    monkeypatch.setattr(bench, "PATIENCE", 0.0)
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.setitem(bench.BENCHMARKS, name, bench.Benchmark(f"{name}.py", 1))


# Blocks


def test_a_block_is_replaced_and_everything_else_stays() -> None:
    after = replaced(PAGE, "two", "| new |\n|---|\n| 1 \\d |")
    assert block_of(after, "two") == "| new |\n|---|\n| 1 \\d |"
    before, _, rest = PAGE.partition("Not measured yet.")
    assert after.startswith(before)
    assert after.endswith(rest)
    assert block_of(PAGE, "three") is None
    assert block_of(PAGE.replace("<!-- end -->\n\nBetween", "Between"), "one") is None, (
        "the next block's end is not ours"
    )


def test_what_is_written_is_read_again() -> None:
    parts = [Part((Table(HEAD, (("a", "1 % \\| 2", ""),)), OLD.tables[0]), "New machine."), OLD]
    assert parts_of(written(parts)) == parts
    assert parts_of("Not measured yet.") == []


def test_tables_are_found_between_other_words() -> None:
    printed = f"machine\n\n{markdown(STANDARD, [row('x', '1 ms', '2 ms', 0.5)])}\n\nabove the target\n| no table |\n"
    assert tables_of(printed) == (Table(STANDARD, (("x", "1 ms", "2 ms", "0.50", ""),)),)
    assert tables_of("nothing") == ()


def test_rows_that_are_not_measured_stay_under_their_own_machine() -> None:
    new = Part((Table(HEAD, (("start", "7 ms", "`a`"), ("peer", "not measured: `pip install peer`", "`a`"))),), "New.")
    first, second = merged(new, [OLD])
    assert first == Part((Table(HEAD, (("start", "7 ms", "`a`"),)),), "New.")
    assert second == Part((Table(HEAD, (("peer", "5 ms", "`a`"),)),), OLD.made)
    assert merged(new, [first, second]) == [first, second], "a second run without the peer changes nothing"
    measured = Part((Table(HEAD, (("start", "7 ms", "`a`"), ("peer", "4 ms", "`a`"))),), "Newest.")
    assert merged(measured, [first, second]) == [measured]
    assert merged(new, []) == [new], "nothing old: it says what to do"


# Rows


def test_a_target_is_missed_on_its_own_side_only() -> None:
    assert verdict("≤ 1.10", 1.10) == "≤ 1.10"
    assert verdict("≤ 1.10", 1.11) == "≤ 1.10, missed"
    assert verdict("≥ 88.5 %", 88.4) == "≥ 88.5 %, missed"
    assert row("a", "1.6", "1.8", 0.89, "≤ 1.58", value=1.6) == ("a", "1.6", "1.8", "0.89", "≤ 1.58, missed")
    assert len(not_measured("a", "`make`")) == len(STANDARD)


def test_the_exponent_is_that_of_a_power_law() -> None:
    sizes = [1.0, 10.0, 100.0, 1000.0]
    assert scaling.exponent(sizes, [3 * size**1.7 for size in sizes]) == pytest.approx(1.7)
    assert scaling.exponent(sizes, [5.0] * 4) == pytest.approx(0)
    bent = [2 * size * factor for size, factor in zip(sizes, (1.2, 0.8, 0.8, 1.2), strict=True)]
    assert scaling.exponent(sizes, bent) == pytest.approx(1)


# Runs

GOOD = "print('hello\\n\\n| | ours |\\n|---|---|\\n| start | 1 ms |\\n')"


def test_a_run_writes_its_block(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, monkeypatch, one=GOOD)
    monkeypatch.setattr(bench, "PATIENCE", 60.0)
    assert bench.run(["one"], None, page, quick=False) == {}
    after = page.read_text(encoding="utf-8")
    (part,) = parts_of(block_of(after, "one") or "")
    assert part.tables == (Table(HEAD, (("start", "1 ms", "`python benchmarks/one.py`"),)),)
    assert part.made.startswith(machine())
    assert after == replaced(PAGE, "one", written([part]))


@pytest.mark.parametrize(
    ("text", "why"),
    [(f"{GOOD}; raise SystemExit(3)", "code 3"), ("print('no table')", "no table"), ("while True: pass", "not ready")],
)
def test_one_that_fails_keeps_its_rows_and_the_next_one_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    script(tmp_path, monkeypatch, one=text, two=GOOD)
    output_of = bench.output_of
    monkeypatch.setattr(bench, "output_of", lambda command, _: output_of(command, 1.0 if "while" in text else 60.0))
    wrong = bench.run(["one", "two"], None, page, quick=False)
    assert list(wrong) == ["one"]
    assert why in wrong["one"]
    after = page.read_text(encoding="utf-8")
    assert block_of(after, "one") == block_of(PAGE, "one")
    assert "1 ms" in (block_of(after, "two") or "")


def test_what_takes_too_long_may_tidy_up_also_where_interrupts_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "GRACE_SECONDS", 60.0)
    code = "import sys, time\ntry:\n    print('up', file=open(sys.argv[1], 'w'), flush=True); time.sleep(90)\n"
    code += "finally:\n    print('tidy', file=open(sys.argv[1], 'w'))"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(bench.Failure, match="not ready"):
            bench.output_of(["-c", code, str(tmp_path / "said")], 3.0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "said").read_text() == "tidy\n"


def test_without_data_nothing_runs_and_nothing_is_wrong(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.BENCHMARKS, "one", bench.Benchmark("one.py DATA", 1))
    assert bench.run(["one"], None, page, quick=False) == {}
    assert page.read_text(encoding="utf-8") == PAGE
    assert bench.command_of(bench.Benchmark("one.py quick [DATA]", 1), None) == [str(bench.HERE / "one.py"), "quick"]
    assert bench.command_of(bench.Benchmark("one.py DATA", 1), Path("/d")) == [str(bench.HERE / "one.py"), "/d"]


def test_a_page_that_is_not_there_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "run", lambda *_, **__: pytest.fail("it runs"))
    monkeypatch.setattr(sys, "argv", ["bench.py", "startup", "--results", str(tmp_path / "reslts.md")])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert "reslts.md is no file" in capsys.readouterr().err


def test_the_page_has_a_block_for_every_benchmark_and_each_of_them_exists() -> None:
    page = bench.RESULTS.read_text(encoding="utf-8")
    for name, benchmark in bench.BENCHMARKS.items():
        assert block_of(page, name) is not None, f"docs/results.md has no <!-- bench: {name} -->"
        assert (bench.HERE / benchmark.command.split()[0]).is_file(), name


# Single ones


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that is not there; what should train says its version and ends with code 0."""
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.setattr(tui_runs, "LOAD", ["--version"])
    return tmp_path / "load"


@pytest.mark.parametrize("how", ["detached", "foreground"])
@pytest.mark.usefixtures("load")
def test_a_training_that_ends_before_it_has_begun_is_told(how: str) -> None:
    with pytest.raises(SystemExit, match="did not start"), tui_runs.training(how):
        pytest.fail("there is no training")


def test_an_interrupted_benchmark_ends_no_process_that_it_does_not_know(
    load: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the run's lock who has written no status yet: its number is 0, that of our own process group."""
    ended: list[int] = []
    monkeypatch.setattr(tui_runs.os, "kill", lambda pid, _: ended.append(pid))
    monkeypatch.setattr(tui_runs, "BEGUN_STEPS", 0)
    load.mkdir()
    lock = take_lock(load)
    try:
        with pytest.raises(KeyboardInterrupt), tui_runs.training("detached"):
            raise KeyboardInterrupt
    finally:
        release_lock(lock)
    assert ended == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_memory_is_told_in_megabytes_of_a_million_bytes() -> None:
    def told() -> list[float]:
        pid = os.getpid()
        return [sum(classify_large.anonymous_megabytes(pid)), memory_of_big_text.anonymous_megabytes(pid)]

    before = told()
    taken = b"1" * 300_000_000
    for large, small in zip(told(), before, strict=True):
        assert large - small == pytest.approx(len(taken) / 1e6, rel=0.01)


def test_the_small_model_is_measured_by_the_large_one_in_shares_and_in_counts() -> None:
    found = {
        "sentiment": {"flips": 37.0, "flips_of": 38.0, "hard": 0.966},
        "sentiment-small": {"flips": 36.0, "flips_of": 38.0, "hard": 0.948},
    }
    assert sentiment.shortfall("sentiment-small", "flips", found) == ", over 2 points below"
    assert sentiment.shortfall("sentiment-small", "hard", found) == ""
    assert sentiment.shortfall("sentiment", "flips", found) == ""
    found["sentiment-small"] |= {"flips": 37.0, "hard": 0.945}
    assert sentiment.shortfall("sentiment-small", "flips", found) == ""
    assert sentiment.shortfall("sentiment-small", "hard", found) == ", over 2 points below"


def test_the_peers_are_fitted_on_what_the_recipe_learns_from() -> None:
    recipe = (recipes_folder() / "sentiment.toml").read_text(encoding="utf-8")
    assert sentiment_peers.IMDB_HELD_OUT in tomllib.loads(recipe)["labels"]["held_out_fractions"]
    named = set(re.findall(r"([\w/]+)\.tsv\.xz", recipe.partition("--init")[0]))
    assert named == {*sentiment_peers.FITTED_ON, "imdb/train"}


def test_the_arithmetic_of_the_page_is_what_its_command_prints() -> None:
    command = [sys.executable, str(bench.HERE / "distributed.py"), "arithmetic"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (table,) = tables_of(printed)
    assert table in tables_of((bench.HERE.parent / "docs" / "scaling.md").read_text(encoding="utf-8"))
