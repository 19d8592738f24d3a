"""One file from a server on this machine: whole, resumed, refused, wrong."""

from __future__ import annotations

import hashlib
import http.server
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmtext.errors import DownloadError
from lstmtext.text import download
from lstmtext.text.download import CHUNK_BYTES, fetch

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; `cuts` are the bytes after which the next answers break off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []  # the Range of every request
        self.cuts: list[int] = []
        self.ranges = True
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/corpus.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        if self.server.statuses:
            return self.send_error(self.server.statuses.pop(0))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = start + self.server.cuts.pop(0) if self.server.cuts else len(CONTENT)
        self.wfile.write(CONTENT[start:end])
        return None

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not the place."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_whole_download_with_progress(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, int, int | None]] = []
    target = fetch(server.url, tmp_path / "new/corpus.txt", SHA256, progress=lambda *each: seen.append(each))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["corpus.txt"]
    assert seen[-1] == ("corpus.txt", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert capfd.readouterr() == ("", "")  # talking is the caller's business


def test_what_is_here_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "corpus.txt"
    target.write_bytes(CONTENT)
    fetch(server.url, target, SHA256)
    assert server.asked == []
    target.write_bytes(b"somebody edited it")
    fetch(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT


def test_a_cut_connection_is_taken_up_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cuts = [10 * CHUNK_BYTES, 5 * CHUNK_BYTES + 1]
    target = fetch(server.url, tmp_path / "corpus.txt", SHA256)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={10 * CHUNK_BYTES}-", f"bytes={15 * CHUNK_BYTES}-"]


def test_a_later_call_goes_on(server: Server, tmp_path: Path) -> None:
    server.cuts = [10 * CHUNK_BYTES, 0, 0, 0, 0]
    target = tmp_path / "corpus.txt"
    with pytest.raises(DownloadError, match=r"connection was cut.*81\.9 kB arrived and are kept.*--from"):
        fetch(server.url, target, SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt.part"]
    server.asked.clear()
    assert fetch(server.url, target, SHA256).read_bytes() == CONTENT
    assert server.asked == [f"bytes={10 * CHUNK_BYTES}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts = [10 * CHUNK_BYTES]
    assert fetch(server.url, tmp_path / "corpus.txt", SHA256).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={10 * CHUNK_BYTES}-"]


def test_a_server_without_ranges_that_always_cuts_is_given_up(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts = [100_000] * 50
    with pytest.raises(DownloadError, match="connection was cut"):
        fetch(server.url, tmp_path / "corpus.txt", SHA256)
    assert len(server.asked) == 5  # the first brought something, four did not


def test_a_wrong_checksum_names_both_and_keeps_nothing(server: Server, tmp_path: Path) -> None:
    expected = "0" * 64
    with pytest.raises(DownloadError, match=f"{SHA256}, expected {expected}"):
        fetch(server.url, tmp_path / "corpus.txt", expected)
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_make_one_download(server: Server, tmp_path: Path) -> None:
    """The second waits, and sees how far the first is."""
    target = tmp_path / "new" / "corpus.txt"
    begun, seen = threading.Event(), threading.Event()
    waited: list[tuple[str, int, int | None]] = []

    def first(*_: object) -> None:
        begun.set()
        seen.wait(20)

    def second(*each: object) -> None:
        waited.append(each)  # type: ignore[arg-type]
        seen.set()

    threads = [threading.Thread(target=fetch, args=(server.url, target, SHA256), kwargs={"progress": first})]
    threads[0].start()
    assert begun.wait(20)
    threads.append(threading.Thread(target=fetch, args=(server.url, target, SHA256), kwargs={"progress": second}))
    threads[1].start()
    for thread in threads:
        thread.join()
    assert server.asked == [None]
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["corpus.txt"]
    name, done, total = waited[0]
    assert (name, total) == ("corpus.txt", None)
    assert 0 <= done < len(CONTENT)


def test_one_that_waits_goes_on_where_the_other_gave_up(server: Server, tmp_path: Path) -> None:
    server.cuts = [10 * CHUNK_BYTES, 0, 0, 0, 0]
    target = tmp_path / "corpus.txt"
    begun, seen = threading.Event(), threading.Event()

    def first(*_: object) -> None:
        begun.set()
        seen.wait(20)

    def gives_up() -> None:
        with pytest.raises(DownloadError, match="connection was cut"):
            fetch(server.url, target, SHA256, progress=first)

    thread = threading.Thread(target=gives_up)
    thread.start()
    assert begun.wait(20)
    fetch(server.url, target, SHA256, progress=lambda *_: seen.set())
    thread.join()
    assert target.read_bytes() == CONTENT
    assert server.asked == [*[None], *[f"bytes={10 * CHUNK_BYTES}-"] * 5]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_what_a_killed_process_left_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt.part").write_bytes(CONTENT[:1000])
    (tmp_path / ".corpus.txt.lock").touch()
    assert fetch(server.url, tmp_path / "corpus.txt", SHA256).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize("left", [b"of another version", b"x" * 400_000, CONTENT])
def test_what_an_earlier_call_left_does_no_harm(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "corpus.txt.part").write_bytes(left)
    assert fetch(server.url, tmp_path / "corpus.txt", SHA256).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]
    assert len(server.asked) == (0 if left == CONTENT else 2)


def test_an_address_that_is_gone_is_not_tried_again(server: Server, tmp_path: Path) -> None:
    server.statuses = [404]
    with pytest.raises(DownloadError, match="the server answered 404 Not Found"):
        fetch(server.url, tmp_path / "corpus.txt", SHA256)
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert fetch(server.url, tmp_path / "corpus.txt", SHA256).read_bytes() == CONTENT
    server.statuses = [500] * 9
    with pytest.raises(DownloadError, match="the server answered 500"):
        fetch(server.url, tmp_path / "other.txt", SHA256)


def test_no_server_at_all(server: Server, tmp_path: Path) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match="there was no connection"):
        fetch(url, tmp_path / "corpus.txt", SHA256)
