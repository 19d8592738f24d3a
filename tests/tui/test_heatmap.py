"""The pure drawings of values: goldens in plain text, and laws that a glance at them would not show."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lstmtext.tui.ramps import Look, cell, diverging, glyph, legend, plain, sequential, width_of
from lstmtext.tui.widgets import curve_lines as curve_drawing
from lstmtext.tui.widgets.canvas import Canvas
from lstmtext.tui.widgets.curve_lines import Passage, curve_lines, systems
from lstmtext.tui.widgets.heatmap import Heat, heat_lines, window

PLAIN, ASCII, COLOUR = Look(colour=False), Look(colour=False, ascii=True), Look()
HEAT = Heat(
    ["The", "film", "not"],
    ["17", "203", "8", "40"],
    [[0.0, 0.2, 0.4, 0.6], [0.8, 1.0, 0.5, 0.0], [0.1, 0.3, 0.9, 1.0]],
    crossed=frozenset({2}),
)
SIGNED = Heat(["a", "b"], ["0", "1", "2"], [[-2.0, -1.0, -0.4], [0.1, 1.2, 2.0]], signed=True, scale=2.0)


def text(heat: Heat, look: Look, width: int = 20, height: int = 9, **more: object) -> str:
    return plain(heat_lines(heat, width, height, look, **more))  # type: ignore[arg-type]


def test_a_map_of_gates() -> None:
    assert text(HEAT, PLAIN, cursor=(2, 1)) == "\n".join(
        [
            "       203 40",
            "The    ··×░▒▒",
            "film ▓▓██×░",
            "not    [░×▓██",
        ]
    )
    assert text(HEAT, PLAIN, cursor=(2, 2)).startswith("     17  8 40\n")


def test_switching_off_does_not_rename_columns() -> None:
    named = [f"{place}" for place in range(310, 330)]
    heat = Heat(["The"], named, [[0.5] * 20])
    before = text(heat, PLAIN, width=45, cursor=(0, 0)).splitlines()[0]
    assert len(before.split()) == 10
    for off in range(20):
        crossed = Heat(["The"], named, [[0.5] * 20], crossed=frozenset({off}))
        header, row = text(crossed, PLAIN, width=45, cursor=(0, 0)).splitlines()
        assert header == before
        assert row.count("×") == (off > 0)  # the cursor's brackets have the first one


def test_signed_values_show_their_sign_without_colour() -> None:
    assert text(SIGNED, PLAIN) == "  0 1 2\na  ▼ ▽ ·\nb    △ ▲"
    assert text(SIGNED, ASCII) == "  0 1 2\na  V v .\nb    ^ A"


@pytest.mark.parametrize("look", [PLAIN, ASCII, COLOUR, Look(dark=False)])
@pytest.mark.parametrize(("width", "height"), [(6, 2), (20, 3), (80, 24)])
def test_every_line_has_the_width_asked_for(look: Look, width: int, height: int) -> None:
    for heat in (HEAT, SIGNED, Heat()):
        lines = heat_lines(heat, width, height, look, cursor=(0, 0) if heat.rows else None)
        assert len(lines) <= height
        assert {width_of(line) for line in lines} == {width}


@pytest.mark.parametrize("dark", [True, False])
def test_ramps_change_in_lightness_all_the_way(dark: bool) -> None:
    """So that they can be read in grey, by everybody."""

    def light(colour: tuple[int, int, int]) -> float:
        return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]

    look = Look(dark=dark)
    for ramp in (
        [sequential(step / 20, look) for step in range(21)],
        [diverging(step / 20, look) for step in range(21)],
        [diverging(-step / 20, look) for step in range(21)],
    ):
        steps = [light(after) - light(before) for before, after in pairwise(ramp)]
        assert all(step > 0 for step in steps) if dark else all(step < 0 for step in steps)


def test_glyphs_grow_and_families_do_not_meet() -> None:
    for look in (PLAIN, ASCII):
        gates = [glyph(step / 10, look, signed=False) for step in range(11)]
        assert gates[0] == " "
        assert len(dict.fromkeys(gates)) == 6
        strong = {glyph(value, look, signed=True) for value in (0.4, 0.7, 1.0)}
        assert not strong & {glyph(-value, look, signed=True) for value in (0.4, 0.7, 1.0)}


def test_a_negative_cell_says_so_in_colour_too() -> None:
    assert "−" in cell(-0.5, COLOUR, signed=True).text
    assert "−" not in cell(0.5, COLOUR, signed=True).text
    assert cell(-0.5, COLOUR, signed=True).style != cell(0.5, COLOUR, signed=True).style


def test_a_legend_names_both_ends() -> None:
    assert plain([legend(ASCII, signed=False, low="0", high="1", steps=6)]) == "0  .:+#@ 1"


def test_the_window_follows_the_cursor() -> None:
    assert window(0, 5, 10, 100) == 0
    assert window(20, 5, 10, 100) == 11
    assert window(7, 5, 10, 100) == 5
    assert window(2, 9, 10, 4) == 0


WORDS = Passage(["The", "film", "was", "not", "good"], [0.5, 0.5, 0.9, 0.2, 0.05], [0.0, 0.0, 0.5, -1.0, 0.6])


def test_a_reading_curve() -> None:
    assert plain(curve_lines(WORDS, 40, ASCII, rows=4, span=(3, 5))) == "\n".join(
        [
            "1.00 |         ----|",
            "0.67 |.........|...|........",
            "0.33 |---------|...----|....",
            "0.00 |                 -----",
            "      The film was not good",
            "                ^  \\______/",
        ]
    )


def test_a_long_text_goes_on_below() -> None:
    words = ["word"] * 30
    found = systems(words, 40)
    assert [slot.word for system in found for slot in system] == list(range(30))
    assert all(slot.left + slot.width <= 40 for system in found for slot in system)
    lines = curve_lines(Passage(words, [0.5] * 30, [0.0] * 30), 46, PLAIN, rows=5)
    assert len(lines) == len(found) * 8 - 1
    assert max(width_of(line) for line in lines) <= 46


def test_a_word_that_is_longer_than_the_screen_is_cut() -> None:
    lines = curve_lines(Passage(["x" * 300], [0.9], [0.0]), 30, PLAIN, rows=4)
    assert max(width_of(line) for line in lines) <= 30


def test_without_a_reading_there_are_words_and_what_they_bring() -> None:
    lines = curve_lines(Passage(["not", "good"], (), [-1.0, 1.0]), 30, PLAIN, rows=6)
    assert plain(lines) == "      not good\n       ▼   ▲"


def test_a_curve_is_drawn_anew_only_where_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, ...]] = []

    def counted(columns: int, rows: int, **facts: bool) -> Canvas:
        drawn.append((columns, rows))
        return Canvas(columns, rows, **facts)

    monkeypatch.setattr(curve_drawing, "Canvas", counted)
    words = [f"seldom{number}" for number in range(60)]
    positive = [number / 61 for number in range(60)]
    before = curve_lines(Passage(words, positive), 46, PLAIN, rows=5)
    count = len(systems(words, 40))
    assert len(drawn) == count > 4
    curve_lines(Passage(words, positive), 46, PLAIN, rows=5, cursor=7, span=(3, 8))
    assert len(drawn) == count, "the cursor walks along words, not along the curve"
    longer = curve_lines(Passage([*words, "then"], [*positive, 1.0]), 46, PLAIN, rows=5)
    assert len(drawn) == count + 1, "a word at the end is in the last line"
    assert longer[:-8] == before[:-8]
