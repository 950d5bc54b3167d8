"""The parts acts are built from: changed copies, new resources, follow-ups with an owner."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from clinician import texts
from clinician.commands.act import Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.times import to_instant
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare.rows import NotDone
from modules.homecare.rules.visits import Visit, visit_of

L = texts.lazy("homecare")
_ = texts.translator("homecare")

OPEN_TASK: Final = ("draft", "requested", "received", "accepted", "ready", "in-progress")
"""Task.status of a thing still to be done in a visit."""
WAITING_TASK: Final = (*OPEN_TASK, "on-hold")
"""Also what was put off and is owned by a follow-up."""
CALL_WITHIN: Final = timedelta(minutes=10)
TRY_AGAIN_AFTER: Final = timedelta(minutes=60)
PUT_OFF: Final = timedelta(hours=2)

GONE: Final = L(
    "This visit is no longer on this PC. Nothing was changed. Look in the ledger for what happened to it."
)
TASK_GONE: Final = L("This task is no longer on this PC. Nothing was changed. Synchronise and try again.")

_TASK_STATUS: Final = {
    NotDone.REFUSED: "rejected",
    NotDone.NOT_HOME: "cancelled",
    NotDone.POSTPONED: "on-hold",
    NotDone.NOT_NEEDED: "cancelled",
    NotDone.OTHER: "cancelled",
}


def reference(ref: str) -> Raw:
    """A FHIR Reference."""
    return {"reference": ref}


def concept(system: str, code: str, text: str = "") -> Raw:
    """A CodeableConcept with one coding."""
    coding: Raw = {"coding": [{"system": system, "code": code}]}
    return coding | {"text": text} if text else coding


def edited(cached: Cached, **elements: Any) -> Change:
    """A whole copy with elements replaced; None takes one away. The version beneath is the base."""
    raw = {k: v for k, v in cached.raw.items() if elements.get(k, v) is not None}
    return Change(raw | {k: v for k, v in elements.items() if v is not None}, cached)


def created(stamp: Stamp, type_: str, like: Raw | None, **elements: Any) -> Change:
    """A new resource with a fresh id; tagged as practice when what it is about is."""
    raw: Raw = {"resourceType": type_, "id": stamp.new_id()}
    if like is not None and read.is_practice(like):
        raw["meta"] = {"tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}]}
    return Change(raw | {k: v for k, v in elements.items() if v is not None})


def new_ref(change: Change) -> str:
    """'Type/id' of a change."""
    return f"{change.raw['resourceType']}/{change.raw['id']}"


def visit_at(reading: Reading, appointment_ref: str) -> tuple[Cached, Visit] | None:
    """The appointment and its visit, or None when it is not cached."""
    cached = reading.get(appointment_ref)
    return None if cached is None else (cached, visit_of(cached))


def aggregate_of(visit: Visit) -> str:
    """Acts about one user go in order; a visit without one stands alone."""
    return visit.patient_ref or visit.ref


def tasks_of(reading: Reading, visit: Visit, statuses: tuple[str, ...] = OPEN_TASK) -> tuple[Cached, ...]:
    """The things to do in a visit, in these states. Follow-ups of the visit are not among them."""
    found = reading.find("Task", token=("focus", visit.ref), status=statuses)
    return tuple(task for task in found if not is_follow_up(task.raw))


def is_follow_up(task: Raw) -> bool:
    """Whether a Task stands in a person's list by itself rather than inside a visit."""
    kind = read.code_in(task, "code", codes.CODE_TASK)
    return bool(kind) and kind != "measure"


def encounter_of(reading: Reading, visit: Visit, statuses: tuple[str, ...]) -> Cached | None:
    """The actual visit of a planned one, or None."""
    return next(reading.find("Encounter", token=("appointment", visit.ref), status=statuses), None)


def excepted(task: Cached, reason: NotDone, text: str, when: datetime) -> Change:
    """The task as not done, always with its reason."""
    return edited(
        task,
        status=_TASK_STATUS[reason],
        statusReason=concept(codes.CODE_NOT_DONE, reason.value, text),
        lastModified=to_instant(when),
    )


def owner_or_me(owner_ref: str, stamp: Stamp) -> str:
    """Who owns what follows. UserProblem when nobody does: nothing is left without an owner."""
    owner = owner_ref or stamp.who.practitioner_ref
    if not owner.startswith("Practitioner/"):
        raise UserProblem(no_owner().text, field="owner")
    return owner


def no_owner() -> UserProblem:
    """Nobody owns the follow-up."""
    return UserProblem(
        L("A follow-up needs an owner. Nothing was changed. Choose who follows up."), field="owner"
    )


def owner_problems(owner_ref: str, stamp: Stamp) -> tuple[UserProblem, ...]:
    """() when there is an owner."""
    try:
        owner_or_me(owner_ref, stamp)
    except UserProblem as problem:
        return (problem,)
    return ()


def follow_up(
    stamp: Stamp,
    kind: str,
    *,
    like: Raw | None,
    patient_ref: str,
    owner_ref: str,
    due: datetime,
    description: str,
    focus_ref: str = "",
    status: str = "ready",
    note: str = "",
) -> Change:
    """A Task that lies in somebody's day until it is closed. kind: a code of CODE_TASK."""
    return created(
        stamp,
        "Task",
        like,
        status=status,
        intent="order",
        code=concept(codes.CODE_TASK, kind),
        description=description,
        focus=reference(focus_ref) if focus_ref else None,
        **{"for": reference(patient_ref) if patient_ref else None},
        authoredOn=to_instant(stamp.when),
        lastModified=to_instant(stamp.when),
        requester=reference(stamp.who.practitioner_ref),
        owner=reference(owner_or_me(owner_ref, stamp)),
        restriction={"period": {"end": to_instant(due)}},
        note=[annotation(stamp, note)] if note else None,
    )


def annotation(stamp: Stamp, text: str) -> Raw:
    """A signed remark."""
    return {
        "authorReference": reference(stamp.who.practitioner_ref),
        "time": to_instant(stamp.when),
        "text": text,
    }


def with_note(raw: Raw, stamp: Stamp, text: str) -> list[Raw] | None:
    """The notes of a resource with one more; what was there stays."""
    notes = list(raw.get("note") or [])
    return [*notes, annotation(stamp, text)] if text else notes or None
