"""The checkpoints of a run: each is written whole, then pointed to, and what nothing points to is removed.

    checkpoints/step-N      one folder per checkpoint (`snapshot.py`)
    checkpoints.json        which is the last, which the best (`store/checkpoint_index.py`)

A process that is killed in between leaves the checkpoint before, and a folder that the next one replaces.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from lstmtext.errors import RunError
from lstmtext.events import Saved
from lstmtext.store.card import model_card
from lstmtext.store.checkpoint import CheckpointConfig
from lstmtext.store.checkpoint_index import CheckpointIndex, write_index
from lstmtext.store.run_settings import resume_command
from lstmtext.training.loop import Trainer
from lstmtext.training.snapshot import write_snapshot
from lstmtext.training.tasks import Task
from lstmtext.training.world import World

__all__ = ["Saver"]


class Saver:
    """Saves the run in `folder`. Several processes each have one and go through the same steps; the leader's writes.

    command: what the user typed, for the model card; index: what is saved already, None for a new run
    """

    def __init__(self, folder: Path, command: str, world: World, index: CheckpointIndex | None) -> None:
        self.folder, self.command, self.world, self.index = folder, command, world, index

    def save(self, trainer: Trainer, task: Task, parameters: int, *, requested: bool) -> Saved | None:
        """Save the step as it is, as the best if it is; None if that was done before and nobody asked.

        Raises RunError naming the last good checkpoint where the disk refuses.
        """
        counters = trainer.counters
        name = f"step-{counters.step}"
        if self.index is not None and self.index.last == name:
            return Saved(step=counters.step, folder=name, requested=True) if requested else None
        best, folder = counters.best_step == counters.step, self.folder / "checkpoints" / name
        last_good = f"The last good checkpoint is {self.index.last}." if self.index else "Nothing was saved before."
        try:
            if self.world.leads and folder.exists():  # by a process that was killed before it could point to it
                shutil.rmtree(folder)
            config = self._config(trainer, task)
            card = model_card(self.folder.name, config, parameters)
            write_snapshot(trainer, task, folder, config, task.tokenizer.json, card)
            best_name = name if best else self.index.best if self.index else None
            self.index = CheckpointIndex(
                last=name, best=best_name, best_loss=counters.best_loss, best_step=counters.best_step
            )
            if self.world.leads:
                write_index(self.folder, self.index)
        except OSError as error:
            raise RunError(
                f"The checkpoint of step {counters.step} could not be written to {folder.parent}: {error.strerror}. "
                f"{last_good} Make room, then: {self.world.launcher()}{resume_command(self.folder)}"
            ) from error
        for other in folder.parent.iterdir() if self.world.leads else ():
            if other.name not in (self.index.last, self.index.best):
                shutil.rmtree(other, ignore_errors=True)
        return Saved(step=counters.step, folder=name, best=best, requested=requested)

    def _config(self, trainer: Trainer, task: Task) -> CheckpointConfig:
        config = task.describe(trainer.counters, self.command)
        versions = config.versions | {"hardware": self.world.hardware(config.versions["hardware"])}
        return msgspec.structs.replace(config, versions=versions)
