"""One process's work on a run: prepare, train, record, save, obey requests, end in good order.

    prepare (may refuse, nothing written) → lock the run folder → restore → loop → last checkpoint

`Session.events` yields what is recorded, for whoever wants to show it. It is the only place where
the loop, the run folder and the checkpoint folder meet. Several processes each have a session and go
through the same steps; the leader's writes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import msgspec
import torch

from lstmtext.config import TrainSettings
from lstmtext.errors import DivergedError, LstmtextError, ProcessLostError, RunError
from lstmtext.events import Acknowledged, Evaluated, Event, Finished, Planned, Progress, Resumed, Started
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.control import Request, refuse_in_use
from lstmtext.store.run import RunWriter
from lstmtext.store.run_settings import read_run_settings, resume_command, settings_toml
from lstmtext.training.estimate import out_of_memory, parameter_count
from lstmtext.training.loop import EVALUATING, Counters, Trainer
from lstmtext.training.make_task import make_task
from lstmtext.training.precision import choose_arithmetic
from lstmtext.training.same_teacher import check_teachers
from lstmtext.training.saving import Saver
from lstmtext.training.snapshot import check_settings, read_counters, restore
from lstmtext.training.thrift import TRIM_EVERY, give_back_holes, keep_few_kernels
from lstmtext.training.world import ALONE, Bystander, World

__all__ = ["Session"]

PAUSE_POLL_SECONDS = 0.1
SAVING = "saving"


class Session:
    """Train a new run in `folder`, or go on with the one that is there.

    command: what the user typed, for the model card. world: the processes that train this run together.
    Raises, before anything is written: SettingsError, InputError, UsageError; RunError when the folder
    is in use or has content, CheckpointError when resuming from a damaged checkpoint.
    """

    def __init__(
        self, settings: TrainSettings, folder: Path, command: str, *, resume: bool = False, world: World = ALONE
    ) -> None:
        self.folder, self.settings, self.world = folder, settings, world
        self.parameters = 0
        with world.together():
            world.check(settings)
            if settings.run.threads:
                torch.set_num_threads(settings.run.threads)
            if settings.optimisation.softmax_samples:
                keep_few_kernels()
            self.arithmetic = choose_arithmetic(settings.run, world)
            if resume and world.leads:  # before anything is prepared; the lock is taken after that
                refuse_in_use(folder)
            index = read_index(folder) if resume else None
            last = folder / "checkpoints" / index.last if index else None
            self.saver = Saver(folder, command, world, index)
            counters = read_counters(last) if last else Counters()
            if last:  # before the text, and what a teacher says of it, are prepared
                check_settings(settings, last)
                check_teachers(settings.teaching, last)
            with self._in_sentences(), world.leader_first():
                self.task = make_task(settings, self.arithmetic, world, last)
            if last:
                self.task.check_text(last)
        self.settings = settings = self.task.settings
        self.objective = self.task.objective
        self.parameters = parameter_count(self.task.tensors())
        with self._in_sentences():
            self.trainer = Trainer(self.objective, settings, self.arithmetic, counters, world=world)
            with self.task.little_validation():  # so that a run cannot fail at its first evaluation after an hour
                self.trainer.evaluate()
            if world.size > 1:
                self.trainer.rehearse()
        with world.together():
            self.run = self._open(resume)
        try:
            with world.together():
                if resume and read_index(folder) != index:  # the process that had it saved once more as it ended
                    raise RunError(f"{folder.name} was still being saved by another process. Resume it again.")
                if last:
                    restore(self.trainer, self.task, last)
        except BaseException:
            self.run.give_back()  # nothing is trained yet
            raise
        self.resumed = resume
        self._metrics: dict[str, float] = {}
        self._interrupted = False
        self._leaving = False  # because this or another process was interrupted
        self._paused = False
        self._stop: Request | None = None

    def _open(self, resume: bool) -> RunWriter | Bystander:
        if not self.world.leads:
            return Bystander()
        return RunWriter.reopen(self.folder) if resume else RunWriter.create(self.folder, settings_toml(self.settings))

    @classmethod
    def resume(cls, folder: Path, command: str, *, world: World = ALONE) -> Self:
        """Go on with the run in `folder`; one that was killed before its first checkpoint starts over."""
        with world.together():
            settings = read_run_settings(folder)
        return cls(settings, folder, command, resume=True, world=world)

    def events(self) -> Iterator[Event]:
        """Train, and yield every event after it was recorded.

        Raises DivergedError, RunError (disk full), ProcessLostError and KeyboardInterrupt (after Ctrl-C,
        state saved, steps left) at the end, when the run folder is in order.
        """
        previous = self._catch_signals()
        try:
            with self.world.last_words(self._give_up), self.run:
                yield from self._events()
        finally:
            # When a process is lost torchrun asks the others to end in the same moment: the sentence is said first.
            if not isinstance(sys.exc_info()[1], ProcessLostError):
                for number, handler in previous.items():
                    signal.signal(number, handler)
        if (self._interrupted or self._leaving) and not self.trainer.done:
            raise KeyboardInterrupt

    def _events(self) -> Iterator[Event]:
        yield self._record(self._resumed() if self.resumed else self._started())
        reason, message = "finished", ""
        try:
            with self._in_sentences():
                yield from self._train()
            if self.trainer.done:  # whoever asked to end in the last step leaves nothing undone
                reason = "early-stop" if self.trainer.stopped_early else "finished"
            else:
                reason = "interrupted" if self._interrupted or self._leaving else "stopped"
        except LstmtextError as error:
            reason, message = ("diverged" if isinstance(error, DivergedError) else "failed"), str(error)
            raise
        except Exception as error:
            reason, message = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            if sys.exc_info()[0] is not GeneratorExit:
                yield self._record(self._finished(reason, message))

    def _finished(self, reason: str, message: str) -> Finished:
        counters = self.trainer.counters
        return Finished(
            step=counters.step,
            reason=reason,
            best_loss=counters.best_loss,
            best_step=counters.best_step,
            message=message,
        )

    @contextlib.contextmanager
    def _in_sentences(self) -> Iterator[None]:
        """What a person can do something about, of the errors that PyTorch raises."""
        try:
            yield
        except RuntimeError as error:
            vocabulary = self.task.tokenizer.size if self.parameters else 0
            said = out_of_memory(error, self.settings, self.parameters, vocabulary, self.arithmetic, self.world)
            if said:
                raise said from error
            lost = self.world.explained(error)
            if lost is None:
                raise
            raise ProcessLostError(f"{lost} {self._way_on()}") from error

    def _way_on(self) -> str:
        if not self.folder.is_dir():
            return "Nothing was written yet: start all of them again."
        index = self.saver.index
        last = f"The last checkpoint is {index.last}." if index else "Nothing was saved before."
        return f"{last} Go on with: {self.world.launcher()}{resume_command(self.folder)}"

    def _give_up(self) -> None:
        """Called where the main thread hangs in an exchange that nobody answers, and this process is about to end."""
        message = f"This process was asked to end while it waited for another one. {self._way_on()}"
        self._record(self._finished("failed", message))
        self.run.close()

    def _train(self) -> Iterator[Event]:
        trainer, every, evaluated = self.trainer, self.settings.run.sample_every, False
        for event in trainer.run():
            if event == EVALUATING:
                self.run.status("running", trainer.counters.step, trainer.total_steps, EVALUATING)
                continue
            if event is not None:
                yield self._record(event)
                if isinstance(event, Planned):
                    self._write_plan()
                evaluated = evaluated or isinstance(event, Evaluated)
                continue
            step = trainer.counters.step
            yield from self._obey()
            if (step % every == 0 if every else evaluated) and self.settings.run.sample_length:
                yield from self._sample(self.settings.run.sample_prompt, requested=False)
            evaluated = False
            leaving = (self._leaving or self._stop is not None) and not trainer.done
            best = trainer.counters.best_step == step
            if trainer.done or leaving or best or step % (self.settings.run.save_every or trainer.evaluate_every) == 0:
                yield from self._save(requested=leaving)
            if leaving:
                return
            if self.settings.optimisation.softmax_samples and step % TRIM_EVERY == 0:
                give_back_holes()
            self.run.status("running", step, trainer.total_steps)

    def _obey(self) -> Iterator[Event]:
        """Answer the requests that came in; hold the loop while paused."""
        while True:
            requests, self._leaving = self.world.consult(self.run.requests(), self._interrupted)
            for request in requests:
                yield from self._answer(request)
            if not self._paused or self._stop or self._leaving:
                return
            self.run.status("paused", self.trainer.counters.step, self.trainer.total_steps)
            before = time.monotonic()
            time.sleep(PAUSE_POLL_SECONDS)
            self.trainer.paused_seconds += time.monotonic() - before

    def _answer(self, request: Request) -> Iterator[Event]:
        outcome, message = "done", ""
        match request.action:
            case "pause" | "resume":
                self._paused = request.action == "pause"
            case "stop":
                self._stop = request
            case "save":
                yield from self._save(requested=True)
                message = f"step {self.trainer.counters.step}"
            case "sample":
                if not (yield from self._sample(str(request.arguments.get("prompt", "")), requested=True)):
                    outcome, message = "ignored", "This model does not write."
        step, action = self.trainer.counters.step, request.action
        yield self._record(Acknowledged(step=step, request=action, id=request.id, outcome=outcome, message=message))

    def _sample(self, prompt: str, *, requested: bool) -> Generator[Event, None, bool]:
        """Text from the weights that would be saved; its random numbers are its own and disturb nothing.

        Returns whether the leader's model writes at all.
        """
        if not self.world.leads:
            return True
        self.trainer.swap_averages()
        try:
            sampled = self.task.sample(self.trainer.counters, prompt, requested=requested)
        finally:
            self.trainer.swap_averages()
        if sampled:
            yield self._record(sampled)
        return sampled is not None

    def _save(self, *, requested: bool) -> Iterator[Event]:
        state, step = "paused" if self._paused else "running", self.trainer.counters.step
        self.run.status(state, step, self.trainer.total_steps, SAVING)  # to a slow disk it may take minutes
        if saved := self.saver.save(self.trainer, self.task, self.parameters, requested=requested):
            yield self._record(saved)

    def _started(self) -> Started:
        started = self.task.started(self.parameters, self.trainer.total_steps)
        started.device = self.world.hardware(started.device)
        return started

    def _resumed(self) -> Resumed:
        return Resumed(step=self.trainer.counters.step, total_steps=self.trainer.total_steps)

    def _record(self, event: Event) -> Event:
        self.run.record(event)
        counters = self.trainer.counters
        if isinstance(event, Progress):
            self._metrics |= {"loss": event.loss, "tokens_per_second": event.tokens_per_second}
        if isinstance(event, Progress | Evaluated):
            if counters.best_loss is not None:
                self._metrics["best_loss"] = counters.best_loss
            self.run.status("running", event.step, self.trainer.total_steps, "", **self._metrics)
        return event

    def _write_plan(self) -> None:
        """Keep `config.toml` such that running it again takes the steps that this run takes."""
        budget = msgspec.structs.replace(self.settings.budget, plan=self.trainer.counters.plan)
        self.run.replace_settings(settings_toml(msgspec.structs.replace(self.settings, budget=budget)))

    def _catch_signals(self) -> dict[int, Any]:
        """First Ctrl-C or SIGTERM: save and end after this step. Second: leave at once; what is saved is whole."""
        if threading.current_thread() is not threading.main_thread():
            return {}

        def handle(number: int, frame: FrameType | None) -> None:
            del number, frame
            if self._interrupted:
                os._exit(130)
            self._interrupted = True

        return {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
