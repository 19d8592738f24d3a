"""Text from a model in training, drawn by the engine: what the user will get, and random numbers of its own."""

from __future__ import annotations

from pathlib import Path

from lstmtext.config import RunSettings
from lstmtext.model.language_model import LanguageModel, to_tensors
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["draw_sample"]


def draw_sample(
    model: LanguageModel, config: CheckpointConfig, tokenizer: Tokenizer, prompt: str, length: int, run: RunSettings
) -> str:
    """The prompt and `length` tokens after it, at the run's sample temperature and seed."""
    from lstmtext.engine.generator import generate
    from lstmtext.engine.language_model import EngineModel
    from lstmtext.engine.sampling import SamplingSettings

    engine = EngineModel(Checkpoint(Path(), config, tokenizer.json, dict(to_tensors(model))))
    settings = SamplingSettings(temperature=run.sample_temperature)
    return prompt + "".join(token.piece for token in generate(engine, tokenizer, prompt, length, settings, run.seed))
