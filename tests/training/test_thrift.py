"""Large blocks come from the heap again, not from the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, numpy as np
from lstmtext.training.thrift import keep_large_blocks
if {kept}:
    keep_large_blocks()
np.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="M_MMAP_MAX is glibc's")
def test_a_large_block_is_used_again() -> None:
    """Eighty megabytes: their pages are fetched anew by every array, or once."""
    faults = [
        int(subprocess.run([sys.executable, "-c", FAULTS.format(kept=kept)], check=True, stdout=-1).stdout)
        for kept in (False, True)
    ]
    assert faults[1] * 20 < faults[0]
