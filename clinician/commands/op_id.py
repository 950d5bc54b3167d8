"""Ids of acts: UUIDs of version 7, so that they sort in the order the acts were done."""

from __future__ import annotations

import secrets
import threading
import uuid

from clinician.clock import Clock

_COUNTER_BITS = 12


class OpIds:
    """Gives out op_ids, each greater than the one before even within a millisecond or a clock set back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        """A fresh op_id."""
        millisecond = int(self._clock.now().timestamp() * 1000) << _COUNTER_BITS
        with self._lock:
            self._last = tick = max(millisecond, self._last + 1)
        high, counter = tick >> _COUNTER_BITS, tick & ((1 << _COUNTER_BITS) - 1)
        value = (high << 80) | (7 << 76) | (counter << 64) | (2 << 62) | secrets.randbits(62)
        return str(uuid.UUID(int=value))
