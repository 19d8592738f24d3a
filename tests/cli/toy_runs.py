"""Runs without training: a trainer that does everything else, and a run that has ended."""

from __future__ import annotations

from pathlib import Path

from toy_events import progress, started

from lstmtext.events import Evaluated, Finished
from lstmtext.store.run import RunWriter

TOML = """
[text]
corpus = ["hamlet.txt"]
tokenizer = "char"
[model]
cell = "lstm"
layers = 2
hidden = 64
[batch]
batch_size = 8
sequence_length = 32
"""

# A trainer that does everything but train. argv: folder, seconds between steps, obedient or deaf.
TRAINER = """
import sys, time
from pathlib import Path
from lstmtext.events import *
from lstmtext.store.run import RunWriter

folder, pause, manner = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
with RunWriter.create(folder, Path(sys.argv[4]).read_text()) as run:
    run.record(Started(step=0, parameters=1000, train_tokens=900, validation_tokens=100, vocabulary=5, tokenizer="char",
                       total_steps=100000, device="cpu", precision="float32", memory_bytes=1))
    step, state = 0, "running"
    print("ready", flush=True)
    while True:
        if state == "running":
            step += 1
            run.record(Progress(step=step, loss=1.5, learning_rate=1e-3, gradient_norm=1.0, tokens=100,
                                tokens_per_second=5e3, epoch=0.1, total_steps=100000, seconds=step * 0.01))
        run.status(state, step, 100000, loss=1.5)
        for request in run.requests() if manner != "deaf" else []:
            answer = Acknowledged(step=step, request=request.action, id=request.id)
            if request.action == "pause":
                state = "paused"
            elif request.action == "resume":
                if state != "paused":
                    answer.outcome, answer.message = "ignored", "It is not paused."
                state = "running"
            elif request.action == "sample" and manner == "late":
                run.record(answer)
                time.sleep(0.3)
            if request.action == "sample":
                prompt = request.arguments.get("prompt", "The")
                run.record(Sampled(step=step, prompt=prompt, text="not asked for", temperature=0.8, seed=1))
                if "prompt" in request.arguments:  # somebody else asked at the same time
                    run.record(Sampled(step=step, prompt="other", text="other", temperature=0.8, seed=1,
                                       requested=True))
                run.record(Sampled(step=step, prompt=prompt, text=prompt + " end", temperature=0.8, seed=1,
                                   requested=True))
            if request.action == "save":
                run.record(Saved(step=step, folder=f"step-{step}", requested=True))
            if not (request.action == "sample" and manner == "late"):
                run.record(answer)
            if request.action == "stop":
                run.record(Finished(step=step, reason="stopped"))
                sys.exit()
        run.status(state, step, 100000)
        time.sleep(pause)
"""


def ended(runs: Path, name: str = "hamlet", reason: str = "stopped") -> None:
    with RunWriter.create(runs / name, TOML) as run:
        run.record(started())
        run.record(progress(10))
        run.record(Evaluated(step=10, loss=1.0, best=True, tokens=5, seconds=0.1))
        run.record(Finished(step=10, reason=reason))
