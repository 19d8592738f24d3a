"""How many cores this process should use, when others use them too."""

from __future__ import annotations

import os
import sys

__all__ = ["idle_threads", "leave_busy_cores_alone"]


def leave_busy_cores_alone() -> None:
    """Give numpy's BLAS as many threads as there are idle cores. Works before numpy is imported, or not at all.

    At every product its threads wait for each other. When another process (a training run, say) has one of
    their cores, that is a wait for the scheduler: 24 ms a character instead of 0.5, measured with a 2 × 512
    LSTM on two cores. The number of threads does not change a bit of the results.
    """
    if "numpy" in sys.modules or {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"} & os.environ.keys():
        return
    try:
        cores, busy = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    except (AttributeError, OSError):  # a system that does not say
        return
    if (threads := idle_threads(cores, busy)) < cores:
        os.environ["OPENBLAS_NUM_THREADS"] = str(threads)


def idle_threads(cores: int, busy: float) -> int:
    """Cores that the load average leaves idle, at least one; under half a core of load counts as none."""
    return cores if busy < 0.5 else max(1, int(cores - busy))
