"""Move, cancel and hand out visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from clinician.queries.query import Reading
from modules.homecare.rows import Move


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """To another time or day: the old one is marked moved, a new one stands for it."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.cu", "Task.cu")

    appointment_ref: str
    start: datetime
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """Cancelled by somebody: `by` is a code of CODE_CANCEL other than moved."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Task.u")

    appointment_ref: str
    by: str
    text: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class AssignVisits:
    """Give visits to persons the same day: one act per visit, the sum of visits unchanged."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u",)

    moves: tuple[Move, ...]
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RecordAbsence:
    """A colleague is away: written on the role at the workplace."""

    needs: ClassVar[tuple[str, ...]] = ("PractitionerRole.u",)

    practitioner_ref: str
    start: datetime
    stop: datetime
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class NotifyStaff:
    """Tell those whose day changed: one notice task per person."""

    needs: ClassVar[tuple[str, ...]] = ("Task.c",)

    moves: tuple[Move, ...]

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
