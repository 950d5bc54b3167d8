"""A person decides a conflict: mine, theirs or both. Every choice is first set on the fresh version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry
from clinician.cache.writing import Writing
from clinician.errors import Environment, UserProblem
from clinician.fhir.reference import Raw
from clinician.sync.colleague import task_of
from clinician.sync.line import Line
from clinician.sync.merge import Kind, apply_changes, changed_paths, three_way
from clinician.sync.notice import closing, queue_closing
from clinician.sync.rebase import Moved, facts_of, rebased, replace_act
from clinician.sync.settle import Theirs, carried_to, look, resolved
from clinician.sync.successor import also_moved, has_begun, replaced_by, successors
from clinician.texts import lazy

L = lazy("sync")
NO_PICKS: Final[Mapping[str, str]] = {}
MINE: Final = "mine"
THEIRS: Final = "theirs"
MERGED: Final = "merged"
FIELDS: Final = "fields"
"""Field by field, as a person marked them."""


def choices(rows: Sequence[ConflictRow]) -> tuple[str, ...]:
    """What may be chosen: 'merged' only where the two can stand together."""
    both = all(row.merged is not None for row in rows)
    gone = any(row.theirs is None for row in rows)
    fields = not gone and all(row.kind == Kind.OVERLAP for row in rows)
    return (THEIRS, *(() if gone else (MINE,)), *((MERGED,) if both else ()), *((FIELDS,) if fields else ()))


def decide(line: Line, op_id: str, choice: str, by: str, picks: Mapping[str, str] = NO_PICKS) -> str:
    """Carry out a decision; gives the op_id of the act that goes on, '' when none does.

    picks: for 'fields', element ('Type.element' where the act has several conflicts) → 'mine' or 'theirs';
    what is not named stays mine where only mine changed it, else theirs. Orders and what somebody ended are
    never mixed: there 'fields' is not open.

    by: 'Practitioner/…' of the named person. Works offline on what was last seen of the record; a
    newer change is met again as a conflict, never overwritten. Raises UserProblem when the choice is
    not open.
    """
    found, rows = line.write(lambda writing: (writing.outbox.get(op_id), writing.conflicts.rows(op_id)))
    act = _still_open(found)
    if choice not in choices(rows):
        raise _not_open()
    fresh = _fresh(line, rows)
    now = line.clock.now()

    def work(writing: Writing) -> str:
        _still_open(writing.outbox.get(op_id))  # decided meanwhile: here, or by a colleague on another PC
        line.put(writing, [found.row for found in fresh.values() if found.row is not None])
        writing.conflicts.decide(op_id, choice, by, now)
        told = closing(writing, task_of(writing, act), choice, by, now)
        if choice == THEIRS:
            return _give_way(writing, act, told, by, now)
        return _go_on(writing, act, rows, fresh, choice, told, by, now, picks)

    return line.write(work, durable=True)


def _still_open(act: ActRow | None) -> ActRow:
    if act is None or act.state is not ActState.CONFLICT:
        raise _not_open()
    return act


def _not_open() -> UserProblem:
    return UserProblem(L("This choice is not open any more. Look at the list again."), field="choice")


def _fresh(line: Line, rows: Sequence[ConflictRow]) -> dict[str, Theirs]:
    """The record's newest version of each; offline what was seen when the conflict was found."""
    try:
        return look(line, [row.ref for row in rows])
    except Environment:
        return {row.ref: Theirs(row.theirs, row.theirs_version, None, 200) for row in rows}


def _go_on(
    writing: Writing,
    act: ActRow,
    rows: Sequence[ConflictRow],
    fresh: Mapping[str, Theirs],
    choice: str,
    told: Entry | None,
    by: str,
    now: datetime,
    picks: Mapping[str, str],
) -> str:
    moved = {row.ref: _moved(row, fresh[row.ref], choice, picks) for row in rows}
    entries = tuple(resolved(writing, entry) for entry in writing.outbox.entries(act.op_id))
    for ref, heir in successors(entries).items():
        new = carried_to(heir, entries, fresh[ref]) if ref in fresh else None
        if new is not None:
            moved[heir.ref] = Moved(new, None, None)
    mine = {ref: one.raw for ref, one in moved.items()}
    more = (*_without_doubles(writing, entries, mine), *_but_written(told, entries))
    return rebased(writing, act, (*entries, *more), moved, now, by).op_id


def _but_written(told: Entry | None, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return () if told is None or told.ref in {entry.ref for entry in entries} else (told,)


def _without_doubles(
    writing: Writing, entries: Sequence[Entry], mine: Mapping[str, Raw]
) -> tuple[Entry, ...]:
    """Where they moved the same visit too, theirs is closed as mine closed the old one: one is left."""
    ended = []
    for other in also_moved(writing, entries, mine):
        if has_begun(other.raw):
            raise UserProblem(
                L(
                    "Somebody has already begun or ended the visit that the other one was moved to. Nothing "
                    "was changed. Let the version of the record stand."
                ),
                field="choice",
            )
        old = mine[replaced_by(other.raw)]
        why = {key: old[key] for key in ("cancelationReason",) if key in old}
        closed = {**other.raw, "status": "cancelled", **why}
        version, op_id = writing.base_of(other.ref)
        ended.append(Entry(other.ref, closed, version, op_id, other.raw))
    return tuple(ended)


def _moved(row: ConflictRow, theirs: Theirs, choice: str, picks: Mapping[str, str]) -> Moved:
    """My changes laid on the fresh version; what I did not touch stays as the record has it."""
    now = theirs.raw
    if now is None:
        return Moved(row.mine, None, None)
    if row.base is None:
        return Moved(_with_meta(row.mine, now), now, theirs.version)
    if choice == MERGED:
        merged = three_way(row.base, row.mine, now).merged
        if merged is not None:
            return Moved(merged, now, theirs.version)
    paths = changed_paths(row.base, row.mine)
    if choice == FIELDS:
        paths = frozenset(path for path in paths if _is_mine(row, path, changed_paths(row.base, now), picks))
    return Moved(apply_changes(now, row.mine, paths), now, theirs.version)


def _is_mine(row: ConflictRow, path: str, theirs: frozenset[str], picks: Mapping[str, str]) -> bool:
    element = path.partition("[")[0]
    named = picks.get(element) or picks.get(f"{row.mine['resourceType']}.{element}")
    return named == MINE if named else path not in theirs


def _with_meta(mine: Raw, theirs: Raw) -> Raw:
    return {**mine, "meta": theirs["meta"]} if "meta" in theirs else mine


def _give_way(writing: Writing, act: ActRow, told: Entry | None, by: str, now: datetime) -> str:
    """The record's version stands. What has happened (a measurement, a note) is still sent."""
    facts = facts_of(writing, act)
    if facts:
        return replace_act(writing, act, (*facts, *_but_written(told, facts)), now, by).op_id
    if told is not None:
        queue_closing(writing, act, told, now)
    writing.outbox.transition(act.op_id, ActState.CONFLICT, ActState.WITHDRAWN)
    writing.drop_overlay(act.op_id)
    return ""


__all__ = ["FIELDS", "MERGED", "MINE", "THEIRS", "Entry", "Kind", "choices", "decide"]
