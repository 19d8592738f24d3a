"""The model card: `README.md` of a checkpoint folder, written from its config.

Only what the config knows is said; a figure stands beside its protocol, the data, the command and
the hardware.
"""

from __future__ import annotations

import shlex

from lstmtext.store.checkpoint import CheckpointConfig, ClassifierFacts, Metric
from lstmtext.units import TOKEN_UNITS, bits_from_nats, perplexity_from_nats

__all__ = [
    "LEARNED_FROM",
    "describe_calibration",
    "describe_metric",
    "describe_readout",
    "model_card",
    "notes_of",
    "side_protocol",
]

NOTES = "## Notes"
CELLS = {"lstm": "LSTM", "gru": "GRU", "rnn": "tanh RNN"}
READOUTS = {
    "last": "the last state",
    "mean": "the mean of all states",
    "max": "the greatest value of every unit",
    "concat": "the last state, the mean and the greatest values",
}
LEARNED_FROM = "; on text that it has learned from"  # at the end of a protocol
SHARES = ("accuracy", "quadruples right")  # units of scores from 0 to 1 that people read in per cent


def side_protocol(*, neutral: bool) -> str:
    """How an accuracy of a classifier was measured. neutral: there were such texts, which have no side of ½."""
    return f"P(positive) against ½{', neutral texts left out' if neutral else ''}"


def describe_metric(metric: Metric, characters_per_token: float = 1.0) -> str:
    """One line: the figure in its unit, and the same as people compare it.

    characters_per_token: of the model's validation part, for metrics that have none of their own
    """
    if metric.unit in SHARES:
        return f"{100 * metric.value:.1f} % {metric.unit}"
    if not metric.unit.startswith("nats per"):
        return f"{metric.value:.4g} {metric.unit}"
    characters_per_token = metric.characters_per_token or characters_per_token
    per_character = metric.value / characters_per_token
    bits = f"{bits_from_nats(per_character):.3f} bits per character"
    if characters_per_token == 1.0:
        return f"{metric.value:.4f} {metric.unit} ({bits})"
    return f"{metric.value:.4f} {metric.unit} (perplexity {perplexity_from_nats(metric.value):.1f}; {bits})"


def describe_readout(classifier: ClassifierFacts) -> str:
    """What a classifier's answer is made from."""
    ways = ", forward and backward" if classifier.bidirectional else ""
    return f"{classifier.readout} ({READOUTS[classifier.readout]}{ways})"


def describe_calibration(classifier: ClassifierFacts) -> str:
    """How far P(positive) can be believed: its error with the data it was measured on."""
    calibration = classifier.calibration
    if calibration.error is None:
        return "not measured" if calibration.temperature == 1 and not calibration.offsets else "fitted, not measured"
    data = f", {calibration.data}" if calibration.data else ""
    return f"expected error {calibration.error:.3f} (cross-fitted{data}; temperature {calibration.temperature:.2f})"


def model_card(name: str, config: CheckpointConfig, parameters: int, notes: str = "") -> str:
    """Markdown text.

    parameters: number of weights. notes: markdown for a person to add: limits, what it is good for.
    """
    model, corpus = config.model, config.corpus
    unit = TOKEN_UNITS[config.tokenizer.kind]
    classifier = config.classifier
    kind = f"{unit}-level language model" if classifier is None else "sentiment classifier"
    ways = " in each direction" if classifier is not None and classifier.bidirectional else ""
    lines = [
        f"# {name}",
        "",
        f"A {kind} made with lstmtext: {CELLS[model.cell]}, "
        f"{model.layers} × {model.hidden} units{ways}, "
        f"{parameters:,} weights, {config.tokenizer.size:,} tokens in its vocabulary.",
        "",
        "| | |",
        "|---|---|",
    ]
    if classifier is not None:
        lines += [
            f"| classes | {', '.join(classifier.classes)} |",
            f"| reads out | {describe_readout(classifier)} |",
            f"| calibration | {describe_calibration(classifier)} |",
        ]
    lines += [
        f"| trained on | {corpus.name} ({corpus.bytes:,} bytes, sha256 `{corpus.sha256[:16]}…`) |",
        f"| licence of the text | {corpus.licence or 'as given by whoever supplied it'} |",
        *([f"| measured on | {corpus.measured_on} (nothing was learned from it) |"] if corpus.measured_on else []),
        *([f"| source of the text | {corpus.source} |"] if corpus.source else []),
        f"| split | {corpus.split} |",
        f"| command | `{config.command}` |",
        f"| seed, steps | {config.seed}, {config.step:,} |",
        *[f"| {key} | {value} |" for key, value in config.versions.items()],
        "",
    ]
    if config.metrics:
        lines += ["| score | value | protocol | data |", "|---|---|---|---|"]
        lines += [
            f"| {key} | {describe_metric(metric, config.characters_per_token)} | {metric.protocol} | {metric.data} |"
            for key, metric in config.metrics.items()
        ]
        lines.append("")
    commands = dict.fromkeys(metric.command for metric in config.metrics.values() if metric.command)
    if commands:
        lines += ["Made with:", "", *[f"    {command}" for command in commands], ""]
    if notes:
        lines += [NOTES, "", notes.strip(), ""]
    model_name = shlex.quote(name)
    use = f"generate --model {model_name}" if classifier is None else f'classify --model {model_name} "not good"'
    lines += [f"Use it: `lstmtext {use}`. Weights are float32 or float16 safetensors; no pickle.", ""]
    return "\n".join(lines)


def notes_of(card: str) -> str:
    """The notes that a person gave to `model_card`, found again in its text; empty if there are none."""
    _, found, rest = card.partition(f"\n{NOTES}\n")
    return rest.rpartition("\nUse it: ")[0].strip() if found else ""
