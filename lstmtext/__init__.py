"""lstmtext: train small LSTM models on your own text, and look inside their memory.

`lstmtext.load(NAME)` returns a model that answers on the CPU without importing torch. Importing
this package imports nothing else: names are looked up when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmtext.api import Classifier, Judgement, LanguageModel, load

__all__ = ["Classifier", "Judgement", "LanguageModel", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        from lstmtext import api

        return getattr(api, name)
    raise AttributeError(f"module 'lstmtext' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
