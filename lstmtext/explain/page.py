"""An explanation as a page of a terminal: one block per method, strings only.

    negative, P(positive) 0.1234

    word    P(positive) after it           without it
    The          0.51           │          0.12   0.00
    ...

Words are coloured by what they bring: orange where taking them out would make the answer less positive, blue where
it would make it more so. In a narrow terminal first the bars and the lists give way, then words. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from lstmtext.explain.colour import scaled
from lstmtext.explain.compare import Comparison
from lstmtext.explain.decomposition import Interaction
from lstmtext.explain.draw import IN_ASCII, SHADES, START, bar, cell, columns, fit, painted, signed, strip
from lstmtext.explain.reading import Turn
from lstmtext.explain.report import Explanation, Gates
from lstmtext.units import counted

__all__ = ["comparison_lines", "gate_legend", "gate_lines", "interaction_lines", "page", "turn_lines", "word_lines"]

TABLE_WORDS = 60  # more are a strip of words, without numbers
WORD_COLUMNS = 16
FEWEST_COLUMNS = 4  # of a word in a narrow terminal
BAR_COLUMNS = 10  # to each side
SHOWN_TURNS = 12
SHOWN_INTERACTIONS = 8
MOST_UNITS = 8  # beside each other, per gate
MOST_DIGITS = 8  # behind the point: less is rounding
PROBABILITIES = ("forget", "input", "output", "reset", "update")  # gates from 0 to 1; the others have a sign


def page(explanation: Explanation, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """All that was asked for, block by block. width: columns; colour: with 24-bit escape sequences.

    ascii_only: its own signs in ASCII
    """
    blocks = [_folded(_answer(explanation), width)]
    if explanation.reading is not None or explanation.occlusion is not None:
        blocks.append(word_lines(explanation, width, colour))
    if explanation.turns:
        sentences = turn_lines(explanation.turns)
        blocks.append(_folded([one.replace("→", "->") for one in sentences] if ascii_only else sentences, width))
    if explanation.interactions:
        blocks.append(interaction_lines(explanation.interactions, width, colour))
    if explanation.gates is not None and explanation.gates.tokens:
        blocks.append(gate_lines(explanation.gates, width, colour))
        blocks.append(_folded(gate_legend(explanation.gates, colour), width))
    if explanation.ablation is not None:
        blocks.append(_folded(_ablation(explanation), width))
    if explanation.against is not None and explanation.against.rows:
        blocks.append(comparison_lines(explanation.against, width, colour))
    text = "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)
    return text.translate(IN_ASCII) if ascii_only else text


def _folded(sentences: Sequence[str], width: int) -> list[str]:
    """Sentences in lines of at most `width` columns."""
    return [
        line
        for words in (one.split(" ") for one in sentences)
        for line in strip(words, [0.0] * len(words), width, False)
    ]


def _answer(explanation: Explanation) -> list[str]:
    if not explanation.tokens:
        return ["neutral, P(positive) 0.5000: there is nothing to read in this text."]
    if explanation.empty:
        return ["neutral, P(positive) 0.5000: the model knows nothing in this text."]
    return [f"{explanation.label}, P(positive) {explanation.positive:.4f}"]


def word_lines(explanation: Explanation, width: int, colour: bool) -> list[str]:
    """Reading and occlusion: a table of words, or strips where the text is long."""
    reading, changes, words = explanation.reading, explanation.occlusion, explanation.tokens
    brings = scaled([-change for change in changes]) if changes is not None else [0.0] * len(words)
    if not words:
        return []
    if len(words) > TABLE_WORDS:
        lines = []
        if reading is not None:
            sides = [2 * positive - 1 for positive in reading]
            lines += [*_folded(["P(positive) after each word:"], width), *strip(words, sides, width, colour)]
        if changes is not None:
            gap = [""] if lines else []
            head = "What each word speaks for, + or - (the answer without it):"
            lines += [*gap, *_folded([head], width), *strip(words, brings, width, colour)]
        return lines
    room = min(max(max(map(columns, words)), FEWEST_COLUMNS), WORD_COLUMNS)
    without = "  without it" if changes is not None else ""
    space = width - (13 if without else 0)  # "  0.12  +0.12"
    side = min(max((space - room - 9) // 2, 0), BAR_COLUMNS)  # "  0.12  │"
    after = 2 * side + 7 if side else len("after")
    if reading is not None:
        room = max(min(room, space - 2 - after), FEWEST_COLUMNS)
        head = next(head for head in ("P(positive) after it", "after it", "after") if len(head) <= after)
        without = f"  {head:<{after}}{without}"
    lines = [fit("word", room) + without]
    for index, word in enumerate(words):
        line = painted(fit(word, room), brings[index], colour)
        if reading is not None:
            line += f"  {reading[index]:.2f}" + (f"  {bar(reading[index], side, colour)}" if side else " ")
        if changes is not None:
            line += f"  {explanation.positive + changes[index]:.2f}  {signed(changes[index]):>5}"
        lines.append(line)
    return lines


def turn_lines(turns: Sequence[Turn]) -> list[str]:
    """Where the reading changed sides, in sentences; of many the first ones and the last."""
    sentences = [turn.sentence for turn in turns]
    if len(turns) > SHOWN_TURNS:
        left_out = counted(len(turns) - SHOWN_TURNS, "more turn")
        sentences[SHOWN_TURNS - 1 : -1] = [f"{left_out} …"]
    return sentences


def interaction_lines(found: Sequence[Interaction], width: int, colour: bool) -> list[str]:
    """Spans with their score, their interaction, and the scores of their words alone; above them the unit."""
    shown = found[:SHOWN_INTERACTIONS]
    scores = scaled([one.score for one in shown], 1.0)
    room = min(max(max(columns(one.text) for one in shown), 8), max(width - 50, 16), max(width - 21, FEWEST_COLUMNS))
    rest = width - room - 23  # what "  score  interaction  " leaves
    unit = "Scores are parts of z(positive) - z(negative), the logits before calibration, in nats:"
    lines = [
        *_folded([unit], width),
        f"{fit('together', room)}   score  interaction" + ("  the words alone" if rest >= 15 else ""),
    ]
    for one, score in zip(shown, scores, strict=True):
        line = f"{painted(fit(one.text, room), score, colour)}  {signed(one.score):>6}  {signed(one.interaction):>11}"
        alone = [f"{signed(word):>5}" for word in one.words]
        if len("  ".join(alone)) > rest:
            alone = [*alone[: max((rest - 1) // 7, 0)], "…"]  # "+0.12  "
        lines.append(f"{line}  {'  '.join(alone)}" if rest >= 15 else line)
    if len(found) > len(shown):
        lines.append(f"{counted(len(found) - len(shown), 'more span')} …")
    return lines


def gate_lines(gates: Gates, width: int, colour: bool) -> list[str]:
    """Tokens × units: numbers for one unit, squares for several, those with the strongest effect first."""
    layer, place = gates.layers[-1], len(gates.layers) - 1
    room = min(max(FEWEST_COLUMNS, *(columns(token) for token in gates.tokens)), 12)
    if len(gates.units) == 1:
        room = max(room, len(START) if gates.start else 0)
        room = min(room, max(width - 22, FEWEST_COLUMNS))  # two gates beside each other
        lines = [f"Layer {layer}, unit {gates.units[0]}:"]
        beside = max((width - room) // 11, 1)  # more stand below
        for first in range(0, len(gates.values), beside):
            names = list(gates.values)[first : first + beside]
            lines.append(fit("", room) + "".join(f"{name:>11}" for name in names))
            rows = [
                fit(token, room) + "".join(f"{float(gates.values[name][place, step, 0]):>z11.2f}" for name in names)
                for step, token in enumerate(gates.tokens)
            ]
            begun = [f"{float(gates.start[name][place, 0]):>z11.2f}" if name in gates.start else "" for name in names]
            if any(begun):
                row = fit(START, room) + "".join(f"{number:>11}" for number in begun)
                rows.insert(len(rows) if gates.backward else 0, row)
            lines += rows
        return lines
    count = min(max(((width - room) // len(gates.values) - 1) // 2, 1), MOST_UNITS)
    units = gates.ranking[:count]
    changes, log_odds = _signed([one.change for one in units]), _signed([one.log_odds for one in units])
    effects = ", ".join(f"{one.unit} ({a}; {b})" for one, a, b in zip(units, changes, log_odds, strict=True))
    last = f", the last of {len(gates.layers)}" if place else ""
    head = f"Layer {layer}{last}: the units that change P(positive) most when switched off (by how much; its log-odds):"
    lines = _folded([head, effects], width)
    lines.append(fit("", room) + "".join(" " + fit(name[: 2 * count], 2 * count) for name in gates.values))
    names = [str(one.unit) for one in units]
    for digit in range(-max(map(len, names)), 0):  # their numbers, from top to bottom: a square has two columns
        numbers = "".join(f" {name[digit] if -digit <= len(name) else ' '}" for name in names)
        lines.append(fit("unit" if digit == -1 else "", room) + f" {numbers}" * len(gates.values))
    squares = {name: table[place][:, [one.unit for one in units]] for name, table in gates.values.items()}
    largest = {name: max(float(abs(table).max()), 1e-9) for name, table in squares.items()}
    for step, token in enumerate(gates.tokens):
        line = fit(token, room)
        for name, table in squares.items():
            signed = name not in PROBABILITIES
            scale = largest[name] if signed else 1.0
            line += " " + "".join(cell(float(value) / scale, colour, signed) for value in table[step])
        lines.append(line)
    return lines


def gate_legend(gates: Gates, colour: bool) -> list[str]:
    """How to read what `gate_lines` shows, in sentences."""
    if len(gates.units) == 1:
        begun = any(table.any() for table in gates.start.values())
        return [f"{START} is the state after a line end, which is read before every text."] if begun else []
    gated, others = ([name for name in gates.values if (name in PROBABILITIES) == one] for one in (True, False))
    steps = ", ".join(f"{sign} {step / (len(SHADES) - 1):g}" for step, sign in enumerate(SHADES) if sign.strip())
    scale = "blue is 0, white 0.5, orange 1" if colour else f"{steps}; nothing: 0"
    found = [f"{', '.join(gated)}: {scale}."] if gated else []
    what = "blue below zero, orange above, the full colour" if colour else "sign and shade, █"
    return [*found, f"{', '.join(others)}: {what} for the largest of the units shown."]


def _signed(values: Sequence[float]) -> list[str]:
    """Numbers with a sign, and digits enough that the largest says something, however small it is."""
    strongest = max(map(abs, values))
    digits = min(max(1 - floor(log10(strongest)), 2), MOST_DIGITS) if strongest else 2
    return [signed(value, digits) for value in values]


def _ablation(explanation: Explanation) -> list[str]:
    assert explanation.ablation is not None
    units = ", ".join(f"{layer}:{unit}" for layer, unit in explanation.ablation.units)
    positive = explanation.ablation.positive
    what = f"unit {units}" if len(explanation.ablation.units) == 1 else f"units {units}"
    (change,), (log_odds,) = _signed([positive - explanation.positive]), _signed([explanation.ablation.log_odds])
    return [f"With {what} switched off: P(positive) {positive:.4f} ({change}), its log-odds change by {log_odds}."]


def comparison_lines(found: Comparison, width: int, colour: bool) -> list[str]:
    """Both texts, word beside word, with P(positive) after each and the difference."""
    widest = max(columns(text) for row in found.rows for text in row.texts)
    room = min(max(widest, 6), max((width - 28) // 2, 6), max((width - 21) // 2, FEWEST_COLUMNS))  # 6: "second"
    differences = scaled([row.difference for row in found.rows])
    last = min(max(width - 2 * room - 16, 5), len("difference"))
    lines = [f"{fit('first', room + 6)}  {fit('second', room + 6)}  {fit('difference', last)}"]
    for row, difference in zip(found.rows, differences, strict=True):
        sides = [
            fit(text, room) + (f"  {positive:.2f}" if text else " " * 6)
            for text, positive in zip(row.texts, row.positive, strict=True)
        ]
        lines.append("  ".join(sides) + "  " + painted(f"{signed(row.difference):>5}", difference, colour))
    return lines
