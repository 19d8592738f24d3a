"""How `lstmtext classify` writes one answer: as JSON, CSV, tab-separated, or for a person at a terminal.

Whatever the form, one text is one row (in CSV: one record), and a text that could not be read has its row too.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lstmtext.printable import printable

if TYPE_CHECKING:
    from lstmtext.engine.classifier import Judgement
    from lstmtext.text.lines import Line

__all__ = ["CSV_HEADER", "Answer", "Row", "csv_row", "json_rows", "screen_rows", "tab_row"]

DIGITS = 6  # of probabilities in JSON and CSV; 4 where people read them
BAR = 5  # columns to each side of ½
INDENT = 10  # columns of the label
SHOWN_CHARACTERS = 1000  # of a text, before it is cut to the width of the terminal
CSV_HEADER = "text,label,positive,score,unknown,error\n"


class Answer(NamedTuple):
    """A line and what is said of it. judgement: None where the line has a problem.

    strip: the words, each with the change of P(positive) when it is taken out; None where that was not asked for
    """

    line: Line
    judgement: Judgement | None
    strip: list[tuple[str, float]] | None = None


Row = Callable[[Answer], str]


def json_rows(model: str, *, ascii_only: bool = False) -> Row:
    """One JSON document a line. ascii_only: other characters as escapes, for an output that has none."""

    encode = json.JSONEncoder().encode if ascii_only else _utf8_encoder()

    def row(answer: Answer) -> str:
        line, found, strip = answer
        document: dict[str, object] = {"text": line.text}
        if found is None:
            document["error"] = line.problem
        else:
            positive = round(found.positive, DIGITS)
            document |= {"label": found.label, "positive": positive, "score": round(2 * positive - 1, DIGITS)}
            if len(found.probabilities) > 2:
                document["probabilities"] = {name: round(p, DIGITS) for name, p in found.probabilities.items()}
            document |= {"unknown": list(found.unknown), "model": model}
            if strip is not None:
                document["tokens"] = [word for word, _ in strip]
                document["occlusion"] = [round(change, DIGITS) for _, change in strip]
        return encode(document) + "\n"

    return row


def _utf8_encoder() -> Callable[[dict[str, object]], str]:
    """What `json` writes, in a seventh of the time, which is a sixth of what a small model takes for a text."""
    import msgspec

    encode, spaced = msgspec.json.Encoder().encode, msgspec.json.format
    return lambda document: spaced(encode(document), indent=0).decode()


def csv_row(answer: Answer) -> str:
    """One record of the columns of CSV_HEADER."""
    line, found, _ = answer
    if found is None:
        cells = [line.text, "error", "", "", "", line.problem]
    else:
        positive = f"{found.positive:.{DIGITS}f}"
        cells = [line.text, found.label, positive, f"{found.score:.{DIGITS}f}", " ".join(found.unknown), ""]
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerow(cells)
    return record.getvalue()


def tab_row(answer: Answer) -> str:
    """label, P(positive), the text, and the strip if there is one. White space in the text is plain spaces."""
    line, found, strip = answer
    cells = ["error" if found is None else found.label, "" if found is None else f"{found.positive:.4f}"]
    cells.append(_one_line(line.text))
    if strip is not None:
        cells.append(" ".join(f"{word}:{change:+.4f}" for word, change in strip))
    return "\t".join(cells) + "\n"


def screen_rows(width: int, *, colour: bool) -> Row:
    """Rows for people: label, P(positive), a bar to the left or right of ½, and what fits of the text.

    The strip stands below: a word is orange where it speaks for positive, blue where it speaks for negative.
    """
    from lstmtext.explain.colour import scaled
    from lstmtext.explain.draw import bar, columns, fit, strip

    def row(answer: Answer) -> str:
        line, found, changes = answer
        label, figure, drawn = "error", " " * 6, " " * (2 * BAR + 1)
        if found is not None:
            label, figure, drawn = found.label, f"{found.positive:.4f}", bar(found.positive, BAR, colour)
        room = max(width - INDENT - len(figure) - 2 * BAR - 6, 20)
        text = printable(_one_line(line.text[:SHOWN_CHARACTERS]))
        rows = [f"{label:{INDENT}}{figure}  {drawn}  {fit(text, min(room, columns(text)))}".rstrip()]
        if changes:
            brings = scaled([-change for _, change in changes])
            below = strip([word for word, _ in changes], brings, width - INDENT, colour)
            rows += [" " * INDENT + each for each in below]
        return "\n".join(rows) + "\n"

    return row


def _one_line(text: str) -> str:
    """`text` with tabs and everything that ends a line as spaces."""
    return " ".join(text.replace("\t", " ").splitlines())
