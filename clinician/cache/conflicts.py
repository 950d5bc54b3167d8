"""Conflicts: what I wrote, what stood there, what somebody else wrote first, and who decided."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import ActRow, ConflictRow
from clinician.cache.body import Press
from clinician.cache.reading import Raw

_SPACE: Final = uuid.UUID("5b0d3e0a-6f0e-4c57-9d7e-3b1f0a4f7c11")


def task_id(op_id: str) -> str:
    """The id of the Task that tells of an act's conflict: the same however often it is made."""
    return str(uuid.uuid5(_SPACE, op_id))


def tasks_of(act: ActRow) -> tuple[str, str]:
    """The Task of an act's own conflict, and the one it was taken over from on this PC (its group)."""
    return f"Task/{task_id(act.op_id)}", f"Task/{act.group}"


class ConflictReader:
    """Reads the conflict table."""

    def __init__(self, connection: sa.Connection, press: Press) -> None:
        self._connection = connection
        self._press = press

    def rows(self, op_id: str | None = None, *, open_only: bool = True) -> tuple[ConflictRow, ...]:
        """Conflicts, newest first; of one act, or those nobody has decided."""
        table = tables.conflict
        asked = sa.select(table).order_by(table.c.noticed.desc(), table.c.op_id, table.c.ref)
        if op_id is not None:
            asked = asked.where(table.c.op_id == op_id)
        if open_only:
            asked = asked.where(table.c.decision == "")
        return tuple(self._row(row) for row in self._connection.execute(asked))

    def has_open(self, ref: str) -> bool:
        """Whether nobody has yet decided about this resource."""
        table = tables.conflict
        asked = sa.select(table.c.ref).where(table.c.ref == ref, table.c.decision == "").limit(1)
        return self._connection.execute(asked).first() is not None

    def _row(self, row: Any) -> ConflictRow:
        return ConflictRow(
            row.op_id,
            row.ref,
            row.kind,
            self._read(row.base),
            self._press.read(row.mine),
            self._read(row.theirs),
            row.theirs_version,
            row.theirs_author,
            row.theirs_when,
            self._read(row.merged),
            row.noticed,
            row.decision,
            row.decided_by,
            row.decided,
        )

    def _read(self, stored: bytes | None) -> Raw | None:
        return None if stored is None else self._press.read(stored)


class Conflicts(ConflictReader):
    """Keeps the conflict table inside the writer."""

    def insert(self, row: ConflictRow) -> None:
        """Keep a conflict; one already there for the same act and resource is replaced while undecided."""
        table = tables.conflict
        self._connection.execute(
            sa.delete(table).where(table.c.op_id == row.op_id, table.c.ref == row.ref, table.c.decision == "")
        )
        self._connection.execute(
            sa.insert(table).values(
                op_id=row.op_id,
                ref=row.ref,
                kind=row.kind,
                base=self._pack(row.base),
                mine=self._pack(row.mine),
                theirs=self._pack(row.theirs),
                theirs_version=row.theirs_version,
                theirs_author=row.theirs_author,
                theirs_when=row.theirs_when,
                merged=self._pack(row.merged),
                noticed=row.noticed,
                decision=row.decision,
                decided_by=row.decided_by,
                decided=row.decided,
            )
        )

    def decide(self, op_id: str, decision: str, by: str, when: datetime) -> int:
        """Close every open conflict of an act with 'mine', 'theirs' or 'merged'; returns how many."""
        table = tables.conflict
        done = self._connection.execute(
            sa.update(table)
            .where(table.c.op_id == op_id, table.c.decision == "")
            .values(decision=decision, decided_by=by, decided=when)
        )
        return done.rowcount

    def _pack(self, raw: Raw | None) -> bytes | None:
        return None if raw is None else self._press.pack(orjson.dumps(raw))
