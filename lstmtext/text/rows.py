"""The rows of labelled files: text, label as written, and what a row belongs with.

    .tsv .csv .jsonl    columns, found by their usual names or by what the caller says; a .csv has commas between
                        them, semicolons, tabs or bars, whichever its first line has most of, or what Excel's
                        line `sep=;` says; a .tsv has tabs, and its cells in quotation marks or not: `quoting.py`
    .txt                `label<TAB>text` a line, or bracketed trees of the Stanford Sentiment Treebank,
                        of which every phrase is a row
    folder              `pos/` and `neg/` (and `neutral/`) of one text a file, as IMDb has it; else all the
                        labelled files in it

each also as .gz and .xz. Must not know what labels mean. Must not import torch.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from lstmtext.errors import InputError, UsageError
from lstmtext.places import piped_folder
from lstmtext.text.columns import (
    BLANK_HEADER,
    GROUP_NAMES,
    LABEL_NAMES,
    NO_HEADER,
    SEVERAL,
    TEXT_NAMES,
    listed,
    named_column,
    quoted,
    usual_columns,
)
from lstmtext.text.decoding import check_text, in_folder, normalised_blocks, open_decompressed, text_suffix
from lstmtext.text.quoting import PEEK_BYTES, is_quoted
from lstmtext.units import counted

__all__ = [
    "NAME_IT",
    "SUFFIXES",
    "Form",
    "Row",
    "delimiter_of",
    "file_rows",
    "folder_rows",
    "form_of",
    "labelled_files",
    "records",
    "too_many",
]

SUFFIXES = (".tsv", ".csv", ".jsonl", ".txt")
LABEL_FOLDERS = {
    "neg": "negative",
    "negative": "negative",
    "neutral": "neutral",
    "pos": "positive",
    "positive": "positive",
}
NAME_IT = "Name it: --{}-column NAME."  # to the end of what is said of a text or label that is not found
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)
_TREE_TOKEN = re.compile(r"\(\s*(\d+)(?=\s)|([^()\s]+)|([()])")


class Row(NamedTuple):
    """A text with its label as written. group and sentence: see `labelled.Example`.

    place: line and file, where the text or the label is blank or not there
    """

    text: str
    label: str
    group: str = ""
    sentence: str = ""
    place: str = ""


def labelled_files(folder: Path) -> list[Path]:
    """The labelled files directly in a folder; none if it is laid out as folders of classes."""
    names = {child.name.lower() for child in folder.iterdir() if child.is_dir()}
    if {"neg", "pos"} <= names or {"negative", "positive"} <= names:
        return []
    visible = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    tables = [path for path in visible if text_suffix(path) in SUFFIXES[:3]]
    return tables or [path for path in visible if text_suffix(path) == ".txt"]


def folder_rows(folder: Path) -> Iterator[Row]:
    """The texts of `pos/`, `neg/` and `neutral/`, one a file. Raises InputError."""
    for child in sorted(folder.iterdir()):
        label = LABEL_FOLDERS.get(child.name.lower()) if child.is_dir() else None
        if label:
            for file in sorted(child.iterdir()):
                if text_suffix(file) != ".txt" or file.name.startswith("."):
                    continue
                try:
                    text = "".join(_text(file)).strip()
                except InputError as error:
                    raise in_folder(error, file) from None
                yield _row(text, label, "", file.name)


def _text(path: Path) -> Iterator[str]:
    for block in normalised_blocks(path):
        yield block.decode()


def file_rows(path: Path, text_column: str = "", label_column: str = "") -> Iterator[Row]:
    """All rows of one file. Raises UsageError for another kind of file, InputError naming the line."""
    suffix = text_suffix(path)
    if suffix not in SUFFIXES:
        raise UsageError(f"{path} is not labelled text: expected {', '.join(SUFFIXES)}, also with .gz or .xz.")
    if suffix == ".txt":
        yield from _text_lines(path)
        return
    columns: tuple[str, str] | None = None
    for number, record in records(path):
        columns = columns or (
            _column(path, list(record), text_column, TEXT_NAMES, "text"),
            _column(path, list(record), label_column, LABEL_NAMES, "label"),
        )
        text, label, group = (
            "" if name is None or record.get(name) is None else record[name]
            for name in (*columns, _group(record, columns))
        )
        if not isinstance(text, str):
            raise InputError(f"{path}, line {number}: {columns[0]!r} holds {text!r}, not text.")
        yield _row(text, str(label), str(group), f"line {number} of {path.name}")


def records(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Line number and columns of every row of a .tsv, .csv or .jsonl. Raises InputError naming the line."""
    suffix = text_suffix(path)
    return _json_records(path) if suffix == ".jsonl" else _table_records(path, suffix)


def _row(text: str, label: str, group: str, place: str) -> Row:
    return Row(text, label, group, place="" if text.strip() and label.strip() else place)


def _group(record: dict[str, object], taken: tuple[str, str]) -> str | None:
    return next((name for name in record if name.strip().lower() in GROUP_NAMES and name not in taken), None)


class Form(NamedTuple):
    """How a table is written. quoting: cells may stand in quotation marks; skipped: lines above the header."""

    delimiter: str
    quoting: bool
    skipped: int = 0


def form_of(suffix: str, head: bytes) -> Form:
    """How a .csv or .tsv that begins with `head` is written. head: up to PEEK_BYTES, more of them are not looked at."""
    if suffix == ".tsv":
        return Form("\t", is_quoted(head))
    header = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].decode("utf-8", "replace")
    if said := _SEP.fullmatch(header):  # Excel writes and reads this line
        return Form(said[1], True, 1)
    return Form(delimiter_of(header), True)


def delimiter_of(header: str) -> str:
    """What stands between the columns of a .csv with this first line: a comma, a semicolon, a tab or a bar."""
    bare = re.sub(r'"[^"]*"', "", header)  # names may hold delimiters too
    return max(",;\t|", key=bare.count)


def too_many(found: int, expected: int, delimiter: str, *, quoting: bool) -> str:
    """What is said of a record with more columns than the header has: most of its text would be lost."""
    advice = f"a text that holds {delimiter!r} is put in quotation marks" if quoting else "a text cannot hold a tab"
    return f"it has {counted(found, 'column')} and the header has {expected}; {advice}"


def _table_records(path: Path, suffix: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Line number and record of every row."""
    text = "".join(_text(path))
    content = io.StringIO(text)
    csv.field_size_limit(1 << 30)
    delimiter, quoting, skipped = form_of(suffix, text[:PEEK_BYTES].encode())
    for _ in range(skipped):
        content.readline()
    if quoting:
        reader = csv.DictReader(content, delimiter=delimiter, strict=True)
    else:
        reader = csv.DictReader(content, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    begin = 1 + skipped  # of the record at hand, blank lines before it included
    try:
        names = reader.fieldnames
        begin = skipped + reader.line_num + 1
        if names is not None and not any(name.strip() for name in names):
            raise InputError(BLANK_HEADER.format(path))
        if twice := [name for name, times in Counter(names or ()).items() if times > 1 and name.strip()]:
            raise InputError(SEVERAL.format(path, twice[0]))
        for record in reader:
            more = record.pop(None, [])
            if any(cell.strip() for cell in more):
                problem = too_many(len(names or ()) + len(more), len(names or ()), delimiter, quoting=quoting)
                raise InputError(f"{path}, line {skipped + reader.line_num}: {problem}.")
            yield skipped + reader.line_num, dict(record)
            begin = skipped + reader.line_num + 1
    except csv.Error as error:
        advice = "A quotation mark inside a quoted text is written twice, and every quoted text must end."
        form = "CSV" if suffix == ".csv" else "a table in quotation marks, as its beginning is"
        raise InputError(f"{path}, line {begin}: this is not {form} ({error}). {advice}") from None


def _json_records(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    with open_decompressed(path) as handle:
        for number, line in enumerate(handle, start=1):
            content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not content.strip():
                continue
            check_text(content, True, 0, f"{path}, line {number}", path)
            try:
                yield number, msgspec.json.decode(content, type=dict[str, object])
            except (msgspec.MsgspecError, RecursionError) as error:
                raise InputError(
                    f"{path}, line {number}: this is not a JSON record ({error}). A .jsonl file has one per line."
                ) from None


def _column(path: Path, there: list[str], wanted: str, usual: tuple[tuple[str, ...], ...], what: str) -> str:
    if wanted:
        return there[named_column(there, wanted, str(path))]
    found = usual_columns(there, usual)
    if len(found) == 1:
        return there[found[0]]
    if found:
        raise InputError(
            f"{path}: which column is the {what}? It may be {quoted([there[index] for index in found])}; the columns "
            f"are {quoted(there)}. {NAME_IT.format(what)}"
        )
    without = ""
    if what == "text" and text_suffix(path) != ".jsonl":
        in_txt = text_suffix(path) == ".tsv" and len(there) == 2
        without = " Lines of label<TAB>text without a header belong in a .txt file." if in_txt else f" {NO_HEADER}"
    raise InputError(
        f"{path}: which column is the {what}? None of {quoted(there)} is called {listed(usual)}. "
        f"{NAME_IT.format(what)}{without}"
    )


def _text_lines(path: Path) -> Iterator[Row]:
    piped = path.parent == piped_folder()
    name, short = ("standard input", "standard input") if piped else (str(path), path.name)
    table = f" A table ({', '.join(SUFFIXES[:3])}) must be given as a file." if piped else ""
    for number, line in enumerate("".join(_text(path)).split("\n"), start=1):
        if not line.strip():
            continue
        if line.startswith("("):
            yield from _phrases(line, f"{name}, line {number}")
            continue
        label, tab, text = line.partition("\t")
        if not tab:
            raise InputError(
                f"{name}, line {number}: expected label<TAB>text, or a tree such as (3 (2 It) (4 works)).{table}"
            )
        yield _row(text, label, "", f"line {number} of {short}")


def _phrases(line: str, place: str) -> Iterator[Row]:
    """Every phrase of one tree with its label: `(3 (2 It) (4 works))` has three."""
    found: list[tuple[str, str]] = []
    open_nodes: list[tuple[str, list[str]]] = []
    for opened, word, bracket in _TREE_TOKEN.findall(line):
        if opened:
            open_nodes.append((opened, []))
        elif word and open_nodes:
            open_nodes[-1][1].append(word)
        elif bracket == ")" and open_nodes:
            label, words = open_nodes.pop()
            found.append((" ".join(words), label))
            if open_nodes:
                open_nodes[-1][1].extend(words)
        else:
            raise InputError(f"{place}: this is not a tree such as (3 (2 It) (4 works)), or its brackets do not match.")
        if not open_nodes:
            yield from (Row(text, label, "", found[-1][0]) for text, label in found)
            found = []
    if open_nodes:
        raise InputError(f"{place}: this tree's brackets do not match.")
