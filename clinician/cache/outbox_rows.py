"""Reading the outbox: acts, what they write, and which may be sent now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import PENDING, TERMINAL, ActRow, ActState, Entry
from clinician.cache.attachments import waiting_acts
from clinician.cache.body import Press
from clinician.cache.reading import Raw
from clinician.texts import Text

_MOVING = frozenset({ActState.QUEUED, ActState.SENDING, ActState.UNKNOWN})

# Each question is built once: building one anew took longer than asking it (docs/decisions/syncspeed.md).
_BOX: Final = tables.outbox.c
_AFTER: Final = tables.outbox_after.c
_REFS: Final = tables.outbox_ref.c
_OP: Final[sa.BindParameter[str]] = sa.bindparam("op_id")
_ENTRIES: Final = sa.select(tables.outbox_ref).where(_REFS.op_id == _OP).order_by(_REFS.place)
_BUNDLE: Final = sa.select(_BOX.bundle).where(_BOX.op_id == _OP)
_PROVENANCE: Final = sa.select(_BOX.provenance).where(_BOX.op_id == _OP)
_UNFINISHED: Final = _BOX.state.not_in(sorted(TERMINAL))
_DEPENDANTS: Final = (
    sa.select(_BOX.op_id)
    .join(tables.outbox_after, _AFTER.op_id == _BOX.op_id)
    .where(_AFTER.after == _OP, _UNFINISHED)
    .order_by(_BOX.seq)
)
_WRITERS: Final = (
    sa.select(_BOX.op_id)
    .join(tables.outbox_ref, _REFS.op_id == _BOX.op_id)
    .where(_REFS.ref == sa.bindparam("ref"), _UNFINISHED)
    .order_by(_BOX.seq)
)
_CORRECTION: Final = sa.select(_BOX.op_id).where(_BOX.corrects == _OP, _BOX.state != ActState.WITHDRAWN.value)
_FILTERS: Final = {
    "op_id": _BOX.op_id == _OP,
    "states": _BOX.state.in_(sa.bindparam("states", expanding=True)),
    "aggregate": _BOX.aggregate == sa.bindparam("aggregate"),
    "group": _BOX.group_id == sa.bindparam("group"),
    "patient_ref": _BOX.patient == sa.bindparam("patient_ref"),
    "sent_since": _BOX.last_sent >= sa.bindparam("sent_since"),
}


class _Questions(NamedTuple):
    """Acts that fit, what they wait for, and what they write."""

    acts: sa.Select[Any]
    after: sa.Select[str, str]
    refs: sa.Select[str, str]


@lru_cache(maxsize=64)
def _questions(names: tuple[str, ...]) -> _Questions:
    wanted = [_FILTERS[name] for name in names]
    columns = [column for column in _BOX if column.name not in ("provenance", "bundle")]
    some = sa.select(_BOX.op_id).where(*wanted)
    return _Questions(
        sa.select(*columns).where(*wanted).order_by(_BOX.seq),
        sa.select(_AFTER.op_id, _AFTER.after).where(_AFTER.op_id.in_(some)),
        sa.select(_REFS.op_id, _REFS.ref).where(_REFS.op_id.in_(some)).order_by(_REFS.op_id, _REFS.place),
    )


def text_to_json(text: Text) -> str:
    """A Text as kept: its source string, so that it is shown in the language of whoever looks."""
    return orjson.dumps(_flat(text)).decode("utf-8")


def _flat(value: object) -> object:
    if isinstance(value, Text):
        params = {key: _flat(inner) for key, inner in value.params.items()}
        return {"domain": value.domain, "msgid": value.msgid, "params": params, "context": value.context}
    return value if isinstance(value, str | int | float) else str(value)


def text_from_json(kept: str) -> Text:
    """The Text again."""
    return _text(orjson.loads(kept))


def _text(held: dict[str, Any]) -> Text:
    params = {key: _text(v) if isinstance(v, dict) else v for key, v in held["params"].items()}
    return Text(held["domain"], held["msgid"], params, held["context"])


class OutboxReader:
    """Reads the outbox on any connection."""

    def __init__(self, connection: sa.Connection, press: Press) -> None:
        self._connection = connection
        self._press = press

    def get(self, op_id: str) -> ActRow | None:
        """One act."""
        found = self._select({"op_id": op_id})
        return found[0] if found else None

    def rows(
        self,
        *,
        states: Iterable[ActState] | None = None,
        aggregate: str | None = None,
        group: str | None = None,
        patient_ref: str | None = None,
        sent_since: datetime | None = None,
    ) -> tuple[ActRow, ...]:
        """Acts in the order they were done."""
        given = {
            "states": None if states is None else sorted(states),
            "aggregate": aggregate,
            "group": group,
            "patient_ref": patient_ref,
            "sent_since": sent_since,
        }
        return self._select({name: value for name, value in given.items() if value is not None})

    def entries(self, op_id: str) -> tuple[Entry, ...]:
        """What an act writes, in the order it was built."""
        return tuple(self._entry(row) for row in self._connection.execute(_ENTRIES, {"op_id": op_id}))

    def bundle(self, op_id: str) -> bytes | None:
        """The frozen transaction, or None while it is not frozen."""
        found: bytes | None = self._connection.execute(_BUNDLE, {"op_id": op_id}).scalar()
        return found

    def provenance(self, op_id: str) -> Raw:
        """The Provenance of an act."""
        return self._press.read(self._connection.execute(_PROVENANCE, {"op_id": op_id}).scalar_one())

    def dependants(self, op_id: str) -> tuple[str, ...]:
        """Acts not yet finished that were made after and upon this one."""
        return tuple(self._connection.execute(_DEPENDANTS, {"op_id": op_id}).scalars())

    def writers_of(self, ref: str) -> tuple[str, ...]:
        """Unfinished acts that write a resource, oldest first."""
        return tuple(self._connection.execute(_WRITERS, {"ref": ref}).scalars())

    def correction_of(self, op_id: str) -> str:
        """The act that takes this one back, or ''."""
        return self._connection.execute(_CORRECTION, {"op_id": op_id}).scalar() or ""

    def ready(self, now: datetime) -> tuple[ActRow, ...]:
        """Acts that may be sent now: at most one of each aggregate, in the order they were done.

        An act waits for an earlier one of its aggregate that is still on its way, and for every act
        it depends on. One that stands still (conflict, refused, parked, or waiting for an attachment to be
        at the record) holds only its dependants.
        """
        pending = self.rows(states=PENDING)
        place = {act.op_id: act for act in pending}
        held: set[str] = set(waiting_acts(self._connection))
        passed: set[str] = set()
        taken: set[str] = set()
        found: list[ActRow] = []
        for act in pending:
            waits = [place[op] for op in act.depends_on if op in place]
            if act.op_id in held or act.state not in _MOVING or any(_stands(one, held) for one in waits):
                held.add(act.op_id)
            elif any(one.seq > act.seq or one.op_id in passed for one in waits):
                passed.add(act.op_id)  # it waits for the act that took the place of an older one
            elif act.aggregate not in taken:
                taken.add(act.aggregate)
                if not waits and _is_due(act, now):
                    found.append(act)
        return tuple(found)

    def _select(self, given: dict[str, Any]) -> tuple[ActRow, ...]:
        asked = _questions(tuple(given))
        rows = self._connection.execute(asked.acts, given).all()
        lists: dict[str, tuple[list[str], list[str]]] = {row.op_id: ([], []) for row in rows}
        if rows:
            for op_id, other in self._connection.execute(asked.after, given):
                lists[op_id][0].append(other)
            for op_id, ref in self._connection.execute(asked.refs, given):
                lists[op_id][1].append(ref)
        return tuple(_act(row, *lists[row.op_id]) for row in rows)

    def _entry(self, row: Any) -> Entry:
        return Entry(
            row.ref,
            self._press.read(row.body),
            row.base_version,
            row.base_op,
            None if row.base is None else self._press.read(row.base),
            row.version_after,
        )


def _act(row: Any, depends_on: list[str], refs: list[str]) -> ActRow:
    return ActRow(
        op_id=row.op_id,
        seq=row.seq,
        group=row.group_id,
        kind=row.kind,
        aggregate=row.aggregate,
        patient_ref=row.patient,
        who_ref=row.who,
        who_name=row.who_name,
        workplace_ref=row.workplace,
        label=text_from_json(row.label),
        state=ActState(row.state),
        created=row.created,
        depends_on=tuple(depends_on),
        refs=tuple(refs),
        attempts=row.attempts,
        first_sent=row.first_sent,
        last_sent=row.last_sent,
        next_at=row.next_at,
        last_status=row.last_status,
        last_issue=row.last_issue,
        sha256=row.sha256,
        superseded_by=row.superseded_by,
        corrects=row.corrects,
    )


def _stands(act: ActRow, held: set[str]) -> bool:
    return act.op_id in held or act.state not in _MOVING


def _is_due(act: ActRow, now: datetime) -> bool:
    return act.state != ActState.SENDING and (act.next_at is None or act.next_at <= now)
