"""The whole thing in a real terminal (tmux) and a real browser (Chromium): start, train, steer, leave, be killed."""

from __future__ import annotations

import base64
import itertools
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmtext.store.run import RunReader, list_runs, send
from tui.terminal import PATIENCE_SECONDS, Terminal, open_terminal, small_training, train_from_the_ui

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with open_terminal(tmp_path) as opened:
        yield opened


def test_train_steer_leave_come_back_generate_quit(terminal: Terminal, tmp_path: Path) -> None:
    small_training(tmp_path)
    terminal.command("tui")
    terminal.wait_for("1 Home", "No trainings")
    terminal.keys("F2")
    terminal.wait_for("New training", "harbour")
    terminal.keys("C-r")
    terminal.until(lambda: bool(list_runs()))
    [folder] = list_runs()
    reader = RunReader(folder)
    terminal.until(lambda: reader.status().state == "running" and reader.status().step > 5)
    terminal.wait_for("p Pause", "Loss")

    terminal.keys("p")
    terminal.until(lambda: reader.status().state == "paused")
    terminal.until(lambda: "paused" in terminal.screen().lower())
    terminal.keys("r")
    terminal.until(lambda: reader.status().state == "running")

    # A client of tmux attaches, detaches and attaches again: the UI is drawn anew and goes on.
    for _ in range(2):
        client, descriptor = pty.fork()
        if client == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execvp("tmux", ["tmux", "-u", "-L", terminal.socket, "attach", "-t", "t"])
        terminal.until(lambda: bool(terminal.tmux("list-clients").strip()))
        terminal.tmux("detach-client", "-a", "-s", "t")
        terminal.tmux("detach-client", "-s", "t")
        terminal.until(lambda: not terminal.tmux("list-clients").strip())
        os.close(descriptor)
        os.waitpid(client, 0)
    terminal.wait_for(folder.name, "5 Memory")

    terminal.keys("C-q")
    terminal.is_sane()
    step = reader.status().step
    terminal.until(lambda: reader.status().state == "running" and reader.status().step > step)

    terminal.command("tui", folder.name)
    terminal.wait_for(folder.name, "5 Memory")
    terminal.keys("F3")
    terminal.wait_for("ROMEO:")
    before = terminal.screen()
    terminal.keys("C-r", "Enter")
    terminal.until(lambda: len(terminal.screen().split()) > len(before.split()) + 20)
    terminal.keys("C-q")
    terminal.is_sane()
    assert reader.status().alive

    send(folder, "stop")
    terminal.until(lambda: reader.status().state == "stopped")


def test_a_killed_ui_leaves_a_terminal_that_works_and_a_run_that_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    reader = train_from_the_ui(terminal, tmp_path)
    os.kill(terminal.processes()[1], signal.SIGKILL)
    terminal.wait_for("The UI was ended from outside (SIGKILL)")
    terminal.is_sane()
    step = reader.status().step
    terminal.until(lambda: reader.status().step > step)


def test_a_killed_trainer_is_said_and_can_be_resumed(terminal: Terminal, tmp_path: Path) -> None:
    reader = train_from_the_ui(terminal, tmp_path)
    folder = reader.folder
    send(folder, "save")
    terminal.until(lambda: (folder / "checkpoints.json").is_file())
    os.kill(reader.status().pid, signal.SIGKILL)
    terminal.until(lambda: "crashed" in terminal.screen().lower())
    terminal.keys("F1")
    terminal.wait_for("crashed", folder.name)
    terminal.keys("Enter")
    terminal.until(lambda: "2 Train" in terminal.screen() and "crashed" in terminal.screen().lower())
    terminal.keys("R")
    time.sleep(2.0)
    if not reader.status().alive:
        terminal.keys("Enter")  # it asks
    terminal.until(lambda: reader.status().state == "running")
    terminal.keys("C-q")
    terminal.is_sane()


def test_the_shell_suspends_it_and_brings_it_back(terminal: Terminal) -> None:
    terminal.command("tui")
    terminal.wait_for("5 Memory", "No trainings")
    for _ in range(2):
        terminal.keys("C-z")
        terminal.is_sane()
        terminal.tmux("send-keys", "-t", "t", "-l", "fg")
        terminal.keys("Enter")
        terminal.wait_for("5 Memory", "No trainings")
    terminal.keys("F2")
    terminal.wait_for("New training")
    terminal.keys("C-q")
    terminal.is_sane()


def test_where_no_shell_waits_it_is_not_suspended(terminal: Terminal) -> None:
    terminal.tmux("respawn-pane", "-k", "-t", "t", f"{sys.executable} -m lstmtext tui")
    terminal.wait_for("5 Memory", "No trainings")
    terminal.keys("C-z")
    terminal.wait_for("There is no shell to go back to.")
    terminal.keys("F2")
    terminal.wait_for("New training")


def test_too_small_and_larger_again(terminal: Terminal) -> None:
    terminal.command("tui")
    terminal.wait_for("1 Home", "No trainings", "shakespeare")
    terminal.tmux("resize-window", "-t", "t", "-x", "50", "-y", "15")
    terminal.wait_for("50 × 15 is too small")
    terminal.tmux("resize-window", "-t", "t", "-x", "60", "-y", "18")
    terminal.wait_for("1 Home", "full: 80×24")
    terminal.tmux("resize-window", "-t", "t", "-x", "150", "-y", "45")
    terminal.wait_for("This run", "5 Memory")
    terminal.keys("q")
    terminal.is_sane()


def test_a_wrong_settings_file_is_said_and_stays_as_it_is(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "ui.toml").write_text("[home]\nfiltre = 'x'\n")
    terminal.command("tui")
    terminal.wait_for("5 Memory", "filtre")
    terminal.keys("q")
    terminal.is_sane()
    assert (tmp_path / "config" / "ui.toml").read_text() == "[home]\nfiltre = 'x'\n"


@pytest.fixture
def page() -> Iterator[int]:
    pytest.importorskip("textual_serve", reason="pip install 'lstmtext[web]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "lstmtext", "tui", "--web", "--port", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert server.stdout is not None
    assert f"http://127.0.0.1:{port}" in server.stdout.readline()
    yield port
    server.send_signal(signal.SIGINT)
    try:
        assert server.wait(30) == 0
    finally:
        server.stdout.close()
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_page_is_for_this_machine_and_itself_only(page: int) -> None:
    status, text = get(f"http://127.0.0.1:{page}/")
    assert status == 200
    assert "fonts.googleapis.com" not in text
    assert get(f"http://127.0.0.1:{page}/", Host="evil.example")[0] == 403
    assert get(f"http://127.0.0.1:{page}/ws", Origin="http://evil.example")[0] == 403
    listening = json.dumps(subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=False).stdout)
    if f":{page}" in listening:
        assert f"127.0.0.1:{page}" in listening
        assert f"0.0.0.0:{page}" not in listening


def lit_columns(picture: Path) -> list[int]:
    """The columns of a picture's first lines that have the colour of the open room's tab."""
    from PIL import Image

    with Image.open(picture) as image:
        pixels = image.convert("RGB")
        return [x for x in range(pixels.width) for y in range(24) if pixels.getpixel((x, y)) == HERE]


async def browse(devtools: str, page: int, picture: Path) -> str:
    """Open the page in a running Chromium, press a key, and take a picture once the UI has drawn; the page's class."""
    import asyncio

    import aiohttp

    async with aiohttp.ClientSession() as session, session.ws_connect(devtools, max_msg_size=0) as socket:
        numbers = itertools.count(1)

        async def call(method: str, **parameters: object) -> dict[str, Any]:
            number = next(numbers)
            await socket.send_json({"id": number, "method": method, "params": parameters})
            while True:
                answer = await socket.receive_json(timeout=60)
                if answer.get("id") == number:
                    return dict(answer["result"])

        async def evaluate(expression: str) -> str:
            return str((await call("Runtime.evaluate", expression=expression))["result"].get("value"))

        await call("Page.navigate", url=f"http://127.0.0.1:{page}/?fontsize=14")
        for _ in range(600):
            if "-first-byte" in await evaluate("document.body.className"):
                break
            await asyncio.sleep(0.1)
        for _ in range(30):  # a key that comes before the app listens is lost
            await call("Input.dispatchKeyEvent", type="keyDown", key="F2", code="F2", windowsVirtualKeyCode=113)
            await asyncio.sleep(2.0)
            picture.write_bytes(base64.b64decode((await call("Page.captureScreenshot", format="png"))["data"]))
            if min(lit_columns(picture), default=0) > HOME_ENDS:
                break
        return await evaluate("document.body.className")


async def test_a_real_browser_shows_the_ui_and_takes_keys(page: int, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Chromium is not installed")
    from PIL import Image

    profile = tmp_path / "profile"
    words = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,760"]
    words += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not (profile / "DevToolsActivePort").is_file():
            assert time.monotonic() < end, "Chromium did not start"
            time.sleep(0.1)
        time.sleep(0.5)
        port = (profile / "DevToolsActivePort").read_text().split()[0]
        [target] = [each for each in json.loads(get(f"http://127.0.0.1:{port}/json")[1]) if each["type"] == "page"]
        shown = await browse(target["webSocketDebuggerUrl"], page, tmp_path / "page.png")
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert "-first-byte" in shown
    with Image.open(tmp_path / "page.png") as image:
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(1 << 24) or ()}
    assert colours.get(BACKGROUND, 0) > 0.5 * sum(colours.values())
    lit = lit_columns(tmp_path / "page.png")
    assert lit, "no tab of the bar is lit"
    assert min(lit) > HOME_ENDS, "Home is lit still: the key has not arrived"


# Of the dark theme: what is behind everything, and the tab of the room that is open.
HOME_ENDS = 120  # pixels: where the tab of Home ends
BACKGROUND, HERE = (0x10, 0x14, 0x1A), (0x24, 0x47, 0x6A)
