"""The corpus library: the shipped list is sound; corpora are found, fetched, taken and refused."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from pathlib import Path

import pytest

from lstmtext import places
from lstmtext.errors import DownloadError, InputError, UsageError
from lstmtext.text import library
from lstmtext.text.corpus import open_corpus

TEXTS = {"train.txt": b"the train part\n", "valid.txt": b"the validation part\n", "test.txt": b"the test part\n"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of its own: a corpus of three files, one of one file, one not pinned, one shipped. Its folder."""
    monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(places, "shipped_folder", lambda name: tmp_path / "shipped" / name)
    shipped = tmp_path / "shipped/corpora"
    (shipped / "own").mkdir(parents=True)
    (shipped / "own/one.txt").write_text("one")
    (shipped / "own/two.txt").write_text("two")
    common = 'title = "t"\nlicence = "CC0-1.0"\nsource = "s"\nsplit = "x"\n'
    files = "".join(
        f'[[three.files]]\nname = "{name}"\nurl = "http://127.0.0.1:9/{name}"\n'
        f'sha256 = "{hashlib.sha256(text).hexdigest()}"\nalso = ["wiki.{name}"]\n'
        for name, text in TEXTS.items()
    )
    sha256 = hashlib.sha256(b"packed").hexdigest()
    (shipped / "library.toml").write_text(
        f'[own]\n{common}shipped = true\nparts.train = ["one.txt", "two.txt"]\n'
        f"[three]\n{common}\n"
        'parts.train = ["train.txt"]\nparts.validation = ["valid.txt"]\nparts.test = ["test.txt"]\n'
        f'{files}[packed]\n{common}archive = true\nparts.train = ["a.tar.gz"]\n'
        f'[[packed.files]]\nname = "a.tar.gz"\nurl = "http://127.0.0.1:9/a"\nsha256 = "{sha256}"\n'
        f'[loose]\n{common}parts.train = ["loose.txt"]\n'
        '[[loose.files]]\nname = "loose.txt"\nurl = "http://127.0.0.1:9/loose.txt"\n'
    )
    return tmp_path


def filled(folder: Path, names: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in names.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_shipped_list_is_sound() -> None:
    entries = library.entries()
    assert list(entries) == [
        "harbour",
        "everyday",
        "negation",
        "talk",
        "tinyshakespeare",
        "wikitext-2",
        "ptb",
        "imdb",
        "sst",
    ]
    for name, entry in entries.items():
        assert entry.name == name
        named = {file for files in entry.parts.values() for file in files}
        assert named
        if entry.shipped:  # all that lies there is listed, with its licence, and nothing is fetched
            folder = places.shipped_folder("corpora") / name
            assert {path.name for path in folder.iterdir()} - {"LICENSE", "README.md"} == named
            assert f"SPDX-License-Identifier: {entry.licence}" in (folder / "LICENSE").read_text()
            assert entry.files == ()
            assert library.state(entry) == "shipped"
        else:
            assert named == {file.name for file in entry.files}
        for file in entry.files:
            assert file.url.startswith("https://")
            assert file.name == file.url.rsplit("/", 1)[1]
    assert entries["tinyshakespeare"].files[0].bytes == 1_115_394
    assert {name for name, entry in entries.items() if entry.unpinned} == {"imdb", "sst"}
    assert {name for name, entry in entries.items() if entry.labelled} == {"everyday", "negation", "talk"}
    assert {name for name, entry in entries.items() if "train" not in entry.parts} == {"negation", "talk"}
    for name in ("negation", "talk"):
        assert list(entries[name].parts) == ["test"]  # held out: nothing of it can be trained on by its name


def test_find_suggests(shelf: Path) -> None:
    assert shelf
    assert library.find("three").licence == "CC0-1.0"
    with pytest.raises(UsageError, match="Did you mean 'three'"):
        library.find("thre")
    with pytest.raises(UsageError, match="has own, three, packed, loose"):
        library.find("zzz")


def test_a_shipped_corpus_of_several_files(shelf: Path) -> None:
    assert library.located("own") == {"train": shelf / "shipped/corpora/own"}
    assert library.state(library.find("own")) == "shipped"
    assert library.download("own") == library.located("own")
    corpus = open_corpus(["own"])
    assert "".join(corpus.pieces()) == "one\ntwo"
    assert (corpus.name, corpus.licence, corpus.source) == ("own", "CC0-1.0", "s")
    (shelf / "shipped/corpora/own/two.txt").unlink()
    assert library.state(library.find("own")) == "missing"
    for call in (library.download, lambda name: open_corpus([name])):
        with pytest.raises(InputError, match="not in this installation"):
            call("own")


def test_a_local_folder_plain_or_compressed_and_by_other_names(shelf: Path) -> None:
    source = filled(
        shelf / "copies",
        {
            "train.txt.xz": lzma.compress(TEXTS["train.txt"]),
            "valid.txt.gz": gzip.compress(TEXTS["valid.txt"]),
            "wiki.test.txt": TEXTS["test.txt"],
        },
    )
    with pytest.raises(InputError, match="lstmtext corpora download three"):
        open_corpus(["three"])
    found = library.download("three", source)
    folder = shelf / "cache/corpora/three"
    assert found == {"train": folder / "train.txt", "validation": folder / "valid.txt", "test": folder / "test.txt"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == TEXTS
    assert library.state(library.find("three")) == "downloaded"
    corpus = open_corpus(["three"])
    assert (corpus.files, corpus.validation_file) == ((folder / "train.txt",), folder / "valid.txt")
    both = open_corpus(["three", "own"])
    assert both.validation_file is None
    assert both.licence == "three: CC0-1.0; own: CC0-1.0"


def test_a_local_folder_without_every_part(shelf: Path) -> None:
    source = filled(shelf / "copies", {"train.txt": TEXTS["train.txt"]})
    assert list(library.download("three", source)) == ["train"]
    assert open_corpus(["three"]).validation_file is None


def test_local_copies_that_do_not_fit(shelf: Path) -> None:
    with pytest.raises(UsageError, match="There is no file or folder"):
        library.download("three", shelf / "nowhere")
    with pytest.raises(InputError, match="several files"):
        library.download("three", shelf / "shipped/corpora/library.toml")
    with pytest.raises(InputError, match=r"holds no train\.txt"):
        library.download("three", filled(shelf / "partly", {"test.txt": TEXTS["test.txt"]}))
    wrong = filled(shelf / "wrong", {"train.txt": b"another text"})
    found, expected = (hashlib.sha256(text).hexdigest() for text in (b"another text", TEXTS["train.txt"]))
    with pytest.raises(DownloadError, match=f"{found}, expected {expected}"):
        library.download("three", wrong)
    with pytest.raises(InputError, match="damaged"):
        library.download("three", filled(shelf / "damaged", {"train.txt.xz": b"not xz"}))
    assert list((shelf / "cache/corpora/three").iterdir()) == []
    assert library.located("three") is None


def test_an_archive_is_kept_as_it_is(shelf: Path) -> None:
    source = shelf / "copy.tar.gz"
    source.write_bytes(b"packed")  # not really gzip: it must not be decompressed
    found = library.download("packed", source)
    assert found["train"].read_bytes() == b"packed"
    with pytest.raises(InputError, match="an archive of labelled text"):
        open_corpus(["packed"])


def test_a_corpus_without_a_checksum_is_refused_from_everywhere(shelf: Path) -> None:
    copy = shelf / "loose.txt"
    copy.write_text("text")
    for source in (None, copy):
        with pytest.raises(DownloadError, match=r"no pinned checksum yet \(loose\.txt\).*http://127\.0\.0\.1:9/loose"):
            library.download("loose", source)
    assert not (shelf / "cache").exists()


def test_the_train_part_comes_last(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that ends early must not leave a corpus that seems whole but has no validation part."""
    order = []

    def fake(url: str, target: Path, sha256: str, *, progress: object) -> Path:
        assert url.endswith(target.name)
        assert hashlib.sha256(TEXTS[target.name]).hexdigest() == sha256
        assert progress is None
        order.append(target.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(TEXTS[target.name])
        return target

    monkeypatch.setattr(library, "fetch", fake)
    library.download("three")
    assert order[-1] == "train.txt"
    assert sorted(order) == sorted(TEXTS)
    assert shelf


def test_a_file_goes_before_a_corpus_of_the_same_name(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shelf)
    (shelf / "own").write_text("mine")
    assert "".join(open_corpus(["own"]).pieces()) == "mine"
