"""The token view's pure parts: rows, shades, alternatives, as a person sees them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.tui.flow import PROMPT, Flow
from lstmtext.tui.ramps import Look, width_of
from lstmtext.tui.replies import Alternative, Choice, Drawn
from lstmtext.tui.widgets.alternatives import alternative_lines, percent, token_name
from lstmtext.tui.widgets.shading import level, row_line, shade, shading_legend

LOOKS = [Look(colour, dark, ascii) for colour in (True, False) for dark in (True, False) for ascii in (True, False)]


def drawn(text: str, probability: float = 0.6, *, rank: int = 1, chosen: bool = False) -> Drawn:
    return Drawn(ord(text[0]), text, text, probability, rank, (), Choice(), chosen)


def flow_of(*tokens: str, width: int = 12, prompt: str = "", ascii: bool = False) -> Flow:
    flow = Flow(width, ascii=ascii)
    flow.append(prompt)
    for number, token in enumerate(tokens):
        flow.append(token, number)
    return flow


# Rows.


def test_characters_are_wrapped_between_words() -> None:
    flow = flow_of(*"To be, or not to be:\nthat is", width=12)
    assert flow.text() == "To be, or \nnot to be:\nthat is"


def test_a_word_longer_than_the_row_is_cut() -> None:
    assert flow_of(*"abcdefghij kl", width=6).text() == "abcde\nfghij \nkl"


def test_a_token_may_be_a_word_or_half_a_line() -> None:
    flow = flow_of("not", " good", " at all", width=10)
    assert flow.text() == "not good \nat all"
    assert [flow.place(number) for number in range(3)] == [(0, 0), (0, 3), (0, 8)]


def test_places_follow_a_word_that_moves() -> None:
    flow = flow_of(*"ab cdefg", width=9)
    before = flow.place(5)
    flow.append("h", 8)
    flow.append("i", 9)
    assert before == (0, 5)
    assert flow.place(5) == (1, 2)
    assert flow.text() == "ab \ncdefghi"


def test_wide_accented_and_control_characters() -> None:
    flow = flow_of("日", "本", "e", "\u0301", "\t", "\x07", width=20)
    assert flow.text() == "日本e\u0301    ·"
    assert [flow.place(number)[1] for number in (0, 1, 2, 4, 5)] == [0, 2, 4, 5, 9]
    assert flow_of("日", "é", "\x07", ascii=True).text() == "???"


def test_the_mouse_finds_tokens() -> None:
    flow = flow_of("To", " be", "\n", "or", prompt="Say: ", width=20)
    assert flow.at(0, 2) == 0  # the prompt: the nearest token of the row
    assert flow.at(0, 5) == 0
    assert flow.at(0, 8) == 1
    assert flow.at(0, 10) == 2
    assert flow.at(0, 19) == 2  # right of the text
    assert flow.at(1, 0) == 3
    assert flow.at(9, 0) is None
    assert flow_of(prompt="only").at(0, 1) is None


TEXTS = st.lists(st.text(st.sampled_from("ab \n日e\u0301-"), max_size=4), max_size=40)


@given(tokens=TEXTS, width=st.integers(2, 15))
def test_rows_hold_the_text_and_fit(tokens: list[str], width: int) -> None:
    """Nothing is lost, nothing is wider than the row, every token is found where it says it is."""
    flow = flow_of(*tokens, width=width)
    glyphs = [glyph for row in flow.rows for glyph in row]
    shown = "".join(glyph.text for glyph in glyphs).replace("\u0301", "")
    assert shown == "".join(tokens).replace("\u0301", "")
    assert all(sum(glyph.width for glyph in row) <= max(width, 3) for row in flow.rows)
    for number, token in enumerate(tokens):
        row, column = flow.place(number)
        if token.strip("\u0301"):
            assert flow.at(row, column) == number
    assert all(a.source <= b.source for a, b in pairwise(glyphs))


@given(tokens=TEXTS, width=st.integers(2, 15))
def test_a_stream_has_the_rows_of_the_whole(tokens: list[str], width: int) -> None:
    joined = flow_of("".join(tokens), width=width).text()
    assert flow_of(*tokens, width=width).text() == joined


# Shades.


def test_levels() -> None:
    assert [level(p) for p in (1.0, 0.5, 0.49, 0.2, 0.05, 0.049, 0.01, 0.0099, 0.0)] == [0, 0, 1, 1, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("look", LOOKS)
def test_every_step_differs_and_none_by_colour_alone(look: Look) -> None:
    styles = [shade(step, look) for step in range(5)]
    assert len(set(styles)) == 5
    assert shade(1, look, chosen=True) not in styles
    if not look.colour:
        assert all(style.color is None and style.bgcolor is None for style in styles)
    assert styles[4].underline
    assert styles[3] != styles[4]
    legend = "".join(segment.text for segment in shading_legend(look))
    assert legend == " >50  20  5  1  <1% "


def test_a_row_has_a_segment_for_each_token() -> None:
    flow = flow_of("To", " be", "\n", prompt="Say: ", width=20)
    tokens = [drawn("To", 0.6), drawn(" be", 0.003), drawn("\n", 0.3)]
    look = Look()
    line = row_line(flow.rows[0], tokens, look, shaded=True)
    assert [segment.text for segment in line] == ["Say: ", "To", " be", "↵"]
    assert [segment.style for segment in line[1:]] == [shade(0, look), shade(4, look), shade(1, look)]
    calm = row_line(flow.rows[0], tokens, look, shaded=False)
    assert "".join(segment.text for segment in calm) == "Say: To be "
    cursor = row_line(flow.rows[0], tokens, Look(ascii=True), shaded=False, cursor=2)
    assert cursor[-1].text == "$"
    assert cursor[-1].style != line[-1].style
    assert {glyph.source for glyph in flow.rows[0]} == {PROMPT, 0, 1, 2}


def test_a_chosen_token_is_marked_also_without_shading() -> None:
    flow = flow_of("a", "b")
    line = row_line(flow.rows[0], [drawn("a"), drawn("b", chosen=True)], Look(), shaded=False)
    assert line[1].style == shade(1, Look(), chosen=True)


# Alternatives.

TOP = (
    Alternative(101, "e", 0.52, True),
    Alternative(97, "a", 0.26, True),
    Alternative(32, " ", 0.13, True),
    Alternative(10, "\n", 0.05, False),
    Alternative(111, "o", 0.0004, False),
)


def text_of(lines: list[list[object]]) -> str:
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)  # type: ignore[attr-defined]


def test_alternatives_golden() -> None:
    token = Drawn(97, "a", "a", 0.26, 2, TOP, Choice())
    assert text_of(alternative_lines(token, 30, Look(), cursor=2)) == (
        "    e  ━━━━━━━━━━━━━━ 52.0 %\n"
        "  ● a  ━━━━━━━        26.0 %\n"
        "›   ␣  ━━━╸           13.0 %\n"
        "    ↵  ━╸              5.0 % ✗\n"
        "    o  ╸              <0.1 % ✗"
    )


def test_alternatives_are_as_wide_as_told_and_say_what_was_cut() -> None:
    token = Drawn(122, "z", "z", 0.002, 17, TOP, Choice())
    for width in (16, 20, 26, 40):
        for look in LOOKS:
            lines = alternative_lines(token, width, look, cursor=0)
            assert all(width_of(line) <= width for line in lines)
            assert len(lines) == 6
    plain = text_of(alternative_lines(token, 30, Look(colour=False, ascii=True), cursor=0))
    assert plain.isascii()
    first, *_, cut, last, own = plain.splitlines()
    assert first.startswith(">   e")
    assert "\\n" in cut
    assert cut.endswith("5.0 % x")
    assert last.endswith("<0.1 % x")
    assert own.split() == ["*", "z", "rank", "17", "0.2", "%"]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_rank_stands_whole_beside_wide_names(look: Look) -> None:
    top = tuple(Alternative(number, " harbourmaster", 0.2, True) for number in range(5))
    for rank in (6, 48, 12_345):
        token = Drawn(122, "[", "[", 0.002, rank, top, Choice())
        for width in (24, 28, 34, 60):
            above, own = text_of(alternative_lines(token, width, look)).splitlines()[-2:]
            assert own.split()[-4:] == ["rank", str(rank), "0.2", "%"]
            if rank < 100:
                assert own.index("%") == above.index("%")


def test_names_and_numbers() -> None:
    assert [token_name(text, Look()) for text in (" ", "\n", " the", "\x07", "")] == ["␣", "↵", "␣the", "·", "∅"]
    assert [token_name(text, Look(ascii=True)) for text in (" ", "\n", "é")] == ["' '", "\\n", "\\xe9"]
    assert [percent(p) for p in (1.0, 0.9994, 0.5, 0.05, 0.0004)] == [" 100 %", "99.9 %", "50.0 %", " 5.0 %", "<0.1 %"]
