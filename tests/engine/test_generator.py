"""Generation: stop strings, whole characters, seeds, batches, interruption."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstmtext.engine.generator import StopFilter, Writer, generate
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.sampling import REPETITION_WINDOW, SamplingSettings, distribution
from lstmtext.errors import SettingsError
from lstmtext.store.checkpoint import Checkpoint
from lstmtext.text.tokenizer import Tokenizer

settings.register_profile("engine", deadline=None, max_examples=150)
settings.load_profile("engine")

Tiny = Callable[..., Checkpoint]
KINDS = ["char", "word", "bpe", "byte"]


def opened(checkpoint: Checkpoint) -> tuple[EngineModel, Tokenizer]:
    return EngineModel(checkpoint), Tokenizer(checkpoint.tokenizer_json)


def text_of(writer: Writer) -> list[str]:
    """All pieces, joined per sample, after checking that they are the samples' completions."""
    pieces = [""] * len(writer.samples)
    for token in writer:
        pieces[token.sample] += token.piece
    assert pieces == [sample.completion for sample in writer.samples]
    return pieces


# ------------------------------------------------------------------ stop strings


def naive(text: str, stops: list[str]) -> str:
    """`text` before the stop string that ends first; of two ending together, the longer one."""
    for end in range(len(text) + 1):
        hits = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if hits:
            return text[: min(hits)]
    return text


letters = st.text("ab\n", max_size=12)
stop_lists = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3)


@example("abba", ["abba", "b"], [])  # the one that ends first begins later
@example("abab", ["bab", "ab"], [3])
@given(letters, stop_lists, st.lists(st.integers(0, 12), max_size=6))
def test_stop_strings_equal_a_naive_search_for_every_chunking(text: str, stops: list[str], cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    one = StopFilter(stops)
    released = ""
    for start, stop in itertools.pairwise(borders):
        released += one.push(text[start:stop])
        assert naive(text, stops).startswith(released)  # nothing is ever taken back
        assert not any(stop in released for stop in stops)
    released += one.flush()
    assert released == naive(text, stops)
    assert one.found == (released != text)


def test_what_could_begin_a_stop_string_is_held_back_and_no_more() -> None:
    one = StopFilter(["\n\nROMEO"])
    assert one.push("night.\n") == "night."
    assert one.push("\nR") == ""
    assert one.push("A") == "\n\nRA"
    assert one.flush() == ""


@pytest.mark.parametrize("kind", KINDS)
def test_generation_ends_before_a_stop_string(tiny: Tiny, kind: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind, scale=0.1))
    free = text_of(generate(model, tokenizer, "To", 300, seed=5))[0]
    for stops in (["o"], ["e", "o"], ["\n", "ro"], [free[100:104]], ["not in there"]):
        writer = generate(model, tokenizer, "To", 300, seed=5, stop=stops)
        assert text_of(writer) == [naive(free, stops)]
        assert writer.samples[0].stopped == ("stop" if any(stop in free for stop in stops) else "length")


def test_the_prompt_is_not_searched_for_stop_strings(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    writer = generate(model, tokenizer, "ROMEO:", 5, seed=1, stop=["ROMEO:"])
    text_of(writer)
    assert writer.samples[0].tokens == 5


# ------------------------------------------------------------------ text


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_the_decoded_tokens(tiny: Tiny, kind: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind, scale=0.05))  # nearly uniform: bytes in any order
    tokens = list(writer := generate(model, tokenizer, "Où", 200, seed=3))
    assert "".join(token.piece for token in tokens) == writer.samples[0].completion
    assert writer.samples[0].completion == tokenizer.decode([token.id for token in tokens])
    assert [token.text for token in tokens] == [tokenizer.token_text(token.id) for token in tokens]
    assert writer.samples[0].stopped == "length"


def test_a_character_of_several_bytes_comes_whole(tiny: Tiny) -> None:
    checkpoint = tiny(tokenizer="byte", scale=0.0)
    tokenizer = Tokenizer(checkpoint.tokenizer_json)
    # A model that spells 日 for ever: each of its bytes makes the next one certain.
    ids = tokenizer.encode("日").tolist()
    embedding = np.zeros((256, 5), np.float32)
    output = np.zeros((256, 6), np.float32)
    recurrent = np.zeros((6, 5), np.float32)
    for place, index in enumerate(ids):
        embedding[index, place] = 1
        recurrent[place, place] = 10
        output[ids[(place + 1) % 3], place] = 50
    tensors = checkpoint.tensors
    for layer, inner in ((0, recurrent), (1, np.eye(6, dtype=np.float32) * 10)):
        rows = np.zeros((24, inner.shape[1]), np.float32)
        rows[12:18] = inner  # the candidate
        bias = np.zeros(24, np.float32)
        bias[0:6], bias[6:12], bias[18:24] = 20, -20, 20  # write, forget, show
        tensors[f"layers.{layer}.weight_input"], tensors[f"layers.{layer}.bias"] = rows, bias
    tensors["embedding.weight"], tensors["output.weight"] = embedding, output
    pieces = [token.piece for token in generate(EngineModel(checkpoint), tokenizer, "日", 8, seed=1)]
    assert pieces == ["", "", "日", "", "", "日", "", "\N{REPLACEMENT CHARACTER}"]


def test_unknown_characters_are_read_and_named(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    writer = generate(model, tokenizer, "RO→ME§O→", 3, seed=1)
    assert writer.unknown == ["→", "§"]
    assert writer.prompt_ids.tolist().count(tokenizer.unknown_id) == 3
    assert generate(model, tokenizer, "ROMEO", 3).unknown == []


@pytest.mark.parametrize("kind", ["char", "word"])
def test_the_unknown_token_is_never_generated(tiny: Tiny, kind: str) -> None:
    checkpoint = tiny(tokenizer=kind)
    checkpoint.tensors["output.bias"] = checkpoint.tensors["output.bias"].copy()
    checkpoint.tensors["output.bias"][0] = 100
    model, tokenizer = opened(checkpoint)
    for temperature in (0.0, 1.0):
        tokens = list(generate(model, tokenizer, "§", 100, SamplingSettings(temperature=temperature), top=5))
        assert all(token.id != 0 for token in tokens)
        assert all(text != "<unk>" for token in tokens for text, _ in token.top[:4])


@pytest.mark.parametrize("kind", ["word", "whitespace", "wordpiece"])
@pytest.mark.parametrize("prompt", ["the", "To be,", "", "be:\n", "“not to"])
def test_the_space_at_the_end_of_a_prompt_of_words_is_the_next_word_s(tiny: Tiny, kind: str, prompt: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind, scale=0.8))
    for seed in range(8):
        without, spaced = (generate(model, tokenizer, text, 9, seed=seed) for text in (prompt, prompt + " "))
        assert spaced.prompt_ids.tolist() == without.prompt_ids.tolist()
        assert " " not in spaced.unknown
        assert text_of(spaced) == [text_of(without)[0].removeprefix(" ")]


def test_exactly_one_space_of_several(tiny: Tiny) -> None:
    """Where white space has tokens, all but the last one is read."""
    model, tokenizer = opened(tiny(tokenizer="word", scale=0.8))
    assert generate(model, tokenizer, "the  ", 1).prompt_ids.tolist() == tokenizer.encode("the ").tolist()
    writer = generate(model, tokenizer, "the ", 9, seed=1, stop=["the", "is"], samples=3)
    assert all(not text.startswith(" ") for text in text_of(writer))


@pytest.mark.parametrize("kind", ["char", "bpe", "byte"])
def test_elsewhere_a_space_is_read_as_it_stands(tiny: Tiny, kind: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind))
    assert generate(model, tokenizer, "the ", 1).prompt_ids.tolist() == tokenizer.encode("the ").tolist()


@pytest.mark.parametrize("kind", ["word", "whitespace", "wordpiece"])
def test_a_prompt_of_spaces_is_an_empty_one(tiny: Tiny, kind: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind))
    assert generate(model, tokenizer, " ", 1).prompt_ids.tolist() == tokenizer.encode("\n").tolist()


def test_an_empty_prompt_starts_after_a_line_end(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    assert text_of(generate(model, tokenizer, "", 50, seed=4)) == text_of(generate(model, tokenizer, "\n", 50, seed=4))


def test_without_a_line_end_the_first_token_comes_from_the_bias(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tiny()
    model, tokenizer = opened(checkpoint)
    monkeypatch.setattr(
        tokenizer, "_table", np.where(tokenizer._table == tokenizer.encode("\n")[0], 0, tokenizer._table)
    )
    first = next(generate(model, tokenizer, "", 5, SamplingSettings(temperature=1), top=1))
    bias = checkpoint.tensors["output.bias"]
    assert first.top[0][1] == pytest.approx(distribution(bias, SamplingSettings(temperature=1), (), 0).max(), rel=1e-5)


# ------------------------------------------------------------------ probabilities


@pytest.mark.parametrize("options", [{"temperature": 0.7, "top_k": 3}, {"temperature": 0, "repetition_penalty": 1.5}])
def test_probabilities_are_those_before_the_filters(tiny: Tiny, options: dict[str, Any]) -> None:
    model, tokenizer = opened(tiny())
    chosen = SamplingSettings(**options)
    read = tokenizer.encode("ROMEO:").tolist()
    for token in generate(model, tokenizer, "ROMEO:", 90, chosen, seed=2, top=5):
        hidden, _ = model.read(np.array([read]))
        expected = distribution(model.logits(hidden)[0], chosen, read[-REPETITION_WINDOW:], tokenizer.unknown_id)
        assert token.probability == pytest.approx(expected[token.id], rel=1e-3)
        assert [p for _, p in token.top] == pytest.approx(sorted(expected, reverse=True)[:5], rel=1e-3)
        assert token.id in np.argsort(-expected)[: 1 if chosen.temperature == 0 else 3]
        read.append(token.id)


# ------------------------------------------------------------------ seeds and batches


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_samples_in_a_batch_are_what_their_seeds_give_alone(tiny: Tiny, kind: str, cell: str) -> None:
    model, tokenizer = opened(tiny(tokenizer=kind, cell=cell))
    chosen = SamplingSettings(temperature=1.1, top_p=0.95, repetition_penalty=1.1)
    # With a stop string samples end at different times, and the batch grows smaller.
    together = generate(model, tokenizer, "To be", 60, chosen, seed=10, stop=["e"], samples=4)
    alone = [generate(model, tokenizer, "To be", 60, chosen, seed=seed, stop=["e"]) for seed in range(10, 14)]
    assert text_of(together) == [text_of(writer)[0] for writer in alone]
    assert [sample.seed for sample in together.samples] == [10, 11, 12, 13]
    assert len({sample.completion for sample in together.samples}) > 1


def test_the_same_seed_gives_the_same_text_and_another_another(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    texts = [text_of(generate(model, tokenizer, "To", 80, seed=seed))[0] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_temperature_0_does_not_depend_on_the_seed(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    greedy = SamplingSettings(temperature=0)
    assert len({text_of(generate(model, tokenizer, "To", 80, greedy, seed=seed))[0] for seed in range(3)}) == 1


def test_no_token_is_read_twice_or_late(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of the model per token, and none for the last one: the cost of a token is constant."""
    model, tokenizer = opened(tiny())
    steps = []
    original = model.reader

    def counting(state: Any) -> Any:
        reader = original(state)
        step = reader.step
        monkeypatch.setattr(reader, "step", lambda ids: steps.append(len(ids)) or step(ids))
        return reader

    monkeypatch.setattr(model, "reader", counting)
    text_of(generate(model, tokenizer, "To be", 30, samples=2))
    assert steps == [2] * 29


# ------------------------------------------------------------------ ends


def test_closing_keeps_what_was_written(tiny: Tiny) -> None:
    model, tokenizer = opened(tiny())
    full = text_of(generate(model, tokenizer, "To", 40, seed=6))[0]
    writer = generate(model, tokenizer, "To", 40, seed=6, stop=[full[7:10] + "never"])
    pieces = [next(writer).piece for _ in range(10)]
    writer.close()
    assert "".join(pieces) == full[:7]
    assert writer.samples[0].completion == full[:10]  # with what was held back
    assert writer.samples[0].stopped == "interrupt"
    assert list(writer) == []


def test_closing_before_the_first_token(tiny: Tiny) -> None:
    writer = generate(*opened(tiny()), "To", 40)
    writer.close()
    assert (writer.samples[0].completion, writer.samples[0].stopped) == ("", "interrupt")


def test_length_0_reads_and_writes_nothing(tiny: Tiny) -> None:
    writer = generate(*opened(tiny()), "To", 0, samples=2)
    assert text_of(writer) == ["", ""]
    assert [sample.stopped for sample in writer.samples] == ["length", "length"]


def test_all_problems_are_named_at_once(tiny: Tiny) -> None:
    with pytest.raises(SettingsError) as caught:
        generate(*opened(tiny()), "To", -1, seed=-2, stop=[""], samples=0)
    assert len(caught.value.problems) == 4
