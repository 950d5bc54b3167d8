"""Who may take a visit, and the whole problem for the solver."""

from __future__ import annotations

from datetime import date, datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import Candidate
from modules.homecare.rules.planning import PlanningProblem


@query(watches=("Appointment", "Schedule", "PractitionerRole", "Patient"))
def candidates(reading: Reading, *, appointment_ref: str, now: datetime) -> tuple[Candidate, ...]:
    """Those who can take the visit, best first; nobody who cannot."""
    raise NotImplementedError


@query(watches=("Appointment", "Schedule", "PractitionerRole", "Patient"))
def planning_problem(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> PlanningProblem:
    """Everything jobs.suggest_redistribution and jobs.build_routes need, without the cache."""
    raise NotImplementedError
