"""The ledger: sums, broken links, evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinician.queries.query import RowState
from modules.homecare.rows.day import DaySums


class BrokenLink(StrEnum):
    """The links of the chain decision → plan → visit → documentation."""

    GRANTED_NOT_PLANNED = "granted-not-planned"
    PLANNED_NOT_DOCUMENTED = "planned-not-documented"
    PAST_DUE = "past-due"
    FOLLOW_UP_LATE = "follow-up-late"
    NO_OWNER = "no-owner"


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A named item with an owner, until a person closes it."""

    key: str
    link: BrokenLink
    link_text: str
    patient_ref: str
    patient_name: str
    title: str
    owner_text: str
    since_text: str
    state: RowState


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """Evidence of why something left a list (SYNC §1.5)."""

    key: str
    when_text: str
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Nothing disappears: the sums, the broken links and the evidence."""

    day_text: str
    sums: DaySums
    per_route: tuple[tuple[str, DaySums], ...]
    broken: tuple[BrokenRow, ...]
    removed: tuple[RemovalRow, ...]
    planned_minutes: int
    granted_minutes: int
    actual_minutes: int
    as_of: datetime | None = None
    complete: bool = False
