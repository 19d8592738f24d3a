"""Curves in bounded memory: what was drawn never moves, spikes stay, and a reader takes bounded pieces."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.events import (
    Evaluated,
    Event,
    Planned,
    Progress,
    Resumed,
    Sampled,
    Started,
    Warned,
    encode_event,
)
from lstmtext.tui.charts import charts_of
from lstmtext.tui.follow import Follower, read_line
from lstmtext.tui.history import MOST_NOTES, MOST_SAMPLES, History
from lstmtext.tui.series import SMOOTHINGS, Series, decimate

NAN = math.nan


def series_of(values: list[float], capacity: int = 8192) -> Series:
    series = Series(capacity)
    for number, value in enumerate(values, 1):
        series.append(number, number * 10, number * 0.5, value)
    return series


def smoothed(values: list[float], share: float) -> float:
    """The definition: a weighted mean; what each value gets of it when it comes, the later ones leave it less."""
    found, left = 0.0, 1.0
    for number in range(len(values), 0, -1):
        own = max(1 - share, 15 / (number + 14))
        found, left = found + left * own * values[number - 1], left * (1 - own)
    assert left == pytest.approx(0), "the first value had all there was"
    return found


@pytest.mark.parametrize("level", range(len(SMOOTHINGS)))
def test_smoothing_is_a_mean_of_all_raw_values(level: int) -> None:
    dice = random.Random(3)
    values = [dice.gauss(2, 1) for _ in range(70)]
    series = Series(16)  # so that buckets are joined twice on the way
    for number, value in enumerate(values, 1):
        series.append(number, 0, 0, value)
        last = series.last(level)
        assert last is not None
        assert last.smooth == pytest.approx(smoothed(values[:number], SMOOTHINGS[level]), rel=1e-9)


@pytest.mark.parametrize("level", range(len(SMOOTHINGS)))
def test_the_line_of_a_falling_loss_lies_among_its_dots(level: int) -> None:
    """It stays behind by a sixteenth of the run and no more, however strongly it is smoothed: not above every dot."""
    series, share = Series(), SMOOTHINGS[level]
    for number in range(1, 200):
        series.append(number, 0, 0, 500.0 - number)
        last = series.last(level)
        assert last is not None
        behind = last.smooth - last.value
        assert -1e-9 <= behind <= min((number - 1) / 16, share / (1 - share)) + 1e-9


def test_the_raw_value_is_kept_to_the_last_digit() -> None:
    values = [1e9, 0.1, 3e-7, -2.5, 1e9]
    assert [row[6] for row in series_of(values).rows()] == values


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=200), st.integers(1, 100))
def test_the_drawn_past_never_moves(values: list[float], cut: int) -> None:
    cut = min(cut, len(values) - 1)
    early, late = series_of(values[:cut], 8), series_of(values, 8)
    for step in late.xs("step"):
        if step in early.xs("step"):
            for level in range(len(SMOOTHINGS)):
                before, after = early.at("step", step, level), late.at("step", step, level)
                assert before is not None
                assert after is not None
                assert before.smooth == after.smooth


def test_a_spike_of_one_step_stays_among_many() -> None:
    values = [1.0] * 100_000
    values[54_321] = 50.0
    values[77_777] = -9.0
    series = series_of(values, 1024)
    assert len(series) <= 1024
    columns = decimate(series, "step", 0, 100_000, 150)
    assert max(columns.high) == 50.0
    assert min(columns.low) == -9.0
    assert columns.column[columns.high.index(50.0)] == pytest.approx(54_322 / 100_000 * 149, abs=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=1, max_size=300), st.integers(1, 60))
def test_decimation_leaves_nothing_out(values: list[float], columns: int) -> None:
    series = series_of(values, 32)
    cut = decimate(series, "step", 0, len(values), columns)
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        assert min(low for low in cut.low if low == low) == min(finite)
        assert max(high for high in cut.high if high == high) == max(finite)
    assert sum(cut.gaps) == sum(value != value for value in values) == series.gaps
    assert cut.column == sorted(set(cut.column))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60))
def test_what_is_trained_again_replaces_what_was(kept: int, more: int) -> None:
    before, again = [math.sin(n) for n in range(60)], [math.cos(n) for n in range(more)]
    series = series_of(before)
    series.cut(kept)
    for number, value in enumerate(again, kept + 1):
        series.append(number, number * 10, number * 0.5, value)
    fresh = series_of(before[:kept] + again)
    assert list(series.xs("step")) == list(fresh.xs("step"))
    assert series.count == fresh.count
    for level in range(len(SMOOTHINGS)):
        assert series.last(level) == pytest.approx(fresh.last(level))


def test_values_that_are_not_numbers_are_gaps_and_counted() -> None:
    series = series_of([1.0, NAN, math.inf, 3.0])
    assert (series.count, series.gaps) == (2, 2)
    at = series.at("step", 2)
    assert at is not None
    assert math.isnan(at.value)
    assert series.last(1).smooth == pytest.approx(smoothed([1.0, 3.0], SMOOTHINGS[1]))  # type: ignore[union-attr]


# The reader.


def progress(step: int, loss: float = 2.0, **changes: object) -> Progress:
    values = {"learning_rate": 0.1, "gradient_norm": 1.0, "tokens": step * 10, "tokens_per_second": 100.0}
    values |= {"epoch": 0.1, "total_steps": 100, "seconds": step * 0.5}
    return Progress(step=step, loss=loss, **(values | changes))  # type: ignore[arg-type]


def started(**changes: object) -> Started:
    values = {"parameters": 10, "train_tokens": 9, "validation_tokens": 1, "vocabulary": 5, "tokenizer": "char"}
    values |= {"total_steps": 100, "device": "cpu", "precision": "float32", "memory_bytes": 1}
    return Started(step=0, **(values | changes))  # type: ignore[arg-type]


def test_the_reader_takes_each_line_once_in_bounded_pieces(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode_event(progress(step)) for step in range(1, 501)))
    follower = Follower(path)
    found: list[Event] = []
    pieces = 0
    while True:
        piece = follower.poll(limit=4096)
        if not piece:
            break
        assert len(piece) < 40
        found += piece
        pieces += 1
        assert follower.behind == (len(found) < 500)
    assert [event.step for event in found] == list(range(1, 501))
    assert pieces > 10
    other = Follower(path)
    other.poll(limit=4096)
    path.unlink()
    other.poll()
    assert not other.behind, "there is nothing to wait for"


def test_a_line_comes_when_it_is_whole_and_damage_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    line = encode_event(progress(1))
    path.write_bytes(line[:20])
    follower = Follower(path)
    assert follower.poll() == []
    path.write_bytes(line + b'{"event":"progress"\n' + encode_event(progress(2)))
    assert [event.step for event in follower.poll()] == [1, 2]
    assert follower.damaged == 1
    path.unlink()
    path.write_bytes(encode_event(progress(7)))
    assert [event.step for event in follower.poll()] == [7]
    assert follower.restarted


def test_numbers_that_were_not_finite_come_back_as_nan() -> None:
    event = read_line(encode_event(Evaluated(step=3, loss=1.0, best=False, tokens=1, seconds=1, metrics={"auc": NAN})))
    assert isinstance(event, Evaluated)
    assert math.isnan(event.metrics["auc"])
    event = read_line(encode_event(progress(4, NAN)).replace(b"null", b"NaN"))
    assert isinstance(event, Progress)
    assert math.isnan(event.loss)


def test_a_training_loss_over_some_tokens_is_called_so() -> None:
    history = History({})
    history.take(started(tokenizer="word", softmax_samples=500))
    assert [curve.label for chart in charts_of(history)[:2] for curve in chart.curves] == 2 * [
        "train, sampled",
        "validation",
    ]
    history = History({})
    history.take(started(tokenizer="word"))
    assert charts_of(history)[0].curves[0].label == "train"


def test_another_run_is_drawn_in_the_unit_of_this_one_by_its_own_tokens() -> None:
    """Two nats for a word of five characters are a fifth of what they are for one character."""

    def scores(this: History, other: History) -> dict[str, float]:
        chart = charts_of(this, other)[1]
        return {curve.label: curve.value(2.0) for curve in chart.curves if curve.label.endswith(("validation", "val."))}

    letters, words, guessing = History({}), History({}), History({})
    letters.take(started())
    words.take(started(tokenizer="word", characters_per_token=5.0))
    guessing.take(started(tokenizer="word", characters_per_token=5.0, unknown_share=0.3))
    bits = 2 / math.log(2)
    assert scores(letters, words) == pytest.approx({"validation": bits, "other val.": bits / 5})
    assert scores(letters, guessing) == pytest.approx({"validation": bits}), "it has no bits per character"
    assert scores(letters, History({})) == pytest.approx({"validation": bits}), "nobody knows its tokens yet"
    assert scores(words, letters) == pytest.approx({"validation": math.exp(2), "other val.": math.exp(2)})


def test_a_loss_of_texts_is_not_drawn_beside_one_of_tokens() -> None:
    writer, judge = History({}), History({"task": "sentiment"})
    for this, other in ((writer, judge), (judge, writer)):
        charts = {chart.key: [curve.label for curve in chart.curves] for chart in charts_of(this, other)}
        assert charts["loss"] == ["train", "validation"]
        assert charts["gradient_norm"] == ["", "other"]
    assert [curve.label for curve in charts_of(judge, judge)[0].curves][2:] == ["other val.", "other"]


def test_a_loss_among_many_unknown_characters_is_not_in_bits() -> None:
    for share, said in ((0.02, "2.885 bits/char"), (0.03, "perplexity 7.4")):
        history = History({})
        history.take(started(unknown_share=share))
        assert history.score(2.0) == said
    history.take(started(characters_per_token=0.0))
    assert history.score(2.0) == "perplexity 7.4", "an empty validation part"


# What they add up to.


def history_of(*events: Event) -> History:
    history = History({"budget": {"minutes": 5}})
    for event in events:
        history.take(event)
    return history


def test_time_left_is_of_this_sessions_rate() -> None:
    history = history_of(started(), *(progress(step) for step in range(10, 51, 10)))
    assert history.seconds_left() == pytest.approx(25)
    # Resumed on a machine that is ten times slower; and it had waited an hour, which is in no record.
    history.take(Resumed(step=40, total_steps=100))
    assert history.seconds_left() is None
    history.take(progress(50, seconds=50.0))
    assert history.seconds_left() == pytest.approx(250)
    assert history.seconds == pytest.approx(70)  # 20 s to step 40, then 50
    assert history.curve("loss").count == 5


def test_a_budget_in_minutes_has_no_end_before_its_plan() -> None:
    history = history_of(started(total_steps=1_000_000), progress(1, total_steps=1_000_000))
    assert not history.planned
    assert history.seconds_left() is None
    history.take(Planned(step=1, total_steps=200))
    assert history.planned


def test_the_best_is_forgotten_with_what_is_trained_again() -> None:
    def evaluated(step: int, loss: float) -> Evaluated:
        return Evaluated(step=step, loss=loss, best=False, tokens=1, seconds=1)

    early, late = (progress(10), evaluated(10, 3.0)), (progress(20), evaluated(20, 2.0), evaluated(30, 2.5))
    history = history_of(started(), *early, *late)
    first = history.curve("loss").xs("tokens")[0]
    assert (history.best, history.tokens > first) == ((20, 2.0), True)
    history.take(Resumed(step=10))
    assert history.best == (10, 3.0)
    assert (history.evaluated, history.tokens) == (evaluated(10, 3.0), first)
    history.take(evaluated(20, NAN))
    assert history.best == (10, 3.0)


def test_notes_can_be_read_while_others_come() -> None:
    history = history_of(started(), *(Warned(step=step, message=f"{step}") for step in range(MOST_NOTES + 50)))
    assert [note.text for note in history.notes] == [f"{step}" for step in range(50, MOST_NOTES + 50)]
    for note in history.notes:
        history.take(Warned(step=note.step, message="later"))
    assert {note.text for note in history.notes} == {"later"}


def test_samples_and_notes_are_bounded() -> None:
    history = history_of(started())
    for step in range(3000):
        history.take(Sampled(step=step, prompt="", text="a", temperature=1.0, seed=1))
    assert len(history.samples) <= MOST_SAMPLES
    assert history.samples[0].step == 0
    assert history.samples[-1].step == 2999
