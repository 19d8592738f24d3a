"""A classifier as an ONNX graph: padded token ids in, calibrated probabilities out, as the engine's `judge` answers.

    tokens (batch, time) int64, lengths (batch,) int64  →  probabilities (batch, classes), positive (batch,)

    r            = [h_T ; (1/T) Σ h_t ; max_t h_t]    of the tokens inside each text's length; one part or all
    P            = softmax((W r + b + offsets) / temperature)
    positive     = P(positive) + ½ P(neutral)

The state after a line end, in which every text begins, is stored in the graph. A bidirectional classifier's second
stack is made of operators that read in reverse, each text from its own end. A text of which nothing is known (length 0,
or unknown tokens only) is neutral. What stands beyond a length is never read out.

Must not import torch.
"""

from __future__ import annotations

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import WORTH, EngineClassifier
from lstmtext.engine.language_model import cell_weights
from lstmtext.export.graph import Graph
from lstmtext.export.recurrent import add_stack
from lstmtext.store.checkpoint import Checkpoint, Tensors

__all__ = ["classifier_graph"]


def classifier_graph(checkpoint: Checkpoint, *, int8: bool) -> Graph:
    """The graph of a classifier. Raises MissingExtraError without onnx, CheckpointError for another kind of model."""
    engine, graph = EngineClassifier(checkpoint), Graph(int8=int8)
    tensors = {name: np.asarray(value, np.float32) for name, value in checkpoint.tensors.items()}
    given = graph.input("tokens", np.int64, ("batch", "time"))
    lengths = graph.input("lengths", np.int64, ("batch",))
    tokens = graph.add("Transpose", given, perm=[1, 0])
    inside = _inside(graph, tokens, lengths)
    x = graph.rows(graph.matrix("embedding.weight", tensors["embedding.weight"]), tokens)

    parts: dict[str, list[str]] = {part: [] for part in engine.parts}
    for direction in range(len(engine.stacks)):
        for part, value in _pooled(graph, engine, tensors, direction, x, lengths, inside).items():
            parts[part].append(value)
    readout = graph.add("Concat", *(value for values in parts.values() for value in values), axis=1)

    # In float32 always: a matrix of some thousand numbers is no size, and the calibration was fitted to it.
    scores = graph.add("MatMul", readout, graph.constant(tensors["readout.weight"].T, name="readout.weight"))
    scores = graph.add("Add", scores, graph.constant(tensors["readout.bias"] + engine.offsets, name="readout.bias"))
    scores = graph.add("Div", scores, graph.constant(engine.temperature, name="temperature"))
    found = graph.add("Softmax", scores, axis=-1)
    known = graph.add("Unsqueeze", _known(graph, tokens, inside, engine.tokenizer.unknown_id), _axes(graph, 1))
    probabilities = graph.add("Where", known, found, graph.constant(_nothing(engine.classes)))
    worth = graph.constant([WORTH[name] for name in engine.classes], name="worth")
    graph.output(probabilities, "probabilities", np.float32, ("batch", len(engine.classes)))
    graph.output(graph.add("MatMul", probabilities, worth), "positive", np.float32, ("batch",))
    return graph


def _axes(graph: Graph, *axes: int) -> str:
    return graph.constant(axes, np.int64)


def _inside(graph: Graph, tokens: str, lengths: str) -> str:
    """Which tokens count, (time, batch): those before each text's length."""
    time = graph.add("Gather", graph.add("Shape", tokens), graph.constant(0, np.int64), axis=0)
    steps = graph.add("Range", graph.constant(0, np.int64), time, graph.constant(1, np.int64))
    return graph.add("Less", graph.add("Unsqueeze", steps, _axes(graph, 1)), lengths)


def _known(graph: Graph, tokens: str, inside: str, unknown: int | None) -> str:
    """Whether a text has a token that is not the unknown one, (batch,)."""
    if unknown is not None:
        other = graph.add("Not", graph.add("Equal", tokens, graph.constant(unknown, np.int64)))
        inside = graph.add("And", inside, other)
    count = graph.add("ReduceMax", graph.add("Cast", inside, to=1), axes=[0], keepdims=0)  # 1: float32
    return graph.add("Greater", count, graph.constant(0.5))


def _nothing(classes: tuple[str, ...]) -> Array:
    """The probabilities of a text of which nothing is known, (1, classes)."""
    if "neutral" in classes:
        return np.array([[float(name == "neutral") for name in classes]], np.float32)
    return np.full((1, len(classes)), 1 / len(classes), np.float32)


def _pooled(
    graph: Graph, engine: EngineClassifier, tensors: Tensors, direction: int, x: str, lengths: str, inside: str
) -> dict[str, str]:
    """What is read out of the states of one direction, (batch, H) each."""
    model, name = engine.config.model, ("layers", "backward")[direction]
    start, hidden_size = engine.start(1, direction), graph.constant([model.hidden], np.int64)
    shape = graph.add("Concat", graph.constant([1], np.int64), graph.add("Shape", lengths), hidden_size, axis=0)

    def begun(states: Array, key: str) -> list[str]:
        stored = [graph.constant(each[None], name=f"{name}.{layer}.{key}") for layer, each in enumerate(states)]
        return [graph.add("Expand", value, shape) for value in stored]

    least = graph.add(
        "Max", lengths, graph.constant(1, np.int64)
    )  # the operators want a token; `known` sees that none is
    read = add_stack(
        graph,
        x,
        [cell_weights(model, tensors, layer, name) for layer in range(model.layers)],
        begun(start.h, "h"),
        begun(start.c, "c"),
        name=name,
        lengths=graph.add("Cast", least, to=6),  # int32
        backward=direction == 1,
    )
    mask = graph.add("Unsqueeze", inside, _axes(graph, 2))
    found = {}
    if "last" in engine.parts:
        found["last"] = graph.add("Squeeze", read.h[-1], _axes(graph, 0))
    if "mean" in engine.parts:
        # ONNX Runtime writes zeros beyond a length; the standard does not say so.
        kept = graph.add("Where", mask, read.hidden, graph.constant(0.0))
        total = graph.add("ReduceSum", kept, _axes(graph, 0), keepdims=0)
        count = graph.add("Unsqueeze", graph.add("Cast", least, to=1), _axes(graph, 1))
        found["mean"] = graph.add("Div", total, count)
    if "max" in engine.parts:
        kept = graph.add("Where", mask, read.hidden, graph.constant(-np.inf))
        found["max"] = graph.add("ReduceMax", kept, axes=[0], keepdims=0)
    return found
