"""When what is due: polls, manifests and probes, on the monotonic clock (SYNC §1.5, §1.6)."""

from __future__ import annotations

import random
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final

from clinician.clock import Clock
from clinician.record.retry import jittered
from clinician.sync.announced import ALL

POLL: Final = 30.0
IDLE_POLL: Final = 60.0
"""Where nobody looks, or where every change is announced."""
SICK_POLL: Final = 10.0
QUICK_MANIFEST: Final = 15 * 60.0
NIGHTLY: Final = 24 * 3600.0
LONG_OFFLINE: Final = 10 * 60.0
QUICK_TYPES: Final = frozenset({"EpisodeOfCare", "Task", "Appointment", "MedicationRequest"})


@dataclass(slots=True)
class Cadence:
    """Remembers when things were last done. None: not since the program started."""

    clock: Clock
    rng: random.Random = field(default_factory=random.Random)
    quick: float | None = None
    full: float | None = None
    probed_at: float | None = None
    lost_at: float | None = None
    polled_at: float | None = None
    hurried_at: float | None = None
    is_visible: bool = True
    """Somebody can see the lists."""
    _spread: float = 1.0

    def interval(self, *, covered: Set[str], is_sick: bool) -> float:
        """Seconds between two polls of a record that answers. covered: types whose changes it announces.

        Websockets announce some types only; the others are found by polling all the same.
        """
        if is_sick:
            return SICK_POLL
        return IDLE_POLL if ALL in covered or not self.is_visible else POLL

    def until_poll(self, *, covered: Set[str], is_sick: bool) -> float:
        """Seconds until the next poll, spread by a fifth to either side; 0 when it is due."""
        if self.polled_at is None:
            return 0.0
        due = self.polled_at + self.interval(covered=covered, is_sick=is_sick) * self._spread
        return max(0.0, due - self.clock.monotonic())

    def polled(self) -> None:
        """A whole round was made, whatever came of it."""
        self.polled_at = self.clock.monotonic()
        self._spread = jittered(1.0, self.rng)

    def may_hurry(self) -> bool:
        """Whether a ping may end the pause of a record that does not answer: not again and again."""
        now = self.clock.monotonic()
        if self.hurried_at is not None and now - self.hurried_at < SICK_POLL:
            return False
        self.hurried_at = now
        return True

    def lost(self) -> None:
        """The record did not answer."""
        self.lost_at = self.clock.monotonic() if self.lost_at is None else self.lost_at

    def back_online(self) -> None:
        """The record answered."""
        if self.lost_at is not None and self.clock.monotonic() - self.lost_at > LONG_OFFLINE:
            self.full = None
        self.lost_at = None

    def manifest_types(self, types: frozenset[str], *, filled: bool) -> frozenset[str]:
        """Types to compare now: all at the start, at night and after long absence; the urgent every 15 min.

        filled: everything was just fetched whole, which is as good as a comparison.
        """
        now = self.clock.monotonic()
        if self.full is None and filled:
            self.compared(types, types)
            return frozenset()
        if self.full is None or now - self.full >= NIGHTLY:
            return types
        if self.quick is None or now - self.quick >= QUICK_MANIFEST:
            return types & QUICK_TYPES
        return frozenset()

    def compared(self, types: frozenset[str], every: frozenset[str]) -> None:
        """These types were compared."""
        self.quick = self.clock.monotonic()
        if types >= every:
            self.full = self.quick

    def doubted(self) -> None:
        """A person doubts: everything is due."""
        self.full, self.probed_at = None, -NIGHTLY

    def probe_due(self) -> bool:
        """Nightly."""
        return self.probed_at is not None and self.clock.monotonic() - self.probed_at >= NIGHTLY

    def probed(self, *, ago: float = 0.0) -> None:
        """The server profile is so many seconds old."""
        self.probed_at = self.clock.monotonic() - ago
