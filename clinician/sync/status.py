"""What is true of sync, told without flattery (SYNC §1.14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clinician.cache.acts import REFUSED, WAITING, ActRow, ActState
from clinician.cache.synced import Watermark
from clinician.cache.writing import Writing
from clinician.events import Events, Link, SyncStatus
from clinician.sync.confirm import unconfirmed

PENDING_STATES: Final = WAITING | REFUSED | {ActState.CONFLICT}
STALE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RecordRestored:
    """The record went back in time; sending waits for a superuser. refs: what shows it."""

    refs: frozenset[str]


@dataclass(frozen=True, slots=True)
class SendingOverdue:
    """The oldest act has waited more than 15 minutes although the record answers."""

    oldest: datetime
    waiting: int


@dataclass(slots=True)
class StatusBoard:
    """Holds the status and publishes it when it has changed."""

    events: Events
    current: SyncStatus = field(default_factory=lambda: SyncStatus(Link.OFFLINE))
    answered: bool = False
    offline_since: datetime | None = None
    working: str = ""
    done: int = 0
    total: int = 0
    complete: bool = False
    """The last round reached its end: every key has a mark and the delta came through."""

    def reached(self) -> None:
        """The record answered."""
        self.answered, self.offline_since = True, None

    def lost(self, now: datetime) -> None:
        """The record did not answer."""
        self.answered, self.complete = False, False
        self.offline_since = self.offline_since or now

    def refresh(self, writing: Writing) -> SyncStatus:
        """Count again inside the writer; publish after the commit with `publish`."""
        acts = writing.outbox.rows(states=PENDING_STATES)
        return self._status(acts, writing.marks.watermarks(), bool(unconfirmed(writing)))

    def _status(self, acts: Sequence[ActRow], marks: Sequence[Watermark], awaited: bool) -> SyncStatus:
        waiting = [act for act in acts if act.state in WAITING]
        conflicts = sum(act.state is ActState.CONFLICT for act in acts)
        as_of = oldest_mark(marks)
        return SyncStatus(
            link=self._link(bool(waiting), as_of),
            as_of=as_of,
            offline_since=self.offline_since,
            waiting=len(waiting),
            conflicts=conflicts,
            refused=len(acts) - len(waiting) - conflicts,
            oldest_waiting=min((act.created for act in waiting), default=None),
            all_sent=not acts and not awaited and self.answered,
            working=self.working,
            done=self.done,
            total=self.total,
        )

    def _link(self, is_waiting: bool, as_of: datetime | None) -> Link:
        if not self.answered:
            return Link.OFFLINE
        return Link.WAITING if is_waiting or as_of is None or not self.complete else Link.FRESH

    def publish(self, status: SyncStatus) -> None:
        """Tell when something has changed."""
        if status != self.current:
            self.current = status
            self.events.publish(status)


def oldest_mark(marks: Sequence[Watermark]) -> datetime | None:
    """As of when everything is complete; None while something has never been."""
    known = [mark.mark for mark in marks]
    if not known or any(mark is None for mark in known):
        return None
    return min(mark for mark in known if mark is not None)
