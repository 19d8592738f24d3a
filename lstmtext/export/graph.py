"""An ONNX graph while it is being written: values by name, float32 or int8 matrices, one file at the end.

Everything is said with operators of opset 17 (ONNX Runtime 1.12 and later, 2022), so that old runtimes read it too.
A matrix M (R, D) is stored once, as the checkpoint has it, and used in two ways:

    rows       M[ids]       an embedding
    product    x Mᵀ         an output layer

which is what tying means. In int8 each row m of M has its own scale s = max |m| / 63, and is stored as round(m / s).
63 and not 127: a processor without VNNI (x86 before 2019) adds pairs of 8-bit products in 16 bits, and 255 · 63 · 2 is
the most that fits; with 127 its answers would silently be others. The activations are measured and rounded to 8 bits
where they meet a matrix ("dynamic"): nothing has to be calibrated.

Must not import torch, and onnx only when a graph is written.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array
from lstmtext.errors import MissingExtraError

__all__ = ["INT8_MOST", "MICROSOFT", "OPSET", "Graph", "library", "quantized"]

OPSET = 17
IR_VERSION = 8  # of the file format: what was current with opset 17
MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators: DynamicQuantizeLSTM
INT8_MOST = 63


def library(name: str) -> Any:
    """The module `onnx` or `onnxruntime`. Raises MissingExtraError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError("Exporting to ONNX", "onnx") from None


def quantized(matrix: Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """round(m / s) of every row m, and its s = max |m| / 63 (1 for a row of zeros): (R, D) → (R, D) and (R,)."""
    scale = np.abs(matrix).max(axis=1).astype(np.float32) / np.float32(INT8_MOST)
    scale[scale == 0] = 1
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale


class Graph:
    """A graph to which operators are added in the order in which they are computed.

    int8: matrices are stored in 8 bits. Values are known by their names.
    """

    def __init__(self, *, int8: bool) -> None:
        self.int8 = int8
        self._onnx = library("onnx")
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._scales: dict[str, str] = {}

    def input(self, name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> str:
        """A value that the caller gives; words in the shape are free sizes."""
        self._inputs.append(self._described(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> None:
        """Give `value` to the caller as `name`."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._described(name, dtype, shape))

    def _described(self, name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> Any:
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, kind, list(shape))

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32, name: str = "") -> str:
        """A value that is stored in the file, under a name of its own or a given one."""
        name = name or f"constant.{len(self._constants)}"
        array = np.ascontiguousarray(value, dtype).reshape(np.shape(value))  # the former makes a scalar a vector
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def several(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add an operator with several results; an input named "" is left out. Returns the results' names."""
        number = len(self._nodes)
        names = [f"{operator}.{number}" + (f".{index}" if outputs > 1 else "") for index in range(outputs)]
        node = self._onnx.helper.make_node(operator, list(inputs), names, name=f"{operator}.{number}", **attributes)
        self._nodes.append(node)
        return names

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one result. Returns its name."""
        return self.several(operator, *inputs, outputs=1, **attributes)[0]

    def matrix(self, name: str, value: Array) -> str:
        """Store a matrix (R, D) for `rows` and `product`."""
        if not self.int8:
            return self.constant(value, name=name)
        small, scale = quantized(value)
        self._scales[name] = self.constant(scale, name=f"{name}.scale")
        return self.constant(small, np.int8, name)

    def rows(self, matrix: str, ids: str) -> str:
        """M[ids]: ids (…) int64 → (…, D)."""
        found = self.add("Gather", matrix, ids, axis=0)
        if not self.int8:
            return found
        scales = self.add("Gather", self._scales[matrix], ids, axis=0)
        last = self.add("Unsqueeze", scales, self.constant([-1], np.int64))
        return self.add("Mul", self.add("Cast", found, to=self._onnx.TensorProto.FLOAT), last)

    def product(self, value: str, matrix: str) -> str:
        """x Mᵀ: (…, D) → (…, R). Runtimes transpose the stored matrix once, when they load it."""
        turned = self.add("Transpose", matrix, perm=[1, 0])
        if not self.int8:
            return self.add("MatMul", value, turned)
        small, scale, zero = self.several("DynamicQuantizeLinear", value, outputs=3)
        whole = self.add("MatMulInteger", small, turned, zero)
        real = self.add("Cast", whole, to=self._onnx.TensorProto.FLOAT)
        return self.add("Mul", real, self.add("Mul", scale, self._scales[matrix]))

    def content(self, name: str, facts: dict[str, str]) -> bytes:
        """The content of the .onnx file, checked by onnx. facts: what the file says about itself."""
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, initializer=list(self._constants.values())
        )
        domains = [helper.make_opsetid("", OPSET)] + [helper.make_opsetid(MICROSOFT, 1)] * self.int8
        model = helper.make_model(graph, producer_name="lstmtext", opset_imports=domains, ir_version=IR_VERSION)
        helper.set_model_props(model, facts)
        self._onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
