"""Everything the user page shows but the curves."""

from __future__ import annotations

from datetime import datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import UserCard


@query(
    watches=("Patient", "CarePlan", "ServiceRequest", "Task", "Observation", "DocumentReference", "Flag"),
    audit="patient_ref",
)
def user_card(reading: Reading, *, patient_ref: str, now: datetime) -> UserCard:
    """Facts with their source, plan, tasks with history, notes, last values and NEWS2."""
    raise NotImplementedError
