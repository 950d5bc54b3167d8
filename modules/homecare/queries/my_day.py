"""My day: one mixed list of visits, follow-ups and replies."""

from __future__ import annotations

from datetime import date, datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import MyDay


@query(watches=("Appointment", "Task", "Encounter", "Communication", "Patient", "Flag"))
def my_day(reading: Reading, *, practitioner_ref: str, workplace_ref: str, day: date, now: datetime) -> MyDay:
    """The practitioner's day; past-due first, also from earlier days, until a person closes it."""
    raise NotImplementedError
