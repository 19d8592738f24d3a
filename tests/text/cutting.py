"""Preparations of short texts, cut as small as if the texts were large.

from cutting import content, prepared_text           # and the fixture `cut_small`

settings = prepared_text(tmp_path, "some text", tokenizer="word")
cut_small(2)                                         # processes
content(prepare(settings))
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lstmtext.config import TextSettings
from lstmtext.text import corpus, partial, preparation
from lstmtext.text.preparation import prepare
from lstmtext.text.prepared import Prepared
from lstmtext.watching import watching

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything is done in one process")


def prepared_text(tmp_path: Path, text: str, **settings: object) -> TextSettings:
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    return TextSettings(corpus=[str(path)], **settings)  # type: ignore[arg-type]


def small_pieces(processes: int) -> None:
    """Of a short text, a hundred pieces; every one is marked, and counts are kept often. For this process."""
    corpus.PIECE_BYTES, corpus.REACH_BYTES = 512, 2048
    partial.MARK_SECONDS = 0.0
    preparation.SHARED_BYTES, preparation.KEPT_COUNTS_BYTES = 0, 5000
    preparation.UNSHARED = ()
    preparation.cores = lambda: processes


def content(prepared: Prepared) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in prepared.folder.iterdir()}


def listen(settings: TextSettings) -> list[tuple[str, int, int, str]]:
    """What is heard of a preparation."""
    heard: list[tuple[str, int, int, str]] = []
    with watching(lambda *told: heard.append(told)):
        prepare(settings)
    return heard
