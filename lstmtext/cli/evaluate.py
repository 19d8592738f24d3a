"""`lstmtext evaluate MODEL DATA`: a language model's loss with the protocol named, or a classifier's accuracy."""

from __future__ import annotations

import math
import re
import sys
import time
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lstmtext.cli.typed import typed_command
from lstmtext.errors import DivergedError, InputError, UsageError

__all__ = ["command"]

# Options of one kind of model, which would do nothing with the other.
LANGUAGE_MODEL = ["protocol", "dynamic", "dynamic_rate", "dynamic_decay", "dynamic_segment", "window", "windows"]
LANGUAGE_MODEL += ["seed", "part", "validation", "field", "device"]
# Of a language model, which would do nothing without another option's value.
PARTS = ("train", "validation")
NEEDED = dict.fromkeys(("window", "windows", "seed"), ("protocol", ("windowed",))) | {"validation": ("part", PARTS)}
CLASSIFIER = ["text_column", "label_column", "label_map", "baseline", "failures"]


@click.command(
    epilog="Examples:\n\n\b\n  lstmtext evaluate shakespeare harbour\n"
    "  lstmtext evaluate shakespeare tinyshakespeare --part validation --protocol windowed --json\n"
    "  lstmtext evaluate shakespeare harbour --dynamic\n"
    "  lstmtext evaluate sentiment negation",
)
@click.argument("model")
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--protocol",
    type=click.Choice(["stateful", "windowed"]),
    default="stateful",
    show_default=True,
    help="stateful: the whole text in order, state carried. windowed: random windows from a zero state.",
)
@click.option("--dynamic", is_flag=True, help="Stateful, and the model adapts to what it has read.")
@click.option("--dynamic-rate", type=click.FloatRange(min=0), help="Step size of the adaptation.")
@click.option("--dynamic-decay", type=click.FloatRange(0, 1), help="Its pull back to the trained weights, per step.")
@click.option("--dynamic-segment", type=click.IntRange(min=1), help="Tokens scored between two of its steps.")
@click.option("--window", type=click.IntRange(min=1), default=256, show_default=True, help="Tokens per window.")
@click.option("--windows", type=click.IntRange(min=1), default=4096, show_default=True, help="How many windows.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Where the windows lie.")
@click.option(
    "--part",
    type=click.Choice(["all", "train", "validation"]),
    default="all",
    show_default=True,
    help="Of DATA: all of it, or one side of its split.",
)
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Where that split is: the share of the last part. Default: 0.1, or as the corpus comes.",
)
@click.option("--field", default="text", help="Field of .jsonl records.")
@click.option("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--text-column", default="", metavar="NAME", help="Classifier: column or field of the text.")
@click.option("--label-column", default="", metavar="NAME", help="Classifier: column or field of the label.")
@click.option("--label-map", metavar="A=negative,B=positive", help="Classifier: what labels mean; default: by scale.")
@click.option("--baseline", multiple=True, metavar="DATA", help="Suite: fit the baselines on this; default everyday.")
@click.option("--failures", is_flag=True, help="Classifier: print the texts on the wrong side.")
@click.option("--record", is_flag=True, help="Write the score into the model's config and card.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(
    model: str,
    data: tuple[str, ...],
    protocol: str,
    dynamic: bool,
    dynamic_rate: float | None,
    dynamic_decay: float | None,
    dynamic_segment: int | None,
    window: int,
    windows: int,
    seed: int,
    part: str,
    validation: float | None,
    field: str,
    device: str,
    text_column: str,
    label_column: str,
    label_map: str | None,
    baseline: tuple[str, ...],
    failures: bool,
    record: bool,
    as_json: bool,
) -> None:
    """Measure MODEL on DATA: files, folders, or names of `lstmtext corpora list`.

    A language model: its loss in float32, in nats per token; also in bits per character, which can be compared
    between tokenizers. A classifier: accuracy on labelled text, or, on a negation suite such as `negation`,
    accuracy by phenomenon beside a bag of words and a bag of word pairs.
    """
    from lstmtext.store.checkpoint import read_config
    from lstmtext.store.models import find_model

    folder = find_model(model)
    classifier = read_config(folder).kind == "classifier"
    _refuse_ignored(model, classifier)
    if record:
        _refuse_shipped(model, folder)
    if classifier:
        from lstmtext.cli.evaluate_classifier import evaluate_classifier
        from lstmtext.cli.train_labels import read_label_map

        columns = (text_column, label_column, read_label_map(label_map) if label_map else {})
        evaluate_classifier(folder, model, data, columns, baseline, failures=failures, record=record, as_json=as_json)
        return
    if dynamic and protocol == "windowed":
        raise UsageError("--dynamic reads the text in order; it has no windowed form.")
    asked: dict[str, Any] = {"learning_rate": dynamic_rate, "decay": dynamic_decay, "segment": dynamic_segment}
    given = {name: value for name, value in asked.items() if value is not None}
    if given and not dynamic:
        raise UsageError("--dynamic-rate, --dynamic-decay and --dynamic-segment belong to --dynamic.")
    numbers = {"--dynamic-rate": dynamic_rate, "--dynamic-decay": dynamic_decay, "--validation": validation}
    for option, number in numbers.items():  # nan is in no range, and click lets it through
        if number is not None and not math.isfinite(number):
            raise UsageError(f"{option} is {number}; it must be a finite number.")
    import msgspec

    from lstmtext.cli.evaluate_classifier import OWN_TEXT
    from lstmtext.store.card import LEARNED_FROM
    from lstmtext.store.checkpoint import Metric
    from lstmtext.store.models import record_metric
    from lstmtext.training.evaluation import DynamicSettings, dynamic_loss, stateful_loss, windowed_loss
    from lstmtext.training.precision import Arithmetic, choose_device
    from lstmtext.training.restore import load_language_model
    from lstmtext.units import bits_from_nats, counted, perplexity_from_nats

    arithmetic = Arithmetic(choose_device(device), "float32")
    loaded, tokenizer = load_language_model(folder, arithmetic)
    ids, per_token, name, sha256 = _tokens(data, field, part, validation, tokenizer)
    if own := _has_learned(read_config(folder).corpus, sha256, part, validation):
        click.echo(OWN_TEXT.format(model=model, data=name), err=True)
    unread = 0 if tokenizer.unknown_id is None else int((ids[1:] == tokenizer.unknown_id).sum())
    unknown = unread / max(1, len(ids) - 1)
    if unknown == 1:
        raise InputError(f"{model} knows no {tokenizer.unit} of {name}, so that its loss there says nothing.")
    started = time.perf_counter()
    if dynamic:
        chosen = DynamicSettings(**given)
        protocol = "dynamic"
        said = (
            f"stateful, dynamic evaluation (rate {chosen.learning_rate:g}, decay {chosen.decay:g}, "
            f"every {counted(chosen.segment, 'token')} after scoring them), float32"
        )
        total, tokens = dynamic_loss(loaded, ids, arithmetic, chosen, _progress(len(ids)))
    elif protocol == "windowed":
        said = (
            f"{counted(windows, 'random window')} of {counted(window, 'token')} from zero state (seed {seed}), float32"
        )
        total, tokens = windowed_loss(loaded, ids, arithmetic, window, windows, seed)
    else:
        said = "stateful: the whole text in order, state carried, float32"
        total, tokens = stateful_loss(loaded, ids, arithmetic)
    seconds = time.perf_counter() - started
    nats = total / tokens
    if dynamic and not math.isfinite(nats):
        raise DivergedError(
            f"While the model adapted, the loss became {nats}: steps of --dynamic-rate {chosen.learning_rate:g} "
            f"are too large. Give less; the default is {DynamicSettings().learning_rate:g}."
        )
    per_character = nats / per_token
    found: dict[str, Any] = {
        "model": model,
        "data": name,
        "protocol": protocol,
        "tokens": tokens,
        "characters": round(tokens * per_token),
        "loss_nats_per_token": nats,
        "loss_nats_per_character": per_character,
        "bits_per_character": bits_from_nats(per_character),
        "perplexity": perplexity_from_nats(nats),
        "unknown_share": unknown,
        "seconds": seconds,
    }
    if record:
        unit = f"nats per {tokenizer.unit}"
        metric = Metric(
            value=nats,
            unit=unit,
            protocol=said + LEARNED_FROM * own,
            data=name,
            command=typed_command(),
            characters_per_token=per_token,
        )
        record_metric(folder, protocol, metric)
        click.echo(f"Recorded {name!r} on the card in {str(folder)!r}.", err=True)
    if as_json:
        click.echo(msgspec.json.encode(found))  # null for what is no finite number
        return
    click.echo(f"{nats:.4f} nats per {tokenizer.unit}, perplexity {perplexity_from_nats(nats):.2f}")
    click.echo(f"{per_character:.4f} nats and {bits_from_nats(per_character):.4f} bits per character")
    if unknown:
        share = "Less than 0.1" if unknown < 0.001 else f"{100 * unknown:.1f}"
        click.echo(
            f"{share} % of the text's {tokenizer.unit}s are unknown to the model: "
            "it need not say which they are, and that lowers its loss."
        )
    click.echo(f"{model} on {name}: {counted(tokens, 'token')}, {said}, {seconds:.0f} s")


def _has_learned(corpus: Any, sha256: str, part: str, validation: float | None) -> bool:
    """Whether a model whose config has this `corpus` has learned from some of a part of the text with this sha256."""
    from lstmtext.text.preparation import DEFAULT_VALIDATION

    learned = re.search(r"first (\S+) of the text", corpus.split)  # rounded alike; else it was validated on a file
    begins = float(f"{1 - (validation or DEFAULT_VALIDATION):.4g}")
    return sha256 == corpus.sha256 and (part != "validation" or learned is None or begins < float(learned[1]))


def _refuse_ignored(model: str, classifier: bool) -> None:
    """Raise UsageError for an option that was typed and would do nothing."""
    context = click.get_current_context()

    def typed(name: str) -> bool:
        return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

    for name in LANGUAGE_MODEL if classifier else CLASSIFIER:
        here = name == "device" and context.params[name] in ("auto", "cpu")  # where a classifier answers anyway
        if typed(name) and not here:
            kinds = ("language models", "a classifier") if classifier else ("classifiers", "a language model")
            raise UsageError(
                f"--{name.replace('_', '-')} is for {kinds[0]}, and {model!r} is {kinds[1]}: leave it out."
            )
    for name, (other, values) in NEEDED.items():
        if typed(name) and context.params[other] not in values:
            raise UsageError(f"--{name} is for --{other} {' or '.join(values)}: add that, or leave --{name} out.")


def _refuse_shipped(model: str, folder: Path) -> None:
    """Raise UsageError for a shipped model, unless it was named by its folder: who does that means it."""
    from lstmtext.places import shipped_folder

    if not Path(model).exists() and folder.resolve().is_relative_to(shipped_folder("checkpoints").resolve()):
        raise UsageError(
            f"--record would change the card of {folder.name!r}, which came with the program: copy {str(folder)!r} "
            "and give that folder as MODEL."
        )


def _tokens(
    data: tuple[str, ...], field: str, part: str, validation: float | None, tokenizer: Any
) -> tuple[Any, float, str, str]:
    """The token ids of the wanted part, the characters of its text per token, its name, and the sha256 of all text."""
    import numpy as np

    from lstmtext.text.corpus import open_corpus
    from lstmtext.text.preparation import DEFAULT_VALIDATION

    corpus = open_corpus(list(data), field=field)
    name = corpus.name
    # The same split as in training: a corpus with two parts is divided only where that is asked for.
    if part != "all" and validation is None and corpus.validation_file:
        if part == "validation":
            corpus = open_corpus([str(corpus.validation_file)], field=field)
        part, name = "all", f"{name}, {part} part"
    scanned = corpus.scan()
    start, stop = 0, scanned.bytes
    if part != "all":
        held_out = validation or DEFAULT_VALIDATION
        # At a line end where a token could be cut.
        border = corpus.boundary(int(stop * (1 - held_out) + 1e-9), line=tokenizer.kind not in ("char", "byte"))
        start, stop = (0, border) if part == "train" else (border, stop)
        name += f", first {100 - 100 * held_out:.4g}%" if part == "train" else f", last {100 * held_out:.4g}%"
    unknown: list[str] = []
    ids = []
    characters = 0
    for piece in corpus.pieces(start, stop):
        ids.append(tokenizer.encode(piece).astype(np.min_scalar_type(tokenizer.size)))  # as small as on disk
        characters += len(piece)
        if len(unknown) < 10:
            unknown = list(dict.fromkeys([*unknown, *tokenizer.unknown(piece)]))
    if unknown:
        shown = ", ".join(repr(token) for token in unknown[:10])
        click.echo(f"Note: the model does not know {shown}{' and more' if len(unknown) > 10 else ''}.", err=True)
    found = np.concatenate(ids) if ids else np.empty(0, np.int64)
    return found, characters / max(len(found), 1), name, scanned.sha256


def _progress(total: int) -> Any:
    """A line now and then while a long evaluation runs; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None
    last = [0.0]

    def show(done: int, mean: float) -> None:
        now = time.monotonic()
        if now - last[0] > 0.5 or done >= total - 1:
            last[0] = now
            click.echo(f"\r{done:,} of {total:,} tokens, {mean:.4f} nats per token ", err=True, nl=done >= total - 1)

    return show
