"""The line between one record and one cache: what every part of sync is handed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from clinician.cache.open import Cache
from clinician.cache.synced import MemberState, PutReport, SyncedRow
from clinician.cache.writing import Writing
from clinician.clock import Clock, oslo
from clinician.record.answer import Answer
from clinician.record.client import RecordClient
from clinician.record.profile import ServerProfile
from clinician.sync.plan import Plan

T = TypeVar("T")
OVERLAP: Final = timedelta(seconds=125)
"""W: the record's transaction timeout (120 s) and measured skew × 2, at least 5 s (SYNC §1.4)."""
SKEW: Final = timedelta(seconds=5)
"""The part of W that is there for clocks of nodes that differ; more where the probe measured more."""
LONGEST_OVERLAP: Final = timedelta(hours=24)
NEGLIGIBLE: Final = timedelta(seconds=10)
"""Date has whole seconds and the answer was on its way: less than this says nothing about a clock"""
PER_COMMIT: Final = 500
_OVERLAP_KEY: Final = "sync.overlap"


@dataclass(slots=True)
class Line:
    """Cache, client and plan, and what is known of the record's clock."""

    cache: Cache
    client: RecordClient
    plan: Plan
    clock: Clock
    profile: ServerProfile = field(default_factory=ServerProfile)
    rng: random.Random = field(default_factory=random.Random)
    stopped: threading.Event = field(default_factory=threading.Event)
    between: Callable[[], None] = lambda: None
    """Called between pages, so that acts do not wait for a long download."""
    server_now: datetime | None = None
    clock_ahead: timedelta = timedelta(0)
    """The record's clock minus this PC's when it last answered; ten seconds or less is the wire's, and 0."""
    is_set_back: bool = False
    """The record's clock was set back: only a comparison of ids is sure of what was missed."""
    received: int = 0
    """Rows the record sent since the start, those that were here already too."""
    older: set[str] = field(default_factory=set)
    """References the record showed in an older version than cached: it was restored."""

    def write(self, work: Callable[[Writing], T], *, durable: bool = False) -> T:
        """One transaction on the writer thread."""
        return self.cache.writer.run(work, durable=durable)

    def heard(self, answer: Answer, stamped: datetime | None = None) -> datetime | None:
        """The record's time of an answer: the earlier of its Date and the bundle's own stamp."""
        known = [when for when in (answer.date, stamped) if when is not None]
        if not known:
            return None
        told = self.server_now = min(known)  # several threads hear; each goes by what it was told itself
        ahead = timedelta(seconds=round((told - self.clock.now()).total_seconds(), -1))
        self.clock_ahead = ahead if abs(ahead) > NEGLIGIBLE else timedelta(0)
        return told

    def today(self) -> date:
        """The Norwegian day by the record's clock; by this PC's only while the record gave no time."""
        return oslo(self.server_now or self.clock.now()).date()

    def overlap(self, writing: Writing) -> timedelta:
        """W as it stands."""
        stored = writing.keep.get(_OVERLAP_KEY)
        least = OVERLAP + max(timedelta(0), timedelta(seconds=2 * self.profile.node_skew) - SKEW)
        return max(least, timedelta(seconds=float(stored))) if stored else least

    def widen_overlap(self, writing: Writing) -> None:
        """Double W: a commit came later than half of it."""
        doubled = min(self.overlap(writing) * 2, LONGEST_OVERLAP)
        writing.keep.set(_OVERLAP_KEY, str(doubled.total_seconds()))

    def put(self, writing: Writing, rows: Iterable[SyncedRow]) -> PutReport:
        """Store rows of the record; remembers those that went backwards.

        However they came, nothing of a patient the record forbids stays.
        """
        given = list(rows)
        self.received += len(given)
        report = writing.put_synced(given)
        for member in writing.marks.members(MemberState.FORBIDDEN):
            writing.hide_patient(member.patient_ref)
        self.older |= report.older
        return report

    def store(self, rows: Sequence[SyncedRow], finish: Callable[[Writing], None]) -> None:
        """Commit rows in steps of 500; `finish` runs in the transaction of the last of them."""
        self.store_pages([(rows, finish)]).result()

    def store_pages(
        self, pages: Sequence[tuple[Sequence[SyncedRow], Callable[[Writing], None]]]
    ) -> Future[None]:
        """Commit pages together, each with its `finish`, not waiting for it; a large page goes in steps."""
        last: list[tuple[Sequence[SyncedRow], Callable[[Writing], None]]] = []
        for rows, finish in pages:
            start = 0
            while len(rows) - start > PER_COMMIT:
                self._store_part(rows[start : start + PER_COMMIT])
                start += PER_COMMIT
            last.append((rows[start:], finish))

        def work(writing: Writing) -> None:
            for rows, finish in last:
                if rows:
                    self.put(writing, rows)
                finish(writing)

        return self.cache.writer.submit(work)

    def _store_part(self, rows: Sequence[SyncedRow]) -> None:
        self.write(lambda writing: self.put(writing, rows))


class Stopped(Exception):
    """The engine was told to stop between two pages."""
