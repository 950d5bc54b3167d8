"""When what is due: polls, manifests and probes, on the monotonic clock (SYNC §1.5, §1.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from clinician.clock import Clock

POLL: Final = 30.0
HINTED_POLL: Final = 60.0
SICK_POLL: Final = 10.0
QUICK_MANIFEST: Final = 15 * 60.0
NIGHTLY: Final = 24 * 3600.0
LONG_OFFLINE: Final = 10 * 60.0
QUICK_TYPES: Final = frozenset({"EpisodeOfCare", "Task", "Appointment", "MedicationRequest"})


@dataclass(slots=True)
class Cadence:
    """Remembers when things were last done. None: not since the program started."""

    clock: Clock
    quick: float | None = None
    full: float | None = None
    probed_at: float | None = None
    lost_at: float | None = None
    unannounced: int = 0
    _hint_since_asked: bool = field(default=False)

    def interval(self, *, hinted: bool) -> float:
        """Seconds to the next poll of a record that answers."""
        if not hinted:
            return POLL
        return SICK_POLL if self.unannounced >= 2 else HINTED_POLL

    def heard_hint(self) -> None:
        """The record's hint works."""
        self._hint_since_asked = True
        self.unannounced = 0

    def asked(self, changed: bool) -> None:
        """A delta was made. One with changes that no hint announced speaks against the hint."""
        if changed and not self._hint_since_asked:
            self.unannounced += 1
        self._hint_since_asked = False
        self._back_online()

    def lost(self) -> None:
        """The record did not answer."""
        self.lost_at = self.clock.monotonic() if self.lost_at is None else self.lost_at

    def _back_online(self) -> None:
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

    def probe_due(self) -> bool:
        """Nightly."""
        return self.probed_at is not None and self.clock.monotonic() - self.probed_at >= NIGHTLY

    def probed(self) -> None:
        """The server profile is fresh."""
        self.probed_at = self.clock.monotonic()
