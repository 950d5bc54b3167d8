"""The checker: is a plan allowed? Written apart from the solver, and trusted instead of it.

A plan is the calls of the day after a suggestion. Nothing here knows how it was found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from modules.homecare.rows import Move
from modules.homecare.rules.planning import Call, PlanningProblem, overlaps
from modules.homecare.rules.travel import travel_minutes


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a plan. rule: sum, pinned, staff, competence, wish, shift, absent, window,
    fixed, clash, travel, past."""

    rule: str
    ref: str
    practitioner_ref: str = ""


def after(problem: PlanningProblem, moves: Iterable[Move]) -> tuple[Call, ...]:
    """The calls of the day with the moves carried out; unplaced ones are left as they were."""
    changed = {move.appointment_ref: move for move in moves if move.to_route_key}
    return tuple(_moved(call, changed.get(call.ref)) for call in problem.calls)


def _moved(call: Call, move: Move | None) -> Call:
    if move is None:
        return call
    return replace(
        call, start=move.start, route_ref=move.to_route_key, practitioner_refs=move.to_practitioner_refs
    )


def plan_faults(problem: PlanningProblem, moves: Iterable[Move]) -> tuple[Fault, ...]:
    """Every fault the moves make. Faults of the plan as it was, untouched by them, are not counted."""
    moves = tuple(moves)
    plan = after(problem, moves)
    touched = {move.appointment_ref for move in moves if move.to_route_key}
    found = list(_sum_faults(problem, plan, moves))
    for call in plan:
        if call.ref in touched:
            found += _call_faults(problem, call)
    found += _order_faults(problem, plan, touched)
    return tuple(found)


def _sum_faults(problem: PlanningProblem, plan: tuple[Call, ...], moves: tuple[Move, ...]) -> Iterable[Fault]:
    before = Counter(call.ref for call in problem.calls)
    if before != Counter(call.ref for call in plan):
        yield Fault("sum", "")
    for ref, times in Counter(move.appointment_ref for move in moves).items():
        if times > 1 or ref not in before:
            yield Fault("sum", ref)


def _call_faults(problem: PlanningProblem, call: Call) -> Iterable[Fault]:
    before = next(one for one in problem.calls if one.ref == call.ref)
    if before.is_pinned:
        yield Fault("pinned", call.ref)
    if before.is_fixed and call.start != before.start:
        yield Fault("fixed", call.ref)
    if not call.window[0] <= call.start <= call.window[1]:
        yield Fault("window", call.ref)
    if call.start < problem.now and call.start != before.start:
        yield Fault("past", call.ref)
    if len(set(call.practitioner_refs)) != len(call.practitioner_refs):
        yield Fault("staff", call.ref)
    if len(call.practitioner_refs) < call.staff_count:
        yield Fault("staff", call.ref)
    for ref in call.practitioner_refs:
        yield from _person_faults(problem, call, ref)


def _person_faults(problem: PlanningProblem, call: Call, ref: str) -> Iterable[Fault]:
    person = problem.person(ref)
    if person is None:
        yield Fault("staff", call.ref, ref)
        return
    if not call.needs <= person.holds:
        yield Fault("competence", call.ref, ref)
    if call.is_wish_firm and call.wish and person.gender != call.wish:
        yield Fault("wish", call.ref, ref)
    span = (call.start, call.end)
    if span[0] < person.shift[0] or span[1] > person.shift[1]:
        yield Fault("shift", call.ref, ref)
    if any(overlaps(span, away) for away in person.absences):
        yield Fault("absent", call.ref, ref)


def _order_faults(problem: PlanningProblem, plan: tuple[Call, ...], touched: set[str]) -> Iterable[Fault]:
    own: dict[str, list[Call]] = defaultdict(list)
    for call in plan:
        for ref in set(call.practitioner_refs):
            own[ref].append(call)
    pairs = planned_pairs(problem)
    for ref, calls in own.items():
        for first, second in pairwise(sorted(calls, key=_by_start)):
            if first.ref not in touched and second.ref not in touched:
                continue
            if overlaps((first.start, first.end), (second.start, second.end)):
                yield Fault("clash", second.ref, ref)
            elif first.end + timedelta(minutes=known_travel(problem, first, second, pairs)) > second.start:
                yield Fault("travel", second.ref, ref)


def known_travel(
    problem: PlanningProblem,
    first: Call,
    second: Call,
    pairs: Mapping[tuple[str, str], int] | None = None,
) -> int:
    """Minutes between two visits. Where one person already drove straight from one to the other the
    plan's own figure stands: whoever planned it knew the road."""
    estimate = travel_minutes(first.position, second.position)
    known = planned_pairs(problem) if pairs is None else pairs
    planned = known.get((first.ref, second.ref))
    return estimate if planned is None else max(0, min(estimate, planned))


def planned_pairs(problem: PlanningProblem) -> dict[tuple[str, str], int]:
    """Minutes the plan of today allows between visits one person drives in a row."""
    found: dict[tuple[str, str], int] = {}
    for person in problem.persons:
        ref = person.practitioner_ref
        calls = sorted((c for c in problem.calls if ref in c.practitioner_refs), key=_by_start)
        for first, second in pairwise(calls):
            gap = int((second.start - first.end).total_seconds() // 60)
            planned = second.travel_planned
            found[first.ref, second.ref] = gap if planned is None else min(planned, gap)
    return found


def _by_start(call: Call) -> tuple[datetime, str]:
    return (call.start, call.ref)
