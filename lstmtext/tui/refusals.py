"""What can be seen to be wrong with a new training without starting a process for it.

The same sentences as the command line's, in the form's words. Must not read more than the beginning of a text.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from lstmtext.errors import LstmtextError
from lstmtext.places import check_name, runs_folder
from lstmtext.tui.launch import FieldError, words_of

__all__ = ["in_words_of_the_form", "refuse_name", "refuse_text"]

LEAST_CHARACTERS = 200  # no recipe has a batch of less than 1 000 tokens; a batch that is set by hand may be small
FIELDS = {
    "name": "Run's name",
    "hidden": "units of Size",
    "layers": "layers of Size",
    "recipe": "Recipe",
    "tokenizer": "Tokenizer",
    "cell": "Cell",
    "device": "Device",
    "init": "Grow from",
    "minutes": "Budget",
    "epochs": "Budget",
    "steps": "Budget",
}


def refuse_name(name: str) -> None:
    """Raise FieldError for a run's name that is none or taken."""
    from lstmtext.store.run_writer import refuse_content

    if name:
        with _said_of("name"):
            check_name(name)
            refuse_content(runs_folder() / name)


def refuse_text(form: Mapping[str, str]) -> None:
    """Raise FieldError for a text that is not there or is none, by its beginning. To be called in a thread."""
    names = words_of(form, "corpus")
    if "-" in names:
        raise FieldError("corpus", "'-' is standard input, which a trainer of its own has none of. Name a file.")
    if any(path.exists() and not (path.is_file() or path.is_dir()) for path in map(Path, names)):
        return  # a pipe can be read only once: by the trainer
    with _said_of("corpus"):
        if form.get("task") == "sentiment":
            _refuse_labelled(names)
        else:
            _refuse_plain(names, form.get("set", ""))


def _refuse_plain(names: list[str], others: str) -> None:
    from lstmtext.text.corpus import open_corpus

    corpus = open_corpus(names)
    if "field=" in others:
        return
    pieces = list(itertools.islice(corpus.pieces(), 2))
    if not pieces:
        raise FieldError("corpus", f"{shlex.join(names)} is empty: there is no text in it.")
    if sum(map(len, pieces)) < LEAST_CHARACTERS and not re.search("batch_size=|sequence_length=", others):
        said = f"{shlex.join(names)} has {sum(map(len, pieces))} characters, too few to learn from."
        raise FieldError("corpus", f"{said} Name a text of some thousands.")


def _refuse_labelled(names: list[str]) -> None:
    from lstmtext.text import library
    from lstmtext.text.rows import file_rows

    for name in names:
        path = Path(name)
        if path.is_file() and next(file_rows(path), None) is None:
            raise FieldError("corpus", f"{name} is empty: there is no labelled text in it.")
        if not path.exists() and name not in library.entries():
            raise FieldError("corpus", f"There is no file, folder or library corpus {name!r} of labelled text.")


@contextlib.contextmanager
def _said_of(field: str) -> Iterator[None]:
    try:
        yield
    except LstmtextError as error:
        raise FieldError(field, in_words_of_the_form(str(error))) from None


def in_words_of_the_form(message: str) -> str:
    """A sentence of the command line with the form's fields for its options."""
    message = re.sub(r"lstmtext train \w+ --resume ('[^']*'|\S+)", "R in its dashboard", message)
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)(?: (\d[\d.]*))?", _field, message)


def _field(option: re.Match[str]) -> str:
    name, value = option[1], option[2]
    if name in FIELDS:
        return FIELDS[name] + (f" {value}" if value else "")
    return name.replace("-", "_") + (f"={value}" if value else "") + " in Other"
