"""Two PCs with one disk: a cloned or restored image holds the same queued acts, and the record tells.

An act has its id before it is sent and its Provenance at the record after. Where the very first try of an
act finds that Provenance, somebody else has sent it: a PC that is a copy of this one. Nothing is doubled by
it; but it is said, because everything typed on one of them is missing on the other until it is sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from clinician.cache.writing import Writing

_KEY: Final = "sync.twin"


def note_twin(writing: Writing, now: datetime) -> None:
    """Somebody else has sent what only this PC should have had."""
    writing.keep.set(_KEY, now.isoformat())


def has_twin(writing: Writing) -> bool:
    """Whether another PC with the same cache was seen."""
    return writing.keep.get(_KEY) is not None
