"""What charts, bars, samples and lines look like, as plain text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from lstmtext.events import Resumed, Sampled
from lstmtext.store.run import RunStatus
from lstmtext.tui.headline import banners, bars, head, tabs
from lstmtext.tui.history import MOST_SAMPLES, History, Sample
from lstmtext.tui.machine import Load
from lstmtext.tui.numbers import nice_ticks, short, short_count
from lstmtext.tui.samples import MOST_WORDS, page, row, word_diff, wrap
from lstmtext.tui.series import Series
from lstmtext.tui.summary import differing
from lstmtext.tui.view import View
from lstmtext.tui.widgets.bars import progress_bar, slider, sparkline
from lstmtext.tui.widgets.board import plan
from lstmtext.tui.widgets.canvas import text_of
from lstmtext.tui.widgets.chart import Curve, Picture, draw_chart, x_at
from lstmtext.tui.widgets.samples import SampleView, draw_samples


def falling(count: int = 40, spike: int | None = None, gap: int | None = None) -> Series:
    series = Series()
    for step in range(1, count + 1):
        value = 1 + 3 * math.exp(-step / 10)
        value = 9.0 if step == spike else math.nan if step == gap else value
        series.append(step, step * 100, step * 1.0, value)
    return series


def picture(series: Series, **changes: object) -> Picture:
    curve = Curve("train", "smooth", series, raw=True, smoothed=True)
    return Picture("Loss", "nats/token", (curve,), 0, 40, full=True, selected=True, **changes)  # type: ignore[arg-type]


BRAILLE = """\
▸Loss  ━ train 1.055  full height
       │ ⠑⢄
     3 ┤  ⠈⠢⡀
       │    ⠈⠑⡄
     2 ┤      ⠈⠉⠢⠤⡀
       │          ⠈⠉⠑⠤⠤⣀⡀
       │                ⠈⠉⠉⠑⠒⠒⠢⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀
       └────────────────────────────────────
        0                20               40"""

ASCII = """\
>Loss  * train 1.055  @ best 1.055  1 NaN
       |                          .
       |
       |
 5.000 + **                       *
       |   *********              ****
       |           .************** ...*****@
       +------------------x-----------------
        0                20               40"""


def test_a_chart_in_braille() -> None:
    assert text_of(draw_chart(picture(falling()), 44, 9)) == BRAILLE


def test_a_chart_in_ascii() -> None:
    shown = picture(falling(spike=30, gap=20), best=(40, 1.055), smoothing=3)
    assert text_of(draw_chart(shown, 44, 9, ascii=True)) == ASCII
    lines = text_of(draw_chart(shown._replace(cursor=10.0), 48, 10, ascii=True))
    assert lines.isascii()
    assert lines.splitlines()[0].startswith(">Loss  * train 2.")
    assert "1 NaN" in lines
    assert "@" in lines
    assert "|" in lines
    assert "x" in lines.splitlines()[-2], "the gap is marked on the axis"
    assert lines.splitlines()[-1].split() == ["0", "20", "40"]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 200), st.integers(1, 50), st.booleans(), st.booleans(),
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=60),
)  # fmt: skip
def test_any_chart_fills_its_place(width: int, height: int, ascii: bool, log: bool, values: list[float]) -> None:
    series = Series(16)
    for step, value in enumerate(values):
        series.append(step, step, step, value)
    drawn = draw_chart(picture(series)._replace(log=log, full=False, cursor=3.0), width, height, ascii=ascii)
    assert len(drawn) == height
    assert all(sum(len(text) for text, _ in runs) == width for runs in drawn)
    assert not ascii or text_of(drawn).isascii()


def test_a_spike_reaches_the_top_or_has_an_arrow() -> None:
    whole = text_of(draw_chart(picture(falling(spike=30)), 48, 10))
    cut = text_of(draw_chart(picture(falling(spike=30))._replace(full=False), 48, 10))
    assert any(line[8 + 29] != " " for line in whole.splitlines()[1:3])
    assert "▲" in cut.splitlines()[1]


def test_a_cursor_tells_the_value_there() -> None:
    drawn = text_of(draw_chart(picture(falling(), smoothing=0, cursor=10.0), 60, 10))
    assert f"train {1 + 3 * math.exp(-1):.3f}" in drawn
    assert x_at(picture(falling()), 8 + 26, 60) == pytest.approx(20.4, abs=0.5)


def test_bars() -> None:
    def shown(share: float | None, width: int, ascii: bool = False) -> str:
        return "".join(text for text, _ in progress_bar(share, width, ascii=ascii))

    assert shown(0.5, 8) == "━━━━────"
    assert shown(0.56, 8) == "━━━━╸───"
    assert shown(1.7, 4) == "━━━━"
    assert shown(0.001, 4) == "╸───"
    assert shown(0.5, 10, ascii=True) == "[####....]"
    assert shown(None, 4) == "╌╌╌╌"
    assert sparkline([1, 2, 3, math.nan, 8], 6) == " ▁▂▃ █"
    assert sparkline([], 3) == "   "
    assert "".join(text for text, _ in slider(1, 3, 13)) == "├─────●─────┤"


def test_numbers_are_short() -> None:
    shown = [short(x) for x in (1.43219, 0.0031, 0.00003, 12345, 1234.5, 0, math.nan, 0.25)]
    assert shown == ["1.432", "3.1e-3", "3.0e-5", "12.3k", "1234", "0", "NaN", "0.250"]
    assert [short_count(x) for x in (950, 999.9, 12_400, 3_100_000, 2.5e9)] == ["950", "1000", "12.4k", "3.1M", "2.5G"]


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 12), st.booleans(), st.sampled_from([10.0, 60.0]))
def test_ticks_are_few_and_inside(low: float, wide: float, most: int, log: bool, base: float) -> None:
    ticks = nice_ticks(low, low + wide, most, log=log, base=base)
    assert len(ticks) <= most
    assert all(low - wide * 1e-6 - 1e-6 * abs(low) <= t <= low + wide * (1 + 1e-6) + 1e-6 * abs(low) for t in ticks)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(10, 220), st.integers(3, 60), st.integers(0, 9), st.booleans())
def test_charts_do_not_lie_over_each_other(count: int, width: int, height: int, selected: int, alone: bool) -> None:
    taken = set()
    for place in plan(count, width, height, selected, alone=alone):
        for x in range(place.x, place.x + place.width):
            for y in range(place.y, place.y + place.height):
                assert x < width
                assert y < height
                assert (x, y) not in taken
                taken.add((x, y))


# How one looks.


def test_zoom_pan_and_follow() -> None:
    view = View()
    assert view.window(1000) == (0, 1000)
    view.zoom(True, 1000)
    assert view.window(1000) == (500, 1000)
    assert view.window(1100) == (600, 1100), "it follows"
    view.pan(False, 1100)
    assert not view.follows
    assert view.window(2000) == (475, 975), "it stands"
    for _ in range(9):
        view.pan(True, 1100)
    assert view.follows
    view.zoom(False, 1100)
    assert view.window(1100) == (100, 1100)
    view.zoom(False, 1100)
    assert view.window(1100) == (0, 1100)


def test_a_cursor_takes_the_window_along() -> None:
    view = View()
    view.zoom(True, 1000)
    view.move_cursor(-1, 100, 1000)
    assert view.cursor == 1000
    for _ in range(150):
        view.move_cursor(-1, 100, 1000)
    assert view.cursor is not None
    assert view.window(1000)[0] <= view.cursor <= view.window(1000)[1] < 1000


# Lines above.


SETTINGS = {
    "task": "language-model",
    "model": {"cell": "lstm", "layers": 2, "hidden": 512},
    "text": {"corpus": ["/x/hamlet.txt"], "tokenizer": "char"},
}


def test_two_states_cannot_be_taken_for_each_other() -> None:
    history = History(SETTINGS)
    history.step = 120
    paused = banners(history, RunStatus(state="paused"), 80)
    frozen = banners(history, RunStatus(state="running"), 80, frozen=100, new=20)
    assert "TRAINING IS PAUSED at step 120" in text_of(paused)
    assert "DISPLAY IS FROZEN at step 100" in text_of(frozen)
    assert "training goes on (+20)" in text_of(frozen)
    assert {role for line in paused for _, role in line}.isdisjoint({role for line in frozen for _, role in line})
    for state in ("crashed", "failed", "stopped", "stalled", "finished"):
        assert state in text_of(banners(history, RunStatus(state=state), 80))


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("ascii", [False, True])
def test_lines_fit(width: int, ascii: bool) -> None:
    history = History(SETTINGS)
    status = RunStatus(state="running")
    lines = [head("a-run-with-a-long-name", history, status, width, ascii=ascii)]
    lines += bars(history, status, Load(190.0, 812.0), width, ascii=ascii)
    lines.append(tabs(["Charts", "Samples 3", "Summary", "Notes"], 0, View().text(), width, ascii=ascii))
    assert all(sum(len(text) for text, _ in runs) <= width for runs in lines), text_of(lines)
    assert not ascii or text_of(lines).isascii()


def test_settings_that_differ_are_listed() -> None:
    other = {**SETTINGS, "model": {"cell": "gru", "layers": 2, "hidden": 512}, "run": {"seed": 2}}
    assert differing(SETTINGS, other) == [("model.cell", "lstm", "gru"), ("run.seed", "-", "2")]


# Samples.


def sample(step: int, text: str, prompt: str = "The ") -> Sample:
    return Sample(step, prompt, text, 0.8, 1, False, 2.0)


def test_words_that_changed() -> None:
    pieces, found = word_diff("the old man sleeps", "the new man sleeps well")
    assert found
    assert [text for text, role in pieces if role == "added"] == ["new", " well"]
    assert [text for text, role in pieces if role == "removed" and text.strip()] == ["old"]
    pieces, _ = word_diff("one two three old it new four five", "one two three quite it other four five")
    assert [text for text, role in pieces if role == "added"] == ["quite it other"]  # "it" stayed by chance
    assert "".join(text for text, role in word_diff("a b", "c d e")[0] if role != "removed") == "c d e"
    shown = text_of(page(sample(2, "the new man"), sample(1, "the old man"), 60, diff=True, plain=True))
    assert shown == "the [-old-] {+new+} man"


def test_a_long_sample_is_shown_to_its_end() -> None:
    before = " ".join(f"word{number}" for number in range(MOST_WORDS))
    after = before.replace("word7 ", "seven ") + " the end"
    pieces, found = word_diff(before, after)
    assert found
    assert "".join(text for text, role in pieces if role != "removed") == after
    assert [text for text, role in pieces if role == "added"] == ["seven"]


@pytest.mark.parametrize("width", [20, 41, 80])
def test_wide_letters_take_their_columns(width: int) -> None:
    wide = sample(100, "你好世界" * 40, prompt="")
    assert cell_len(row(wide, width)) == width
    lines, _ = draw_samples([wide, wide], 1, 120, 8, diff=False)
    sides = {cell_len(line.partition("│")[0]) for line in text_of(lines[2:]).splitlines()}
    assert len(sides) == 1, "the table pushes the text to the right"


def test_the_sample_that_is_looked_at_stays_when_a_long_run_keeps_fewer_old_ones() -> None:
    history = History({})
    view = SampleView(lambda: (history.samples, ""))

    def write(steps: range) -> None:
        for step in steps:
            history.take(Sampled(step=step, prompt="", text=f"{step}", temperature=1.0, seed=1))

    def shown() -> str:
        found = view.shown()
        return found.text if found else ""

    view.move(-1)
    assert shown() == "", "there is none"
    write(range(MOST_SAMPLES))
    assert shown() == f"{MOST_SAMPLES - 1}", "it follows the newest"
    view.go(50)
    drawn = history.samples
    write(range(MOST_SAMPLES, MOST_SAMPLES + 50))
    assert len(history.samples) < MOST_SAMPLES
    assert len(drawn) > MOST_SAMPLES, "who draws meanwhile has lost some"
    assert shown() == "50"
    view.move(-1)
    assert shown() == "48"
    view.go(51)
    history.take(Resumed(step=100))
    assert shown() == "100", "what is trained again was looked at"
    view.go(-5)
    assert shown() == "0"


def test_control_characters_never_reach_the_terminal() -> None:
    dangerous = sample(1, "a\x1b[31mb\x07\r\nc")
    assert "\x1b" not in row(dangerous, 60)
    assert "\x1b" not in text_of(page(dangerous, None, 60, diff=False))
    assert "\x07" not in text_of(page(dangerous, None, 60, diff=False))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab \n日ñ", max_size=80), st.integers(4, 30))
def test_wrapping_keeps_every_word(text: str, width: int) -> None:
    lines = wrap([(text, "text")], width)
    assert all(sum(cell_len(part) for part, _ in runs) <= width for runs in lines)
    assert "".join("".join(part for part, _ in runs) for runs in lines).split() == "".join(
        text.split("\n")
    ).split() or ("".join(text_of(lines).split()) == "".join(text.split()))


@pytest.mark.parametrize(("width", "height"), [(80, 16), (140, 30), (58, 10), (20, 5)])
def test_the_page_of_samples_fits(width: int, height: int) -> None:
    samples = [sample(step, f"The cat number {step} sat on the mat.\n" * 5) for step in range(100, 2000, 100)]
    lines, most = draw_samples(samples, 3, width, height, diff=True)
    assert len(lines) <= height
    assert "step 400" in text_of(lines)
    assert most >= 0
    assert "Nothing" in text_of(draw_samples([], 0, width, height, diff=True, empty="Nothing")[0])
