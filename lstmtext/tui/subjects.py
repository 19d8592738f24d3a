"""A model that is being looked into: the same questions to a classifier and to a language model.

    subject = load_subject("sentiment")
    passage = subject.read("The film is not good.")
    subject.trace(passage)["forget"]            (layers, tokens, units)
    subject.answer(passage, {(0, 17)})          the answer with unit 17 of layer 0 switched off
    subject.rank(passage, 0)                    units by what the answer loses without them

A classifier's answer is P(positive); a language model's is the next token. Everything here computes: call it in a
worker thread (it imports numpy when it is first asked). Must not import torch, and knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from lstmtext.engine.cell import Array
    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.engine.layers import Ids
    from lstmtext.explain.ablation import UnitEffect
    from lstmtext.store.checkpoint import Checkpoint
    from lstmtext.text.tokenizer import Tokenizer

__all__ = [
    "Answer",
    "ClassifierSubject",
    "Passage",
    "Subject",
    "Unit",
    "WriterSubject",
    "load_classifier",
    "load_subject",
    "model_names",
    "shift",
    "visible_token",
]

LONGEST_WRITING = 400  # tokens of a language model's text: 640 units at all of them are ranked in half a minute
SHOWN_TOKENS = 5
Unit = tuple[int, int]


class Passage(NamedTuple):
    """A text as the model reads it.

    tokens: what each token reads, for a person, as <word> where the model does not know it
    words, ends: words and the last token of each
    """

    text: str
    ids: Ids
    tokens: tuple[str, ...]
    words: tuple[str, ...]
    ends: tuple[int, ...]


class Answer(NamedTuple):
    """What the model says.

    verdict: one or two words; value: P(positive), or P of the most probable token; choices: names and probabilities
    table: all probabilities, to compare answers with
    """

    verdict: str
    value: float
    choices: tuple[tuple[str, float], ...]
    table: tuple[float, ...]


class Subject(Protocol):
    """The questions."""

    name: str
    kind: str
    cell: str
    layers: int
    units: int
    shape: str
    gates: tuple[str, ...]
    backward: int
    """The first unit that reads from the end; as many as there are where all read from the beginning."""

    def read(self, text: str) -> Passage:
        """The text as the model reads it. Raises UsageError for one that is too long."""
        ...

    def trace(self, passage: Passage) -> dict[str, Array]:
        """Name → (layers, tokens, units)."""
        ...

    def start(self) -> dict[str, Array]:
        """What the first token of a text finds, of hidden and cell, (layers, units); nothing where it finds zeros."""
        ...

    def answer(self, passage: Passage, off: Collection[Unit] = ()) -> Answer:
        """What the model says at the end of the text, with these units switched off."""
        ...

    def rank(self, passage: Passage, layer: int, wanted: Callable[[], bool]) -> list[UnitEffect] | None:
        """Units of a layer, the strongest effect first; None when it is no longer wanted."""
        ...


class ClassifierSubject:
    """A sentiment classifier."""

    kind = "classifier"

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        from lstmtext.engine.classifier import EngineClassifier
        from lstmtext.explain.trace import NAMES

        self.name = name
        self.classifier: EngineClassifier = EngineClassifier(checkpoint)
        self.cell: str = checkpoint.config.model.cell
        self.layers = checkpoint.config.model.layers
        self.backward = self.classifier.stack.hidden
        self.units = self.backward * len(self.classifier.stacks)
        self.shape = f"{self.layers}×{self.classifier.stack.hidden}" + (" both ways" if self.both_ways else "")
        self.gates = NAMES[self.cell]

    @property
    def both_ways(self) -> bool:
        """Whether it reads from both ends, and so has no answer after each word."""
        return self.classifier.classifier.bidirectional

    def read(self, text: str) -> Passage:
        from lstmtext.errors import UsageError
        from lstmtext.explain.ablation import LONGEST
        from lstmtext.explain.words import read_words

        words = read_words(self.classifier, text)
        if len(words) > LONGEST:
            raise UsageError(
                f"The text has {len(words)} words; gates and single units are looked at in up to {LONGEST}. "
                "Take a part of it."
            )
        tokenizer = self.classifier.tokenizer
        names = [tokenizer.token_text(int(index)) for index in words.ids]
        for word, (begin, stop) in zip(words.texts, words.spans, strict=True):
            if stop == begin + 1 and words.ids[begin] == tokenizer.unknown_id:
                names[begin] = f"<{word}>"
        tokens = tuple(map(visible_token, names))
        return Passage(text, words.ids, tokens, words.texts, tuple(stop - 1 for _, stop in words.spans))

    def trace(self, passage: Passage) -> dict[str, Array]:
        from lstmtext.explain.trace import trace

        return trace(self.classifier, passage.ids)

    def start(self) -> dict[str, Array]:
        from lstmtext.explain.trace import start

        return start(self.classifier)

    def answer(self, passage: Passage, off: Collection[Unit] = ()) -> Answer:
        from lstmtext.engine.classifier import label_of
        from lstmtext.explain.ablation import ablate

        if off:
            positive = ablate(self.classifier, passage.text, sorted(off))
            return Answer(label_of(positive), positive, (), (positive,))
        judgement = self.classifier.judge([passage.text])[0]
        choices = () if judgement.empty else tuple(judgement.probabilities.items())
        return Answer(judgement.label, judgement.positive, choices, (judgement.positive,))

    def rank(self, passage: Passage, layer: int, wanted: Callable[[], bool]) -> list[UnitEffect] | None:
        from lstmtext.explain.ablation import rank_units

        return rank_units(self.classifier, passage.ids, [layer]) if wanted() else None


class WriterSubject:
    """A language model."""

    kind = "language-model"

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        from lstmtext.engine.language_model import EngineModel
        from lstmtext.explain.trace import NAMES
        from lstmtext.text.tokenizer import Tokenizer

        self.name = name
        self.model = EngineModel(checkpoint)
        self.tokenizer = Tokenizer(checkpoint.tokenizer_json)
        self.cell: str = checkpoint.config.model.cell
        self.layers = checkpoint.config.model.layers
        self.units = self.backward = self.model.stack.hidden
        self.shape = f"{self.layers}×{self.units}"
        self.gates = NAMES[self.cell]

    def read(self, text: str) -> Passage:
        from lstmtext.errors import UsageError

        ids = self.tokenizer.encode(text)
        if len(ids) > LONGEST_WRITING:
            raise UsageError(
                f"The text has {len(ids)} {self.tokenizer.unit}s; gates are looked at in up to {LONGEST_WRITING}. "
                "Take a part of it."
            )
        tokens = tuple(_names(self.tokenizer, text, ids))
        return Passage(text, ids, tokens, tokens, tuple(range(len(ids))))

    def trace(self, passage: Passage) -> dict[str, Array]:
        from lstmtext.explain.next_token import gates

        return gates(self.model, passage.ids)

    def start(self) -> dict[str, Array]:
        return {}

    def answer(self, passage: Passage, off: Collection[Unit] = ()) -> Answer:
        import numpy as np

        from lstmtext.explain.next_token import next_token

        if not len(passage.ids):
            return Answer("nothing to read", 0.0, (), ())
        found = next_token(self.model, passage.ids, [sorted(off)])[0]
        best = np.argsort(-found, kind="stable")[:SHOWN_TOKENS].tolist()
        choices = tuple((visible_token(self.tokenizer.token_text(index)), float(found[index])) for index in best)
        return Answer(choices[0][0], choices[0][1], choices, tuple(found.tolist()))

    def rank(self, passage: Passage, layer: int, wanted: Callable[[], bool]) -> list[UnitEffect] | None:
        from lstmtext.explain.next_token import rank_units

        return rank_units(self.model, passage.ids, layer, wanted) if len(passage.ids) else []


def _names(tokenizer: Tokenizer, text: str, ids: Ids) -> list[str]:
    """What each token reads; of an unknown one what is typed there, as <word>."""
    from lstmtext.text.plain import pieces

    names = [visible_token(tokenizer.token_text(int(index))) for index in ids]
    unknown = [place for place, index in enumerate(ids.tolist()) if index == tokenizer.unknown_id]
    typed = list(text)  # of a model of characters
    if unknown and tokenizer.kind == "wordpiece":
        typed = [piece for piece in pieces(text) for _ in tokenizer.piece_ids(piece)]
    elif unknown and tokenizer.kind != "char":
        typed = [piece for piece, _ in tokenizer.backend.pre_tokenizer.pre_tokenize_str(text)]
    for place in unknown:
        names[place] = f"<{visible_token(typed[place].strip('<> ') or typed[place])}>"
    return names


def load_subject(name: str) -> Subject:
    """A model by name, run or folder. Raises UsageError, CheckpointError."""
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    checkpoint = read_checkpoint(find_model(name))
    if checkpoint.config.kind == "classifier":
        return ClassifierSubject(name, checkpoint)
    return WriterSubject(name, checkpoint)


def load_classifier(name: str) -> ClassifierSubject:
    """A classifier by name, run or folder. Raises UsageError, CheckpointError, also for a language model."""
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    return ClassifierSubject(name, read_checkpoint(find_model(name, kind="classifier")))


def model_names() -> dict[str, str]:
    """Shipped and trained models: name → kind (classifier, language-model). Those that cannot be read are left out."""
    from lstmtext.errors import CheckpointError
    from lstmtext.store.checkpoint import read_config
    from lstmtext.store.models import shipped_models, trained_models

    found = {}
    for name, folder in {**trained_models(), **shipped_models()}.items():
        try:
            found[name] = read_config(folder).kind
        except (CheckpointError, OSError):
            continue  # a damaged model must not hide the others; who names it is told why
    return dict(sorted(found.items()))


def visible_token(text: str) -> str:
    """A token for a person: white space as signs."""
    named: dict[str, str] = {" ": "␣", "\n": "⏎", "\t": "⇥", "": "∅"}
    return named.get(text, text.replace("\n", "⏎").replace("\t", "⇥"))


def shift(before: Sequence[float], after: Sequence[float]) -> float:
    """How far an answer has moved: the difference for one number, else half the sum of all differences."""
    if len(before) == 1:
        return after[0] - before[0]
    return 0.5 * sum(abs(a - b) for a, b in zip(before, after, strict=True))
