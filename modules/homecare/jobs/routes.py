"""The whole day's routes anew."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from clinician import texts
from modules.homecare.jobs.model import solve
from modules.homecare.jobs.stopping import Progress
from modules.homecare.jobs.stops import whole_day_stops
from modules.homecare.jobs.suggesting import finished, greedy, moves_of
from modules.homecare.rows import Suggestion
from modules.homecare.rules.planning import PlanningProblem

_ = texts.translator("homecare")

SECONDS: Final = 8.0


def build_routes(problem: PlanningProblem, progress: Progress) -> Suggestion:
    """Plan the whole day anew; what is begun, done or past stays. The sum of visits is unchanged.

    When no plan is found in time only the visits nobody has are handed out, one by one.
    """
    began = perf_counter()
    title = _("Routes of the day")
    words = _("Planning the routes …")
    stops = whole_day_stops(problem)
    placed = solve(problem, stops, progress, seconds=SECONDS, is_whole_day=True, words=words)
    if placed is None:
        loose = [c for c in problem.calls if not c.is_pinned and len(c.practitioner_refs) < c.staff_count]
        moves, unplaced = greedy(problem, loose, "", frozenset())
    else:
        moves, unplaced = moves_of(problem, placed)
    return finished(problem, moves, unplaced, seconds=perf_counter() - began, title=title)
