"""A visit: its state, why it was not done, and its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinician.queries.query import RowState


class VisitState(StrEnum):
    """docs/record-model.md, 'A visit's state'."""

    UNASSIGNED = "unassigned"
    OPEN = "open"
    IN_PROGRESS = "in-progress"
    DONE = "done"
    NOT_HOME = "not-home"
    NOT_DONE = "not-done"
    MOVED = "moved"
    CANCELLED = "cancelled"


class NotDone(StrEnum):
    """CODE_NOT_DONE; the number keys 1-5 in this order."""

    REFUSED = "refused"
    NOT_HOME = "not-home"
    POSTPONED = "postponed"
    NOT_NEEDED = "not-needed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One thing to do in a visit, or a follow-up."""

    key: str
    title: str
    detail: str
    status: str
    """FHIR Task.status"""
    status_text: str
    reason_text: str
    measure: str
    """CODE_MEASURE code; decides which measurement form M opens"""
    state: RowState
    is_open: bool
    history_text: str
    """'utført i går 08:12 av Kari Lunde'"""
    is_follow_up: bool = False
    """A link of a chain (Task.code follow-up, call-next-of-kin, try-again) that focuses the visit"""
    owner_ref: str = ""
    owner_text: str = ""
    """Who owns a follow-up; never '' for one"""
    due: datetime | None = None
    due_text: str = ""
    phone: str = ""
    """Who to call for this follow-up, '' when nobody is to be called"""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """The last value of one measurement."""

    key: str
    label: str
    value_text: str
    when_text: str
    change_text: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """Something that changed since the person's last visit to this user."""

    key: str
    when_text: str
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class VisitCard:
    """The visit opened beside the list."""

    key: str
    patient_ref: str
    patient_name: str
    birth_text: str
    visit_state: VisitState
    state: RowState
    planned_text: str
    actual_text: str
    granted_text: str
    address: str
    phone: str
    access_hint: str
    access_flag_ref: str
    colleague_text: str
    next_of_kin_text: str
    next_of_kin_phone: str
    tasks: tuple[TaskRow, ...]
    changes: tuple[ChangeRow, ...]
    values: tuple[ValueRow, ...]
    comment: str
    is_started: bool
