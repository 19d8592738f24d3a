"""int8: how a matrix is rounded, and what it costs on real text, beside ONNX Runtime's own quantisation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnxruntime.quantization import QuantType, quantize_dynamic

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.language_model import EngineModel
from lstmtext.export.check import check_classifier, check_language_model, open_graph
from lstmtext.export.graph import INT8_MOST, quantized
from lstmtext.export.language_model import language_model_graph
from lstmtext.places import shipped_folder
from lstmtext.store.checkpoint import Checkpoint, read_checkpoint
from lstmtext.text.tokenizer import Tokenizer

EXCERPT = str(Path(__file__).parents[1] / "data" / "shakespeare_excerpt.txt")
# The stated price: nats per character that `shakespeare` may lose, and the share of texts `sentiment-small` may.
LOSS_BOUND, ACCURACY_BOUND = 0.005, 0.01


def shipped(name: str) -> Checkpoint:
    folder = shipped_folder("checkpoints") / name
    if not (folder / "config.json").is_file():
        pytest.skip(f"checkpoints/{name} is not there")
    return read_checkpoint(folder)


@given(arrays.arrays(np.float32, (5, 7), elements=st.floats(-1e3, 1e3, width=32, allow_subnormal=False)))
def test_a_row_is_rounded_to_its_own_scale(matrix: np.ndarray) -> None:
    small, scale = quantized(matrix)
    assert np.abs(small).max() <= INT8_MOST
    assert np.all(np.abs(small * scale[:, None] - matrix) <= 0.5001 * scale[:, None])
    assert np.all(scale > 0)


def test_two_products_fit_into_16_bits() -> None:
    """What a processor without VNNI adds up before it has 32 bits."""
    assert 255 * INT8_MOST * 2 < 1 << 15 <= 255 * (INT8_MOST + 2) * 2


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("output", [{}, {"tied": True}, {"cutoffs": [6, 20]}])
def test_every_model_is_near_its_original(
    tiny: Callable[..., Any], graph_of: Callable[..., Any], cell: str, output: dict[str, Any]
) -> None:
    checkpoint = tiny(cell=cell, hidden=32, embedding=16, scale=0.3, **output)
    tokenizer = Tokenizer(checkpoint.tokenizer_json)
    found = check_language_model(graph_of(checkpoint, int8=True), EngineModel(checkpoint), tokenizer, [EXCERPT])
    assert 1e-4 < found.largest_difference < 0.2
    assert found.graph == pytest.approx(found.engine, rel=0.01)


def test_what_is_small_in_the_file(tiny: Callable[..., Any]) -> None:
    for cell, large in (("lstm", set()), ("gru", {"layers.0.W", "layers.0.R"}), ("rnn", {"layers.0.W", "layers.0.R"})):
        graph = language_model_graph(tiny(cell=cell, layers=1, tied=True), int8=True)
        weights = onnx.load_from_string(graph.content("test", {})).graph.initializer
        kinds = {each.name: each.data_type for each in weights if len(each.dims) > 1 and "scale" not in each.name}
        found = {name for name, kind in kinds.items() if kind == onnx.TensorProto.FLOAT and not name.endswith(".B")}
        assert found == large
        assert kinds["embedding.weight"] == onnx.TensorProto.INT8
        assert "output.weight" not in kinds  # tied: stored once


@pytest.mark.slow
def test_the_shipped_language_model_loses_little(tmp_path: Path) -> None:
    """Beside what ONNX Runtime's own tool makes of the same float32 graph, at the same seven bits."""
    checkpoint = shipped("shakespeare")
    engine, tokenizer = EngineModel(checkpoint), Tokenizer(checkpoint.tokenizer_json)
    whole = language_model_graph(checkpoint, int8=False).content("test", {})
    small = language_model_graph(checkpoint, int8=True).content("test", {})
    (tmp_path / "whole.onnx").write_bytes(whole)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # it recommends a preparation that has nothing to do here
    quantize_dynamic(
        tmp_path / "whole.onnx",
        tmp_path / "theirs.onnx",
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    logging.getLogger().setLevel(level)
    theirs = check_language_model(open_graph(tmp_path / "theirs.onnx"), engine, tokenizer, [EXCERPT])
    found = check_language_model(open_graph(small), engine, tokenizer, [EXCERPT])
    assert abs(found.graph - found.engine) < LOSS_BOUND
    assert abs(found.graph - theirs.graph) < LOSS_BOUND
    assert len(small) < 0.27 * len(whole)


@pytest.mark.slow
def test_the_shipped_classifier_loses_little(graph_of: Callable[..., Any]) -> None:
    checkpoint = shipped("sentiment-small")
    found = check_classifier(graph_of(checkpoint, int8=True), EngineClassifier(checkpoint))
    assert found.amount > 500
    assert found.engine > 0.85
    assert abs(found.graph - found.engine) < ACCURACY_BOUND
