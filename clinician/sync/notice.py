"""Every conflict is also a Task at the record: it survives this PC, and somebody else can act on it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry, NewAct
from clinician.cache.conflicts import task_id
from clinician.cache.writing import Writing
from clinician.fhir.codes import CODE_TASK
from clinician.fhir.reference import Raw
from clinician.fhir.times import to_instant
from clinician.texts import Text, lazy, translator

_ = translator("sync")
L = lazy("sync")
KIND: Final = "sync-conflict"
WHOLE: Final = "act"
"""The input of the Task that carries the whole act, so that a colleague can go on with it."""
DECISION: Final = "decision"
"""The output of the ended Task: mine, theirs or merged."""


def is_notice(raw: Raw) -> bool:
    """Whether a resource is a Task that tells of a conflict."""
    codings = raw.get("code", {}).get("coding", ()) if raw.get("resourceType") == "Task" else ()
    return any(one.get("code") == KIND for one in codings)


def tell_record(
    writing: Writing, act: ActRow, rows: Sequence[ConflictRow], whole: str, now: datetime
) -> None:
    """Queue the Task; an act of its own, so that it does not wait behind the one that stands still."""
    if act.kind == KIND:
        return
    task = _task(act, rows, now)
    task["input"].append({"type": {"text": WHOLE}, "valueString": whole})
    _queue(writing, act, Entry(f"Task/{task['id']}", task), L("A change that needs a decision"), now)


def tell_decided(writing: Writing, act: ActRow, decision: str, by: str, now: datetime) -> None:
    """Close the Task in an act of its own, where nothing else of the act goes on."""
    entry = closing(writing, f"Task/{task_id(act.op_id)}", decision, by, now)
    if entry is not None:
        _queue(writing, act, entry, L("A change that was decided"), now)


def queue_closing(writing: Writing, act: ActRow, entry: Entry, now: datetime) -> None:
    """Send the end of the Task by itself."""
    _queue(writing, act, entry, L("A change that was decided"), now)


def closing(writing: Writing, ref: str, decision: str, by: str, now: datetime) -> Entry | None:
    """The Task as it ends with a decision; None where it is not here or has ended."""
    before = writing.reading.get(ref)
    if before is None or before.raw.get("status") == "completed":
        return None
    closed = {key: value for key, value in before.raw.items() if key != "meta"}
    closed |= {"status": "completed", "lastModified": to_instant(now)}
    closed["note"] = [{"text": _decided_text(decision), "authorString": by, "time": to_instant(now)}]
    closed["output"] = [{"type": {"text": DECISION}, "valueString": decision}]
    base_op = _last_writer(writing, ref)
    return Entry(ref, closed, None if base_op else before.version_id, base_op, before.raw)


def _last_writer(writing: Writing, ref: str) -> str | None:
    """The unsent act that wrote the Task, whose version is not known yet."""
    writers = writing.outbox.writers_of(ref)
    return writers[-1] if writers else None


def _decided_text(decision: str) -> str:
    if decision == "mine":
        return _("The version made offline was chosen.")
    if decision == "theirs":
        return _("The version of the central record was chosen.")
    if decision == "fields":
        return _("It was chosen field by field.")
    return _("Both versions were put together.")


def _task(act: ActRow, rows: Sequence[ConflictRow], now: datetime) -> Raw:
    task: Raw = {
        "resourceType": "Task",
        "id": task_id(act.op_id),
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": CODE_TASK, "code": KIND}]},
        "description": _(
            "Two people changed the same thing. {what} by {who} is not in force before somebody decides.",
            what=act.label.render(),
            who=act.who_name,
        ),
        "authoredOn": to_instant(now),
        "lastModified": to_instant(now),
        "requester": {"reference": act.who_ref},
        "input": [_mine(row) for row in rows],
    }
    if act.patient_ref:
        task["for"] = {"reference": act.patient_ref}
    known = [row.ref for row in rows if row.base is not None]
    if known:  # a link to what the parked act itself makes would hold the Task behind that act
        task["focus"] = {"reference": known[0]}
    return task


def _mine(row: ConflictRow) -> Raw:
    """The version that is not in force, so that it is not lost with this PC."""
    body = orjson.dumps({key: value for key, value in row.mine.items() if key != "meta"})
    return {"type": {"text": row.ref}, "valueString": body.decode()}


def _queue(writing: Writing, act: ActRow, entry: Entry, label: Text, now: datetime) -> None:
    op_id = str(uuid.uuid4())
    provenance: Raw = {
        "resourceType": "Provenance",
        "id": op_id,
        "target": [{"reference": entry.ref}],
        "recorded": to_instant(now),
        "agent": [{"who": {"reference": act.who_ref, "display": act.who_name}}],
    }
    writing.outbox.insert(
        NewAct(
            op_id=op_id,
            group=op_id,
            kind=KIND,
            aggregate=entry.ref,
            patient_ref=act.patient_ref,
            who_ref=act.who_ref,
            who_name=act.who_name,
            workplace_ref=act.workplace_ref,
            label=label,
            created=now,
            provenance=provenance,
            entries=(entry,),
        ),
        state=ActState.QUEUED,
    )
    writing.put_overlay(entry.ref, op_id, entry.raw)
