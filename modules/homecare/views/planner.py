"""From 'somebody is away' to a suggestion: the problem is read, then solved off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.jobs import build_routes, suggest_redistribution
from modules.homecare.queries import planning_problem
from modules.homecare.rows import Suggestion
from modules.homecare.rules.planning import PlanningProblem
from modules.homecare.views.work_line import WorkLine

_ = texts.translator("homecare")


class Planner:
    """Asks for suggestions; a later question replaces an earlier one."""

    def __init__(self, ctx: ModuleContext) -> None:
        self._ctx = ctx
        self._asked = 0

    def substitute(
        self, line: WorkLine, practitioner_ref: str, day: date, on_result: Callable[[Suggestion], None]
    ) -> None:
        """Others for the visits of one who is away."""

        def solve(problem: PlanningProblem) -> None:
            title = _("Looking for others who can take the visits")
            line.run(lambda p: suggest_redistribution(problem, practitioner_ref, p), on_result, title)

        self._read(day, solve)

    def routes(self, line: WorkLine, day: date, on_result: Callable[[Suggestion], None]) -> None:
        """The whole day anew."""

        def solve(problem: PlanningProblem) -> None:
            line.run(lambda p: build_routes(problem, p), on_result, _("Building the routes of the day"))

        self._read(day, solve)

    def _read(self, day: date, solve: Callable[[PlanningProblem], None]) -> None:
        self._asked += 1
        mine = self._asked

        def ready(problem: PlanningProblem) -> None:
            if mine == self._asked:
                solve(problem)

        ctx = self._ctx
        ctx.queries.run(
            planning_problem,
            ready,
            None,
            workplace_ref=ctx.who.workplace_ref,
            day=day,
            now=ctx.clock.now(),
        )
