"""When to try again: full-jitter back-off, 1 s × 2, at most 60 s, no last try (SYNC §1.7)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

FIRST: Final = 1.0
LONGEST: Final = 60.0
LONGEST_AWAY: Final = 15.0
"""Where no connection could be made a try costs the record nothing, and a person waits for the cable."""


def pause(attempts: int, rng: random.Random, asked: float | None = None, longest: float = LONGEST) -> float:
    """Seconds before try number `attempts` + 1.

    attempts: tries made so far (≥ 1). longest: the cap. asked: what Retry-After demands; it is a
    floor, and a little jitter lies on top so that a ward's PCs do not come back in the same second.
    """
    ceiling = min(longest, FIRST * 2.0 ** min(max(attempts, 1) - 1, 10))
    drawn = rng.uniform(0.0, ceiling)
    return drawn if asked is None else asked + min(drawn, max(1.0, asked * 0.2))


def jittered(seconds: float, rng: random.Random, share: float = 0.2) -> float:
    """A polling interval spread by ± share."""
    return seconds * rng.uniform(1.0 - share, 1.0 + share)


@dataclass(slots=True)
class Breaker:
    """Stops asking a record that does not answer; lets one try through when the pause is over."""

    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0
    closed_until: float = 0.0
    asked_until: float = 0.0
    """Until when the record itself asked to be left alone; only a person may hurry that."""

    def may_try(self, now: float) -> bool:
        """now: monotonic seconds."""
        return now >= self.closed_until

    def failed(self, now: float, asked: float | None = None, longest: float = LONGEST) -> None:
        """The record did not answer, or asked for a pause."""
        self.failures += 1
        self.asked_until = now + asked if asked else 0.0
        self.closed_until = now + pause(self.failures, self.rng, asked, longest)

    def worked(self) -> None:
        """Any answer resets the pause."""
        self.failures = 0
        self.closed_until = self.asked_until = 0.0

    def remaining(self, now: float) -> float:
        """Seconds until the next try."""
        return max(0.0, self.closed_until - now)
