"""Every gate of every unit at every token: what the equations of `engine/cell.py` give, kept.

    lstm    forget f   input i   output o   candidate C̃   cell C   hidden h
    gru     reset r    update z  candidate n               hidden h
    rnn                                                    hidden h

The steps are those of the specification, not of the fast stack, which overwrites its gates. Must not import torch.
"""

from __future__ import annotations

import numpy as np

from lstmtext.engine.cell import Array, GRUWeights, LSTMState, LSTMWeights, gru_step, lstm_step, rnn_step
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.layers import CellWeights, Ids
from lstmtext.engine.stack import Stack, StackState

__all__ = ["NAMES", "specification", "start", "trace", "trace_stack"]

# What there is to see in a cell, in the order in which it is drawn.
NAMES = {
    "lstm": ("forget", "input", "output", "candidate", "cell", "hidden"),
    "gru": ("reset", "update", "candidate", "hidden"),
    "rnn": ("hidden",),
}


def specification(stack: Stack) -> list[CellWeights]:
    """The weights of a fast stack as `engine/cell.py` takes them, one per layer, exactly as in the checkpoint."""
    return [layer.plain for layer in stack.layers]


def trace(classifier: EngineClassifier, ids: Ids) -> dict[str, Array]:
    """All values of all units while the classifier reads these tokens.

    ids: (tokens,). Returns name → (layers, tokens, units), the names being NAMES of the model's cell. A bidirectional
    classifier has its backward units after the forward ones, at the token that they read: (layers, tokens, 2H).
    """
    names = NAMES[classifier.config.model.cell]
    found = [
        trace_stack(stack, ids[:: 1 - 2 * way], classifier.start(1, way), names)
        for way, stack in enumerate(classifier.stacks)
    ]
    turned = [{name: values[:, :: 1 - 2 * way] for name, values in found[way].items()} for way in range(len(found))]
    return {name: np.concatenate([one[name] for one in turned], axis=2) for name in names}


def start(classifier: EngineClassifier) -> dict[str, Array]:
    """What the first token of a text finds, the state after a line end: of NAMES hidden and cell, (layers, units).

    Backward units find it at the last token.
    """
    begun = [classifier.start(1, way) for way in range(len(classifier.stacks))]
    found = {"cell": [state.c[:, 0] for state in begun], "hidden": [state.h[:, 0] for state in begun]}
    names = NAMES[classifier.config.model.cell]
    return {name: np.concatenate(both, axis=1) for name, both in found.items() if name in names}


def trace_stack(stack: Stack, ids: Ids, state: StackState, names: tuple[str, ...]) -> dict[str, Array]:
    """One stack, from `state`, in the order of reading."""
    layers = specification(stack)
    shape = (len(layers), len(ids), stack.hidden)
    found = {name: np.empty(shape, stack.embedding.dtype) for name in names}
    hidden = list(state.h)
    memory = list(state.c)
    for step, token in enumerate(ids):
        x: Array = stack.embedding[token][None]
        for index, weights in enumerate(layers):
            values: dict[str, Array]
            if isinstance(weights, LSTMWeights):
                after, gates = lstm_step(x, LSTMState(hidden[index], memory[index]), weights)
                hidden[index], memory[index] = after
                values = gates._asdict() | {"cell": after.c}
            elif isinstance(weights, GRUWeights):
                hidden[index], turned = gru_step(x, hidden[index], weights)
                values = turned._asdict()
            else:
                hidden[index] = rnn_step(x, hidden[index], weights)
                values = {}
            x = values["hidden"] = hidden[index]
            for name in names:
                found[name][index, step] = values[name][0]
    return found
