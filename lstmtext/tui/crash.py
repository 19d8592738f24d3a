"""The end after an error that nobody foresaw: a sentence on the terminal, the details in a file.

Must not raise: it runs while the app goes down.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from pathlib import Path

from lstmtext.printable import printable

__all__ = ["crash_sentence"]


def crash_sentence(error: BaseException | None) -> str:
    """What to print; the traceback goes to `tui-error.txt` in the cache folder, if that can be written."""
    from lstmtext.places import cache_folder

    kind = type(error).__name__ if error is not None else "an unknown error"
    sentence = f"lstmtext: This should not have happened: {kind}: {printable(str(error))}. Trainings go on."
    with contextlib.suppress(OSError):
        path: Path = cache_folder() / "tui-error.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        details = "".join(traceback.format_exception(error)) if error else ""
        # A file's name in it may be no text.
        path.write_text(f"{when}\n\n{details}", encoding="utf-8", errors="backslashreplace")
        sentence += f" The details are in {path}."
    return sentence
