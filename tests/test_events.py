"""Events: one JSON line each, back as they went, and nothing else is taken for one."""

from __future__ import annotations

import json
import typing

import msgspec
import pytest

from lstmtext import events as module
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
    decode_event,
    encode_event,
)

FULL: list[Event] = [
    Started(
        step=0,
        time=12.5,
        parameters=10**12,
        train_tokens=5,
        validation_tokens=2,
        vocabulary=65,
        tokenizer="bpe",
        total_steps=9,
        device="a CPU",
        precision="bfloat16",
        memory_bytes=3,
        characters_per_token=4.25,
        task="sentiment",
        softmax_samples=500,
        unknown_share=0.03,
    ),
    Resumed(step=3, total_steps=9),
    Planned(step=5, total_steps=11),
    Progress(
        step=10,
        loss=1.25,
        learning_rate=1e-3,
        gradient_norm=0.5,
        tokens=640,
        tokens_per_second=1e4,
        epoch=0.1,
        total_steps=9,
        seconds=0.3,
    ),
    Evaluated(step=10, loss=1.5, best=True, tokens=99, seconds=0.1, metrics={"accuracy": 0.5}, judged={"accuracy": 4}),
    Sampled(step=10, prompt="Où", text="Où\n\u2028\0☃\x1b[0m", temperature=0.8, seed=1, requested=True),
    Saved(step=10, folder="step-10", best=True, requested=True),
    Warned(step=-1, message='He said "no"'),
    Acknowledged(step=10, request="save", id="abc", outcome="ignored", message="step 10"),
    Finished(step=10, reason="diverged", best_loss=1.5, best_step=5, message="The loss became NaN."),
]
LEAN: list[Event] = [
    Resumed(step=0),
    Evaluated(step=0, loss=0.0, best=False, tokens=0, seconds=0.0),
    Saved(step=0, folder=""),
    Acknowledged(step=0, request="", id=""),
    Finished(step=0, reason="finished"),
]


def test_every_kind_is_here() -> None:
    kinds = set(typing.get_args(module.AnyEvent))
    assert {type(event) for event in FULL} == kinds
    assert kinds == set(Event.__subclasses__())
    assert {kind.__name__ for kind in kinds} | {"Event", "decode_event", "encode_event"} == set(module.__all__)


@pytest.mark.parametrize("event", [*FULL, *LEAN], ids=lambda event: type(event).__name__)
def test_there_and_back(event: Event) -> None:
    line = encode_event(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event
    assert type(decode_event(line)) is type(event)
    assert json.loads(line)["event"] == type(event).__name__.lower()
    assert next(iter(json.loads(line))) == "event"


def test_a_full_event_says_every_field() -> None:
    for event in FULL:
        fields = {field.name for field in msgspec.structs.fields(event)} - {"time"}
        assert fields <= json.loads(encode_event(event)).keys()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"null",
        b'{"event": "saved"}',
        b'{"event": "saved", "step": 1}',
        b'{"event": "saved", "step": "1", "folder": "a"}',
        b'{"event": "progress", "step": 1, "loss": null}',
        b'{"event": "unheard-of", "step": 1}',
        b'{"event": "Saved", "step": 1, "folder": "a"}',
        b'{"step": 1, "folder": "a"}',
        encode_event(FULL[0])[:-5],
        encode_event(FULL[0])[3:],
        encode_event(FULL[0]) + encode_event(FULL[1]),
    ],
)
def test_what_is_not_an_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_event(line)


@pytest.mark.parametrize("cut", range(1, len(encode_event(FULL[4])) - 1))
def test_a_torn_line_is_refused(cut: int) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_event(encode_event(FULL[4])[:cut])


def test_a_later_version_may_say_more() -> None:
    line = b'{"event": "saved", "step": 1, "folder": "step-1", "bytes": 5, "hosts": ["a"]}\n'
    assert decode_event(line) == Saved(step=1, folder="step-1")
