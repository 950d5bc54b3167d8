"""What belongs to the people of this PC: drafts, PINs, small settings; and the audit trail on its way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from clinician.cache import tables
from clinician.cache.synced import AuditRow


@dataclass(frozen=True, slots=True)
class Draft:
    """Something typed and not yet signed."""

    user_ref: str
    patient_ref: str
    key: str
    content: str
    saved: datetime


class Keep:
    """Drafts, PINs and settings inside the writer.

    Settings by DB-API: every page asks for one, and Core costs ten times the look itself (measured).
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.driver_connection
        self._execute = driver.execute

    def draft(self, user_ref: str, patient_ref: str, key: str) -> str:
        """What the user has typed there, or ''."""
        table = tables.draft
        asked = sa.select(table.c.content).where(
            table.c.user == user_ref, table.c.patient == patient_ref, table.c.key == key
        )
        return self._connection.execute(asked).scalar() or ""

    def set_draft(self, draft: Draft) -> None:
        """Keep a draft; empty content forgets it."""
        table = tables.draft
        where = (
            table.c.user == draft.user_ref,
            table.c.patient == draft.patient_ref,
            table.c.key == draft.key,
        )
        self._connection.execute(sa.delete(table).where(*where))
        if draft.content:
            self._connection.execute(
                sa.insert(table).values(
                    user=draft.user_ref,
                    patient=draft.patient_ref,
                    key=draft.key,
                    content=draft.content,
                    saved=draft.saved,
                )
            )

    def drafts(self, user_ref: str) -> tuple[Draft, ...]:
        """A user's drafts, newest first. Nobody else's are ever handed out."""
        table = tables.draft
        rows = self._connection.execute(
            sa.select(table).where(table.c.user == user_ref).order_by(table.c.saved.desc())
        )
        return tuple(Draft(row.user, row.patient, row.key, row.content, row.saved) for row in rows)

    def pin(self, user_ref: str) -> str | None:
        """What access keeps about a user's PIN (a hash and a count, as text)."""
        table = tables.pin
        found: str | None = self._connection.execute(
            sa.select(table.c.body).where(table.c.user == user_ref)
        ).scalar()
        return found

    def set_pin(self, user_ref: str, body: str) -> None:
        """Keep it."""
        made = insert(tables.pin).values(user=user_ref, body=body)
        self._connection.execute(made.on_conflict_do_update(index_elements=["user"], set_={"body": body}))

    def get(self, key: str) -> str | None:
        """A small setting."""
        row = self._execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Keep it."""
        self._execute("INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)", (key, value))

    def drop(self, key: str) -> None:
        """Forget it."""
        self._execute("DELETE FROM kv WHERE key = ?", (key,))


class AuditQueue:
    """AuditEvents waiting to be sent; sent ones stay for 90 days as this PC's own trail.

    Column sent: 0 waits, 1 the record has it, else the HTTP status it was refused with for good.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.driver_connection
        self._execute = driver.execute

    def add(self, row: AuditRow) -> None:
        """Queue one."""
        self._connection.execute(
            sa.insert(tables.audit).values(id=row.id, recorded=row.recorded, body=row.body, sent=0)
        )

    def waiting(self, limit: int = 100) -> tuple[AuditRow, ...]:
        """The oldest not yet sent."""
        table = tables.audit
        rows = self._connection.execute(
            sa.select(table).where(sa.text("sent = 0")).order_by(table.c.number).limit(limit)
        )
        return tuple(AuditRow(row.id, row.recorded, row.body) for row in rows)

    def sent(self, ids: Iterable[str]) -> None:
        """The record has these."""
        table = tables.audit
        self._connection.execute(sa.update(table).where(table.c.id.in_(list(ids))).values(sent=1))

    def set_aside(self, refused: Mapping[str, int]) -> None:
        """The record refused these for good (id → HTTP status): kept whole, and no longer in the way."""
        table = tables.audit
        for id_, status in refused.items():
            self._connection.execute(sa.update(table).where(table.c.id == id_).values(sent=status))

    def send_again(self) -> int:
        """What was refused is tried once more; how many."""
        table = tables.audit
        return self._connection.execute(sa.update(table).where(table.c.sent > 1).values(sent=0)).rowcount

    def refusals(self) -> dict[int, int]:
        """HTTP status → how many AuditEvents were refused with it."""
        rows = self._execute("SELECT sent, count(*) FROM audit WHERE sent > 1 GROUP BY sent ORDER BY sent")
        return dict(rows)

    def refused(self) -> tuple[tuple[AuditRow, int], ...]:
        """Every refused one with the HTTP status, the oldest first."""
        table = tables.audit
        rows = self._connection.execute(sa.select(table).where(table.c.sent > 1).order_by(table.c.number))
        return tuple((AuditRow(row.id, row.recorded, row.body), row.sent) for row in rows)

    def prune(self, before: datetime) -> int:
        """Drop sent ones older than `before`; what waits or was refused is never dropped."""
        table = tables.audit
        done = self._connection.execute(sa.delete(table).where(table.c.sent == 1, table.c.recorded < before))
        return done.rowcount
