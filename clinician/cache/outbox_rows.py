"""Reading the outbox: acts, what they write, and which may be sent now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import PENDING, TERMINAL, ActRow, ActState, Entry
from clinician.cache.attachments import waiting_acts
from clinician.cache.body import Press
from clinician.cache.reading import Raw
from clinician.texts import Text

_MOVING = frozenset({ActState.QUEUED, ActState.SENDING, ActState.UNKNOWN})


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
        found = self._select(tables.outbox.c.op_id == op_id)
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
        table = tables.outbox
        wanted: list[sa.ColumnElement[bool]] = []
        if states is not None:
            wanted.append(table.c.state.in_(sorted(states)))
        if aggregate is not None:
            wanted.append(table.c.aggregate == aggregate)
        if group is not None:
            wanted.append(table.c.group_id == group)
        if patient_ref is not None:
            wanted.append(table.c.patient == patient_ref)
        if sent_since is not None:
            wanted.append(table.c.last_sent >= sent_since)
        return self._select(*wanted)

    def entries(self, op_id: str) -> tuple[Entry, ...]:
        """What an act writes, in the order it was built."""
        table = tables.outbox_ref
        asked = sa.select(table).where(table.c.op_id == op_id).order_by(table.c.place)
        return tuple(self._entry(row) for row in self._connection.execute(asked))

    def bundle(self, op_id: str) -> bytes | None:
        """The frozen transaction, or None while it is not frozen."""
        table = tables.outbox
        found: bytes | None = self._connection.execute(
            sa.select(table.c.bundle).where(table.c.op_id == op_id)
        ).scalar()
        return found

    def provenance(self, op_id: str) -> Raw:
        """The Provenance of an act."""
        table = tables.outbox
        kept = self._connection.execute(
            sa.select(table.c.provenance).where(table.c.op_id == op_id)
        ).scalar_one()
        return self._press.read(kept)

    def dependants(self, op_id: str) -> tuple[str, ...]:
        """Acts not yet finished that were made after and upon this one."""
        table, box = tables.outbox_after, tables.outbox
        asked = (
            sa.select(box.c.op_id)
            .join(table, table.c.op_id == box.c.op_id)
            .where(table.c.after == op_id, box.c.state.not_in(sorted(TERMINAL)))
            .order_by(box.c.seq)
        )
        return tuple(self._connection.execute(asked).scalars())

    def writers_of(self, ref: str) -> tuple[str, ...]:
        """Unfinished acts that write a resource, oldest first."""
        table, box = tables.outbox_ref, tables.outbox
        asked = (
            sa.select(box.c.op_id)
            .join(table, table.c.op_id == box.c.op_id)
            .where(table.c.ref == ref, box.c.state.not_in(sorted(TERMINAL)))
            .order_by(box.c.seq)
        )
        return tuple(self._connection.execute(asked).scalars())

    def correction_of(self, op_id: str) -> str:
        """The act that takes this one back, or ''."""
        table = tables.outbox
        asked = sa.select(table.c.op_id).where(
            table.c.corrects == op_id, table.c.state != ActState.WITHDRAWN.value
        )
        return self._connection.execute(asked).scalar() or ""

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

    def _select(self, *wanted: sa.ColumnElement[bool]) -> tuple[ActRow, ...]:
        table, after, refs = tables.outbox, tables.outbox_after, tables.outbox_ref
        columns = [column for column in table.c if column.name not in ("provenance", "bundle")]
        rows = self._connection.execute(sa.select(*columns).where(*wanted).order_by(table.c.seq)).all()
        names = [row.op_id for row in rows]
        some = sa.select(table.c.op_id).where(*wanted)
        lists: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in names}
        if names:
            asked = sa.select(after.c.op_id, after.c.after).where(after.c.op_id.in_(some))
            for op_id, other in self._connection.execute(asked):
                lists[op_id][0].append(other)
            asked = sa.select(refs.c.op_id, refs.c.ref).where(refs.c.op_id.in_(some))
            for op_id, ref in self._connection.execute(asked.order_by(refs.c.op_id, refs.c.place)):
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
