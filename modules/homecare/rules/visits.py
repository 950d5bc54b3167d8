"""A planned visit read from its Appointment, and its place in the day (docs/record-model.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clinician.fhir import codes, read
from clinician.fhir.reference import type_of
from clinician.fhir.times import earliest_or_none
from clinician.queries.query import Cached, Raw, RowState
from modules.homecare.rows import DaySums, Section, VisitState

GRACE: Final = timedelta(minutes=15)
"""A visit without a window is late when it has not begun this long after its planned start."""
NOW_BEFORE: Final = timedelta(minutes=10)
"""A visit is 'now' from this long before its planned start."""
USUAL_MINUTES: Final = 15
"""Assumed only where a record gives a visit a start but neither end nor minutes."""

_OPEN_STATUSES: Final = frozenset({"proposed", "pending", "booked", "waitlist"})
_UNDER_WAY: Final = frozenset({"arrived", "checked-in"})
OPEN_STATES: Final = frozenset({VisitState.UNASSIGNED, VisitState.OPEN, VisitState.IN_PROGRESS})
NOT_DONE_STATES: Final = frozenset({VisitState.NOT_HOME, VisitState.NOT_DONE})
OPEN_APPOINTMENT: Final = tuple(sorted(_OPEN_STATUSES | _UNDER_WAY))
"""Appointment.status of a visit that is not closed."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the rules and rows need of an Appointment. Instants are aware; end is after start."""

    ref: str
    row_state: RowState
    state: VisitState
    patient_ref: str
    practitioner_refs: tuple[str, ...]
    route_ref: str
    order: int
    start: datetime | None
    end: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    is_fixed: bool
    staff_count: int
    needs: frozenset[str]
    """Codes of CODE_COMPETENCE and PROFESSION, all demanded"""
    wish: str
    """male, female or ''"""
    is_wish_firm: bool
    travel_minutes: int | None
    title: str
    comment: str
    service_ref: str
    replaces_ref: str
    move_reason: str
    changed: datetime | None

    @property
    def minutes(self) -> int:
        """Planned minutes; 0 when nothing was planned."""
        if self.start is None or self.end is None:
            return 0
        return int((self.end - self.start).total_seconds() // 60)

    @property
    def latest_start(self) -> datetime | None:
        """After this the visit is late."""
        if self.window_end is not None:
            return self.window_end
        return None if self.start is None else self.start + (timedelta() if self.is_fixed else GRACE)


def state_of(raw: Raw) -> VisitState:
    """The state shown for an Appointment. Total: an unknown status is open, never lost."""
    status = raw.get("status")
    if status == "fulfilled":
        return VisitState.DONE
    if status in _UNDER_WAY:
        return VisitState.IN_PROGRESS
    if status == "noshow":
        return VisitState.NOT_HOME
    if status == "entered-in-error":
        return VisitState.CANCELLED
    if status == "cancelled":
        return _cancelled(raw)
    return VisitState.OPEN if _practitioners(raw) else VisitState.UNASSIGNED


def _cancelled(raw: Raw) -> VisitState:
    not_done = read.code_in(raw, "cancelationReason", codes.CODE_NOT_DONE)
    if not_done:
        return VisitState.NOT_HOME if not_done == "not-home" else VisitState.NOT_DONE
    moved = read.has_code(raw, "cancelationReason", codes.CODE_CANCEL, "moved")
    return VisitState.MOVED if moved else VisitState.CANCELLED


def _practitioners(raw: Raw) -> tuple[str, ...]:
    people = (one for one in raw.get("participant") or () if isinstance(one, dict))
    actors = (read.ref_at(one, "actor") for one in people if one.get("status") != "declined")
    return tuple(dict.fromkeys(actor for actor in actors if type_of(actor) == "Practitioner"))


def visit_of(cached: Cached) -> Visit:
    """The visit of one Appointment."""
    raw = cached.raw
    start = earliest_or_none(raw.get("start"))
    return Visit(
        ref=cached.ref,
        row_state=cached.state,
        state=state_of(raw),
        patient_ref=read.patient_ref_of(raw),
        practitioner_refs=_practitioners(raw),
        route_ref=_reference(raw, codes.EXT_ROUTE),
        order=_whole(raw, codes.EXT_ROUTE_ORDER) or 0,
        start=start,
        end=_end(raw, start),
        window_start=earliest_or_none(read.extension(raw, codes.EXT_WINDOW_START)),
        window_end=earliest_or_none(read.extension(raw, codes.EXT_WINDOW_END)),
        is_fixed=read.extension(raw, codes.EXT_FIXED_TIME) is True,
        staff_count=max(1, _whole(raw, codes.EXT_STAFF_COUNT) or 1),
        needs=frozenset(c.code for v in read.extensions(raw, codes.EXT_COMPETENCE) for c in read.codings(v)),
        wish=_word(raw, codes.EXT_WISH),
        is_wish_firm=read.extension(raw, codes.EXT_WISH_FIRM) is True,
        travel_minutes=_whole(raw, codes.EXT_TRAVEL),
        title=read.text_at(raw, "description") or read.title_of(raw),
        comment=read.text_at(raw, "comment"),
        service_ref=read.ref_at(raw, "basedOn", "ServiceRequest"),
        replaces_ref=_reference(raw, codes.EXT_REPLACES),
        move_reason=_word(raw, codes.EXT_MOVE_REASON),
        changed=_changed(raw),
    )


def _end(raw: Raw, start: datetime | None) -> datetime | None:
    if start is None:
        return None
    end = earliest_or_none(raw.get("end"))
    if end is not None and end > start:
        return end
    minutes = raw.get("minutesDuration")
    if not isinstance(minutes, int) or minutes < 1:
        minutes = USUAL_MINUTES
    return start + timedelta(minutes=minutes)


def _reference(raw: Raw, url: str) -> str:
    value = read.extension(raw, url)
    return read.ref_at({"held": value}, "held") if isinstance(value, dict) else ""


def _word(raw: Raw, url: str) -> str:
    value = read.extension(raw, url)
    return value if isinstance(value, str) else ""


def _whole(raw: Raw, url: str) -> int | None:
    value = read.extension(raw, url)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _changed(raw: Raw) -> datetime | None:
    """When the record last changed the plan: never for a first version."""
    if read.version_of(raw) in (None, "0", "1"):
        return None
    changed, made = read.last_updated_of(raw), earliest_or_none(raw.get("created"))
    if changed is None or (made is not None and changed <= made + timedelta(minutes=1)):
        return None
    return changed


def late_minutes(visit: Visit, now: datetime) -> int:
    """Minutes since the planned start of a visit that should have begun; 0 while there is time."""
    if visit.state not in OPEN_STATES or visit.state is VisitState.IN_PROGRESS:
        return 0
    if visit.start is None or visit.latest_start is None or now <= visit.latest_start:
        return 0
    return max(0, int((now - visit.start).total_seconds() // 60))


def is_overdue(visit: Visit, now: datetime) -> bool:
    """Open, not begun, and both its planned end and its window have passed."""
    if visit.state not in OPEN_STATES or visit.state is VisitState.IN_PROGRESS:
        return False
    if visit.end is None or visit.latest_start is None:
        return False
    return now > max(visit.end, visit.latest_start)


def section_of(visit: Visit, now: datetime, *, is_first_waiting: bool) -> Section:
    """Where a visit stands. is_first_waiting: the first open one of the day that is not past due."""
    if visit.state not in OPEN_STATES:
        return Section.DONE
    if visit.state is VisitState.IN_PROGRESS:
        return Section.NOW
    if is_overdue(visit, now):
        return Section.OVERDUE
    if visit.start is not None and visit.start - NOW_BEFORE <= now:
        return Section.NOW
    return Section.NEXT if is_first_waiting else Section.LATER


def sums_of(visits: Iterable[Visit], now: datetime) -> DaySums:
    """planned = done + not done + moved + cancelled + open. overdue is a part of open."""
    counted = tuple(visits)
    states = [visit.state for visit in counted]
    return DaySums(
        planned=len(states),
        done=states.count(VisitState.DONE),
        not_done=sum(state in NOT_DONE_STATES for state in states),
        moved=states.count(VisitState.MOVED),
        cancelled=states.count(VisitState.CANCELLED),
        open=sum(state in OPEN_STATES for state in states),
        overdue=sum(is_overdue(visit, now) for visit in counted),
    )


def actual_times(visit: Visit, started: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Start and stop of a visit ticked as done with no times given.

    Begun at the door: from then to now. Otherwise 'as planned': the planned times when they have
    passed, from the planned start to now while it lasts, and as long as planned up to now when it
    was done early. Never in the future, never shorter than a minute.
    """
    if started is not None and started < now:
        return started, max(now, started + timedelta(minutes=1))
    if visit.start is None or visit.end is None or visit.start >= now:
        length = timedelta(minutes=max(1, visit.minutes))
        return now - length, now
    if visit.end + GRACE <= now:
        return visit.start, visit.end
    return visit.start, max(now, visit.start + timedelta(minutes=1))
