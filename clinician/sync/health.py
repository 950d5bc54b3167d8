"""Whether what the record announces can be trusted (SYNC §1.6)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Set
from typing import Final

from clinician.sync.announced import ALL

TRUSTED: Final = 2
"""So many polls with changes nobody announced, and the announcing is called sick."""


class PushHealth:
    """Counts, for each type, the polls that found changes without a ping. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: set[str] = set()
        self._missed: Counter[str] = Counter()

    def heard(self, type_: str) -> None:
        """A ping of this type came: its announcing works."""
        with self._lock:
            self._heard.add(type_)
            self._missed.pop(type_, None)

    def polled(self, changed: Set[str], covered: Set[str]) -> None:
        """A poll of everything found changes of these types. covered: types that should have been announced.

        ALL in covered: every type should, in one stream.
        """
        with self._lock:
            late = ({ALL} if changed else set()) if ALL in covered else set(changed) & covered
            self._missed.update(late - self._heard)
            self._heard.clear()

    @property
    def is_sick(self) -> bool:
        """Changes come without being announced, and no ping has shown since that it works again."""
        with self._lock:
            return any(times >= TRUSTED for times in self._missed.values())

    def forget(self) -> None:
        """Another record, or one that announces in another way: it begins with a clean sheet."""
        with self._lock:
            self._missed.clear()
            self._heard.clear()
