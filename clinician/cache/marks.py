"""How far sync has come: watermarks, membership, lateness, the server profile."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from clinician.cache import tables
from clinician.cache.synced import Member, MemberState, Watermark

_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 240, 600, 3600, 86_400)


class Marks:
    """Kept inside the writer, in the same transaction as the rows they speak of (I10)."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def watermark(self, key: str) -> Watermark | None:
        """Progress of one key."""
        table = tables.watermark
        row = self._connection.execute(sa.select(table).where(table.c.key == key)).first()
        return None if row is None else Watermark(row.key, row.type, row.mark, row.cursor, row.t0)

    def watermarks(self, type_: str | None = None) -> tuple[Watermark, ...]:
        """Progress of every key, or of those of one type."""
        table = tables.watermark
        asked = sa.select(table).order_by(table.c.key)
        if type_ is not None:
            asked = asked.where(table.c.type == type_)
        rows = self._connection.execute(asked)
        return tuple(Watermark(row.key, row.type, row.mark, row.cursor, row.t0) for row in rows)

    def set_watermark(self, mark: Watermark) -> None:
        """Keep the progress of one key. A mark that goes backwards is the caller's decision."""
        self._put(
            tables.watermark,
            ("key",),
            {"key": mark.key, "type": mark.type, "mark": mark.mark, "cursor": mark.cursor, "t0": mark.t0},
        )

    def drop_watermark(self, key: str) -> None:
        """Forget a key that is no longer asked for."""
        self._connection.execute(sa.delete(tables.watermark).where(tables.watermark.c.key == key))

    def members(self, state: MemberState | None = None) -> tuple[Member, ...]:
        """Patients of the workplace."""
        table = tables.membership
        asked = sa.select(table).order_by(table.c.patient)
        if state is not None:
            asked = asked.where(table.c.state == state.value)
        rows = self._connection.execute(asked)
        return tuple(Member(row.patient, MemberState(row.state), row.since, row.chunk) for row in rows)

    def set_member(self, member: Member) -> None:
        """Keep how a patient stands in the scope."""
        values = {
            "patient": member.patient_ref,
            "state": member.state.value,
            "since": member.since,
            "chunk": member.chunk,
        }
        self._put(tables.membership, ("patient",), values)

    def drop_member(self, patient_ref: str) -> None:
        """Forget a patient who is gone and purged."""
        self._connection.execute(
            sa.delete(tables.membership).where(tables.membership.c.patient == patient_ref)
        )

    def add_lateness(self, type_: str, seconds: float) -> None:
        """Count a row that came with a stamp this much older than the mark before."""
        bucket = next((b for b in _BUCKETS if seconds <= b), _BUCKETS[-1] + 1)
        table = tables.lateness
        made = insert(table).values(type=type_, bucket=bucket, count=1)
        self._connection.execute(
            made.on_conflict_do_update(index_elements=["type", "bucket"], set_={"count": table.c.count + 1})
        )

    def lateness(self) -> dict[str, dict[int, int]]:
        """type -> {upper bound in seconds: rows}; 86401 holds everything later than a day."""
        found: dict[str, dict[int, int]] = {}
        for row in self._connection.execute(sa.select(tables.lateness)):
            found.setdefault(row.type, {})[row.bucket] = row[2]
        return found

    def profile(self) -> dict[str, Any] | None:
        """What the probe found the record to do; None before the first probe."""
        kept = self._connection.execute(sa.select(tables.server_profile.c.body)).scalar()
        return None if kept is None else dict(orjson.loads(kept))

    def set_profile(self, profile: dict[str, Any]) -> None:
        """Keep what the probe found."""
        body = orjson.dumps(profile).decode("utf-8")
        self._put(tables.server_profile, ("number",), {"number": 1, "body": body})

    def _put(self, table: sa.Table, key: tuple[str, ...], values: dict[str, Any]) -> None:
        made = insert(table).values(values)
        rest = {name: made.excluded[name] for name in values if name not in key}
        self._connection.execute(made.on_conflict_do_update(index_elements=list(key), set_=rest))
