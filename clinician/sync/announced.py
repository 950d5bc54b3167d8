"""What the record announced and nobody has asked for yet (SYNC §1.6).

News come in flocks, and of the whole municipality: one question hears a flock, and after questions that
found nothing the next waits longer, so that a record that pings for ever is asked every second or two.
"""

from __future__ import annotations

import random
import threading
from typing import Final

DEBOUNCE: Final = 0.1
"""Seconds, and as much again by chance: the PCs of a ward must not all ask in the same instant."""
AGAIN: Final = 2.0
"""Seconds after which it is asked once more: a ping may come before what it tells of can be found."""
WIDEST: Final = 1.5
ALL: Final = ""
"""News of no type in particular: of a stream that tells of every change after its commit."""


class Announced:
    """Types with news, and when to ask for them. now: monotonic seconds. Safe from any thread."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}
        self._again: dict[str, float] = {}
        self._fruitless = 0
        self._not_before = 0.0

    def heard(self, type_: str, now: float) -> None:
        """News of a type; further news of it before it is asked for are the same news."""
        with self._lock:
            if type_ not in self._due:
                wait = DEBOUNCE * self._rng.uniform(1.0, 2.0)
                self._due[type_] = max(now + wait, self._not_before)

    def next_due(self) -> float | None:
        """When the next question is due; None while there is no news."""
        with self._lock:
            times = [*self._due.values(), *self._again.values()]
        return min(times) if times else None

    def take(self, now: float) -> frozenset[str]:
        """The types to ask for now; those with fresh news are asked for once more later."""
        with self._lock:
            fresh = [type_ for type_, when in self._due.items() if when <= now]
            again = [type_ for type_, when in self._again.items() if when <= now]
            for type_ in again:
                del self._again[type_]
            for type_ in fresh:
                del self._due[type_]
            self._again |= dict.fromkeys((type_ for type_ in fresh if type_ != ALL), now + AGAIN)
        return frozenset((*fresh, *again))

    def take_all(self, now: float) -> None:
        """Everything is being asked for anyway; what had fresh news is still asked for once more."""
        with self._lock:
            self._again |= dict.fromkeys((type_ for type_ in self._due if type_ != ALL), now + AGAIN)
            self._due.clear()

    def asked(self, now: float, *, fruitful: bool) -> None:
        """A question came back. fruitful: something had changed."""
        with self._lock:
            self._fruitless = 0 if fruitful else min(self._fruitless + 1, 10)
            spacing = DEBOUNCE * 2.0**self._fruitless if self._fruitless else 0.0
            self._not_before = now + min(WIDEST, spacing)
