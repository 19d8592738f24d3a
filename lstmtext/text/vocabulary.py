"""Learning a tokenizer from text: which characters, words or parts get an id.

Counted in one pass, a piece of text at a time; the same text always gives the same file. Must not import torch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from lstmtext.errors import InputError
from lstmtext.text.plain import LINE_END, PIECE
from lstmtext.text.plain import pieces as plain_pieces
from lstmtext.text.tokenizer import PART, UNKNOWN, Kind, Tokenizer, byte_alphabet, slices, splitter

__all__ = ["train_tokenizer"]

INSIDE = 0xF0000  # a private plane of Unicode, for the characters inside a word while parts are learned
BEYOND = "\U00010000"  # from here on there is no room in that plane: such words teach no parts
# Characters. A trainer looks at every word again for every pair in it: Chinese of one line, one word, took minutes.
LONGEST_BPE_WORD = 64
_LONG_WORD = re.compile(
    "|".join(rf"{kind}{{{LONGEST_BPE_WORD}}}(?={kind})" for kind in (r"[^\W\d_]", r"\d", r"(?:[^\w\s]|_)"))
)
DEFAULT_BPE_SIZE = 4096
DEFAULT_WORDPIECE_SIZE = 12_000


def train_tokenizer(kind: Kind, pieces: Iterable[str], vocabulary_size: int = 0) -> Tokenizer:
    """Learn a tokenizer from the training part of a corpus.

    pieces: the text, in slices
    vocabulary_size: most ids, the unknown token included; 0: 4096 (bpe), 12 000 (wordpiece), else all
    Raises InputError when there is no text.
    """
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    if kind == "byte":
        vocabulary = {character: byte for byte, character in enumerate(byte_alphabet())}
        backend = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    elif kind == "bpe":
        backend = tokenizers.Tokenizer(models.BPE())
    elif kind == "wordpiece":
        return _train_wordpiece(pieces, vocabulary_size or DEFAULT_WORDPIECE_SIZE)
    else:
        counts: Counter[str] = Counter()
        cutter = splitter(kind)
        for piece in pieces:
            counts.update(piece if kind == "char" else (part for part, _ in cutter.pre_tokenize_str(piece)))
        if not counts:
            raise InputError("There is no text to learn a vocabulary from.")
        del counts[UNKNOWN]  # it has its place
        kept = sorted(counts) if kind == "char" else [word for word, _ in counts.most_common()]
        if vocabulary_size and len(kept) >= vocabulary_size:
            kept = [token for token, _ in counts.most_common(vocabulary_size - 1)]
        vocabulary = {UNKNOWN: 0} | {token: index for index, token in enumerate(kept, 1)}
        backend = tokenizers.Tokenizer(models.WordLevel(vocab=vocabulary, unk_token=UNKNOWN))
        backend.pre_tokenizer = cutter
        if kind != "whitespace":  # without a decoder the library puts blanks between the tokens
            backend.decoder = decoders.Fuse()
        return Tokenizer(backend.to_str())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "bpe")
    backend.decoder = decoders.ByteLevel()
    if kind == "bpe":
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary_size or DEFAULT_BPE_SIZE,
            initial_alphabet=sorted(byte_alphabet()),
            show_progress=False,
        )
        backend.train_from_iterator((run for piece in pieces for part in slices(piece) for run in _runs(part)), trainer)
    return Tokenizer(backend.to_str())


def _runs(text: str) -> Iterator[str]:
    """`text`, cut inside words of more than LONGEST_BPE_WORD characters, which are no words; else as it is."""
    if max(map(len, text.split()), default=0) <= LONGEST_BPE_WORD:
        yield text
        return
    start = 0
    for long in _LONG_WORD.finditer(text):
        yield text[start : long.end()]
        start = long.end()
    yield text[start:]


def _train_wordpiece(texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Whole words where they are frequent, else parts. The file expects text in its plain form.

    The library's own WordPiece trainer numbers the continuing characters in the order of a hash table, so that
    two runs differ. Here they are other characters while pairs are merged, and every run gives the same parts.
    """
    import tokenizers
    from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(plain_pieces(text))
    if not counts:
        raise InputError("There is no text to learn a vocabulary from.")
    merger = tokenizers.Tokenizer(models.BPE())
    words = {_inner(word): count for word, count in sorted(counts.items()) if max(word) < BEYOND}
    # At most half of the ids for single characters. The trainer's own limit breaks ties by a hash table too.
    characters: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            characters[character] += count
    by_count = sorted(characters.keys() - {LINE_END}, key=lambda character: (-characters[character], character))
    alphabet = {LINE_END, *by_count[: max(0, vocabulary_size // 2 - 1)]}
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - 1, initial_alphabet=sorted(alphabet), show_progress=False
    )
    merger.train_from_iterator(
        (word for word, count in words.items() if alphabet.issuperset(word) for _ in range(count)), trainer
    )
    numbered = merger.get_vocab()
    found = sorted(numbered, key=numbered.__getitem__)
    vocabulary = {UNKNOWN: 0} | {_outer(token): index for index, token in enumerate(found, 1)}
    backend = tokenizers.Tokenizer(models.WordPiece(vocab=vocabulary, unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "removed", invert=True)
    backend.decoder = decoders.WordPiece(prefix=PART)
    return Tokenizer(backend.to_str())


def _inner(word: str) -> str:
    """A word with every character but the first moved to a plane of its own."""
    return word[0] + "".join(chr(ord(character) + INSIDE) for character in word[1:])


def _outer(token: str) -> str:
    """A part as WordPiece writes it: `##` before one that continues a word."""
    plain = "".join(chr(ord(c) - INSIDE) if ord(c) >= INSIDE else c for c in token)
    return PART + plain if ord(token[0]) >= INSIDE else plain
