"""Follow-ups and replies until a person closes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician import texts
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from clinician.fhir import read
from clinician.fhir.times import to_instant
from clinician.queries.query import Reading
from modules.homecare.commands.making import edited, no_owner, reference, with_note
from modules.homecare.commands.tasks import aggregate_of_task, found_task, task_problems

L = texts.lazy("homecare")
_ = texts.translator("homecare")
_MESSAGE_GONE = L("This message is no longer on this PC. Nothing was changed. Synchronise and try again.")


@dataclass(frozen=True, slots=True)
class CloseFollowUp:
    """Somebody did what was to be done."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str
    text: str = ""

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        return task_problems(reading, self.task_ref)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        task = found_task(reading, self.task_ref)
        change = edited(
            task,
            status="completed",
            lastModified=to_instant(stamp.when),
            note=with_note(task.raw, stamp, self.text.strip()),
        )
        return (Act("close-follow-up", aggregate_of_task(task), (change,), L("Follow-up closed")),)


@dataclass(frozen=True, slots=True)
class HandOverFollowUp:
    """Another person takes it from here; the time it is due stays unless a new one is given."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str
    owner_ref: str
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = list(task_problems(reading, self.task_ref))
        if not self.owner_ref.startswith("Practitioner/"):
            problems.append(no_owner())
        if self.due is not None and self.due <= stamp.when:
            problems.append(UserProblem(L("The new time must lie in the future."), field="due"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        task = found_task(reading, self.task_ref)
        restriction = dict(task.raw.get("restriction") or {})
        if self.due is not None:
            restriction["period"] = dict(restriction.get("period") or {}) | {"end": to_instant(self.due)}
        change = edited(
            task,
            owner=reference(self.owner_ref),
            restriction=restriction or None,
            lastModified=to_instant(stamp.when),
            note=with_note(task.raw, stamp, _("Handed over")),
        )
        return (Act("hand-over", aggregate_of_task(task), (change,), L("Follow-up handed over")),)


@dataclass(frozen=True, slots=True)
class ReadReply:
    """A reply to the team was read: it leaves the list for everybody."""

    needs: ClassVar[tuple[str, ...]] = ("Communication.u",)

    communication_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        cached = reading.get(self.communication_ref)
        if cached is None:
            return (UserProblem(_MESSAGE_GONE),)
        if cached.raw.get("received"):
            return (UserProblem(L("This message is already marked as read. Nothing was changed.")),)
        return ()

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        cached = reading.get(self.communication_ref)
        if cached is None:
            raise UserProblem(_MESSAGE_GONE)
        change = edited(cached, status="completed", received=to_instant(stamp.when))
        aggregate = read.patient_ref_of(cached.raw) or cached.ref
        return (Act("read-reply", aggregate, (change,), L("Message read")),)
