"""The texts that a run wrote: as rows of a table, as pages, and what changed from one to the other, word by word.

Pure functions; draws nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from lstmtext.printable import printable
from lstmtext.tui.history import Sample
from lstmtext.tui.numbers import short
from lstmtext.tui.widgets.canvas import Runs, join

__all__ = ["clean", "page", "row", "word_diff", "wrap"]

# Words and spaces of each text: two texts that go round in circles, as those of young models do, take the cube of it to
# match, a third of a second for so many. What comes after them is shown as it is.
MOST_WORDS = 600
LEAST_BETWEEN = 2  # words that must have stayed between two changes to be shown as such
JUNK_PER_DIFF = 0.2  # texts with less in common than this are shown as they are: a diff of everything says nothing


def clean(text: str) -> str:
    """Without control characters: a model of bytes can write escape sequences. Tabs become spaces."""
    return printable(text.replace("\t", "    ").replace("\r\n", "\n"))


def row(sample: Sample, width: int, *, ascii: bool = False) -> str:
    """One line of the table: step, validation loss, whether it was asked for, what followed the prompt."""
    loss = "-" if sample.loss is None else short(sample.loss)
    asked = ("?" if ascii else "›") if sample.requested else " "
    mark = "|" if ascii else "⏎"
    text = clean(sample.text.removeprefix(sample.prompt)).lstrip("\n").rstrip()
    text = re.sub(r"\s*\n\s*", f" {mark} ", text)
    line = f"{sample.step:>9,} {loss:>6} {asked} {text}"
    if cell_len(line) > width > 1:
        line = set_cell_size(line, width - 1) + ("~" if ascii else "…")
    return set_cell_size(line, width)


def word_diff(before: str, after: str) -> tuple[list[tuple[str, str]], bool]:
    """`after` as (text, role) pieces with `added` words, `removed` ones where they were; and whether it is a diff.

    Not one when the two have too little in common. A word that stayed by chance between two changes counts as changed:
    a sentence of single words old and new in turn cannot be read.
    """
    old, every = _words(before)[:MOST_WORDS], _words(after)
    new, rest = every[:MOST_WORDS], "".join(every[MOST_WORDS:])
    opcodes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changes: list[tuple[bool, int, int, int, int]] = []  # whether it stayed, and where that is in both
    for place, (kind, a0, a1, b0, b1) in enumerate(opcodes):
        between = 0 < place < len(opcodes) - 1
        stayed = kind == "equal" and not (between and _count(new[b0:b1]) < LEAST_BETWEEN)
        if changes and not stayed and not changes[-1][0]:
            a0, b0 = changes.pop()[1::2]
        changes.append((stayed, a0, a1, b0, b1))
    kept = sum(_count(new[b0:b1]) for stayed, *_, b0, b1 in changes if stayed)
    if 2 * kept < JUNK_PER_DIFF * (_count(old) + _count(new)) or not old:
        return [(after, "text")], False
    found: list[tuple[str, str]] = []
    for stayed, a0, a1, b0, b1 in changes:
        removed, added = "".join(old[a0:a1]), "".join(new[b0:b1])
        if stayed:
            found.append((added, "text"))
            continue
        if removed.strip():
            found.append((removed, "removed"))
            if added and not removed[-1].isspace() and not added[0].isspace():
                found.append((" ", "removed"))
        if added:
            found.append((added, "added"))
    return [*found, *([(rest, "text")] if rest else [])], True


def _count(parts: Sequence[str]) -> int:
    """Words and signs, without the spaces between them."""
    return sum(not part.isspace() for part in parts)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def page(
    sample: Sample, before: Sample | None, width: int, *, diff: bool, plain: bool = False, ascii: bool = False
) -> list[Runs]:
    """The whole text of a sample in lines of `width`, its prompt dimmed; with what changed since `before` marked.

    plain: without colours; the changes then stand in brackets: `[-gone-]` and `{+new+}`.
    """
    prompt = sample.prompt if sample.text.startswith(sample.prompt) else ""
    text = clean(sample.text[len(prompt) :])
    pieces: list[tuple[str, str]] = [(text, "text")]
    if diff and before is not None:
        pieces, _ = word_diff(clean(before.text.removeprefix(prompt)), text)
        if plain or ascii:
            brackets = {"removed": ("[-", "-]"), "added": ("{+", "+}")}
            pieces = [
                (f"{brackets[role][0]}{text}{brackets[role][1]}" if role in brackets and text.strip() else text, role)
                for text, role in pieces
            ]
    pieces = [(clean(prompt), "label"), *pieces]
    if ascii:
        pieces = [(text.encode("ascii", "replace").decode(), role) for text, role in pieces]
    return wrap(pieces, width)


def wrap(pieces: Sequence[tuple[str, str]], width: int) -> list[Runs]:
    """Pieces of text with roles in lines of at most `width` columns, broken at spaces where there are any."""
    width = max(width, 4)
    lines: list[Runs] = [[]]
    used = 0
    for text, role in pieces:
        for part in re.findall(r"\n|[^\S\n]+|[^\s]+", text):
            if part == "\n":
                lines.append([])
                used = 0
                continue
            length = cell_len(part)
            if used and used + length > width:
                lines.append([])
                used = 0
                if part.isspace():
                    continue
            while length > width:  # a word longer than a line
                head = part[:width] if cell_len(part[:width]) <= width else part[: width // 2]
                lines[-1].append((head, role))
                lines.append([])
                part = part[len(head) :]
                length = cell_len(part)
            lines[-1].append((part, role))
            used += length
    return [join(line) for line in lines]
