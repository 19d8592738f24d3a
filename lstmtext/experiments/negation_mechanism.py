"""How a network carries a negation: gradients to the cue, units switched off, states swapped between twin sentences.

gradient   log₁₀ ‖∂z / ∂x_cue‖: how much the answer z depends on the vector read at the target's cue place; at the
           start, where it is what learning has to begin with, and after training. A network that keeps its memory by
           saturation has a small gradient and a good memory, so the second says nothing about accuracy.
ablation   share of right answers with k units switched off (h ← 0 at every step, as in `explain/ablation.py`): those
           that answers at the longest trained distance of retention lean on most, and as many drawn at random.
swap       two sentences that differ in the target's cue alone have opposite labels. Both are read to one place of the
           gap; each goes on with the other's C, h, or both. The share of sentences that then get the twin's label,
           among those where both answers were right (`pairs` is how many these are). `both` must be all: the rest of
           the sentence is the same. Beside it, under `control`, the swap with the sentence that differs in the
           attractor's cue, whose label is the same: the share of answers that change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstmtext.experiments.arms import Network
from lstmtext.experiments.result import Measures
from lstmtext.experiments.sentences import TASKS, Encoded, Sentence, Task, encode, octuples, twins
from lstmtext.model.recurrent import LayerState

__all__ = ["Tests", "cue_gradients", "measure_mechanism", "rank_units", "swapped", "switched_off"]

Tests = Mapping[tuple[Task, int, bool], list[Sentence]]
"""(task, distance, with held-out words) → whole octuples."""

RANK_SEED = 34  # of the sentences that units are ranked on: neither trained nor tested
RANK_OCTUPLES, RANK_DISTANCE = 8, 16
OFF = (0, 1, 2, 4, 8, 16)  # units
OFF_DISTANCES = (0, 16, 32)
RANDOM_SETS = 3  # of each size
OFF_SENTENCES = 128  # at one distance: a set of units that is off is a reading of its own
ROWS_AT_ONCE = 4096
SWAP_DISTANCES = (16, 32)
PLACES = (0.0, 0.5, 1.0)  # of the gap
GRADIENT_SENTENCES = 128
LEAST = 1e-45  # a norm below what float32 can hold is told as this


def measure_mechanism(model: Network, start: Network, tests: Tests) -> Measures:
    """All three, of one trained network. start: the same network before training"""
    found: Measures = {"gradient": {}, "ablation": {}, "swap": {}}
    distances = sorted({distance for _, distance, held_out in tests if not held_out})
    for task in TASKS:
        for name, network in (("start", start), ("trained", model)):
            found["gradient"][f"{task}, {name}"] = {
                str(distance): float(np.mean(cue_gradients(network, tests[task, distance, False][:GRADIENT_SENTENCES])))
                for distance in distances
            }
    ranked = rank_units(model, octuples(RANK_SEED, "retention", RANK_DISTANCE, RANK_OCTUPLES, held_out=False))
    for task in TASKS:
        for distance in OFF_DISTANCES:
            found["ablation"] |= _ablation(
                model, ranked, f"{task} {distance}", tests[task, distance, False][:OFF_SENTENCES]
            )
        for distance in SWAP_DISTANCES:
            found["swap"] |= _swaps(model, f"{task} {distance}", task, distance, tests[task, distance, False])
    return found


def cue_gradients(model: Network, sentences: Sequence[Sentence]) -> npt.NDArray[np.float64]:
    """log₁₀ of the norm of the answer's gradient with respect to the vector read at the target's cue place, (N,)."""
    encoded = encode(sentences)
    rows = torch.arange(len(sentences))
    assert model.embedding is not None
    with torch.enable_grad():
        x = model.embedding(torch.from_numpy(encoded.tokens)).detach().requires_grad_()
        hidden, _ = model.stack(x, model.stack.zero_state(len(x), x.device))
        answer = model.head(hidden[rows, torch.from_numpy(encoded.lengths - 1)])
        (gradient,) = torch.autograd.grad(answer.sum(), x)
    norms = gradient[rows, torch.tensor([sentence.cue for sentence in sentences])].double().norm(dim=-1)
    return np.asarray(norms.clamp(min=LEAST).log10().numpy())


def switched_off(model: Network, encoded: Encoded, off: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Answers with sets of units off, (sets, N). off: (sets, H), true where a unit's h is 0 at every step."""
    assert model.embedding is not None
    x = model.embedding(torch.from_numpy(encoded.tokens))
    at = torch.from_numpy(encoded.lengths - 1)
    sets_at_once = max(1, ROWS_AT_ONCE // len(x))
    found = []
    masks = torch.from_numpy(~off).float()
    for begin in range(0, len(masks), sets_at_once):
        chosen = masks[begin : begin + sets_at_once]
        mask = chosen.repeat_interleave(len(x), 0)
        rows = x.repeat(len(chosen), 1, 1)
        state = model.stack.zero_state(len(rows), x.device)
        last = torch.zeros_like(mask)
        ends = at.repeat(len(chosen))
        for step in range(rows.shape[1]):
            _, ((h, c),) = model.stack(rows[:, step : step + 1], state)
            state = [LayerState(h * mask, c)]
            last = torch.where((ends == step)[:, None], state[0].h[0], last)
        found.append(model.head(last).reshape(len(chosen), len(x)))
    return torch.cat(found).detach().numpy()


def rank_units(model: Network, sentences: Sequence[Sentence]) -> npt.NDArray[np.int64]:
    """All units, the one first without which right answers lose most certainty, (H,).

    The loss is that of z towards the right side, on average over the sentences.
    """
    encoded = encode(sentences)
    off = np.concatenate([np.eye(model.hidden, dtype=bool), np.zeros((1, model.hidden), bool)])
    towards = switched_off(model, encoded, off) * np.where(encoded.labels == 1, 1, -1)
    return np.argsort(towards[:-1].mean(1) - towards[-1].mean(), kind="stable")


def _ablation(
    model: Network, ranked: npt.NDArray[np.int64], name: str, sentences: Sequence[Sentence]
) -> dict[str, dict[str, float]]:
    encoded = encode(sentences)
    random = np.random.default_rng([RANK_SEED, 1])
    orders = [ranked, *(random.permutation(model.hidden) for _ in range(RANDOM_SETS))]
    off = np.zeros((len(orders), len(OFF), model.hidden), bool)
    for row, order in enumerate(orders):
        for column, units in enumerate(OFF):
            off[row, column, order[:units]] = True
    answers = switched_off(model, encoded, off.reshape(-1, model.hidden))
    right = ((answers > 0) == (encoded.labels == 1)).mean(1).reshape(len(orders), len(OFF))
    by = {"best": right[0], "random": right[1:].mean(0)}
    return {
        f"{name}, {way}": {str(units): float(value) for units, value in zip(OFF, values, strict=True)}
        for way, values in by.items()
    }


def swapped(model: Network, encoded: Encoded, partner: npt.NDArray[np.int64], after: int, parts: str) -> Tensor:
    """Answers (N,) where every sentence goes on, after `after` words, with its partner's state.

    partner: (N,) rows; parts: "c", "h" or "both". All sentences must be equally long.
    """
    assert model.embedding is not None
    x = model.embedding(torch.from_numpy(encoded.tokens))
    _, ((h, c),) = model.stack(x[:, :after], model.stack.zero_state(len(x), x.device))
    rows = torch.from_numpy(partner)
    if parts in ("h", "both"):
        h = h[:, rows]
    if parts in ("c", "both") and c.numel():
        c = c[:, rows]
    hidden, _ = model.stack(x[:, after:], [LayerState(h, c)])
    scores: Tensor = model.head(hidden[:, -1]).squeeze(-1)
    return scores


def _swaps(
    model: Network, name: str, task: Task, distance: int, sentences: Sequence[Sentence]
) -> dict[str, dict[str, float]]:
    """Shares by parts and place. Sentences that lie equally are read together; without any pair right, nothing."""
    parts = ("c", "h", "both") if model.arm.cell == "lstm" else ("both",)
    counts: dict[tuple[str, float], list[float]] = {}
    pairs: list[float] = []
    cues = np.array([sentence.cue for sentence in sentences])
    for cue in np.unique(cues):
        group = [sentence for sentence, place in zip(sentences, cues, strict=True) if place == cue]
        encoded = encode(group)
        rows = np.arange(len(group))
        labels = encoded.labels == 1
        right = (swapped(model, encoded, rows, 1, "both") > 0).numpy() == labels
        for way, partner in (("", twins(group)), (", control", twins(group, of="attractor"))):
            both_right = right & right[partner]
            if not way:
                pairs += both_right.tolist()
            for part in parts:
                for place in PLACES:
                    # Of binding the gap begins after the cue, of retention after the adjective beside it.
                    after = int(cue) + 1 + (task == "retention") + round(place * distance)
                    changed = (swapped(model, encoded, partner, after, part) > 0).numpy() != labels
                    counts.setdefault((f"{name}, {part}{way}", place), []).extend(changed[both_right])
    found: dict[str, dict[str, float]] = {f"{name}, pairs": {"share": float(np.mean(pairs))}}
    for (condition, place), values in counts.items():
        if values:
            found.setdefault(condition, {})[str(place)] = float(np.mean(values))
    return found
