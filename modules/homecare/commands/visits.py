"""Start, complete and except a visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician.cache.reading import Reading
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from modules.homecare.rows import NotDone


@dataclass(frozen=True, slots=True)
class StartVisit:
    """At the door: the visit is in progress and its clock runs."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.c")

    appointment_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CompleteVisit:
    """Done as planned, with one key. Times default to the start recorded, else the plan."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.cu", "Task.u")

    appointment_ref: str
    start: datetime | None = None
    stop: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RecordNotHome:
    """Nobody opened: the visit is not done and a chain of owned follow-ups begins."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Task.cu")

    appointment_ref: str
    owner_ref: str = ""
    called: tuple[str, ...] = ()
    try_again: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ExceptVisit:
    """The whole visit was not done, with a reason; postponed makes an owned follow-up."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Task.cu")

    appointment_ref: str
    reason: NotDone
    text: str = ""
    owner_ref: str = ""
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
