"""From the model's scores to one token: temperature, penalty, filters, and the draw. Pure functions.

    p_v ∝ exp(log P(v) · θ_v / T)        θ_v = repetition penalty for tokens in the recent window, else 1

T = 1 is the model's own distribution; T → 0 the most probable token, T → ∞ all tokens alike. Then up to
three filters, each of which judges p itself, keep some tokens; a token stays if all of them keep it, so
their order does not matter:

    top-k    the k most probable tokens
    top-p    the fewest most probable tokens whose probabilities add up to at least top_p
    min-p    every token at least min_p times as probable as the most probable one

The most probable token passes each of them. Where equal probabilities compete for the last place, the
token with the lower id gets it. The unknown token is left out before anything else.

Sources: Fan et al. 2018 (top-k), Holtzman et al. 2020 (top-p), Nguyen et al. 2024 (min-p), Keskar et al.
2019 (the penalty; applied here to log-probabilities, which are never positive, where CTRL divides or
multiplies raw scores whose zero means nothing). Must not import torch.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from lstmtext.engine.cell import Array
from lstmtext.errors import SettingsError

__all__ = [
    "REPETITION_WINDOW",
    "SamplingSettings",
    "distribution",
    "draw",
    "filtered",
    "kept",
    "most_probable",
    "not_a_number",
]

Probabilities = npt.NDArray[np.float64]

# Tokens of prompt and text that a repetition penalty looks back on: a constant, so that a token costs
# the same after a thousand as after ten.
REPETITION_WINDOW = 64
# Below this, differences of scores divided by T leave the range of floating point.
LEAST_TEMPERATURE = 1e-6
MOST = 1e100  # of T and of the penalty: above it, products of float32 scores leave the range of float64


# Of each setting: whether it may be None, whether it is whole, what fits, and how to say that.
RULES: dict[str, tuple[bool, bool, Callable[[Any], bool], str]] = {
    "temperature": (
        False,
        False,
        lambda value: value == 0 or LEAST_TEMPERATURE <= value <= MOST,
        f"0 (the most probable token) or from {LEAST_TEMPERATURE:f} to {MOST:g}.",
    ),
    "top_k": (True, True, lambda value: value >= 1, "at least 1. Leave it out to keep all tokens."),
    "top_p": (True, False, lambda value: 0 < value <= 1, "above 0 and at most 1."),
    "min_p": (True, False, lambda value: 0 <= value <= 1, "from 0 to 1."),
    "repetition_penalty": (
        False,
        False,
        lambda value: 0 < value <= MOST,
        f"above 0 and at most {MOST:g}. 1 switches it off, 1.2 is usual.",
    ),
}


def not_a_number(name: str, value: object, *, whole: bool = False) -> str:
    """What to say of an option that must be a number and is none; empty if it is one. numpy's are numbers too."""
    numbers = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, numbers) and not isinstance(value, bool):
        return ""
    return f"{name} is {reprlib.repr(value)}; it must be a {'whole number' if whole else 'number'}."


class SamplingSettings(Struct, frozen=True, kw_only=True):
    """How a token is chosen. Raises SettingsError naming every value that does not fit.

    temperature: 0 takes the most probable token (the lower id among equals); otherwise T above
    top_k: tokens to keep, 1 or more; None keeps all
    top_p: probability to keep, above 0 and up to 1; None keeps all
    min_p: least probability as a fraction of the highest, 0 to 1; None keeps all
    repetition_penalty: θ above; 1 is off, more makes tokens of the last 64 less probable
    """

    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        problems = []
        for name, (optional, whole, fits, wanted) in RULES.items():
            value = getattr(self, name)
            if optional and value is None:
                continue
            if no_number := not_a_number(name, value, whole=whole):
                problems.append(no_number)
            elif not fits(value):
                problems.append(f"{name} is {value}; it must be {wanted}")
        if problems:
            raise SettingsError(problems)


def distribution(
    scores: Array, settings: SamplingSettings, recent: Collection[int] = (), excluded: int | None = None
) -> Probabilities:
    """p before the filters, (V,), float64, sum 1.

    scores: (V,), logits or log-probabilities; recent: the tokens that the penalty falls on;
    excluded: an id that gets probability 0. Temperature 0 counts as 1 here: `filtered` takes the maximum.
    """
    logs = scores.astype(np.float64)
    if excluded is not None:
        logs[excluded] = -np.inf
    logs -= logs.max()
    if settings.repetition_penalty != 1 and recent:
        logs -= math.log(np.exp(logs).sum())
        logs[list(set(recent))] *= settings.repetition_penalty
        logs -= logs.max()
    if settings.temperature not in (0, 1):
        logs /= settings.temperature
    probabilities: Probabilities = np.exp(logs, out=logs)
    probabilities /= probabilities.sum()
    return probabilities


def kept(probabilities: Probabilities, settings: SamplingSettings) -> npt.NDArray[np.bool_]:
    """Which tokens pass all filters, (V,). Temperature 0 keeps only the most probable."""
    mask = probabilities > 0
    if settings.temperature == 0:
        mask &= _largest(probabilities, 1)
    if settings.top_k is not None:
        mask &= _largest(probabilities, settings.top_k)
    if settings.top_p is not None and settings.top_p < 1:
        sums = np.cumsum(np.sort(probabilities)[::-1])
        mask &= _largest(probabilities, int(np.searchsorted(sums, settings.top_p)) + 1)
    if settings.min_p:
        mask &= probabilities >= settings.min_p * probabilities.max()
    return mask


def filtered(probabilities: Probabilities, settings: SamplingSettings) -> Probabilities:
    """p after the filters, (V,), sum 1: what `draw` is given."""
    if settings.temperature and settings.top_k is None and settings.top_p is None and not settings.min_p:
        return probabilities
    remaining: Probabilities = np.where(kept(probabilities, settings), probabilities, 0.0)
    remaining /= remaining.sum()
    return remaining


def draw(probabilities: Probabilities, random: np.random.Generator) -> int:
    """One token, with exactly one number from `random`. A token of probability 0 is never drawn."""
    sums = np.cumsum(probabilities)
    index = int(np.searchsorted(sums, random.random() * sums[-1], side="right"))
    if index == len(sums):  # the product was rounded up to the whole sum
        index = int(np.flatnonzero(probabilities)[-1])
    return index


def most_probable(probabilities: Probabilities, count: int) -> list[int]:
    """The ids of the `count` most probable tokens, most probable first, the lower id first among equals."""
    chosen = np.flatnonzero(_largest(probabilities, count))
    ordered: list[int] = chosen[np.argsort(-probabilities[chosen], kind="stable")].tolist()
    return ordered


def _largest(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.bool_]:
    """True at the `count` largest values (all, if there are fewer); among equals the first ones."""
    if count >= len(values):
        return np.ones(len(values), dtype=bool)
    border = np.partition(values, len(values) - count)[len(values) - count]
    mask: npt.NDArray[np.bool_] = values > border
    mask[np.flatnonzero(values == border)[: count - int(mask.sum())]] = True
    return mask
