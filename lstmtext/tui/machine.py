"""What a process uses of this machine: CPU, memory, its graphics card; and letting the screen go first.

On Linux from /proc; elsewhere, and for a run on another machine, nothing is known, which is said as None.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Load", "Meter", "own_host", "step_back"]

GPU_QUERY = ("--query-gpu=utilization.gpu", "--format=csv,noheader,nounits")
BACKGROUND = 10  # of 19: half of what there is, so that a text is still written beside a training
GPU_SECONDS = 5.0  # asking costs a process of its own


class Load(NamedTuple):
    """cpu: percent of one core; ram: megabytes resident; gpu: percent busy."""

    cpu: float | None = None
    ram: float | None = None
    gpu: float | None = None

    def text(self) -> str:
        """`CPU 190 %  RAM 812 MB`; empty when nothing is known."""
        parts = [
            "" if self.cpu is None else f"CPU {self.cpu:.0f} %",
            ""
            if self.ram is None
            else (f"RAM {self.ram / 1000:.1f} GB" if self.ram >= 1000 else f"RAM {self.ram:.0f} MB"),
            "" if self.gpu is None else f"GPU {self.gpu:.0f} %",
        ]
        return "  ".join(filter(None, parts))


def own_host(host: str) -> bool:
    """Whether a run's process is on this machine."""
    return host == socket.gethostname()


class Meter:
    """Measures one process again and again; CPU is counted since the last time. For one thread."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._pid = 0
        self._last: tuple[float, float] | None = None
        self._gpu: float | None = None
        self._gpu_asked = -GPU_SECONDS

    def measure(self, pid: int, card: str = "") -> Load:
        """The load now. card: the number of the GPU that the run uses, if it does. A process that is gone has none."""
        if pid != self._pid:
            self._pid, self._last = pid, None
        try:
            fields = (self._proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
            pages = int((self._proc / str(pid) / "statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            self._last = None
            return Load()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        now = time.monotonic()
        cpu = None
        if self._last is not None and now > self._last[0]:
            cpu = max(used - self._last[1], 0.0) / (now - self._last[0]) * 100
        self._last = now, used
        return Load(cpu, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, self._ask_gpu(now, card) if card else None)

    def _ask_gpu(self, now: float, card: str) -> float | None:
        if now - self._gpu_asked < GPU_SECONDS:
            return self._gpu
        self._gpu_asked, self._gpu = now, None
        program = shutil.which("nvidia-smi")
        if program:
            try:
                done = subprocess.run(
                    [program, *GPU_QUERY, f"--id={card}"],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=3,
                    check=True,
                )
                self._gpu = float(done.stdout)
            except (OSError, subprocess.SubprocessError, ValueError):
                self._gpu = None
        return self._gpu


def step_back() -> None:
    """In a thread that computes: let the thread of the screen go first. Linux only, where threads have priorities.

    Beside a training on every core, a key would otherwise be answered once the UI's own computing has had its turn.
    """
    if sys.platform == "linux" and threading.current_thread() is not threading.main_thread():
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND)
