"""When the record last answered this PC, kept over restarts: the offline lease counts from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clinician.access.lease import Contact
from clinician.cache.writing import Writing

_KEY: Final = "sync.contact"
_EVERY: Final = timedelta(minutes=1)
"""Written no oftener: a lease of days does not need seconds"""


def contact(writing: Writing) -> Contact:
    """As last noted."""
    last, _, latest = (writing.keep.get(_KEY) or "|").partition("|")
    return Contact(_moment(last), _moment(latest))


def note_contact(writing: Writing, now: datetime, *, answered: bool) -> Contact:
    """Look once more, and keep it when it says something new. now: this PC's clock."""
    before = contact(writing)
    after = before.noted(now, answered=answered)
    if _moved(before.last, after.last) or _moved(before.latest, after.latest):
        writing.keep.set(_KEY, f"{_text(after.last)}|{_text(after.latest)}")
    return after


def _moved(before: datetime | None, after: datetime | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= _EVERY


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
