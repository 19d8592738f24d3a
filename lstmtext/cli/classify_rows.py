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
LEAST_TEXT = 20  # columns beside a bar; on a terminal with fewer the bar goes: the figure says the same
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
            positive, score = _figures(found)
            document |= {"label": found.label, "positive": positive, "score": score}
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
        figures = [f"{figure:.{DIGITS}f}" for figure in _figures(found)]
        cells = [line.text, found.label, *figures, " ".join(found.unknown), ""]
    record = io.StringIO()
    csv.writer(record, lineterminator="\r\n").writerow(cells)  # what it ends a record with, it quotes inside of one
    return record.getvalue().removesuffix("\r\n") + "\n"


def tab_row(answer: Answer) -> str:
    """label, P(positive), the text, and the strip if there is one. White space in the text is plain spaces."""
    line, found, strip = answer
    cells = ["error" if found is None else found.label, "" if found is None else f"{found.positive:.4f}"]
    cells.append(_one_line(line.text))
    if strip is not None:
        from lstmtext.explain.draw import signed

        cells.append(" ".join(f"{word}:{signed(change, 4)}" for word, change in strip))
    return "\t".join(cells) + "\n"


def screen_rows(width: int, *, colour: bool, ascii_only: bool = False) -> Row:
    """Rows for people: label, P(positive), a bar to the left or right of ½, and what fits of the text.

    On a narrow terminal without the bar. The strip stands below: a word is orange where it speaks for positive, blue
    where it speaks for negative. ascii_only: bars and shades in ASCII, for an output that has no others.
    """
    from lstmtext.explain.colour import scaled
    from lstmtext.explain.draw import IN_ASCII, bar, columns, fit, strip

    def row(answer: Answer) -> str:
        line, found, changes = answer
        label, figure, drawn = "error", " " * 6, " " * (2 * BAR + 1)
        if found is not None:
            label, figure, drawn = found.label, f"{found.positive:.4f}", bar(found.positive, BAR, colour)
        room = width - INDENT - len(figure) - 3
        if room - 2 * BAR - 2 >= LEAST_TEXT:
            figure, room = f"{figure}  {drawn}", room - 2 * BAR - 3
        text = printable(_one_line(line.text[:SHOWN_CHARACTERS]))
        rows = [f"{label:{INDENT}}{figure}  {fit(text, min(max(room, LEAST_TEXT // 2), columns(text)))}".rstrip()]
        if changes:
            brings = scaled([-change for _, change in changes])
            below = strip([word for word, _ in changes], brings, width - INDENT, colour)
            rows += [" " * INDENT + each for each in below]
        whole = "\n".join(rows) + "\n"
        return whole.translate(IN_ASCII) if ascii_only else whole

    return row


def _figures(found: Judgement) -> tuple[float, float]:
    """P(positive) and the score as they are written: the score is that of the rounded P, in every form."""
    positive = round(found.positive, DIGITS)
    return positive, round(2 * positive - 1, DIGITS)


def _one_line(text: str) -> str:
    """`text` with tabs and everything that ends a line as spaces."""
    return " ".join(text.replace("\t", " ").splitlines())
