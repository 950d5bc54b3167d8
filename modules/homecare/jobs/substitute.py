"""A colleague is away: who takes the visits, with the least disturbance for the others."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter
from typing import Final

from clinician import texts
from modules.homecare.jobs.model import Placed, solve
from modules.homecare.jobs.stopping import Progress
from modules.homecare.jobs.stops import leaving, substitute_stops
from modules.homecare.jobs.suggesting import finished, greedy, moves_of
from modules.homecare.rows import Suggestion
from modules.homecare.rules.planning import PlanningProblem

_ = texts.translator("homecare")

SECONDS: Final = 4.0
PLAY: Final = timedelta(minutes=15)
"""How much others' visits may shift, and only when it finds room for one more."""


def suggest_redistribution(problem: PlanningProblem, practitioner_ref: str, progress: Progress) -> Suggestion:
    """Give the visits of one person to others.

    First with everybody else's plan untouched; only if something is left over with a shift of at
    most a quarter of an hour within each window. The sum of visits is the same before and after.
    """
    began = perf_counter()
    free, barred = leaving(problem, practitioner_ref)
    person = problem.person(practitioner_ref)
    title = _.n(
        "{n} visit of {name}", "{n} visits of {name}", len(free), name=person.name if person else _("unknown")
    )
    if not free:
        return finished(problem, [], [], seconds=perf_counter() - began, title=title)
    placed = _solved(problem, practitioner_ref, progress, timedelta())
    if _left(placed) and not progress.stopped:
        wider = _solved(problem, practitioner_ref, progress, PLAY)
        placed = wider if wider is not None and _left(wider) < _left(placed) else placed
    if placed is None:
        moves, unplaced = greedy(problem, free, practitioner_ref, barred)
    else:
        moves, unplaced = moves_of(problem, placed)
    return finished(
        problem,
        moves,
        unplaced,
        seconds=perf_counter() - began,
        title=title,
        absent_ref=practitioner_ref,
    )


def _solved(
    problem: PlanningProblem, ref: str, progress: Progress, play: timedelta
) -> tuple[Placed, ...] | None:
    free, barred = leaving(problem, ref)
    stops = substitute_stops(problem, free, ref, barred, play)
    words = _("Looking for who can take the visits …")
    return solve(problem, stops, progress, seconds=SECONDS, is_whole_day=False, words=words)


def _left(placed: tuple[Placed, ...] | None) -> int:
    """How many stops nobody takes; everything when there is no plan."""
    return 1_000_000 if placed is None else sum(one.person is None for one in placed)
