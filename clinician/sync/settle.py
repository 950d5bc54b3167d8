"""What to do when somebody was first: rebase by machine where the rule allows it, else park it in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import orjson

from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry
from clinician.cache.synced import SyncedRow
from clinician.cache.writing import Writing
from clinician.fhir.bundles import Response, head, slices
from clinician.fhir.reference import Raw
from clinician.record.answer import Answer, broken_answer
from clinician.record.client import BatchEntry
from clinician.sync.classes import Class, class_of
from clinician.sync.colleague import whole
from clinician.sync.line import Line
from clinician.sync.merge import Kind, Merge, content, three_way
from clinician.sync.notice import tell_record
from clinician.sync.pages import instant
from clinician.sync.rebase import Moved, author_of, rebased
from clinician.sync.successor import carried, replaced_by, successors

_FROM = frozenset({ActState.SENDING, ActState.UNKNOWN})
_TELLING = frozenset({200, 404, 410})
"""Statuses that say what the record holds of a resource: this, or nothing."""


class Settled(Enum):
    """How a collision ended."""

    REBASED = "rebased"
    CONFLICT = "conflict"
    NOTHING_MOVED = "nothing moved"


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the record holds now of one resource of an act. raw None: deleted or never there."""

    raw: Raw | None
    version: str
    row: SyncedRow | None
    status: int


def settle(line: Line, act: ActRow, answer: Answer) -> Settled:
    """Read what the record holds, merge each moved resource by its rule, and rebase or park the act."""
    entries = line.write(lambda writing: _with_versions(writing, act.op_id))
    theirs = look(line, [entry.ref for entry in entries])
    moved = [entry for entry in entries if _has_moved(entry, theirs[entry.ref])]
    if not moved:
        return Settled.NOTHING_MOVED
    merges = {entry.ref: _merge(entry, theirs[entry.ref]) for entry in moved}
    heirs = successors(entries)
    follow = {ref: carried_to(heirs[ref], entries, theirs[ref]) for ref in merges.keys() & heirs.keys()}
    if all(merge.kind is Kind.CLEAN for merge in merges.values()) and None not in follow.values():
        new = {heirs[ref].ref: Moved(raw, None, None) for ref, raw in follow.items() if raw is not None}
        _rebase(line, act, entries, merges, theirs, new)
        return Settled.REBASED
    for ref in follow:
        merges[ref] = _with_heir(merges[ref], follow[ref])
    authors = {entry.ref: author_of(line, entry.ref, theirs[entry.ref].raw) for entry in moved}
    _park(line, act, moved, merges, theirs, authors, answer)
    return Settled.CONFLICT


def carried_to(heir: Entry, entries: Sequence[Entry], theirs: Theirs) -> Raw | None:
    """What my act puts in the place of a resource, with what they did to that; None: a person must look."""
    old = next(entry for entry in entries if entry.ref == replaced_by(heir.raw))
    if old.base is None or theirs.raw is None:
        return None
    return carried(heir.raw, old.base, theirs.raw)


def _with_heir(merge: Merge, follow: Raw | None) -> Merge:
    """Both of two moves would leave two visits; and what cannot follow to the new time is for a person."""
    if merge.kind is Kind.CLEAN:
        return merge if follow is not None else replace(merge, kind=Kind.OVERLAP, merged=None)
    return replace(merge, merged=None)


def _with_versions(writing: Writing, op_id: str) -> tuple[Entry, ...]:
    """Entries with the base version each was really sent with: that of the act it was made from."""
    return tuple(resolved(writing, entry) for entry in writing.outbox.entries(op_id))


def resolved(writing: Writing, entry: Entry) -> Entry:
    """An entry made from an unsent act gets the version that act was answered with."""
    if entry.base_op is None:
        return entry
    before = {past.ref: past for past in writing.outbox.entries(entry.base_op)}.get(entry.ref)
    version = before.version_after if before is not None else None
    base = before.raw if before is not None else entry.base
    return Entry(entry.ref, entry.raw, version or entry.base_version, None, base, entry.version_after)


def look(line: Line, refs: Sequence[str]) -> dict[str, Theirs]:
    """The record's present version of each reference, in one batch. Raises what a batch raises."""
    answer = line.client.batch(BatchEntry("GET", ref) for ref in refs)
    responses = slices(answer.body).responses
    line.heard(answer)
    return {ref: _theirs(ref, response) for ref, response in zip(refs, responses, strict=True)}


def _theirs(ref: str, response: Response) -> Theirs:
    if response.status not in _TELLING:
        raise broken_answer(f"a read in a batch: {response.status}")  # silence about one is no deletion
    if response.status != 200 or not response.body:
        return Theirs(None, response.version, None, response.status)
    meta = head(response.body).meta
    version = (meta.versionId if meta else None) or response.version
    stamp = instant((meta.lastUpdated if meta else None) or "")
    type_, _, id_ = ref.partition("/")
    row = SyncedRow(type_, id_, version, stamp, response.body) if stamp else None
    return Theirs(orjson.loads(response.body), version, row, 200)


def _has_moved(entry: Entry, theirs: Theirs) -> bool:
    if entry.is_create:
        return theirs.raw is not None and content(theirs.raw) != content(entry.raw)
    return theirs.version != entry.base_version or theirs.raw is None


def _merge(entry: Entry, theirs: Theirs) -> Merge:
    if theirs.raw is None:
        return Merge(Kind.DELETED, None)
    if entry.base is None:
        return Merge(Kind.EXISTS, None)
    return three_way(entry.base, entry.raw, theirs.raw)


def _rebase(
    line: Line,
    act: ActRow,
    entries: Sequence[Entry],
    merges: dict[str, Merge],
    theirs: dict[str, Theirs],
    new: dict[str, Moved],
) -> None:
    moved = new | {
        ref: Moved(merge.merged, theirs[ref].raw, theirs[ref].version)
        for ref, merge in merges.items()
        if merge.merged is not None
    }

    def work(writing: Writing) -> None:
        if writing.outbox.transition(act.op_id, _FROM, ActState.CONFLICT, issue="rebased"):
            line.put(writing, [found.row for found in theirs.values() if found.row is not None])
            rebased(writing, act, entries, moved, line.clock.now())

    line.write(work, durable=True)


def _park(
    line: Line,
    act: ActRow,
    moved: Sequence[Entry],
    merges: dict[str, Merge],
    theirs: dict[str, Theirs],
    authors: dict[str, tuple[str, datetime | None]],
    answer: Answer,
) -> None:
    """Base, mine and theirs side by side, a Task at the record, and for orders theirs stay in force."""
    now = line.clock.now()

    def work(writing: Writing) -> None:
        issue = "; ".join(answer.reasons())[:2000]
        if not writing.outbox.transition(
            act.op_id, _FROM, ActState.CONFLICT, status=answer.status, issue=issue
        ):
            return
        line.put(writing, [found.row for found in theirs.values() if found.row is not None])
        rows = [_conflict(act, entry, merges[entry.ref], theirs, authors, now) for entry in moved]
        for row in rows:
            writing.conflicts.insert(row)
        if any(class_of(row.ref.partition("/")[0]) is Class.SAFETY for row in rows):
            writing.set_in_force(act.op_id, False)
        entries = _with_versions(writing, act.op_id)
        carried_act = whole(act, entries, rows, writing.outbox.provenance(act.op_id))
        tell_record(writing, act, rows, carried_act, now)

    line.write(work, durable=True)


def _conflict(
    act: ActRow,
    entry: Entry,
    merge: Merge,
    theirs: dict[str, Theirs],
    authors: dict[str, tuple[str, datetime | None]],
    now: datetime,
) -> ConflictRow:
    found = theirs[entry.ref]
    author, when = authors[entry.ref]
    return ConflictRow(
        op_id=act.op_id,
        ref=entry.ref,
        kind=merge.kind.value,
        base=entry.base,
        mine=entry.raw,
        theirs=found.raw,
        theirs_version=found.version,
        theirs_author=author,
        theirs_when=when,
        merged=merge.merged,
        noticed=now,
    )
