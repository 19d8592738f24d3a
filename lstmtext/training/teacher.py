"""Learning from another model's probabilities beside the text itself (distillation).

    objective = (1 − w) · (−log p(x_{t+1})) + w · (−Σ_v q(v) log p(v))

q is what a trained teacher expects at this place, read without dropout. It tells about every token
that could have come, where the text tells about one: worth most when the text is short. A student
of the teacher's own size becomes better than its teacher (Furlanello et al. 2018, "born again").
"""

from __future__ import annotations

import torch
from torch import Tensor

from lstmtext.errors import UsageError
from lstmtext.model.recurrent import LayerState, StackState
from lstmtext.store.models import find_model
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.precision import Arithmetic
from lstmtext.training.restore import load_language_model

__all__ = ["Teacher"]


class Teacher:
    """A trained model that reads the same streams as its student, with a state of its own.

    name: a model's name or folder. Raises UsageError if its tokens are not the student's.
    """

    def __init__(self, name: str, tokenizer: Tokenizer, arithmetic: Arithmetic, batch_size: int) -> None:
        self.model, own = load_language_model(find_model(name, kind="language-model"), arithmetic)
        if own.vocabulary != tokenizer.vocabulary or own.kind != tokenizer.kind:
            raise UsageError(
                f"teacher = {name!r} reads other tokens ({own.size} {own.kind}) than this run "
                f"({tokenizer.size} {tokenizer.kind}). A teacher must be trained on the same text."
            )
        self.model.requires_grad_(False)
        self.arithmetic = arithmetic
        self.state: StackState = self.model.stack.zero_state(batch_size, arithmetic.device, arithmetic.dtype)

    @torch.no_grad()
    def probabilities(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """q at every place of inputs (batch, time): (batch, time, vocabulary), float32.

        mask: (1, batch, 1), 0 where the stream starts again from a zero state.
        """
        state = [LayerState(h * mask.to(h.dtype), c * mask.to(c.dtype) if c.numel() else c) for h, c in self.state]
        with self.arithmetic.autocast():
            features, self.state = self.model(inputs, state)
            return self.model.logits(features.raw).softmax(-1)
