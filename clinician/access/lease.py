"""How long a PC without contact may be read: the offline lease (SYNC §1.12). Sending goes on regardless.

A clock set back does not lengthen it: the latest time this PC has ever shown counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DEFAULT_HOURS: Final = 72
LEAST_HOURS: Final = 1
MOST_HOURS: Final = 168


@dataclass(frozen=True, slots=True)
class Contact:
    """Instants of this PC's clock. last: the record answered; latest: the furthest the clock has been."""

    last: datetime | None = None
    latest: datetime | None = None

    def noted(self, now: datetime, *, answered: bool) -> Contact:
        """After one more look."""
        latest = now if self.latest is None else max(now, self.latest)
        return Contact(now if answered else self.last, now if answered else latest)

    def ends(self, length: timedelta) -> datetime | None:
        """When reading locks unless the record answers before; None where it has never answered."""
        return None if self.last is None else self.last + length

    def is_over(self, now: datetime, length: timedelta) -> bool:
        """Whether reading is locked. A PC that was never in contact holds nothing to lock."""
        ends = self.ends(length)
        return ends is not None and max(now, self.latest or now) > ends
