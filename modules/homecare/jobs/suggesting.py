"""From where the solver put things to a suggestion a coordinator can read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from clinician import texts
from modules.homecare.jobs.check import after, known_travel, plan_faults, planned_pairs
from modules.homecare.jobs.model import Placed
from modules.homecare.queries.planning import calls_of, rank, reason_text
from modules.homecare.queries.routes import competence_text
from modules.homecare.rows import Move, Suggestion
from modules.homecare.rules.planning import (
    Call,
    Person,
    PlanningProblem,
    Why,
    free_start,
    main_reason,
    why_not,
)
from modules.homecare.words import clock_text, minutes_text

_ = texts.translator("homecare")


def moves_of(problem: PlanningProblem, placed: Sequence[Placed]) -> tuple[list[Move], list[Call]]:
    """(what changes, what nobody takes). Order and travel are filled in by `finished`."""
    parts: dict[str, list[Placed]] = defaultdict(list)
    for one in placed:
        parts[one.stop.call.ref].append(one)
    moves: list[Move] = []
    unplaced: list[Call] = []
    for held in parts.values():
        call = held[0].stop.call
        if any(one.person is None for one in held):
            unplaced.append(call)
            continue
        people = [problem.persons[one.person] for one in held if one.person is not None]
        refs = tuple(person.practitioner_ref for person in people)
        if set(refs) != set(call.practitioner_refs) or held[0].start != call.start:
            moves.append(move_of(problem, call, people, held[0].start))
    return moves, unplaced


def move_of(problem: PlanningProblem, call: Call, people: Sequence[Person], start: datetime) -> Move:
    """One change. The visit stays on its route while the route's person is still on it."""
    stays = next((person for person in people if person.route_ref == call.route_ref), people[0])
    people = sorted(people, key=lambda person: person is not stays)
    return Move(
        appointment_ref=call.ref,
        patient_name=call.patient_name,
        title=call.title,
        from_name=names(problem, call.practitioner_refs),
        to_route_key=stays.route_ref,
        to_name=", ".join(person.name for person in people),
        to_practitioner_refs=tuple(person.practitioner_ref for person in people),
        start=start,
        end=start + timedelta(minutes=call.minutes),
        order=0,
        travel_minutes=0,
        reason=grounds(call, people, start),
    )


def names(problem: PlanningProblem, refs: Iterable[str]) -> str:
    """The persons of the day by name."""
    found = (problem.person(ref) for ref in refs)
    return ", ".join(person.name for person in found if person is not None)


def grounds(call: Call, people: Sequence[Person], start: datetime) -> str:
    """Why these: what decided it, in words."""
    new = [person for person in people if person.practitioner_ref not in call.practitioner_refs]
    words = []
    if any(person.practitioner_ref in call.known_by for person in new):
        words.append(_("knows the user"))
    if call.needs and new:
        words.append(_("can: {needs}", needs=competence_text(call.needs)))
    if call.wish and new and all(person.gender == call.wish for person in new):
        words.append(_("as the user wishes"))
    if len(people) > 1:
        words.append(_("two at once"))
    if call.is_fixed:
        words.append(_("fixed time kept"))
    if start != call.start:
        words.append(_("{was} → {becomes}", was=clock_text(call.start), becomes=clock_text(start)))
    return " · ".join(words) or _("free then, short travel")


def left_over(problem: PlanningProblem, call: Call, absent_ref: str = "") -> Move:
    """A visit nobody takes: it stays where it is, red on top, with the reason."""
    able = [
        person
        for person in problem.persons
        if person.practitioner_ref != absent_ref and person.practitioner_ref not in call.practitioner_refs
    ]
    return Move(
        appointment_ref=call.ref,
        patient_name=call.patient_name,
        title=call.title,
        from_name=names(problem, call.practitioner_refs),
        to_route_key="",
        to_name="",
        to_practitioner_refs=(),
        start=call.start,
        end=call.end,
        order=0,
        travel_minutes=0,
        reason=reason_text(main_reason(call, able, problem.now) if able else Why.SHIFT, call),
    )


def checked(
    problem: PlanningProblem, moves: list[Move], unplaced: list[Call]
) -> tuple[list[Move], list[Call]]:
    """Moves the checker refuses are taken out until it refuses none."""
    calls = {call.ref: call for call in problem.calls}
    while faults := plan_faults(problem, moves):
        wrong = {fault.ref for fault in faults}
        refused = [move for move in moves if move.appointment_ref in wrong] or moves
        moves = [move for move in moves if move not in refused]
        unplaced = [*unplaced, *(calls[m.appointment_ref] for m in refused if m.appointment_ref in calls)]
    return moves, unplaced


def finished(
    problem: PlanningProblem,
    moves: list[Move],
    unplaced: list[Call],
    *,
    seconds: float,
    title: str,
    absent_ref: str = "",
) -> Suggestion:
    """Checked, with order, travel and sums."""
    moves, unplaced = checked(problem, moves, unplaced)
    plan = after(problem, moves)
    pairs = planned_pairs(problem)
    filled = [_with_place(problem, plan, move, pairs) for move in moves]
    return Suggestion(
        moves=tuple(sorted(filled, key=lambda move: (move.start, move.appointment_ref))),
        unplaced=tuple(left_over(problem, call, absent_ref) for call in unplaced),
        travel_before=total_travel(problem, problem.calls),
        travel_after=total_travel(problem, plan),
        seconds=seconds,
        title=title,
    )


def _of(plan: Iterable[Call], ref: str) -> list[Call]:
    return sorted((call for call in plan if ref in call.practitioner_refs), key=lambda c: (c.start, c.ref))


def _with_place(
    problem: PlanningProblem, plan: Sequence[Call], move: Move, pairs: dict[tuple[str, str], int]
) -> Move:
    own = _of(plan, move.to_practitioner_refs[0])
    place = next(i for i, call in enumerate(own) if call.ref == move.appointment_ref)
    travel = known_travel(problem, own[place - 1], own[place], pairs) if place else 0
    reason = " · ".join((move.reason, _("{minutes} travel", minutes=minutes_text(travel))))
    return replace(move, order=place + 1, travel_minutes=travel, reason=reason if travel else move.reason)


def total_travel(problem: PlanningProblem, plan: Sequence[Call]) -> int:
    """Minutes on the road between visits, all persons together."""
    pairs = planned_pairs(problem)
    return sum(
        known_travel(problem, first, second, pairs)
        for person in problem.persons
        for first, second in pairwise(_of(plan, person.practitioner_ref))
    )


def greedy(
    problem: PlanningProblem, calls: Iterable[Call], leaving_ref: str, barred: frozenset[str]
) -> tuple[list[Move], list[Call]]:
    """One visit after another to the best who has room: when the solver found nothing in time."""
    plan = {call.ref: call for call in problem.calls}
    moves: list[Move] = []
    unplaced: list[Call] = []
    for call in sorted(calls, key=lambda one: (one.window[1] - one.window[0], one.start)):
        staying = [ref for ref in call.practitioner_refs if ref != leaving_ref]
        current = PlanningProblem(problem.now, problem.persons, tuple(plan.values()), problem.depot)
        if call.staff_count - len(staying) > 1:
            unplaced.append(call)
            continue
        found = _best(current, call, barred | set(staying))
        if found is None or (staying and found[1] != call.start):
            unplaced.append(call)
            continue
        person, start = found
        people = [p for ref in staying if (p := problem.person(ref)) is not None] + [person]
        move = move_of(problem, call, people, start)
        moves.append(move)
        plan[call.ref] = after(current, [move])[list(plan).index(call.ref)]
    return moves, unplaced


def _best(
    problem: PlanningProblem, call: Call, barred: frozenset[str] | set[str]
) -> tuple[Person, datetime] | None:
    found = [
        (rank(person, call, *slot), person.practitioner_ref, person, slot[0])
        for person in problem.persons
        if person.practitioner_ref not in barred
        and why_not(person, call, problem.now) is None
        and (slot := free_start(person, call, calls_of(problem, person), problem.now)) is not None
    ]
    if not found:
        return None
    _rank, _ref, person, start = min(found, key=lambda one: one[:2])
    return person, start
