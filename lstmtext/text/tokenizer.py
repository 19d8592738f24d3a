"""Text ↔ token ids, by character, word, word part, BPE or byte, behind one class.

Every tokenizer is a Hugging Face `tokenizers` file (`tokenizer.json`) that other tools can read.
What `decode(encode(s)) == s` means for each kind:

    byte, bpe   always, for every string (both work on UTF-8 bytes; bpe starts from all 256)
    char        for every string of characters seen in training; another becomes the unknown token
    word        for every string of pieces seen in training; another becomes the unknown token.
                A piece is a run of letters and digits (with inner apostrophes), one punctuation
                mark, or white space; one space before a word or mark belongs to it, so that
                joining the pieces gives back the text and generated text reads as text
    whitespace  for text of words parted by one blank, without blanks around a line end, all words seen in
                training. For text that is tokenised already, as the word-level benchmarks give it: a
                token is what stands between white space, and every line end is one too (their <eos>)
    wordpiece   never: it reads one plain form of tokenised and typed text (`plain.py`) and cuts rare
                words into parts. encode(decode(ids)) == ids for what it has encoded, unknown tokens aside

The unknown token has id 0 and is never generated. Must not import torch.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from lstmtext.errors import CheckpointError
from lstmtext.text.chunks import ID, LONGEST_WORD, PART, Chunks, Pieces, word_parts
from lstmtext.text.plain import LINE_END, PIECE, Spacing
from lstmtext.text.plain import pieces as plain_pieces
from lstmtext.units import TOKEN_UNITS

if TYPE_CHECKING:
    import tokenizers

__all__ = ["PART", "UNKNOWN", "Ids", "Kind", "StreamDecoder", "Tokenizer", "byte_alphabet", "slices", "splitter"]

Ids = npt.NDArray[np.int64]
Kind = Literal["char", "word", "whitespace", "wordpiece", "bpe", "byte"]

UNKNOWN = "<unk>"
UNUSABLE = "The tokenizer file cannot be used: {}."
# One space, when it stands before a word or a mark, belongs to it: "not good" is "not" + " good".
WORD_PIECE = r" ?[\p{L}\p{N}]+(?:['’][\p{L}]+)*| ?[^\s\p{L}\p{N}]|\s"
WHITESPACE_PIECE = r"\n|\S+"
# `tokenizers` takes hundreds of bytes of memory per character of one string: text goes in slices.
SLICE_CHARACTERS = 1 << 16


class Tokenizer:
    """A trained tokenizer. Make one with `train_tokenizer` (vocabulary.py), or read one with `load`.

    kind: char, word, whitespace, wordpiece, bpe or byte
    size: number of ids; ids are 0 … size − 1
    unknown_id: None for bpe and byte, where nothing can be unknown; else 0
    """

    def __init__(self, text: str) -> None:
        """From the content of a `tokenizer.json`. Raises CheckpointError if it is not one of ours."""
        self.json = text
        try:
            content = json.loads(text)
            self.kind: Kind = _kind_of(content)
            self.vocabulary: dict[str, int] = content["model"]["vocab"]
            self.size = len(self.vocabulary)
            whole = sorted(self.vocabulary.values()) == list(range(self.size))
        except (KeyError, TypeError, AttributeError):
            raise CheckpointError(UNUSABLE.format("it has not the parts of a tokenizer.json")) from None
        except ValueError as error:
            raise CheckpointError(UNUSABLE.format(error)) from None
        if not whole:
            raise CheckpointError(UNUSABLE.format("its ids are not 0, 1, 2, …"))
        self.unknown_id = None if self.kind in ("bpe", "byte") else 0
        if self.unknown_id is not None and self.vocabulary.get(UNKNOWN) != self.unknown_id:
            raise CheckpointError(UNUSABLE.format(f"the id of {UNKNOWN} is not 0"))
        self.line_end_id = self.vocabulary.get(LINE_END)
        self._backend: tokenizers.Tokenizer | None = None
        if self.kind in ("bpe", "byte"):
            byte_of = {character: byte for byte, character in enumerate(byte_alphabet())}
            self._bytes = [b""] * self.size
            for token, index in self.vocabulary.items():
                if not token or not byte_of.keys() >= set(token):
                    raise CheckpointError(UNUSABLE.format(f"its token {token!r} is not bytes"))
                self._bytes[index] = bytes(byte_of[character] for character in token)
        else:
            self._texts = [""] * self.size
            for token, index in self.vocabulary.items():
                self._texts[index] = token
        self._pieces = Pieces(self._cut)
        self._chunks = Chunks(self._pieces)
        if self.kind == "char":
            # A table from code point to id: the same answer as `tokenizers` (tested), 50 times faster.
            self._table = np.zeros(0x110000, dtype=np.int32)
            for token, index in self.vocabulary.items():
                if len(token) == 1:
                    self._table[ord(token)] = index
        elif self.kind == "byte":
            self._table = np.zeros(256, dtype=np.int32)
            for index, value in enumerate(self._bytes):
                self._table[value[0]] = index

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a `tokenizer.json`. Raises CheckpointError naming the file."""
        try:
            return cls(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}.") from None
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from None

    @property
    def sha256(self) -> str:
        """Checksum of the file's content: names the tokenizer in checkpoints and caches."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @property
    def unit(self) -> str:
        """What one id stands for, as a person says it: character, word, BPE token, byte."""
        return TOKEN_UNITS[self.kind]

    @property
    def backend(self) -> tokenizers.Tokenizer:
        """The `tokenizers` object itself (10 ms to import: made when first needed). May raise CheckpointError."""
        if self._backend is None:
            import tokenizers

            try:
                self._backend = tokenizers.Tokenizer.from_str(self.json)
            except Exception as error:  # `tokenizers` raises no narrower one
                raise CheckpointError(UNUSABLE.format(error)) from None
        return self._backend

    def encode(self, text: str) -> Ids:
        """Token ids of `text`, shape (tokens,), int64. Never raises: what is unknown becomes the unknown id."""
        if self.kind == "char":
            return self._look_up(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4"))
        if self.kind == "byte":
            return self._look_up(np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8))
        if self.kind == "wordpiece":
            return np.frombuffer(self._chunks.ids(text), ID).astype(np.int64)
        encoded = self.backend.encode_batch_fast(list(slices(text)), add_special_tokens=False)
        return np.fromiter((index for piece in encoded for index in piece.ids), dtype=np.int64)

    def encode_all(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """(ids of all the texts, one text after the other; how many are of each text). Texts that are short."""
        if self.kind == "wordpiece":
            found = list(map(self._chunks.ids, texts))
            lengths = np.fromiter(map(len, found), np.int64, len(found)) // np.dtype(ID).itemsize
            return np.frombuffer(b"".join(found), ID).astype(np.int64), lengths
        each = [self.encode(text) for text in texts]
        flat = np.concatenate([*each, np.zeros(0, np.int64)])
        return flat, np.fromiter(map(len, each), np.int64, len(each))

    def piece_ids(self, piece: str) -> tuple[int, ...]:
        """The ids of one piece of plain text (wordpiece only)."""
        return tuple(array(ID, self._pieces[piece]))

    def _cut(self, piece: str) -> Iterable[int]:
        index = self.vocabulary.get(piece)
        if index is not None:
            return (index,)
        if self.unknown_id is not None and piece.isascii():  # of other characters `tokenizers` has its own view
            return word_parts(piece, self.vocabulary, self.unknown_id)
        return self.backend.encode(piece, add_special_tokens=False).ids

    def _look_up(self, points: npt.NDArray[np.unsignedinteger]) -> Ids:
        return cast(Ids, self._table[points].astype(np.int64))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are not UTF-8 become U+FFFD."""
        decoder = StreamDecoder(self)
        return "".join([decoder.push(int(index)) for index in ids]) + decoder.flush()

    def token_text(self, index: int) -> str:
        """One token as a person may read it alone (a byte that is half a character reads U+FFFD)."""
        if self.kind in ("bpe", "byte"):
            return self._bytes[index].decode("utf-8", "replace")
        return self._texts[index].removeprefix(PART) if self.kind == "wordpiece" else self._texts[index]

    def unknown(self, text: str) -> list[str]:
        """The distinct characters or words of `text` that this tokenizer does not know, in order."""
        if self.kind == "char":
            return [character for character in dict.fromkeys(text) if character not in self.vocabulary]
        if self.kind in ("word", "whitespace"):
            pieces = dict.fromkeys(_word_pieces(self.backend, text))
            return list(dict.fromkeys(piece.strip(" ") or piece for piece in pieces if piece not in self.vocabulary))
        if self.kind == "wordpiece":
            return [piece for piece in dict.fromkeys(plain_pieces(text)) if self.unknown_id in self.piece_ids(piece)]
        return []


class StreamDecoder:
    """Turns tokens into text as they come, holding back the bytes of an unfinished character."""

    def __init__(self, tokenizer: Tokenizer, after: Iterable[int] = (), *, spaced: bool = False) -> None:
        """after: tokens that came before, whose text is not wanted (a prompt's); spaced: nor the next word's space."""
        self.tokenizer = tokenizer
        self._pending = b""
        self._spacing = Spacing()
        self._line_begins = True
        self._spaced = False
        if tokenizer.kind in ("wordpiece", "whitespace"):
            for index in after:
                self.push(index)
        self._spaced = spaced

    def push(self, index: int) -> str:
        """The text that token `index` completes; empty while a character is unfinished."""
        kind = self.tokenizer.kind
        if kind == "char":
            return self.tokenizer._texts[index]
        if kind in ("bpe", "byte"):
            self._pending += self.tokenizer._bytes[index]
            cut = len(self._pending) - _unfinished(self._pending)
            ready, self._pending = self._pending[:cut], self._pending[cut:]
            return ready.decode("utf-8", "replace")
        text = self.tokenizer._texts[index]
        if kind == "wordpiece":
            text = text[len(PART) :] if text.startswith(PART) else self._spacing.before(text) + text
        elif kind == "whitespace":
            after_line_end, self._line_begins = self._line_begins, text == LINE_END
            text = text if after_line_end or self._line_begins else " " + text
        spaced, self._spaced = self._spaced, False
        return text.removeprefix(" ") if spaced else text

    def flush(self) -> str:
        """What is left at the end: U+FFFD for a character that was never finished."""
        rest, self._pending = self._pending.decode("utf-8", "replace"), b""
        return rest


def _kind_of(content: dict[str, Any]) -> Kind:
    """Which of our six kinds a tokenizer file describes; ValueError for another."""
    model, cutter = content["model"], content["pre_tokenizer"]
    if model["type"] == "WordLevel" and cutter["type"] == "Split":
        if cutter["pattern"] == {"Regex": WORD_PIECE}:
            return "word"
        if cutter["pattern"] == {"Regex": r"[\s\S]"}:
            return "char"
        if cutter["pattern"] == {"Regex": WHITESPACE_PIECE}:
            return "whitespace"
    parts = (model.get("continuing_subword_prefix"), model.get("max_input_chars_per_word"))
    if model["type"] == "WordPiece" and cutter["pattern"] == {"Regex": PIECE} and parts == (PART, LONGEST_WORD):
        return "wordpiece"
    if model["type"] == "BPE" and cutter["type"] == "ByteLevel":
        return "bpe" if cutter["use_regex"] else "byte"
    raise ValueError("it is not a character, word, whitespace, word-part, BPE or byte tokenizer made by lstmtext")


def byte_alphabet() -> list[str]:
    """The printable stand-in of each byte 0 … 255 in GPT-2's byte-level alphabet.

    Printable Latin-1 bytes stand for themselves; the others get code points from 256 on.
    """
    own = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte if byte in own else next(others)) for byte in range(256)]


def _unfinished(data: bytes) -> int:
    """How many bytes at the end of `data` begin a UTF-8 character that needs more bytes."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if needed > back and byte < 0xF8 else 0
    return 0


def slices(text: str) -> Iterator[str]:
    """`text` in slices, cut before a space that follows a word, where no tokenizer kind has a token across."""
    text, start = text.encode("utf-8", "replace").decode(), 0  # `tokenizers` refuses half a pair of surrogates
    while start < len(text):
        stop = start + SLICE_CHARACTERS
        if stop < len(text):
            cut = text.rfind(" ", start + 1, stop)
            while cut > start + 1 and (text[cut - 1].isspace() or text[cut + 1 : cut + 2].isspace()):
                cut = text.rfind(" ", start + 1, cut)
            stop = cut if cut > start + 1 else stop
        yield text[start:stop]
        start = stop


def splitter(kind: Kind) -> Any:
    """What cuts a text into the tokens of a char, word or whitespace tokenizer."""
    from tokenizers import Regex, pre_tokenizers

    if kind == "whitespace":  # what matches is kept, what stands between is dropped
        return pre_tokenizers.Split(Regex(WHITESPACE_PIECE), "removed", invert=True)
    return pre_tokenizers.Split(Regex(r"[\s\S]" if kind == "char" else WORD_PIECE), "isolated")


def _word_pieces(backend: tokenizers.Tokenizer, text: str) -> Iterator[str]:
    for part in slices(text):
        yield from (piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(part))
