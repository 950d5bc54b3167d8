"""The zone's day: lanes and blocks on the time grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinician.queries.query import RowState
from modules.homecare.rows.day import DaySums
from modules.homecare.rows.visit import VisitState


@dataclass(frozen=True, slots=True)
class ZoneVisit:
    """One block on the zone's time grid."""

    key: str
    patient_ref: str
    patient_name: str
    title: str
    start: datetime
    end: datetime
    route_key: str
    """Schedule reference, '' when unassigned"""
    order: int
    travel_minutes: int
    two_persons: bool
    fixed_time: bool
    competence_text: str
    visit_state: VisitState
    state: RowState
    late_minutes: int
    why_text: str
    """For an unassigned visit: why nobody can take it, or ''"""


@dataclass(frozen=True, slots=True)
class ZoneRoute:
    """One lane: a person's working day."""

    key: str
    practitioner_ref: str
    name: str
    initials: str
    profession_text: str
    shift_start: datetime
    shift_end: datetime
    is_absent: bool
    absent_text: str
    load_text: str
    """'6 t 10 min av 7 t 30 min'"""
    visits: tuple[ZoneVisit, ...]


@dataclass(frozen=True, slots=True)
class ZoneDay:
    """All routes of the day side by side; unassigned on top."""

    routes: tuple[ZoneRoute, ...]
    unassigned: tuple[ZoneVisit, ...]
    sums: DaySums
    as_of: datetime | None
    complete: bool
