"""Trainers as child processes: command lines from a form, and running them without blocking or leaving one behind.

    code, out, err = await run_child(["train", "lm", "harbour", "--dry-run", "--json"])

A child that is awaited is killed when its awaiter is cancelled; one that was told to `--detach` has by then a process
of its own, which lives on. Must not import torch or anything that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FieldError", "arguments", "last_words", "parse_estimate", "run_child", "stem", "words_of"]

LIMIT = 1 << 24  # bytes of an answer
POLL_SECONDS = 0.05
# Fields of the form, and units of its budget, which are options of the same name.
OPTIONS = ("recipe", "tokenizer", "cell", "layers", "hidden", "device", "init")
BUDGETS = ("minutes", "epochs", "steps")


class FieldError(ValueError):
    """What is in a field cannot be used; a sentence. field: its id."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def arguments(form: Mapping[str, str]) -> list[str]:
    """`train lm …` for what is in the form; empty fields are left out, so that the program chooses.

    Raises FieldError for a field that cannot be a command line.
    """
    task = form.get("task", "lm")
    words = ["train", task]
    corpus, extra = words_of(form, "corpus"), words_of(form, "set")
    if not corpus:
        raise FieldError("corpus", "Choose a text to learn from: a name of the library, a file or a folder.")
    for name in OPTIONS:
        value = form.get(name, "").strip()
        if value:
            words += [f"--{name}", value]
    amount, kind = form.get("amount", "").strip(), form.get("budget", "")
    if kind in BUDGETS and amount:
        words += [f"--{kind}", amount]
    for pair in extra:
        if "=" not in pair:
            raise FieldError("set", f"{pair!r}: write other settings as KEY=VALUE, for example dropout_between=0.3.")
        words += ["--set", pair]
    return [*words, "--", *corpus]


def words_of(form: Mapping[str, str], field: str) -> list[str]:
    """The words of a field, as a shell would read them. Raises FieldError for a quotation mark that is not closed."""
    try:
        # Not Path's: it raises for a home that nobody has, and a name may not be a path.
        return [os.path.expanduser(word) for word in shlex.split(form.get(field, ""))]  # noqa: PTH111
    except ValueError as error:
        said = f"A quotation mark is not closed ({error}). Write names with spaces as 'my novel.txt'."
        raise FieldError(field, said) from None


def stem(form: Mapping[str, str]) -> str:
    """What a run over that text is called if nobody says."""
    with contextlib.suppress(ValueError):
        names = shlex.split(form.get("corpus", ""))
        if names:
            first = Path(names[0]).name.partition(".")[0] or "run"
            return first if len(names) == 1 else f"{first}-and-more"
    return "run"


async def run_child(words: Sequence[str], *, keep: bool = False) -> tuple[int, str, str]:
    """Run `lstmtext …` and wait: exit code, standard output, standard error.

    keep: leave it running when the awaiter is cancelled (it is about to detach a trainer).
    """
    # The UI keeps to one thread; what it starts is to have all cores, unless the user said otherwise.
    for_the_ui = {"LSTMTEXT_UI_THREADS", *os.environ.get("LSTMTEXT_UI_THREADS", "").split()}
    env = {name: value for name, value in os.environ.items() if name not in for_the_ui} | {"NO_COLOR": "1"}
    command = [sys.executable, "-m", "lstmtext", *words]
    if keep:
        return await _run_on(command, env)
    # A session of its own: a Ctrl-C or a closed terminal is not for it; and all it started can be ended together.
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=LIMIT,
        env=env,
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        raise
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


async def _run_on(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, str, str]:
    """A process that asyncio does not know: its own are killed with the loop, when the UI is left."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # no pipes: their reader may be gone
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, env=env
        )
        while process.poll() is None:
            await asyncio.sleep(POLL_SECONDS)
        for file in (out, err):
            file.seek(0)
        said, told = (file.read(LIMIT).decode(errors="replace") for file in (out, err))
    return process.returncode, said, told


def last_words(err: str) -> str:
    """What a command that failed said, as sentences."""
    lines = err.strip().splitlines()
    marked = [number for number, line in enumerate(lines) if line.startswith(("lstmtext: ", "Error: "))]
    told = lines[marked[-1] :] if marked else lines[-3:]
    text = "\n".join(line.removeprefix("lstmtext: ").removeprefix("Error: ") for line in told)
    return text or "It ended without a word. The same command in a terminal may say more."


def parse_estimate(out: str) -> dict[str, Any] | None:
    """The answer of `--dry-run --json`; None when there is none."""
    for line in reversed(out.strip().splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "parameters" in found:
            return found
    return None
