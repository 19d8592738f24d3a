"""The LSTM: what it is before training, what it learns, and the laws that every forecast keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lstmtext.errors import InputError, UsageError
from lstmtext.forecast.answer import _why, forecast
from lstmtext.forecast.backtest import CHOSEN, LSTM, backtest, choose
from lstmtext.forecast.baselines import Values, baseline
from lstmtext.forecast.forecaster import STEP_BY_STEP, Forecaster, fit, untrained
from lstmtext.forecast.gates import GATES, explain_series, gates_page
from lstmtext.forecast.series import Series, parse_values
from lstmtext.forecast.windows import centre, examples, inputs, step_lag
from lstmtext.model.recurrent import layer_parameters

HORIZON = 4


def henon(count: int) -> Values:
    """A non-linear series without noise: x ← 1 − 1.2 x² + 0.3 y."""
    x, y, found = 0.1, 0.1, []
    for _ in range(count + 50):
        x, y = 1 - 1.2 * x * x + 0.3 * y, x
        found.append(x)
    return np.array(found[50:])


# Multiples of 2⁻¹⁰, so that scaling by 4 and shifting by whole numbers are exact.
SERIES = np.round(henon(120) * 1024) / 1024


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    found = fit(SERIES, 12, HORIZON, 1, "naive", seed=5)
    assert found is not None
    return found


@pytest.mark.parametrize(("season", "base"), [(1, "naive"), (1, "drift"), (5, "seasonal naive")])
def test_untrained_it_is_the_baseline(season: int, base: str) -> None:
    model = untrained(10, HORIZON, season, base)
    assert model.predict(SERIES).tolist() == baseline(base, SERIES, HORIZON, season).tolist()


def test_the_lesson_s_windows() -> None:
    """Trained on 1,2,3 → 4; 2,3,4 → 5; 3,4,5 → 6 it answers these exactly, and 9 after 6, 7, 8."""
    model = fit(np.arange(1.0, 7.0), 2, 1, 1, "drift")
    assert model is not None
    for known, answer in (([1, 2, 3], 4), ([2, 3, 4], 5), ([3, 4, 5], 6), ([6, 7, 8], 9), ([100, 105, 110, 115], 120)):
        assert model.predict(np.array(known, np.float64)).tolist() == [answer]


def test_it_learns(fitted: Forecaster) -> None:
    errors = []
    for origin in range(60, 116):
        actual = SERIES[origin : origin + HORIZON]
        naive = baseline("naive", SERIES[:origin], HORIZON, 1)
        errors.append([np.abs(fitted.predict(SERIES[:origin]) - actual).mean(), np.abs(naive - actual).mean()])
    own, naive_error = np.mean(errors, axis=0)
    assert own < 0.6 * naive_error


def test_the_last_observation_moves_every_horizon(fitted: Forecaster) -> None:
    moved = SERIES.copy()
    moved[-1] += 0.25
    assert (np.abs(fitted.predict(moved) - fitted.predict(SERIES)) > 1e-3).all()
    seasonal = fit(SERIES, 12, HORIZON, 5, "seasonal naive")
    assert seasonal is not None
    assert (np.abs(seasonal.predict(moved) - seasonal.predict(SERIES)) > 1e-6).all()
    assert (
        baseline("seasonal naive", moved, HORIZON, 5).tolist()
        == baseline("seasonal naive", SERIES, HORIZON, 5).tolist()
    )  # the baseline alone is moved only at multiples of the season
    for name in ("naive", "drift"):
        assert (baseline(name, moved, HORIZON, 1) != baseline(name, SERIES, HORIZON, 1)).all()
    assert (baseline("seasonal naive", moved, 10, 5) != baseline("seasonal naive", SERIES, 10, 5)).tolist() == (
        [False] * 4 + [True]
    ) * 2


@pytest.mark.parametrize(("season", "base"), [(1, "naive"), (1, "drift"), (5, "seasonal naive"), (5, "drift")])
def test_step_by_step_an_answer_is_read_like_a_value(season: int, base: str) -> None:
    """Taking the steps one by one is reading the window and its answers in one go."""
    model = untrained(12, HORIZON, season, base, seed=3)
    network = model.networks[STEP_BY_STEP]
    torch.nn.init.normal_(network.head.weight, generator=torch.Generator().manual_seed(0))
    ahead, (_, scale), middle = baseline(base, SERIES, HORIZON, season), inputs(SERIES, 12, season), centre(SERIES)
    z = model._step_by_step(SERIES, ahead, scale)
    path = np.concatenate([SERIES, ahead + scale * z])[:-1]  # the last answer is not read
    first, count = len(SERIES) - 12, 12 + HORIZON - 1
    columns = [(path[first:] - path[first - 1 : -1]) / scale, (path[first:] - middle[0]) / middle[1]]
    if season > 1:
        columns.append((path[first:] - path[first - season : -season]) / scale)
    x = torch.tensor(np.stack(columns, axis=1)[None], dtype=torch.float32)
    assert x.shape == (1, count, len(columns))
    with torch.no_grad():
        steps = network(x)[0, 11:, 0].tolist()
    lag, expected = step_lag(base, season), []
    for k, step in enumerate(steps):
        expected.append(step + (expected[k - lag] if k >= lag else 0))
    np.testing.assert_allclose(z, expected, rtol=1e-4)
    assert np.abs(z).min() > 1e-3


def test_scaling_and_shifting_the_series_scales_and_shifts_the_forecast(fitted: Forecaster) -> None:
    other = fit(4 * SERIES + 64, 12, HORIZON, 1, "naive", seed=5)
    assert other is not None
    expected = 4 * fitted.predict(SERIES) + 64
    np.testing.assert_allclose(other.predict(4 * SERIES + 64), expected, atol=1e-4)
    np.testing.assert_allclose(fitted.predict(4 * SERIES + 64), expected, atol=1e-5)  # the same weights, too


@pytest.mark.parametrize(("season", "base"), [(1, "naive"), (1, "drift"), (7, "seasonal naive")])
def test_nothing_of_the_future_is_in_a_training_window(season: int, base: str) -> None:
    """Whatever comes after them, windows that were there before are what they were."""
    before = examples(SERIES, 12, HORIZON, season, base)
    after = examples(np.concatenate([SERIES, [1e6, -1e6, 0.0]]), 12, HORIZON, season, base)
    count = len(before.origins)
    assert count == len(after.origins) - 3
    for name, table in before._asdict().items():
        assert np.array_equal(table, getattr(after, name)[:count]), name


def test_the_seed_decides_and_torch_s_own_is_left_alone(fitted: Forecaster) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    again, other = (fit(SERIES, 12, HORIZON, 1, "naive", seed=seed) for seed in (5, 6))
    assert torch.rand(1) == expected
    assert again is not None
    assert other is not None
    assert again.predict(SERIES).tolist() == fitted.predict(SERIES).tolist()
    assert other.predict(SERIES).tolist() != fitted.predict(SERIES).tolist()


def test_float32_and_a_flat_window_is_the_baseline(fitted: Forecaster) -> None:
    assert {parameter.dtype for network in fitted.networks for parameter in network.parameters()} == {torch.float32}
    assert fitted.predict(np.full(30, 7.0)).tolist() == [7.0] * HORIZON


def test_gates_are_those_of_the_network(fitted: Forecaster) -> None:
    states, gates = fitted.gates(SERIES)
    x, _ = inputs(SERIES, 12, 1)
    network = fitted.networks[0]
    with torch.no_grad():
        hidden, _ = network.stack(torch.from_numpy(x[None]), network.stack.zero_state(1, torch.device("cpu")))
    np.testing.assert_allclose(np.concatenate([state.h for state in states]), hidden[0].numpy(), atol=1e-5)
    assert len(gates) == 12
    assert layer_parameters(network.stack.layers[0])[0].shape[1] == 2


def test_gates_over_a_window() -> None:
    found = explain_series(parse_values("100,105,110,115"))
    assert found.values == [105, 110, 115]
    assert (found.base, found.baseline, found.answer) == ("drift", 120.0, 120.0)
    assert set(found.gates) == set(GATES)
    assert {numbers.shape for numbers in found.gates.values()} == {(3, 24)}
    assert "drift answers 120 and the LSTM, the mean of its 2 networks, adds nothing" in found.note
    assert len(explain_series(Series(SERIES[:40]), season=4).values) == 12
    with pytest.raises(InputError, match="at least 3 values, and the series has 2"):
        explain_series(parse_values("1,2"))
    with pytest.raises(UsageError, match="the units are 0 to 23"):
        explain_series(parse_values("1,2,3"), unit=24)


def test_gates_say_what_they_are_of_and_what_forecast_makes_of_them() -> None:
    few = parse_values("3,9,1,7")
    found = explain_series(few)
    assert found.answer != found.baseline
    assert found.few
    assert forecast(few, 1).why.startswith(found.few)
    assert "`lstmtext forecast` would not use it: 4 values are too few" in found.note
    assert found.document()["network"] == {"number": 1, "of": 2, "values": 4, "windows": 2, "enough": False}
    assert "network 1 of 2, trained on 4 values, 2 windows" in " ".join(gates_page(found).split())
    still = explain_series(parse_values("5,5,5,5"))
    assert (still.trained_on, still.shown) == ((0, 0), "network 1 of 2, not trained")
    enough = explain_series(Series(SERIES[:60]))
    assert enough.document()["network"]["enough"]
    assert "would not use it" not in enough.note


def test_a_whole_forecast() -> None:
    told: list[tuple[int, int]] = []
    found = forecast(Series(SERIES), HORIZON, levels=(80, 90), report=lambda begun, of: told.append((begun, of)))
    assert found.model == "lstm"
    assert "the LSTM answers" in found.why
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [score.model for score in found.backtest][-1] == CHOSEN
    scores = {score.model: score for score in found.backtest}
    lstm, naive = scores[LSTM].mase, scores["naive"].mase
    assert lstm is not None
    assert naive is not None
    assert lstm < naive
    narrow, wide = found.bounds[80], found.bounds[90]
    assert narrow is not None
    assert wide is not None
    assert (wide[0] <= narrow[0]).all()
    assert (narrow[0] <= found.mean).all()
    assert (found.mean <= narrow[1]).all()
    assert (narrow[1] <= wide[1]).all()


def test_intervals_that_did_not_hold_are_said() -> None:
    squares = forecast(Series(np.arange(30.0) ** 2), 3)
    row = next(score for score in squares.backtest if score.model == squares.model)
    assert row.coverage == 0
    said = f"the intervals of {squares.model} should have held 80 % on the held-out windows and held 0 %"
    assert [note for note in squares.notes if note.startswith(said)]
    noise = forecast(Series(np.random.default_rng(0).normal(size=30)), 3)
    assert not [note for note in noise.notes if "should have held" in note]


def test_three_windows_are_too_few_to_choose_the_lstm_and_that_is_said() -> None:
    values = np.arange(12.0) ** 2

    def why(count: int, error: float) -> str:
        found = backtest(values, 2, 1, count, lambda _: lambda past: values[len(past) : len(past) + 2] + error)
        return _why(found, choose(found, 1), len(values), constant=False, few="")

    assert why(3, 1.0).endswith("drift answers, because it takes 4 windows to choose the LSTM.")
    assert why(4, 1.0).endswith(": the LSTM answers.")
    assert "not lower than drift's" in why(3, 90.0)
    still = backtest(np.append(np.zeros(11), 1.0), 2, 1, 3, lambda _: lambda past: past[:2] + 1)
    said = _why(still, choose(still, 1), 12, constant=False, few="")
    assert said.startswith("The LSTM's error on 3 held-out windows is 0.833, not lower than naive's 0.167")


def test_a_random_walk_is_left_to_a_baseline() -> None:
    walk = np.random.default_rng(0).normal(size=120).cumsum()
    found = forecast(Series(walk), HORIZON)
    assert found.model in ("naive", "drift")
    assert "not lower" in found.why
    assert found.model in found.why


def test_a_season_that_makes_a_series_too_short_is_said() -> None:
    """And the number that would do is the smallest that does."""

    def why(count: int, season: int, **more: Any) -> str:
        def trained(*_: object) -> None:
            raise InterruptedError

        values = np.arange(count) + np.random.default_rng(0).normal(size=count)
        try:
            return forecast(Series(values), 3, season, report=trained, **more).why
        except InterruptedError:
            return "it trains"

    assert why(60, 1) == "it trains"
    with_season = "it takes 70 with a horizon of 3 and a season of 12; without one they would do): "
    assert f"60 values are too few for the LSTM to learn from ({with_season}" in why(60, 12)
    assert with_season in why(69, 12)
    assert why(70, 12) == "it trains"
    assert "it takes 57 with" in why(45, 12, windows=4)
    assert "it takes 57 with" in why(56, 12, windows=4)
    assert why(57, 12, windows=4) == "it trains"
    assert "(it takes 70 with a horizon of 3 and a season of 12): " in why(30, 12)  # with or without a season
    least = int(why(30, 1).partition("it takes ")[2].partition(" ")[0])
    assert f"{least - 1} values are too few" in why(least - 1, 1)
    assert why(least, 1) == "it trains"


def test_a_short_or_constant_series_is_answered_by_a_baseline_and_says_so() -> None:
    short = forecast(parse_values("100,105,110,115"), 1)
    assert (short.mean.tolist(), short.model, short.bounds) == ([120.0], "drift", {80.0: None})
    assert "too few for the LSTM" in short.why
    assert "no interval: 80 % needs 4 held-out windows and has 1." in short.notes
    constant = forecast(Series(np.full(60, 5.0)), 3)
    assert (constant.mean.tolist(), constant.model) == ([5.0] * 3, "naive")
    assert "All 60 values are the same" in constant.why
    assert constant.bounds[80][0].tolist() == [5.0] * 3  # type: ignore[index]
    assert forecast(parse_values("3"), 1).why == "1 value leaves no window to test on: naive answers."
    late = forecast(Series(np.concatenate([np.zeros(70), np.arange(30.0)])), 3)
    assert late.why.startswith(
        "Before the 12 held-out windows the series stands still, which teaches the LSTM nothing:"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"horizon": 61}, r"horizon of 61 is longer than the series \(60 values\)"),
        ({"season": 60}, "A season of 60 needs more than 60 values"),
        ({"windows": 40}, r"holds 29 windows to hold out, not 40: each begins in the later half of the 60 values"),
        ({"levels": (99,)}, "An interval of 99 % needs at least 99 held-out windows and has 29"),
        (
            {"levels": (95,), "windows": 12},
            "needs at least 19 held-out windows and has 12. Lower --level, or give",
        ),
    ],
)
def test_what_a_series_cannot_support(options: dict[str, int], said: str) -> None:
    values = np.random.default_rng(1).normal(size=60)
    with pytest.raises(InputError, match=said):
        forecast(Series(values), **{"horizon": 2, **options})  # type: ignore[arg-type]
