"""Files of answers: their columns, what a row may hold, and how a text is known again."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import tokenizer_of

from lstmtext.errors import InputError, UsageError
from lstmtext.text.examples import Examples, encoded
from lstmtext.text.written_answers import written_answers

TEXTS = ["good", "not good", "a very fine film"]
LONGEST = 3  # tokens: the last text is cut


def examples(texts: list[str] = TEXTS) -> Examples:
    sequences = [encoded(text, tokenizer_of(), LONGEST)[0] for text in texts]
    offsets = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    nothing = np.zeros(len(texts), np.int64)
    return Examples(np.concatenate(sequences), offsets, nothing, nothing)


def answers(path: Path) -> np.ndarray[Any, Any]:
    return written_answers(str(path), examples(), tokenizer_of(), LONGEST)


ROWS = [("good", 0.1, 0.2, 0.7), ("A very fine film", 0.0, 0.25, 0.75), ("of nobody", 1.0, 0.0, 0.0)]
WRITTEN = {
    ".tsv": "text\tnegative\tneutral\tpositive\n" + "".join("\t".join(map(str, row)) + "\n" for row in ROWS),
    ".csv": "positive, text,neutral,negative\n" + "".join(f"{d},{a},{c},{b}\n" for a, b, c, d in ROWS),
    ".jsonl": "".join(f'{{"text": "{a}", "negative": {b}, "neutral": {c}, "positive": {d}}}\n' for a, b, c, d in ROWS),
}


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_table_of_any_kind_answers_the_texts_that_it_has(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answers{suffix}"
    path.write_text(WRITTEN[suffix])
    expected = [[0.1, 0.2, 0.7], [np.nan] * 3, [0, 0.25, 0.75]]
    np.testing.assert_allclose(answers(path), expected, atol=1e-6)


def test_it_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "answers.tsv.gz"
    path.write_bytes(gzip.compress(WRITTEN[".tsv"].encode()))
    assert np.isfinite(answers(path)).all(axis=1).tolist() == [True, False, True]


def test_rounded_numbers_add_up_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "answers.tsv"
    path.write_text("text\tnegative\tneutral\tpositive\ngood\t0.333\t0.333\t0.333\n")
    np.testing.assert_allclose(answers(path)[0], [1 / 3] * 3, atol=1e-6)


REFUSED = {
    "a column missing": ("text\tnegative\tpositive\ngood\t0\t1\n", "has no column 'neutral'; the columns are 'text'"),
    "a word": ("text\tnegative\tneutral\tpositive\ngood\tno\t0\t1\n", "line 2: expected three probabilities that add"),
    "a cell missing": ("text\tnegative\tneutral\tpositive\ngood\t0\t1\n", "line 2: expected three probabilities"),
    "percent": ("text\tnegative\tneutral\tpositive\ngood\t90\t5\t5\n", "received negative '90', neutral '5'"),
    "below zero": ("text\tnegative\tneutral\tpositive\ngood\t-1\t1\t1\n", "line 2: expected three probabilities"),
    "not a number": ("text\tnegative\tneutral\tpositive\ngood\tnan\t0\t1\n", "line 2: expected three probabilities"),
    "other texts": ("text\tnegative\tneutral\tpositive\nof nobody\t0\t0\t1\n", "has none of the 3 texts of this run"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_answers_nothing_is_refused_by_its_place(tmp_path: Path, name: str) -> None:
    content, message = REFUSED[name]
    path = tmp_path / "answers.tsv"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(message)):
        answers(path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape("expected a table, .tsv, .csv, .jsonl")):
        answers(tmp_path / "model")
    with pytest.raises(InputError, match="there is no such file"):
        answers(tmp_path / "answers.tsv")
