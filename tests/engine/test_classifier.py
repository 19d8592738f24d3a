"""The classifier on the numpy engine: equal to its equations, and the same whoever stands beside a text."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from classifiers import random_classifier
from tiny import write_tiny

from lstmtext.engine import classifier as module
from lstmtext.engine import pooling as pooling_module
from lstmtext.engine import stack as stack_module
from lstmtext.engine.cell import Array, GRUWeights, LSTMState, LSTMWeights, gru_step, lstm_step, rnn_step
from lstmtext.engine.classifier import EngineClassifier, Judgement, label_of
from lstmtext.engine.language_model import cell_weights
from lstmtext.errors import CheckpointError, OtherKindError
from lstmtext.store.checkpoint import Calibration, Checkpoint, read_checkpoint

TEXTS = [
    "The film is not good.",
    "never boring",
    "",
    "a",
    "It wasn't bad, a very fine and moving story! " * 9,
    "日本",
    "the ferry was late and the harbour was empty, and nobody minded",
    "   ",
]
CALIBRATION = Calibration(temperature=1.7, offsets=[0.3, -0.2, 0.1])


def engine_of(folder: Path, dtype: str = "float32") -> EngineClassifier:
    return EngineClassifier(read_checkpoint(folder), dtype)


def assert_equal(found: list[Judgement], expected: list[Judgement], tolerance: float = 1e-6) -> None:
    assert [one.text for one in found] == [one.text for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.positive == pytest.approx(other.positive, abs=tolerance)
        assert one.probabilities == pytest.approx(other.probabilities, abs=tolerance)
        assert (one.label, one.unknown, one.empty) == (other.label, other.unknown, other.empty)


# ------------------------------------------------------------------ the equations


def states(checkpoint: Checkpoint, prefix: str, ids: list[int], start: list[int]) -> list[Array]:
    """h of the last layer after each of `ids`, by the steps of `cell.py`, in float64; `start` is read before."""
    model = checkpoint.config.model
    tensors = {name: value.astype(float) for name, value in checkpoint.tensors.items()}
    layers = [cell_weights(model, tensors, layer, prefix) for layer in range(model.layers)]
    memory = [LSTMState(np.zeros((1, model.hidden)), np.zeros((1, model.hidden))) for _ in layers]
    found = []
    for token in [*start, *ids]:
        x = tensors["embedding.weight"][[token]]
        for number, weights in enumerate(layers):
            if isinstance(weights, LSTMWeights):
                memory[number], _ = lstm_step(x, memory[number], weights)
            else:
                h = memory[number].h
                h = gru_step(x, h, weights)[0] if isinstance(weights, GRUWeights) else rnn_step(x, h, weights)
                memory[number] = LSTMState(h, h)
            x = memory[number].h
        found.append(x[0])
    return found[len(start) :]


def naive(checkpoint: Checkpoint, ids: list[int], start: list[int]) -> tuple[Array, Array]:
    """What is read out of a text and P of its classes, one step at a time."""
    facts = checkpoint.config.classifier
    assert facts is not None
    ways = [states(checkpoint, "layers", ids, start)]
    if facts.bidirectional:
        ways.append(states(checkpoint, "backward", ids[::-1], start))
    parts = {"last": lambda h: h[-1], "mean": lambda h: np.mean(h, axis=0), "max": lambda h: np.max(h, axis=0)}
    wanted = ["last", "mean", "max"] if facts.readout == "concat" else [facts.readout]
    readout = np.concatenate([parts[part](way) for part in wanted for way in ways])
    z = checkpoint.tensors["readout.weight"].astype(float) @ readout + checkpoint.tensors["readout.bias"]
    scores = (z + np.array(facts.calibration.offsets)) / facts.calibration.temperature
    return readout, np.exp(scores) / np.exp(scores).sum()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_answers_are_those_of_the_equations(tmp_path: Path, cell: str, readout: str, bidirectional: bool) -> None:
    folder = random_classifier(
        tmp_path, cell=cell, readout=readout, bidirectional=bidirectional, calibration=CALIBRATION
    )
    checkpoint = read_checkpoint(folder)
    exact = EngineClassifier(checkpoint, "float64")
    sequences = [exact.encode(text) for text in TEXTS if exact.encode(text).size]
    start = [exact.tokenizer.line_end_id]
    expected = [naive(checkpoint, ids.tolist(), start) for ids in sequences]  # type: ignore[arg-type]
    found = exact.readout(sequences)
    np.testing.assert_allclose(found, [one for one, _ in expected], atol=1e-12)
    np.testing.assert_allclose(exact.probabilities(exact.scores(found)), [p for _, p in expected], atol=1e-12)
    single = EngineClassifier(checkpoint)
    tables = single.probabilities(single.scores(single.readout(sequences)))
    np.testing.assert_allclose(tables, [p for _, p in expected], atol=1e-5)


def test_a_vocabulary_without_a_line_end_begins_with_nothing(tmp_path: Path) -> None:
    folder = random_classifier(tmp_path, tokenizer="bpe", calibration=CALIBRATION)
    checkpoint = read_checkpoint(folder)
    exact = EngineClassifier(checkpoint, "float64")
    assert exact.tokenizer.line_end_id is None
    ids = exact.encode("not good")
    expected, _ = naive(checkpoint, ids.tolist(), [])
    np.testing.assert_allclose(exact.readout([ids])[0], expected, atol=1e-12)


def test_calibration_and_p(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path, calibration=CALIBRATION), "float64")
    scores = np.array([[0.5, -1.0, 2.0], [1e4, 0.0, -1e4]])
    exponentials = np.exp((scores[0] + [0.3, -0.2, 0.1]) / 1.7)
    table = engine.probabilities(scores)
    np.testing.assert_allclose(table[0], exponentials / exponentials.sum(), atol=1e-15)
    np.testing.assert_allclose(table[1], [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(engine.positive(table), table[:, 2] + table[:, 1] / 2, atol=1e-15)
    (judgement,) = engine.judge(["not good"])
    assert judgement.score == 2 * judgement.positive - 1
    assert judgement.positive == pytest.approx(
        judgement.probabilities["positive"] + judgement.probabilities["neutral"] / 2
    )


def test_two_classes(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path, classes=("negative", "positive")))
    first, empty = engine.judge(["not good", ""])
    assert first.positive == pytest.approx(first.probabilities["positive"])
    assert (empty.label, empty.positive, empty.probabilities) == ("neutral", 0.5, {"negative": 0.5, "positive": 0.5})


def test_labels_follow_from_the_band() -> None:
    assert [label_of(p, (0.3, 0.6)) for p in (0.29, 0.3, 0.6, 0.61)] == ["negative", "neutral", "neutral", "positive"]
    assert [label_of(p, (0.5, 0.5)) for p in (0.49, 0.5, 0.51)] == ["negative", "neutral", "positive"]


def test_the_band_changes_labels_only(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path))
    wide, narrow = (engine.judge(["not good"], band)[0] for band in ((0, 1), (0.99, 1)))
    assert (wide.label, narrow.label) == ("neutral", "negative")
    assert wide.positive == narrow.positive


# ------------------------------------------------------------------ one text and its neighbours


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_an_answer_does_not_depend_on_the_batch(tmp_path: Path, cell: str, bidirectional: bool) -> None:
    engine = engine_of(random_classifier(tmp_path, cell=cell, bidirectional=bidirectional))
    texts = [f"{text} {word}" for text in TEXTS for word in ("good", "not", "the story", "")]
    alone = [engine.judge([text])[0] for text in texts]
    assert_equal(engine.judge(texts), alone)
    assert_equal(engine.judge(texts[::-1])[::-1], alone)
    for batch_texts in (1, 3):
        assert_equal(engine.judge(texts, batch_texts=batch_texts), alone)
    sequences = [engine.encode(text) for text in texts]
    np.testing.assert_allclose(engine.positives(sequences), [one.positive for one in alone], atol=1e-6)


@pytest.mark.parametrize("tokenizer", ["wordpiece", "byte"])
def test_a_table_of_some_tokens_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: str
) -> None:
    """With a table of the tokens that occur, with one of all tokens, and without one."""
    monkeypatch.setattr(stack_module, "TABLE_NUMBERS", 0)
    checkpoint = read_checkpoint(random_classifier(tmp_path, bidirectional=True, tokenizer=tokenizer))
    engine = EngineClassifier(checkpoint)
    assert engine.stack.table is None
    expected = engine.judge(TEXTS)
    monkeypatch.setattr(module, "TABLE_NUMBERS", 0)
    assert_equal(engine.judge(TEXTS), expected)
    monkeypatch.setattr(stack_module, "TABLE_NUMBERS", 1 << 20)
    whole = EngineClassifier(checkpoint)
    assert whole.stack.table is not None
    assert_equal(whole.judge(TEXTS), expected)


@pytest.mark.parametrize("steps", [1, 4])
def test_an_answer_does_not_depend_on_how_sums_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    engine = engine_of(random_classifier(tmp_path, bidirectional=True))
    expected = engine.judge(TEXTS)
    monkeypatch.setattr(pooling_module, "SUM_STEPS", steps)
    assert_equal(engine.judge(TEXTS), expected)


def test_the_order_is_kept_and_nothing_is_nothing(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path))
    assert engine.judge([]) == []
    assert engine.positives([]).shape == (0,)
    texts = [f"good {'very ' * (n * 7 % 50)}{n}" for n in range(300)]
    assert [one.text for one in engine.judge(texts)] == texts


# ------------------------------------------------------------------ odd texts


def test_texts_of_which_nothing_is_known(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path))
    empty, spaces, unknown, partly = engine.judge(["", " \t ", "日本 語", "not 日本 good"], (0.7, 0.8))
    for one in (empty, spaces, unknown):
        assert (one.label, one.positive, one.score, one.empty) == ("neutral", 0.5, 0, True)
        assert one.probabilities == {"negative": 0, "neutral": 1, "positive": 0}
    assert empty.unknown == spaces.unknown == ()
    assert unknown.unknown == ("日本", "語")
    assert (partly.unknown, partly.empty) == (("日本",), False)
    sequences = [engine.encode(text) for text in ("", "日本 語")]
    assert engine.positives(sequences).tolist() == [0.5, 0.5]


def test_a_line_end_inside_a_text_is_a_space(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path))
    broken, whole = engine.judge(["not\ngood", "not good"])
    assert broken.positive == whole.positive


def test_unknown_words_are_those_of_the_text_that_is_read(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path, tokenizer="word"))
    assert " film" in engine.tokenizer.vocabulary
    assert "film" not in engine.tokenizer.vocabulary
    assert engine.judge(["§\nfilm"])[0].unknown == ("§",)


def test_a_text_of_100_000_words(tmp_path: Path) -> None:
    engine = engine_of(random_classifier(tmp_path, layers=1))
    text = "The film is not good, " * 20_000
    tracemalloc.start()
    (found,) = engine.judge([text])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ids = engine.encode(text)
    assert len(ids) >= 100_000
    assert peak < 300 * len(ids)  # bytes per token: the tokens themselves, and no states
    hidden, _ = engine.stack.run(ids[None], engine.start())
    parts = [hidden[0, -1], hidden[0].mean(axis=0, dtype=float), hidden[0].max(axis=0)]
    table = engine.probabilities(engine.scores(np.concatenate(parts)[None]))
    assert found.positive == pytest.approx(float(engine.positive(table)[0]), abs=1e-5)


# ------------------------------------------------------------------ other checkpoints


def test_a_language_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherKindError, match="bard is a language model; this needs a classifier"):
        EngineClassifier(read_checkpoint(write_tiny(tmp_path / "bard")))


def test_classes_that_have_no_worth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has the classes spam, ham"):
        engine_of(random_classifier(tmp_path, classes=("spam", "ham")))
