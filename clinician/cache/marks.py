"""How far sync has come: watermarks, membership, lateness, the server profile.

DB-API directly beneath SQLAlchemy: a round writes a mark for every key, and Core costs ten times the
write itself (measured).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from clinician.cache.synced import Member, MemberState, Watermark
from clinician.cache.tables import moment_text

_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 120, 240, 600, 3600, 86_400)
_MARKS: Final = "SELECT key, type, mark, cursor, t0 FROM watermark"
_SET_MARK: Final = (
    "INSERT INTO watermark (key, type, mark, cursor, t0) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
    "SET type = excluded.type, mark = excluded.mark, cursor = excluded.cursor, t0 = excluded.t0"
)
_MEMBERS: Final = "SELECT patient, state, since, chunk FROM membership"
_SET_MEMBER: Final = (
    "INSERT INTO membership (patient, state, since, chunk) VALUES (?, ?, ?, ?) ON CONFLICT (patient) "
    "DO UPDATE SET state = excluded.state, since = excluded.since, chunk = excluded.chunk"
)
_ADD_LATENESS: Final = (
    "INSERT INTO lateness (type, bucket, count) VALUES (?, ?, 1) "
    "ON CONFLICT (type, bucket) DO UPDATE SET count = count + 1"
)
_SET_PROFILE: Final = (
    "INSERT INTO server_profile (number, body) VALUES (1, ?) "
    "ON CONFLICT (number) DO UPDATE SET body = excluded.body"
)


class Marks:
    """Kept inside the writer, in the same transaction as the rows they speak of (I10)."""

    def __init__(self, connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        self._execute = driver.execute

    def watermark(self, key: str) -> Watermark | None:
        """Progress of one key."""
        row = self._execute(f"{_MARKS} WHERE key = ?", (key,)).fetchone()
        return None if row is None else _mark(row)

    def watermarks(self, type_: str | None = None) -> tuple[Watermark, ...]:
        """Progress of every key, or of those of one type."""
        if type_ is None:
            rows = self._execute(f"{_MARKS} ORDER BY key")
        else:
            rows = self._execute(f"{_MARKS} WHERE type = ? ORDER BY key", (type_,))
        return tuple(_mark(row) for row in rows)

    def set_watermark(self, mark: Watermark) -> None:
        """Keep the progress of one key. A mark that goes backwards is the caller's decision."""
        moments = (_text(mark.mark), _text(mark.cursor), _text(mark.t0))
        self._execute(_SET_MARK, (mark.key, mark.type, *moments))

    def drop_watermark(self, key: str) -> None:
        """Forget a key that is no longer asked for."""
        self._execute("DELETE FROM watermark WHERE key = ?", (key,))

    def members(self, state: MemberState | None = None) -> tuple[Member, ...]:
        """Patients of the workplace."""
        if state is None:
            rows = self._execute(f"{_MEMBERS} ORDER BY patient")
        else:
            rows = self._execute(f"{_MEMBERS} WHERE state = ? ORDER BY patient", (state.value,))
        return tuple(
            Member(patient, MemberState(held), datetime.fromisoformat(since), chunk)
            for patient, held, since, chunk in rows
        )

    def is_forbidden(self, patient_ref: str) -> bool:
        """Whether nothing of this patient may be shown here."""
        asked = "SELECT 1 FROM membership WHERE patient = ? AND state = 'forbidden'"
        return self._execute(asked, (patient_ref,)).fetchone() is not None

    def set_member(self, member: Member) -> None:
        """Keep how a patient stands in the scope."""
        values = (member.patient_ref, member.state.value, moment_text(member.since), member.chunk)
        self._execute(_SET_MEMBER, values)

    def drop_member(self, patient_ref: str) -> None:
        """Forget a patient who is gone and purged."""
        self._execute("DELETE FROM membership WHERE patient = ?", (patient_ref,))

    def add_lateness(self, type_: str, seconds: float) -> None:
        """Count a row that came with a stamp this much older than the mark before."""
        bucket = next((b for b in _BUCKETS if seconds <= b), _BUCKETS[-1] + 1)
        self._execute(_ADD_LATENESS, (type_, bucket))

    def lateness(self) -> dict[str, dict[int, int]]:
        """type -> {upper bound in seconds: rows}; 86401 holds everything later than a day."""
        found: dict[str, dict[int, int]] = {}
        for type_, bucket, count in self._execute("SELECT type, bucket, count FROM lateness"):
            found.setdefault(type_, {})[bucket] = count
        return found

    def profile(self) -> dict[str, Any] | None:
        """What the probe found the record to do; None before the first probe."""
        row = self._execute("SELECT body FROM server_profile").fetchone()
        return None if row is None else dict(orjson.loads(row[0]))

    def set_profile(self, profile: dict[str, Any]) -> None:
        """Keep what the probe found."""
        self._execute(_SET_PROFILE, (orjson.dumps(profile).decode("utf-8"),))


def _mark(row: tuple[Any, ...]) -> Watermark:
    key, type_, mark, cursor, t0 = row
    return Watermark(key, type_, _moment(mark), _moment(cursor), _moment(t0))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
