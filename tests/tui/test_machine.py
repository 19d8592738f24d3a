"""What is measured of a run's process and of its graphics card."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmtext.tui.feed import Feed
from tui.conftest import SETTINGS, FakeRun

CARDS = """#!/bin/sh
case "$*" in
  *--id=0*) echo 3 ;;
  *--id=1*) echo 97 ;;
esac
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a process is measured in /proc")
@pytest.mark.parametrize(("device", "busy"), [("auto", 3.0), ("cuda", 3.0), ("cuda:1", 97.0)])
def test_the_card_is_that_of_the_run(
    tmp_path: Path, make_run: Callable[..., FakeRun], monkeypatch: pytest.MonkeyPatch, device: str, busy: float
) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(CARDS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    run = make_run("one", settings=f'{SETTINGS}\n[run]\ndevice = "{device}"\n')
    run.started(device="NVIDIA H200")
    run.progress(10)
    feed = Feed(run.folder)
    while feed.step() or feed.behind:
        pass
    assert feed.load.gpu == busy


def test_no_card_is_asked_for_on_a_cpu(make_run: Callable[..., FakeRun], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmtext.tui.machine.shutil.which", lambda _: pytest.fail("nvidia-smi is looked for"))
    run = make_run("one")
    run.started(device="AMD EPYC")
    run.progress(10)
    feed = Feed(run.folder)
    feed.step()
    assert feed.load.gpu is None
