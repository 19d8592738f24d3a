"""What the room Sentiment draws, line by line."""

from __future__ import annotations

import re

import pytest

from lstmtext.engine.classifier import Judgement
from lstmtext.explain.decomposition import Interaction
from lstmtext.explain.draw import columns
from lstmtext.tui.ramps import Look, plain, width_of
from lstmtext.tui.sentiment_view import brings_line, interaction_lines, scale_line, verdict_lines, verdict_note

PLAIN, ASCII = Look(colour=False), Look(colour=False, ascii=True)
JUDGEMENT = Judgement("…", "positive", 0.84, {"negative": 0.06, "neutral": 0.2, "positive": 0.74}, (), False)


def test_a_verdict() -> None:
    assert plain(verdict_lines(JUDGEMENT, 60, ASCII)) == "\n".join(
        [
            "+ positive   P(positive) 0.84                    score +0.68",
            "negative ==============|..neutral...|======O======= positive",
        ]
    )
    assert verdict_note(JUDGEMENT, 1.3) == "classes: negative 0.06  neutral 0.20  positive 0.74"
    assert verdict_note(JUDGEMENT, 1.0).endswith(", not calibrated")


@pytest.mark.parametrize("positive", [0.0, 0.2, 1 / 3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("width", [20, 40, 74, 130])
def test_the_scale_has_one_sign_in_its_place(positive: float, width: int) -> None:
    line = scale_line(positive, width, ASCII)
    text = plain([line])
    assert width_of(line) == max(width, 14)
    assert text.count("O") == 1
    left = 9 if width >= 50 else 2
    room = width - left - (9 if width >= 50 else 2)
    assert text.index("O") == left + round(positive * (room - 1))


def test_unknown_words_and_nothing_to_read_are_said() -> None:
    assert verdict_note(JUDGEMENT._replace(unknown=("zyx", "wvu")), 1.3).endswith(", unknown: zyx, wvu")
    empty = Judgement("", "neutral", 0.5, {"neutral": 1.0}, (), True)
    assert plain(verdict_lines(empty, 60, ASCII)) == "There is nothing to read."
    assert plain(verdict_lines(empty._replace(unknown=("zyx",)), 60, ASCII)) == "The model knows none of these words."
    assert not verdict_note(empty, 1.3)


@pytest.mark.parametrize("width", [44, 56, 74])
def test_neutral_is_explained_by_its_band(width: int) -> None:
    """The word comes from P(positive), not from the class neutral, which may have no probability at all."""
    judgement = JUDGEMENT._replace(
        label="neutral", positive=0.38, probabilities={"negative": 0.62, "neutral": 0.0, "positive": 0.38}
    )
    for look, band in ((ASCII, ", between 1/3 and 2/3"), (PLAIN, ", between ⅓ and ⅔")):
        head = plain(verdict_lines(judgement, width, look)).splitlines()[0]
        assert head.split("   ")[1].startswith("P(positive) 0.38")
        assert head.endswith("score -0.24" if look.ascii else "score −0.24")
        assert columns(head) == width
        assert (band in head) == (columns(f"= neutral   P(positive) 0.38{band}  score -0.24") <= width)


def test_spans() -> None:
    found = [Interaction((3, 5), "not good", -1.2, -1.95, (-0.3, 1.05))]
    assert plain(interaction_lines(found, 74, ASCII, 0)) == (
        "span           score   together   the words alone\nnot good     > -1.20      -1.95   -0.30  +1.05"
    )


@pytest.mark.parametrize("width", range(30, 90))
def test_every_row_fits_a_narrow_screen(width: int) -> None:
    found = [Interaction((4, 9), "was not good at all", -2.0, -1.52, (0.25, -0.13, -0.3))]
    rows = plain(interaction_lines(found, width, ASCII)).splitlines()
    assert all(len(row) <= width for row in rows), rows
    assert "-2.00" in rows[1]
    assert "-1.52" in rows[1]
    assert ("the words alone" in rows[0]) == (width >= 49)
    verdict = plain(verdict_lines(JUDGEMENT, width, ASCII)).splitlines()
    assert all(len(row) <= width for row in verdict), verdict
    assert "P(positive)" in verdict[0]


def test_what_a_word_brings() -> None:
    assert plain([brings_line("good", 0.7, -0.2, 0.6, ASCII)]) == (
        "good   up to here 0.70   without it 0.40, -0.20   speaks for positive"
    )
    assert plain([brings_line("good", 0.7, 0.2, 0.6, PLAIN)]).endswith("without it 0.80, +0.20   speaks for negative")
    assert plain([brings_line("the", None, 0.001, 0.6, ASCII)]).endswith("0.60   it changes nothing")
    assert plain([brings_line("the", None, None, 0.6, PLAIN)]).endswith("without it …")


def said_of(line: str) -> list[str]:
    """What is said about a word, part by part: in the same words whatever the room."""
    return re.split(r" {3,}", line)[1:]


@pytest.mark.parametrize("word", ["not", "magnificent", "incomprehensibilities" * 2, "日本語" * 9])
@pytest.mark.parametrize("change", [-0.01, 0.34, 0.0, None])
def test_what_a_word_brings_has_no_half_of_anything(word: str, change: float | None) -> None:
    whole = plain([brings_line("", 0.98, change, 0.98 - (change or 0.0), ASCII, width=200)])
    parts = said_of(whole)
    for width in range(48, 100):
        line = brings_line(word, 0.98, change, 0.98 - (change or 0.0), ASCII, width=width)
        assert width_of(line) <= width
        shown = said_of(plain([line]))
        assert shown == parts[: len(shown)]
        assert len(shown) >= 2
