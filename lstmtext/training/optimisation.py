"""AdamW, the learning-rate schedule, and the moving average of weights.

    warm-up      lr = peak · (t + 1) / warmup                     t < warmup
    cosine       lr = peak · (m + (1 − m) · ½(1 + cos(π t / total)))   m = final_learning_rate
    averaging    θ̄ ← d θ̄ + (1 − d) θ,   d = min(averaging, (t + 1) / (t + 10))

A step on a shorter piece of text has a noisier gradient: the rate is scaled by its length over
the mean length (Merity et al. 2017, section 5).
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn

from lstmtext.config import OptimisationSettings

__all__ = ["Averaging", "learning_rate", "make_optimizer"]

READOUT = 1 << 10  # above any layer


def make_optimizer(model: nn.Module, settings: OptimisationSettings, layer_rate: float = 1.0) -> torch.optim.AdamW:
    """AdamW in its fused form; weight decay on matrices, none on biases.

    layer_rate: the learning rate of each layer as a fraction of the one above it (Howard & Ruder 2018). A group's
    own fraction is its `scale`.
    """
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    top = 1 + max((_level(name) for name, _ in model.named_parameters() if _level(name) < READOUT), default=0)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = layer_rate ** (top - min(_level(name), top))
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            found.setdefault((scale, decay), []).append(parameter)
    groups = [{"params": chosen, "weight_decay": decay, "scale": scale} for (scale, decay), chosen in found.items()]
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2), fused=fused)


def _level(name: str) -> int:
    """How high a parameter stands: 0 the embedding, 1 the first layer, …, READOUT what is above the layers."""
    if name.startswith("embedding"):
        return 0
    layer = re.search(r"\blayers\.(\d+)\.", name)
    return int(layer[1]) + 1 if layer else READOUT


def learning_rate(settings: OptimisationSettings, step: int, total_steps: int) -> float:
    """The rate of step `step` (0 is the first) of `total_steps`; warm-up takes at most a tenth of them."""
    warmup = min(settings.warmup_steps, total_steps // 10)
    warm = min(1.0, (step + 1) / (warmup + 1))
    floor = settings.final_learning_rate
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / total_steps)))
    return settings.learning_rate * warm * (floor + (1 - floor) * cosine)


class Averaging:
    """The moving average of a model's parameters, which is what is evaluated and saved."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.averages = [parameter.detach().clone() for parameter in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after step `step` (0 is the first)."""
        weight = 1 - min(self.decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], weight)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange averages and parameters; calling it again undoes it."""
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            kept: Tensor = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(kept)
