"""The only clock. Everything that needs the time is handed a Clock; tests hand a frozen one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

OSLO: Final = ZoneInfo("Europe/Oslo")


class Clock(Protocol):
    """now() is aware (UTC); today() is the Norwegian calendar day; monotonic() only measures."""

    def now(self) -> datetime: ...
    def today(self) -> date: ...
    def monotonic(self) -> float: ...


class SystemClock:
    """The clock of this PC. Never enters a question to the record (SYNC §1.4)."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(OSLO).date()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(slots=True)
class ShiftedClock:
    """A running clock moved by a fixed distance: a practice day that goes on from its own date."""

    shift: timedelta
    inner: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        return self.inner.now() + self.shift

    def today(self) -> date:
        return self.now().astimezone(OSLO).date()

    def monotonic(self) -> float:
        return self.inner.monotonic()


@dataclass(slots=True)
class FrozenClock:
    """A clock that stands still until told to move; for tests and reproducible practice."""

    at: datetime
    ticks: float = 0.0

    def now(self) -> datetime:
        return self.at.astimezone(UTC)

    def today(self) -> date:
        return self.now().astimezone(OSLO).date()

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, by: timedelta) -> None:
        """Move both the wall clock and the monotonic clock."""
        self.at += by
        self.ticks += by.total_seconds()


def oslo(when: datetime) -> datetime:
    """The same instant on the wall clock in Norway. Naive values raise ValueError."""
    if when.tzinfo is None:
        raise ValueError("a naive time has no instant")
    return when.astimezone(OSLO)
