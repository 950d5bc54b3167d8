"""All routes of the day side by side."""

from __future__ import annotations

from datetime import date, datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import ZoneDay


@query(watches=("Appointment", "Schedule", "PractitionerRole", "Encounter", "Patient"))
def zone_day(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> ZoneDay:
    """Lanes with their visits; what nobody has lies in `unassigned`."""
    raise NotImplementedError
