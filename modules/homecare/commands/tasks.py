"""One thing in a visit: done, or not done with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician import texts
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from clinician.fhir import read
from clinician.fhir.times import to_instant
from clinician.queries.query import Cached, Reading
from modules.homecare.commands.making import (
    PUT_OFF,
    TASK_GONE,
    WAITING_TASK,
    edited,
    excepted,
    follow_up,
    is_follow_up,
    reference,
)
from modules.homecare.commands.visits import exception_problems
from modules.homecare.rows import NotDone

L = texts.lazy("homecare")
_ = texts.translator("homecare")


def found_task(reading: Reading, task_ref: str) -> Cached:
    """The Task. UserProblem when it is not cached."""
    cached = reading.get(task_ref)
    if cached is None:
        raise UserProblem(TASK_GONE)
    return cached


def task_problems(reading: Reading, task_ref: str) -> tuple[UserProblem, ...]:
    """() when the task is here and still to be done."""
    cached = reading.get(task_ref)
    if cached is None:
        return (UserProblem(TASK_GONE),)
    if cached.raw.get("status") not in WAITING_TASK:
        return (UserProblem(L("This is already closed. Nothing was changed. Undo it if that was wrong.")),)
    return ()


def aggregate_of_task(task: Cached) -> str:
    """The user's chain, else the task's own."""
    return read.patient_ref_of(task.raw) or task.ref


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """Tick one task."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        return task_problems(reading, self.task_ref)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        task = found_task(reading, self.task_ref)
        change = edited(
            task,
            status="completed",
            statusReason=None,
            owner=task.raw.get("owner") or reference(stamp.who.practitioner_ref),
            lastModified=to_instant(stamp.when),
        )
        return (Act("complete-task", aggregate_of_task(task), (change,), L("Task done")),)


@dataclass(frozen=True, slots=True)
class ExceptTask:
    """One task was not done, with a reason; postponed makes an owned follow-up."""

    needs: ClassVar[tuple[str, ...]] = ("Task.cu",)

    task_ref: str
    reason: NotDone
    text: str = ""
    owner_ref: str = ""
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = list(task_problems(reading, self.task_ref))
        cached = reading.get(self.task_ref)
        if cached is not None and is_follow_up(cached.raw):
            problems.append(
                UserProblem(L("A follow-up is closed or handed over, not excepted. Nothing was changed."))
            )
        problems += exception_problems(self.reason, self.text, self.owner_ref, self.due, stamp)
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        task = found_task(reading, self.task_ref)
        changes = [excepted(task, self.reason, self.text.strip(), stamp.when)]
        if self.reason is NotDone.POSTPONED:
            changes.append(
                follow_up(
                    stamp,
                    "follow-up",
                    like=task.raw,
                    patient_ref=read.patient_ref_of(task.raw),
                    owner_ref=self.owner_ref,
                    due=self.due or stamp.when + PUT_OFF,
                    description=_("Postponed: {title}", title=read.title_of(task.raw)),
                    focus_ref=task.ref,
                    note=self.text.strip(),
                )
            )
        return (Act("except-task", aggregate_of_task(task), tuple(changes), L("Task not done")),)
