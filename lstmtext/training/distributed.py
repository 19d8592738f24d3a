"""Several processes that train one model on PyTorch's DistributedDataParallel.

    torchrun --nproc-per-node N -m lstmtext train lm …

In a step they meet twice: in the backward pass, to average the gradients, and after it, to hear what was asked of
the run (`consult`). Numbers and requests go over gloo between CPUs, gradients between GPUs over NCCL. Before and
between the steps they find each other through torchrun's store, which waits as long as reading a corpus may take.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError, ProcessLostError, UsageError
from lstmtext.store.control import Request
from lstmtext.training.world import ALONE, World

__all__ = ["Processes", "join_world"]

# The longest that one process may let the others wait: for a checkpoint on a slow disk, not for a dead machine.
EXCHANGE_TIMEOUT = timedelta(minutes=5)
PREPARATION_SECONDS = 12 * 3600.0  # to read a corpus for the first time; a process that dies meanwhile ends the others
POLL_SECONDS = 0.05
# torchrun kills what is left 30 s after it asked all to end: a leader that is stuck until then says so before.
LAST_WORDS_SECONDS = 20.0


class Processes(World):
    """Several processes, seen from one of them.

    store: a `torch.distributed.Store` through which they have found each other; torchrun's.
    """

    def __init__(self, store: Any, rank: int, size: int) -> None:
        self.store, self.rank, self.size = store, rank, size
        self.local_rank = int(os.environ.get("LOCAL_RANK", rank))
        self.machine = os.environ.get("GROUP_RANK", "0")
        self._stretches = 0
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=EXCHANGE_TIMEOUT)

    def check(self, settings: TrainSettings) -> None:
        batch = settings.batch.batch_size
        if settings.task != "language-model":
            raise UsageError(
                f"{self.size} processes train language models only. Start `lstmtext train sentiment` without torchrun."
            )
        if batch % self.size:
            fits = batch // self.size * self.size
            raise UsageError(
                f"--batch-size {batch} is the batch of all {self.size} processes together, and they cannot share it "
                f"equally. {' or '.join(f'{size}' for size in (fits, fits + self.size) if size)} would fit."
            )
        if settings.run.device not in ("auto", "cpu", "cuda"):
            raise UsageError(
                f"--device {settings.run.device} is one device, and there are {self.size} processes. "
                "Give --device cuda (each takes a GPU of its own) or --device cpu."
            )

    def averaging(self, model: nn.Module, forward: Callable[..., Any], *, unused: bool) -> Callable[..., Any]:
        return nn.parallel.DistributedDataParallel(
            _Forward(model, forward), find_unused_parameters=unused, gradient_as_bucket_view=True
        )

    def average(self, value: float) -> float:
        return self.total(value) / self.size

    def total(self, value: float) -> float:
        return self._reduced(value, dist.ReduceOp.SUM)

    def least(self, value: float) -> float:
        return self._reduced(value, dist.ReduceOp.MIN)

    def of_leader(self, value: float) -> float:
        return self._reduced(value if self.leads else 0.0, dist.ReduceOp.SUM)

    def _reduced(self, value: float, operation: Any) -> float:
        tensor = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(tensor, operation)
        return tensor.item()

    def word_of_leader(self, word: str) -> str:
        return self._bytes_of_leader(word.encode()).decode()

    def _bytes_of_leader(self, content: bytes, length: int | None = None) -> bytes:
        """length: of the leader's content, where it is known."""
        length = int(self.of_leader(len(content))) if length is None else length
        padded = content.ljust(length) if self.leads else bytes(length)
        tensor = torch.frombuffer(bytearray(padded), dtype=torch.uint8)
        dist.broadcast(tensor, src=0)
        return tensor.numpy().tobytes()

    def gather(self, part: Tensor, dim: int) -> Tensor:
        whole = part.detach().cpu().contiguous()
        raw = whole.view(torch.uint8)  # gloo need not know the type
        parts = [torch.empty_like(raw) for _ in range(self.size)]
        dist.all_gather(parts, raw)
        return torch.cat([each.view(part.dtype) for each in parts], dim)

    def consult(self, requests: list[Request], interrupted: bool) -> tuple[list[Request], bool]:
        content = msgspec.json.encode(requests) if self.leads and requests else b""
        news = torch.tensor([len(content), interrupted], dtype=torch.int64)
        dist.all_reduce(news, dist.ReduceOp.MAX)
        length, leaving = news.tolist()
        if length:
            requests = msgspec.json.decode(self._bytes_of_leader(content, length), type=list[Request])
        return requests, bool(leaving)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        self._stretches += 1
        keys = [f"together/{self._stretches}/{rank}" for rank in range(self.size)]
        try:
            yield
        except BaseException as error:
            self.store.set(keys[self.rank], "failed")
            if not isinstance(error, Exception):  # Ctrl-C
                raise
            self._wait(keys)
            first = next(rank for rank in range(self.size) if self.store.get(keys[rank]) == b"failed")
            if first != self.rank:  # it says the same, or what is worse
                raise ProcessLostError(f"Process {first} could not go on; its own message says why.") from None
            raise
        self.store.set(keys[self.rank], "done")
        self._wait(keys)
        for rank, key in enumerate(keys):
            if self.store.get(key) == b"failed":
                raise ProcessLostError(f"Process {rank} could not go on; its own message says why.")

    @contextlib.contextmanager
    def leader_first(self) -> Iterator[None]:
        self._stretches += 1
        key = f"first/{self._stretches}/{self.machine}"
        if self.local_rank:
            self._wait([key])
        try:
            yield
        finally:
            if not self.local_rank:
                self.store.set(key, "done")

    def _wait(self, keys: list[str]) -> None:
        """Until all keys are in the store. Not `Store.wait`, in which Ctrl-C is not heard."""
        give_up = time.monotonic() + PREPARATION_SECONDS
        while not self.store.check(keys):
            if time.monotonic() > give_up:
                raise ProcessLostError("Another process did not get ready in 12 hours.")
            time.sleep(POLL_SECONDS)

    def explained(self, error: Exception) -> LstmtextError | None:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            minutes = EXCHANGE_TIMEOUT.total_seconds() / 60
            return ProcessLostError(f"Another process of this run ended, or did not answer for {minutes:g} minutes.")
        return None

    @contextlib.contextmanager
    def last_words(self, speak: Callable[[], None]) -> Iterator[None]:
        if not self.leads or threading.current_thread() is not threading.main_thread():
            yield
            return
        # A Python signal handler waits until the exchange returns. Its byte in a pipe does not.
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        ended = threading.Event()

        def watch() -> None:
            while number := reader.recv(1):
                if number[0] in (signal.SIGINT, signal.SIGTERM) and not ended.wait(LAST_WORDS_SECONDS):
                    speak()
                    os._exit(1)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            ended.set()
            writer.close()
            watcher.join()
            reader.close()

    def hardware(self, device: str) -> str:
        return f"{self.size} × {device}"

    def launcher(self) -> str:
        return f"torchrun --nproc-per-node {os.environ.get('LOCAL_WORLD_SIZE', self.size)} -m "

    def close(self) -> None:
        dist.destroy_process_group()


class _Forward(nn.Module):
    """A forward pass as a module, so that DDP sees the whole of it: output layer and loss too."""

    def __init__(self, model: nn.Module, forward: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self._forward = model, forward

    def forward(self, batch: object) -> Any:
        return self._forward(batch)


def join_world() -> World:
    """Meet the processes that torchrun started beside this one; ALONE if it started none.

    Raises ProcessLostError when they are not found.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return ALONE
    try:
        store, rank, size = next(rendezvous("env://", timeout=EXCHANGE_TIMEOUT))
        return Processes(store, rank, size)
    except (dist.DistError, ValueError, RuntimeError) as error:
        raise ProcessLostError(
            f"The other processes of this run were not found: {error}. Start all of them with torchrun."
        ) from error
