"""Use a model from Python: `lstmtext.load` and the object it returns. Never imports torch.

    import lstmtext

    model = lstmtext.load("shakespeare")  # a shipped or trained model's name, or a folder
    print(model.generate("ROMEO:", length=200, seed=7))
    for piece in model.stream("ROMEO:", temperature=0.5):
        print(piece, end="", flush=True)
    print(model.loss("To be, or not to be"))  # nats per token

A classifier's name gives a `Classifier`:

    judge = lstmtext.load("sentiment")
    print(judge("not good").label)

Everything random has a seed: the same seed, settings and weights give the same text on the same machine.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

import msgspec
import numpy as np
from msgspec import Struct

from lstmtext.engine.classifier import NEUTRAL_BAND, EngineClassifier, Judgement
from lstmtext.engine.generator import Sample, Stopped, Token, Writer, generate
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.sampling import SamplingSettings, not_a_number
from lstmtext.errors import InputError, OtherKindError, SettingsError, UsageError
from lstmtext.given import is_one, neutral_band, not_text, or_decoded, unknown_options
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig, read_checkpoint
from lstmtext.store.models import find_model
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.units import counted

if TYPE_CHECKING:
    from lstmtext.explain.report import Explanation, Method

__all__ = ["Classifier", "Generation", "Judgement", "LanguageModel", "Options", "Work", "load", "random_seed"]

ALTERNATIVES = 5  # of each token: enough to see what else it might have been


class Options(TypedDict, total=False):
    """How text is generated; each may be left out.

    length: tokens to generate, at most (400)
    temperature: 0 takes the most probable token; 1 is the model's own distribution (0.8)
    top_k, top_p, min_p: leave out improbable tokens (None: off); see `engine/sampling.py`
    repetition_penalty: above 1 makes recent tokens less probable (1)
    stop: end before the first of these strings (none)
    seed: None draws a fresh one, which the result names
    """

    length: int
    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None
    repetition_penalty: float
    stop: Sequence[str]
    seed: int | None


class Generation(Struct, frozen=True, kw_only=True):
    """A finished text and how it came about. `str()` of it is the text.

    text: prompt and completion
    tokens: every token that was drawn, those of a stop string included; each with its probability and
        the five most probable (see `Token`)
    settings: all options that were in force; stopped: "length", "stop" or "interrupt"
    seconds: wall-clock time for reading the prompt and writing
    """

    model: str
    prompt: str
    text: str
    completion: str
    tokens: list[Token]
    seed: int
    settings: dict[str, Any]
    stopped: Stopped
    seconds: float
    tokens_per_second: float

    def __str__(self) -> str:
        return self.text


class LanguageModel:
    """A language model that is ready to answer. Make one with `load`.

    name: what it was loaded as; config: the checkpoint's config (settings, corpus, scores, licence)
    """

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        self.name = name
        self.folder = checkpoint.folder
        self.config: CheckpointConfig = checkpoint.config
        self.tokenizer = Tokenizer(checkpoint.tokenizer_json)
        self.engine = EngineModel(checkpoint)

    def __repr__(self) -> str:
        model, kind = self.config.model, self.config.tokenizer.kind
        return f"<LanguageModel {self.name!r}: {model.cell} {model.layers}×{model.hidden}, {kind}>"

    def generate(self, prompt: str = "", **options: Unpack[Options]) -> Generation:
        """Continue `prompt`; the whole text at once. `options`: see `lstmtext.api.Options`.

        Raises SettingsError naming every option that does not fit.
        """
        return self._samples(prompt, 1, options)[0]

    def generate_samples(self, prompt: str, samples: int, **options: Unpack[Options]) -> list[Generation]:
        """Several texts from one prompt, as one batch: sample k is what `generate` gives with `seed + k`."""
        return self._samples(prompt, samples, options)

    def _samples(self, prompt: str, samples: int, options: Options) -> list[Generation]:
        work = Work(self, prompt, samples, ALTERNATIVES, options)
        tokens: list[list[Token]] = [[] for _ in range(samples)]
        for token in work.writer:
            tokens[token.sample].append(token)
        return [work.result(number, drawn) for number, drawn in enumerate(tokens)]

    def stream(self, prompt: str = "", **options: Unpack[Options]) -> Iterator[str]:
        """The completion, piece by piece as it comes; joined, the pieces are `generate`'s `completion`."""
        return _pieces(Work(self, prompt, 1, 0, options).writer)

    def loss(self, text: str) -> float:
        """Mean −log P of each token of `text` but the first, given those before it: nats per token.

        The text is read once, in order, from the zero state. Raises InputError when it has fewer than two tokens,
        UsageError for what is no str.
        """
        if said := not_text("The text", [text], "a str"):
            raise UsageError(said)
        ids = self.tokenizer.encode(text)
        if len(ids) < 2:
            raise InputError(
                f"The text has {counted(len(ids), self.tokenizer.unit)}; a loss needs two: "
                "one to read and one to predict."
            )
        return self.engine.loss(ids[None]).nats_per_token


class Classifier:
    """A sentiment classifier that is ready to answer. Make one with `load`.

    name: what it was loaded as; config: the checkpoint's config (settings, corpus, calibration, scores, licence)
    """

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        self.name = name
        self.folder = checkpoint.folder
        self.config: CheckpointConfig = checkpoint.config
        self.engine = EngineClassifier(checkpoint)
        self.tokenizer = self.engine.tokenizer

    def __repr__(self) -> str:
        model, facts = self.config.model, self.engine.classifier
        both = " both ways" if facts.bidirectional else ""
        return f"<Classifier {self.name!r}: {model.cell} {model.layers}×{model.hidden}{both}, {facts.readout}>"

    @overload
    def __call__(self, text: str) -> Judgement: ...
    @overload
    def __call__(self, text: list[str] | tuple[str, ...]) -> list[Judgement]: ...
    def __call__(self, text: str | list[str] | tuple[str, ...]) -> Judgement | list[Judgement]:
        """The answer for one text, or for each of several: see `Judgement` and `classify`."""
        if not isinstance(text, str) and is_one(text):
            raise UsageError(not_text("The text", [text], or_decoded("a str", text)))
        return self.classify([text])[0] if isinstance(text, str) else self.classify(text)

    def classify(self, texts: Sequence[str], neutral: tuple[float, float] = NEUTRAL_BAND) -> list[Judgement]:
        """The answer for each text, in order.

        neutral: P(positive) from the first to the second is called neutral
        Raises UsageError for a band that is none, for one string instead of several, and for what is no string.
        """
        if isinstance(texts, (dict, set, frozenset)):  # a set has no order, and of a dict the keys would be read
            raise UsageError(f"The texts are {reprlib.repr(texts)}; they must be a list of str.")
        if is_one(texts):
            raise UsageError("classify takes a list of texts; for one text call the classifier itself.")
        texts = list(texts)
        if said := not_text("A text", texts, "a str"):
            raise UsageError(said)
        return self.engine.judge(texts, neutral_band(neutral.tolist() if isinstance(neutral, np.ndarray) else neutral))

    def explain(self, text: str, methods: Sequence[Method] | None = None, **options: Any) -> Explanation:
        """Why it answers as it does: see `lstmtext.explain.report.explain`, which takes the same options."""
        if said := not_text("The text", [text], "a str"):
            raise UsageError(said)
        from lstmtext.explain.report import explain

        if problems := unknown_options(options, explain.__kwdefaults__ or ()):
            raise SettingsError(problems)
        return explain(self.engine, text, methods, **options)


class Work:
    """One call of generate: checked options, the writer, and the results. The command line uses it too."""

    def __init__(
        self, model: LanguageModel | Classifier, prompt: str, samples: int, top: int, options: Options
    ) -> None:
        if isinstance(model, Classifier):
            raise OtherKindError(
                f"{model.name} is a classifier; this needs a language model. "
                "`lstmtext models list` shows which is which."
            )
        given: dict[str, Any] = {"length": 400, "stop": (), "seed": None, **options}
        given = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        self.model, self.prompt = model, prompt
        length, stop, seed = given.pop("length"), given.pop("stop"), given.pop("seed")
        problems = unknown_options([name for name in given if name != "samples"], Options.__annotations__)
        if "samples" in given:
            problems.append("There is no option 'samples'; `generate_samples` writes several texts.")

        def fitting(said: str, value: Any, instead: Any) -> Any:
            """The value, or where something is to be said of it another one, so that the others are looked at."""
            if said:
                problems.append(said)
            return instead if said else value

        length = fitting(not_a_number("length", length, whole=True), length, 0)
        seed = random_seed() if seed is None else fitting(not_a_number("seed", seed, whole=True), seed, 0)
        samples = fitting(not_a_number("samples", samples, whole=True), samples, 1)
        prompt = fitting(not_text("prompt", [prompt], "a text (str)"), prompt, "")
        texts = [stop] if is_one(stop) else list(stop)
        stop = fitting(not_text("stop", texts, or_decoded("a text (str) or several", stop)), texts, ())
        settings = SamplingSettings()
        try:
            settings = SamplingSettings(**{name: given[name] for name in given if name in Options.__annotations__})
        except SettingsError as error:
            problems.extend(error.problems)
        try:
            self.writer: Writer = generate(
                model.engine, model.tokenizer, prompt, length, settings, seed, stop, samples, top
            )
        except SettingsError as error:
            problems.extend(error.problems)
        if problems:
            raise SettingsError(problems)
        self.settings: dict[str, Any] = {"length": length, **msgspec.structs.asdict(settings), "stop": stop}

    def result(self, number: int, tokens: list[Token]) -> Generation:
        """Sample `number` as it is now, with the tokens that were seen of it."""
        sample: Sample = self.writer.samples[number]
        completion = sample.completion
        return Generation(
            model=self.model.name,
            prompt=self.prompt,
            text=self.prompt + completion,
            completion=completion,
            tokens=tokens,
            seed=sample.seed,
            settings=self.settings,
            stopped=sample.stopped or "interrupt",
            seconds=sample.seconds,
            tokens_per_second=sample.tokens / sample.seconds if sample.seconds else 0.0,
        )


def _pieces(writer: Writer) -> Iterator[str]:
    try:
        for token in writer:
            if token.piece:
                yield token.piece
    finally:
        writer.close()


def load(name: str | os.PathLike[str], *, kind: str | None = None) -> LanguageModel | Classifier:
    """A model by its name (shipped or trained), by a run's name (its best checkpoint), or by its folder.

    kind: classifier or language-model, where only one of them will do
    Raises UsageError when there is none of that name, CheckpointError when its files do not fit, OtherKindError.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise UsageError(f"The model is {reprlib.repr(name)}; load takes a name, a run's name or a folder.")
    kinds: dict[str, type[LanguageModel | Classifier]] = {"classifier": Classifier, "language-model": LanguageModel}
    if kind not in (None, *kinds):
        raise UsageError(f"kind is {reprlib.repr(kind)}; it must be {' or '.join(kinds)}.")
    checkpoint = read_checkpoint(find_model(os.fspath(name), kind=kind))
    return kinds[kind or checkpoint.config.kind](os.fspath(name), checkpoint)  # it refuses a checkpoint of the other


def random_seed() -> int:
    """A fresh seed, short enough to be typed again."""
    return int.from_bytes(os.urandom(4), "big")
