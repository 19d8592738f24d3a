"""Which device, which arithmetic. Weights and optimizer stay float32; the passes may be narrower.

bfloat16 is two to three times as fast on a CPU with AMX tiles, 1.0 to 1.7 times on one with AVX512-BF16 alone (the
larger the layers and the batch the more), and loses time on others, so `auto` asks the CPU.
The fused bfloat16 LSTM on a CPU keeps its cell state in bfloat16 at every step: harmless to a
language model's loss (checked in the benchmarks), wrong for experiments about memory.
"""

from __future__ import annotations

import contextlib
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from lstmtext.config import RunSettings
from lstmtext.errors import UsageError
from lstmtext.training.world import ALONE, World
from lstmtext.units import counted

__all__ = ["Arithmetic", "choose_arithmetic", "choose_device", "device_name"]

NAMES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Arithmetic:
    """Where and in which type the passes run."""

    device: torch.device
    precision: str
    """float32, bfloat16 or float16."""

    @property
    def dtype(self) -> torch.dtype:
        """The type of activations in recurrent layers and matrix products."""
        return NAMES[self.precision]

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    @property
    def needs_scaler(self) -> bool:
        """float16 has too small a range for gradients: they are scaled."""
        return self.precision == "float16"


def choose_device(name: str) -> torch.device:
    """The torch device of `auto`, cpu, cuda, cuda:N or mps. Raises UsageError if it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if not re.fullmatch("cpu|mps|cuda(:(0|[1-9][0-9]*))?", name):
        raise UsageError(f"--device {name!r} is not known; use auto, cpu, cuda, cuda:N or mps.")
    if kind == "cuda" and (not torch.cuda.is_available() or int(number or 0) >= torch.cuda.device_count()):
        raise UsageError(f"--device {name}: {torch.cuda.device_count()} CUDA devices are here. Use --device cpu.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: there is no Apple GPU that PyTorch can use here. Use --device cpu.")
    return torch.device(name)


def choose_arithmetic(settings: RunSettings, world: World = ALONE) -> Arithmetic:
    """Resolve `device` and `precision`; of several processes each takes a GPU of its own.

    Raises UsageError for a pair that cannot work, and for fewer GPUs than processes on this machine.
    """
    device = choose_device(settings.device)
    if world.size > 1 and device.type == "cuda":
        if world.local_rank >= torch.cuda.device_count():
            raise UsageError(
                f"Each process needs a GPU of its own, and this machine has {torch.cuda.device_count()}. "
                "Start torchrun with that --nproc-per-node, or train with --device cpu."
            )
        device = torch.device("cuda", world.local_rank)
        torch.cuda.set_device(device)  # or every process would also take memory of the first GPU
    precision: str = settings.precision
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16(device) else "float32"
    if precision == "float16" and device.type == "cpu":
        raise UsageError("--precision float16 needs a GPU; on a CPU use bfloat16 or float32.")
    if precision != "float32" and device.type == "mps":
        raise UsageError("--device mps trains in float32; leave --precision at auto.")
    return Arithmetic(device, precision)


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def device_name(device: torch.device) -> str:
    """The device as a person knows it, for model cards and reports."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    import platform
    from pathlib import Path

    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        tiles = " with AMX" if torch.cpu._is_amx_tile_supported() else ""
        return f"{model}{tiles}, {counted(torch.get_num_threads(), 'thread')}"
    return f"{platform.processor() or platform.machine()}, {counted(torch.get_num_threads(), 'thread')}"
