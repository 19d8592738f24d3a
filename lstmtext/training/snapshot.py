"""A trainer on the disk: its checkpoint folder, and the way back.

`model.safetensors` holds the weights to use: the averages, where averaging is on. Under `training/`
lies what only resuming needs, all float32:

    state.json               Counters: step, tokens, best loss, plan, seconds; the gradient scaler's state; two settings
                             that decide what these files and the model card hold
    weights.safetensors      the trained weights, where they are not the ones to use
    optimizer.safetensors    first.{parameter}, second.{parameter}: AdamW's moments; step.{parameter}: its own count of
                             steps, which leaves out those whose batch had no gradient for it
    carried.safetensors      what is carried from step to step (recurrent states), in its own type
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.torch
import torch
from msgspec import Struct

from lstmtext.config import TrainSettings
from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig, read_checkpoint, read_config, write_checkpoint
from lstmtext.training.loop import Counters, Trainer

__all__ = ["Weights", "check_settings", "read_counters", "restore", "write_snapshot"]

OPTIMIZER = {"first": "exp_avg", "second": "exp_avg_sq", "step": "step"}  # in the file → in AdamW's state

ONLY_ITS_OWN = "A run resumes from its own checkpoints only."


class SavedState(Struct, kw_only=True):
    """The content of `training/state.json`."""

    counters: Counters
    scaler: dict[str, Any] = {}
    averaging: float | None = None
    init: str | None = None
    """Settings as they were; earlier versions did not state them."""


class Weights(Protocol):
    """A model as a checkpoint's tensors: what a task gives."""

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights by their names in the checkpoint, copies."""

    def load(self, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
        """Put them back. Raises KeyError or RuntimeError for what does not fit."""


def write_snapshot(
    trainer: Trainer, weights: Weights, folder: Path, config: CheckpointConfig, tokenizer_json: str, card: str
) -> None:
    """Write the whole checkpoint folder, or nothing. Several processes all call this, and the leader writes.

    Raises DivergedError or CheckpointError for weights that are not finite, OSError from the disk.
    """
    trainer.check_finite()
    carried = trainer.objective.carried()
    if not trainer.world.leads:
        return
    state = SavedState(
        counters=trainer.counters,
        scaler=trainer.scaler.state_dict(),
        averaging=trainer.settings.optimisation.averaging,
        init=trainer.settings.teaching.init,
    )
    extras = {
        "training/state.json": msgspec.json.encode(state),
        "training/carried.safetensors": _save(carried),
        "training/optimizer.safetensors": _save(_moments(trainer)),
    }
    if trainer.averaging:
        raw = {name: torch.from_numpy(value) for name, value in weights.tensors().items()}
        extras["training/weights.safetensors"] = _save(raw)
    trainer.swap_averages()
    try:
        tensors = weights.tensors()
    finally:
        trainer.swap_averages()
    write_checkpoint(folder, config, tokenizer_json, tensors, card, extras)


def read_counters(folder: Path) -> Counters:
    """Where the run stood when this checkpoint was written. Raises CheckpointError."""
    counters, step = _read_state(folder).counters, read_config(folder).step
    if counters.step != step:
        raise CheckpointError(f"{folder} is damaged: config.json is of step {step}, state.json of {counters.step}.")
    return counters


def check_settings(settings: TrainSettings, folder: Path) -> None:
    """Raise CheckpointError where averaging was switched or another `init` named since this checkpoint was written.

    Nothing else would notice. The moments are of the trained weights, and would go on with their averages; the model
    card would lose what the other model had read, or the run name one that it did not begin with.
    """
    state, averaging, init = _read_state(folder), settings.optimisation.averaging, settings.teaching.init
    changes = []
    if state.averaging is None:  # of an earlier version: a file tells, unless it is lost, which `restore` says
        if not averaging and (folder / "training" / "weights.safetensors").exists():
            changes.append((f"averaging = {averaging}", "averaging"))
    elif bool(state.averaging) != bool(averaging):  # another length of it changes as a learning rate does
        changes.append((f"averaging = {averaging}", f"averaging = {state.averaging}"))
    if state.init not in (None, init):
        changes.append((f"init = {init!r}", f"init = {state.init!r}"))
    if changes:
        now, before = (" and ".join(words) for words in zip(*changes, strict=True))
        raise CheckpointError(
            f"{folder.parents[1] / 'config.toml'} says {now}, but {folder.name} was saved with {before}. "
            "Put that back, or start a new run."
        )


def restore(trainer: Trainer, weights: Weights, folder: Path) -> Checkpoint:
    """Bring a new trainer, made with the counters of this folder, to where `write_snapshot` found it.

    Raises CheckpointError for files that are missing, damaged or of other settings.
    """
    checkpoint = read_checkpoint(folder)
    _load(weights, checkpoint.tensors, folder)
    training = folder / "training"
    if trainer.averaging:
        for average, parameter in zip(trainer.averaging.averages, trainer.averaging.parameters, strict=True):
            average.copy_(parameter.detach())
        raw = _read(training / "weights.safetensors")
        _load(weights, {name: value.numpy() for name, value in raw.items()}, folder)
    found = _read(training / "optimizer.safetensors")
    try:
        for name, parameter in trainer.model.named_parameters():
            if parameter.requires_grad:
                # Checkpoints of earlier versions do not have it.
                found.setdefault(f"step.{name}", torch.tensor(float(trainer.counters.step)))
                state = {own: found[f"{saved}.{name}"].to(parameter.device) for saved, own in OPTIMIZER.items()}
                for own, value in state.items():  # the fused kernel does not look: it would leave the memory of these
                    if value.shape != (() if own == "step" else parameter.shape) or value.dtype != torch.float32:
                        raise ValueError(f"{own} of {name} is {tuple(value.shape)}, {value.dtype}")
                trainer.optimizer.state[parameter] = state
        trainer.objective.restore(_read(training / "carried.safetensors"))
    except KeyError as error:
        raise CheckpointError(f"{training} does not fit this run's settings: {error} is missing.") from None
    except ValueError as error:
        raise CheckpointError(f"{training} does not fit this run's settings: {error}.") from None
    scaler = _read_state(folder).scaler
    if scaler:
        trainer.scaler.load_state_dict(scaler)
    return checkpoint


def _load(weights: Weights, tensors: dict[str, np.ndarray[Any, Any]], folder: Path) -> None:
    try:
        weights.load(tensors)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"{folder} does not fit this run's settings: {error}.") from None


def _moments(trainer: Trainer) -> dict[str, torch.Tensor]:
    found = {}
    for name, parameter in trainer.model.named_parameters():
        state = trainer.optimizer.state.get(parameter)
        if parameter.requires_grad:
            for saved, own in OPTIMIZER.items():  # before a parameter's first gradient there is none: all is zero
                start = torch.zeros(() if own == "step" else parameter.shape)
                found[f"{saved}.{name}"] = state[own] if state else start
    return found


def _save(tensors: dict[str, torch.Tensor]) -> bytes:
    return safetensors.torch.save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load(path.read_bytes())
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {_reason(error)}. Resume needs it; the model itself may be whole."
        ) from None


def _read_state(folder: Path) -> SavedState:
    path = folder / "training" / "state.json"
    try:
        return msgspec.json.decode(path.read_text("utf-8"), type=SavedState)
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is damaged: it is not UTF-8 text. {ONLY_ITS_OWN}") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CheckpointError(f"{path} cannot be read: {_reason(error)}. {ONLY_ITS_OWN}") from None


def _reason(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) else error)
