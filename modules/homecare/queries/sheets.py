"""What the day list and the zone list are printed from."""

from __future__ import annotations

from datetime import date, datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import Sheet


@query(watches=("Appointment",))
def day_sheet(
    reading: Reading,
    *,
    practitioner_ref: str,
    workplace_ref: str,
    day: date,
    now: datetime,
    with_access: bool = False,
) -> Sheet:
    """One person's day; with_access adds the key sheet."""
    raise NotImplementedError


@query(watches=("Appointment",))
def zone_sheet(
    reading: Reading, *, workplace_ref: str, day: date, now: datetime, with_access: bool = False
) -> Sheet:
    """All routes of the day."""
    raise NotImplementedError
