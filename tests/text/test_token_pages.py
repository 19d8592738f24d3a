"""Each of several processes reads its own part of the token file, and no other: one file needs no shards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOKENS = 64 << 20

# One pass over the file with a share of the streams; then how much of the file this process has in memory, in kB.
PROGRAM = """
import sys
import numpy as np
from lstmtext.config import BatchSettings
from lstmtext.text.streams import Streams

path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ids = np.memmap(path, dtype=np.uint8, mode="r")
streams = Streams(ids, BatchSettings(batch_size=8, sequence_length=8192), 1, slice(first, last))
batches = streams.batches(0)
for _ in range(streams.total_steps(1)):
    next(batches)
mapping = open("/proc/self/smaps").read().split(path)[1]
print(next(line.split()[1] for line in mapping.splitlines() if line.startswith("Rss:")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which pages were read")
@pytest.mark.parametrize(("first", "last"), [(0, 8), (0, 2), (4, 6), (7, 8)])
def test_a_process_reads_the_pages_of_its_streams(tmp_path: Path, first: int, last: int) -> None:
    path = tmp_path / "train.ids"
    np.zeros(TOKENS, np.uint8).tofile(path)
    command = [sys.executable, "-c", PROGRAM, str(path), str(first), str(last)]
    read = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) * 1024 / TOKENS
    share = (last - first) / 8
    assert share - 0.01 < read < share + 0.07  # the kernel maps up to 2 MB at a time, at both ends
