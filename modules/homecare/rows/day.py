"""My day: lines, sums, the screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinician.queries.query import RowState
from modules.homecare.rows.visit import VisitState


class Section(StrEnum):
    """Where a line stands in the day, top to bottom."""

    OVERDUE = "overdue"
    NOW = "now"
    NEXT = "next"
    LATER = "later"
    DONE = "done"


class ItemKind(StrEnum):
    """What a line of my day is."""

    VISIT = "visit"
    FOLLOW_UP = "follow-up"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class DayRow:
    """One line of my day: a visit, a follow-up or a reply. kind tells which fields are filled."""

    key: str
    kind: ItemKind
    section: Section
    patient_ref: str
    patient_name: str
    time_text: str
    title: str
    """What to do, in short: 'Morgenstell · Insulin · BT'"""
    address: str
    travel_text: str
    """'10 min', '' when unknown"""
    access_hint: str
    """'Nøkkelboks'; never the secret"""
    two_persons: bool
    late_minutes: int
    changed_text: str
    """'endret 07:40' when changed since the person last looked or since planned; ''"""
    status_text: str
    """'utført 07:28–07:44', 'ikke hjemme', '' while open"""
    visit_state: VisitState | None
    state: RowState
    start: datetime | None
    end: datetime | None
    phone: str
    colleague_text: str
    """The other person(s) on a double-staffed visit"""
    is_new_user: bool
    tasks_open: int
    tasks_total: int


@dataclass(frozen=True, slots=True)
class DaySums:
    """planned = done + not_done + moved + cancelled + open, always (tested)."""

    planned: int
    done: int
    not_done: int
    moved: int
    cancelled: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class MyDay:
    """The first screen."""

    rows: tuple[DayRow, ...]
    sums: DaySums
    next_key: str
    """Key of the visit that stands out, '' when none is left"""
    as_of: datetime | None
    complete: bool
