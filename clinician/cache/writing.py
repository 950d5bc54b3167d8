"""What may be done inside the one writer. Everything in one call of `Writer.run` happens or nothing does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import PENDING, TERMINAL, ActState
from clinician.cache.attachments import Attachments
from clinician.cache.body import Press
from clinician.cache.conflicts import Conflicts
from clinician.cache.keep import AuditQueue, Keep
from clinician.cache.marks import Marks
from clinician.cache.outbox import Outbox
from clinician.cache.overlays import OverlayColumns
from clinician.cache.packing import PATIENT, number_of, pack_id
from clinician.cache.reading import Cached, Raw, Reading
from clinician.cache.rows import Rows, ref_of
from clinician.cache.snapshot import Snapshot
from clinician.cache.synced import Evidence, PutReport, Quarantined, SyncedRow, Why
from clinician.cache.trail import Trail
from clinician.clock import Clock
from clinician.fhir.read import patient_ref_of

_RESTORED: Final = "restored"
OUTBOX: Final = "Outbox"
"""The type under which a moved act is announced, as 'Outbox/<op_id>'."""


class Writing:
    """One transaction. Not to be kept after the function it was handed to returns."""

    def __init__(
        self, connection: sa.Connection, rows: Rows, press: Press, columns: OverlayColumns, clock: Clock
    ) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self._rows = rows
        self._press = press
        self._clock = clock
        self._snapshot = Snapshot(connection, press, columns)
        self.outbox = Outbox(connection, press, self)
        self.conflicts = Conflicts(connection, press)
        self.marks = Marks(connection)
        self.trail = Trail(connection)
        self.audit = AuditQueue(connection)
        self.keep = Keep(connection)
        self.attachments = Attachments(connection, self._note)
        self.origin = ""
        self.changed: set[str] = set()

    @property
    def reading(self) -> Reading:
        """What this transaction sees, its own changes included."""
        return self._snapshot

    # what the record sent

    def put_synced(self, rows: Iterable[SyncedRow]) -> PutReport:
        """Store rows that are newer than what is cached (I5); see PutReport for what came of each."""
        batch = self._rows.put(rows, restored=self.is_restored())
        for row, reason in batch.unread:
            ref = f"{row.type}/{row.id}"
            self.trail.quarantine(Quarantined(ref, row.version, reason, self._clock.now(), row.body))
        self._note(batch.changed)
        return PutReport(
            frozenset(batch.changed),
            frozenset(batch.kept),
            frozenset(batch.older),
            frozenset(f"{row.type}/{row.id}" for row, _ in batch.unread),
            frozenset(batch.first_seen),
        )

    def remove_synced(self, ref: str, evidence: Evidence) -> bool:
        """Take a row away and keep why (I4); Why.DELETED leaves a tombstone, so no old page revives it."""
        type_, _, id_ = ref.partition("/")
        place = (number_of(type_), pack_id(id_))
        if evidence.why == Why.DELETED:
            self._driver.execute(
                "INSERT OR REPLACE INTO tombstone SELECT type, id, coalesce(nullif(?, ''), vid), lu_ms "
                "FROM resource WHERE type = ? AND id = ?",
                (evidence.version, *place),
            )
        patient = self._rows.remove(place)
        if patient is None:
            return False
        self.trail.add_evidence(ref, patient, evidence)
        self._note({ref})
        return True

    def synced(self, ref: str) -> Cached | None:
        """The row the record sent, without overlays."""
        return self._snapshot.synced(ref)

    def version_of(self, ref: str) -> str | None:
        """The version the record sent last."""
        found = self._snapshot.synced(ref)
        return None if found is None else found.version_id

    def versions(self, type_: str, *, patients: Iterable[str] | None = None) -> dict[str, str]:
        """{id: versionId} of the synced rows of a type."""
        return self._snapshot.versions(type_, patients=patients)

    def begin_restored(self, why: str) -> None:
        """The record was restored from a copy: while this lasts older versions are taken as they come."""
        self.keep.set(_RESTORED, why)

    def end_restored(self) -> None:
        """The full pass after a restore is complete."""
        self.keep.drop(_RESTORED)

    def is_restored(self) -> bool:
        """Whether a restore of the record is being followed."""
        return self.keep.get(_RESTORED) is not None

    # what this PC wrote

    def put_overlay(self, ref: str, op_id: str, raw: Raw) -> None:
        """Lay what an act writes over the synced row; out of sight where its patient may not be shown."""
        type_, _, id_ = ref.partition("/")
        is_shown = not self.marks.is_forbidden(patient_ref_of(raw))
        self._driver.execute(
            "INSERT INTO overlay (type, id, op_id, body, in_force) VALUES (?, ?, ?, ?, ?)",
            (number_of(type_), pack_id(id_), op_id, self._press.pack(orjson.dumps(raw)), int(is_shown)),
        )
        self._note({ref})

    def put_overlay_beneath(self, ref: str, op_id: str, raw: Raw, *, in_place_of: str) -> None:
        """Lay it where `in_place_of` lies: what later acts wrote on top of that is still what is shown (I6).

        The later ones get numbers anew, in their order; an overlay with a number never changes.
        """
        type_, _, id_ = ref.partition("/")
        place = (number_of(type_), pack_id(id_))
        later = self._driver.execute(
            "SELECT number, type, id, op_id, body, in_force FROM overlay WHERE type = ? AND id = ? "
            "AND number > (SELECT max(number) FROM overlay WHERE type = ? AND id = ? AND op_id = ?) "
            "ORDER BY number",
            (*place, *place, in_place_of),
        ).fetchall()
        self.put_overlay(ref, op_id, raw)
        for number, *kept in later:
            self._driver.execute("DELETE FROM overlay WHERE number = ?", (number,))
            self._driver.execute(
                "INSERT INTO overlay (type, id, op_id, body, in_force) VALUES (?, ?, ?, ?, ?)", kept
            )

    def drop_overlay(self, op_id: str) -> None:
        """Take away what an act laid over the synced rows."""
        self._note(self._overlaid(op_id))
        self._driver.execute("DELETE FROM overlay WHERE op_id = ?", (op_id,))

    def set_in_force(self, op_id: str, in_force: bool) -> None:
        """False: the record's version is shown and the overlay is only a proposal (orders and safety)."""
        self._driver.execute("UPDATE overlay SET in_force = ? WHERE op_id = ?", (int(in_force), op_id))
        self._note(self._overlaid(op_id))

    def _overlaid(self, op_id: str) -> set[str]:
        rows = self._driver.execute("SELECT type, id FROM overlay WHERE op_id = ?", (op_id,))
        return {ref_of(number, packed) for number, packed in rows}

    def base_of(self, ref: str) -> tuple[str | None, str | None]:
        """(version, op) an act on the effective row is made from: the unsent act on top, else the version."""
        type_, _, id_ = ref.partition("/")
        overlay = self._snapshot.overlays.get(number_of(type_), pack_id(id_))
        return (None, overlay.op_id) if overlay is not None else (self.version_of(ref), None)

    def act_moved(self, op_id: str, refs: Iterable[str]) -> None:
        """Announce that an act changed state; its rows look different now."""
        self._note({f"{OUTBOX}/{op_id}", *refs})

    def guards_creates(self) -> bool:
        """Whether the record was probed to obey If-None-Match: * on PUT inside a transaction."""
        profile = self.marks.profile() or {}
        return bool(profile.get("put_if_none_match", False))

    def guards_updates(self) -> bool | None:
        """Whether the record was probed to obey If-Match alone and in a whole transaction; None: not yet."""
        profile = self.marks.profile()
        needed = ("if_match_alone", "if_match_in_transaction", "transaction_atomic")
        return None if profile is None else all(profile.get(name, False) for name in needed)

    # purge and rebuilding

    def purge_patient(self, patient_ref: str, evidence: Evidence) -> int:
        """Take everything about a patient away; returns how many rows, or -1 while anything is pending (I9).

        Purged is not deleted: nothing of this is ever sent. The purge log names nobody.
        """
        if self._is_pending(patient_ref):
            return -1
        rows = self._drop_rows(patient_ref)
        self._forget_acts(patient_ref)
        self.attachments.drop_patient(patient_ref)
        self._log_purge(patient_ref, evidence, rows)
        return rows

    def hide_patient(self, patient_ref: str, evidence: Evidence | None = None) -> int:
        """Show nothing of a patient: synced rows go, overlays are out of force; returns how many rows.

        Acts, conflicts, attachments and drafts stay: they are still sent, decided and saved to a file.
        evidence: None where rows go that came back with an answer after the patient was hidden.
        """
        rows = self._drop_rows(patient_ref)
        self.attachments.drop_fetched(patient_ref)
        for number, overlays in self._snapshot.overlays.by_type().items():
            for packed, overlay in overlays.items():
                if self._snapshot.overlays.columns(overlay).patient == patient_ref:
                    self.hide_overlays(ref_of(number, packed))
        if evidence is not None:
            self._log_purge(patient_ref, evidence, rows)
        return rows

    def hide_overlays(self, ref: str) -> None:
        """Show nothing of what unsent acts wrote of a resource; the acts stay as they are."""
        type_, _, id_ = ref.partition("/")
        place = (number_of(type_), pack_id(id_))
        self._driver.execute("UPDATE overlay SET in_force = 0 WHERE type = ? AND id = ?", place)
        self._note({ref})

    def show_patient_again(self, patient_ref: str) -> None:
        """What was hidden may be read again: what waits lies over it as before; conflicts stay proposals."""
        for act in self.outbox.rows(states=PENDING - {ActState.CONFLICT}, patient_ref=patient_ref):
            self.set_in_force(act.op_id, True)

    def _drop_rows(self, patient_ref: str) -> int:
        packed = pack_id(patient_ref.removeprefix("Patient/"))
        rows = self._driver.execute("SELECT type, id FROM resource WHERE patient = ?", (packed,)).fetchall()
        if rows:
            self._driver.execute("PRAGMA secure_delete=ON")
        for number, id_ in sorted(rows, key=lambda row: row[0] == PATIENT):
            self._rows.remove((number, id_))
            self._note({ref_of(number, id_)})
        return len(rows)

    def _log_purge(self, patient_ref: str, evidence: Evidence, rows: int) -> None:
        self.trail.add_evidence(patient_ref, patient_ref, evidence)
        self._connection.execute(
            sa.insert(tables.purge_log).values(purged=evidence.seen, why=evidence.why.value, rows=rows)
        )

    def _is_pending(self, patient_ref: str) -> bool:
        acts = self.outbox.rows(patient_ref=patient_ref)
        if any(act.state not in TERMINAL for act in acts):
            return True
        draft = tables.draft
        typed = sa.select(draft.c.key).where(draft.c.patient == patient_ref).limit(1)
        undecided = {row.op_id for row in self.conflicts.rows()}
        return self._connection.execute(typed).first() is not None or not undecided.isdisjoint(
            act.op_id for act in acts
        )

    def _forget_acts(self, patient_ref: str) -> None:
        box = tables.outbox
        done = sa.select(box.c.op_id).where(box.c.patient == patient_ref)
        for table in (tables.outbox_ref, tables.outbox_after, tables.conflict):
            self._connection.execute(sa.delete(table).where(table.c.op_id.in_(done)))
        self._connection.execute(sa.delete(box).where(box.c.patient == patient_ref))

    def forget_finished(self, before: datetime) -> int:
        """Drop finished acts older than `before`, except what an unfinished act still needs."""
        gone = 0
        for act in self.outbox.rows(states=TERMINAL):
            if act.created < before and not self._is_needed(act.op_id):
                for table in (tables.outbox_ref, tables.outbox_after, tables.conflict, tables.outbox):
                    self._connection.execute(sa.delete(table).where(table.c.op_id == act.op_id))
                gone += 1
        return gone

    def _is_needed(self, op_id: str) -> bool:
        refs, box = tables.outbox_ref, tables.outbox
        asked = (
            sa.select(refs.c.op_id)
            .join(box, box.c.op_id == refs.c.op_id)
            .where(refs.c.base_op == op_id, box.c.state.not_in(sorted(TERMINAL)))
        )
        return bool(self._connection.execute(asked).first()) or bool(self.outbox.dependants(op_id))

    def rebuild_index(self) -> int:
        """Make columns, tokens and search words anew from the bodies; returns how many rows."""
        return self._rows.rebuild()

    def analyze(self) -> None:
        """Statistics for the planner (SYNC §1.11: without them a sort at 100,000 rows took 1.8 s)."""
        self._driver.execute("PRAGMA analysis_limit=2000")
        self._driver.execute("ANALYZE")

    def _note(self, refs: Iterable[str]) -> None:
        self.changed.update(refs)
        self._snapshot.refresh()
