"""RNN against LSTM, measured: one frame for all tasks, the same care for every arm. Must not import torch."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = {
    name: f"lstmtext.experiments.{name}" for name in ("gradients", "recall", "adding", "copying", "negation")
}
"""Name → module, whose `experiment(budget)` builds it for "quick" or "full"."""
