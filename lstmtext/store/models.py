"""Names of models: shipped, trained (a run's name means its best checkpoint), or a folder."""

from __future__ import annotations

import difflib
from pathlib import Path

import msgspec
import numpy as np

from lstmtext.errors import CheckpointError, UsageError
from lstmtext.files import exists, write_atomically
from lstmtext.places import runs_folder, shipped_folder
from lstmtext.printable import short
from lstmtext.store.card import model_card, notes_of
from lstmtext.store.checkpoint import Metric, encode_config, read_checkpoint, read_config, write_checkpoint
from lstmtext.store.checkpoint_index import read_index

__all__ = [
    "find_model",
    "pack_model",
    "record_metric",
    "shipped_models",
    "trained_models",
]


def shipped_models() -> dict[str, Path]:
    """The models that came with the program, by name."""
    folder = shipped_folder("checkpoints")
    if not folder.is_dir():
        return {}
    return {path.name: path for path in sorted(folder.iterdir()) if (path / "config.json").is_file()}


def trained_models() -> dict[str, Path]:
    """The best checkpoint of every run that has one, by the run's name; hidden folders are none."""
    folder = runs_folder()
    found = {}
    for run in sorted(folder.iterdir()) if folder.is_dir() else ():
        if run.name.startswith("."):
            continue
        try:
            index = read_index(run)
        except (CheckpointError, OSError):
            continue  # one damaged run must not hide the others; whoever names it is told
        if index is not None:
            found[run.name] = run / "checkpoints" / (index.best or index.last)
    return found


def find_model(name: str, *, last: bool = False, kind: str | None = None) -> Path:
    """The checkpoint folder that `name` means: a folder, a run folder, a shipped or a trained model.

    last: of a run, the last checkpoint instead of the best; kind: classifier or language-model, what is wanted: no
    other is offered instead (whoever opens it says so if this one is another).
    Raises UsageError naming the nearest models when there is none.
    """
    for folder in (Path(name), runs_folder() / name):
        if exists(folder / "checkpoints.json") or exists(folder / "checkpoints"):
            index = read_index(folder)
            if index is not None:
                return folder / "checkpoints" / (index.last if last or not index.best else index.best)
        if exists(folder / "events.jsonl"):
            raise CheckpointError(f"The run {folder.name!r} has not saved a checkpoint yet.")
        if folder == Path(name) and exists(folder / "config.json"):
            return folder
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    names = [each for each, folder in {**shipped, **trained_models()}.items() if _is(folder, kind)]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names) or 'none yet'}."
    where = f"not shipped, not trained in {runs_folder()}, and not a model folder"
    raise UsageError(f"There is no model {short(name)!r}: {where}. {hint}")


def _is(folder: Path, kind: str | None) -> bool:
    try:
        return kind is None or read_config(folder).kind == kind
    except (CheckpointError, OSError):
        return False


def record_metric(folder: Path, name: str, metric: Metric) -> None:
    """Add a score to a checkpoint's `config.json` and card. Raises CheckpointError, OSError."""
    checkpoint = read_checkpoint(folder)
    config = msgspec.structs.replace(checkpoint.config, metrics={**checkpoint.config.metrics, name: metric})
    write_atomically(folder / "config.json", encode_config(config))
    notes = notes_of((folder / "README.md").read_text(encoding="utf-8"))
    card = model_card(checkpoint.name, config, sum(value.size for value in checkpoint.tensors.values()), notes)
    write_atomically(folder / "README.md", card)


def pack_model(source: Path, target: Path, *, half: bool, notes: str = "") -> None:
    """Copy a checkpoint without what only training needs, for others to use.

    half: weights in float16, half the size; losses change in the fourth digit.
    notes: markdown for the model card, beside what the config knows.
    Raises CheckpointError for weights too large for float16; OSError, also when `target` exists.
    """
    checkpoint = read_checkpoint(source)
    kind = np.float16 if half else np.float32
    with np.errstate(over="ignore"):  # what is too large becomes infinite and is refused below
        tensors = {name: value.astype(kind) for name, value in checkpoint.tensors.items()}
    parameters = sum(value.size for value in tensors.values())
    if target.exists():
        raise UsageError(f"{target} exists already. Choose another folder, or remove it first.")
    card = model_card(target.name, checkpoint.config, parameters, notes)
    write_checkpoint(target, checkpoint.config, checkpoint.tokenizer_json, tensors, card)
