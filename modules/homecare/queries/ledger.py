"""Nothing disappears: sums, broken links, evidence."""

from __future__ import annotations

from datetime import date, datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import Ledger


@query(watches=("Appointment", "Task", "Encounter", "CarePlan", "ServiceRequest", "Schedule"))
def ledger(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> Ledger:
    """planned = done + not done + moved + cancelled + open, per route and in all."""
    raise NotImplementedError
