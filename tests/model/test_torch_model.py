"""The torch model: shapes, initial values, dropouts that really drop, ties, the kernels it runs on."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lstmtext.config import ModelSettings, RegularisationSettings
from lstmtext.model.language_model import LanguageModel, load_tensors, to_tensors
from lstmtext.model.recurrent import layer_parameters, locked_dropout
from lstmtext.store.checkpoint import expected_shapes

SHAPES = [
    ModelSettings(cell="lstm", layers=2, hidden=8, embedding=6),
    ModelSettings(cell="gru", layers=2, hidden=8, embedding=6),
    ModelSettings(cell="rnn", layers=2, hidden=8, embedding=6),
    ModelSettings(layers=1, hidden=8, embedding=6, tied=True),
    ModelSettings(layers=1, hidden=8, embedding=8, tied=True),
    ModelSettings(layers=1, hidden=16, embedding=6, cutoffs=[5, 12]),
]
VOCABULARY = 30


def make(settings: ModelSettings, **regularisation: float) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(settings, VOCABULARY, RegularisationSettings(**regularisation))


def read(model: LanguageModel, tokens: Tensor) -> tuple[Tensor, Tensor]:
    state = model.stack.zero_state(len(tokens), torch.device("cpu"))
    features, _ = model(tokens, state)
    return features.raw, features.dropped


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_tensors_have_the_documented_names_and_shapes(settings: ModelSettings) -> None:
    tensors = to_tensors(make(settings))
    assert {name: value.shape for name, value in tensors.items()} == expected_shapes(settings, VOCABULARY)


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_tensors_go_out_and_in(settings: ModelSettings) -> None:
    model = make(settings)
    torch.manual_seed(1)
    other = LanguageModel(settings, VOCABULARY)
    tokens = torch.randint(VOCABULARY, (2, 7))
    assert not torch.equal(read(model, tokens)[0], read(other, tokens)[0])
    load_tensors(other, dict(to_tensors(model)))
    raw = read(model, tokens)[0]
    assert torch.equal(raw, read(other, tokens)[0])
    assert torch.equal(model.logits(raw), other.logits(raw))


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_probabilities_and_loss_agree(settings: ModelSettings) -> None:
    model = make(settings).eval()
    tokens = torch.randint(VOCABULARY, (2, 9))
    raw, _ = read(model, tokens[:, :-1])
    log_probabilities = model.logits(raw).log_softmax(-1)
    assert torch.allclose(log_probabilities.exp().sum(-1), torch.ones(2, 8), atol=1e-5)
    expected = -log_probabilities.gather(-1, tokens[:, 1:, None]).mean()
    assert torch.allclose(model.cross_entropy(raw, tokens[:, 1:]), expected, atol=1e-5)


@pytest.mark.parametrize("settings", SHAPES[:3], ids=lambda s: s.cell)
def test_split_stream_equals_whole_stream(settings: ModelSettings) -> None:
    model = make(settings).eval()
    tokens = torch.randint(VOCABULARY, (2, 12))
    whole, _ = read(model, tokens)
    state = model.stack.zero_state(2, torch.device("cpu"))
    first, state = model(tokens[:, :5], state)
    second, _ = model(tokens[:, 5:], state)
    assert torch.allclose(torch.cat([first.raw, second.raw], 1), whole, atol=1e-6)


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_causality_by_gradient(settings: ModelSettings) -> None:
    """The scores at time t depend on the tokens up to t and on no later one."""
    model = make(settings).eval()
    tokens = torch.randint(VOCABULARY, (1, 8))
    embedded = model.embedding(tokens).detach().requires_grad_()
    features, _ = model.stack(embedded, model.stack.zero_state(1, torch.device("cpu")))
    (gradient,) = torch.autograd.grad(model.logits(features)[0, 4].pow(2).sum(), embedded)
    reach = gradient[0].abs().sum(-1)
    assert (reach[:5] > 0).all()
    assert (reach[5:] == 0).all()


def test_initial_values() -> None:
    model = LanguageModel(ModelSettings(hidden=8, embedding=6), VOCABULARY, forget_bias=1.5, unknown_id=0)
    _, hidden_weight, bias, second_bias = layer_parameters(model.stack.layers[1])
    assert torch.allclose(bias, torch.tensor([0.0] * 8 + [1.5] * 8 + [0.0] * 16))
    assert not second_bias.any()
    assert not second_bias.requires_grad
    for block in hidden_weight.split(8):
        assert torch.allclose(block @ block.T, torch.eye(8), atol=1e-5)
    assert not model.embedding.weight[0].any()


def test_tied_weights_are_one_tensor() -> None:
    model = make(SHAPES[4])
    assert model.output is not None
    assert model.output.weight is model.embedding.weight
    assert model.projection is None
    assert "output.weight" not in to_tensors(model)
    assert make(SHAPES[3]).projection is not None


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_weight_dropout_drops_a_new_set_of_weights_each_batch(cell: str) -> None:
    settings = ModelSettings(cell=cell, layers=1, hidden=8, embedding=6)  # type: ignore[arg-type]
    model = make(settings, dropout_weight=0.5)
    tokens = torch.randint(VOCABULARY, (2, 6))
    kept = layer_parameters(model.stack.layers[0])[1].clone()
    first, second = read(model, tokens)[0], read(model, tokens)[0]
    assert not torch.allclose(first, second)
    # The first step starts from h = 0: hidden weights, dropped or not, have no say in it.
    assert torch.allclose(first[:, 0], second[:, 0], atol=1e-6)
    assert torch.equal(layer_parameters(model.stack.layers[0])[1], kept)
    model.eval()
    assert torch.equal(read(model, tokens)[0], read(model, tokens)[0])
    # Half of the weights get no gradient: they took no part.
    model.train()
    read(model, tokens)[0].pow(2).sum().backward()
    gradient = layer_parameters(model.stack.layers[0])[1].grad
    assert gradient is not None
    assert 0.3 < (gradient == 0).float().mean() < 0.7


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN")
@pytest.mark.parametrize("dropout_weight", [0.0, 0.5])
def test_weight_dropout_keeps_the_fused_kernel(dropout_weight: float) -> None:
    model = make(ModelSettings(layers=1, hidden=32, embedding=32), dropout_weight=dropout_weight)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        read(model, torch.randint(VOCABULARY, (2, 6)))
    names = {event.name for event in profile.events() or ()}
    assert "aten::mkldnn_rnn_layer" in names
    assert "aten::lstm_cell" not in names


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_weight_dropout_keeps_cudnn() -> None:
    model = make(ModelSettings(layers=1, hidden=32, embedding=32), dropout_weight=0.5).cuda()
    tokens = torch.randint(VOCABULARY, (2, 6)).cuda()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        model(tokens, model.stack.zero_state(2, tokens.device))
    assert "aten::_cudnn_rnn" in {event.name for event in profile.events() or ()}


def test_locked_dropout_drops_the_same_features_at_every_time() -> None:
    dropped = locked_dropout(torch.ones(5, 7, 200), 0.25, True)
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert not torch.equal(dropped[0], dropped[1])
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(locked_dropout(dropped, 0.25, False), dropped)


def test_embedding_dropout_blanks_whole_token_types() -> None:
    model = make(ModelSettings(layers=1, hidden=64, embedding=64), dropout_embedding=0.5)
    tokens = torch.tensor([[3, 3]]).repeat(40, 1)
    raw, _ = read(model, tokens)
    assert torch.allclose(raw, raw[:1].expand_as(raw), atol=1e-6)  # one draw for the whole batch
    draws = {tuple(read(model, tokens[:1])[0][0, 0, :3].tolist()) for _ in range(20)}
    assert len(draws) == 2  # blanked, or there and scaled


@pytest.mark.parametrize("name", ["dropout_input", "dropout_output", "dropout_embedding", "dropout_weight"])
def test_every_dropout_is_off_in_evaluation(name: str) -> None:
    model = make(SHAPES[0], **{name: 0.5})
    tokens = torch.randint(VOCABULARY, (4, 6))
    assert not torch.equal(read(model, tokens)[1], read(model, tokens)[1])
    model.eval()
    assert torch.equal(read(model, tokens)[1], read(model, tokens)[1])


def test_dropout_between_layers() -> None:
    model = make(SHAPES[0], dropout_between=0.5)
    tokens = torch.randint(VOCABULARY, (4, 6))
    assert not torch.equal(read(model, tokens)[0], read(model, tokens)[0])


def test_untrained_loss_is_about_uniform() -> None:
    torch.manual_seed(0)
    model = LanguageModel(ModelSettings(hidden=64, embedding=32), VOCABULARY).eval()
    tokens = torch.randint(VOCABULARY, (4, 50))
    raw, _ = read(model, tokens[:, :-1])
    assert model.cross_entropy(raw, tokens[:, 1:]).item() == pytest.approx(math.log(VOCABULARY), abs=0.2)
