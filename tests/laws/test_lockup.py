"""No prompt locks a model: whatever it reads first, real text that follows is soon predicted as always.

A model trained only on carried state was seen to give 6 nats per character, for ever, on a stream that
began from a zero state at one particular place, and 2.0 everywhere else. Every generation begins so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstmtext.config import ModelSettings
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.stack import StackState
from lstmtext.store.checkpoint import (
    Checkpoint,
    CheckpointConfig,
    CorpusFacts,
    TokenizerFacts,
    expected_shapes,
    read_checkpoint,
    read_config,
)
from lstmtext.store.models import shipped_models
from lstmtext.text.tokenizer import Tokenizer

EXCERPT = Path(__file__).parents[1] / "data" / "shakespeare_excerpt.txt"
FOLLOWING = 200  # tokens of real text after the prompt
CONTEXT = 400  # tokens before the same text, where the loss is the usual one
PASSAGES = 8
LONGEST_PROMPT = 12
# Nats per token, of the mean over the following text, more than after its real context. The first
# characters after a senseless prompt cost something; a locked model is 4 above.
MARGIN = 1.0


def token_losses(model: EngineModel, ids: np.ndarray, state: StackState) -> np.ndarray:
    """−log P of every token of ids (rows, T) but the first, (rows, T − 1)."""
    losses = np.empty((len(ids), ids.shape[1] - 1))
    for start in range(0, ids.shape[1] - 1, 50):  # bounds the memory of the scores
        stop = min(start + 50, ids.shape[1] - 1)
        hidden, state = model.stack.run(ids[:, start:stop], state)
        logs = model.log_probabilities(hidden.reshape(-1, hidden.shape[-1])).reshape(len(ids), stop - start, -1)
        losses[:, start:stop] = -np.take_along_axis(logs, ids[:, start + 1 : stop + 1, None], axis=2)[..., 0]
    return losses


def excess(model: EngineModel, text: np.ndarray, prompts: list[np.ndarray]) -> np.ndarray:
    """How much more, in nats per token, real text costs after each prompt than after its own context.

    Prompts are read from the zero state; passages of `text` follow in turn, the same for a prompt and its comparison.
    """
    starts = np.linspace(CONTEXT, len(text) - FOLLOWING - 1, PASSAGES).astype(int)
    known = text[starts[:, None] + np.arange(-CONTEXT, FOLLOWING)]
    usual = token_losses(model, known, model.zero_state(PASSAGES))[:, -FOLLOWING:].mean(axis=1)
    found = np.empty(len(prompts))
    for length in sorted({len(prompt) for prompt in prompts}):
        rows = np.array([number for number, prompt in enumerate(prompts) if len(prompt) == length])
        passages = rows % PASSAGES
        follow = text[starts[passages, None] + np.arange(FOLLOWING)]
        ids = np.concatenate([np.stack([prompts[row] for row in rows]), follow], axis=1)
        losses = token_losses(model, ids, model.zero_state(len(rows)))[:, -FOLLOWING:]
        found[rows] = losses.mean(axis=1) - usual[passages]
    return found


def prompts_for(model: EngineModel, text: np.ndarray, count: int) -> list[np.ndarray]:
    """Every token alone, the unknown one too; then half cut at random from the text, half random tokens."""
    random = np.random.default_rng(0)
    prompts = [np.array([token]) for token in range(min(model.vocabulary, 300))]
    for number in range(count):
        length = int(random.integers(1, LONGEST_PROMPT + 1))
        start = int(random.integers(len(text) - length))
        prompts.append(text[start : start + length] if number % 2 else random.integers(model.vocabulary, size=length))
    return prompts


def assert_no_lock(model: EngineModel, tokenizer: Tokenizer, text: np.ndarray, count: int) -> None:
    prompts = prompts_for(model, text, count)
    found = excess(model, text, prompts)
    worst = int(found.argmax())
    assert found[worst] < MARGIN, f"after {tokenizer.decode(prompts[worst])!r}: {found[worst]:.2f} nats more than usual"
    assert found.mean() < MARGIN / 4


SHIPPED = sorted(item for item in shipped_models().items() if read_config(item[1]).kind == "language-model")
with_models = pytest.mark.skipif(not SHIPPED, reason="no model is shipped in checkpoints/ yet")
each_model = pytest.mark.parametrize(("name", "folder"), SHIPPED, ids=[name for name, _ in SHIPPED])


@with_models
@each_model
@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_no_prompt_locks_a_shipped_model(name: str, folder: Path, count: int) -> None:
    del name
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    assert_no_lock(EngineModel(read_checkpoint(folder)), tokenizer, tokenizer.encode(EXCERPT.read_text()), count)


def test_a_locked_model_is_found() -> None:
    """A model that is fine until it reads token 3 first, and then never recovers."""
    vocabulary, hidden, marked = 20, 6, 3
    settings = ModelSettings(layers=1, hidden=hidden, embedding=5)
    random = np.random.default_rng(0)
    tensors = {
        name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in expected_shapes(settings, 20).items()
    }
    tensors["embedding.weight"][:, -1] = 0
    config = CheckpointConfig(
        kind="language-model",
        model=settings,
        tokenizer=TokenizerFacts(kind="char", size=vocabulary, sha256=""),
        corpus=CorpusFacts(name="", sha256="", bytes=0, split=""),
        step=0,
        seed=0,
        command="",
    )
    # Token 3 does not occur in the text.
    text = random.choice(np.delete(np.arange(vocabulary), marked), size=2000)
    prompts = [np.array([token]) for token in range(vocabulary)]
    sound = excess(EngineModel(Checkpoint(Path(), config, "", tensors)), text, prompts)
    assert np.abs(sound).max() < 0.1

    tensors["embedding.weight"][marked, -1] = 1.0
    weight, bias = tensors["layers.0.weight_input"], tensors["layers.0.bias"]
    tensors["layers.0.weight_hidden"][::hidden] = 0
    weight[::hidden] = 0  # unit 0 in every gate: hears the mark only
    input_gate, forget_gate, candidate, output_gate = (gate * hidden for gate in range(4))
    bias[[input_gate, forget_gate, candidate, output_gate]] = -30, 30, 0, 30  # writes nothing, keeps all, shows all
    weight[input_gate, -1], weight[candidate, -1] = 60, 10
    tensors["output.weight"][:, 0] = random.normal(0, 8, vocabulary)
    locked = excess(EngineModel(Checkpoint(Path(), config, "", tensors)), text, prompts)
    assert np.abs(np.delete(locked, marked)).max() < 0.1
    assert locked[marked] > 4
