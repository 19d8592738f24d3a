"""`lstmtext evaluate` for a classifier: labelled text, or a negation suite beside its baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstmtext.cli.typed import typed_command
from lstmtext.errors import UsageError
from lstmtext.printable import printable
from lstmtext.units import counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lstmtext.scoring.suite import Suite
    from lstmtext.store.checkpoint import Metric

__all__ = ["OWN_TEXT", "evaluate_classifier"]

OWN_TEXT = "note: {model} has learned from {data}, all but what was held out of it: on other texts it does less well."
DEFAULT_BASELINE = "everyday"


def evaluate_classifier(
    folder: Path,
    model: str,
    data: tuple[str, ...],
    columns: tuple[str, str, dict[str, str]],
    baseline: tuple[str, ...],
    *,
    failures: bool,
    record: bool,
    as_json: bool,
) -> None:
    """Score a classifier on each of `data` in turn.

    columns: of text and label, empty: found by their names; and what the labels mean, empty: by their scale
    """
    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.scoring.suite import is_suite
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import record_metric

    suites = [is_suite(_suite_folder(name)) for name in data]
    if baseline and not any(suites):
        raise UsageError(f"--baseline is for a suite such as negation, and {data[0]!r} is none: leave it out.")
    for option, value in zip(("text-column", "label-column", "label-map"), columns, strict=True):
        if value and all(suites):
            raise UsageError(f"--{option} is for labelled text, and {data[0]!r} is a suite: leave it out.")
    checkpoint = read_checkpoint(folder)
    classifier = EngineClassifier(checkpoint)

    def positives(texts: list[str]) -> npt.NDArray[np.floating[Any]]:
        return classifier.positives([classifier.encode(text) for text in texts])

    for name in data:
        place = _suite_folder(name)
        own = False
        if is_suite(place):
            found = _score_suite(place, positives, baseline or (DEFAULT_BASELINE,), failures)
        else:
            found, sha256 = _score_labelled(name, columns, positives, failures)
            own = sha256 in (checkpoint.config.corpus.sha256, *checkpoint.config.corpus.sources_sha256)
            if own:
                click.echo(OWN_TEXT.format(model=model, data=name), err=True)
        found = {"model": model, "data": name, **found}
        if record:
            for key, metric in _metrics(found, name, own=own).items():
                record_metric(folder, key, metric)
            click.echo(f"Recorded {name!r} on the card in {str(folder)!r}.", err=True)
        if as_json:
            click.echo(json.dumps(found))
        elif "phenomena" in found:
            _show_suite(found)
        else:
            _show_labelled(found)


def _suite_folder(name: str) -> Path:
    from lstmtext.places import shipped_folder

    return shipped_folder("corpora") / name if not Path(name).exists() else Path(name)


def _score_labelled(
    name: str, columns: tuple[str, str, dict[str, str]], positives: Any, failures: bool
) -> tuple[dict[str, Any], str]:
    """The scores, and the checksum in the config of a model that was trained on this text alone."""
    from lstmtext.scoring.labelled import score_examples
    from lstmtext.text.labelled import joint_sha256, read_source
    from lstmtext.text.labels import CLASSES, NEUTRAL, POSITIVE

    source = read_source(name, *columns, to_learn=False)
    examples = source.examples
    answers = positives([example.text for example in examples])
    found = score_examples(examples, answers)
    if source.left_out:
        found["left_out"] = source.left_out
    if source.numbers:
        found["labels"] = source.numbers
    if failures:
        found["failures"] = [
            {"text": example.text, "label": CLASSES[example.label], "positive": float(answer)}
            for example, answer in zip(examples, answers, strict=True)
            if example.label != NEUTRAL and _wrong(float(answer), positive=example.label == POSITIVE)
        ]
    return found, joint_sha256([source.sha256])


def _score_suite(place: Path, positives: Any, baseline: tuple[str, ...], failures: bool) -> dict[str, Any]:
    from lstmtext.scoring.baseline import BagOfWords
    from lstmtext.scoring.suite import read_suite, score_suite
    from lstmtext.text.labelled import read_source

    suite = read_suite(place)
    found = score_suite(suite, positives)
    examples = [example for name in baseline for example in read_source(name).examples]
    found["baselines"] = {
        "trained on": list(baseline),
        **{
            name: score_suite(suite, BagOfWords(examples, pairs=pairs).positives)
            for name, pairs in (("bag of words", False), ("bigrams", True))
        },
    }
    if failures:
        found["failures"] = _suite_failures(suite, positives)
    return found


def _suite_failures(suite: Suite, positives: Any) -> list[dict[str, Any]]:
    answers = positives([case.text for case in suite.cases])
    return [
        {"text": case.text, "phenomenon": case.phenomenon, "positive": float(answer)}
        for case, answer in zip(suite.cases, answers, strict=True)
        if _wrong(float(answer), positive=case.positive)
    ]


def _wrong(answer: float, *, positive: bool) -> bool:
    """Whether P(positive) is not on its label's side of ½; a tie is wrong, as in the scores."""
    return answer <= 0.5 if positive else answer >= 0.5


def _metrics(found: dict[str, Any], name: str, *, own: bool) -> dict[str, Metric]:
    """What is recorded. own: the model has learned from this text."""
    from lstmtext.store.card import LEARNED_FROM, side_protocol
    from lstmtext.store.checkpoint import Metric

    command = typed_command()
    data = Path(name).name.partition(".")[0]
    neutral = "phenomena" not in found and found["judged"] < found["examples"]
    if "phenomena" in found:
        scores = {
            f"{data}: all four right": (found["quadruples"]["all_four_right"], "quadruples right"),
            f"{data}: hard cases": (found["hard"]["accuracy"], "accuracy"),
        }
    else:
        scores = {
            f"{data}: accuracy": (found["accuracy"], "accuracy"),
            f"{data}: labels right": (found["labels_right"] if neutral else None, "accuracy"),
            f"{data}: calibration error": (found["calibration_error"], "expected calibration error"),
        }
    polar, all_texts = side_protocol(neutral=neutral), "the label that `classify` gives"
    return {
        key: Metric(
            value=value,
            unit=unit,
            protocol=(all_texts if key.endswith("labels right") else polar) + LEARNED_FROM * own,
            data=data,
            command=command,
        )
        for key, (value, unit) in scores.items()
        if value is not None  # a suite may have no hard cases
    }


def _percent(value: float | None) -> str:
    return "     -" if value is None else f"{100 * value:5.1f}%"


def _show_labelled(found: dict[str, Any]) -> None:
    if "left_out" in found:
        click.echo(f"Left out of {found['data']}: {found['left_out']}.")
    if "labels" in found:
        click.echo(f"Labels of {found['data']}: {found['labels']}.")
    area = "-" if found["auc"] is None else f"{found['auc']:.3f}"
    click.echo(
        f"accuracy {_percent(found['accuracy']).strip()}  F1 {found['f1']:.3f}  AUC {area}  "
        f"calibration error {found['calibration_error']:.3f}"
    )
    parts = found["by_negation"]
    others = "without one" if parts["cue"] else "texts without a negation cue"
    for said, part in (("with a negation cue", parts["cue"]), (others, parts["no_cue"])):
        if part:
            click.echo(f"{said}: {_percent(part['accuracy']).strip()} of {part['examples']:,}")
    click.echo(
        f"labels right, neutral among them: {_percent(found['labels_right']).strip()} of {found['examples']:,}; "
        "true label → called"
    )
    for label, row in found["confusion"].items():
        click.echo(f"  {label:<9} " + "  ".join(f"{called} {count:,}" for called, count in row.items()))
    click.echo(
        f"{found['model']} on {found['data']}: {found['judged']:,} of {counted(found['examples'], 'text')} judged"
    )
    _show_failures(found)


def _show_suite(found: dict[str, Any]) -> None:
    baselines = found["baselines"]
    names = ["bag of words", "bigrams"]
    click.echo(f"{'':<14} {'texts':>5}  {'right':>6} {'pos.':>6} {'neg.':>6}   {'words':>6} {'bigrams':>7}")
    for name, part in found["phenomena"].items():
        others = [_percent(baselines[other]["phenomena"][name]["accuracy"]) for other in names]
        mine = " ".join(_percent(part[key]) for key in ("accuracy", "positive", "negative"))
        click.echo(f"{name:<14} {part['examples']:>5}  {mine}   {others[0]} {others[1]:>7}")
    fours = [_percent(baselines[other]["quadruples"]["all_four_right"]) for other in names]
    mine = _percent(found["quadruples"]["all_four_right"])
    click.echo(f"{'all four right':<14} {found['quadruples']['count']:>5}  {mine} {'':>13}   {fours[0]} {fours[1]:>7}")
    if found["hard"]["examples"]:
        hard = [_percent(baselines[other]["hard"]["accuracy"]) for other in names]
        part = found["hard"]
        mine = " ".join(_percent(part[key]) for key in ("accuracy", "positive", "negative"))
        click.echo(f"{'hard cases':<14} {part['examples']:>5}  {mine}   {hard[0]} {hard[1]:>7}")
    click.echo(f"{found['model']} on {found['data']}; words and bigrams fitted on {', '.join(baselines['trained on'])}")
    _show_failures(found)


def _show_failures(found: dict[str, Any]) -> None:
    for failure in found.get("failures", ()):
        what = failure.get("phenomenon") or failure["label"]
        click.echo(f"  {failure['positive']:.3f}  {what:<13} {printable(failure['text'])}")
