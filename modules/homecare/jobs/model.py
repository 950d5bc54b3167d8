"""The model handed to CP-SAT: who visits whom when.

CP-SAT and not OR-Tools' routing library, which holds Python's lock for the whole solve (measured:
2.0 s against 15 ms) and so would freeze the window. One circuit runs through all routes; each stop
has a start within its spans and at most one person. Times are whole minutes.

Costs in minutes: travel 1; a start away from the planned one 1, 3 where the visit need not move at
all; a stranger 12; a soft wish not met 20; another person than planned 6 when a whole day is planned;
each visit beyond two extra for one person 5; a visit nobody takes 10 000.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from modules.homecare.jobs.check import known_travel, planned_pairs
from modules.homecare.jobs.stopping import Progress
from modules.homecare.jobs.stops import Stop, minute, zero_of
from modules.homecare.rules.planning import Call, Person, PlanningProblem
from modules.homecare.rules.travel import travel_minutes

UNPLACED: Final = 10_000
STRANGER: Final = 12
UNWISHED: Final = 20
OTHER_PERSON: Final = 6
SHIFTED: Final = 1
DISTURBED: Final = 3
CROWDED: Final = 5
EXTRA_EASY: Final = 2
WORKERS: Final = 2
SLICE: Final = 1.0
"""Seconds between looks at the stop flag; the first takes twice as long, for a busy PC."""
DAY: Final = 48 * 60


@dataclass(frozen=True, slots=True)
class Placed:
    """Who takes a stop and when; person None when nobody does."""

    stop: Stop
    person: int | None
    start: datetime


@dataclass(slots=True)
class Model:
    """Built once per solve. cp: the ortools module, imported by the caller of `solve` alone."""

    cp: Any
    problem: PlanningProblem
    stops: Sequence[Stop]
    is_whole_day: bool
    model: Any = None
    starts: list[Any] = field(default_factory=list)
    takes: list[dict[int, Any]] = field(default_factory=list)
    placed: list[Any] = field(default_factory=list)
    costs: list[Any] = field(default_factory=list)
    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    links: dict[tuple[int, int], Any] = field(default_factory=dict)
    """Arc literals between stops"""
    firsts: dict[tuple[int, int], Any] = field(default_factory=dict)
    lasts: dict[tuple[int, int], Any] = field(default_factory=dict)
    empties: list[Any] = field(default_factory=list)

    def build(self) -> None:
        """All variables, rules and costs."""
        self.model, self.pairs = self.cp.CpModel(), planned_pairs(self.problem)
        for number, stop in enumerate(self.stops):
            self._add_stop(number, stop)
        self._add_pairs()
        self._add_circuit()
        if not self.is_whole_day:
            self._add_crowding()
        self.model.minimize(sum(self.costs))

    def _add_stop(self, number: int, stop: Stop) -> None:
        spans = [list(span) for own in stop.spans.values() for span in own] or [[stop.planned, stop.planned]]
        start = self.model.new_int_var_from_domain(self.cp.Domain.from_intervals(spans), f"s{number}")
        takes = {person: self.model.new_bool_var(f"t{number}_{person}") for person in stop.able}
        placed = self.model.new_bool_var(f"p{number}")
        self.model.add(sum(takes.values()) == placed)
        for person, taken in takes.items():
            own = self.cp.Domain.from_intervals([list(span) for span in stop.spans[person]])
            self.model.add_linear_expression_in_domain(start, own).only_enforce_if(taken)
        if not stop.is_free:
            self.model.add(placed == 1)
        self.starts.append(start)
        self.takes.append(takes)
        self.placed.append(placed)
        self.costs.append(UNPLACED * (1 - placed))
        for person, taken in takes.items():
            price = self._price(self.problem.persons[person], stop)
            if price:
                self.costs.append(price * taken)
        self._add_distance(number, stop, spans)

    def _add_distance(self, number: int, stop: Stop, spans: list[list[int]]) -> None:
        if all(low == high == stop.planned for low, high in spans):
            return
        away = self.model.new_int_var(0, DAY, f"a{number}")
        placed, start = self.placed[number], self.starts[number]
        self.model.add(away >= start - stop.planned).only_enforce_if(placed)
        self.model.add(away >= stop.planned - start).only_enforce_if(placed)
        self.costs.append((SHIFTED if stop.is_free else DISTURBED) * away)

    def _price(self, person: Person, stop: Stop) -> int:
        if not stop.is_free:
            return 0
        call, ref = stop.call, person.practitioner_ref
        stranger = STRANGER if call.known_by and ref not in call.known_by else 0
        unwished = UNWISHED if call.wish and person.gender != call.wish else 0
        is_other = self.is_whole_day and call.practitioner_refs and ref not in call.practitioner_refs
        return stranger + unwished + (OTHER_PERSON if is_other else 0)

    def _add_pairs(self) -> None:
        """Two on one visit begin at once and are two different persons; free ones come both or neither."""
        together: dict[str, list[int]] = defaultdict(list)
        for number, stop in enumerate(self.stops):
            together[stop.call.ref].append(number)
        for numbers in together.values():
            first = numbers[0]
            for other in numbers[1:]:
                self.model.add(self.starts[first] == self.starts[other])
                if self.stops[first].is_free:
                    self.model.add(self.placed[first] == self.placed[other])
            persons = {person for number in numbers for person in self.takes[number]}
            for person in persons if len(numbers) > 1 else ():
                self.model.add_at_most_one(
                    self.takes[number][person] for number in numbers if person in self.takes[number]
                )

    def _add_circuit(self) -> None:
        """person 0, their stops in order, person 1, theirs … and back to person 0."""
        people = len(self.problem.persons)
        self.empties = [self.model.new_bool_var(f"e{person}") for person in range(people)]
        arcs: list[tuple[int, int, Any]] = [
            (person, (person + 1) % people, self.empties[person]) for person in range(people)
        ]
        for number in range(len(self.stops)):
            node = people + number
            arcs.append((node, node, self.placed[number].Not()))
            for person, taken in self.takes[number].items():
                first = self.model.new_bool_var(f"f{number}_{person}")
                last = self.model.new_bool_var(f"l{number}_{person}")
                self.model.add_implication(first, taken)
                self.model.add_implication(last, taken)
                arcs += [(person, node, first), (node, (person + 1) % people, last)]
                self.firsts[number, person], self.lasts[number, person] = first, last
                if self.problem.depot is not None:
                    here = self.stops[number].call.position
                    self.costs.append(travel_minutes(self.problem.depot, here) * first)
        arcs += [
            (people + i, people + j, literal)
            for i in range(len(self.stops))
            for j in range(len(self.stops))
            if i != j and (literal := self._add_arc(i, j)) is not None
        ]
        self.model.add_circuit(arcs)

    def _add_arc(self, i: int, j: int) -> Any | None:
        """The same person drives from stop i straight to stop j; None when that can never be."""
        before, after = self.stops[i], self.stops[j]
        shared = [person for person in before.spans if person in after.spans]
        if not shared or before.call.ref == after.call.ref:
            return None
        travel = known_travel(self.problem, before.call, after.call, self.pairs)
        lead = before.call.minutes + travel
        if not before.is_free and not after.is_free:
            lead = min(lead, max(after.planned - before.planned, -DAY))
        earliest = min(low for person in shared for low, _high in before.spans[person])
        latest = max(high for person in shared for _low, high in after.spans[person])
        if earliest + lead > latest:
            return None
        if not before.is_free and not after.is_free and after.planned < before.planned:
            return None
        literal = self.links[i, j] = self.model.new_bool_var(f"x{i}_{j}")
        self.model.add(self.starts[j] >= self.starts[i] + lead).only_enforce_if(literal)
        for person, taken in self.takes[i].items():
            other = self.takes[j].get(person)
            if other is None:
                self.model.add_implication(literal, taken.Not())
            else:
                self.model.add(taken == other).only_enforce_if(literal)
        for person, taken in self.takes[j].items():
            if person not in self.takes[i]:
                self.model.add_implication(literal, taken.Not())
        if travel:
            self.costs.append(travel * literal)
        return literal

    def _add_crowding(self) -> None:
        for person in range(len(self.problem.persons)):
            extra = [
                self.takes[number][person]
                for number, stop in enumerate(self.stops)
                if stop.is_free and person in self.takes[number]
            ]
            if len(extra) > EXTRA_EASY:
                over = self.model.new_int_var(0, len(extra), f"o{person}")
                self.model.add(over >= sum(extra) - EXTRA_EASY)
                self.costs.append(CROWDED * over)

    def hint(self, solution: Sequence[tuple[int | None, int]]) -> None:
        """Begin the search at (person, start) per stop."""
        self.model.clear_hints()
        for number, (person, start) in enumerate(solution):
            for index, taken in self.takes[number].items():
                self.model.add_hint(taken, int(index == person))
            self.model.add_hint(self.starts[number], start)
            self.model.add_hint(self.placed[number], int(person is not None))
        order = sorted(range(len(solution)), key=lambda n: (solution[n][1], self.stops[n].call.ref))
        for person in range(len(self.problem.persons)):
            own = [number for number in order if solution[number][0] == person]
            self.model.add_hint(self.empties[person], int(not own))
            ends = (own[:1], own[-1:])
            for held, end in zip((self.firsts, self.lasts), ends, strict=True):
                for (number, at), literal in held.items():
                    if at == person:
                        self.model.add_hint(literal, int([number] == end))
        following = {
            pair
            for person in range(len(self.problem.persons))
            for pair in pairwise([n for n in order if solution[n][0] == person])
        }
        for pair, literal in self.links.items():
            self.model.add_hint(literal, int(pair in following))

    def read(self, solver: Any) -> list[tuple[int | None, int]]:
        """(person, start) per stop of the solver's best plan."""
        return [
            (next((p for p, taken in takes.items() if solver.value(taken)), None), solver.value(start))
            for takes, start in zip(self.takes, self.starts, strict=True)
        ]


def solve(
    problem: PlanningProblem,
    stops: Sequence[Stop],
    progress: Progress,
    *,
    seconds: float,
    is_whole_day: bool,
    words: str,
    begin: Sequence[Call] | None = None,
) -> tuple[Placed, ...] | None:
    """Where the stops go. The search begins at the plan `begin`, by default today's.

    None when no plan was found in time, or there is nobody or nothing. Searches in slices: between
    them the person may stop it, and two slices that find nothing better end it. What was best then
    is the answer.
    """
    if not stops or not problem.persons:
        return None
    from ortools.sat.python import cp_model  # loaded late: nobody pays for it before the first suggestion

    built = Model(cp_model, problem, stops, is_whole_day)
    built.build()
    built.hint(_plan(problem, stops, problem.calls if begin is None else begin))
    best = _search(cp_model, built, progress, seconds, words)
    if best is None:
        return None
    zero = zero_of(problem)
    return tuple(
        Placed(stop, person, zero + timedelta(minutes=start))
        for stop, (person, start) in zip(stops, best, strict=True)
    )


def _plan(
    problem: PlanningProblem, stops: Sequence[Stop], plan: Sequence[Call]
) -> list[tuple[int | None, int]]:
    """A plan as (person, start) per stop: where the search begins, so that it never ends with a worse one."""
    calls, zero = {call.ref: call for call in plan}, zero_of(problem)
    used: dict[str, set[int]] = defaultdict(set)
    found: list[tuple[int | None, int]] = []
    for stop in stops:
        call, taken = calls[stop.call.ref], used[stop.call.ref]
        refs = call.practitioner_refs
        able = (p for p in stop.able if problem.persons[p].practitioner_ref in refs and p not in taken)
        person = next(able, None)
        taken.update(() if person is None else (person,))
        found.append((person, minute(zero, call.start)))
    return found


def _search(
    cp: Any, built: Model, progress: Progress, seconds: float, words: str
) -> list[tuple[int | None, int]] | None:
    best: list[tuple[int | None, int]] | None = None
    cost, idle, slices = float("inf"), 0, max(1, round(seconds / SLICE))
    for turn in range(slices):
        progress.step(turn, slices, words)
        if progress.stopped:
            break
        solver = _solver(cp, SLICE if turn else 2 * SLICE)
        status = solver.solve(built.model)
        if status in (cp.OPTIMAL, cp.FEASIBLE):
            idle = 0 if solver.objective_value < cost else idle + 1
            if solver.objective_value < cost:
                cost, best = solver.objective_value, built.read(solver)
                built.hint(best)
        if status in (cp.OPTIMAL, cp.INFEASIBLE) or (best is not None and idle > 1):
            break
    progress.step(slices, slices, words)
    return best


def _solver(cp: Any, seconds: float) -> Any:
    solver = cp.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = 1
    return solver
