"""What a session trains: a language model or a classifier, with all that differs between them.

    task        objective, tokenizer, the checkpoint's tensors and description, a sample where there is one

The session, the loop and the run folder do not know which it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from msgspec.structs import replace

from lstmtext.config import TrainSettings
from lstmtext.engine.sampling import SamplingSettings
from lstmtext.errors import CheckpointError
from lstmtext.events import Sampled, Started
from lstmtext.model.language_model import load_tensors, to_tensors
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig, CorpusFacts, read_checkpoint, read_config
from lstmtext.store.licences import known_licences, stated_licences, with_inherited
from lstmtext.store.models import find_model
from lstmtext.text.preparation import prepare
from lstmtext.text.prepared import PreparedFacts
from lstmtext.text.streams import TokenFile
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.defaults import inherited
from lstmtext.training.describe import describe_language_model, describe_start
from lstmtext.training.loop import Counters
from lstmtext.training.objective import COUNTED_TOKENS, LanguageModelling, Objective
from lstmtext.training.precision import Arithmetic
from lstmtext.training.same_teacher import teachers_sha256
from lstmtext.training.sample import draw_sample
from lstmtext.training.world import ALONE, World

__all__ = ["TEXT_CHANGED", "LanguageModelTask", "Task", "start_of"]

SAMPLE_PROMPT_CHARACTERS = 32  # of the validation part: how the model goes on with a text it has not seen
TEXT_CHANGED = "The text of this run has changed since {} was saved. Put the old text back, or start a new run."


class Task(Protocol):
    """One kind of model in training."""

    settings: TrainSettings
    """Those given, with what the model it starts from decides."""
    tokenizer: Tokenizer

    @property
    def objective(self) -> Objective:
        """How a batch becomes a loss."""

    def check_text(self, last: Path) -> None:
        """Raise CheckpointError if the text is not what the checkpoint `last` was trained on."""

    def little_validation(self) -> contextlib.AbstractContextManager[None]:
        """Inside, the objective evaluates on a little of its validation part."""

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights by their names in the checkpoint, copies."""

    def load(self, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
        """Put them back. Raises KeyError or RuntimeError for what does not fit."""

    def describe(self, counters: Counters, command: str) -> CheckpointConfig:
        """The `config.json` of a checkpoint taken now."""

    def started(self, parameters: int, total_steps: int) -> Started:
        """The run's first event."""

    def sample(self, counters: Counters, prompt: str, *, requested: bool) -> Sampled | None:
        """What the model writes after a prompt, if it writes."""


class LanguageModelTask:
    """Train a language model on running text, with one process or several."""

    def __init__(
        self, settings: TrainSettings, arithmetic: Arithmetic, world: World = ALONE, last: Path | None = None
    ) -> None:
        settings = settings if last else inherited(settings)
        self.settings, self.arithmetic = settings, arithmetic
        SamplingSettings(temperature=settings.run.sample_temperature)  # refused now and not at the first sample
        started = start_of(settings, last)
        self.prepared = prepare(settings.text, Tokenizer(started.tokenizer_json) if started else None)
        self.tokenizer = self.prepared.tokenizer
        torch.manual_seed(settings.run.seed)  # the initial weights
        self.teachers = teachers_sha256(settings.teaching)
        self.objective = LanguageModelling(settings, self.prepared, arithmetic, world)
        if started:
            load_tensors(self.objective.model, started.tensors)
            facts = replace(self.prepared.facts, licence=_joint_licence(started.config.corpus, self.prepared.facts))
            self.prepared = self.prepared._replace(facts=facts)

    def check_text(self, last: Path) -> None:
        """A validation file's checksum is part of the split."""
        config, facts = read_config(last), self.prepared.facts
        now = (facts.sha256, facts.split, self.tokenizer.sha256)
        if now != (config.corpus.sha256, config.corpus.split, config.tokenizer.sha256):
            raise CheckpointError(TEXT_CHANGED.format(last.name))

    @contextlib.contextmanager
    def little_validation(self) -> Iterator[None]:
        """Two small batches."""
        part = self.objective.validation
        self.objective.validation = part[:1024]
        try:
            yield
        finally:
            self.objective.validation = part

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """As `store/checkpoint.py` names them."""
        return to_tensors(self.objective.model)

    def load(self, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
        """All of them."""
        load_tensors(self.objective.model, tensors)

    def describe(self, counters: Counters, command: str) -> CheckpointConfig:
        """With the corpus, its licence and the loss."""
        found = describe_language_model(self.settings, self.prepared, counters, self.arithmetic, command)
        return replace(found, corpus=replace(found.corpus, teachers_sha256=self.teachers))

    def started(self, parameters: int, total_steps: int) -> Started:
        """With the tokens of both parts."""
        tokens = (len(self.prepared.train), len(self.prepared.validation))
        per_token = self.prepared.facts.characters_per_token
        return describe_start(
            self.settings,
            self.tokenizer,
            tokens,
            parameters,
            total_steps,
            self.arithmetic,
            per_token,
            _unknown_share(self.prepared.validation, self.tokenizer.unknown_id),
        )

    def sample(self, counters: Counters, prompt: str, *, requested: bool) -> Sampled | None:
        """From the beginning of the validation part, if no prompt is given."""
        prompt = prompt or _beginning(self.prepared.facts.validation_start)
        run = self.settings.run
        config = self.describe(counters, "")
        text = draw_sample(self.objective.model, config, self.tokenizer, prompt, run.sample_length or 200, run)
        return Sampled(
            step=counters.step,
            prompt=prompt,
            text=text,
            temperature=run.sample_temperature,
            seed=run.seed,
            requested=requested,
        )


def start_of(settings: TrainSettings, last: Path | None) -> Checkpoint | None:
    """The model that a run goes on from, if any: the one of --init, and of a run that is resumed its own checkpoint.

    What came from the other model is in that one: it may be changed or gone by then.
    """
    init = settings.teaching.init
    kind = None if settings.task == "sentiment" else "language-model"  # a classifier starts from either
    return read_checkpoint(last or find_model(init, kind=kind)) if init else None


def _joint_licence(before: CorpusFacts, facts: PreparedFacts) -> str | None:
    """What is known of the licences of the text of a model, and of that of the one that it goes on from."""
    own = CorpusFacts(name=facts.name, sha256=facts.sha256, bytes=facts.bytes, split=facts.split, licence=facts.licence)
    return stated_licences(with_inherited(known_licences(before), [known_licences(own)]))


def _unknown_share(ids: TokenFile, unknown: int | None) -> float:
    """Counted a part at a time: a whole comparison would be in memory what the ids are not."""
    if unknown is None or not len(ids):
        return 0.0
    parts = range(0, len(ids), COUNTED_TOKENS)
    return sum(int((ids[start : start + COUNTED_TOKENS] == unknown).sum()) for start in parts) / len(ids)


def _beginning(text: str) -> str:
    """The first words of a text; half a word is none to a model of words."""
    if len(text) <= SAMPLE_PROMPT_CHARACTERS:
        return text
    cut = text[: SAMPLE_PROMPT_CHARACTERS + 1]
    end = max(cut.rfind(" "), cut.rfind("\n"))
    return cut[:end] if cut[:end].strip() else cut[:-1]
