"""Every error that lstmtext raises on purpose.

    LstmtextError            it could not be done                      exit code 1
    ├── UsageError           the call itself was wrong                 exit code 2
    │   └── SettingsError    settings that do not fit, all of them at once
    ├── InputError           text or data that cannot be used (file, place, what to do)
    ├── DownloadError        a corpus that did not arrive whole
    ├── CheckpointError      a model folder that is missing or damaged
    │   └── OtherKindError   a model of another kind than what was asked needs; exit code 2
    ├── RunError             a run folder that is busy, missing or damaged
    ├── DivergedError        the loss became NaN or infinite
    ├── ProcessLostError     one of several training processes ended or does not answer
    └── MissingExtraError    an optional package that this command needs

A message is one to three sentences for the person at the keyboard: what happened, what was
received, what to do. The command line prints it as it is and never shows a traceback for it.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CheckpointError",
    "DivergedError",
    "DownloadError",
    "InputError",
    "LstmtextError",
    "MissingExtraError",
    "OtherKindError",
    "ProcessLostError",
    "RunError",
    "SettingsError",
    "UsageError",
]


class LstmtextError(Exception):
    """Base of all errors that lstmtext raises on purpose."""

    exit_code = 1


class UsageError(LstmtextError):
    """The call was wrong: an option, a name or a value that does not exist or does not fit."""

    exit_code = 2


class SettingsError(UsageError):
    """One or more settings do not fit. `problems` lists every one of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class InputError(LstmtextError):
    """Text or data cannot be used; the message names the file and the place."""


class DownloadError(LstmtextError):
    """A corpus could not be fetched or did not match its checksum."""


class CheckpointError(LstmtextError):
    """A model folder is missing, damaged or of a later format."""


class OtherKindError(CheckpointError):
    """A classifier where a language model is needed, or the other way round."""

    exit_code = 2


class RunError(LstmtextError):
    """A run folder is missing, damaged, or in use by another process."""


class DivergedError(LstmtextError):
    """The training loss became NaN or infinite."""


class ProcessLostError(LstmtextError):
    """Several processes train together, and one of them ended or does not answer."""


class MissingExtraError(LstmtextError):
    """An optional package is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an optional package: pip install 'lstmtext[{extra}]'.")
