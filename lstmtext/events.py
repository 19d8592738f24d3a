"""What a training run can say. The loop yields these; the run folder stores them one per line.

Each is written as one JSON object whose first field, `event`, is the lower-case kind; then come `step`,
`time` (seconds since the epoch, filled in by whoever stores it) and the fields below, in any order.
Losses are nats per token. Field meanings are part of the file format: add, never change.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

__all__ = [
    "Acknowledged",
    "Evaluated",
    "Event",
    "Finished",
    "Planned",
    "Progress",
    "Resumed",
    "Sampled",
    "Saved",
    "Started",
    "Warned",
    "decode_event",
    "encode_event",
]


class Event(Struct, tag_field="event", tag=lambda name: name.lower(), kw_only=True, omit_defaults=True):
    """Base of all events. `step` counts optimizer steps done when it happened."""

    step: int
    time: float = 0.0


class Started(Event):
    """The run's first record: what will be trained."""

    parameters: int
    train_tokens: int
    validation_tokens: int
    vocabulary: int
    tokenizer: str
    total_steps: int
    device: str
    precision: str
    memory_bytes: int
    characters_per_token: float = 1.0
    task: str = "language-model"
    softmax_samples: int = 0
    """If not 0, the loss of training is over a batch's own tokens and so many others, and lies below validation's."""
    unknown_share: float = 0.0
    """Of the validation tokens, what is not in the vocabulary: a model need not say which it is, and it comes cheap."""


class Resumed(Event):
    """Training goes on from `step`; readers forget earlier records beyond it."""

    total_steps: int = 0


class Planned(Event):
    """A budget in minutes was translated into steps, as far as the clock can tell now."""

    total_steps: int


class Progress(Event):
    """Training, averaged since the last record."""

    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    tokens_per_second: float
    epoch: float
    total_steps: int
    seconds: float
    """Seconds of training in this session (since start or resume), pauses left out."""


class Evaluated(Event):
    """The validation part was read, state carried."""

    loss: float
    best: bool
    tokens: int
    seconds: float
    metrics: dict[str, float] = {}
    judged: dict[str, int] = {}
    """Of a metric that leaves out a classifier's neutral texts, where there are some: how many texts it is of."""


class Sampled(Event):
    """Text written by the model from a fixed prompt and seed."""

    prompt: str
    text: str
    temperature: float
    seed: int
    requested: bool = False


class Saved(Event):
    """A checkpoint folder is complete on the disk."""

    folder: str
    best: bool = False
    requested: bool = False


class Warned(Event):
    """Something a person should know that does not end the run."""

    message: str


class Acknowledged(Event):
    """A request from `control.jsonl` was seen. `outcome`: done, ignored, or expired."""

    request: str
    id: str
    outcome: str = "done"
    message: str = ""


class Finished(Event):
    """The last record of a session. `reason`: finished, early-stop, stopped, interrupted, diverged, failed."""

    reason: str
    best_loss: float | None = None
    best_step: int | None = None
    message: str = ""


AnyEvent = Started | Resumed | Planned | Progress | Evaluated | Sampled | Saved | Warned | Acknowledged | Finished
_decoder = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


def encode_event(event: Event) -> bytes:
    """One JSON line, with its line end."""
    return _encoder.encode(event) + b"\n"


def decode_event(line: bytes) -> Event:
    """The event of one line. Raises msgspec.MsgspecError for a torn or unknown one."""
    event: Event = _decoder.decode(line)
    return event
