"""`README.md` of an exported folder: what the files are, how to call them, how near they are to the model.

Must not import torch.
"""

from __future__ import annotations

from lstmtext.export.check import Agreement
from lstmtext.store.card import CELLS, describe_metric
from lstmtext.store.checkpoint import CheckpointConfig
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["describe_agreement", "export_card", "ports"]

Port = tuple[str, str, str]
"""A value of a graph: name, type and shape, meaning."""


def describe_agreement(found: Agreement, *, int8: bool) -> str:
    """One sentence: how far graph and engine are apart, on what."""
    what = "texts" if found.unit == "accuracy" else "tokens"
    place = f"on {found.amount:,} {what} of {found.data}"
    if found.unit == "accuracy":
        scores = f"{100 * found.graph:.1f} % right, the engine {100 * found.engine:.1f} %"
    else:
        scores = f"{found.graph:.4f} {found.unit}, the engine {found.engine:.4f}"
    share = "" if int8 else f" (at most {found.largest_difference:.1g} apart)"
    most = f", answers at most {found.largest_difference:.2g} apart" if int8 else ""
    return f"{scores}{share}{most}, {place}"


def ports(config: CheckpointConfig) -> tuple[list[Port], list[Port]]:
    """Inputs and outputs of the ONNX graph."""
    model, size = config.model, config.tokenizer.size
    if config.classifier is not None:
        classes = config.classifier.classes
        return [
            ("tokens", "int64 (batch, time)", "token ids, padded with any id; time ≥ 1"),
            ("lengths", "int64 (batch,)", "how many tokens of each text count"),
        ], [
            ("probabilities", f"float32 (batch, {len(classes)})", f"calibrated: {', '.join(classes)}"),
            ("positive", "float32 (batch,)", "P(positive) + ½ P(neutral); ½ where nothing of a text is known"),
        ]
    state = f"float32 ({model.layers}, batch, {model.hidden})"
    names = ("h", "c") if model.cell == "lstm" else ("h",)
    kind = "log-probabilities" if model.cutoffs else "scores (log-probabilities after a log-softmax)"
    return [
        ("tokens", "int64 (batch, time)", "token ids; time ≥ 1: a step is a sequence of one"),
        *((name, state, "state before: zeros at the beginning of a text") for name in names),
    ], [
        ("logits", f"float32 (batch, time, {size})", f"{kind} of the next token, after each token"),
        *((f"{name}_next", state, "state after: give it back as the next call's") for name in names),
    ]


def export_card(
    name: str, config: CheckpointConfig, tokenizer: Tokenizer, kind: str, *, int8: bool, found: Agreement | None
) -> str:
    """Markdown text. kind: onnx or torch; found: of a graph, what its check has found."""
    model, corpus = config.model, config.corpus
    what = "language model" if config.classifier is None else "sentiment classifier"
    size = "int8" if int8 else "float32"
    lines = [
        f"# {name}, exported",
        "",
        f"A {tokenizer.unit}-level {what} made with lstmtext, for other tools: {CELLS[model.cell]}, "
        f"{model.layers} × {model.hidden} units, {config.tokenizer.size:,} tokens, {size}.",
        "",
        "| file | is |",
        "|---|---|",
    ]
    needs = "onnxruntime, tokenizers and numpy" if kind == "onnx" else "torch, safetensors and tokenizers"
    if kind == "onnx":
        lines.append(
            "| `model.onnx` | the graph, opset 17" + (", with ONNX Runtime's int8 operators |" if int8 else " |")
        )
    else:
        lines.append("| `model.safetensors` | a state dict for PyTorch's own modules; no pickle |")
    lines += [
        "| `tokenizer.json` | for the `tokenizers` library |",
        "| `config.json` | the model's settings and history, special ids, the check |",
        f"| `example.py` | how to use it; needs {needs} |",
    ]
    if tokenizer.kind == "wordpiece":
        lines.append("| `plain.py` | the plain form of text that this tokenizer reads: `encode(plain_form(text))` |")
    lines.append("")
    if kind == "onnx":
        inputs, outputs = ports(config)
        lines += ["| input | type | is |", "|---|---|---|", *(f"| `{a}` | {b} | {c} |" for a, b, c in inputs), ""]
        lines += ["| output | type | is |", "|---|---|---|", *(f"| `{a}` | {b} | {c} |" for a, b, c in outputs), ""]
    lines += [*_notes(config, tokenizer, kind, int8=int8), ""]
    if found is not None:
        lines += [f"Checked when it was written: {describe_agreement(found, int8=int8)}.", ""]
    scores = [f"{key}: {describe_metric(each, config.characters_per_token)}" for key, each in config.metrics.items()]
    if scores:
        lines += [f"The original's scores: {'; '.join(scores)}.", ""]
    licence = corpus.licence or "as given by whoever supplied it"
    lines += [f"Trained on {corpus.name}; licence of the text: {licence}. Command: `{config.command}`.", ""]
    return "\n".join(lines)


def _notes(config: CheckpointConfig, tokenizer: Tokenizer, kind: str, *, int8: bool) -> list[str]:
    """What a caller has to know beyond shapes."""
    notes = []
    if config.classifier is None:
        end = (
            ""
            if tokenizer.line_end_id is None
            else f"; lstmtext begins an empty prompt with a line end, {tokenizer.line_end_id}"
        )
        notes.append(f"A text begins from a state of zeros{end}.")
        if tokenizer.unknown_id is not None:
            notes.append(f"Token {tokenizer.unknown_id} stands for what is unknown and is never to be written.")
    else:
        notes.append("A text is one line: replace line ends by spaces.")
        if kind == "onnx":
            notes.append(
                "The state in which a text begins, calibration and the rule for unknown texts are in the graph."
            )
    if int8:
        notes.append(
            "int8: activations are rounded by the range of the whole call, so that an answer depends a little on "
            "what else is in it."
        )
        if config.model.cell != "lstm":
            notes.append(f"ONNX Runtime has no int8 {CELLS[config.model.cell]}: the layers are float32, the rest int8.")
    return notes
