"""The texts a run wrote: a table that grows, a scrubber over the steps, one text in full with what changed in it.

`draw_samples` is pure. The widget knows which sample is looked at; with `looked_at` None it follows the newest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from textual import events

from lstmtext.tui.headline import fit
from lstmtext.tui.history import Sample
from lstmtext.tui.samples import page, row, wrap
from lstmtext.tui.widgets.bars import slider
from lstmtext.tui.widgets.canvas import Runs, join
from lstmtext.tui.widgets.drawn import Drawn, is_ascii, is_plain

__all__ = ["SampleView", "before", "draw_samples"]

SIDE_BY_SIDE = 110  # columns from which the table stands beside the text
TABLE_ROWS = 6  # of a table above the text


def before(samples: Sequence[Sample], place: int) -> Sample | None:
    """The sample that this one is compared with: the last earlier one of the same prompt."""
    for sample in reversed(samples[:place]):
        if sample.prompt == samples[place].prompt:
            return sample
    return None


def draw_samples(
    samples: Sequence[Sample],
    place: int,
    width: int,
    height: int,
    *,
    diff: bool,
    scroll: int = 0,
    empty: str = "",
    plain: bool = False,
    ascii: bool = False,
) -> tuple[list[Runs], int]:
    """The page, and by how many lines its text can be scrolled. place: the sample that is shown in full."""
    if not samples:
        lines: list[Runs] = [[] for _ in range(height)]
        said = ["".join(text for text, _ in runs).strip() for runs in wrap([(empty, "label")], width - 2)]
        first = max((height - len(said)) // 2, 0)
        lines[first : first + len(said)] = [[(line.center(width), "label")] for line in said]
        return lines[:height], 0
    place = min(max(place, 0), len(samples) - 1)
    sample, earlier = samples[place], before(samples, place)
    count = f"{place + 1} of {len(samples)}"
    top: Runs = [(f" step {sample.step:,}  ", "selected")]
    end: Runs = [(f"  {count} ", "label")]
    used = sum(len(text) for text, _ in [*top, *end])
    lines = [join([*top, *slider(place, len(samples), width - used, ascii=ascii), *end])]
    beside = width >= SIDE_BY_SIDE
    table_width = width * 2 // 5 if beside else width
    rows = height - 2 if beside else min(TABLE_ROWS, max(height // 3, 2), len(samples))
    table = _table(samples, place, table_width - 1, rows, ascii)
    text_width = (width - table_width - 2) if beside else width - 2
    text_height = height - 2 if beside else height - rows - 3
    text = [_facts(sample, earlier, diff, text_width, ascii)]
    text += page(sample, earlier, text_width, diff=diff, plain=plain, ascii=ascii)
    most = max(len(text) - text_height, 0)
    start = min(scroll, most)
    shown = text[start : start + text_height]
    hint = f"{most - start} more lines: page down " if start < most else ""
    lines.append([(hint.rjust(width)[-width:], "label")])
    if beside:
        side = "|" if ascii else "│"
        for number in range(height - 2):
            left = table[number] if number < len(table) else [(" " * (table_width - 1), "")]
            right = shown[number] if number < len(shown) else []
            lines.append(join([*left, (side, "axis"), (" ", ""), *right]))
    else:
        lines += table
        lines.append([(("-" if ascii else "─") * width, "axis")])
        lines += [join([(" ", ""), *runs]) for runs in shown]
    return lines[:height], most


def _table(samples: Sequence[Sample], place: int, width: int, rows: int, ascii: bool) -> list[Runs]:
    start = min(max(place - rows // 2, 0), max(len(samples) - rows, 0))
    return [
        [(row(sample, width, ascii=ascii), "chosen" if start + number == place else "label")]
        for number, sample in enumerate(samples[start : start + rows])
    ]


def _facts(sample: Sample, earlier: Sample | None, diff: bool, width: int, ascii: bool) -> Runs:
    changes = (f"compared with step {earlier.step:,}" if earlier else "nothing to compare with") if diff else ""
    parts = [(changes, "label"), (f"temperature {sample.temperature:g}", "label"), (f"seed {sample.seed}", "label")]
    return fit(parts, width, " | " if ascii else " · ")


class SampleView(Drawn, can_focus=True):
    """What the run wrote. samples: gives them as they are now."""

    HELP = (
        "Every text that the run wrote while it was trained, with the validation loss known then. › marks those that "
        "somebody asked for (w).\n\n"
        "h and l or j and k go from one to the next, 0 to the first, G to the newest, which is then followed. d marks "
        "the words that changed since the sample before; Page up and Page down scroll the text; c copies it."
    )
    DEFAULT_CSS = "SampleView { height: 1fr; width: 1fr; }"

    def __init__(self, samples: Callable[[], tuple[Sequence[Sample], str]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._samples = samples
        self.looked_at: Sample | None = None
        self.diff = True
        self.scroll_by = 0
        self._most = 0

    def paint(self, width: int, height: int) -> list[Runs]:
        """The page as it is now."""
        samples, empty = self._samples()
        place = self._place(samples)
        options = {"scroll": self.scroll_by, "empty": empty, "plain": is_plain(self), "ascii": is_ascii(self)}
        lines, self._most = draw_samples(samples, place, width, height, diff=self.diff, **options)  # type: ignore[arg-type]
        return lines

    def shown(self) -> Sample | None:
        """The sample that is looked at."""
        samples, _ = self._samples()
        if not samples:
            return None
        return samples[self._place(samples)]

    def _place(self, samples: Sequence[Sample]) -> int:
        """Where it is. A long run keeps fewer of its old ones, a resumed one forgets the last: then the one before."""
        if self.looked_at is None:
            return len(samples) - 1
        earlier = max(bisect_right(samples, self.looked_at.step, key=lambda sample: sample.step) - 1, 0)
        return next((place for place, sample in enumerate(samples) if sample is self.looked_at), earlier)

    def move(self, by: int) -> None:
        """Another sample; at the last one it follows again."""
        self.go(self._place(self._samples()[0]) + by)

    def go(self, place: int) -> None:
        """That sample."""
        samples, _ = self._samples()
        place = max(place, 0)
        self.looked_at = samples[place] if place < len(samples) - 1 else None
        self.scroll_by = 0
        self.redraw()

    def scroll_text(self, by: int) -> None:
        """Scroll the text by lines."""
        self.scroll_by = min(max(self.scroll_by + by, 0), self._most)
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Earlier lines."""
        event.stop()
        self.scroll_text(-2)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Later lines."""
        event.stop()
        self.scroll_text(2)

    def on_click(self, event: events.Click) -> None:
        """On the scrubber: the sample there."""
        count = len(self._samples()[0])
        if event.y == 0 and count > 1:
            self.go(round(event.x / max(self.size.width - 1, 1) * (count - 1)))
