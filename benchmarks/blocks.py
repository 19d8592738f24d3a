"""The generated blocks of docs/results.md, between `<!-- bench: NAME -->` and `<!-- end -->`.

A block is one part or several: a part is tables, then a line that says on which machine and when they were made. The
newest part comes first. Rows that a later run could not measure stay, in the part of the run that did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from table import NOT_MEASURED, markdown

SEPARATOR = re.compile(r"\|(\s*:?-+:?\s*\|)+")


class Table(NamedTuple):
    """columns: their heads. rows: their cells; the first one is the row's name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def only(self, names: set[str], *, wanted: bool = True) -> Table:
        """The rows of these names, or (wanted=False) the others."""
        return self._replace(rows=tuple(row for row in self.rows if (row[0] in names) == wanted))

    def with_command(self, command: str) -> Table:
        """A last column that says in every row how it is made again."""
        cell = f"`{command}`"
        return Table((*self.columns, "command"), tuple((*row, cell) for row in self.rows))


class Part(NamedTuple):
    """made: the machine, the versions and the day, in one paragraph."""

    tables: tuple[Table, ...]
    made: str


def tables_of(text: str) -> tuple[Table, ...]:
    """Every Markdown table in a text, whatever stands between them."""
    found: list[Table] = []
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines):
        if SEPARATOR.fullmatch(line) and number and lines[number - 1].startswith("|"):
            rows = []
            for below in lines[number + 1 :]:
                if not below.startswith("|"):
                    break
                rows.append(_cells(below))
            found.append(Table(_cells(lines[number - 1]), tuple(rows)))
    return tuple(found)


def parts_of(block: str) -> list[Part]:
    """The parts of a block's text; a table that no line about its making follows has an empty one."""
    found, tables = [], ""
    for paragraph in re.split(r"\n\s*\n", block.strip()):
        if paragraph.lstrip().startswith("|"):
            tables += f"{paragraph}\n\n"
        elif tables:
            found.append(Part(tables_of(tables), " ".join(paragraph.split())))
            tables = ""
    return found + ([Part(tables_of(tables), "")] if tables else [])


def merged(new: Part, old: Sequence[Part]) -> list[Part]:
    """`new`, and the rows of `old` that it names without having measured them."""
    lacking = _names([new], lacking=True)
    kept = [
        Part(tuple(table.only(lacking & _names([part], lacking=False)) for table in part.tables), part.made)
        for part in old
    ]
    had = _names(kept, lacking=False)
    parts = [Part(tuple(table.only(had, wanted=False) for table in new.tables), new.made), *kept]
    tidy = [Part(tuple(table for table in part.tables if table.rows), part.made) for part in parts]
    return [part for part in tidy if part.tables]


def written(parts: Sequence[Part]) -> str:
    """The text of a block; `parts_of` reads it again."""
    paragraphs = []
    for part in parts:
        paragraphs += [*(markdown(*table) for table in part.tables), part.made]
    return "\n\n".join(filter(None, paragraphs))


def block_of(page: str, name: str) -> str | None:
    """The text between a block's marks, or None where the page has no such block."""
    found = _block(name).search(page)
    return found["text"].strip("\n") if found else None


def replaced(page: str, name: str, text: str) -> str:
    """The page with another text in that block, which it must have; everything else stays as it is."""
    return _block(name).sub(lambda found: f"{found['begin']}\n{text}\n{found['end']}", page, count=1)


def _block(name: str) -> re.Pattern[str]:
    return re.compile(  # an end that is missing does not take the next block along
        rf"(?P<begin>^<!-- bench: {re.escape(name)} -->$)(?P<text>(?:(?!<!-- bench:).)*?)(?P<end>^<!-- end -->$)",
        re.M | re.S,
    )


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|")))


def _names(parts: Sequence[Part], *, lacking: bool) -> set[str]:
    """Of the rows that were measured, or (lacking) of those that were not."""
    rows = [row for part in parts for table in part.tables for row in table.rows]
    return {row[0] for row in rows if any(cell.startswith(NOT_MEASURED) for cell in row) == lacking}
