"""The user: facts with source, plan, notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinician.queries.query import RowState
from modules.homecare.rows.measurements import News2Row
from modules.homecare.rows.visit import TaskRow, ValueRow


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note about the user."""

    key: str
    when_text: str
    author: str
    kind_text: str
    text: str
    state: RowState
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class QuickText:
    """A ready sentence for a note."""

    key: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact with its source: condition, allergy, flag, service, medication, next of kin."""

    key: str
    group: str
    """condition, allergy, flag, service, medication, kin, doctor"""
    title: str
    detail: str
    source_text: str
    """who, when, from which system"""
    is_warning: bool
    state: RowState


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One measure of the care plan with its recurrence in words and its recent history."""

    key: str
    title: str
    recurrence_text: str
    service_text: str
    last_text: str
    next_text: str
    is_broken: bool
    """granted but not planned, or planned but not documented"""


@dataclass(frozen=True, slots=True)
class UserCard:
    """Everything the user page shows but the curves."""

    key: str
    name: str
    facts: tuple[FactRow, ...]
    plan: tuple[PlanRow, ...]
    tasks: tuple[TaskRow, ...]
    notes: tuple[NoteRow, ...]
    values: tuple[ValueRow, ...]
    news2: tuple[News2Row, ...]
    missing: tuple[str, ...]
    """The completeness strip (NEEDS R-32): what is not recorded, in words"""
    as_of: datetime | None = None
    complete: bool = False
