"""Colours, strips and bars: what a person sees with and without colour."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.explain.colour import hexadecimal, ink, ramp, scaled
from lstmtext.explain.draw import SHADES, bar, cell, clusters, columns, fit, marked, shade, strip, visible

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def luminance(colour: tuple[int, int, int]) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def test_the_ramp_goes_from_blue_over_white_to_orange() -> None:
    red, green, blue = ramp(-1)
    assert blue > green > red
    red, green, blue = ramp(1)
    assert red > green > blue
    assert min(ramp(0)) > 240
    assert ramp(7) == ramp(1)
    assert ramp(-7) == ramp(-1)


def test_stronger_is_darker_on_both_sides() -> None:
    for side in (-1, 1):
        light = [luminance(ramp(side * step / 20)) for step in range(21)]
        assert light == sorted(light, reverse=True)
        assert light[0] - light[-1] > 100


@pytest.mark.parametrize("step", range(-10, 11))
def test_ink_can_be_read_on_every_colour(step: int) -> None:
    """WCAG contrast of at least 4.5."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    def relative(colour: tuple[int, int, int]) -> float:
        return luminance((linear(colour[0]), linear(colour[1]), linear(colour[2])))  # type: ignore[arg-type]

    light, dark = sorted((relative(ramp(step / 10)), relative(ink(ramp(step / 10)))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_colours_as_svg_writes_them() -> None:
    assert hexadecimal((0, 10, 255)) == "#000aff"


def test_values_are_scaled_by_the_strongest_but_noise_stays_faint() -> None:
    assert scaled([0.1, -0.4, 0.2]) == pytest.approx([0.25, -1, 0.5])
    assert max(map(abs, scaled([0.001, -0.002]))) < 0.1
    assert scaled([]) == []


def test_without_colour_a_word_has_a_sign_and_a_shade() -> None:
    assert marked("not", -1.0, False) == "not[-█]"
    assert marked("good", 0.4, False) == "good[+░]"
    assert marked("the", 0.0, False) == "the"


def test_with_colour_a_word_stands_on_its_colour_and_ends_it() -> None:
    text = marked("not", -1.0, True)
    assert text.startswith("\x1b[48;2;33;102;172;38;2;255;255;255m")
    assert text.endswith("\x1b[0m")
    assert ESCAPE.sub("", text) == "not"
    assert marked("the", 0.0, True) == "the"


def test_shades_rise() -> None:
    assert [shade(step / 5) for step in range(6)] == list(SHADES)
    assert shade(-1) == shade(9) == "█"


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("value", [-1.0, -0.3, 0.0, 0.5, 1.0])
def test_a_square_is_two_columns(value: float, colour: bool) -> None:
    assert columns(ESCAPE.sub("", cell(value, colour))) == 2
    assert columns(ESCAPE.sub("", cell(abs(value), colour, signed=False))) == 2


def test_squares_tell_signs_apart_without_colour() -> None:
    assert cell(-0.8, False) != cell(0.8, False)
    assert cell(0.8, False, signed=False) == " ▓"


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("probability", [0.0, 0.2, 0.49, 0.5, 0.51, 0.9, 1.0])
def test_a_bar_is_on_the_side_of_its_answer_and_always_as_wide(probability: float, colour: bool) -> None:
    text = ESCAPE.sub("", bar(probability, 10, colour))
    assert len(text) == 21
    left, right = text.split("│")
    assert (left.count("█"), right.count("█")) == (
        (round((0.5 - probability) * 20), 0) if probability < 0.5 else (0, round((probability - 0.5) * 20))
    )


@pytest.mark.parametrize("colour", [False, True])
def test_a_strip_wraps_and_keeps_every_word(colour: bool) -> None:
    texts = [f"word{k}" for k in range(40)] + ["x" * 50, "日本語"]
    lines = strip(texts, [(-1) ** k * k / 40 for k in range(42)], 40, colour)
    plain = [ESCAPE.sub("", line) for line in lines]
    assert all(columns(line) <= 40 or " " not in line for line in plain)
    assert re.sub(r"\[[+-].\]", "", " ".join(plain)).split(" ") == texts
    assert len(lines) > 5
    assert strip([], [], 40, colour) == []


def test_text_is_cut_to_columns() -> None:
    assert fit("film", 6) == "film  "
    assert fit("unforgettable", 6) == "unfor…"
    assert columns(fit("日本語日本", 6)) == 6
    assert columns("é") == columns("e\N{COMBINING ACUTE ACCENT}") == 1


JOINED = {
    "family": "👨\u200d👩\u200d👧",
    "skin tone": "👍🏽",
    "flag": "🇩🇪",
    "heart": "❤\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "profession": "👩🏽\u200d🚀",
    "Wales": "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
}


@pytest.mark.parametrize("emoji", JOINED.values(), ids=JOINED)
def test_a_joined_emoji_is_one_character_of_two_columns(emoji: str) -> None:
    assert visible(emoji) == emoji
    assert columns(emoji) == 2
    assert clusters(f"a{emoji}{emoji}語") == ["a", emoji, emoji, "語"]
    assert fit(f"{emoji}{emoji}{emoji}", 5) == f"{emoji}{emoji}…"
    assert fit(f"{emoji}{emoji}{emoji}", 4) == f"{emoji}… "


PIECES = st.sampled_from([*"aé語 🏽🇩🇪❤👨ก\u1160\u0301\ufe0f\u202e\x1b\n", "👨\u200d👩", "ی\u200c"])


@given(st.lists(PIECES, max_size=9).map("".join), st.integers(1, 12))
def test_every_text_fits_and_is_shown_once(text: str, width: int) -> None:
    assert "".join(clusters(text)) == text
    assert visible(visible(text)) == visible(text)
    assert columns(fit(text, width)) == width
    assert bool(columns(text)) == bool(text)


def test_what_cannot_be_seen_alone_is_its_escape() -> None:
    assert visible("\u200d") == r"\u200d"
    assert visible("\u0301") == r"\u0301"
    assert visible("\ufe0f") == r"\ufe0f"
    assert visible("می\u200cروم") == "می\u200cروم"


def test_a_text_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in visible("a\x1b[31mred\x07")
    assert "\x1b" not in marked("\x1b[2J", 0.9, False)
    assert "\x1b" not in fit("\x1b[2J", 9)
