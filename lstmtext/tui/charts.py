"""Which charts a run has: for every kind of run the quantities that it records, each with its unit.

Pure functions of histories; a second history is drawn into the same charts. Must not draw or read files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lstmtext.tui.history import History
from lstmtext.tui.series import Series
from lstmtext.tui.widgets.chart import Curve
from lstmtext.units import bits_from_nats, perplexity_from_nats

__all__ = ["Chart", "charts_of", "x_end"]

MACHINE = ("cpu", "ram", "gpu")
MOST_OF_A_KIND = 6  # metrics in one chart: more lines cannot be told apart


class Chart(NamedTuple):
    """One chart. key: stays the same over a run; best: whether the best evaluation is marked on its first curve."""

    key: str
    title: str
    unit: str
    curves: tuple[Curve, ...]
    best: bool = False
    log: bool = False


def charts_of(history: History, other: History | None = None) -> list[Chart]:
    """Every chart of the run, the most important first."""
    unit = "nats/text" if history.task == "sentiment" else "nats/token"
    found = [Chart("loss", "Loss", unit, _loss(history, other), best=True)]
    if history.task != "sentiment":
        title, unit = ("Bits per character", "bits") if history.in_bits else ("Perplexity", "per token")
        found.append(Chart("score", title, unit, _score(history, other), best=True, log=not history.in_bits))
    found.extend(_metrics(history, other))
    for key, title, unit in (
        ("learning_rate", "Learning rate", ""),
        ("gradient_norm", "Gradient norm", ""),
        ("tokens_per_second", "Tokens/s", ""),
    ):
        raw = key != "learning_rate"
        curves: tuple[Curve, ...] = (Curve("", "smooth", history.curve(key), raw=raw, smoothed=raw),)
        if other is not None:
            curves += (Curve("other", "other", other.curve(key), smoothed=raw),)
        found.append(Chart(key, title, unit, curves))
    titles = {"cpu": ("CPU", "% of a core"), "ram": ("RAM", "MB"), "gpu": ("GPU", "%")}
    for key in MACHINE:
        if key in history.series:
            found.append(Chart(key, *titles[key], (Curve("", "smooth", history.series[key], raw=True, smoothed=True),)))
    return found


def _loss(history: History, other: History | None) -> tuple[Curve, ...]:
    # Over some tokens it is easier than over all: without the word it would look as if the run overfitted.
    sampled = history.started is not None and history.started.softmax_samples > 0
    curves = [
        Curve("train, sampled" if sampled else "train", "smooth", history.curve("loss"), raw=True, smoothed=True),
        Curve("validation", "validation", history.curve("validation"), marked=True),
    ]
    if other is not None and other.task == history.task:  # a loss per text is none per token
        curves += [
            Curve("other val.", "other-validation", other.curve("validation"), marked=True),
            Curve("other", "other", other.curve("loss"), smoothed=True),
        ]
    return tuple(curves)


def _score(history: History, other: History | None) -> tuple[Curve, ...]:
    """The losses in the unit of the first run, each by its own run's tokens; one that has none in it is left out."""
    found = []
    for curve in _loss(history, other):
        run = other if other is not None and curve.role.startswith("other") else history
        scale = _scale(run, history.in_bits)
        found += [curve._replace(transform=scale)] if scale is not None else []
    return tuple(found)


def _scale(run: History, in_bits: bool) -> Callable[[float], float] | None:
    if not in_bits:
        return perplexity_from_nats
    per_token = run.characters_per_token
    return None if per_token is None else lambda nats: bits_from_nats(nats) / per_token


def _metrics(history: History, other: History | None) -> list[Chart]:
    """One chart for each kind of metric: `accuracy of a` and `accuracy of b` are of one kind."""
    kinds: dict[str, list[tuple[str, Series]]] = {}
    for name, series in history.series.items():
        if name.startswith("metric "):
            kind, _, what = name.removeprefix("metric ").partition(" of ")
            kinds.setdefault(kind, []).append((what or kind, series))
    found = []
    for kind, members in kinds.items():
        curves = [
            Curve(what, f"metric-{number}", series, marked=True)
            for number, (what, series) in enumerate(members[:MOST_OF_A_KIND])
        ]
        if other is not None:
            for what, _ in members[:1]:
                name = f"metric {kind} of {what}" if what != kind else f"metric {kind}"
                curves.append(Curve(f"other {what}", "other-validation", other.curve(name), marked=True))
        found.append(Chart(f"metric {kind}", kind.capitalize(), "share" if "accuracy" in kind else "", tuple(curves)))
    return found


def x_end(history: History, axis: str) -> float:
    """How far the run has come on that axis."""
    return {"step": float(history.step), "tokens": float(history.tokens), "time": history.seconds}[axis]
