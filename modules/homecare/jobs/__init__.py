"""Long work: suggestions by a solver. Called in a job thread; ortools is loaded at first use."""

from __future__ import annotations

from typing import Protocol

from modules.homecare.rows import Suggestion
from modules.homecare.rules.planning import PlanningProblem


class Progress(Protocol):
    """As clinician.modulekit.context.Progress."""

    @property
    def stopped(self) -> bool: ...
    def step(self, done: int, total: int, words: str = "") -> None: ...


def suggest_redistribution(problem: PlanningProblem, practitioner_ref: str, progress: Progress) -> Suggestion:
    """Give the visits of one person to others with the least disturbance."""
    raise NotImplementedError


def build_routes(problem: PlanningProblem, progress: Progress) -> Suggestion:
    """Plan the whole day anew; what is started or done stays."""
    raise NotImplementedError
