"""What a run's records add up to: its curves, its best, its samples, its answers, how long it still takes.

One reader thread calls `take`; others read. Everything kept is bounded: curves as `series` says, samples and notes by
number, in lists that are replaced, not shortened: whoever goes through one meanwhile has the old one. Draws nothing and
reads no file.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lstmtext.config import RunSettings
from lstmtext.events import (
    Acknowledged,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Resumed,
    Sampled,
    Saved,
    Started,
    Warned,
)
from lstmtext.store.run import MOST_UNKNOWN
from lstmtext.tui.series import Series
from lstmtext.units import bits_from_nats, perplexity_from_nats

__all__ = ["History", "Note", "Sample"]

MOST_SAMPLES = 400
MOST_NOTES = 200
MOST_METRICS = 40  # series of a classifier's metrics
UNPLANNED = 1_000_000  # what a budget in minutes says before it has a plan
ENDS = {"finished": "good", "early-stop": "good", "stopped": "info", "interrupted": "info"}


class Sample(NamedTuple):
    """A text that the model wrote while it was trained. loss: the validation loss known then, nats per token."""

    step: int
    prompt: str
    text: str
    temperature: float
    seed: int
    requested: bool
    loss: float | None


class Note(NamedTuple):
    """Something worth a line. kind: info, good, warning."""

    time: float
    step: int
    kind: str
    text: str


class History:
    """settings: the tables of `config.toml`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.started: Started | None = None
        self.progress: Progress | None = None
        self.evaluated: Evaluated | None = None
        self.finished: Finished | None = None
        self.saved: Saved | None = None
        self.best: tuple[int, float] | None = None
        """(step, validation loss in nats per token)."""
        self.best_metrics: dict[str, float] = {}
        self.step = 0
        self.total_steps = 0
        self.tokens = 0
        self.seconds = 0.0
        """Training time of all sessions, pauses left out."""
        self.series: dict[str, Series] = {}
        self.samples: list[Sample] = []
        self.notes: list[Note] = []
        self.answers: dict[str, Acknowledged] = {}
        self.resumed_at: list[int] = []
        self.version = 0
        """Rises with every event taken."""
        self._bests: list[tuple[int, float, dict[str, float]]] = []
        self._evaluations: list[Evaluated] = []
        self._origin: tuple[int, float] | None = None  # (step, seconds) from which this session's rate is counted
        self._before = 0.0  # seconds of earlier sessions

    @property
    def task(self) -> str:
        """language-model or sentiment."""
        return str(self.settings.get("task", "language-model"))

    @property
    def planned(self) -> bool:
        """Whether the number of steps is known yet."""
        return self.total_steps > 0 and not (self.total_steps == UNPLANNED and self.minutes)

    def setting(self, table: str, name: str, default: Any = None) -> Any:
        """A setting, or `default` where the file does not say."""
        content = self.settings.get(table)
        return content.get(name, default) if isinstance(content, dict) else default

    @property
    def evaluate_every(self) -> int:
        """Steps between evaluations; 0 while a budget in minutes has no plan that would say."""
        given = int(self.setting("run", "evaluate_every", 0))
        return RunSettings(evaluate_every=given).evaluation_steps(self.total_steps) if given or self.planned else 0

    @property
    def minutes(self) -> float:
        """The budget in minutes; 0 for another one."""
        return float(self.setting("budget", "minutes", 0))

    @property
    def diverged(self) -> bool:
        """Whether it ended because its loss was not a number any more."""
        return self.finished is not None and self.finished.reason == "diverged"

    def curve(self, name: str) -> Series:
        """The series of that name, which is made if need be."""
        if name not in self.series:
            self.series[name] = Series()
        return self.series[name]

    def take(self, event: Event) -> None:
        """Add one event, in the order of the file."""
        self.version += 1
        match event:
            case Progress():
                self._progress(event)
            case Evaluated():
                self._evaluated(event)
            case Started():
                self.started, self.total_steps, self.finished = event, event.total_steps, None
                self._origin, self._before = (event.step, 0.0), 0.0
                self._note(event, "info", f"Training began on {event.device}.")
            case Resumed():
                self._resumed(event)
            case Planned():
                self.total_steps, self.finished = event.total_steps, None
            case Sampled():
                loss = self.evaluated.loss if self.evaluated else None
                prompt, text = event.prompt, event.text
                self.samples.append(
                    Sample(event.step, prompt, text, event.temperature, event.seed, event.requested, loss)
                )
                if len(self.samples) > MOST_SAMPLES:  # every other one of the older half goes
                    half = MOST_SAMPLES // 2
                    self.samples = [*self.samples[:half:2], *self.samples[half:]]
            case Saved():
                self.saved = event
                if event.requested:
                    self._note(event, "good", f"Saved {event.folder}.")
            case Warned():
                self._note(event, "warning", event.message)
            case Acknowledged():
                self.answers[event.id] = event
                while len(self.answers) > MOST_NOTES:
                    del self.answers[next(iter(self.answers))]
                text = f"{event.request}: {event.outcome}.{' ' if event.message else ''}{event.message}"
                self._note(event, "good" if event.outcome == "done" else "warning", text)
            case Finished():
                self.finished = event
                said = f"{event.reason}.{' ' if event.message else ''}{event.message}"
                self._note(event, ENDS.get(event.reason, "warning"), said[:1].upper() + said[1:])
        self.step = event.step

    def _progress(self, event: Progress) -> None:
        if self._origin is None or event.seconds < self._origin[1]:
            self._origin = (event.step, event.seconds)  # joined in the middle of a session
        self.progress, self.finished = event, None
        self.total_steps = event.total_steps or self.total_steps
        self.tokens, self.seconds = event.tokens, self._before + event.seconds
        at = event.step, event.tokens, self.seconds
        self.curve("loss").append(*at, event.loss)
        self.curve("learning_rate").append(*at, event.learning_rate)
        self.curve("gradient_norm").append(*at, event.gradient_norm)
        self.curve("tokens_per_second").append(*at, event.tokens_per_second)

    def _evaluated(self, event: Evaluated) -> None:
        self.evaluated = event
        self._evaluations = [*self._evaluations[1 - MOST_NOTES :], event]
        at = event.step, self.tokens, self.seconds
        self.curve("validation").append(*at, event.loss)
        for name, value in event.metrics.items():
            if f"metric {name}" in self.series or len(self.series) < MOST_METRICS:
                self.curve(f"metric {name}").append(*at, value)
        if math.isfinite(event.loss) and (self.best is None or event.loss < self.best[1]):
            self.best, self.best_metrics = (event.step, event.loss), event.metrics
            self._bests.append((event.step, event.loss, event.metrics))
            del self._bests[:-MOST_NOTES]

    def _resumed(self, event: Resumed) -> None:
        for series in self.series.values():
            series.cut(event.step)
        self.samples = [sample for sample in self.samples if sample.step <= event.step]
        self._bests = [best for best in self._bests if best[0] <= event.step]
        self.best, self.best_metrics = (self._bests[-1][:2], self._bests[-1][2]) if self._bests else (None, {})
        self._evaluations = [one for one in self._evaluations if one.step <= event.step]
        self.evaluated = self._evaluations[-1] if self._evaluations else None
        self.resumed_at.append(event.step)
        self.total_steps = event.total_steps or self.total_steps
        self.progress = self.finished = None
        self._origin = (event.step, 0.0)
        loss = self.series.get("loss")
        self.seconds, tokens = (loss.xs("time")[-1], loss.xs("tokens")[-1]) if loss else (0.0, 0.0)
        self._before, self.tokens = self.seconds, int(tokens)
        self._note(event, "info", f"Resumed from step {event.step:,}.")

    def _note(self, event: Event, kind: str, text: str) -> None:
        self.notes = [*self.notes[1 - MOST_NOTES :], Note(event.time, event.step, kind, text)]

    def steps_per_second(self) -> float | None:
        """This session's own rate; pauses and earlier sessions do not count."""
        if self.progress is None or self._origin is None:
            return None
        steps, seconds = self.progress.step - self._origin[0], self.progress.seconds - self._origin[1]
        return steps / seconds if steps > 0 and seconds > 0 else None

    def speed(self, *, mean: bool) -> tuple[float, float] | None:
        """(steps, tokens) a second, of the same moment: the last record, as its chart has it; mean: of all training.

        None before the first record of a session, and where nothing was trained.
        """
        last = self.progress
        if last is None or not (last.step and last.tokens and self.seconds > 0):
            return None
        tokens = last.tokens / self.seconds if mean else last.tokens_per_second
        return tokens * last.step / last.tokens, tokens

    def seconds_left(self) -> float | None:
        """Training time left at that rate; None while nobody can tell."""
        rate = self.steps_per_second()
        if rate is None or not self.planned:
            return None
        return max(self.total_steps - self.step, 0) / rate

    def score(self, loss: float) -> str:
        """A loss in the unit people use for it, empty where there is none: bits per character or perplexity."""
        value = self.score_of(loss)
        return "" if value is None else (f"{value:.3f} bits/char" if self.in_bits else f"perplexity {value:.1f}")

    @property
    def characters_per_token(self) -> float | None:
        """What makes bits per character of a loss; None for a classifier, at first, and where many are unknown."""
        if self.started is None or self.task == "sentiment" or self.started.unknown_share > MOST_UNKNOWN:
            return None
        return self.started.characters_per_token or None

    @property
    def in_bits(self) -> bool:
        """Whether bits per character say more than a perplexity."""
        if self.started is None or self.characters_per_token is None:
            return False
        return self.started.tokenizer in ("char", "byte")

    def score_of(self, loss: float) -> float | None:
        """Bits per character or perplexity; None for a classifier and before the run has said what its tokens are."""
        if self.started is None or self.task == "sentiment":
            return None
        per_token = self.characters_per_token
        return bits_from_nats(loss) / per_token if self.in_bits and per_token else perplexity_from_nats(loss)
