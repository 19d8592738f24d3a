"""The processes that train one model, as each of them sees them; here the form for one, in which nothing is exchanged.

The session, the loop and the objective speak to a `World` only. `Processes` in `distributed.py` is the form for
several: each runs the same program on its own streams, and the first one leads: it alone writes the run folder,
reads requests and looks at the clock.

Unless a method says otherwise, calling it is a meeting: every process must, in the same order, or the others wait.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Self

from torch import Tensor, nn

from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError
from lstmtext.events import Event
from lstmtext.store.control import Request

__all__ = ["ALONE", "Bystander", "World"]


class World:
    """One process, and all there is."""

    rank = 0
    size = 1
    local_rank = 0
    """This process's number on its own machine."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes, reads requests and looks at the clock. No meeting."""
        return self.rank == 0

    def share(self, things: int) -> slice:
        """This process's part of `things` in a row; `size` divides them. No meeting."""
        each = things // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def check(self, settings: TrainSettings) -> None:
        """Raise UsageError for settings that these processes cannot train together. No meeting."""

    def averaging(self, model: nn.Module, forward: Callable[..., Any], *, unused: bool) -> Callable[..., Any]:
        """`forward`, such that the gradients of what it returns are means over all processes.

        model: whose parameters they are. unused: whether a batch may leave some of them out.
        """
        del model, unused
        return forward

    def average(self, value: float) -> float:
        """The mean of all processes' values."""
        return value

    def total(self, value: float) -> float:
        """Their sum."""
        return value

    def least(self, value: float) -> float:
        """The smallest."""
        return value

    def of_leader(self, value: float) -> float:
        """The leader's."""
        return value

    def word_of_leader(self, word: str) -> str:
        """The leader's word."""
        return word

    def gather(self, part: Tensor, dim: int) -> Tensor:
        """All processes' parts in their order, joined along `dim`; on the CPU where there are several."""
        del dim
        return part

    def consult(self, requests: list[Request], interrupted: bool) -> tuple[list[Request], bool]:
        """The leader's requests, and whether any process was interrupted: all answer and end between the same steps."""
        return requests, interrupted

    def together(self) -> AbstractContextManager[None]:
        """A stretch that fails for all if it fails for one: that one raises its own error, the others
        ProcessLostError. A meeting at its end; there must be none inside.
        """
        return contextlib.nullcontext()

    def leader_first(self) -> AbstractContextManager[None]:
        """On every machine its first process goes through the stretch, then the others, who find what it prepared."""
        return contextlib.nullcontext()

    def explained(self, error: Exception) -> LstmtextError | None:
        """The sentence for an exchange that failed, None for any other error. No meeting."""
        del error
        return None

    def last_words(self, speak: Callable[[], None]) -> AbstractContextManager[None]:
        """Inside, a leader that was asked to end but hangs in an exchange calls `speak` and ends. No meeting."""
        del speak
        return contextlib.nullcontext()

    def hardware(self, device: str) -> str:
        """What the run trains on. No meeting."""
        return device

    def launcher(self) -> str:
        """What stands before `lstmtext` in a command that starts as many processes. No meeting."""
        return ""

    def close(self) -> None:
        """Take leave, after everything went well."""


ALONE = World()


class Bystander:
    """What the other processes have in the place of a `RunWriter`: one process writes the run folder."""

    def replace_settings(self, settings_toml: str) -> None:
        """Nothing."""

    def record(self, event: Event) -> None:
        """Nothing."""

    def status(self, state: str, step: int, total_steps: int, phase: str = "", **metrics: float) -> None:
        """Nothing."""

    def requests(self) -> list[Request]:
        """None: the leader's are heard in `World.consult`."""
        return []

    def close(self, state: str | None = None) -> None:
        """Nothing."""

    def give_back(self) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing."""
