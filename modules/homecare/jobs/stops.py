"""What the solver places: one person's part in one visit, with who may take it and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modules.homecare.rules.planning import Call, Person, PlanningProblem, overlaps, start_spans, why_not

Span = tuple[int, int]
"""Minutes since `zero`, both ends included."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A double-staffed visit has two stops with the same start."""

    call: Call
    spans: Mapping[int, tuple[Span, ...]]
    """Possible starts by index of person; {} when nobody can"""
    planned: int
    is_free: bool
    """Placed anew; otherwise it stays with its person and at most shifts a little"""

    @property
    def able(self) -> tuple[int, ...]:
        return tuple(self.spans)


def zero_of(problem: PlanningProblem) -> datetime:
    """Minute zero: a whole hour before everything in the problem."""
    shifts = [person.shift[0] for person in problem.persons]
    windows = [min(call.window[0], call.start) for call in problem.calls]
    return min([problem.now, *shifts, *windows]).replace(minute=0, second=0, microsecond=0)


def minute(zero: datetime, when: datetime, *, up: bool = False) -> int:
    """Whole minutes since zero, rounded down unless `up`."""
    seconds = (when - zero).total_seconds()
    return int(-(-seconds // 60)) if up else int(seconds // 60)


def leaving(problem: PlanningProblem, practitioner_ref: str) -> tuple[tuple[Call, ...], frozenset[str]]:
    """The visits an absent person must give away, and who is barred from getting any.

    With recorded absences only the visits within them; without, all that remain.
    """
    person = problem.person(practitioner_ref)
    own = [c for c in problem.calls if practitioner_ref in c.practitioner_refs and not c.is_pinned]
    if person is None or not person.absences:
        return tuple(own), frozenset({practitioner_ref})
    held = [c for c in own if any(overlaps((c.start, c.end), away) for away in person.absences)]
    return tuple(held), frozenset()


def substitute_stops(
    problem: PlanningProblem,
    free: Iterable[Call],
    absent_ref: str,
    barred: frozenset[str],
    play: timedelta,
) -> tuple[Stop, ...]:
    """Parts the absent person leaves are free; everything else stays, and may shift by `play`."""
    zero, wanted = zero_of(problem), {call.ref for call in free}
    found: list[Stop] = []
    for call in problem.calls:
        staying = [ref for ref in call.practitioner_refs if call.ref not in wanted or ref != absent_ref]
        is_shared = call.ref in wanted and bool(staying)
        found += _kept(problem, call, staying, zero, timedelta() if is_shared else play)
        if call.ref in wanted:
            able = _able(problem, call, barred | set(staying) | {absent_ref} & barred, zero)
            lacking = max(1, call.staff_count - len(staying))
            found += [Stop(call, able, minute(zero, call.start), is_free=True)] * lacking
    return tuple(found)


def whole_day_stops(problem: PlanningProblem) -> tuple[Stop, ...]:
    """Everything not begun and still possible is free; what nobody else may do stays where it is."""
    zero = zero_of(problem)
    found: list[Stop] = []
    for call in problem.calls:
        able = _able(problem, call, frozenset(), zero)
        is_held = bool(call.practitioner_refs) and len(able) < call.staff_count
        if call.is_pinned or call.window[1] < problem.now or is_held:
            found += _kept(problem, call, call.practitioner_refs, zero, timedelta())
        else:
            found += [Stop(call, able, minute(zero, call.start), is_free=True)] * call.staff_count
    return tuple(found)


def _able(
    problem: PlanningProblem, call: Call, barred: frozenset[str] | set[str], zero: datetime
) -> dict[int, tuple[Span, ...]]:
    found = {}
    for index, person in enumerate(problem.persons):
        if person.practitioner_ref in barred or why_not(person, call, problem.now) is not None:
            continue
        spans = tuple(_minutes(person, call, problem.now, zero))
        if spans:
            found[index] = spans
    return found


def _minutes(person: Person, call: Call, now: datetime, zero: datetime) -> Iterator[Span]:
    for low, high in start_spans(person, call, now):
        span = (minute(zero, low, up=True), minute(zero, high))
        if span[0] <= span[1]:
            yield span


def _kept(
    problem: PlanningProblem, call: Call, refs: Iterable[str], zero: datetime, play: timedelta
) -> Iterator[Stop]:
    begin = minute(zero, call.start)
    for ref in refs:
        index = next((i for i, p in enumerate(problem.persons) if p.practitioner_ref == ref), None)
        if index is None:
            continue
        spans: tuple[Span, ...] = ((begin, begin),)
        is_still = call.is_pinned or call.is_fixed or call.start < problem.now or call.staff_count > 1
        if play and not is_still:
            reach = int(play.total_seconds() // 60)
            wide = _minutes(problem.persons[index], call, problem.now, zero)
            near = tuple((max(a, begin - reach), min(b, begin + reach)) for a, b in wide)
            near = tuple(span for span in near if span[0] <= span[1])
            spans = near if any(a <= begin <= b for a, b in near) else spans
        yield Stop(call, {index: spans}, begin, is_free=False)
