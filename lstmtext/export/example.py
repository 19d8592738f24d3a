"""The text of `example.py`: some twenty lines that use an exported model without lstmtext.

Sizes and special ids stand in it as numbers, so that it can be read from top to bottom and copied. A word-part
tokenizer reads plain text, which `plain.py` beside it makes: `lstmtext/text/plain.py`, which needs nothing but Python.
Must not import torch.
"""

from __future__ import annotations

from lstmtext.engine.classifier import PARTS, WORTH
from lstmtext.engine.generator import WORDS
from lstmtext.store.checkpoint import CheckpointConfig, ClassifierFacts
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["example"]

PROMPT = 'prompt or "\\n"'  # nothing begins as a new line does
PROMPT_OF_WORDS = 'prompt.removesuffix(" ") or "\\n"'
MODULES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def example(config: CheckpointConfig, tokenizer: Tokenizer, kind: str) -> str:
    """Python source that continues a prompt, or judges texts. kind: onnx or torch."""
    library = {"onnx": "onnxruntime", "torch": "PyTorch"}[kind]
    plain = tokenizer.kind == "wordpiece"
    if config.classifier is None:
        title = f'"""Continue a prompt with {library}: python example.py "The" [tokens] [temperature]"""'
        body = (_read_language_model if kind == "onnx" else _torch_language_model)(config)
        body += _generation(tokenizer, kind)
        names = "Spacing, plain_form"
    else:
        title = f'"""The sentiment of texts with {library}: python example.py "not good" "not bad at all" """'
        body = _judgement(tokenizer) if kind == "onnx" else _torch_judgement(config, config.classifier, tokenizer)
        names = "plain_form"
    imports = {
        "onnx": ["import numpy as np", "import onnxruntime", "import tokenizers"],
        "torch": ["import tokenizers", "import torch"],
    }[kind]
    imports += [f"from plain import {names}"] * plain + ["from safetensors.torch import load_file"] * (kind == "torch")
    opening = [
        title,
        "",
        "import sys",
        "from pathlib import Path",
        "",
        *imports,
        "",
        "folder = Path(__file__).parent",
        'tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))',
    ]
    return "\n".join([*opening, *body]) + "\n"


def _encoded(tokenizer: Tokenizer, text: str) -> str:
    """The expression that gives the ids of the expression `text`."""
    text = f"plain_form({text})" if tokenizer.kind == "wordpiece" else text
    return f"tokenizer.encode({text}, add_special_tokens=False).ids"


def _read_language_model(config: CheckpointConfig) -> list[str]:
    model = config.model
    names = '"h", "c"' if model.cell == "lstm" else '"h",'
    return [
        'model = onnxruntime.InferenceSession(folder / "model.onnx")',
        f"state = {{name: np.zeros(({model.layers}, 1, {model.hidden}), np.float32) for name in ({names})}}",
    ]


def _generation(tokenizer: Tokenizer, kind: str) -> list[str]:
    """The loop: the whole prompt at once, then one token after the other."""
    onnx = kind == "onnx"
    lines = [
        'if sys.argv[4:] or not all(part.replace(".", "", 1).isdecimal() for part in sys.argv[2:]):',
        "    sys.exit(__doc__)",
        'prompt, length, temperature = (*sys.argv[1:], *("The", "200", "0.8")[len(sys.argv) - 1 :])',
        f"ids = {_encoded(tokenizer, PROMPT_OF_WORDS if tokenizer.kind in WORDS else PROMPT)}",
        "random = np.random.default_rng(0)" if onnx else "torch.manual_seed(0)",
        "",
        "fresh, written = ids, []",
        "while len(written) < float(length):",
    ]
    if onnx:
        lines += [
            '    logits, *after = model.run(None, {"tokens": np.array([fresh]), **state})',
            "    state = dict(zip(state, after))",
            "    scores = logits[0, -1].astype(np.float64)",
        ]
    else:
        lines += [
            "    with torch.no_grad():",
            "        logits, state = model(torch.tensor([fresh]), state)",
            "    scores = logits[0, -1].double()",
        ]
    if tokenizer.unknown_id is not None:
        infinity = "np.inf" if onnx else "torch.inf"
        lines.append(f"    scores[{tokenizer.unknown_id}] = -{infinity}  # the unknown token is never written")
    if onnx:
        lines += [
            "    weights = np.exp((scores - scores.max()) / max(float(temperature), 1e-6))",
            "    fresh = [int(random.choice(len(weights), p=weights / weights.sum()))]",
        ]
    else:
        lines += [
            "    weights = torch.exp((scores - scores.max()) / max(float(temperature), 1e-6))",
            "    fresh = [int(torch.multinomial(weights, 1))]",
        ]
    lines.append("    written += fresh")
    decoded = "tokenizer.decode(written, skip_special_tokens=False)"
    if tokenizer.kind not in WORDS:
        return [*lines, f"print(prompt + {decoded})"]
    if tokenizer.kind == "wordpiece":
        lines += [
            "tokens, spacing = [tokenizer.id_to_token(index) for index in ids + written], Spacing()",
            'text = "".join([token[2:] if token[:2] == "##" else spacing.before(token) + token for token in tokens]'
            "[len(ids) :])",
        ]
    elif tokenizer.kind == "whitespace":  # blanks between words, none beside a line end
        lines += [
            f'text = " " * (prompt[-1:] not in " \\n") + {decoded}',
            'text = text.replace(" \\n", "\\n").replace("\\n ", "\\n")',
        ]
    else:
        lines.append(f"text = {decoded}")
    return [*lines, 'print(prompt + (text.removeprefix(" ") if prompt[-1:] == " " else text))']


def _torch_language_model(config: CheckpointConfig) -> list[str]:
    model, size = config.model, config.tokenizer.size
    width = model.embedding if model.tied else model.hidden
    projected = model.tied and model.embedding != model.hidden
    output = f"torch.nn.Linear({width}, {size})"
    scores = "self.output(self.projection(hidden))" if projected else "self.output(hidden)"
    if model.cutoffs:
        output = f"torch.nn.AdaptiveLogSoftmaxWithLoss({model.hidden}, {size}, {list(model.cutoffs)})"
        scores = "self.output.log_prob(hidden.flatten(0, 1)).unflatten(0, tokens.shape)"
    module = f"torch.nn.{MODULES[model.cell]}({model.embedding}, {model.hidden}, {model.layers}, batch_first=True)"
    return [
        "",
        "",
        "class Model(torch.nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = torch.nn.Embedding({size}, {model.embedding})",
        f"        self.{model.cell} = {module}",
        *([f"        self.projection = torch.nn.Linear({model.hidden}, {model.embedding})"] if projected else []),
        f"        self.output = {output}",
        "",
        "    def forward(self, tokens, state=None):",
        f"        hidden, state = self.{model.cell}(self.embedding(tokens), state)",
        f"        return {scores}, state",
        "",
        "",
        *_torch_loaded(tied=model.tied),
        "state = None",
    ]


def _torch_loaded(*, tied: bool) -> list[str]:
    return [
        'tensors = load_file(folder / "model.safetensors")',
        *(['tensors["output.weight"] = tensors["embedding.weight"]  # tied: stored once'] if tied else []),
        "model = Model().eval()",
        "model.load_state_dict(tensors)",
    ]


def _texts(tokenizer: Tokenizer) -> list[str]:
    """The texts and their ids; a line end inside a text is a space."""
    text = 'text.replace("\\n", " ")'
    return [
        'texts = sys.argv[1:] or ["not good", "not bad at all"]',
        f"encoded = [{_encoded(tokenizer, text)} for text in texts]",
    ]


def _printed() -> list[str]:
    return [
        'label = "negative" if positive < 1 / 3 else "positive" if positive > 2 / 3 else "neutral"',
        'print(f"{label}\\t{positive:.4f}\\t{text}")',
    ]


def _judgement(tokenizer: Tokenizer) -> list[str]:
    return [
        'model = onnxruntime.InferenceSession(folder / "model.onnx")',
        *_texts(tokenizer),
        "",
        "lengths = np.array([len(ids) for ids in encoded])",
        "tokens = np.zeros((len(texts), max(1, lengths.max())), np.int64)",
        "for row, ids in zip(tokens, encoded):",
        "    row[: len(ids)] = ids",
        'probabilities, positives = model.run(None, {"tokens": tokens, "lengths": lengths})',
        "for text, positive in zip(texts, positives):",
        *(f"    {line}" for line in _printed()),
    ]


def _torch_judgement(config: CheckpointConfig, facts: ClassifierFacts, tokenizer: Tokenizer) -> list[str]:
    """One text at a time, so that nothing is padded."""
    model, calibration = config.model, facts.calibration
    stacks = [(model.cell, "x"), *([("backward", "x.flip(1)")] if facts.bidirectional else [])]
    width = model.hidden * len(stacks) * (3 if facts.readout == "concat" else 1)
    module = f"torch.nn.{MODULES[model.cell]}({model.embedding}, {model.hidden}, {model.layers}, batch_first=True)"
    parts = PARTS if facts.readout == "concat" else (facts.readout,)
    pooled = {"last": "s[-1]", "mean": "s.mean(0)", "max": "s.amax(0)"}
    offsets = calibration.offsets or [0.0] * len(facts.classes)
    begun = "None"
    if tokenizer.line_end_id is not None:
        begun = (
            f"stack(self.embedding(torch.tensor([[{tokenizer.line_end_id}]])))[1]  # every text begins after a line end"
        )
    known = "ids" if tokenizer.unknown_id is None else f"any(index != {tokenizer.unknown_id} for index in ids)"
    return [
        "",
        "",
        "class Model(torch.nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = torch.nn.Embedding({config.tokenizer.size}, {model.embedding})",
        *(f"        self.{name} = {module}" for name, _ in stacks),
        f"        self.readout = torch.nn.Linear({width}, {len(facts.classes)})",
        "",
        "    def read(self, stack, x):",
        f"        begun = {begun}",
        "        return stack(x, begun)[0][0]  # (time, hidden)",
        "",
        "    def forward(self, ids):  # one text: (classes,)",
        "        x = self.embedding(torch.tensor([ids]))",
        f"        states = [{', '.join(f'self.read(self.{name}, {x})' for name, x in stacks)}]",
        *(f"        all_{part} = [{pooled[part]} for s in states]" for part in parts),
        f"        z = self.readout(torch.cat({' + '.join(f'all_{part}' for part in parts)}))",
        "        return torch.softmax((z + offsets) / temperature, 0)",
        "",
        "",
        *_torch_loaded(tied=False),
        *_texts(tokenizer),
        f"temperature, offsets = {calibration.temperature}, torch.tensor({offsets})  # the calibration",
        f"worth = torch.tensor({[WORTH[name] for name in facts.classes]})  # of {', '.join(facts.classes)}",
        "for text, ids in zip(texts, encoded):",
        "    with torch.no_grad():",
        f"        positive = float(model(ids) @ worth) if {known} else 0.5  # where nothing is known",
        *(f"    {line}" for line in _printed()),
    ]
