"""Typed settings: what a training run can be told, with the meaning and unit of each.

A settings file is TOML with one table per struct below (`[text]`, `[model]`, …). Field names
are unique across the tables, so that the command line can say `--set dropout_weight=0.4`.
`settings.py` reads and checks them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from lstmtext.units import TOKENS

__all__ = [
    "BatchSettings",
    "BudgetSettings",
    "LabelSettings",
    "ModelSettings",
    "OptimisationSettings",
    "ReadoutSettings",
    "RegularisationSettings",
    "RunSettings",
    "TeachingSettings",
    "TextSettings",
    "TrainSettings",
]

Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Threads = Annotated[int, Meta(ge=0, le=1024)]  # more than the system has room for end a process without a word
Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]
Readout = Literal["last", "mean", "max", "concat"]
Task = Literal["language-model", "sentiment"]
Cell = Literal["lstm", "gru", "rnn"]
TokenizerKind = Literal["char", "word", "whitespace", "wordpiece", "bpe", "byte"]

EVALUATIONS_PER_RUN = 20
MIN_STEPS_BETWEEN = 50  # evaluations, so that a short run does not spend its time on them


class TextSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is read and how it becomes tokens."""

    corpus: Annotated[
        list[str], Meta(description="Files, folders, `-` or names from the corpus library, in order.")
    ] = []
    field: Annotated[str, Meta(description="Field of a .jsonl record that holds the text.")] = "text"
    tokenizer: Annotated[TokenizerKind, Meta(description=TOKENS)] = "char"
    vocabulary_size: Annotated[
        Natural, Meta(description="Most tokens kept; 0: 4096 for bpe, 12 000 for wordpiece, else every one.")
    ] = 0
    validation: Annotated[
        Annotated[float, Meta(ge=0, lt=1)] | str,
        Meta(
            description="Held out: a fraction, the last part; or a file. "
            "0: the library corpus's own validation part, else the last tenth."
        ),
    ] = 0.0


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shape of the network: all that is needed to run it."""

    cell: Annotated[Cell, Meta(description="Recurrent cell.")] = "lstm"
    layers: Annotated[Annotated[int, Meta(ge=1, le=16)], Meta(description="Stacked recurrent layers.")] = 2
    hidden: Annotated[Annotated[int, Meta(ge=1, le=16384)], Meta(description="Units per layer.")] = 512
    embedding: Annotated[Annotated[int, Meta(ge=1, le=16384)], Meta(description="Length of a token's vector.")] = 128
    tied: Annotated[
        bool,
        Meta(
            description="Use the embedding as output weights too; a projection hidden → embedding is added "
            "when the two sizes differ."
        ),
    ] = False
    cutoffs: Annotated[
        list[int],
        Meta(description="Cluster borders of an adaptive softmax for very large vocabularies; empty: full softmax."),
    ] = []


class LabelSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Labelled text for a classifier: where it lies and how it is read."""

    sources: Annotated[
        list[str], Meta(description="Labelled files (.tsv, .csv, .jsonl, .txt), folders, or library names, in order.")
    ] = []
    weights: Annotated[
        list[NonNegative],
        Meta(description="How often each source is seen per epoch, in the same order; a short list goes on with 1."),
    ] = []
    text_column: Annotated[str, Meta(description="Column or field of the text; empty: found by its name.")] = ""
    label_column: Annotated[str, Meta(description="Column or field of the label; empty: found by its name.")] = ""
    label_map: Annotated[
        dict[str, str], Meta(description="Label as written → negative, neutral, positive or skip; empty: by its scale.")
    ] = {}
    held_out: Annotated[list[str], Meta(description="Labelled files for validation only.")] = []
    held_out_fractions: Annotated[
        list[Fraction],
        Meta(
            description="Part of each source that is held out, in the same order; pairs and duplicates stay together. "
            "A short list goes on with 0; empty: a tenth of every source if there is no held_out."
        ),
    ] = []
    unlabelled: Annotated[
        list[str],
        Meta(description="Texts, one a line, whose labels a teacher or a file of answers gives."),
    ] = []
    unlabelled_sentences: Annotated[Natural, Meta(description="Sentences taken from them at random; 0: every one.")] = 0
    longest: Annotated[
        Annotated[int, Meta(ge=8)],
        Meta(description="Tokens kept of a long text in training: its beginning and, twice as much, its end."),
    ] = 400
    mark_dropout: Annotated[
        Fraction, Meta(description="Probability that a text loses its final mark: people leave it out.")
    ] = 0.3
    neutral_context: Annotated[
        Fraction,
        Meta(
            description="Part of the texts that stand among up to eight neutral ones of their source; the label stays."
        ),
    ] = 0.0


class ReadoutSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a classifier gets from the states of all tokens to one answer."""

    readout: Annotated[
        Readout, Meta(description="Which states the answer is read from; concat: last, mean and max together.")
    ] = "concat"
    bidirectional: Annotated[
        bool, Meta(description="A second stack reads backwards; it cannot be read word by word.")
    ] = False
    dropout_readout: Annotated[Fraction, Meta(description="Dropout on what is read out.")] = 0.0


class RegularisationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What keeps the model from learning its corpus by heart. Everything is off at 0."""

    dropout_embedding: Annotated[
        Fraction, Meta(description="Probability that a token type is blanked for a whole batch.")
    ] = 0.0
    dropout_input: Annotated[Fraction, Meta(description="Locked dropout on the embedded input.")] = 0.0
    dropout_between: Annotated[Fraction, Meta(description="Locked dropout between layers.")] = 0.0
    dropout_output: Annotated[Fraction, Meta(description="Locked dropout before the output layer.")] = 0.0
    dropout_weight: Annotated[
        Fraction, Meta(description="Probability that a hidden-to-hidden weight is dropped for a batch.")
    ] = 0.0
    activation_penalty: Annotated[
        NonNegative, Meta(description="AR: weight of the mean square of the dropped-out last layer's output.")
    ] = 0.0
    slowness_penalty: Annotated[
        NonNegative, Meta(description="TAR: weight of the mean square of its change from step to step.")
    ] = 0.0


class BatchSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the token stream is cut for truncated back-propagation through time."""

    batch_size: Annotated[Count, Meta(description="Parallel streams; of a classifier, most texts per step.")] = 64
    sequence_length: Annotated[
        Annotated[int, Meta(ge=2)],
        Meta(
            description="Mean tokens per stream and step (back-propagation length); of a classifier, tokens per "
            "step / batch_size."
        ),
    ] = 96
    sequence_jitter: Annotated[
        NonNegative, Meta(description="Standard deviation of that length, tokens; it is drawn anew each step.")
    ] = 16.0
    state_reset: Annotated[
        Fraction,
        Meta(description="Probability per step that a stream's state starts again from zero, as generation does."),
    ] = 0.03


class OptimisationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """AdamW, clipping, warm-up and cosine decay, optional averaging of the weights."""

    forget_bias: Annotated[
        float,
        Meta(description="Start of the LSTM's forget bias (the sum of PyTorch's two); 1: remembers."),
    ] = 1.0
    learning_rate: Annotated[Positive, Meta(description="Peak learning rate.")] = 3e-3
    warmup_steps: Annotated[Natural, Meta(description="Steps of linear warm-up.")] = 100
    final_learning_rate: Annotated[
        Annotated[float, Meta(ge=0, le=1)], Meta(description="Last learning rate as a fraction of the peak (cosine).")
    ] = 0.02
    weight_decay: Annotated[NonNegative, Meta(description="Decoupled weight decay of the matrices.")] = 0.05
    beta2: Annotated[Fraction, Meta(description="AdamW's decay of the second moment.")] = 0.999
    clip_norm: Annotated[Positive, Meta(description="Largest norm of the gradient over all parameters.")] = 1.0
    softmax_samples: Annotated[
        Natural,
        Meta(
            description="Random tokens that compete with a batch's own in the training loss, for large "
            "vocabularies; 0: all tokens. Validation always compares all."
        ),
    ] = 0
    averaging: Annotated[
        Fraction, Meta(description="Decay per step of the moving average of weights that is saved; 0: off.")
    ] = 0.0


class TeachingSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Learning from another model: starting from its weights, or from what it says (distillation)."""

    init: Annotated[
        str,
        Meta(
            description="A model to start from; empty: none. A language model goes on from all weights of another; a "
            "classifier takes the embedding and layers of a language model, or all of a classifier."
        ),
    ] = ""
    layer_rate: Annotated[
        Annotated[float, Meta(gt=0, le=1)],
        Meta(description="Learning rate of each layer as a fraction of the one above it, for a model with init."),
    ] = 1.0
    teacher: Annotated[
        str | list[str],
        Meta(
            description="A model trained on the same text; empty: none. A classifier may have several, as a list: "
            "the mean of what they say counts."
        ),
    ] = ""
    answers: Annotated[
        list[str],
        Meta(
            description="Files of what other models say of texts, in columns text, negative, neutral, positive: each "
            "is one more teacher of a classifier, heard where it knows the text."
        ),
    ] = []
    teacher_weight: Annotated[
        Annotated[float, Meta(ge=0, le=1)], Meta(description="Share of the teacher's probabilities in the objective.")
    ] = 0.5
    teacher_must_agree: Annotated[
        bool,
        Meta(description="A classifier's teacher is heard only where it is right about the label, or there is none."),
    ] = False

    @property
    def teachers(self) -> list[str]:
        """The names or folders of all of them."""
        return [self.teacher] if isinstance(self.teacher, str) and self.teacher else list(self.teacher)


class BudgetSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long to train: exactly one of epochs, steps and minutes; all 0 means 20 epochs."""

    epochs: Annotated[NonNegative, Meta(description="Passes over the training part.")] = 0.0
    steps: Annotated[Natural, Meta(description="Optimizer steps.")] = 0
    minutes: Annotated[
        NonNegative, Meta(description="Wall-clock minutes; the steps they turn out to be are recorded.")
    ] = 0.0
    patience: Annotated[
        Natural, Meta(description="Stop after this many evaluations without a better validation loss; 0: never.")
    ] = 0
    plan: Annotated[
        list[tuple[int, int]],
        Meta(description="Written by a run with a budget in minutes: (from step, total steps) as the clock decided."),
    ] = []


class RunSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how it runs, and what it reports."""

    seed: Annotated[Annotated[int, Meta(ge=0, le=2**63 - 1)], Meta(description="Seed of everything random.")] = 1
    device: Annotated[str, Meta(description="auto, cpu, cuda, cuda:N or mps.")] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        Meta(description="Arithmetic of the forward and backward pass; weights stay float32."),
    ] = "auto"
    threads: Annotated[Threads, Meta(description="CPU threads; 0: PyTorch's choice.")] = 0
    log_every: Annotated[Count, Meta(description="Steps between progress records.")] = 10
    evaluate_every: Annotated[
        Natural, Meta(description="Steps between evaluations; 0: about 20 in a run, at least 50 steps apart.")
    ] = 0
    save_every: Annotated[Natural, Meta(description="Steps between checkpoints; 0: at every evaluation.")] = 0
    sample_every: Annotated[Natural, Meta(description="Steps between samples; 0: at every evaluation.")] = 0
    sample_prompt: Annotated[str, Meta(description="Prompt of those samples; empty: the validation part's start.")] = ""
    sample_length: Annotated[Natural, Meta(description="Tokens per sample; 0: no samples.")] = 200
    sample_temperature: Annotated[NonNegative, Meta(description="Temperature of those samples.")] = 0.8

    def evaluation_steps(self, total_steps: int) -> int:
        """Steps between evaluations in a run of so many."""
        return self.evaluate_every or max(MIN_STEPS_BETWEEN, total_steps // EVALUATIONS_PER_RUN)


class TrainSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything a run is told: the content of its `config.toml`.

    [text] belongs to a language model; a classifier has [labels] and [readout], and of [text] the tokenizer.
    """

    task: Task = "language-model"
    text: TextSettings = msgspec.field(default_factory=TextSettings)
    labels: LabelSettings = msgspec.field(default_factory=LabelSettings)
    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    readout: ReadoutSettings = msgspec.field(default_factory=ReadoutSettings)
    regularisation: RegularisationSettings = msgspec.field(default_factory=RegularisationSettings)
    batch: BatchSettings = msgspec.field(default_factory=BatchSettings)
    optimisation: OptimisationSettings = msgspec.field(default_factory=OptimisationSettings)
    teaching: TeachingSettings = msgspec.field(default_factory=TeachingSettings)
    budget: BudgetSettings = msgspec.field(default_factory=BudgetSettings)
    run: RunSettings = msgspec.field(default_factory=RunSettings)
