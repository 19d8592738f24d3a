"""Which arithmetic a run gets by itself."""

from __future__ import annotations

import pytest
import torch

from lstmtext.config import RunSettings
from lstmtext.errors import UsageError
from lstmtext.training.precision import choose_arithmetic, choose_device


@pytest.mark.parametrize(
    ("tiles", "products", "precision"),
    [(False, False, "float32"), (True, True, "bfloat16"), (False, True, "bfloat16")],
    ids=["neither", "AMX", "AVX512-BF16"],
)
def test_a_cpu_that_multiplies_bfloat16_uses_it(
    monkeypatch: pytest.MonkeyPatch, tiles: bool, products: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: products)
    assert choose_arithmetic(RunSettings(device="cpu")).precision == precision
    assert choose_arithmetic(RunSettings(device="cpu", precision="float32")).precision == "float32"


def test_a_cpu_does_not_train_in_float16() -> None:
    with pytest.raises(UsageError, match="needs a GPU"):
        choose_arithmetic(RunSettings(device="cpu", precision="float16"))


@pytest.mark.parametrize(
    "name", ["cpu:", "cpu:0", "cuda:", "cuda:-1", "cuda:01", "cuda:²", "cuda:0\n", "mps:", "gpu", ""]
)
def test_a_device_that_is_not_known(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_device(name)
    assert str(caught.value) == f"--device {name!r} is not known; use auto, cpu, cuda, cuda:N or mps."
