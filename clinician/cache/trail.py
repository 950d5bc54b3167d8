"""Why rows left the cache, and what came down that could not be read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.packing import number_of, pack_id
from clinician.cache.synced import Evidence, EvidenceRow, Quarantined, Why


def evidence_rows(connection: sa.Connection, patient_ref: str | None, limit: int) -> tuple[EvidenceRow, ...]:
    """Evidence, newest first, of one patient or of all."""
    table = tables.evidence
    asked = sa.select(table).order_by(table.c.number.desc()).limit(limit)
    if patient_ref is not None:
        asked = asked.where(table.c.patient == patient_ref)
    return tuple(_evidence(row) for row in connection.execute(asked))


def _evidence(row: Any) -> EvidenceRow:
    return EvidenceRow(row.ref, row.patient, Why(row.why), row.seen, row.version, row.status, row.detail)


class Trail:
    """Evidence, tombstones and quarantine inside the writer."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add_evidence(self, ref: str, patient_ref: str, evidence: Evidence) -> None:
        """Keep why a row goes; the row itself is removed by `Writing.remove_synced`."""
        self._connection.execute(
            sa.insert(tables.evidence).values(
                ref=ref,
                patient=patient_ref,
                why=evidence.why.value,
                seen=evidence.seen,
                version=evidence.version,
                status=evidence.status,
                detail=evidence.detail,
            )
        )

    def evidence(self, patient_ref: str | None = None, limit: int = 200) -> tuple[EvidenceRow, ...]:
        """Evidence, newest first."""
        return evidence_rows(self._connection, patient_ref, limit)

    def tombstoned(self, ref: str) -> bool:
        """Whether the record has deleted this resource (and not made it anew since)."""
        type_, _, id_ = ref.partition("/")
        found = self._connection.exec_driver_sql(
            "SELECT 1 FROM tombstone WHERE type = ? AND id = ?", (number_of(type_), pack_id(id_))
        )
        return found.first() is not None

    def quarantine(self, row: Quarantined) -> None:
        """Set a resource aside as it came; a newer attempt replaces an older."""
        table = tables.quarantine
        self._connection.execute(sa.delete(table).where(table.c.ref == row.ref))
        self._connection.execute(
            sa.insert(table).values(
                ref=row.ref, version=row.version, reason=row.reason, seen=row.seen, body=row.body
            )
        )

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Everything set aside."""
        rows = self._connection.execute(sa.select(tables.quarantine).order_by(tables.quarantine.c.ref))
        return tuple(Quarantined(r.ref, r.version, r.reason, r.seen, r.body) for r in rows)

    def release(self, ref: str) -> bool:
        """Forget a quarantined resource, because it has come whole since."""
        table = tables.quarantine
        return self._connection.execute(sa.delete(table).where(table.c.ref == ref)).rowcount > 0
