"""What is true of sync, told without flattery (SYNC §1.14)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from clinician.access.lease import DEFAULT_HOURS
from clinician.cache.acts import REFUSED, WAITING, ActRow, ActState
from clinician.cache.attachments import FileState
from clinician.cache.recalled import doubtful
from clinician.cache.synced import Watermark
from clinician.cache.writing import Writing
from clinician.events import Events, Link, Push, SyncStatus
from clinician.sync.confirm import unconfirmed
from clinician.sync.contact import note_contact
from clinician.sync.restored import is_frozen
from clinician.sync.twin import has_twin

PENDING_STATES: Final = WAITING | REFUSED | {ActState.CONFLICT}
OVERDUE: Final = timedelta(minutes=15)


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
    clock_ahead: timedelta = timedelta(0)
    push: Push = Push.NONE
    disk_full: bool = False
    lease: timedelta = timedelta(hours=DEFAULT_HOURS)
    """How long this PC may be read without contact."""
    complete: bool = False
    """The last round reached its end: every key has a mark and the delta came through."""
    _heard: bool = False
    """The record answered since the last look; that it once did is no contact now."""

    def reached(self) -> None:
        """The record answered."""
        self.answered, self.offline_since, self._heard = True, None, True

    def lost(self, now: datetime) -> None:
        """The record did not answer."""
        self.answered, self.complete = False, False
        self.offline_since = self.offline_since or now

    def refresh(self, writing: Writing, now: datetime) -> SyncStatus:
        """Count again inside the writer; publish after the commit with `publish`. now: this PC's clock."""
        acts = writing.outbox.rows(states=PENDING_STATES)
        stuck = {file.op_id for file in writing.attachments.in_state(FileState.REFUSED)}
        status = self._status(acts, stuck, writing.marks.watermarks(), bool(unconfirmed(writing)))
        contact = note_contact(writing, now, answered=self._heard)
        self._heard = False
        restored = is_frozen(writing)
        return replace(
            status,
            all_sent=status.all_sent and not restored,
            restored=restored,
            twin=has_twin(writing),
            arrived=_arrived(writing),
            overdue=self._is_overdue(status, now),
            lease_over=contact.is_over(now, self.lease),
        )

    def counted_before(self) -> SyncStatus:
        """Where nothing can be written, not even the time of this look: the last counts, and never fresh."""
        self.disk_full = True
        return replace(self.current, link=self._link(True, None), all_sent=False, disk_full=True)

    def _is_overdue(self, status: SyncStatus, now: datetime) -> bool:
        oldest = status.oldest_waiting
        return self.answered and oldest is not None and now - oldest > OVERDUE

    def _status(
        self, acts: Sequence[ActRow], stuck: Collection[str], marks: Sequence[Watermark], awaited: bool
    ) -> SyncStatus:
        """stuck: acts whose attachment the record refused; a person decides them as any other refusal."""
        waiting = [act for act in acts if act.state in WAITING and act.op_id not in stuck]
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
            clock_ahead=self.clock_ahead,
            push=self.push,
            disk_full=self.disk_full,
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


def _arrived(writing: Writing) -> int:
    """Acts that were taken back, and that the record has."""
    return sum(when is not None for when in doubtful(writing.keep).values())


def oldest_mark(marks: Sequence[Watermark]) -> datetime | None:
    """As of when everything is complete; None while something has never been."""
    known = [mark.mark for mark in marks]
    if not known or any(mark is None for mark in known):
        return None
    return min(mark for mark in known if mark is not None)
