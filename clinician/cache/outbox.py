"""The outbox inside the writer: acts go in once, move by compare-and-set, and never change once frozen.

When bytes freeze: an act made only from what the record has sent is frozen when it is queued. One
made from another act that is not yet confirmed cannot know its If-Match; it keeps its signed
resources and is frozen at first send, when the act beneath it has an answer. Either way the resources
are those that were signed (a trigger refuses any other), and from first send on so are the bytes.

When the act beneath was withdrawn after a conflict, the If-Match is the version *that* act was made
from. The record has moved on, answers 412, and the difference meets the record's version by a
three-way merge: nothing of the withdrawn act slips in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import MOVES, TERMINAL, ActRow, ActState, Entry, NewAct
from clinician.cache.body import Press
from clinician.cache.outbox_rows import OutboxReader, text_to_json
from clinician.cache.reading import Raw
from clinician.fhir.bundles import put_entry, transaction
from clinician.fhir.reference import references_in, relative

_BOX = tables.outbox
_REFS = tables.outbox_ref
_AFTER = tables.outbox_after
_SENT = frozenset({ActState.SENDING, ActState.UNKNOWN})
_OP: sa.BindParameter[str] = sa.bindparam("op")
_SENT_AT = "last_sent"
"""A move that sets it is an attempt."""
_REFS_OF = sa.select(_REFS.c.ref).where(_REFS.c.op_id == _OP).order_by(_REFS.c.place)
_SHA256 = sa.select(_BOX.c.sha256).where(_BOX.c.op_id == _OP)
_ANSWERED = (
    sa.update(_REFS)
    .where(_REFS.c.op_id == _OP, _REFS.c.ref == sa.bindparam("of"))
    .values(version_after=sa.bindparam("version"))
)
_MAKERS = (
    sa.select(_BOX.c.op_id)
    .join(_REFS, _REFS.c.op_id == _BOX.c.op_id)
    .where(
        _BOX.c.state.not_in(sorted(TERMINAL)),
        _REFS.c.base.is_(None),
        _REFS.c.ref.in_(sa.bindparam("mentioned", expanding=True)),
    )
)


@lru_cache(maxsize=64)
def _move(names: tuple[str, ...]) -> sa.Update:
    """These columns anew, where the act is in an expected state. Built once, as in outbox_rows."""
    new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
    if _SENT_AT in new:
        new["attempts"] = _BOX.c.attempts + 1
        new["first_sent"] = sa.func.coalesce(_BOX.c.first_sent, sa.bindparam("sent", type_=sa.String))
    expected = _BOX.c.state.in_(sa.bindparam("expected", expanding=True))
    return sa.update(_BOX).where(_BOX.c.op_id == _OP, expected).values(new)


class Surroundings(Protocol):
    """What the outbox asks of the writer it works in."""

    def drop_overlay(self, op_id: str) -> None: ...
    def act_moved(self, op_id: str, refs: Iterable[str]) -> None: ...
    def version_of(self, ref: str) -> str | None: ...
    def guards_creates(self) -> bool: ...


class Outbox(OutboxReader):
    """Puts acts in and moves them."""

    def __init__(self, connection: sa.Connection, press: Press, around: Surroundings) -> None:
        super().__init__(connection, press)
        self._around = around

    def insert(self, act: NewAct, state: ActState = ActState.QUEUED) -> ActRow:
        """Put an act in. Overlays are the caller's (`Writing.put_overlay`), in the same transaction."""
        if not act.entries:
            raise ValueError("an act writes something")
        after = self._dependencies(act)
        self._connection.execute(sa.insert(_BOX).values(self._values(act, state)))
        rows = [self._entry_values(act.op_id, place, entry) for place, entry in enumerate(act.entries)]
        self._connection.execute(sa.insert(_REFS), rows)
        if after:
            self._connection.execute(sa.insert(_AFTER), [{"op_id": act.op_id, "after": op} for op in after])
        if state == ActState.QUEUED and all(entry.base_op is None for entry in act.entries):
            self.freeze(act.op_id)
        self._around.act_moved(act.op_id, [entry.ref for entry in act.entries])
        return self._required(act.op_id)

    def freeze(self, op_id: str) -> bytes:
        """The transaction Bundle of an act; made once, the same bytes for ever after (I11).

        Raises ValueError while an act beneath it has no answer yet.
        """
        frozen = self.bundle(op_id)
        if frozen is not None:
            return frozen
        guard = self._around.guards_creates()
        parts = [self._part(entry, guard) for entry in self.entries(op_id)]
        parts.append(put_entry(self.provenance(op_id)))
        made = orjson.dumps(transaction(parts))
        self._connection.execute(
            sa.update(_BOX).where(_BOX.c.op_id == op_id).values(bundle=made, sha256=sha256(made).hexdigest())
        )
        return made

    def transition(
        self,
        op_id: str,
        expect: ActState | Iterable[ActState],
        to: ActState,
        *,
        status: int | None = None,
        issue: str | None = None,
        next_at: datetime | None = None,
        sent_at: datetime | None = None,
    ) -> bool:
        """Move an act if it is in an expected state; False when it is not. ValueError: no such move.

        to SENDING: the bundle must be frozen, sent_at is required and counts as an attempt.
        to APPLIED: use `applied`. to WITHDRAWN drops the overlay.
        """
        expected = frozenset({expect}) if isinstance(expect, ActState) else frozenset(expect)
        self._check_move(op_id, expected, to)
        values: dict[str, Any] = {"state": to.value, "next_at": next_at}
        if status is not None:
            values["last_status"] = status
        if issue is not None:
            values["last_issue"] = issue
        if to == ActState.SENDING:
            values |= self._attempt(op_id, sent_at)
        if not self._set(op_id, expected, values):
            return False
        if to == ActState.WITHDRAWN:
            self._around.drop_overlay(op_id)
        if to == ActState.QUEUED and all(entry.base_op is None for entry in self.entries(op_id)):
            self.freeze(op_id)
        return True

    def applied(self, op_id: str, versions: Mapping[str, str]) -> bool:
        """The record has it: keep the versions it answered (by ref), drop the overlay.

        Call `Writing.put_synced` with the answered rows first, in the same transaction.
        """
        if not self._set(op_id, _SENT, {"state": ActState.APPLIED.value, "next_at": None}):
            return False
        for entry in self.entries(op_id):
            version = versions.get(entry.ref) or self._around.version_of(entry.ref)
            self._connection.execute(_ANSWERED, {"op": op_id, "of": entry.ref, "version": version})
        self._around.drop_overlay(op_id)
        return True

    def supersede(self, old_op: str, new_op: str) -> bool:
        """A conflict was decided by a new act: the old one is withdrawn, its dependants wait for the new."""
        if not self._set(
            old_op,
            frozenset({ActState.CONFLICT}),
            {"state": ActState.WITHDRAWN.value, "superseded_by": new_op, "next_at": None},
        ):
            return False
        waiting = [op for op in self.dependants(old_op) if op != new_op]
        self._connection.execute(
            sa.update(_AFTER)
            .where(_AFTER.c.after == old_op, _AFTER.c.op_id.in_(waiting))
            .values(after=new_op)
        )
        self._around.drop_overlay(old_op)
        return True

    def reset_stale(self, before: datetime, living: Collection[str] = ()) -> int:
        """Acts somebody began to send before `before` and nobody sends any more become unknown.

        living: op_ids that are being sent now, however long it takes.
        """
        stale = [
            act
            for act in self.rows(states={ActState.SENDING})
            if act.op_id not in living and (act.last_sent is None or act.last_sent < before)
        ]
        for act in stale:
            self.transition(act.op_id, ActState.SENDING, ActState.UNKNOWN, issue="nobody was sending it")
        return len(stale)

    # how it is done

    def _required(self, op_id: str) -> ActRow:
        found = self.get(op_id)
        if found is None:
            raise ValueError("no such act")
        return found

    def _check_move(self, op_id: str, expected: frozenset[ActState], to: ActState) -> None:
        wrong = [state for state in expected if to not in MOVES[state]]
        if wrong or to == ActState.APPLIED:
            raise ValueError(f"an act does not go from {', '.join(sorted(wrong)) or 'there'} to {to}")
        if to == ActState.WITHDRAWN and ActState.CONFLICT not in expected and self.dependants(op_id):
            raise ValueError("later acts are built upon this one")

    def _attempt(self, op_id: str, sent_at: datetime | None) -> dict[str, Any]:
        if sent_at is None or not self._connection.execute(_SHA256, {"op": op_id}).scalar():
            raise ValueError("an act is frozen and has a time when it is sent")
        return {_SENT_AT: sent_at}

    def _set(self, op_id: str, expected: frozenset[ActState], values: dict[str, Any]) -> bool:
        given = {f"new_{name}": value for name, value in values.items()}
        given |= {"op": op_id, "expected": sorted(expected)}
        if _SENT_AT in values:
            given["sent"] = tables.moment_text(values[_SENT_AT])
        moved = self._connection.execute(_move(tuple(values)), given)
        if moved.rowcount != 1:
            return False
        self._around.act_moved(op_id, self._connection.execute(_REFS_OF, {"op": op_id}).scalars().all())
        return True

    def _dependencies(self, act: NewAct) -> list[str]:
        """Unfinished acts this one is made from, or that make a resource it points to."""
        bases = {entry.base_op for entry in act.entries if entry.base_op is not None}
        own = {entry.ref for entry in act.entries}
        mentioned = {relative(ref) for entry in act.entries for _, ref in references_in(entry.raw)} - own
        makers = self._connection.execute(_MAKERS, {"mentioned": sorted(mentioned)}).scalars()
        return sorted(bases | set(makers))

    def _part(self, entry: Entry, guard: bool) -> Raw:
        """One entry of the bundle: a create is PUT with our id, an update PUT with If-Match."""
        if_match = self._if_match(entry)
        part = put_entry(as_sent(entry.raw), if_match)
        if if_match is None and guard:
            part["request"]["ifNoneMatch"] = "*"
        return part

    def _if_match(self, entry: Entry) -> str | None:
        """The version an entry was made from, through the acts beneath it; None for a create."""
        while entry.base_op is not None:
            below = self._required(entry.base_op)
            entry = next(one for one in self.entries(below.op_id) if one.ref == entry.ref)
            if below.state == ActState.APPLIED:
                return entry.version_after
            if below.state != ActState.WITHDRAWN:
                raise ValueError("the act beneath has no answer yet")
        return entry.base_version

    def _values(self, act: NewAct, state: ActState) -> dict[str, Any]:
        return {
            "op_id": act.op_id,
            "group_id": act.group,
            "kind": act.kind,
            "aggregate": act.aggregate,
            "patient": act.patient_ref,
            "who": act.who_ref,
            "who_name": act.who_name,
            "workplace": act.workplace_ref,
            "label": text_to_json(act.label),
            "state": state.value,
            "created": act.created,
            "provenance": self._press.pack(orjson.dumps(act.provenance)),
            "sha256": "",
            "attempts": 0,
            "last_issue": "",
            "superseded_by": "",
            "corrects": act.corrects,
        }

    def _entry_values(self, op_id: str, place: int, entry: Entry) -> dict[str, Any]:
        return {
            "op_id": op_id,
            "place": place,
            "ref": entry.ref,
            "body": self._press.pack(orjson.dumps(entry.raw)),
            "base_version": entry.base_version,
            "base_op": entry.base_op,
            "base": None if entry.base is None else self._press.pack(orjson.dumps(entry.base)),
        }


def as_sent(raw: Raw) -> Raw:
    """A resource without what only the record may say of it (its version and when it got it)."""
    meta = raw.get("meta")
    if not isinstance(meta, dict):
        return raw
    kept = {key: value for key, value in meta.items() if key not in ("versionId", "lastUpdated")}
    rest = {key: value for key, value in raw.items() if key != "meta"}
    return {"resourceType": raw["resourceType"], "id": raw["id"], "meta": kept} | rest if kept else rest
