"""One file on the disk → its text as normalised UTF-8, in blocks, with bounded memory.

Normalised: valid UTF-8 without a byte-order mark at the start, lines ending in LF only (CRLF and a
lone CR become LF), no NUL. `.gz` and `.xz` are decompressed on the way. From `.jsonl` one field of
each record is taken. Everything that is wrong with a file is said here, as an InputError of one or
two sentences with the place. Must not know where files come from or how text is cut.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import lzma
import shlex
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import msgspec

from lstmtext.errors import InputError

__all__ = [
    "BLOCK_BYTES",
    "COMPRESSED_SUFFIXES",
    "STANDARD_INPUT",
    "TEXT_SUFFIXES",
    "check_text",
    "in_folder",
    "normalised_blocks",
    "open_decompressed",
    "text_suffix",
    "whole_text",
]

BLOCK_BYTES = 1 << 20  # one read; larger ones are not faster, and ten of these fit any machine
TEXT_SUFFIXES = (".txt", ".md", ".jsonl")
COMPRESSED_SUFFIXES = (".gz", ".xz")
CONVERT = "Convert it: "  # before a command, with which a message ends
GIVE_TEXT = "Give UTF-8 text."
STANDARD_INPUT = "Standard input"  # what it is called at the beginning of a message


def text_suffix(path: Path) -> str:
    """The suffix that says what the text is: `.jsonl` for `a.jsonl.xz`; in lower case, maybe empty."""
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSED_SUFFIXES else path
    return inner.suffix.lower()


@contextlib.contextmanager
def open_decompressed(path: Path, label: str | None = None, *, decompress: bool = True) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, through gzip or xz where its suffix says so.

    label: how to call it in messages; default its path. decompress=False: take the bytes as they are.
    What goes wrong while it is opened *or read inside the block* is raised as InputError: no
    permission, no such file, a damaged or truncated .gz/.xz.
    """
    label = label or str(path)
    suffix = path.suffix.lower() if decompress else ""
    try:
        if suffix == ".gz":
            handle = cast(IO[bytes], gzip.open(path, "rb"))  # noqa: SIM115 - closed below, whatever kind it is
        elif suffix == ".xz":
            handle = cast(IO[bytes], lzma.open(path, "rb"))  # noqa: SIM115
        else:
            handle = path.open("rb")
        with handle:
            yield handle
    except EOFError:
        raise InputError(f"{label} is damaged: the {suffix} data ends too early. Fetch or compress it again.") from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise InputError(f"{label} is damaged or not really {suffix}: {reason}. Fetch or compress it again.") from None
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error.strerror or error}.") from None


def normalised_blocks(
    path: Path, *, label: str | None = None, field: str = "text", buffer_bytes: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """The normalised text of one file as blocks of UTF-8 that end at character boundaries.

    label: how to call the file in messages (default: its path).
    field: for .jsonl, the field of each record that holds its text. A record's text is ended with a
        newline, and an empty line stands between records, so that a model can see where one ends
        although texts have lines of their own. Blank lines and empty texts are skipped.
    buffer_bytes: size of one read; the text does not depend on it. A .jsonl record is held whole.

    Raises InputError: see the module.
    """
    label = label or str(path)
    named = path if label == str(path) else None  # not the copy of a stream, which nobody could convert
    with open_decompressed(path, label) as handle:
        if text_suffix(path) == ".jsonl":
            yield from _records(handle, label, named, field)
        else:
            yield from _plain(handle, label, named, buffer_bytes)


def whole_text(data: bytes, place: str) -> str:
    """The normalised text of a file or a stream that was read as a whole.

    place: the file's path or STANDARD_INPUT, for messages. Raises InputError for what is not UTF-8, see `check_text`.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    check_text(data, True, 0, place, None if place == STANDARD_INPUT else Path(place))
    return _with_line_feeds(data).decode()


def _plain(handle: IO[bytes], label: str, path: Path | None, buffer_bytes: int) -> Iterator[bytes]:
    held = b""  # cannot be judged yet: part of a character or of a BOM, or a CR that may be half a CRLF
    offset = 0  # of `held` in the decompressed file
    at_start = True
    final = False
    while not final:
        read = handle.read(buffer_bytes)
        final = not read
        data = held + read
        if at_start and not (len(data) < len(codecs.BOM_UTF8) and not final):
            at_start = False
            if data.startswith(codecs.BOM_UTF8):
                data, offset = data[len(codecs.BOM_UTF8) :], offset + len(codecs.BOM_UTF8)
        if at_start:
            held = data
            continue
        usable = check_text(data, final, offset, label, path)
        if usable and not final and data[usable - 1] == ord("\r"):
            usable -= 1
        held, block = data[usable:], data[:usable]
        offset += usable
        if block:
            yield _with_line_feeds(block)


def check_text(data: bytes, final: bool, offset: int, label: str, path: Path | None) -> int:
    """How many leading bytes of `data` are whole characters.

    final: whether the text ends with them; offset: of `data` in the text; label: how to call the text in a message
    path: the file that would have to be converted; None: what is read is no file

    Raises InputError for what is not UTF-8 or holds NUL, with what it may be and how it is converted.
    """
    try:
        usable = codecs.utf_8_decode(data, "strict", final)[1]
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error, offset, label, path) from None
    if (at := data.find(0)) >= 0:
        guess = _utf16(data)
        advice = _conversion(guess, path) if guess else GIVE_TEXT
        looks = f"may be {guess}" if guess else "looks binary"
        raise InputError(f"{label} {looks}: there is a NUL byte at offset {offset + at}. {advice}")
    return usable


def _not_utf8(data: bytes, error: UnicodeDecodeError, offset: int, label: str, path: Path | None) -> InputError:
    place = f"byte 0x{data[error.start]:02X} at offset {offset + error.start}"
    if error.reason == "unexpected end of data":
        ends = f"{label} ends inside a UTF-8 character ({place})."
        if error.start == len(data) - 1:  # one byte of it: in Windows' encoding a letter, é for one
            advice = f"it may also be WINDOWS-1252. {_conversion('WINDOWS-1252', path)}"
            return InputError(f"{ends} If it was cut short, fetch it again; {advice}")
        return InputError(f"{ends} It was probably cut short; fetch it again.")
    guess = _utf16(data)
    if guess is None and b"\0" in data:
        return InputError(f"{label} is not UTF-8 text and looks binary: {place}. {GIVE_TEXT}")
    guess = guess or "WINDOWS-1252"
    return InputError(f"{label} is not valid UTF-8: {place}. It may be {guess}. {_conversion(guess, path)}")


def _utf16(data: bytes) -> str | None:
    """The kind of UTF-16 that `data` may be, judged by its mark or by where its zero bytes are."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    sample = data[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) < 16 or max(even, odd) * 4 < len(sample):  # Latin text has one zero byte in two
        return None
    if even == 0:
        return "UTF-16LE"
    return "UTF-16BE" if odd == 0 else None


def _conversion(encoding: str, path: Path | None) -> str:
    if path is None:
        return f"Send it through this first: iconv -f {encoding} -t UTF-8"
    name = shlex.quote(str(path))
    packed = {".gz": "gzip -dc", ".xz": "xz -dc"}.get(path.suffix.lower())
    stem = path.with_suffix("") if packed else path
    converted = shlex.quote(str(stem.with_name(f"{stem.stem}-utf8{stem.suffix}")))
    if packed:
        return f"{CONVERT}{packed} {name} | iconv -f {encoding} -t UTF-8 > {converted}"
    return f"{CONVERT}iconv -f {encoding} -t UTF-8 {name} > {converted}"


def in_folder(error: InputError, path: Path) -> InputError:
    """The error of one file of a folder that is read as a whole: with a converted file beside it, it must go away."""
    said = str(error)
    if CONVERT in said:
        name = str(path)
        return InputError(f"{said} && mv {shlex.quote(name)} {shlex.quote(f'{name}.old')}")
    advice = "All text files in the folder are read: move this one out of it, or name the others one by one."
    return InputError(said.replace(GIVE_TEXT, advice))


def _with_line_feeds(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _records(handle: IO[bytes], label: str, path: Path | None, field: str) -> Iterator[bytes]:
    offset = 0
    started = False
    for number, line in enumerate(handle, start=1):
        content = line
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            content = line[len(codecs.BOM_UTF8) :]
            offset += len(codecs.BOM_UTF8)
        if content.strip():
            check_text(content, True, offset, label, path)
            text = _with_line_feeds(_record_text(content, f"{label}, line {number}", field).encode())
            if text:
                yield (b"\n" if started else b"") + (text if text.endswith(b"\n") else text + b"\n")
                started = True
        offset += len(content)


def _record_text(line: bytes, place: str, field: str) -> str:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        reason = str(error).split(": ", 1)[-1]
        raise InputError(
            f"{place}: this is not valid JSON ({reason}). A .jsonl file has one record per line."
        ) from None
    if not isinstance(record, dict):
        raise InputError(f'{place}: this is not a record such as {{"{field}": "…"}}.')
    if field not in record:
        found = ", ".join(map(repr, record)) or "none"
        raise InputError(
            f"{place}: there is no field {field!r}; the fields are: {found}. Name one of them (--field NAME)."
        )
    text = record[field]
    if not isinstance(text, str):
        raise InputError(f"{place}: field {field!r} holds {_kind(text)}, not text.")
    if "\0" in text:
        raise InputError(f"{place}: field {field!r} holds a NUL character; it looks binary.")
    return text


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a record"}
    return "null" if value is None else names[type(value)]
