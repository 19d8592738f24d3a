"""`lstmtext models`: which models there are, what they are, where they lie."""

from __future__ import annotations

import json
import math
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from lstmtext.errors import CheckpointError, UsageError
from lstmtext.units import counted

if TYPE_CHECKING:
    from lstmtext.store.checkpoint import CheckpointConfig

__all__ = ["command"]

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on stdout.")


def _examples(*lines: str) -> str:
    return "Examples:\n\n\b\n" + "\n".join(f"  lstmtext models {line}" for line in lines)


@click.group("models", epilog=_examples("list", "show shakespeare", "path shakespeare"))
def command() -> None:
    """Shipped and trained models. MODEL is a name, a run's name (its best checkpoint) or a folder."""


@command.command("list", epilog=_examples("list", "list --json"))
@JSON
def list_command(as_json: bool) -> None:
    """All models: the shipped ones and the best checkpoint of every run."""
    from lstmtext.places import runs_folder
    from lstmtext.store.models import shipped_models, trained_models

    found = [(name, "shipped", folder) for name, folder in shipped_models().items()]
    found += [(name, "run", folder) for name, folder in trained_models().items()]
    documents = []
    for name, origin, folder in found:
        try:
            documents.append(_describe(name, folder, origin))
        except CheckpointError as error:
            click.echo(f"note: {name} is left out: {error}", err=True)
    if as_json:
        click.echo(json.dumps(documents))
        return
    if not documents:
        click.echo(f"There are no models, shipped or in {runs_folder()}; `lstmtext train lm FILE` makes one.", err=True)
        return
    rows = [("MODEL", "FROM", "KIND", "CELL", "UNITS", "TOKENS", "WEIGHTS", "SCORE")]
    for document in documents:
        shape = document["settings"]
        rows.append(
            (
                document["model"],
                document["origin"],
                document["kind"],
                shape["cell"],
                _units(document),
                f"{document['tokenizer']} {document['vocabulary']}",
                f"{document['parameters']:,}",
                next(map(_score, document["scores"].values()), "not measured"),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command("show", epilog=_examples("show shakespeare", "show hamlet --json"))
@click.argument("model")
@JSON
def show_command(model: str, as_json: bool) -> None:
    """What a model is, what it has read, and how good it is."""
    from lstmtext.store.models import find_model

    document = _describe(model, find_model(model))
    if as_json:
        click.echo(json.dumps(document))
        return
    shape, corpus = document["settings"], document["corpus"]
    tied = ", tied" if shape["tied"] else ""
    adaptive = f", adaptive softmax at {shape['cutoffs']}" if shape["cutoffs"] else ""
    lines = [
        ("model", document["model"]),
        ("kind", document["kind"]),
        (
            "cell",
            f"{shape['cell']}, {_units(document)}, embedding {shape['embedding']}{tied}{adaptive}",
        ),
        *document.get("classifier", {"text": {}})["text"].items(),
        ("tokens", f"{document['vocabulary']:,} ({document['tokenizer']})"),
        ("parameters", f"{document['parameters']:,}"),
        ("size", document["size"]),
        ("corpus", f"{corpus['name']} ({corpus['bytes']:,} bytes; {corpus['split']})"),
        ("licence", corpus["licence"] or "as given by whoever supplied the text"),
        *([("measured on", corpus["measured_on"])] if corpus["measured_on"] else []),
        *([("source", corpus["source"])] if corpus["source"] else []),
        *[
            (name, f"{score['text']}, {score['protocol']}, on {score['data']}")
            for name, score in document["scores"].items()
        ],
        ("trained", f"{counted(document['step'], 'step')}, seed {document['seed']}: {document['command']}"),
        ("folder", document["folder"]),
    ]
    width = max(len(label) for label, _ in lines)
    for label, value in lines:
        click.echo(f"{label.ljust(width)}  {value}")


@command.command("path", epilog=_examples("path shakespeare", "path hamlet --last"))
@click.argument("run", metavar="MODEL")
@click.option("--last", is_flag=True, help="Of a run, the last checkpoint instead of the best.")
@JSON
def path_command(run: str, last: bool, as_json: bool) -> None:
    """Print the folder of a model."""
    from lstmtext.store.models import find_model

    folder = str(find_model(run, last=last))
    click.echo(json.dumps({"model": run, "folder": folder}) if as_json else folder)


@command.command("pack", epilog=_examples("pack hamlet --output hamlet-model", "pack hamlet --output small --half"))
@click.argument("model")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder.")
@click.option("--half", is_flag=True, help="Weights in float16: half the size.")
@click.option("--notes", type=click.Path(path_type=Path), metavar="F.md", help="What to add to the model card.")
def pack_command(model: str, output: Path, half: bool, notes: Path | None) -> None:
    """Copy MODEL to a folder to share or ship: no optimizer state, a model card, one file of weights."""
    from lstmtext.store.checkpoint import read_config
    from lstmtext.store.models import find_model, pack_model
    from lstmtext.text.decoding import whole_text

    pack_model(find_model(model), output, half=half, notes=whole_text(notes.read_bytes(), str(notes)) if notes else "")
    use = "classify" if read_config(output).classifier else "generate"
    click.echo(f"{output} holds {model}; `lstmtext {use} --model {quote(str(output))}` uses it.", err=True)


@command.command("average", epilog=_examples("average sentiment mine --shares 0.3,0.7 --output between"))
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--shares", metavar="A,B,…", help="How much of each, in order. Default: the same.")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder.")
def average_command(models: tuple[str, ...], shares: str | None, output: Path) -> None:
    """Average the weights of MODELs that were trained from one another.

    One that was trained further has learned something and lost something; between the two lies a model that
    keeps most of both. Measure it: what the scores of the others were says nothing about it.
    """
    from lstmtext.cli.typed import typed_command
    from lstmtext.store.averaging import average_models
    from lstmtext.store.models import find_model

    try:
        given = [float(share) for share in shares.split(",")] if shares else [1.0] * len(models)
    except ValueError:
        raise UsageError(f"--shares is {shares!r}; numbers with commas between them are needed: 0.3,0.7.") from None
    average_models([find_model(model) for model in models], given, output, typed_command())
    names = list(models)
    if not math.isclose(total := sum(given), 1) and shares:  # they were made to add up to 1
        names = [f"{name} ({share / total:.4g})" for name, share in zip(models, given, strict=True)]
    measure = f"lstmtext evaluate {quote(str(output))} …"
    click.echo(f"{output} holds the mean of {' and '.join(names)}; measure it with `{measure}`.", err=True)


@command.command("widen", epilog=_examples("widen sentiment-tiny --hidden 128 --output wide"))
@click.argument("model")
@click.option("--hidden", required=True, type=int, metavar="N", help="Units of each layer, more than MODEL has.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="What the new units begin with.")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder.")
def widen_command(model: str, hidden: int, seed: int, output: Path) -> None:
    """Give MODEL more units. It answers as before; train it further (--init) and it has room to learn more.

    For a model that more training does not improve any more: the wider one begins where that one ended.
    """
    from lstmtext.cli.typed import typed_command
    from lstmtext.store.checkpoint import read_config
    from lstmtext.store.models import find_model
    from lstmtext.store.widening import widen_model

    folder = find_model(model)
    before = read_config(folder)
    widen_model(folder, hidden, output, typed_command(), seed)
    task = "sentiment" if before.classifier else "lm"
    go_on = f"lstmtext train {task} … --init {quote(str(output))}"
    click.echo(
        f"{output} is {model} with {hidden} units a layer instead of {before.model.hidden}; train it with `{go_on}`.",
        err=True,
    )


@command.command("deepen", epilog=_examples("deepen sentiment-tiny --output deep"))
@click.argument("model")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder.")
def deepen_command(model: str, output: Path) -> None:
    """Give MODEL one more layer. It answers nearly as before; train it further (--init) and it has more to learn with.

    For a model that neither more training nor more units improve any more.
    """
    from lstmtext.cli.typed import typed_command
    from lstmtext.store.checkpoint import read_config
    from lstmtext.store.deepening import deepen_model
    from lstmtext.store.models import find_model

    folder = find_model(model)
    before = read_config(folder)
    deepen_model(folder, output, typed_command())
    task = "sentiment" if before.classifier else "lm"
    go_on = f"lstmtext train {task} … --init {quote(str(output))}"
    grown = f"{counted(before.model.layers + 1, 'layer')} instead of {before.model.layers}"
    click.echo(f"{output} is {model} with {grown}; train it with `{go_on}`.", err=True)


def _units(document: dict[str, Any]) -> str:
    both = " both ways" if document.get("classifier", {}).get("bidirectional") else ""
    return f"{document['settings']['layers']} × {document['settings']['hidden']}{both}"


def _score(score: dict[str, Any]) -> str:
    """A figure, and what an accuracy is not of."""
    from lstmtext.store.card import side_protocol

    left_out = score["unit"] == "accuracy" and score["protocol"].startswith(side_protocol(neutral=True))
    return f"{score['text']}{', neutral left out' if left_out else ''}"


def _describe(name: str, folder: Path, origin: str | None = None) -> dict[str, Any]:
    """Everything that `show --json` prints. Raises CheckpointError for a folder that cannot be read."""
    import msgspec

    from lstmtext.store.card import describe_calibration, describe_metric, describe_readout
    from lstmtext.store.checkpoint import read_config
    from lstmtext.units import format_bytes

    config = read_config(folder)
    document = msgspec.to_builtins(config)
    weights = folder / "model.safetensors"
    size = weights.stat().st_size if weights.is_file() else None
    facts = {}
    if config.classifier is not None:
        text = {
            "classes": ", ".join(config.classifier.classes),
            "reads out": describe_readout(config.classifier),
            "calibration": describe_calibration(config.classifier),
        }
        facts["classifier"] = {**document["classifier"], "text": text}
    return {
        "model": name,
        **({"origin": origin} if origin else {}),
        "folder": str(folder),
        "kind": config.kind,
        **facts,
        "settings": document["model"],
        "tokenizer": config.tokenizer.kind,
        "vocabulary": config.tokenizer.size,
        "parameters": _parameters(config),
        "bytes": size,
        "size": "model.safetensors is missing" if size is None else format_bytes(size),
        "corpus": document["corpus"],
        "scores": {
            key: {**document["metrics"][key], "text": describe_metric(metric, config.characters_per_token)}
            for key, metric in config.metrics.items()
        },
        "step": config.step,
        "seed": config.seed,
        "command": config.command,
        "versions": config.versions,
    }


def _parameters(config: CheckpointConfig) -> int:
    from lstmtext.store.checkpoint import config_shapes

    return sum(math.prod(shape) for shape in config_shapes(config).values())
