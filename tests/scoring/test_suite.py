"""The negation suite: reading refuses what does not fit, scores are as defined, and the shipped one is sound."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lstmtext.errors import InputError
from lstmtext.scoring.baseline import BagOfWords
from lstmtext.scoring.suite import MEMBERS, Suite, is_suite, read_suite, score_suite
from lstmtext.text.labelled import plain_key, read_source

SHIPPED = Path(__file__).resolve().parents[2] / "corpora" / "negation"
HEAD, HARD_HEAD = "quadruple\tmember\tlabel\ttext\n", "phenomenon\tlabel\ttext\n"


def four(group: str, noun: str) -> str:
    texts = {"good": "nice", "not good": "not nice", "bad": "awful", "not bad": "not awful"}
    return "".join(f"{group}\t{member}\t{MEMBERS[member]}\tThe {noun} is {texts[member]}.\n" for member in MEMBERS)


def suite_of(tmp_path: Path, quadruples: str, hard: str | None = None) -> Path:
    (tmp_path / "quadruples.tsv").write_text(quadruples, encoding="utf-8")
    if hard is not None:
        (tmp_path / "hard.tsv").write_text(hard, encoding="utf-8")
    return tmp_path


@pytest.fixture
def small(tmp_path: Path) -> Suite:
    hard = HARD_HEAD + 'idiom\tpositive\tnot half "bad\n' + "idiom\tnegative\tno great shakes\n"
    return read_suite(suite_of(tmp_path, HEAD + four("q1", "film") + four("q2", "book"), hard))


def test_reading(small: Suite, tmp_path: Path) -> None:
    assert is_suite(tmp_path)
    assert not is_suite(tmp_path.parent)
    assert len(small.cases) == 10
    assert small.cases[3] == ("The film is not awful.", True, "not bad", "q1")
    assert small.cases[8] == ('not half "bad', True, "idiom", "")
    assert [case.positive for case in small.cases[:4]] == [True, False, False, True]


def test_a_suite_may_have_no_hard_cases(tmp_path: Path) -> None:
    suite = read_suite(suite_of(tmp_path, HEAD + four("q1", "film")))
    found = score_suite(suite, lambda texts: np.ones(len(texts)))
    assert found["hard"] == {"examples": 0, "accuracy": None, "positive": None, "negative": None}
    json.dumps(found, allow_nan=False)


Q1 = HEAD + four("q1", "film")


@pytest.mark.parametrize(
    ("quadruples", "message"),
    [
        ("member\ttext\nx\ty\n", r"quadruples\.tsv: expected the columns quadruple, member, label, text"),
        ("", "expected the columns"),
        (HEAD, r"quadruples\.tsv is empty: there is no quadruple"),
        (Q1 + "q2\tgood\tpositive\n", r"line 6: expected 4 fields \(quadruple, member, label, text\)"),
        (Q1 + "\nq2\tgood\tpositive\ta\tb\n", "line 7: expected 4 fields"),
        (Q1 + "q2\tgreat\tpositive\tx\n", "line 6: there is no member 'great'; the members are good, not good, bad"),
        (Q1 + "q2\tnot bad\tnegative\tx\n", "line 6: member 'not bad' is positive, received 'negative'"),
        (Q1 + "q1\tbad\tnegative\tx\n", "line 6: quadruple q1 has a member 'bad' already"),
        (Q1 + "\tbad\tnegative\tx\n", "line 6: the quadruple is missing"),
        (Q1 + "q2\tbad\tnegative\t \n", "line 6: the text is missing"),
        (Q1 + "q2\tgood\tpositive\tx\n", "quadruple q2 has no member 'not good', 'bad', 'not bad'"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, quadruples: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_suite(suite_of(tmp_path, quadruples))


@pytest.mark.parametrize(
    ("hard", "message"),
    [
        ("label\ttext\n", r"hard\.tsv: expected the columns phenomenon, label, text"),
        (HARD_HEAD + "idiom\tpositive\tx\nidiom\tneutral\ty\n", r"hard\.tsv, line 3: .* received 'neutral'"),
        (HARD_HEAD + "idiom\tpositive\n", "line 2: expected 3 fields"),
        (HARD_HEAD + "good\tpositive\tx\n", "line 2: 'good' is a member of quadruples, not a phenomenon"),
        (HARD_HEAD + "\tpositive\tx\n", "line 2: the phenomenon is missing"),
    ],
)
def test_hard_cases_that_do_not_fit(tmp_path: Path, hard: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_suite(suite_of(tmp_path, Q1, hard))


def test_a_text_may_be_long_and_hold_quotes(tmp_path: Path) -> None:
    long = 'a "fine" story ' * 20_000
    rows = [f"1\t{member}\t{label}\t{long}" for member, label in MEMBERS.items()]
    (tmp_path / "quadruples.tsv").write_text("\n".join(["quadruple\tmember\tlabel\ttext", *rows, "", ""]))
    assert [case.text for case in read_suite(tmp_path).cases] == [long] * 4


def test_files_that_are_not_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"quadruples\.tsv cannot be read"):
        read_suite(tmp_path)
    (tmp_path / "quadruples.tsv").write_bytes(Q1.encode().replace(b"film", b"caf\xe9"))
    with pytest.raises(InputError, match=r"not valid UTF-8.*WINDOWS-1252"):
        read_suite(tmp_path)
    (tmp_path / "quadruples.tsv").write_bytes(b"\xef\xbb\xbf" + Q1.replace("\n", "\r\n").encode())
    assert len(read_suite(tmp_path).cases) == 4


def test_a_perfect_model(small: Suite) -> None:
    truth = {case.text: float(case.positive) for case in small.cases}
    found = score_suite(small, lambda texts: np.array([truth[text] for text in texts]))
    assert found["quadruples"] == {"count": 2, "all_four_right": 1.0}
    assert found["hard"] == {"examples": 2, "accuracy": 1.0, "positive": 1.0, "negative": 1.0}
    assert list(found["phenomena"]) == [*MEMBERS, "idiom"]
    assert {part["accuracy"] for part in found["phenomena"].values()} == {1.0}
    assert found["phenomena"]["not bad"] == {"examples": 2, "accuracy": 1.0, "positive": 1.0, "negative": None}


def test_a_model_that_calls_everything_negative(small: Suite) -> None:
    found = score_suite(small, lambda texts: np.zeros(len(texts)))
    assert found["quadruples"]["all_four_right"] == 0.0
    assert found["hard"] == {"examples": 2, "accuracy": 0.5, "positive": 0.0, "negative": 1.0}
    assert {name: part["accuracy"] for name, part in found["phenomena"].items()} == {
        "good": 0.0,
        "not good": 1.0,
        "bad": 1.0,
        "not bad": 0.0,
        "idiom": 0.5,
    }
    assert found["phenomena"]["idiom"] == {"examples": 2, "accuracy": 0.5, "positive": 0.0, "negative": 1.0}


def test_a_tie_is_wrong_and_one_wrong_member_spoils_its_quadruple(small: Suite) -> None:
    assert score_suite(small, lambda texts: np.full(len(texts), 0.5))["hard"]["accuracy"] == 0.0
    answers = np.array([float(case.positive) for case in small.cases])
    answers[2] = 0.5
    found = score_suite(small, lambda _: answers)
    assert found["quadruples"]["all_four_right"] == 0.5
    assert found["phenomena"]["bad"]["accuracy"] == 0.5


def test_a_random_model_is_at_chance() -> None:
    suite, draw = read_suite(SHIPPED), np.random.default_rng(0)
    found = score_suite(suite, lambda texts: draw.random(len(texts)))
    assert found["quadruples"]["all_four_right"] == pytest.approx(1 / 16, abs=0.045)
    assert found["hard"]["accuracy"] == pytest.approx(0.5, abs=0.08)


def test_the_shipped_suite_is_sound() -> None:
    suite = read_suite(SHIPPED)
    members: dict[str, list[str]] = {}
    for case in suite.cases:
        if case.group:
            members.setdefault(case.group, []).append(case.phenomenon)
    assert len(members) >= 300
    assert all(sorted(found) == sorted(MEMBERS) for found in members.values())
    phenomena = Counter(case.phenomenon for case in suite.cases)
    assert min(phenomena.values()) >= 40
    assert len(phenomena) == 14
    for name in phenomena.keys() - MEMBERS.keys():
        share = np.mean([case.positive for case in suite.cases if case.phenomenon == name])
        assert 0.4 < share < 0.6, name
    keys = Counter(plain_key(case.text) for case in suite.cases)
    assert [key for key, count in keys.items() if count > 1] == []
    assert np.mean([case.positive for case in suite.cases if case.group]) == 0.5


def test_words_do_not_solve_the_shipped_suite() -> None:
    """The bag of words learned what is good and bad, from texts half of which are negated, and fails on the suite."""
    suite = read_suite(SHIPPED)
    model = BagOfWords(read_source("everyday").examples, pairs=False)
    found = score_suite(suite, model.positives)
    assert found["quadruples"]["all_four_right"] < 0.1
    assert found["hard"]["accuracy"] < 0.75
