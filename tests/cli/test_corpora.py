"""`lstmtext corpora`: results on stdout, notes on stderr, exit codes, no tracebacks."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstmtext import places
from lstmtext.cli.main import run

Run = Callable[..., tuple[int, str, str]]
TEXT = b"some text to download\n"


@pytest.fixture
def lstmtext(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `lstmtext corpora …` with a cache of its own; (exit code, stdout, stderr)."""
    monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["corpora", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library with the corpus `small`, served by this machine, and `gone`, which is not there any more."""
    monkeypatch.setattr(places, "shipped_folder", lambda name: tmp_path / "shipped" / name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = tmp_path / "served"
    served.mkdir()
    (served / "small.txt").write_bytes(TEXT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served))) as server:
        entries = "".join(
            f'[{name}]\ntitle = "t"\nlicence = "CC0-1.0"\nsource = "s"\nsplit = "one file"\nnote = "a note"\n'
            f'parts.train = ["{name}.txt"]\n[[{name}.files]]\nname = "{name}.txt"\n'
            f'url = "http://127.0.0.1:{server.server_port}/{name}.txt"\nsha256 = "{hashlib.sha256(TEXT).hexdigest()}"\n'
            for name in ("small", "gone")
        )
        (tmp_path / "shipped/corpora").mkdir(parents=True)
        (tmp_path / "shipped/corpora/library.toml").write_text(entries)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield tmp_path
        server.shutdown()
        thread.join()


def test_list(lstmtext: Run) -> None:
    code, out, err = lstmtext("list")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert "1.1 MB" in rows["tinyshakespeare"]
    assert "not downloaded" in rows["tinyshakespeare"]
    assert "CC BY-SA" in rows["wikitext-2"]


def test_list_as_json_is_one_document(lstmtext: Run) -> None:
    code, out, err = lstmtext("list", "--json")
    assert (code, err) == (0, "")
    found = {each["name"]: each for each in json.loads(out)}
    assert found["tinyshakespeare"]["bytes"] == 1_115_394
    assert found["ptb"]["state"] == "not downloaded"
    assert found["ptb"]["parts"] == ["train", "validation", "test"]
    assert not found["imdb"]["pinned"]


def test_show(lstmtext: Run) -> None:
    code, out, err = lstmtext("show", "imdb")
    assert (code, err) == (0, "")
    assert "not pinned: download refuses" in out
    assert "Maas" in out
    code, out, _ = lstmtext("show", "tinyshakespeare", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["files"][0]["sha256"].startswith("86c4e6aa")
    assert document["paths"] == {}


def test_download_then_path(lstmtext: Run, shelf: Path) -> None:
    target = shelf / "cache/corpora/small/small.txt"
    code, out, err = lstmtext("path", "small")
    assert (code, out) == (1, "")
    assert "lstmtext corpora download small" in err
    code, out, err = lstmtext("download", "small")
    assert code == 0
    assert out.split() == ["train", str(target)]
    assert err == "small.txt: 22 B\na note\n"
    assert target.read_bytes() == TEXT
    assert lstmtext("path", "small") == (0, f"{target}\n", "")
    document = json.loads(lstmtext("show", "small", "--json")[1])
    assert (document["state"], document["bytes"], document["paths"]) == ("downloaded", 22, {"train": str(target)})
    assert lstmtext("download", "small")[:2] == (0, out)  # again: nothing to do


def test_download_from_a_local_copy(lstmtext: Run, shelf: Path) -> None:
    copy = shelf / "copy.txt"
    copy.write_bytes(TEXT)
    code, out, _ = lstmtext("download", "gone", "--from", str(copy))
    assert (code, out.split()[0]) == (0, "train")
    copy.write_bytes(b"wrong")
    code, out, err = lstmtext("download", "small", "--from", str(copy))
    assert (code, out) == (1, "")
    assert hashlib.sha256(b"wrong").hexdigest() in err


def test_failures_are_sentences(lstmtext: Run, shelf: Path) -> None:
    code, out, err = lstmtext("download", "gone")
    assert (code, out) == (1, "")
    assert "404" in err
    assert "--from" in err
    assert lstmtext("download", "small", "--from", str(shelf / "nowhere"))[0] == 2
    for arguments in (["show", "smal"], ["path", "smal"], ["download", "smal"]):
        code, out, err = lstmtext(*arguments)
        assert (code, out) == (2, "")
        assert "Did you mean 'small'" in err
    code, _, err = lstmtext("path", "small", "--part", "test")
    assert code == 2
    assert "it has: train" in err
    assert lstmtext("path", "small", "--part", "dev")[0] == 2
    assert lstmtext("download")[0] == 2


def test_an_entry_without_a_checksum_is_refused(lstmtext: Run) -> None:
    code, out, err = lstmtext("download", "sst")
    assert (code, out) == (1, "")
    assert "no pinned checksum" in err


@pytest.mark.parametrize("name", ["list", "show", "download", "path"])
def test_every_help_ends_with_examples(lstmtext: Run, name: str) -> None:
    code, out, _ = lstmtext(name, "--help")
    assert code == 0
    assert out.rstrip().splitlines()[-1].strip().startswith(f"lstmtext corpora {name}")
