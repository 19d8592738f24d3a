"""Writing in a thread: how replies are filled while the screen stays free, and models that are read once.

The thread draws tokens into `Reply.inbox`; the screen takes them on a timer of its own, every FLUSH_SECONDS, so
that no message is sent per token and none waits for a slow one. Only the end is a message. A thread cannot be
killed: it asks `wanted()` before every token, and `live()` says which settings are in force now.
Must not touch a widget. Numpy is imported by the functions, not by this module.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lstmtext.errors import LstmtextError
from lstmtext.tui.machine import step_back
from lstmtext.tui.replies import Alternative, Choice, Drawn, Ended, Reply

if TYPE_CHECKING:
    from lstmtext.api import LanguageModel

__all__ = ["FLUSH_SECONDS", "Live", "Models", "Start", "language_models", "write"]

FLUSH_SECONDS = 0.03
# Nobody reads faster than this, and a tiny model that wrote as fast as it can would take the interpreter away
# from the screen: a rest after every token that came sooner.
LEAST_SECONDS_PER_TOKEN = 0.0005


class Live(NamedTuple):
    """What may change while a text is being written. limit: tokens of the reply, all in all."""

    choice: Choice
    limit: int


class Start(NamedTuple):
    """What a reply begins with: the first `place` tokens of another, and then `alternative`."""

    tokens: Sequence[Drawn]
    place: int
    alternative: Alternative


class Models:
    """Language models by name, read once and again when their files have changed. For any thread."""

    KEPT = 3

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[tuple[str, int], LanguageModel] = {}

    def load(self, name: str) -> LanguageModel:
        """Raises LstmtextError with what to do."""
        from lstmtext.api import LanguageModel
        from lstmtext.store.checkpoint import read_checkpoint
        from lstmtext.store.models import find_model

        with self._lock:
            folder = find_model(name, kind="language-model")
            key = (str(folder), (folder / "config.json").stat().st_mtime_ns)
            model = self._models.pop(key, None)
            if model is None:
                model = LanguageModel(name, read_checkpoint(folder))
            self._models[key] = model  # the last one used is the last one in
            while len(self._models) > self.KEPT:
                del self._models[next(iter(self._models))]
            return model


def language_models() -> list[tuple[str, str]]:
    """(name, one line about it) of every language model that is here; damaged ones are left out."""
    import msgspec

    from lstmtext.store.models import shipped_models, trained_models

    found = []
    for origin, models in (("shipped", shipped_models()), ("trained here", trained_models())):
        for name, folder in models.items():
            try:
                config: dict[str, Any] = msgspec.json.decode((folder / "config.json").read_bytes())
                model, tokens = config["model"], config["tokenizer"]["kind"]
                about = f"{model['cell']} {model['layers']}×{model['hidden']}, {tokens}, {config['corpus']['name']}"
            except (OSError, ValueError, KeyError, TypeError):
                continue  # `lstmtext models list` says what is wrong with it
            if config.get("kind") == "language-model":
                found.append((name, f"{about}, {origin}"))
    return found


def write(
    reply: Reply,
    load: Callable[[str], LanguageModel],
    live: Callable[[], Live],
    wanted: Callable[[], bool],
    start: Start | None = None,
) -> tuple[Ended, str]:
    """Fill `reply` until its limit, or until it is not wanted; call it again to continue where it stopped.

    start: what a new branch begins with. Returns how it ended, and what to tell the person.
    """
    step_back()
    try:
        if reply.pen is None:
            from lstmtext.tui.pen import Pen, branched

            model = load(reply.model)
            if not wanted():
                return "interrupt", ""
            taken = branched(start.tokens, start.place, start.alternative) if start else []
            reply.pen = Pen(model, reply.prompt, reply.seed, taken)
            reply.unknown = reply.pen.unknown
            reply.inbox.extend(reply.pen.taken)
        return _draw(reply, live, wanted), ""
    except LstmtextError as error:
        return "error", str(error)
    except MemoryError:
        return "error", "There is not enough memory for this model. Close other programs, or choose a smaller model."
    except OSError as error:
        return (
            "error",
            f"The model's files cannot be read: {error.strerror or error}. `lstmtext models list` checks them.",
        )
    except Exception as error:  # a thread's traceback would tear the screen; the person gets the sentence
        return "error", f"Writing failed ({type(error).__name__}: {error}). This is a bug; the text so far is kept."


def _draw(reply: Reply, live: Callable[[], Live], wanted: Callable[[], bool]) -> Ended:
    pen, before, started = reply.pen, reply.seconds, time.perf_counter()
    if not pen.prepare(wanted):
        return "interrupt"
    while wanted():
        choice, limit = live()
        if pen.count >= limit:
            return "length"
        began = time.perf_counter()
        reply.inbox.append(pen.next(choice))
        now = time.perf_counter()
        reply.seconds = before + now - started
        if (spare := LEAST_SECONDS_PER_TOKEN - (now - began)) > 0:
            time.sleep(spare)
    return "interrupt"
