"""What keeps a process small in which nearly every step's matrices have sizes of their own, as with a sampled softmax.

Two things grow otherwise, to a gigabyte in some hundred steps (docs/results.md, "Word models"):

    kernels    oneDNN keeps those of the last 1024 sizes, and PyTorch's bridge to it as many once more
    holes      between kernels that stay, the next step's blocks, a little larger, find no place: glibc's heap grows

Blocks on pages of their own (M_MMAP_THRESHOLD) leave no holes at all, but the system gives them out anew in every step:
a third more CPU time. glibc does that to every block above 32 MB, such as the gradient of 30 000 words' vectors, unless
told to keep them: for dynamic evaluation, which makes a gradient every few tokens, that halves the time; in training it
would save a seventh for half a gigabyte. The caches and the heap are the whole process's; what the user has set stands.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

__all__ = ["CACHES", "TRIM_EVERY", "give_back_holes", "keep_few_kernels", "keep_large_blocks"]

KERNELS_KEPT = "64"
CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")  # read when the first kernel is made
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
TRIM_EVERY = 50  # steps: what is given back is fetched again in the next one, for a tenth of a second or two


def keep_few_kernels() -> None:
    """Call it before the first step."""
    for name in CACHES:
        os.environ.setdefault(name, KERNELS_KEPT)


def keep_large_blocks() -> None:
    """A block of any size that was given back is used again, not fetched anew. Nothing where there is no glibc."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(M_MMAP_MAX, 0)
            library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def give_back_holes() -> None:
    """Give free pages inside the heap back to the system. Nothing where the C library is not glibc."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
