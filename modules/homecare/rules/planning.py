"""A day's planning problem: persons, visits, travel; and the rules no plan may break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanningProblem:
    """Filled by queries.planning_problem; opaque to views."""
