"""Everything that was asked about one text, in one object: what the command line prints and the screen shows.

    explanation = explain(classifier, "The film is not good.", ["reading", "occlusion"])
    explanation.positive, explanation.tokens, explanation.reading, explanation.occlusion
    explanation.to_json()

`tokens` are words (`words.py`): reading, occlusion and spans count in them. Only gates count in the model's tokens,
and name them. What was not asked for is None, and not in the JSON. Must not import torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

from msgspec import Struct

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import EngineClassifier, label_of
from lstmtext.errors import UsageError
from lstmtext.explain import decomposition, occlusion, trace
from lstmtext.explain.ablation import LONGEST as LONGEST_GATES
from lstmtext.explain.ablation import UnitEffect, ablated, check_unit, rank_units
from lstmtext.explain.compare import Comparison, compare
from lstmtext.explain.reading import Turn, read, turns
from lstmtext.explain.words import Words, read_words
from lstmtext.given import check_explain

__all__ = ["METHODS", "Ablation", "Explanation", "Gates", "Method", "explain"]

Method = Literal["reading", "occlusion", "interaction", "gates"]
METHODS: tuple[Method, ...] = ("reading", "occlusion", "interaction", "gates")
DIGITS = 6  # of probabilities and scores in JSON; classify and explain agree to 5
GATE_DIGITS = 4
LONG = 2000  # words; the end of a longer reading is the answer, which is not computed a second time
TOP_UNITS = 32  # that JSON names by their effect


class Gates(Struct, frozen=True, eq=False):
    """Values of units at every token.

    layers, units: which, counted from 0 (backward units follow the forward ones); tokens: what each token reads
    values: name → (layers, tokens, units), see `trace.NAMES`
    ranking: units by their effect on the answer, the strongest first; empty where one unit was asked for
    start: cell and hidden before the first token, (layers, units), see `trace.start`
    backward: those of the units that read from the end, and so begin at the last token
    """

    layers: list[int]
    units: list[int]
    tokens: list[str]
    values: dict[str, Array]
    ranking: list[UnitEffect]
    start: dict[str, Array] = {}
    backward: list[int] = []


class Ablation(Struct, frozen=True):
    """units: (layer, unit) that were switched off together; positive: P(positive) without them.

    log_odds: by how much that changes ln P(positive) / (1 − P(positive))
    """

    units: list[tuple[int, int]]
    positive: float
    log_odds: float


class Explanation(Struct, frozen=True, kw_only=True, eq=False):
    """One text, its answer, and why. Fields that were not asked for are None.

    positive: P(positive), 0 to 1, and label: as `classify` gives them; empty: nothing in the text could be read
    unknown: words of this text and the second that the model does not know; notes: sentences on what could not be done
    reading: P(positive) after each word; turns: where it changed sides
    occlusion: change of P(positive) when a word is taken out, below zero where it spoke for positive
    occlusion_pairs: the same for words k and k + 1
    interactions: spans of words by contextual decomposition, in nats of z(positive) − z(negative) before calibration
    """

    text: str
    tokens: list[str]
    positive: float
    label: str
    empty: bool = False
    unknown: list[str] = []
    notes: list[str] = []
    reading: list[float] | None = None
    turns: list[Turn] | None = None
    occlusion: list[float] | None = None
    occlusion_pairs: list[float] | None = None
    interactions: list[decomposition.Interaction] | None = None
    gates: Gates | None = None
    ablation: Ablation | None = None
    against: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold, only what was asked for; spans are [i, j) in words."""
        found: dict[str, Any] = {"text": self.text, "tokens": self.tokens}
        found |= {"positive": _rounded(self.positive), "label": self.label}
        for name in ("reading", "occlusion", "occlusion_pairs"):
            if (values := getattr(self, name)) is not None:
                found[name] = [_rounded(value) for value in values]
        if self.turns is not None:
            found["turns"] = [
                {
                    "word": turn.word,
                    "text": turn.text,
                    "label": turn.label,
                    "before": _rounded(turn.before),
                    "after": _rounded(turn.after),
                }
                for turn in self.turns
            ]
        if self.interactions is not None:
            found["interactions"] = [
                {
                    "span": list(one.span),
                    "text": one.text,
                    "score": _rounded(one.score),
                    "interaction": _rounded(one.interaction),
                }
                for one in self.interactions
            ]
        if self.gates is not None:
            found["gates"] = _gates_dict(self.gates)
        if self.ablation is not None:
            units = [list(unit) for unit in self.ablation.units]
            found["ablation"] = {
                "units": units,
                "positive": _rounded(self.ablation.positive),
                "log_odds_change": _rounded(self.ablation.log_odds),
            }
        if self.against is not None:
            found["against"] = _against_dict(self.against)
        return found

    def to_json(self, *, ascii_only: bool = False) -> str:
        """One JSON document on one line. ascii_only: other characters as escapes, for a terminal without them."""
        return json.dumps(self.to_dict(), ensure_ascii=ascii_only)


def explain(
    classifier: EngineClassifier,
    text: str,
    methods: Sequence[Method] | None = None,
    *,
    spans: Sequence[tuple[int, int]] = (),
    against: str | None = None,
    layer: int | None = None,
    unit: int | None = None,
    off: Sequence[tuple[int, int]] = (),
) -> Explanation:
    """Why the classifier answers as it does for `text`.

    methods: of METHODS; None: reading and occlusion, as far as this model and this text have them (see `notes`)
    spans: of words, i … j − 1, to decompose (adds interaction); none: those around the strongest words
    against: a second text, read beside the first
    layer, unit: narrow the gates (and add them)
    off: (layer, unit) to switch off, together
    Raises UsageError for an option of another form, and for what this model or this text does not have: a reading of
    a bidirectional model, an interaction of another cell than the LSTM, a span outside the text, a text too long for
    a method.
    """
    check_explain(METHODS, methods, spans, against, layer, unit, off)
    spans, off = ([(int(one), int(other)) for one, other in pairs] for pairs in (spans, off))  # numpy's have no JSON
    layer, unit = (None if one is None else int(one) for one in (layer, unit))
    words = read_words(classifier, text)
    chosen, notes = _chosen(classifier, words, methods)
    if spans:
        chosen.add("interaction")
    if layer is not None or unit is not None:
        chosen.add("gates")
    for one in (*off, (layer, unit)):
        check_unit(classifier, *one)
    if "interaction" in chosen:
        decomposition.check(classifier, words, spans)
    if ("gates" in chosen or off) and len(words) > LONGEST_GATES:
        raise UsageError(
            f"The text has {len(words):,} words; gates and single units are looked at in up to {LONGEST_GATES}. "
            "Give a part of the text, or use `--method reading`, which has no limit."
        )
    found: dict[str, Any] = {}
    if against is not None:
        found["against"] = compare(classifier, text, against)
    if "reading" in chosen:
        reading = read(classifier, words)
        found |= {"reading": reading.positive.tolist(), "turns": turns(reading)}
    changes = None
    if "occlusion" in chosen or ("interaction" in chosen and not spans):
        changes = occlusion.occlusion(classifier, words)
    if "occlusion" in chosen and changes is not None:
        found |= {"occlusion": changes.words.tolist(), "occlusion_pairs": changes.pairs.tolist()}
    if "interaction" in chosen:
        asked = list(spans) if changes is None or spans else decomposition.default_spans(changes.words)
        interactions = decomposition.interactions(classifier, words, asked)
        found["interactions"] = interactions if spans else sorted(interactions, key=lambda one: -abs(one.interaction))
    if "gates" in chosen:
        found["gates"] = _gates(classifier, words, layer, unit)
    if off:
        found["ablation"] = Ablation(list(off), *ablated(classifier, words.ids, off))
    if "reading" in found and len(words) > LONG:
        positive = found["reading"][-1]
    else:
        positive = classifier.judge([text])[0].positive
    unknown = classifier.tokenizer.unknown_id
    both = [words] if against is None else [words, found["against"].second.words]
    named = [classifier.tokenizer.unknown(one.text.replace("\n", " ")) for one in both if unknown in one.ids]
    return Explanation(
        text=text,
        tokens=list(words.texts),
        positive=positive,
        label=label_of(positive),
        empty=not bool((words.ids != unknown).any()),
        unknown=list(dict.fromkeys(chain.from_iterable(named))),
        notes=notes,
        **found,
    )


def _chosen(classifier: EngineClassifier, words: Words, methods: Sequence[Method] | None) -> tuple[set[str], list[str]]:
    """The methods to use, and why the usual ones are not among them."""
    if methods is not None:
        return set(methods), []
    chosen, notes = {"reading", "occlusion"}, []
    if classifier.classifier.bidirectional:
        chosen.remove("reading")
        notes.append("This model reads from both ends: there is no reading word by word.")
    if len(words) > occlusion.LONGEST:
        chosen.remove("occlusion")
        notes.append(f"With more than {occlusion.LONGEST} words, words are not taken out one by one.")
    return chosen, notes


def _gates(classifier: EngineClassifier, words: Words, layer: int | None, unit: int | None) -> Gates:
    """The values of the wanted layers and units; the ranking is of the last of these layers."""
    values = trace.trace(classifier, words.ids)
    count, _, width = next(iter(values.values())).shape
    layers = list(range(count)) if layer is None else [layer]
    units = list(range(width)) if unit is None else [unit]
    values = {name: table[layers][:, :, units] for name, table in values.items()}
    start = {name: table[layers][:, units] for name, table in trace.start(classifier).items()}
    backward = [one for one in units if one >= classifier.stack.hidden]
    ranking = rank_units(classifier, words.ids, [layers[-1]]) if unit is None else []
    tokens = [classifier.tokenizer.token_text(int(index)) for index in words.ids]
    return Gates(layers, units, tokens, values, ranking, start, backward)


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


def _gates_dict(gates: Gates) -> dict[str, Any]:
    found: dict[str, Any] = {"layers": gates.layers, "units": gates.units, "tokens": gates.tokens}
    if gates.backward:
        found["backward"] = gates.backward
    found["start"] = {name: _gate_numbers(table) for name, table in gates.start.items()}
    found |= {name: _gate_numbers(table) for name, table in gates.values.items()}
    if gates.ranking:
        found["ranking"] = [
            {
                "layer": one.layer,
                "unit": one.unit,
                "change": _rounded(one.change),
                "log_odds_change": _rounded(one.log_odds),
            }
            for one in gates.ranking[:TOP_UNITS]
        ]
    return found


def _gate_numbers(table: Array) -> list[Any]:
    return list(table.astype(float).round(GATE_DIGITS).tolist())


def _against_dict(found: Comparison) -> dict[str, Any]:
    positive = float(found.second.positive[-1]) if len(found.second.words) else 0.5
    return {
        "text": found.second.words.text,
        "tokens": list(found.second.words.texts),
        "positive": _rounded(positive),
        "label": label_of(positive),
        "reading": [_rounded(value) for value in found.second.positive.tolist()],
        "rows": [
            {
                "words": [row.first, row.second],
                "texts": list(row.texts),
                "positive": [_rounded(value) for value in row.positive],
                "difference": _rounded(row.difference),
            }
            for row in found.rows
        ],
    }
