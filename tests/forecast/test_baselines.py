"""The baselines, the windows, the intervals and the backtest: what needs no network."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from lstmtext.errors import InputError, MissingExtraError, UsageError
from lstmtext.forecast.backtest import CHOSEN, LSTM, backtest, choose, most_windows, place_origins
from lstmtext.forecast.baselines import baseline, choose_baseline, smooth, smoothers_ready
from lstmtext.forecast.intervals import check_level, needed_windows, radius, refuse_level
from lstmtext.forecast.series import LARGEST
from lstmtext.forecast.windows import centre, examples, first_origin, inputs, step_lag

LINE = np.array([100.0, 105, 110, 115])
WAVES = np.tile([1.0, 5, 2, 0], 10)


@pytest.mark.parametrize(
    ("known", "answer"), [(LINE, 120), ([1, 2, 3], 4), ([2, 3, 4], 5), ([3, 4, 5], 6), ([6, 7, 8], 9)]
)
def test_the_lesson(known: list[float], answer: float) -> None:
    values = np.array(known, np.float64)
    name = choose_baseline(values, 1, 1)
    assert name == "drift"
    assert baseline(name, values, 1, 1).tolist() == [answer]


def test_baselines_by_hand() -> None:
    known = np.array([1.0, 5, 2, 7])
    assert baseline("naive", known, 3, 1).tolist() == [7, 7, 7]
    assert baseline("drift", known, 3, 1).tolist() == [9, 11, 13]
    assert baseline("seasonal naive", known, 4, 3).tolist() == [5, 2, 7, 5]
    assert baseline("drift", known[:1], 2, 1).tolist() == [1, 1]
    assert baseline("seasonal naive", known[:2], 2, 3).tolist() == [5, 5]
    assert baseline("seasonal drift", known, 4, 3).tolist() == [11, 8, 13, 17]  # one difference: 7 − 1
    assert baseline("seasonal drift", known[:3], 4, 3).tolist() == [1, 5, 2, 1]
    assert baseline("seasonal drift", known, 3, 1).tolist() == baseline("drift", known, 3, 1).tolist()


def test_a_season_that_grows_is_continued() -> None:
    """Four quarters that grow by 4 a year."""
    quarters = np.array([48.0, 59, 66, 77, 52, 63, 70, 81])
    assert choose_baseline(quarters, 4, 4) == "seasonal drift"
    assert baseline("seasonal drift", quarters, 8, 4).tolist() == [56, 67, 74, 85, 60, 71, 78, 89]


def test_growth_of_a_season_is_measured_against_the_others_on_held_out_windows() -> None:
    season = np.tile([0.0, 11, 18, 29], 10) + np.random.default_rng(0).normal(size=40)
    growing = backtest(season + np.arange(40), 4, 4, 8)
    assert growing.score("seasonal drift").mase < growing.score("seasonal naive").mase / 2  # type: ignore[operator]
    assert choose(growing, 4) == "seasonal drift"
    still = backtest(season, 4, 4, 8)
    assert choose(still, 4) in ("seasonal naive", "seasonal drift")
    assert "seasonal drift" not in backtest(season, 4, 1, 8).forecasts


def test_the_past_chooses() -> None:
    assert choose_baseline(WAVES, 4, 4) == "seasonal naive"
    assert choose_baseline(np.array([5.0, 9, 6]), 1, 1) == "naive"  # a line from 5 to 9 would have said 13
    assert choose_baseline(np.full(20, 3.0), 2, 1) == "naive"  # the simplest of equals
    assert choose_baseline(np.array([3.0]), 1, 1) == "naive"


@pytest.mark.parametrize("season", [1, 4])
def test_windows_are_the_same_in_every_unit(season: int) -> None:
    values = np.random.default_rng(0).normal(size=40).cumsum()
    x, scale = inputs(values, 8, season)
    other, other_scale = inputs(4 * values + 1024, 8, season)
    np.testing.assert_allclose(other, x, atol=1e-5)
    assert other_scale == pytest.approx(4 * scale)


def test_an_outlier_does_not_rule_the_scale() -> None:
    values = np.arange(30.0)
    spiked = values.copy()
    spiked[25] += 20
    assert inputs(spiked, 12, 1)[1] < 4 * inputs(values, 12, 1)[1]
    still = np.full(30, 2.0)
    assert inputs(still, 12, 1)[1] == 0
    still[-1] = 3  # one step in twelve: the median is 0, the scale is not
    assert inputs(still, 12, 1)[1] > 0


def test_a_row_reads_nothing_after_its_origin() -> None:
    values = np.random.default_rng(1).normal(size=60).cumsum()
    rows = examples(values, 6, 3, 4, "drift")
    assert rows.origins[0] == first_origin(6, 4)
    assert rows.origins[-1] == 57
    place = 20
    origin = int(rows.origins[place])
    changed = values.copy()
    changed[origin:] = 1e6
    other = examples(changed, 6, 3, 4, "drift")
    np.testing.assert_array_equal(other.x[: place + 1], rows.x[: place + 1])
    np.testing.assert_array_equal(other.steps[: place + 1], rows.steps[: place + 1])
    np.testing.assert_array_equal(other.u[:place], rows.u[:place])
    np.testing.assert_array_equal(other.u[place, :-1], rows.u[place, :-1])  # the last is the answer, y_(T+1)
    assert not np.allclose(other.x[place + 1], rows.x[place + 1])


@pytest.mark.parametrize(
    ("base", "season"), [("naive", 1), ("drift", 1), ("seasonal naive", 4), ("seasonal drift", 4), ("drift", 4)]
)
def test_steps_that_are_right_lead_where_the_answers_at_once_are(base: str, season: int) -> None:
    values = np.random.default_rng(2).normal(size=60).cumsum()
    rows = examples(values, 6, 9, season, base)
    np.testing.assert_allclose(rows.u[:, -1], rows.z[:, 0], atol=1e-5)
    origin, lag = int(rows.origins[-1]), step_lag(base, season)
    past = values[:origin]
    ahead, scale = baseline(base, past, 9, season), inputs(past, 6, season)[1]
    z: list[float] = []
    for k in range(9):
        step = values[origin + k] - values[origin + k - lag] - (ahead[0] - past[-lag])
        z.append(step / scale + (z[k - lag] if k >= lag else 0))
    np.testing.assert_allclose(z, rows.z[-1], atol=1e-5)


def test_where_a_value_stands_is_the_same_in_every_unit_and_at_every_step() -> None:
    values = np.random.default_rng(0).normal(size=40).cumsum()
    x, _ = inputs(values, 8, 4, centre(values))
    other, _ = inputs(4 * values + 1024, 8, 4, centre(4 * values + 1024))
    np.testing.assert_allclose(other, x, atol=1e-5)
    later, _ = inputs(values, 7, 4, centre(values))
    assert later[:, 1].tolist() == x[1:, 1].tolist()
    assert centre(np.array([1.0, 2, 2, 2, 97])) == pytest.approx((2, 1.92))  # a tenth of the mean, for a median of 0


def test_a_long_series_teaches_by_its_latest_windows() -> None:
    rows = examples(np.random.default_rng(1).normal(size=6_000), 4, 2, 1, "naive")
    assert (len(rows.x), rows.origins[0], rows.origins[-1]) == (5_000, 999, 5_998)


def test_intervals() -> None:
    assert [needed_windows(level) for level in (50, 80, 90, 95, 99, 99.5)] == [1, 4, 9, 19, 99, 199]
    residuals = np.array([[1.0, -10], [-2, 20], [3, 30], [-4, -40]])
    assert radius(residuals, 80).tolist() == [4, 40]
    assert radius(residuals, 50).tolist() == [3, 30]
    with pytest.raises(ValueError, match="cannot support"):
        radius(residuals, 90)
    for level in (0, 100, -5, float("nan")):
        with pytest.raises(UsageError, match="between 0 and 100"):
            check_level(level)
    refuse_level(95, 19, 19)
    with pytest.raises(InputError, match=r"95 % needs at least 19 .* has 12\. Lower --level, or give --windows 19"):
        refuse_level(95, 12, 30)
    with pytest.raises(InputError, match="or give a longer series"):
        refuse_level(95, 12, 12)


def test_conformal_intervals_hold_what_they_promise() -> None:
    random = np.random.default_rng(0)
    inside = [abs(random.normal()) <= radius(random.normal(size=(9, 1)), 80)[0] for _ in range(4000)]
    assert 0.78 < np.mean(inside) < 0.83  # ⌈10 · 0.8⌉ of 10


def test_origins() -> None:
    assert place_origins(100, 12, 1, 12).tolist() == list(range(55, 89, 3))
    assert place_origins(1000, 12, 12, 3).tolist() == [964, 976, 988]
    assert most_windows(4, 1, 1) == 1
    assert most_windows(3, 1, 1) == 0
    assert place_origins(30, 5, 1, most_windows(30, 5, 1))[0] == 15


def test_scores_by_hand() -> None:
    found = backtest(np.array([1.0, 2, 4, 7, 11]), 1, 1, 2)
    assert found.origins.tolist() == [3, 4]
    naive = found.score("naive")
    assert naive.mase == pytest.approx((3 / 1.5 + 4 / 2) / 2)
    assert naive.smape == pytest.approx((200 * 3 / 11 + 200 * 4 / 18) / 2)
    assert (naive.wql, naive.coverage) == (None, None)  # no four windows were known before


def test_scores_on_the_original_scale_and_none_for_a_standstill() -> None:
    values = np.random.default_rng(2).normal(size=80).cumsum() + 50
    one, other = backtest(values, 3, 1, 12).score("drift"), backtest(8 * values, 3, 1, 12).score("drift")
    assert (other.mase, other.smape, other.wql, other.coverage) == pytest.approx(
        (one.mase, one.smape, one.wql, one.coverage)
    )
    assert one.coverage is not None
    assert 0 <= one.coverage <= 1
    assert backtest(np.full(20, 2.0), 2, 1, 3).score("naive").mase is None


@pytest.mark.parametrize("change", [44, 52, 59])
def test_nothing_of_the_future_reaches_a_backtest(change: int) -> None:
    values = np.random.default_rng(3).normal(size=60).cumsum()
    changed = values.copy()
    changed[change:] = -1000

    def train(known: np.ndarray) -> object:
        level = float(np.median(known))
        return lambda past: np.full(2, level + past[-1])

    one, other = (backtest(series, 2, 4, 12, train) for series in (values, changed))
    earlier = one.origins <= change
    assert earlier.any()
    for name in (LSTM, CHOSEN, "naive", "drift", "seasonal naive"):
        np.testing.assert_array_equal(one.forecasts[name][earlier], other.forecasts[name][earlier])
    np.testing.assert_array_equal(one._radii("naive", 80, 0)[earlier], other._radii("naive", 80, 0)[earlier])


def test_the_lstm_answers_only_when_it_is_better() -> None:
    values = np.random.default_rng(4).normal(size=80).cumsum()

    def with_error(size: float) -> str:
        def train(known: np.ndarray) -> object:
            del known
            return lambda past: values[len(past) : len(past) + 2] + size

        return choose(backtest(values, 2, 1, 12, train), 1)

    assert with_error(0.0) == LSTM
    assert with_error(50.0) in ("naive", "drift")


def test_a_window_after_a_standstill_does_not_decide_alone() -> None:
    """Zeros and then growth: MASE has no denominator in the first window, and drift is nearer in the others."""
    found = backtest(np.concatenate([np.zeros(31), 3 * np.arange(29.0)]), 2, 1, 28)
    assert found.scale[0] == 0
    assert found.score("drift").mase < found.score("naive").mase  # type: ignore[operator]
    assert choose(found, 1) == "drift"
    season = np.tile([1.0, 2, 3, 4], 12)
    season[-1] = 5  # no window has a MASE, and the last error is everybody's
    still = backtest(season, 4, 4, 8)
    assert still.score("seasonal naive").mase is None
    assert choose(still, 4) == "seasonal naive"


def test_the_largest_value_beside_small_ones_is_a_number_for_the_networks_too() -> None:
    values = np.random.default_rng(0).normal(size=60)
    values[40] = LARGEST
    rows = examples(values, 8, 3, 4, "drift")
    assert all(np.isfinite(numbers).all() for numbers in rows)


def test_smoothing_says_which_extra_it_needs() -> None:
    if smoothers_ready():
        pytest.skip("statsmodels is installed")
    with pytest.raises(MissingExtraError, match=r"lstmtext\[series\]"):
        smooth("ETS", LINE, 1, 1)


@pytest.mark.skipif(importlib.util.find_spec("statsmodels") is None, reason="needs statsmodels, the extra [series]")
def test_smoothing() -> None:
    waves = WAVES + np.arange(40) * 0.5
    found = smooth("ETS", waves, 4, 4)
    assert found is not None
    np.testing.assert_allclose(found, WAVES[:4] + np.arange(40, 44) * 0.5, atol=0.3)
    found = backtest(waves, 4, 4, 3, smoothers=True)
    assert {"Holt", "ETS"} < set(found.forecasts)
    assert choose(found, 4) not in ("Holt", "ETS")
