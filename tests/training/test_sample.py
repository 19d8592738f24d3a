"""What a run shows of its text: what `generate` will write with these weights, and from where by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny_runs import Tiny, of, train

import lstmtext
from lstmtext import events as ev
from lstmtext.errors import SettingsError
from lstmtext.store.models import find_model
from lstmtext.store.run import send
from lstmtext.training.session import Session
from lstmtext.training.tasks import SAMPLE_PROMPT_CHARACTERS, _beginning


@pytest.mark.parametrize("kind", ["char", "word", "whitespace", "wordpiece", "bpe", "byte"])
def test_a_sample_is_what_generate_writes(tiny: Tiny, tmp_path: Path, kind: str) -> None:
    size = {"vocabulary_size": 300} if kind in ("wordpiece", "bpe") else {}
    corpus = [str(tmp_path / "text.txt")]
    (tmp_path / "text.txt").write_text(
        "Über den Hafen – naïve boats, the café's tables; she said: I don't know.\n" * 300
    )
    settings = tiny(
        text={"corpus": corpus, "tokenizer": kind, **size},
        budget={"steps": 20},
        run={"sample_length": 40, "sample_every": 20, "sample_temperature": 0.9, "seed": 3},
    )
    (sampled,) = of(ev.Sampled, train(settings, tmp_path / "run"))
    model = lstmtext.load(find_model(str(tmp_path / "run"), last=True))
    assert isinstance(model, lstmtext.LanguageModel)
    assert sampled.text == model.generate(sampled.prompt, length=40, temperature=0.9, seed=3).text
    assert len(sampled.text) > len(sampled.prompt)
    if kind in ("whitespace", "wordpiece"):
        assert " " in sampled.text[len(sampled.prompt) :]  # words, not one long one


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("Short enough.", "Short enough."),
        ("a" * SAMPLE_PROMPT_CHARACTERS + " more", "a" * SAMPLE_PROMPT_CHARACTERS),
        ("consumers may want to move their telephones", "consumers may want to move their"),
        ("consumers may want to move theirs, now and then", "consumers may want to move"),
        ("one line\nand a second with longwords", "one line\nand a second with"),
        ("\n" + "x" * 60, "\n" + "x" * (SAMPLE_PROMPT_CHARACTERS - 1)),
        ("字" * 60, "字" * SAMPLE_PROMPT_CHARACTERS),
    ],
)
def test_without_a_prompt_it_goes_on_from_whole_words(text: str, beginning: str) -> None:
    assert _beginning(text) == beginning


@pytest.mark.parametrize(
    ("steps", "run", "expected"),
    [
        (25, {"evaluate_every": 10}, [10, 20, 25]),
        (20, {"evaluate_every": 10}, [10, 20]),
        (7, {"evaluate_every": 0}, [7]),
        (25, {"evaluate_every": 10, "sample_every": 8}, [8, 16, 24]),
        (25, {"evaluate_every": 10, "sample_length": 0}, []),
    ],
)
def test_a_sample_at_every_evaluation_and_none_twice(
    tiny: Tiny, tmp_path: Path, steps: int, run: dict[str, int], expected: list[int]
) -> None:
    settings = tiny(budget={"steps": steps}, run={"sample_length": 3, **run})
    events = train(settings, tmp_path / "run")
    assert [event.step for event in of(ev.Sampled, events)] == expected
    if expected and not run.get("sample_every"):
        assert [event.step for event in of(ev.Evaluated, events)] == expected


def test_the_samples_of_a_resumed_run_are_those_of_the_uninterrupted_one(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(budget={"steps": 25}, run={"sample_length": 5})
    straight = train(settings, tmp_path / "straight")
    for stop_at in (10, 15):
        folder = tmp_path / f"stopped-{stop_at}"
        events = []
        for event in Session(settings, folder, "test").events():
            events.append(event)
            if isinstance(event, ev.Progress) and event.step == stop_at:
                send(folder, "stop")
        events += Session.resume(folder, "test").events()
        written, expected = of(ev.Sampled, events), of(ev.Sampled, straight)
        assert [(one.step, one.text) for one in written] == [(one.step, one.text) for one in expected]


@pytest.mark.parametrize("temperature", [1e-8, 1e200])
def test_a_temperature_that_cannot_be_is_refused_before_training(
    tiny: Tiny, tmp_path: Path, temperature: float
) -> None:
    with pytest.raises(SettingsError, match=rf"temperature is {re.escape(str(temperature))}; it must be"):
        Session(tiny(run={"sample_temperature": temperature}), tmp_path / "run", "test")
    assert not (tmp_path / "run").exists()
