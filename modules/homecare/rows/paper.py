"""Paper: what the day list, the zone list and the key sheet are printed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinician.queries.query import RowState


@dataclass(frozen=True, slots=True)
class SheetVisit:
    """One visit on paper: enough to do it with no screen (NEEDS §3.1)."""

    key: str
    time_text: str
    patient_name: str
    birth_text: str
    address: str
    phone: str
    access_hint: str
    tasks: tuple[str, ...]
    warnings: tuple[str, ...]
    """Allergies and flags"""
    marks: str
    """'to personer · fast tid · ny bruker'"""
    colleague_text: str
    travel_text: str
    comment: str
    status_text: str
    """'' while open"""
    state: RowState


@dataclass(frozen=True, slots=True)
class SheetRoute:
    """One person's day on paper."""

    key: str
    title: str
    """Name of the person or the route; 'Ufordelt' for visits nobody has"""
    detail: str
    """Shift and profession"""
    visits: tuple[SheetVisit, ...]


@dataclass(frozen=True, slots=True)
class AccessLine:
    """How to get in to one user. Only on the separate key sheet; each reading is logged."""

    key: str
    patient_name: str
    birth_text: str
    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the day list and the zone list are printed from."""

    day_text: str
    workplace_name: str
    routes: tuple[SheetRoute, ...]
    access: tuple[AccessLine, ...]
    as_of: datetime | None
    complete: bool
    is_practice: bool
    waiting: int
    """Rows on the sheet the record has not confirmed yet"""
