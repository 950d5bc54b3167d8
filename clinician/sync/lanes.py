"""Which acts are on their way: nobody waits for somebody else's bad act (SYNC §1.7, I12).

Four fresh acts travel side by side; one that failed before takes a lane of its own. An act that takes
much longer than usual gives its lane away and comes home later, so four that hang do not stop the fifth.
While the lanes are full the next two are made ready, so that a lane is not empty while one is written down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from clinician.cache.acts import ActRow

T = TypeVar("T")
WIDTH: Final = 4
AHEAD: Final = 2
"""Acts made ready while the lanes are full; none where the record is in doubt."""
MOST: Final = 12
"""Fresh acts under way at most, those that gave their lane away counted in."""
MOST_DOUBTFUL: Final = 4
PATIENCE: Final = 0.4
"""Seconds an act may keep its lane where exchanges are quick."""
SLOWNESS: Final = 4.0
"""So many times the usual exchange may one take before it gives its lane away: a slow line is no bad act."""


@dataclass(slots=True)
class _Trip(Generic[T]):
    act: ActRow
    is_doubtful: bool
    width: int
    started: float | None = None
    """When it took its lane; None while it is made ready."""
    is_slow: bool = False
    is_past: bool = False
    """The record has answered; only the writing down is left, and needs no lane."""
    is_told: bool = False
    result: T | None = None
    is_home: bool = False


@dataclass(slots=True)
class Lanes(Generic[T]):
    """One drain fills them from its thread; the trips end in threads of the pool. Real wires, real seconds.

    late: called, in the pool's thread, when an act comes home that had given its lane away.
    """

    late: Callable[[], None] = lambda: None
    patience: float = PATIENCE
    _trips: dict[str, _Trip[T]] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _usual: float = 0.0

    def start(
        self,
        pool: Executor,
        act: ActRow,
        work: Callable[[ActRow], T],
        *,
        is_doubtful: bool,
        width: int = WIDTH,
    ) -> bool:
        """Send an act on its way if there is room; nobody of its patient may be under way.

        work: calls `board` before it speaks to the record.
        """
        lanes = 1 if is_doubtful else width
        with self._news:
            if not self._has_room(is_doubtful, lanes):
                return False
            trip = self._trips[act.op_id] = _Trip[T](act, is_doubtful, lanes)
        pool.submit(self._travel, trip, work)
        return True

    def _has_room(self, is_doubtful: bool, lanes: int) -> bool:
        alike = [trip for trip in self._trips.values() if trip.is_doubtful is is_doubtful]
        ahead = AHEAD if lanes > 1 else 0
        most = MOST_DOUBTFUL if is_doubtful else MOST
        return sum(_is_going(trip) for trip in alike) < lanes + ahead and len(alike) < most

    def board(self, act: ActRow) -> None:
        """Take a lane, and wait for it where they are full."""
        with self._news:
            trip = self._trips.get(act.op_id)
            if trip is None or trip.started is not None:
                return
            self._news.wait_for(lambda: self._has_lane(trip))
            trip.started = time.monotonic()
            self._news.notify_all()

    def _has_lane(self, trip: _Trip[T]) -> bool:
        taken = (
            one.is_doubtful is trip.is_doubtful and one.started is not None and _is_going(one)
            for one in self._trips.values()
        )
        return sum(taken) < trip.width

    def _travel(self, trip: _Trip[T], work: Callable[[ActRow], T]) -> None:
        try:
            trip.result = work(trip.act)
        finally:
            with self._news:
                trip.is_home = True
                self._news.notify_all()
            if trip.is_slow:
                self.late()

    def answered(self, act: ActRow) -> None:
        """The record has answered this one: its lane is free while the answer is written down."""
        with self._news:
            trip = self._trips.get(act.op_id)
            if trip is not None and not trip.is_past:
                trip.is_past = True
                if not trip.is_slow and trip.started is not None:
                    self._usual += (time.monotonic() - trip.started - self._usual) * 0.2
                self._news.notify_all()

    def arrived(self) -> list[T]:
        """Results of those that came home since it was last asked."""
        with self._news:
            home = [trip for trip in self._trips.values() if trip.is_home]
            for trip in home:
                del self._trips[trip.act.op_id]
        return [trip.result for trip in home if trip.result is not None]

    def wait(self) -> bool:
        """Until a lane is free or somebody is home; False at once when everybody under way is slow."""
        with self._news:
            under_way = [trip for trip in self._trips.values() if not trip.is_slow]
            if not under_way:
                return self._has_news()
            patience = max(self.patience, SLOWNESS * self._usual)
            now = time.monotonic()
            first = min(now if trip.started is None else trip.started for trip in under_way) + patience
            self._news.wait_for(self._has_news, max(0.0, first - now))
            now = time.monotonic()
            for trip in under_way:
                trip.is_told = trip.is_past
                trip.is_slow = (
                    not trip.is_home and trip.started is not None and now >= trip.started + patience
                )
            self._news.notify_all()
            return True

    def _has_news(self) -> bool:
        return any(trip.is_home or (trip.is_past and not trip.is_told) for trip in self._trips.values())

    def under_way(self) -> tuple[ActRow, ...]:
        """The acts somebody is sending now."""
        with self._news:
            return tuple(trip.act for trip in self._trips.values())


def _is_going(trip: _Trip[T]) -> bool:
    """Whether it needs a lane, or will."""
    return not trip.is_slow and not trip.is_past and not trip.is_home
