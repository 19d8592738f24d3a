"""A checkpoint's weights by the names that PyTorch's own modules give theirs.

    embedding.weight                     nn.Embedding(V, E)
    lstm.weight_ih_l0, weight_hh_l0, …   nn.LSTM(E, H, layers), `gru` or `rnn` for the others, by the cell's name
    projection.weight, .bias             nn.Linear(H, E)                  tied, E ≠ H
    output.weight, output.bias           nn.Linear(H, V); no weight where it is tied: it is the embedding's
    output.head.weight, output.tail.…    nn.AdaptiveLogSoftmaxWithLoss(H, V, cutoffs)
    readout.weight, readout.bias         nn.Linear(P·D·H, classes) of a classifier

PyTorch has two bias vectors where a checkpoint has their sum: the second is zero, except for a GRU. The second stack of
a bidirectional classifier, `backward`, is a module of its own that is given the text in reverse: its layers never see
the other stack, while those of `bidirectional=True` read both of them.

Must not import torch: safetensors writes the file from numpy arrays, and no pickle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lstmtext.store.checkpoint import Checkpoint

__all__ = ["state_dict"]

NAMES = {"weight_input": "weight_ih", "weight_hidden": "weight_hh", "bias": "bias_ih", "bias_hidden": "bias_hh"}


def state_dict(checkpoint: Checkpoint) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors of a `load_state_dict` with the modules above, float32."""
    cell, found = checkpoint.config.model.cell, {}
    for name, stored in checkpoint.tensors.items():
        value = np.array(stored, np.float32)
        first, *rest = name.split(".")
        if first in ("layers", "backward"):
            layer, part = rest
            module = cell if first == "layers" else "backward"
            found[f"{module}.{NAMES[part]}_l{layer}"] = value
            if part == "bias" and cell != "gru":
                found[f"{module}.bias_hh_l{layer}"] = np.zeros_like(value)
        elif name.startswith("output.tail."):  # nn.Sequential numbers its parts
            _, _, cluster, part = name.split(".")
            found[f"output.tail.{cluster}.{('reduce', 'weight').index(part)}.weight"] = value
        else:
            found[name] = value
    return found
