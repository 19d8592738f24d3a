"""A text as the words that a person sees, each with the tokens that the model reads for it.

    "It wasn't film-making."    what a person typed
    It  was  n't  film  -  making  .          words: the pieces of `text/plain.py`
    it  was  n't  film  -  mak ##ing  .       tokens: a rare word is read in parts

Every method of this room speaks of words: a reading has one value per word (after its last token), a deletion
takes all tokens of a word. With a tokenizer that knows no word parts a token is a word, but for what a person sees
as one character: the bytes of a letter, the parts of a joined emoji, a letter and its accents. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain.draw import clusters
from lstmtext.text.plain import Spacing, pieces, plain_form
from lstmtext.text.tokenizer import Ids, StreamDecoder, Tokenizer
from lstmtext.units import counted

__all__ = ["Words", "positives", "read_words"]

# How far ahead of the last word the next one is looked for in the typed text: more where some were not found, but not
# farther than takes as long as the model takes to read a word.
LOOK_AHEAD, FARTHEST = 40, 1 << 14
WHOLE_WORDS = ("word", "whitespace")  # tokenizers whose tokens are words, and may be unknown
NEUTRAL = 0.5  # the answer where nothing is known


@dataclass(frozen=True, eq=False)
class Words:
    """The words of one text. Spans of words are half open everywhere: words i … j − 1.

    text: as it was given; texts: one per word, as it is typed where that could be found
    spans: per word the first token and the one after its last; ids: all tokens, (tokens,)
    spaced: whether words are words, with spaces between them (not characters or bytes)
    """

    text: str
    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    ids: Ids
    spaced: bool = True

    def __len__(self) -> int:
        return len(self.texts)

    def tokens(self, first: int, stop: int) -> tuple[int, int]:
        """The token span of the words first … stop − 1, which must be at least one."""
        return self.spans[first][0], self.spans[stop - 1][1]

    def without(self, first: int, stop: int) -> Ids:
        """The tokens of the text with the words first … stop − 1 taken out."""
        begin, end = self.tokens(first, stop)
        return np.concatenate([self.ids[:begin], self.ids[end:]])

    def phrase(self, first: int, stop: int) -> str:
        """The words first … stop − 1 as print has them: "wasn't good", from was, n't and good."""
        if not self.spaced:
            return "".join(self.texts[first:stop])
        spacing = Spacing()
        return "".join(spacing.before(word.lower()) + word for word in self.texts[first:stop])

    def check(self, span: tuple[int, int]) -> None:
        """Raises UsageError for a span that is not inside the text."""
        first, stop = span
        if not 0 <= first < stop <= len(self):
            has = f"{counted(len(self), 'word')}, 0 to {len(self) - 1}" if len(self) else "no words"
            raise UsageError(
                f"There is no span {first}:{stop}: the text has {has}. A span I:J means the words from I up to "
                "and without J."
            )


def read_words(classifier: EngineClassifier, text: str) -> Words:
    """The words of `text` as this classifier reads them; `ids` is what `classifier.encode` gives."""
    tokenizer = classifier.tokenizer
    text_on_one_line = " ".join(text.split("\n"))
    if tokenizer.kind != "wordpiece":
        ids, spaced = classifier.encode(text), tokenizer.kind in WHOLE_WORDS
        parts = _token_texts(tokenizer, text_on_one_line, ids)
        spans = tuple(_whole_characters(parts) if tokenizer.kind != "whitespace" else pairwise(range(len(parts) + 1)))
        texts = ["".join(parts[begin:stop]) for begin, stop in spans]
        return Words(text, tuple((spaced and word.strip(" ")) or word for word in texts), spans, ids, spaced)
    words: list[str] = []
    found: list[tuple[int, int]] = []
    tokens: list[int] = []
    for piece in pieces(text_on_one_line):
        begin = len(tokens)
        tokens.extend(tokenizer.piece_ids(piece))
        if len(tokens) > begin:
            words.append(piece)
            found.append((begin, len(tokens)))
    return Words(text, tuple(_typed(text, words)), tuple(found), np.array(tokens, dtype=np.int64))


def positives(classifier: EngineClassifier, sequences: Sequence[Ids]) -> Array:
    """P(positive) of token sequences, (N,), as `judge` answers: 0.5 where no token is known."""
    return classifier.positives(sequences)


def _token_texts(tokenizer: Tokenizer, text: str, ids: Ids) -> list[str]:
    """Per token what it was made from; of an unknown one the text says more than the tokenizer.

    Of the tokens that are bytes of one character the last one has it, and the others nothing.
    """
    if tokenizer.kind == "char":
        return list(text)
    if tokenizer.kind in WHOLE_WORDS:
        typed = [piece for piece, _ in tokenizer.backend.pre_tokenizer.pre_tokenize_str(text)]
        return typed if len(typed) == len(ids) else [tokenizer.token_text(int(index)) for index in ids]
    decoder = StreamDecoder(tokenizer)
    return [decoder.push(int(index)) for index in ids]


def _whole_characters(parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Spans of tokens, one token each but where a border between tokens would cut a character."""
    borders = set(accumulate(map(len, clusters("".join(parts)))))
    begin = 0
    for stop, (part, end) in enumerate(zip(parts, accumulate(map(len, parts)), strict=True), start=1):
        if (part and end in borders) or stop == len(parts):
            yield begin, stop
            begin = stop


def _typed(text: str, words: Iterable[str]) -> Iterable[str]:
    """The words as they stand in the text: `words` are in plain form and in order.

    A word that the text does not hold letter by letter (an emoji's name, cooool) stays in plain form. What is
    yielded differs in capitals, accents and quotes at most, so that a wrong place does little harm.
    """
    forms = {character: plain_form(character) for character in set(text)}
    lower = "".join(forms[character] if len(forms[character]) == 1 else character for character in text)
    place = misses = 0
    for word in words:
        found = lower.find(word, place, place + len(word) + min(LOOK_AHEAD * (misses + 1), FARTHEST))
        if found < 0:
            misses += 1
            yield word
        else:
            place, misses = found + len(word), 0
            yield text[found:place]
