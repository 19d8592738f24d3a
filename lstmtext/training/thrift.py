"""What keeps a process small in which nearly every step's matrices have sizes of their own, as with a sampled softmax.

Two things grow otherwise, to a gigabyte in some hundred steps (docs/results.md, "Word models"):

    kernels    oneDNN keeps those of the last 1024 sizes, and PyTorch's bridge to it as many once more
    holes      between kernels that stay, the next step's blocks, a little larger, find no place: glibc's heap grows

Blocks on pages of their own (M_MMAP_THRESHOLD) leave no holes at all, but the system gives them out anew in every step:
a third more CPU time. The caches are the whole process's; what the user has set stands.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

__all__ = ["CACHES", "TRIM_EVERY", "give_back_holes", "keep_few_kernels"]

KERNELS_KEPT = "64"
CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")  # read when the first kernel is made
TRIM_EVERY = 50  # steps: what is given back is fetched again in the next one, for a tenth of a second or two


def keep_few_kernels() -> None:
    """Call it before the first step."""
    for name in CACHES:
        os.environ.setdefault(name, KERNELS_KEPT)


def give_back_holes() -> None:
    """Give free pages inside the heap back to the system. Nothing where the C library is not glibc."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
