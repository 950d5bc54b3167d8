"""The whole day's routes anew."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Final

from clinician import texts
from modules.homecare.jobs.check import after
from modules.homecare.jobs.model import solve
from modules.homecare.jobs.stopping import Progress
from modules.homecare.jobs.stops import whole_day_stops
from modules.homecare.jobs.suggesting import finished, greedy, moves_of
from modules.homecare.rows import Move, Suggestion
from modules.homecare.rules.planning import Call, PlanningProblem, why_not

_ = texts.translator("homecare")

SECONDS: Final = 8.0


def _by_hand(problem: PlanningProblem) -> tuple[list[Move], list[Call], tuple[Call, ...]]:
    """What nobody rightly has, handed out one by one: (moves, left over, the plan after that)."""
    cleaned = replace(problem, calls=tuple(_rightly(problem, call) for call in problem.calls))
    loose = [
        call
        for call in cleaned.calls
        if not call.is_pinned and len(call.practitioner_refs) < call.staff_count
    ]
    moves, unplaced = greedy(cleaned, loose, "", frozenset())
    return moves, unplaced, after(cleaned, moves)


def _rightly(problem: PlanningProblem, call: Call) -> Call:
    """The visit with only those persons on it who may have it."""
    if call.is_pinned or call.window[1] < problem.now:
        return call
    people = ((ref, problem.person(ref)) for ref in call.practitioner_refs)
    kept = tuple(ref for ref, one in people if one is None or why_not(one, call, problem.now) is None)
    return replace(call, practitioner_refs=kept)


def build_routes(problem: PlanningProblem, progress: Progress) -> Suggestion:
    """Plan the whole day anew; what is begun, done or past stays. The sum of visits is unchanged.

    When no plan is found in time only the visits nobody has are handed out, one by one.
    """
    began = perf_counter()
    title = _("Routes of the day")
    words = _("Planning the routes …")
    stops = whole_day_stops(problem)
    moves, unplaced, begin = _by_hand(problem)
    placed = solve(problem, stops, progress, seconds=SECONDS, is_whole_day=True, words=words, begin=begin)
    if placed is not None:
        moves, unplaced = moves_of(problem, placed)
    return finished(problem, moves, unplaced, seconds=perf_counter() - began, title=title)
