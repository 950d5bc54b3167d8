"""The visit opened beside the list."""

from __future__ import annotations

from datetime import datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import VisitCard


@query(
    watches=("Appointment", "Task", "Encounter", "Patient", "Flag", "Observation"), audit="appointment_ref"
)
def visit_card(reading: Reading, *, appointment_ref: str, now: datetime) -> VisitCard | None:
    """One visit with its tasks, changes since last time and last values; None when it is not cached."""
    raise NotImplementedError


@query(watches=("Flag",), audit="flag_ref")
def access_detail(reading: Reading, *, flag_ref: str) -> str:
    """How to get in. Sensitive: each reading is recorded."""
    raise NotImplementedError
