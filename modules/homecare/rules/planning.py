"""A day's planning problem: persons, visits, travel; and the rules no plan may break.

Competence, absence, shift, time window, fixed time, double staffing and firm wishes *filter*: who
fails one is no candidate (NEEDS R-28). Continuity, soft wishes and travel only rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from modules.homecare.rules.travel import Position, travel_minutes

SLACK: Final = timedelta(minutes=30)
"""A visit without a window may start this much before or after its planned start."""

Span = tuple[datetime, datetime]


class Why(StrEnum):
    """Why a person cannot take a visit."""

    COMPETENCE = "competence"
    WISH = "wish"
    ABSENT = "absent"
    SHIFT = "shift"
    ALREADY = "already"
    """Is the other person of a double-staffed visit"""
    TIME = "time"
    """No free time for it between the other visits"""
    PASSED = "passed"
    """The window is over"""


@dataclass(frozen=True, slots=True)
class Person:
    """One route of the day and who drives it."""

    route_ref: str
    practitioner_ref: str
    name: str
    gender: str
    """male, female or ''"""
    holds: frozenset[str]
    """Codes of CODE_COMPETENCE and PROFESSION"""
    shift: Span
    absences: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One planned visit as the planner sees it."""

    ref: str
    patient_ref: str
    patient_name: str
    title: str
    start: datetime
    minutes: int
    window: Span
    """Earliest and latest start"""
    is_fixed: bool
    staff_count: int
    needs: frozenset[str]
    wish: str
    is_wish_firm: bool
    position: Position | None
    route_ref: str
    practitioner_refs: tuple[str, ...]
    is_pinned: bool
    """Begun or done: stays where it is"""
    known_by: frozenset[str] = frozenset()
    """Those who have been there lately"""
    travel_planned: int | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    def at(self, start: datetime) -> Call:
        """The same visit at another time."""
        return replace(self, start=start)


@dataclass(frozen=True, slots=True)
class PlanningProblem:
    """Filled by queries.planning_problem; opaque to views."""

    now: datetime
    persons: tuple[Person, ...]
    calls: tuple[Call, ...]
    depot: Position | None = None

    def person(self, practitioner_ref: str) -> Person | None:
        """The route of a person, None when they have none this day."""
        return next((p for p in self.persons if p.practitioner_ref == practitioner_ref), None)


def window_of(start: datetime, earliest: datetime | None, latest: datetime | None, *, is_fixed: bool) -> Span:
    """Earliest and latest start; a fixed time has no play."""
    if is_fixed:
        return (start, start)
    low = earliest if earliest is not None else start - SLACK
    high = latest if latest is not None else start + SLACK
    return (min(low, start), max(high, start))


def overlaps(a: Span, b: Span) -> bool:
    """Whether two spans share time; touching ends do not."""
    return a[0] < b[1] and b[0] < a[1]


def start_spans(person: Person, call: Call, now: datetime) -> tuple[Span, ...]:
    """When this person may begin the visit: window, shift and absence taken together; ends included."""
    length = timedelta(minutes=call.minutes)
    low = max(call.window[0], person.shift[0], now)
    high = min(call.window[1], person.shift[1] - length)
    spans = [(low, high)] if low <= high else []
    for away in person.absences:
        spans = [part for span in spans for part in _without(span, away, length)]
    return tuple(spans)


def _without(span: Span, away: Span, length: timedelta) -> list[Span]:
    before, after = (span[0], min(span[1], away[0] - length)), (max(span[0], away[1]), span[1])
    return [part for part in (before, after) if part[0] <= part[1]]


def why_not(person: Person, call: Call, now: datetime) -> Why | None:
    """The first rule that bars a person from a visit, other visits left aside; None when none does."""
    if not call.needs <= person.holds:
        return Why.COMPETENCE
    if call.wish and call.is_wish_firm and person.gender != call.wish:
        return Why.WISH
    if call.window[1] < now:
        return Why.PASSED
    if start_spans(person, call, now):
        return None
    at_work = replace(person, absences=())
    return Why.ABSENT if start_spans(at_work, call, now) else Why.SHIFT


def free_start(
    person: Person, call: Call, others: Iterable[Call], now: datetime
) -> tuple[datetime, int] | None:
    """The possible start nearest the planned one, and the travel to it; None when there is no room.

    Travel is kept free to the visit before and after. `others`: the person's visits of the day.
    """
    own = sorted((other for other in others if other.ref != call.ref), key=lambda other: other.start)
    found: list[tuple[timedelta, datetime, int]] = []
    length = timedelta(minutes=call.minutes)
    for before, after in zip([None, *own], [*own, None], strict=True):
        to = travel_minutes(before.position, call.position) if before else 0
        low = before.end + timedelta(minutes=to) if before else person.shift[0]
        on = travel_minutes(call.position, after.position) if after else 0
        high = after.start - timedelta(minutes=on) - length if after else person.shift[1] - length
        for first, last in start_spans(person, call, now):
            begin, end = max(low, first), min(high, last)
            if begin <= end:
                at = min(max(call.start, begin), end)
                found.append((abs(at - call.start), at, to))
    if not found:
        return None
    _shift, at, to = min(found)
    return at, to


def reasons(call: Call, persons: Iterable[Person], now: datetime) -> Mapping[str, Why | None]:
    """Why not, person by person."""
    return {person.practitioner_ref: why_not(person, call, now) for person in persons}


def main_reason(call: Call, persons: Iterable[Person], now: datetime) -> Why:
    """The one reason to show when nobody can take a visit: the one nearest to a solution."""
    given = set(reasons(call, persons, now).values())
    if given == {Why.COMPETENCE}:
        return Why.COMPETENCE
    order: tuple[Why | None, ...] = (None, Why.PASSED, Why.ABSENT, Why.SHIFT, Why.WISH)
    first = next((why for why in order if why in given), Why.COMPETENCE)
    return Why.TIME if first is None else first
