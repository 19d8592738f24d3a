"""What the room Memory and its lab compute and draw: the map, one unit, units switched off, two texts side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny

from lstmtext.engine.language_model import EngineModel
from lstmtext.explain.ablation import UnitEffect
from lstmtext.explain.draw import columns
from lstmtext.explain.next_token import gates, next_token, rank_units
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.models import find_model
from lstmtext.tui.lab_view import aligned_lines, difference_heat, lay, verdict
from lstmtext.tui.memory_unit import unit_lines
from lstmtext.tui.memory_view import Study, answer_line, map_csv, map_heat, swing_order, unit_option
from lstmtext.tui.ramps import Look, plain, width_of
from lstmtext.tui.subjects import Answer, ClassifierSubject, Subject, load_subject, shift, visible_token

TEXT = "The film is not good."
PLAIN = Look(colour=False)


def classifier(tmp_path: Path, **more: Any) -> ClassifierSubject:
    found = load_subject(str(random_classifier(tmp_path, **more)))
    assert isinstance(found, ClassifierSubject)
    return found


def study(subject: Subject, text: str = TEXT) -> Study:
    passage = subject.read(text)
    traces = subject.trace(passage)
    answer = subject.answer(passage)
    return Study(passage, traces, subject.start(), subject.backward, answer, swing_order(traces), {})


def test_the_columns_of_the_map_are_the_units_in_their_order(tmp_path: Path) -> None:
    one = study(classifier(tmp_path))
    heat = map_heat(one, "cell", 1)
    assert list(heat.rows) == ["the", "film", "is", "not", "good", "."]
    assert heat.signed
    for place, name in enumerate(heat.columns):
        assert heat.values[3][place] == pytest.approx(one.traces["cell"][1][3][int(name)])


def test_the_table_has_a_row_per_token_and_unit(tmp_path: Path) -> None:
    one = study(classifier(tmp_path))
    lines = map_csv(one, 0).splitlines()
    assert lines[0] == "position,token,layer,unit,forget,input,output,candidate,cell,hidden"
    assert len(lines) == 1 + 6 * 8
    assert float(lines[9].split(",")[4]) == pytest.approx(one.traces["forget"][0][1][0], abs=1e-5)


@pytest.mark.parametrize("width", [30, 54, 120])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_unit_over_the_text_fits(tmp_path: Path, cell: str, width: int) -> None:
    one = study(classifier(tmp_path, cell=cell))
    lines = unit_lines(one, 0, 3, 2, width, PLAIN)
    assert len(lines) == 8
    assert max(width_of(line) for line in lines) <= width


@pytest.mark.parametrize(("unit", "row", "bold"), [(3, 1, 4), (8 + 3, 7, 3)])
def test_a_unit_begins_with_what_its_first_token_finds(tmp_path: Path, unit: int, row: int, bold: int) -> None:
    """From it the first cell can be worked out by hand, of a unit that reads from the end the last one."""
    one = study(classifier(tmp_path, bidirectional=True))
    lines = unit_lines(one, 1, unit, 2, 160, PLAIN)
    texts = [plain([line]).split() for line in lines]
    found = [f"{one.start[name][1][unit]:z.2f}".replace("-", "−") for name in ("cell", "hidden")]
    assert texts[row][0] == "(start)"
    assert [word for word in texts[row] if word[-1].isdigit()] == found
    assert [text[0] for number, text in enumerate(texts[1:], 1) if number != row] == list(one.passage.tokens)
    assert [number for number, line in enumerate(lines) if line[0].style and line[0].style.bold] == [bold]


def test_a_language_model_begins_from_nothing() -> None:
    one = study(load_subject("shakespeare"), "To")
    assert [plain([line]).split()[0] for line in unit_lines(one, 0, 3, 0, 80, PLAIN)[1:]] == ["T", "o"]


def test_an_unknown_word_is_shown_and_marked(tmp_path: Path) -> None:
    assert classifier(tmp_path).read("The § film").tokens == ("the", "<§>", "film")


@pytest.mark.parametrize(
    ("kind", "text", "tokens"),
    [
        ("word", "To be zyzzyva, or § not", ("To", " be", "<zyzzyva>", ",", " or", "<§>", " not")),
        ("whitespace", "To zyzzyva <unk>\n", ("To", "<zyzzyva>", "<unk>", "⏎")),
        ("wordpiece", "To be §, or", ("to", "be", "<§>", ",", "or")),
        ("char", "To\u2003§", ("T", "o", "<\u2003>", "<§>")),
        ("byte", "§", ("\ufffd", "\ufffd")),
    ],
)
def test_an_unknown_word_of_a_language_model_is_shown_and_marked(
    tmp_path: Path, kind: str, text: str, tokens: tuple[str, ...]
) -> None:
    subject = load_subject(str(write_tiny(tmp_path / kind, tokenizer=kind)))
    passage = subject.read(text)
    assert passage.tokens == passage.words == tokens
    assert len(passage.ids) == len(tokens)


@pytest.mark.parametrize("off", [0, 1, 7])
def test_the_answer_is_named_and_has_no_half_of_anything(tmp_path: Path, off: int) -> None:
    units = frozenset((1, unit) for unit in range(off))
    without = Answer("neutral", 0.4, (), (0.4,)) if off else None
    one = replace(study(classifier(tmp_path)), off=units, without=without)
    judged = one.answer
    first = f"answer  {judged.verdict}, P(positive) {judged.value:.3f}"
    whole = f"{first}   (classes: {'   '.join(f'{name} {value:.2f}' for name, value in judged.choices)})"
    for width in range(56, 140):
        answer, *without_lines = answer_line(one, "classifier", width, PLAIN)
        assert plain([answer]) == (whole if len(whole) <= width else first)
        assert len(without_lines) == bool(off)
        for line in without_lines:
            assert width_of(line) <= width
            assert plain([line]).endswith(
                f" off  neutral, P(positive) 0.400   {0.4 - judged.value:+.3f}".replace("-", "−")
            )
    if off == 7:
        wide = plain(answer_line(one, "classifier", 140, PLAIN)[1:])
        assert wide.startswith("× 1:0, 1:1, 1:2, 1:3 and 3 more off  ")


def test_next_tokens_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    choices = tuple((name, 0.2) for name in ("e", "a", "longer", "o", "u"))
    table = (0.2,) * 5
    one = replace(study(classifier(tmp_path)), answer=Answer("e", 0.2, choices, table), off=frozenset({(0, 3)}))
    one = replace(one, without=one.answer)
    assert plain(answer_line(one, "language-model", 140, PLAIN)) == (
        "next  e 0.200  a 0.200  longer 0.200  o 0.200  u 0.200\n"
        "× 0:3 off  e 0.200  a 0.200  longer 0.200  o 0.200  u 0.200   0.000 moved"
    )
    assert plain(answer_line(one, "language-model", 42, PLAIN)) == (
        "next  e 0.200  a 0.200  longer 0.200\n× 0:3 off  e 0.200  a 0.200   0.000 moved"
    )


def test_a_language_model_without_a_unit() -> None:
    """Switching units off is exact, nothing switched off changes nothing, and the ranking is what single units do."""
    model = EngineModel(read_checkpoint(find_model("shakespeare")))
    ids = np.array([5, 20, 33, 7])
    hidden, _ = model.read(ids[None])
    whole = np.exp(model.log_probabilities(hidden))
    np.testing.assert_allclose(next_token(model, ids), whole, atol=1e-6)
    values = gates(model, ids)
    np.testing.assert_allclose(values["hidden"][-1, -1], hidden[0], atol=1e-5)
    effects = rank_units(model, ids, 1)
    assert effects is not None
    assert sorted(effect.unit for effect in effects) == list(range(model.stack.hidden))
    off = next_token(model, ids, [[(1, effects[0].unit)]])[0]
    assert effects[0].change == pytest.approx(shift(whole[0].tolist(), off.tolist()), abs=1e-5)
    assert rank_units(model, ids, 1, lambda: False) is None


def test_white_space_can_be_seen() -> None:
    assert [visible_token(text) for text in (" ", "\n", "a", "a\n")] == ["␣", "⏎", "a", "a⏎"]


def test_two_texts_side_by_side(tmp_path: Path) -> None:
    subject = classifier(tmp_path)
    pair = lay(subject, "The film is good.", TEXT)
    assert [pair.texts(place) for place in range(len(pair.rows))][3] == ("", "not")
    assert pair.where == 3
    cells = pair.differences["cell"]
    assert not cells[:, :3].any()
    a, b = (subject.trace(passage)["cell"] for passage in pair.passages)
    np.testing.assert_allclose(cells[:, 3], b[:, 3] - a[:, 2], atol=1e-6)
    np.testing.assert_allclose(cells[:, -1], b[:, -1] - a[:, -1], atol=1e-6)
    lines = plain(aligned_lines(pair, 60, PLAIN)).splitlines()
    assert lines[0].split() == ["first", "The", "film", "is", "∅", "good", "."]
    assert lines[2].split() == ["second", "The", "film", "is", "not", "good", "."]
    words = verdict(pair, 1, "classifier")
    assert "“not”" in words[1]
    assert "Unit" in words[-1]


def test_who_has_the_word_is_not_mistaken(tmp_path: Path) -> None:
    """Swapping the texts changes which of them has the word, and not what the model says with and without it."""
    subject = classifier(tmp_path)
    less, more = "I that it was a good film.", "I thought that it was a good film."
    with_word, without = (subject.answer(subject.read(text)).value for text in ("I thought", "I"))
    said = f"{without:.2f} there without it, {with_word:.2f} with it"
    there, gone = (
        verdict(lay(subject, less, more), 1, "classifier")[1],
        verdict(lay(subject, more, less), 1, "classifier")[1],
    )
    assert there.startswith(f"They part at “thought”, which the first does not have: {said}")
    assert gone.startswith(f"They part at “thought”, which the second does not have: {said}")
    other = verdict(lay(subject, "The film is good.", "The film is bad."), 1, "classifier")[1]
    values = [subject.answer(subject.read(f"The film is {word}")).value for word in ("good", "bad")]
    assert other.startswith(
        f"They part at “bad”, where the first has “good”: {values[0]:.2f} after “good”, {values[1]:.2f} after “bad”"
    )


def test_capitals_are_a_difference_to_a_model_that_reads_them(tmp_path: Path) -> None:
    assert verdict(lay(classifier(tmp_path), TEXT, TEXT.upper()), 1, "classifier")[0].startswith(
        "The two texts are the"
    )
    writer = load_subject("shakespeare")
    pair = lay(writer, "ROMEO", "Romeo")
    assert verdict(pair, 0, writer.kind)[1].startswith("They part at “o”, where the first has “O”")
    heat = difference_heat(pair, "cell", 0, list(range(writer.units)), PLAIN)
    assert list(heat.rows) == ["R", "O→o", "M→m", "E→e", "O→o"]


def test_an_empty_sentence_is_not_compared(tmp_path: Path) -> None:
    subject = classifier(tmp_path)
    assert verdict(lay(subject, TEXT, " "), 1, "classifier")[0].startswith("The second sentence is empty")
    assert verdict(lay(subject, "", TEXT), 1, "classifier")[0].startswith("The first sentence is empty")


@pytest.mark.parametrize("look", [PLAIN, Look()])
@pytest.mark.parametrize("moved", [-0.05, 0.05, -0.4, 0.4])
def test_how_far_a_word_moves_is_not_cut(tmp_path: Path, look: Look, moved: float) -> None:
    pair = lay(classifier(tmp_path), "a b", "a c")
    pair = replace(pair, positive=tuple((0.5, 0.5 + moved) for _ in pair.rows))
    last = plain(aligned_lines(pair, 60, look)).splitlines()[4]
    assert last.count(f"{moved:+.2f}".replace("-", "−")) == len(pair.rows)
    assert "…" not in last


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ((0.2, -0.013, 0.0), ["+0.200", "−0.013", "0"]),
        ((-0.0012, 0.0004, -0.00001), ["−0.0012", "+0.0004", "0"]),
        ((3e-8, -2e-8, 0.0), ["+3e−8", "−2e−8", "0"]),
        ((0.0, 0.0, 0.0), ["0", "0", "0"]),
    ],
)
def test_effects_have_digits_that_say_something(tmp_path: Path, changes: tuple[float, ...], shown: list[str]) -> None:
    one = study(classifier(tmp_path)).with_ranking(
        1, [UnitEffect(1, unit, change) for unit, change in enumerate(changes)]
    )
    for place, text in enumerate(shown):
        for width in (17, 30):
            line = unit_option(one, 1, place, width)
            assert line.split()[:2] == [str(place), text]
            assert columns(line) <= width


def test_nothing_is_not_judged(tmp_path: Path) -> None:
    assert plain(answer_line(study(classifier(tmp_path), "  "), "classifier", 80, PLAIN)) == "There is nothing to read."


def test_the_verdict_of_two_equal_texts(tmp_path: Path) -> None:
    pair = lay(classifier(tmp_path), TEXT, TEXT)
    assert verdict(pair, 1, "classifier") == ["The two texts are the same, word for word. Change one of them."]
    assert verdict(lay(classifier(tmp_path), "", ""), 1, "classifier") == ["Write two sentences that differ in a word."]
