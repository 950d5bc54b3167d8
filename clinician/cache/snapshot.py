"""One consistent reading of the cache: synced rows with overlays over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry
from clinician.cache.attachments import AttachmentReader, FileRow
from clinician.cache.body import Press
from clinician.cache.conflicts import ConflictReader
from clinician.cache.filters import ORDERS, Filter, make_filter
from clinician.cache.outbox_rows import OutboxReader
from clinician.cache.overlays import Overlay, OverlayColumns, Overlays
from clinician.cache.packing import NUMBER, TYPES, Packed, number_of, pack_id, unpack_id
from clinician.cache.patient_search import PatientSearch
from clinician.cache.reading import Cached, Freshness, RowState
from clinician.cache.recalled import KEY, parsed
from clinician.cache.synced import EvidenceRow, Member, MemberState
from clinician.cache.trail import evidence_rows
from clinician.fhir.reference import relative

_AT_ONCE: Final = 200
_STATES: Final = {"conflict": RowState.CONFLICT, "rejected": RowState.REFUSED, "parked": RowState.REFUSED}
_RANK: Final = (RowState.QUEUED, RowState.REFUSED, RowState.CONFLICT)

Key = tuple[Any, ...]


class Snapshot:
    """`Reading` on one connection inside one read transaction (or inside the writer's own)."""

    def __init__(self, connection: sa.Connection, press: Press, columns: OverlayColumns) -> None:
        self.connection = connection
        self.press = press
        self._execute: Callable[..., Any] = connection.connection.driver_connection.execute  # type: ignore[union-attr]  # never detached
        self._columns = columns
        self._overlays: Overlays | None = None
        self._states: dict[str, RowState] | None = None
        self._codings: dict[str, int] | None = None

    def refresh(self) -> None:
        """Forget what was read ahead; the writer calls it after each change of its own."""
        self._overlays = self._states = self._codings = None

    @property
    def overlays(self) -> Overlays:
        """The overlays in force."""
        if self._overlays is None:
            driver: Any = self.connection.connection.driver_connection
            self._overlays = Overlays(driver, self.press, self._columns)
        return self._overlays

    # one row

    def get(self, ref: str) -> Cached | None:
        """The effective resource of 'Type/id', or None."""
        return self.get_many((ref,)).get(ref)

    def get_many(self, refs: Iterable[str]) -> Mapping[str, Cached]:
        """Those of `refs` that are cached, by the reference as asked."""
        found: dict[str, Cached] = {}
        by_type: dict[int, dict[Packed, str]] = {}
        for ref in refs:
            type_, _, id_ = relative(ref).partition("/")
            if type_ in NUMBER and id_:
                by_type.setdefault(NUMBER[type_], {})[pack_id(id_)] = ref
        for number, wanted in by_type.items():
            for packed, vid, body in self._synced_rows(number, list(wanted)):
                overlay = self.overlays.get(number, packed)
                found[wanted[packed]] = self._cached(number, packed, vid, overlay.body if overlay else body)
            for packed, ref in wanted.items():
                if ref not in found and (overlay := self.overlays.get(number, packed)):
                    found[ref] = self._cached(number, packed, None, overlay.body)
        return found

    def synced(self, ref: str) -> Cached | None:
        """The row the record sent, without overlays."""
        type_, _, id_ = relative(ref).partition("/")
        if type_ not in NUMBER:
            return None
        for packed, vid, body in self._synced_rows(NUMBER[type_], [pack_id(id_)]):
            return self._cached(NUMBER[type_], packed, vid, body)
        return None

    def _synced_rows(self, number: int, ids: list[Packed]) -> Iterator[tuple[Packed, str, bytes]]:
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            marks = ",".join("?" * len(some))
            sql = f"SELECT id, vid, body FROM resource WHERE type = {number} AND id IN ({marks})"  # noqa: S608
            yield from self._execute(sql, some).fetchall()

    def _cached(self, number: int, packed: Packed, vid: str | None, body: bytes) -> Cached:
        type_, id_ = TYPES[number - 1], unpack_id(packed)
        ref = f"{type_}/{id_}"
        return Cached(ref, type_, id_, vid, self.states.get(ref, RowState.CONFIRMED), self.press.read(body))

    @property
    def states(self) -> Mapping[str, RowState]:
        """The state of every row an unfinished act touches; all others are confirmed."""
        if self._states is None:
            self._states = {}
            rows = self._execute(
                "SELECT r.ref, o.state FROM outbox AS o JOIN outbox_ref AS r ON r.op_id = o.op_id "
                "WHERE o.state NOT IN ('applied', 'withdrawn')"
            )
            for ref, state in rows:
                held = _STATES.get(state, RowState.QUEUED)
                before = self._states.get(ref, RowState.QUEUED)
                self._states[ref] = max(held, before, key=_RANK.index)
        return self._states

    # many rows

    def find(
        self,
        type_: str,
        *,
        patient: str | Iterable[str] | None = None,
        status: str | Iterable[str] | None = None,
        owner: str | Iterable[str] | None = None,
        code: str | Iterable[str] | None = None,
        start_from: datetime | date | None = None,
        start_before: datetime | date | None = None,
        token: tuple[str, str] | None = None,
        order: str = "start",
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Cached]:
        """Effective resources by indexed columns; `token` parameters are those of `declared`."""
        if order not in ORDERS:
            raise ValueError(f"order is one of {', '.join(ORDERS)}")
        asked = make_filter(type_, patient, status, owner, code, start_from, start_before, token)
        number = number_of(type_)
        overlays = self.overlays.of_type(number)
        keys = self._keys(asked, order, descending, None if limit is None else limit + len(overlays))
        keys = [key for key in keys if key[1] not in overlays]
        for overlay in overlays.values():
            columns = self.overlays.columns(overlay)
            if asked.admits(columns):
                value = overlay.id if order == "id" else getattr(columns, order)
                keys.append((value, overlay.id, overlay))
        if overlays:
            keys.sort(key=_sort_of, reverse=descending)
        return self._read(number, keys if limit is None else keys[:limit])

    def _keys(self, asked: Filter, order: str, descending: bool, limit: int | None) -> list[Key]:
        codings = self._known_codings() if asked.codes is not None else {}
        where, values, more, more_values = asked.sql(codings)
        if order == "sort_key" and not asked.owners and asked.type in _NAMED:
            where += " AND sort_key IS NOT NULL"
        direction = "DESC" if descending else "ASC"
        tail = f" ORDER BY 1 {direction}, 2 {direction}" + ("" if limit is None else f" LIMIT {limit}")
        head = f"SELECT {ORDERS[order]}, id, rid FROM resource WHERE "  # noqa: S608
        if not more or not self._has_more_owners(asked):
            return list(self._execute(head + where + tail, values))
        return list(self._execute(f"{head}{where} UNION {head}{more}{tail}", [*values, *more_values]))

    def _has_more_owners(self, asked: Filter) -> bool:
        """Few rows have two owners; most questions need not look for them."""
        return bool(asked.owners) and (
            self._execute("SELECT 1 FROM token WHERE param = 'owner' LIMIT 1").fetchone() is not None
        )

    def _known_codings(self) -> dict[str, int]:
        if self._codings is None:
            self._codings = dict(self._execute("SELECT key, number FROM coding"))
        return self._codings

    def _read(self, number: int, keys: list[Key]) -> Iterator[Cached]:
        for at in range(0, len(keys), _AT_ONCE):
            some = keys[at : at + _AT_ONCE]
            rids = [key[2] for key in some if not isinstance(key[2], Overlay)]
            marks = ",".join("?" * len(rids))
            rows = self._execute(f"SELECT rid, vid, body FROM resource WHERE rid IN ({marks})", rids)  # noqa: S608
            bodies = {rid: (vid, body) for rid, vid, body in rows}
            for _, packed, held in some:
                if isinstance(held, Overlay):
                    beneath = next(self._synced_rows(number, [packed]), None)
                    yield self._cached(number, packed, beneath[1] if beneath else None, held.body)
                elif held in bodies:  # inside the writer a row may go while the answer is read
                    yield self._cached(number, packed, *bodies[held])

    def search_patients(self, words: Sequence[str], *, limit: int = 50) -> list[Cached]:
        """Patients who match every word (as folded prefixes), by name."""
        search = PatientSearch(self._execute, self.overlays)
        refs = search.refs(words, limit)
        found = self.get_many(refs)
        return [found[ref] for ref in refs]

    def count(self, type_: str, *, status: str | Iterable[str] | None = None) -> int:
        """How many effective resources of a type are cached."""
        number = number_of(type_)
        asked = make_filter(type_, None, status, None, None, None, None, None)
        where, values, _, _ = asked.sql({})
        total: int = self._execute(f"SELECT count(*) FROM resource WHERE {where}", values).fetchone()[0]  # noqa: S608
        for packed, overlay in self.overlays.of_type(number).items():
            total += asked.admits(self.overlays.columns(overlay))
            hidden = f"SELECT 1 FROM resource WHERE {where} AND id = ?"  # noqa: S608
            total -= self._execute(hidden, [*values, packed]).fetchone() is not None
        return total

    def versions(self, type_: str, *, patients: Iterable[str] | None = None) -> dict[str, str]:
        """{id: versionId} of the synced rows of a type, for the manifest."""
        asked = make_filter(type_, patients, None, None, None, None, None, None)
        where, values, _, _ = asked.sql({})
        rows = self._execute(f"SELECT id, vid FROM resource WHERE {where}", values)  # noqa: S608
        return {unpack_id(packed): vid for packed, vid in rows}

    # progress, acts, evidence

    def freshness(self, types: Iterable[str]) -> Freshness:
        """The oldest mark over `types`; complete when every key of every type has had its full pass."""
        marks: list[datetime | None] = []
        for type_ in dict.fromkeys(types):
            rows = self.connection.execute(
                sa.select(tables.watermark.c.mark).where(tables.watermark.c.type == type_)
            )
            marks += list(rows.scalars()) or [None]
        known = [mark for mark in marks if mark is not None]
        return Freshness(min(known, default=None), bool(marks) and len(known) == len(marks))

    def act(self, op_id: str) -> ActRow | None:
        """One act of the outbox."""
        return OutboxReader(self.connection, self.press).get(op_id)

    def acts(
        self,
        states: Iterable[ActState] | None = None,
        *,
        group: str | None = None,
        sent_since: datetime | None = None,
    ) -> tuple[ActRow, ...]:
        """Acts in the order they were done."""
        return OutboxReader(self.connection, self.press).rows(
            states=states, group=group, sent_since=sent_since
        )

    def entries(self, op_id: str) -> tuple[Entry, ...]:
        """What an act writes."""
        return OutboxReader(self.connection, self.press).entries(op_id)

    def conflicts(self, op_id: str | None = None, *, open_only: bool = True) -> tuple[ConflictRow, ...]:
        """Conflicts, newest first."""
        return ConflictReader(self.connection, self.press).rows(op_id, open_only=open_only)

    def attachments(self, patient_ref: str | None = None) -> tuple[FileRow, ...]:
        """Attachments of a patient that have a row here; without one, all that are not yet at the record."""
        reader = AttachmentReader(self.connection)
        return reader.unsent() if patient_ref is None else reader.of_patient(patient_ref)

    def evidence(self, patient_ref: str | None = None, *, limit: int = 200) -> tuple[EvidenceRow, ...]:
        """Why rows left the cache, newest first."""
        return evidence_rows(self.connection, patient_ref, limit)

    def recalled(self) -> Mapping[str, datetime | None]:
        """Acts of unknown fate: op_id → when the record was found to have it."""
        row = self._execute("SELECT value FROM kv WHERE key = ?", (KEY,)).fetchone()
        return parsed(row[0] if row is not None else None)

    def membership(self, patient_ref: str) -> Member | None:
        """How a patient stands in the scope of this workplace."""
        table = tables.membership
        row = self.connection.execute(sa.select(table).where(table.c.patient == patient_ref)).first()
        return None if row is None else Member(row.patient, MemberState(row.state), row.since, row.chunk)


_NAMED: Final = frozenset({"Patient", "Practitioner", "Organization", "RelatedPerson", "Location"})


def _sort_of(key: Key) -> tuple[object, ...]:
    """SQLite's own order: nothing before something, text before bytes."""
    value, packed, _ = key
    blob = isinstance(packed, bytes)
    if isinstance(value, bytes):
        return (2, value, blob, packed)
    return (value is not None, 0 if value is None else value, blob, packed)
