"""The gates of a forecaster over its window: what each new observation does to the memory.

The LSTM is trained on the series as far as the series reaches, with the equations of `engine/cell.py` doing the
reading, so that what is shown is what the lesson writes. It is one network of the forecaster, the one that answers at
once, and it is trained on however few values there are: what `forecast` would not use is said in `note`. Where the
baseline is right everywhere the head stays at zero: the gates are those of a network that has nothing to correct.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmtext.errors import InputError, UsageError
from lstmtext.forecast.answer import too_few
from lstmtext.forecast.baselines import baseline, choose_baseline
from lstmtext.forecast.forecaster import fit, untrained
from lstmtext.forecast.series import Series
from lstmtext.forecast.windows import examples, window_length
from lstmtext.units import counted

__all__ = ["GATES", "SeriesGates", "explain_series", "gates_page"]

GATES = ("forget", "input", "candidate", "output", "cell", "hidden")
FEWEST = 3  # values: two differences


@dataclass(frozen=True)
class SeriesGates:
    """values: the window's (L,); gates: by name (L, units); answer: the next value, baseline plus correction.

    networks: of which the first is shown; the answer is the mean of all. trained_on: values and windows that it has
    learned from; few: why `forecast` would not use it, empty where it might
    """

    values: list[float]
    gates: dict[str, np.ndarray[Any, np.dtype[np.float32]]]
    base: str
    baseline: float
    answer: float
    note: str
    networks: int
    trained_on: tuple[int, int]
    few: str

    @property
    def shown(self) -> str:
        """Which network the gates are of, and what it has learned from."""
        values, windows = self.trained_on
        taught = f"trained on {counted(values, 'value')}, {counted(windows, 'window')}" if windows else "not trained"
        return f"network 1 of {self.networks}, {taught}"

    def document(self, unit: int | None = None) -> dict[str, Any]:
        """As JSON has it: means over the units, or one unit's numbers."""
        read = {name: _one(numbers, unit).tolist() for name, numbers in self.gates.items()}
        answer = {"forecast": self.answer, "baseline": {"model": self.base, "forecast": self.baseline}}
        which: dict[str, Any] = {"layer": 0, "unit": unit}
        values, windows = self.trained_on
        network = {"number": 1, "of": self.networks, "values": values, "windows": windows, "enough": not self.few}
        return {
            "values": self.values,
            "gates": {**which, **read},
            "network": network,
            **answer,
            "note": self.note,
        }


def explain_series(series: Series, season: int = 1, seed: int = 0, unit: int | None = None) -> SeriesGates:
    """Train for the next value and read the last window. Raises InputError for fewer than three values."""
    values = series.values
    if len(values) < max(FEWEST, season + 2):
        raise InputError(
            f"Gates over a window need at least {max(FEWEST, season + 2)} values, and the series has {len(values)}."
        )
    base = choose_baseline(values, 1, season)
    # Trained on windows that leave at least one answer; read over as many differences as there are, up to that recipe.
    most = len(values) - season
    length = min(window_length(4 * len(values), 1, season), most)
    taught_length = max(1, min(length, most - 2))
    windows = len(examples(values, taught_length, 1, season, base).x)
    taught = fit(values, taught_length, 1, season, base, seed)
    model = taught or untrained(length, 1, season, base, seed)
    model.length = length
    states, gates = model.gates(values)
    read = {name: np.concatenate([getattr(each, name) for each in gates]) for name in GATES[:4]}
    read |= {"cell": np.concatenate([each.c for each in states]), "hidden": np.concatenate([each.h for each in states])}
    units = read["cell"].shape[1]
    if unit is not None and not 0 <= unit < units:
        raise UsageError(f"--unit {unit}: the units are 0 to {units - 1}.")
    expected, answer = float(baseline(base, values, 1, season)[0]), float(model.predict(values)[0])
    exact = answer == expected
    networks, few = len(model.networks), too_few(len(values), 1, season)
    added = "nothing" if exact else f"{answer - expected:+.4g}"
    note = f"{base} answers {expected:g} and the LSTM, the mean of its {networks} networks, adds {added}."
    note += (
        f" `lstmtext forecast` would not use it: {few}."
        if few
        else (" `lstmtext forecast` uses it only where it beats the baselines on held-out windows.")
    )
    trained_on = (len(values) if windows else 0, windows)
    return SeriesGates(values[-length:].tolist(), read, base, expected, answer, note, networks, trained_on, few)


def _one(numbers: np.ndarray[Any, np.dtype[np.float32]], unit: int | None) -> np.ndarray[Any, np.dtype[np.float32]]:
    return numbers.mean(axis=1) if unit is None else numbers[:, unit]


def gates_page(found: SeriesGates, unit: int | None = None, width: int = 80) -> str:
    """A table for a terminal of `width` columns: one line per observation, one column per gate.

    Gates that have no room beside the others stand below.
    """
    which = "mean over all units" if unit is None else f"unit {unit}"
    read = {name: _one(numbers, unit) for name, numbers in found.gates.items()}
    lines = [*textwrap.wrap(f"gates of the forecaster's LSTM, {which}: {found.shown}", width), ""]
    heads = ["value", *(f"{value:g}" for value in found.values)]
    room = 12 if width >= 12 + 11 * len(GATES) else max(map(len, heads))
    beside = max((width - room) // 11, 1)
    for first in range(0, len(GATES), beside):
        names = GATES[first : first + beside]
        lines.append(f"{heads[0]:>{room}}" + "".join(f"{name:>11}" for name in names))
        for step, head in enumerate(heads[1:]):
            lines.append(f"{head:>{room}}" + "".join(f"{read[name][step]:>11.3f}" for name in names))
    return "\n".join([*lines, "", *textwrap.wrap(found.note, width)])
