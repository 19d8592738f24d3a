"""What a run shows of its text: what `generate` will write with these weights, and from where by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_runs import Tiny, of, train

import lstmtext
from lstmtext import events as ev
from lstmtext.store.models import find_model
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
