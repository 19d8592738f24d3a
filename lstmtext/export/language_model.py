"""A language model as one ONNX graph, which reads any number of tokens from any state: a step is a sequence of one.

    tokens (batch, time) int64, h, c (layers, batch, hidden)  →  logits (batch, time, V), h_next, c_next

c and c_next are there for an LSTM only. `logits` are scores of the next token after each token, and with an adaptive
softmax log-probabilities already, as `EngineModel.logits` gives them. A graph of one step would hold the weights a
second time and save nothing: with one token the operators do the same products.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.language_model import cell_weights
from lstmtext.export.graph import Graph
from lstmtext.export.recurrent import add_stack
from lstmtext.store.checkpoint import Checkpoint

__all__ = ["language_model_graph"]


def language_model_graph(checkpoint: Checkpoint, *, int8: bool) -> Graph:
    """The graph of a language model. Raises MissingExtraError without onnx."""
    config, tensors = (
        checkpoint.config,
        {name: np.asarray(value, np.float32) for name, value in checkpoint.tensors.items()},
    )
    model, graph = config.model, Graph(int8=int8)
    shape = (model.layers, "batch", model.hidden)
    names = ["h", "c"] if model.cell == "lstm" else ["h"]

    tokens = graph.input("tokens", np.int64, ("batch", "time"))
    states = [_layers(graph, graph.input(name, np.float32, shape), model.layers) for name in names]
    table = graph.matrix("embedding.weight", tensors["embedding.weight"])
    x = graph.rows(table, graph.add("Transpose", tokens, perm=[1, 0]))
    weights = [cell_weights(model, tensors, layer) for layer in range(model.layers)]
    read = add_stack(graph, x, weights, states[0], states[-1])
    hidden = graph.add("Transpose", read.hidden, perm=[1, 0, 2])
    scores = _adaptive(graph, hidden, tensors, list(model.cutoffs)) if model.cutoffs else _full(graph, hidden, tensors)

    graph.output(scores, "logits", np.float32, ("batch", "time", config.tokenizer.size))
    for name, values in zip(names, (read.h, read.c), strict=False):
        graph.output(graph.add("Concat", *values, axis=0), f"{name}_next", np.float32, shape)
    return graph


def _layers(graph: Graph, state: str, layers: int) -> list[str]:
    """The state of each layer, (1, batch, hidden)."""
    return graph.several("Split", state, outputs=layers, axis=0) if layers > 1 else [state]


def _full(graph: Graph, hidden: str, tensors: Mapping[str, Array]) -> str:
    """W h + b, or E (P h + p) + b."""
    if "projection.weight" in tensors:
        projected = graph.product(hidden, graph.matrix("projection.weight", tensors["projection.weight"]))
        hidden = graph.add("Add", projected, graph.constant(tensors["projection.bias"], name="projection.bias"))
    tied = "output.weight" not in tensors
    matrix = "embedding.weight" if tied else graph.matrix("output.weight", tensors["output.weight"])
    return graph.add("Add", graph.product(hidden, matrix), graph.constant(tensors["output.bias"], name="output.bias"))


def _adaptive(graph: Graph, hidden: str, tensors: Mapping[str, Array], cutoffs: list[int]) -> str:
    """log P(frequent token), or log P(cluster) + log P(token | cluster)."""
    matrix = graph.matrix("output.head.weight", tensors["output.head.weight"])
    head = graph.add("LogSoftmax", graph.product(hidden, matrix), axis=-1)

    def columns(start: int, stop: int) -> str:
        return graph.add("Slice", head, *(graph.constant([value], np.int64) for value in (start, stop, 2)))

    parts = [columns(0, cutoffs[0])]
    for index in range(len(cutoffs)):
        value = hidden
        for name in ("reduce", "weight"):
            place = f"output.tail.{index}.{name}"
            value = graph.product(value, graph.matrix(place, tensors[place]))
        cluster = columns(cutoffs[0] + index, cutoffs[0] + index + 1)
        parts.append(graph.add("Add", cluster, graph.add("LogSoftmax", value, axis=-1)))
    return graph.add("Concat", *parts, axis=-1)
