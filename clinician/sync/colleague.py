"""A conflict is settled by whoever is there: the Task carries the whole act, and the first decision holds.

A colleague takes the act over on another PC and decides it there as her own; what goes on and the end of the
Task are one transaction, so two people cannot both decide. The first PC sees the Task ended and lets go.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry, NewAct
from clinician.cache.conflicts import tasks_of
from clinician.cache.outbox_rows import text_from_json, text_to_json
from clinician.cache.reading import Raw
from clinician.cache.tables import moment_text
from clinician.cache.writing import Writing
from clinician.errors import UserProblem
from clinician.fhir.times import earliest_or_none
from clinician.sync.line import Line
from clinician.sync.notice import DECISION, WHOLE, is_notice, tell_decided
from clinician.sync.rebase import facts_of, replace_act
from clinician.texts import lazy

L = lazy("sync")


def take_over(line: Line, task_ref: str) -> str:
    """The op_id under which the conflict a Task tells of is open on this PC; taken over if it is not yet.

    Raises UserProblem when somebody has decided it, or the Task does not carry the act.
    """
    return line.write(lambda writing: _take_over(writing, task_ref), durable=True)


def _take_over(writing: Writing, task_ref: str) -> str:
    for act in writing.outbox.rows(states={ActState.CONFLICT}):
        if task_ref in _tasks_of(writing, act):
            return act.op_id
    task = writing.reading.get(task_ref)
    whole = _whole_of(task.raw) if task is not None and task.raw.get("status") != "completed" else None
    if whole is None:
        raise UserProblem(L("This has been decided already, or cannot be decided from this PC."))
    op_id = str(uuid.uuid4())
    writing.outbox.insert(_act(whole, op_id, task_ref), state=ActState.CONFLICT)
    for row in whole["rows"]:
        writing.conflicts.insert(_row(row, op_id))
    return op_id


def heed(line: Line) -> int:
    """Let go of what a colleague has decided; gives how many."""
    now = line.clock.now()
    return line.write(lambda writing: _heed(writing, now), durable=True)


def _heed(writing: Writing, now: datetime) -> int:
    count = 0
    for act in writing.outbox.rows(states={ActState.CONFLICT}):
        ended = next((raw for ref in _tasks_of(writing, act) if (raw := _ended(writing, ref))), None)
        if ended is not None:
            choice, by, when = _decision(ended)
            writing.conflicts.decide(act.op_id, choice, by, when or now)
            _let_go(writing, act, ended, now)
            tell_decided(writing, act, choice, by, now)
            count += 1
    return count


def _let_go(writing: Writing, act: ActRow, ended: Raw, now: datetime) -> None:
    """A colleague's decision took along what has happened; a Task that was merely ended did not."""
    facts = () if _said(ended) else facts_of(writing, act)
    if facts:
        replace_act(writing, act, facts, now)
    else:
        writing.outbox.transition(act.op_id, ActState.CONFLICT, ActState.WITHDRAWN)


def _ended(writing: Writing, ref: str) -> Raw | None:
    """The Task as the record has it, when somebody has ended it there."""
    seen = writing.synced(ref)
    return seen.raw if seen is not None and seen.raw.get("status") == "completed" else None


def _tasks_of(writing: Writing, act: ActRow) -> tuple[str, ...]:
    """Tasks that tell of this act, or that it would have ended."""
    own, taken_over = tasks_of(act)
    written = [entry.ref for entry in writing.outbox.entries(act.op_id) if is_notice(entry.raw)]
    return (taken_over if writing.reading.get(taken_over) is not None else own, *written)


def task_of(writing: Writing, act: ActRow) -> str:
    """The Task that a decision of this act ends."""
    return _tasks_of(writing, act)[0]


def _decision(task: Raw) -> tuple[str, str, datetime | None]:
    note: Raw = next(iter(task.get("note", ())), {})
    return (
        (_said(task) or ["theirs"])[0],
        str(note.get("authorString", "")),
        earliest_or_none(note.get("time")),
    )


def _said(task: Raw) -> list[str]:
    return [one.get("valueString", "") for one in task.get("output", ()) if _named(one) == DECISION]


def _named(one: Raw) -> str:
    return str(one.get("type", {}).get("text", ""))


# the whole act in a Task ------------------------------------------------------------------------


def whole(act: ActRow, entries: Sequence[Entry], rows: Sequence[ConflictRow], provenance: Raw) -> str:
    """Everything a colleague needs to go on with an act, as JSON."""
    return json.dumps(
        {
            "kind": act.kind,
            "aggregate": act.aggregate,
            "patient": act.patient_ref,
            "who": act.who_ref,
            "who_name": act.who_name,
            "workplace": act.workplace_ref,
            "label": text_to_json(act.label),
            "created": moment_text(act.created),
            "provenance": provenance,
            "entries": [[entry.ref, entry.raw, entry.base_version, entry.base] for entry in entries],
            "rows": [_as_json(row) for row in rows],
        },
        ensure_ascii=False,
    )


def _as_json(row: ConflictRow) -> Raw:
    held = {name: getattr(row, name) for name in ("ref", "kind", "base", "mine", "theirs", "merged")}
    held |= {"theirs_version": row.theirs_version, "theirs_author": row.theirs_author}
    return held | {
        "theirs_when": moment_text(row.theirs_when) if row.theirs_when else "",
        "noticed": moment_text(row.noticed),
    }


def _row(held: Raw, op_id: str) -> ConflictRow:
    times = {name: datetime.fromisoformat(held[name]) if held[name] else None for name in _TIMES}
    return ConflictRow(op_id=op_id, **{**held, **times})


_TIMES: Final = ("theirs_when", "noticed")


def _whole_of(task: Raw) -> dict[str, Any] | None:
    held = [one.get("valueString", "") for one in task.get("input", ()) if _named(one) == WHOLE]
    return dict(json.loads(held[0])) if held else None


def _act(held: dict[str, Any], op_id: str, task_ref: str) -> NewAct:
    return NewAct(
        op_id=op_id,
        group=task_ref.partition("/")[2],
        kind=held["kind"],
        aggregate=held["aggregate"],
        patient_ref=held["patient"],
        who_ref=held["who"],
        who_name=held["who_name"],
        workplace_ref=held["workplace"],
        label=text_from_json(held["label"]),
        created=datetime.fromisoformat(held["created"]),
        provenance=held["provenance"],
        entries=tuple(Entry(ref, raw, version, None, base) for ref, raw, version, base in held["entries"]),
    )
