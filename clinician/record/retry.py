"""When to try again: full-jitter back-off, 1 s × 2, at most 60 s, no last try (SYNC §1.7)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

FIRST: Final = 1.0
LONGEST: Final = 60.0
LONGEST_AWAY: Final = 15.0
"""Where no connection could be made a try costs the record nothing, and a person waits for the cable."""
QUICK: Final = 5
"""The first tries without a connection: 1 to 2 s apart, so that a cable put back is noticed at once."""


def pause(attempts: int, rng: random.Random, asked: float | None = None) -> float:
    """Seconds before try number `attempts` + 1.

    attempts: tries made so far (≥ 1). asked: what Retry-After demands; it is a floor, and a little
    jitter lies on top so that a ward's PCs do not come back in the same second.
    """
    drawn = rng.uniform(0.0, _ceiling(attempts, LONGEST))
    return drawn if asked is None else asked + min(drawn, max(1.0, asked * 0.2))


def pause_away(attempts: int, rng: random.Random) -> float:
    """As `pause`, where no connection could be made: 1 to 2 s at first, then wider, never under a second."""
    return rng.uniform(FIRST, max(2 * FIRST, _ceiling(attempts - QUICK + 1, LONGEST_AWAY)))


def _ceiling(attempts: int, longest: float) -> float:
    return min(longest, FIRST * 2.0 ** min(max(attempts, 1) - 1, 10))


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

    def failed(self, now: float, asked: float | None = None, *, away: bool = False) -> None:
        """The record did not answer, or asked for a pause. away: no connection could be made.

        Tries that were under way together fail as one.
        """
        if asked:
            self.asked_until = max(self.asked_until, now + asked)
        elif not self.may_try(now):
            return
        self.failures += 1
        wait = pause_away(self.failures, self.rng) if away else pause(self.failures, self.rng, asked)
        self.closed_until = max(self.asked_until, now + wait)

    def worked(self) -> None:
        """Any answer resets the pause."""
        self.failures = 0
        self.closed_until = self.asked_until = 0.0

    def remaining(self, now: float) -> float:
        """Seconds until the next try."""
        return max(0.0, self.closed_until - now)
