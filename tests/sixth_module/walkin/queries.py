"""What the desk reads."""

from __future__ import annotations

from dataclasses import dataclass

from clinician.queries.query import Reading, query


@dataclass(frozen=True, slots=True)
class Arrived:
    """One who has come."""

    key: str


@query(watches=("Appointment",))
def arrived(reading: Reading) -> tuple[Arrived, ...]:
    """Appointments whose patient has come."""
    return tuple(Arrived(found.ref) for found in reading.find("Appointment", status="arrived"))
