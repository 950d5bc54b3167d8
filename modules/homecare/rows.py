"""The rows home care shows. Display strings are made in queries, in the language in force.

A row's first field is its key: a FHIR reference. Instants are aware; `*_text` is ready to paint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinician.queries.query import RowState


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may take a visit. Only people who can are candidates (NEEDS R-28)."""

    route_key: str
    practitioner_ref: str
    name: str
    note: str
    """'kjenner brukeren · 7 min kjøring'"""
    start: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One suggested change of a plan."""

    appointment_ref: str
    patient_name: str
    title: str
    from_name: str
    to_route_key: str
    """'' when nobody can take it"""
    to_name: str
    to_practitioner_refs: tuple[str, ...]
    start: datetime
    end: datetime
    order: int
    travel_minutes: int
    reason: str
    """Why this one, in words; or why nobody"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A plan the coordinator may accept, adjust or refuse. Nothing is written before that."""

    moves: tuple[Move, ...]
    unplaced: tuple[Move, ...]
    travel_before: int
    travel_after: int
    seconds: float
    title: str


@dataclass(frozen=True, slots=True)
class MeasurementPoint:
    """One value on a curve. `series` tells systolic from diastolic."""

    key: str
    series: str
    when: datetime
    value: float
    unit: str
    value_text: str
    author: str


@dataclass(frozen=True, slots=True)
class News2Row:
    """A score from one complete set of measurements; never from a partial one."""

    key: str
    when: datetime
    when_text: str
    score: int
    band: str
    """low, low-medium, medium, high"""
    band_text: str
    parts_text: str


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


@dataclass(frozen=True, slots=True)
class MeasurementField:
    """One number or one choice of a measurement form."""

    name: str
    """systolic, diastolic, pulse …"""
    label: str
    unit_text: str
    """'mmHg', '/min', '°C', '%', 'kg', 'mmol/l', '' for a choice"""
    decimals: int
    hard_low: float
    hard_high: float
    """Outside these nothing is recorded: it is a slip of the hand"""
    soft_low: float
    soft_high: float
    """Outside these the person is asked once more (rules.plausibility.doubts)"""
    choices: tuple[tuple[str, str], ...] = ()
    """(code, words) where a choice is made instead of a number typed"""


@dataclass(frozen=True, slots=True)
class MeasurementKind:
    """A measurement that can be recorded; the order of fields is the order of Measured.values."""

    key: str
    """blood-pressure, pulse, temperature, respiration, spo2, weight, glucose, consciousness, oxygen"""
    label: str
    fields: tuple[MeasurementField, ...]


@dataclass(frozen=True, slots=True)
class QuickText:
    """A ready sentence for a note."""

    key: str
    label: str
    text: str


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
