"""One form for text that was tokenised and text that was typed, and the pieces that it is read in.

    "I ca n't say it 's GOOD -LRB- really -RRB- ."      what a treebank writes
    "I can’t say it's good (really)."                   what a person types
    i ca n't say it 's good ( really ) .                what the model reads

The form is lower-case and without accents; quotes, dashes and brackets are the plain ones, three or more
equal letters in a row become two, and an emoji becomes its Unicode name. A piece is a word, a clitic
(n't, 's, 're, …), a mark or a line end. White space is dropped: `spaced` says where a reader wants it back.
Nothing here knows which words negate or praise. Must not import torch.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LINE_END", "PIECE", "Spacing", "chunk_pieces", "pieces", "plain_form"]

LINE_END = "\n"
# A word up to a clitic, a clitic, a word, an ellipsis, or any one mark. A line end is a piece of its own.
PIECE = r"\n|[^\W_]+?(?=n't(?!\w))|n't(?!\w)|'(?:s|m|d|re|ve|ll)(?!\w)|[^\W_]+|\.\.\.|[^\s]"
_PIECES = re.compile(PIECE)

# The separators \x1c … \x1f are white space to Python and marks to `tokenizers`; both read a space.
_MARKS = str.maketrans(
    {
        **dict.fromkeys("‘’‛`´′", "'"),
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‐‑", "-"),
        **dict.fromkeys("\0\x1c\x1d\x1e\x1f", " "),
    }
)
_BRACKETS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "-lcb-": "{", "-rcb-": "}"}
# What a text that is already plain never holds; looked for first, because most short texts have none of it.
_UNUSUAL = re.compile(r"<br|-[lr][rsc]b-|''|--|(?<=\s)-(?=\s)|\.[^\S\n]*\.|([a-z])\1\1|cannot|[‒-―]")
_UNUSUAL_WORD = re.compile(r"([a-z])\1\1|cannot")  # the part of it that a word can have
_MARKS_ALONE = frozenset(".,!?;:)")  # one of them behind a word is a piece, and no rule looks at it
# In an order in which no rule makes work for one before it: the form of a form is itself.
_RULES: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"<br\s*/?>"), " "),
    (re.compile(r"([a-z])\1{2,}"), r"\1\1"),
    *((re.compile(written), mark) for written, mark in _BRACKETS.items()),
    (re.compile(r"''"), '"'),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"[-‒–—―]{2,}|[‒–—―]"), " — "),
    (re.compile(r"(?<=\w\.) \.(?!\S|\s*\.)"), ""),  # a treebank ends "… in the U.S." with "U.S. ."
    (re.compile(r"\.(?:[^\S\n]*\.)+"), " ... "),
    (re.compile(r"(?<=\s)-(?=\s)"), " — "),
    (re.compile(r" {2,}"), " "),
]


def plain_form(text: str) -> str:
    """`text` in the one form; line ends stay, other white space stays white space. The form of a form is itself."""
    text = _plain_characters(text)
    if _UNUSUAL.search(text):
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
    return text


def pieces(text: str) -> list[str]:
    """The pieces of `text`, in order: what a word-part tokenizer cuts further."""
    return _PIECES.findall(plain_form(text))


def chunk_pieces(chunk: str) -> list[str] | None:
    """The pieces of a run of characters without white space, whatever stands around it.

    None where its neighbours, or a rule for several characters, may have a say: then the whole text is read by
    `pieces`. If no chunk of a text without line ends is None, the pieces of its chunks are the pieces of the text.
    """
    word, mark = (chunk[:-1], chunk[-1:]) if chunk[-1:] in _MARKS_ALONE else (chunk, "")
    if word.isalnum() and word.isascii():  # most of them
        word = word.lower()
        return None if _UNUSUAL_WORD.search(word) else [word, mark] if mark else [word]
    plain = _plain_characters(chunk)
    # A dash between spaces and points with spaces between them are what the rules see across white space.
    if _UNUSUAL.search(f" {plain} ") or plain.lstrip().startswith("."):
        return None
    return _PIECES.findall(plain)


def _plain_characters(text: str) -> str:
    """What the form does to single characters, before the rules."""
    if not text.isascii():
        text = _without_accents(text)
    return text.lower().replace("``", '"').translate(_MARKS)


def _without_accents(text: str) -> str:
    """Compatibility forms and accents undone, symbols above Latin-1 named ("🙂": slightly smiling face)."""
    found = []
    for character in unicodedata.normalize("NFKD", text.translate(_MARKS)):
        kind = unicodedata.category(character)
        if kind == "So" and ord(character) > 0xFF:
            found.append(f" {unicodedata.name(character, '')} ")
        elif kind not in ("Mn", "Me", "Cf", "Cs") and not (kind == "Sk" and ord(character) > 0xFFFF):  # skin tones
            found.append(character)
    return "".join(found)


class Spacing:
    """Puts spaces between pieces as print has them; remembers what stands open."""

    _CLOSING = frozenset(".,!?;:)]}%…") | {"...", "n't", "'s", "'m", "'d", "'re", "'ve", "'ll", LINE_END}
    _OPENING = frozenset("([{$#@/-") | {LINE_END}
    _LEANING = frozenset("/-@")
    _DASHES = frozenset("-—")

    def __init__(self) -> None:
        self._before: str | None = None
        self._quoted = False

    def before(self, piece: str) -> str:
        """A space or nothing: what stands between the last piece and this one."""
        last, self._before = self._before, piece
        if piece == LINE_END:
            self._quoted = False
        if piece == '"':
            self._quoted = not self._quoted
            if not self._quoted:
                return ""  # this one closes
        if (last in self._DASHES and piece in self._DASHES) or (last == "'" and piece.startswith("'")):
            return " "  # together they would be another mark
        glued = last is None or last in self._OPENING or (last == '"' and self._quoted and piece != '"')
        if glued or piece in self._CLOSING or piece in self._LEANING or (piece == "'" and last not in ("—", ",")):
            return ""
        return " "
