"""The drawing: well-formed, complete, inside its frame, and the same as pixels."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import InputError, MissingExtraError, UsageError
from lstmtext.explain import png as png_module
from lstmtext.explain.colour import hexadecimal, ramp, scaled
from lstmtext.explain.decomposition import Interaction
from lstmtext.explain.png import missing, png
from lstmtext.explain.reading import Turn
from lstmtext.explain.report import Explanation, explain
from lstmtext.explain.svg import LONGEST, WIDTH, svg

Make = Callable[..., EngineClassifier]
TEXT = "The film <b>wasn't</b> \"unforgettable\" & 'fine' story!"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(explanation: Explanation) -> ElementTree.Element:
    return ElementTree.fromstring(svg(explanation))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("methods", [["reading"], ["occlusion"], ["reading", "occlusion", "interaction"], ["gates"]])
@pytest.mark.parametrize("text", [TEXT, "", "§", "a\x00\x1b[31m\ufffe]]>", "x" * 300, "the film was fine . " * 15])
def test_every_explanation_is_well_formed_and_inside_its_frame(make: Make, methods: list[Any], text: str) -> None:
    root = drawn(explain(make(), text, methods))
    assert root.tag == f"{SVG}svg"
    height = float(root.attrib["height"])
    for rect in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(rect.attrib.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= WIDTH + 0.1
        assert 0 <= y <= y + high <= height + 0.1


def test_the_words_stand_in_order_on_their_colours(make: Make) -> None:
    explanation = explain(make(), TEXT)
    root = drawn(explanation)
    shown = [text for text in texts(root) if text in explanation.tokens]
    assert shown == explanation.tokens
    assert explanation.occlusion is not None
    fills = [rect.attrib["fill"] for rect in root.iter(f"{SVG}rect") if rect.attrib.get("rx") == "6"]
    assert fills == [hexadecimal(ramp(-change)) for change in scaled(explanation.occlusion)]
    assert explanation.label in texts(root)


def test_words_do_not_overlap(make: Make) -> None:
    root = drawn(explain(make(), "the film was unforgettable , but not a very fine story ! " * 6))
    places = [
        tuple(float(rect.attrib[name]) for name in ("y", "x", "width"))
        for rect in root.iter(f"{SVG}rect")
        if rect.attrib.get("rx") == "6"
    ]
    rows: dict[float, list[tuple[float, float]]] = {}
    for y, x, width in places:
        rows.setdefault(y, []).append((x, x + width))
    assert len(rows) > 2
    for row in rows.values():
        assert all(right < left for (_, right), (left, _) in pairwise(row))


def test_the_curve_has_a_point_for_every_word_at_its_height(make: Make) -> None:
    explanation = explain(make(), TEXT, ["reading"])
    circles = list(drawn(explanation).iter(f"{SVG}circle"))
    assert explanation.reading is not None
    heights = [float(circle.attrib["cy"]) for circle in circles]
    assert len(heights) == len(explanation.reading)
    pairs = sorted(zip(explanation.reading, heights, strict=True))
    assert [height for _, height in pairs] == sorted(heights, reverse=True)
    steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(pairs) if b[0] - a[0] > 0.01]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=0.05)


def test_spans_have_brackets_with_their_numbers(make: Make) -> None:
    explanation = explain(make(), TEXT, ["reading"], spans=[(0, 2), (4, 7)])
    root = drawn(explanation)
    assert len(list(root.iter(f"{SVG}path"))) == 2
    assert explanation.interactions is not None
    for one in explanation.interactions:
        label = f"{one.score:+.2f} (together {one.interaction:+.2f})".replace("-", "−")
        assert label in texts(root)


def test_what_rounds_to_zero_has_no_sign() -> None:
    spans = [Interaction((0, 2), "fine film", -0.004, 0.004, (-0.004, -0.004))]
    found = Explanation(text="", tokens=["fine", "film"], positive=0.9, label="positive", interactions=spans)
    assert "0.00 (together 0.00)" in texts(drawn(found))


@pytest.mark.parametrize("text", ["a " * 60, "I am not in the film , and a fine story it was n't . " * 4])
def test_labels_of_spans_do_not_overlap(make: Make, text: str) -> None:
    count = len(explain(make(), text, []).tokens)
    for first, second in ((0, 5), (0, 7), (3, 9), (count - 3, count - 1)):
        root = drawn(explain(make(), text, [], spans=[(first, first + 1), (second, second + 1)]))
        labels = [element for element in root.iter(f"{SVG}text") if "(together" in (element.text or "")][:2]
        (x, y), (other_x, other_y) = ([float(label.attrib[name]) for name in "xy"] for label in labels)
        wide = max(len(label.text or "") for label in labels) * 15 * 0.58
        assert y != other_y or abs(x - other_x) > wide


def test_a_long_word_leaves_its_turn_in_its_place_and_its_stars(make: Make) -> None:
    for word, shown in (("f**k", "becomes negative at f**k, 0.50 → 0.10"), ("*" * 200, "becomes negative at ****")):
        turn = Turn(0, word, "negative", 0.5, 0.1, "")
        root = drawn(msgspec.structs.replace(explain(make(), "a film", []), turns=[turn]))
        (sentence,) = (text for text in texts(root) if text.startswith(shown))
        (answer,) = (each for each in root.iter(f"{SVG}text") if (each.text or "").startswith("P(positive)"))
        assert float(answer.attrib["x"]) + 24 * 0.58 * len(answer.text or "") < WIDTH - 44 - 18 * 0.58 * len(sentence)


def test_brackets_that_are_left_out_are_counted(make: Make) -> None:
    for count, said in ((4, "brackets: "), (6, "brackets (the strongest 4 of 6): ")):
        root = drawn(explain(make(), TEXT, [], spans=[(word, word + 2) for word in range(count)]))
        assert len(list(root.iter(f"{SVG}path"))) == 4
        assert any(text.startswith(said) for text in texts(root))


def test_a_joined_emoji_is_one_sign_in_a_slot_of_two_letters(make: Make) -> None:
    family = "👨\u200d👩\u200d👧"
    root = drawn(explain(make(tokenizer="whitespace"), f"a {family} mm " * 20, ["reading"]))
    assert texts(root).count(family) == 20
    widths = [float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect") if rect.attrib.get("rx") == "6"]
    assert widths[1] == widths[2]


def test_too_many_words_are_refused(make: Make) -> None:
    with pytest.raises(UsageError, match=f"up to {LONGEST} words; the text has 301"):
        svg(explain(make(), "good " * 301, ["reading"]))


# ------------------------------------------------------------------ pixels


def test_a_png_has_the_drawing_with_its_letters(make: Make) -> None:
    library = pytest.importorskip("resvg_py")
    drawing = svg(explain(make(), "a fine film"))
    data = png(drawing)
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) == 2 * WIDTH
    bare = drawing.replace(">fine<", "><")
    assert bytes(library.svg_to_bytes(svg_string=bare, zoom=2.0)) != data


def test_letters_that_no_font_has_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that draws the same box for everything but the letters of one font."""
    library = types.ModuleType("resvg_py")

    def draw(svg_string: str, **_: Any) -> bytes:
        return "".join(char if char in "abcé中" else "□" for char in svg_string.split(">")[2]).encode()

    library.svg_to_bytes = draw  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "resvg_py", library)
    assert missing("<text>é 中 电影 電 ❤\ufe0f a\u200db 电</text>") == ["电", "影", "電", "❤"]


def test_the_library_draws_a_box_for_what_no_font_has() -> None:
    pytest.importorskip("resvg_py")
    assert missing("<text>é − →</text>") == []
    assert len({png_module._drawn(png_module._library(), char) for char in "\U0010fffc\U0010fffdé"}) == 2


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lstmtext\[plot\]'"):
        png("<svg/>")


def test_a_system_without_fonts_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that draws no letters, as resvg where there is no font."""
    library = types.ModuleType("resvg_py")
    library.svg_to_bytes = lambda **_: b"nothing"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "resvg_py", library)
    with pytest.raises(InputError, match="needs a font"):
        png_module.ready()
    with pytest.raises(InputError, match="needs a font"):
        png("<svg/>")
