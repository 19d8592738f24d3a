"""What is known of the licences of the texts that a model has learned from, as one statement.

    everyday: CC0-1.0; no licence stated: train_phrases, cr

A model keeps something of every text, so that the licence of one says nothing of the others: each is named, and so is
what stands under none. Must not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lstmtext.store.checkpoint import CorpusFacts

__all__ = ["joined_licences", "known_licences", "stated_licences", "with_inherited"]

NONE_STATED = "no licence stated"
COUNTED = re.compile(r"\d+ more")  # texts that a long name does not name: `text/naming.py`
NOT_STATED = "not stated"  # as `text/corpus.py` says it of one of several texts


def stated_licences(known: Mapping[str, str | None]) -> str | None:
    """The statement about texts of these names; the licence alone for one text, None if nothing is known.

    known: the licence of each, or None
    """
    if not any(known.values()):
        return None
    if len(known) == 1:
        return next(iter(known.values()))
    said = [f"{name}: {licence}" for name, licence in known.items() if licence]
    without = [name for name, licence in known.items() if not licence]
    return "; ".join([*said, *([f"{NONE_STATED}: {', '.join(without)}"] if without else [])])


def joined_licences(*known: Mapping[str, str | None]) -> dict[str, str | None]:
    """What is known of all texts: under one name the licence that everybody states who names it, otherwise None."""
    names = dict.fromkeys(name for each in known for name in each)
    stated = {name: {each[name] for each in known if name in each} for name in names}
    return {name: next(iter(found)) if len(found) == 1 else None for name, found in stated.items()}


def with_inherited(
    inherited: Mapping[str, str | None], own: Sequence[Mapping[str, str | None]]
) -> dict[str, str | None]:
    """What is known of all texts of a model that was started from another.

    A file states no licence. So what the other model states of a name is kept where no text of this run that has the
    name states anything; where one does, all must state the same.

    inherited: what is known of the other's texts; own: of each text of this run
    """
    stated = {name for each in own for name, licence in each.items() if licence}
    heard = [{name: each[name] if name in stated else inherited.get(name) for name in each} for each in own]
    return joined_licences(inherited, *heard)


def known_licences(corpus: CorpusFacts) -> dict[str, str | None]:
    """The licence of every text of a model, or None, read from its statement.

    Of a statement that does not say which of several texts it is about, nothing is known of any.
    """
    names = corpus.name.split("+")
    if len(names) == 1 and f"{names[0]}: " not in (corpus.licence or "") and NONE_STATED not in (corpus.licence or ""):
        return {corpus.name: corpus.licence}
    found: dict[str, str | None] = dict.fromkeys(names)
    for part in (corpus.licence or "").split("; "):
        name, _, licence = part.partition(": ")
        if name == NONE_STATED:
            found |= dict.fromkeys(licence.split(", "))
        elif licence:
            found[name] = None if licence == NOT_STATED else licence
    if len(found) == len(names):
        return found
    return {name: licence for name, licence in found.items() if not COUNTED.fullmatch(name)}  # it names them
