"""The checkpoint folder: there and back, every refusal, and a reader that equals the library's."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from classifiers import random_classifier
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save, save_file

from lstmtext.config import ModelSettings
from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint import (
    CheckpointConfig,
    CorpusFacts,
    Metric,
    TokenizerFacts,
    encode_config,
    expected_shapes,
    read_checkpoint,
    read_config,
    write_checkpoint,
)

WriteTiny = Callable[..., Path]
MODELS: list[dict[str, Any]] = [
    {},
    {"cell": "gru", "layers": 3},
    {"cell": "rnn", "layers": 1},
    {"tied": True},
    {"tied": True, "embedding": 6},
    {"cutoffs": [4, 11], "hidden": 32},
]


def config_for(model: ModelSettings, vocabulary: int, tokenizer_json: str = "{}") -> CheckpointConfig:
    import hashlib

    sha256 = hashlib.sha256(tokenizer_json.encode()).hexdigest()
    return CheckpointConfig(
        kind="language-model",
        model=model,
        tokenizer=TokenizerFacts(kind="char", size=vocabulary, sha256=sha256),
        corpus=CorpusFacts(name="é", sha256="0", bytes=3, split="half", licence="CC0", source="here"),
        step=7,
        seed=3,
        command="lstmtext train lm é",
        metrics={"validation": Metric(value=1.25, unit="nats per character", protocol="stateful", data="half")},
        versions={"torch": "2"},
        characters_per_token=1.5,
    )


def tensors_for(config: CheckpointConfig, dtype: str = "float32", seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes = expected_shapes(config.model, config.tokenizer.size)
    return {name: random.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_there_and_back(tmp_path: Path, model: dict[str, Any], dtype: str) -> None:
    config = config_for(ModelSettings(**{"layers": 2, "hidden": 6, "embedding": 5, **model}), 20)
    tensors = tensors_for(config, dtype)
    extras = {"training/state.json": b"{}", "training/more.bin": bytes(range(256))}
    write_checkpoint(tmp_path / "model", config, "{}", tensors, "# Card\n", extras)
    found = read_checkpoint(tmp_path / "model")
    assert found.config == config
    assert found.tokenizer_json == "{}"
    assert found.tensors.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found.tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(found.tensors[name], value)
    assert (tmp_path / "model" / "README.md").read_text() == "# Card\n"
    assert (tmp_path / "model" / "training" / "more.bin").read_bytes() == bytes(range(256))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_equal_models_are_equal_files(tmp_path: Path, write_tiny: WriteTiny) -> None:
    for name in ("a", "b"):
        write_tiny(tmp_path / name)
    for file in ("config.json", "tokenizer.json", "model.safetensors", "README.md"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def change_config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text())
        for key, value in changes.items():
            *tables, name = key.split("__")
            place = content
            for table in tables:
                place = place[table]
            place[name] = value
        (folder / "config.json").write_text(json.dumps(content))

    return change


def change_tensors(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        tensors = load((folder / "model.safetensors").read_bytes())
        change(tensors)
        save_file(tensors, folder / "model.safetensors")

    return rewrite


def change_header(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        data = (folder / "model.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        change(header)
        new = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(new)) + new + data[8 + length :])

    return rewrite


BIAS, WIDE = "output.bias", np.zeros((2, 2), np.float64)
REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "is not a model folder"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "is incomplete"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "is incomplete"),
    "another tokenizer": (lambda f: (f / "tokenizer.json").write_text("{}"), "not the tokenizer"),
    "not JSON": (lambda f: (f / "config.json").write_text("{"), "config.json is damaged"),
    "not UTF-8": (
        lambda f: (f / "config.json").write_bytes(b'{"kind": "\xff"}'),
        "config.json is damaged: it is not UTF-8 text.",
    ),
    "not a record": (lambda f: (f / "config.json").write_text("[]"), "config.json is damaged: it is no record with a"),
    "an empty record": (lambda f: (f / "config.json").write_text("{}"), "config.json is damaged: it is no record with"),
    "too deep": (
        lambda f: (f / "config.json").write_bytes(b"[" * 100_000),
        "config.json is damaged: it is nested too deep.",
    ),
    "the future": (change_config(format_version=2), "format version 2; this lstmtext reads up to 1"),
    "no version": (change_config(format_version=None), "format version None"),
    "an export": (change_config(export="onnx"), "is an export for other tools"),
    "another kind": (change_config(kind="regression"), "config.json is damaged"),
    "half a classifier": (change_config(kind="classifier"), "does not say what is read out"),
    "another cell": (change_config(model__cell="transformer"), "config.json is damaged"),
    "a setting too large": (change_config(model__hidden=1 << 40), "config.json is damaged"),
    "more layers": (change_config(model__layers=3), "layers.2"),
    "fewer layers": (change_config(model__layers=1), "does not have"),
    "another width": (change_config(model__hidden=7), "has shape"),
    "another vocabulary": (change_config(tokenizer__size=9), "has shape"),
    "a missing tensor": (change_tensors(lambda t: t.pop(BIAS)), "the tensor output.bias is missing"),
    "one too many": (change_tensors(lambda t: t.update(more=WIDE)), "there is a tensor more"),
    "another shape": (change_tensors(lambda t: t.update({BIAS: t[BIAS][:-1]})), "output.bias has shape"),
    "another type": (change_tensors(lambda t: t.update({BIAS: t[BIAS].astype(np.float64)})), "stored as F64"),
    "offsets outside": (change_header(lambda h: h[BIAS].update(data_offsets=[0, 10**9])), "damaged"),
    "offsets backwards": (
        change_header(lambda h: h[BIAS].update(data_offsets=h[BIAS]["data_offsets"][::-1])),
        "damaged",
    ),
    "negative offsets": (change_header(lambda h: h[BIAS].update(data_offsets=[-4, 0])), "damaged"),
    "one offset": (change_header(lambda h: h[BIAS].update(data_offsets=[0])), "damaged"),
    "offsets of text": (change_header(lambda h: h[BIAS].update(data_offsets=["a", "b"])), "damaged"),
    "a shape of fractions": (change_header(lambda h: h[BIAS].update(shape=[float(h[BIAS]["shape"][0])])), "damaged"),
    "a type that is a list": (change_header(lambda h: h[BIAS].update(dtype=["F32"])), "damaged"),
    "no shape": (change_header(lambda h: h[BIAS].pop("shape")), "damaged"),
    "a tensor that is a number": (change_header(lambda h: h.update({BIAS: 3})), "damaged"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged"),
    "a header of nothing": (lambda f: (f / "model.safetensors").write_bytes(bytes(100)), "damaged"),
    "a header too deep": (
        lambda f: (f / "model.safetensors").write_bytes(struct.pack("<Q", 100_000) + b"[" * 100_000),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(tmp_path: Path, write_tiny: WriteTiny, name: str) -> None:
    folder = write_tiny(tmp_path / "model")
    damage, expected = REFUSALS[name]
    read_checkpoint(folder)
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    said = str(caught.value)
    assert expected in said
    assert str(folder) in said
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("temperature", 0, "config.json is damaged: Expected `float` > 0.0"),
        ("temperature", -1.5, "config.json is damaged: Expected `float` > 0.0"),
        ("offsets", [0.5], "has 1 offsets for 3 classes"),
        ("offsets", [0, 1, 2, 3], "4 offsets for 3 classes"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(tmp_path: Path, field: str, value: object, expected: str) -> None:
    folder = random_classifier(tmp_path)
    read_checkpoint(folder)
    change_config(**{f"classifier__calibration__{field}": value})(folder)
    with pytest.raises(CheckpointError, match=expected):
        read_checkpoint(folder)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_surprises(
    tmp_path_factory: pytest.TempPathFactory, write_tiny: WriteTiny, data: st.DataObject
) -> None:
    """Changed, lost or added bytes: the tensors have their shapes, or it is refused; nothing else is raised."""
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    if not folder.exists():
        write_tiny(folder)
        (folder / "whole").write_bytes((folder / "model.safetensors").read_bytes())
    content = bytearray((folder / "whole").read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, min(header + 40, len(content) - 1)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    (folder / "model.safetensors").write_bytes(content)
    try:
        found = read_checkpoint(folder)
    except CheckpointError:
        return
    expected = expected_shapes(found.config.model, found.config.tokenizer.size)
    assert {name: value.shape for name, value in found.tensors.items()} == expected


@given(
    st.builds(
        ModelSettings,
        cell=st.sampled_from(["lstm", "gru", "rnn"]),
        layers=st.integers(1, 3),
        hidden=st.integers(1, 12),
        embedding=st.integers(1, 12),
        tied=st.booleans(),
    ),
    st.integers(1, 30),
    st.sampled_from(["float32", "float16"]),
    st.one_of(st.none(), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)),
)
@settings(max_examples=40, deadline=None)
def test_the_reader_equals_the_library(
    tmp_path_factory: pytest.TempPathFactory,
    model: ModelSettings,
    vocabulary: int,
    dtype: str,
    metadata: dict[str, str] | None,
) -> None:
    folder = tmp_path_factory.mktemp("read")
    config = config_for(model, vocabulary)
    data = save(tensors_for(config, dtype), metadata)
    (folder / "config.json").write_bytes(encode_config(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(data)
    found, expected = read_checkpoint(folder).tensors, load(data)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_never_written(tmp_path: Path, bad: float) -> None:
    config = config_for(ModelSettings(layers=1, hidden=4, embedding=3), 9)
    tensors = tensors_for(config)
    tensors["layers.0.bias"][5] = bad
    with pytest.raises(CheckpointError, match=r"layers\.0\.bias holds numbers that are not finite"):
        write_checkpoint(tmp_path / "model", config, "{}", tensors, "")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_fit_are_never_written(tmp_path: Path) -> None:
    config = config_for(ModelSettings(layers=1, hidden=4, embedding=3), 9)
    tensors = tensors_for(config)
    for wrong in (tensors | {"more": WIDE}, tensors | {BIAS: WIDE}, {k: v for k, v in tensors.items() if k != BIAS}):
        with pytest.raises(CheckpointError):
            write_checkpoint(tmp_path / "model", config, "{}", wrong, "")
    assert list(tmp_path.iterdir()) == []


def test_config_json_is_for_people_too(tmp_path: Path, write_tiny: WriteTiny) -> None:
    folder = write_tiny(tmp_path / "model")
    text = (folder / "config.json").read_text()
    assert '\n  "format_version": 1' in text
    assert read_config(folder) == msgspec.json.decode(text, type=CheckpointConfig)
