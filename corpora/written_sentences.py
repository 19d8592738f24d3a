"""Everyday sentences that a language model writes, for a classifier's teachers to answer.

    python corpora/written_sentences.py lines --output lines.txt
    lstmtext train lm lines.txt --init reviews --minutes 11 --name everyday
    python corpora/written_sentences.py write everyday --output written.txt

A teacher has little to say of the texts that it learned from itself: there it repeats their labels. What it knows
beyond them shows on others of the same kind. Where there are none, a language model that has read those can write
them; the teacher answers, the student learns (He et al. 2022, "Generate, Annotate, and Learn", arXiv:2106.06168).
What it writes need not be wise, nor true: only the teacher and the student read it.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from lstmtext.errors import LstmtextError
from lstmtext.files import write_atomically
from lstmtext.model.language_model import LanguageModel
from lstmtext.store.models import find_model
from lstmtext.text.labelled import plain_key, read_source, split_examples
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.precision import Arithmetic
from lstmtext.training.restore import load_language_model

STREAMS = 1024
WORDS = (3, 45)  # in a sentence


def lines(options: argparse.Namespace) -> None:
    """The sentences of `everyday` that a training learns from, one a line, in a random order."""
    (learned,), _ = split_examples([read_source("everyday")], [options.held_out])
    texts = [example.text.replace("\n", " ") for example in learned]
    random.Random(options.seed).shuffle(texts)
    write_atomically(options.output, "".join(f"{text}\n" for text in texts))
    print(f"{len(texts):,} sentences in {options.output}")


@torch.no_grad()
def streams(model: LanguageModel, tokenizer: Tokenizer, temperature: float) -> Iterator[list[str]]:
    """Without end, the sentences that have come to theirs in this step. Every stream goes on after its line end."""
    arithmetic = Arithmetic(torch.device("cpu"), "bfloat16")
    end = tokenizer.line_end_id
    if end is None:
        sys.exit("The model has no token for a line end, so that its lines are not sentences.")
    state = model.stack.zero_state(STREAMS, arithmetic.device, arithmetic.dtype)
    tokens = torch.full((STREAMS, 1), end)
    begun: list[list[int]] = [[] for _ in range(STREAMS)]
    while True:
        with arithmetic.autocast():
            features, state = model(tokens, state)
            scores = model.logits(features.raw[:, -1])
        if tokenizer.unknown_id is not None:
            scores[:, tokenizer.unknown_id] = -torch.inf
        # A draw from the distribution; `multinomial` would take as long as all the rest.
        reached = (scores / temperature).softmax(-1).cumsum(-1)
        tokens = torch.searchsorted(reached, torch.rand(STREAMS, 1) * reached[:, -1:]).clamp(max=scores.shape[-1] - 1)
        finished = []
        for stream, token in zip(begun, tokens[:, 0].tolist(), strict=True):
            if token != end:
                stream.append(token)
            elif stream:
                finished.append(tokenizer.decode(stream))
                stream.clear()
        yield finished


def write(options: argparse.Namespace) -> None:
    """So many different sentences, none of which stands in `everyday`."""
    model, tokenizer = load_language_model(find_model(options.model), Arithmetic(torch.device("cpu"), "float32"))
    torch.manual_seed(options.seed)
    taken = {plain_key(example.text) for example in read_source("everyday").examples}
    found: dict[str, None] = {}
    steps = streams(model, tokenizer, options.temperature)
    while len(found) < options.texts:
        for sentence in next(steps):
            if WORDS[0] <= len(sentence.split()) <= WORDS[1] and plain_key(sentence) not in taken:
                found[sentence.strip()] = None
    texts = list(found)[: options.texts]
    write_atomically(options.output, "".join(f"{text}\n" for text in texts))
    print(f"{len(texts):,} sentences in {options.output}")


def main() -> None:
    """The two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    reading = commands.add_parser("lines", help="what the language model is to read")
    reading.add_argument("--held-out", type=float, default=0.05, help="share of everyday that a training holds out")
    reading.set_defaults(run=lines)
    writing = commands.add_parser("write", help="what it writes then")
    writing.add_argument("model", help="name or folder of the language model")
    writing.add_argument("--texts", type=int, default=60_000)
    writing.add_argument("--temperature", type=float, default=1.0)
    writing.set_defaults(run=write)
    for command in (reading, writing):
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        options.run(options)
    except LstmtextError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
