"""Putting down what the record sent: one parse, one executemany, no model.

DB-API directly beneath SQLAlchemy: Core costs five times as much for a page of rows (measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from clinician.cache.body import Press
from clinician.cache.indexer import Columns, columns_of, to_ms, words_of_patient
from clinician.cache.packing import (
    NUMBER,
    PATIENT,
    TYPES,
    Packed,
    pack_id,
    pack_known_id,
    pack_known_ref,
    pack_ref,
    unpack_id,
)
from clinician.cache.reading import Raw
from clinician.cache.synced import SyncedRow

_EPISODE: Final = NUMBER["EpisodeOfCare"]
_INSERT: Final = "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE: Final = (
    'UPDATE resource SET vid = ?, lu_ms = ?, patient = ?, status = ?, start = ?, "end" = ?, code = ?, '
    "owner = ?, link = ?, ident = ?, sort_key = ?, body = ? WHERE rid = ?"
)
_REINDEX: Final = (
    'UPDATE resource SET patient = ?, status = ?, start = ?, "end" = ?, code = ?, owner = ?, link = ?, '
    "ident = ?, sort_key = ? WHERE rid = ?"
)
_CHUNK: Final = 500

Known = tuple[int, str, int]
Place = tuple[int, Packed]
Fields = tuple[Any, ...]
Placed = list[tuple[SyncedRow, Place]]
_SAME: Final = 1000
"""Milliseconds by which the stamps of one version may differ: some answers tell whole seconds only."""


@dataclass(slots=True)
class Batch:
    """What one page comes to, before it is written."""

    inserts: list[Fields] = field(default_factory=list)
    updates: list[Fields] = field(default_factory=list)
    tokens: list[Fields] = field(default_factory=list)
    patients: dict[Packed, tuple[int, Raw]] = field(default_factory=dict)
    roomed: set[Packed] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    older: set[str] = field(default_factory=set)
    first_seen: set[str] = field(default_factory=set)
    unread: list[tuple[SyncedRow, str]] = field(default_factory=list)


def verdict(new: tuple[str, int], old: tuple[str, int]) -> str:
    """'newer', 'same' or 'older', of (versionId, lastUpdated ms). Numbers by size, others by stamp."""
    if new[0] == old[0]:
        return "same"
    if new[0].isdecimal() and old[0].isdecimal():
        return "newer" if int(new[0]) > int(old[0]) else "older"
    return "newer" if new[1] >= old[1] else "older"


class Rows:
    """Writes synced rows with their columns, tokens and search words. Writer thread only."""

    def __init__(self, connection: Any, press: Press) -> None:
        self._execute = connection.execute
        self._many = connection.executemany
        self._press = press
        self._codings: dict[str, int] | None = None
        self._next_rid = 0
        self.grown = 0
        """Rows inserted since somebody set it to 0."""

    def forget(self) -> None:
        """Forget what was read ahead; needed after a rollback."""
        self._codings, self._next_rid = None, 0

    def put(self, rows: Iterable[SyncedRow], *, restored: bool) -> Batch:
        """Store what is newer than what is cached. restored: take older versions too."""
        batch = Batch()
        placed = self._placed(rows, batch)
        known, graves = self._known(placed), self._graves(placed)
        last, stamp = None, 0
        for row, place in placed:
            if row.last_updated is not last:  # the resources of one transaction share their stamp
                last = row.last_updated
                stamp = to_ms(last)
            held = known.get(place)
            old = graves.get(place) if held is None else held[1:]
            if old is None or self._is_wanted(batch, row, stamp, old, held is not None, restored):
                self._take(batch, row, place, stamp, known, graves)
        self._write(batch)
        return batch

    def _placed(self, rows: Iterable[SyncedRow], batch: Batch) -> Placed:
        placed: Placed = []
        for row in rows:
            number = NUMBER.get(row.type)
            if number is None:
                batch.unread.append((row, "not a FHIR R4 type"))
            else:
                placed.append((row, (number, pack_id(row.id))))
        return placed

    def _is_wanted(
        self, batch: Batch, row: SyncedRow, stamp: int, old: tuple[str, int], is_cached: bool, restored: bool
    ) -> bool:
        found = verdict((row.version, stamp), old)
        odd = found == "older" or (found == "same" and abs(stamp - old[1]) > _SAME)
        if found == "newer" or (restored and odd) or (not is_cached and stamp - old[1] > _SAME):
            return True  # a tombstone gives way to a later stamp: what was restored counts from 1 anew
        (batch.older if odd and is_cached else batch.kept).add(f"{row.type}/{row.id}")
        return False

    def _take(
        self,
        batch: Batch,
        row: SyncedRow,
        place: Place,
        stamp: int,
        known: dict[Place, Known],
        graves: dict[Place, tuple[str, int]],
    ) -> None:
        type_, id_, version, _, body = row
        try:
            raw = orjson.loads(body)
            if raw["resourceType"] != type_ or raw["id"] != id_:
                raise ValueError("the body is another resource")
            columns = columns_of(raw)
        except (ValueError, TypeError, KeyError) as problem:
            batch.unread.append((row, str(problem)[:200]))
            return
        ref = f"{type_}/{id_}"
        fields, packed = self._fields(columns), self._press.pack(body)
        held = known.get(place)
        if held is None:
            rid = self._new_rid()
            batch.inserts.append((rid, *place, version, stamp, *fields, packed))
            batch.first_seen.add(ref)
        else:
            if ref in batch.changed:
                self._write(batch)  # twice in one page: the first must be in before the second replaces it
            rid = held[0]
            batch.updates.append((version, stamp, *fields, packed, rid))
        self._remember(batch, place, rid, columns, raw)
        batch.changed.add(ref)
        known[place] = (rid, version, stamp)
        if graves and graves.pop(place, None) is not None:
            self._execute("DELETE FROM tombstone WHERE type = ? AND id = ?", place)

    def _fields(self, columns: Columns) -> Fields:
        patient = columns.patient
        codes, owners = columns.codes, columns.owners
        return (
            pack_known_id(patient[8:]) if patient else None,
            columns.status,
            columns.start,
            columns.end,
            self._coding(codes[0]) if codes else None,
            pack_known_ref(owners[0]) if owners else None,
            pack_ref(columns.link) if columns.link else None,
            columns.ident,
            columns.sort_key,
        )

    def _remember(self, batch: Batch, place: Place, rid: int, columns: Columns, raw: Raw) -> None:
        """Note what goes beside the row: tokens, and the search words of whose patient."""
        if len(columns.codes) > 1 or len(columns.owners) > 1 or columns.tokens:
            self._remember_tokens(batch, rid, columns)
        if place[0] == PATIENT:
            batch.patients[place[1]] = (rid, raw)
        elif place[0] == _EPISODE and columns.patient:
            batch.roomed.add(pack_id(columns.patient[8:]))

    def _remember_tokens(self, batch: Batch, rid: int, columns: Columns) -> None:
        for code in columns.codes[1:]:
            batch.tokens.append((rid, "code", self._coding(code)))
        for owner in columns.owners[1:]:
            batch.tokens.append((rid, "owner", pack_known_ref(owner)))
        for name, value in columns.tokens:
            batch.tokens.append((rid, name, value if name == "identifier" else pack_ref(value)))

    def _write(self, batch: Batch) -> None:
        if batch.updates:
            self._unindex(batch)
            self._many(_UPDATE, batch.updates)
        if batch.inserts:
            self._many(_INSERT, batch.inserts)
            self.grown += len(batch.inserts)
        if batch.tokens:
            self._many("INSERT OR IGNORE INTO token VALUES (?, ?, ?)", batch.tokens)
        self._write_words(batch)
        for held in (batch.updates, batch.inserts, batch.tokens):
            held.clear()
        batch.patients.clear()
        batch.roomed.clear()

    def _unindex(self, batch: Batch) -> None:
        """Take away the tokens of rows about to change, and note whose room an old stay gave."""
        rids = [(fields[-1],) for fields in batch.updates]
        self._many("DELETE FROM token WHERE rid = ?", rids)
        for (rid,) in rids:
            found = self._execute(
                "SELECT patient FROM resource WHERE rid = ? AND type = ?", (rid, _EPISODE)
            ).fetchone()
            if found is not None and found[0] is not None:
                batch.roomed.add(found[0])

    # search words

    def _write_words(self, batch: Batch) -> None:
        for packed in batch.roomed - batch.patients.keys():
            row = self._execute(
                "SELECT rid, body FROM resource WHERE type = ? AND id = ?", (PATIENT, packed)
            ).fetchone()
            if row is not None:
                batch.patients[packed] = (row[0], self._press.read(row[1]))
        if not batch.patients:
            return
        rooms = self._rooms(list(batch.patients))
        rids = [(rid,) for rid, _ in batch.patients.values()]
        self._many("DELETE FROM fts WHERE rowid = ?", rids)
        self._many(
            "INSERT INTO fts (rowid, words) VALUES (?, ?)",
            [
                (rid, words_of_patient(raw, tuple(rooms.get(packed, ()))))
                for packed, (rid, raw) in batch.patients.items()
            ],
        )

    def _rooms(self, patients: list[Packed]) -> dict[Packed, list[str]]:
        found: dict[Packed, list[str]] = {}
        for some in chunks(patients):
            rows = self._execute(
                f"SELECT patient, sort_key FROM resource WHERE type = {_EPISODE} AND sort_key IS NOT NULL "  # noqa: S608
                f"AND patient IN ({marks(some)}) ORDER BY id",
                some,
            )
            for packed, room in rows:
                found.setdefault(packed, []).append(room)
        return found

    # what is there

    def _known(self, placed: Placed) -> dict[Place, Known]:
        return {
            (number, id_): (rid, vid, lu_ms)
            for number, id_, rid, vid, lu_ms in self._look("rid, vid, lu_ms", "resource", placed)
        }

    def _graves(self, placed: Placed) -> dict[Place, tuple[str, int]]:
        if self._execute("SELECT 1 FROM tombstone LIMIT 1").fetchone() is None:
            return {}
        found = self._look("vid, lu_ms", "tombstone", placed)
        return {(number, id_): (vid, lu_ms) for number, id_, vid, lu_ms in found}

    def _look(self, columns: str, table: str, placed: Placed) -> Iterator[tuple[Any, ...]]:
        by_type: dict[int, list[Packed]] = {}
        for _, (number, id_) in placed:
            by_type.setdefault(number, []).append(id_)
        for number, ids in by_type.items():
            for some in chunks(ids):
                where = f"type = {number} AND id IN ({marks(some)})"
                yield from self._execute(f"SELECT type, id, {columns} FROM {table} WHERE {where}", some)  # noqa: S608

    def _new_rid(self) -> int:
        if not self._next_rid:
            self._next_rid = self._execute("SELECT coalesce(max(rid), 0) FROM resource").fetchone()[0]
        self._next_rid += 1
        return self._next_rid

    def _coding(self, key: str) -> int:
        if self._codings is None:
            self._codings = dict(self._execute("SELECT key, number FROM coding"))
        number = self._codings.get(key)
        if number is None:
            number = len(self._codings) + 1
            self._execute("INSERT INTO coding (number, key) VALUES (?, ?)", (number, key))
            self._codings[key] = number
        return number

    # removal and rebuilding

    def remove(self, place: Place) -> str | None:
        """Take one row away; returns its patient's reference ('' for none), None when it was not there."""
        row = self._execute("SELECT rid, patient FROM resource WHERE type = ? AND id = ?", place).fetchone()
        if row is None:
            return None
        rid, patient = row
        self._execute("DELETE FROM resource WHERE rid = ?", (rid,))
        self._execute("DELETE FROM token WHERE rid = ?", (rid,))
        if place[0] == PATIENT:
            self._execute("DELETE FROM fts WHERE rowid = ?", (rid,))
        if place[0] == _EPISODE and patient is not None:
            self._write_words(Batch(roomed={patient}))
        return f"Patient/{unpack_id(patient)}" if patient is not None else ""

    def rebuild(self) -> int:
        """Make columns, tokens and search words anew from the bodies; returns how many rows."""
        self._execute("DELETE FROM token")
        self._execute("DELETE FROM fts")
        total, after = 0, 0
        while True:
            rows = self._execute(
                "SELECT rid, type, id, body FROM resource WHERE rid > ? ORDER BY rid LIMIT ?", (after, _CHUNK)
            ).fetchall()
            if not rows:
                return total
            total, after = total + len(rows), rows[-1][0]
            self._rebuild(rows)

    def _rebuild(self, rows: list[tuple[int, int, Packed, bytes]]) -> None:
        batch = Batch()
        updates = []
        for rid, number, packed, body in rows:
            raw = self._press.read(body)
            columns = columns_of(raw)
            updates.append((*self._fields(columns), rid))
            self._remember(batch, (number, packed), rid, columns, raw)
        self._many(_REINDEX, updates)
        self._write(batch)


def chunks(values: list[Any]) -> Iterator[list[Any]]:
    """At most 500 at a time."""
    for at in range(0, len(values), _CHUNK):
        yield values[at : at + _CHUNK]


def marks(values: list[Any]) -> str:
    """Question marks for a list."""
    return ",".join("?" * len(values))


def ref_of(number: int, packed: Packed) -> str:
    """'Type/id' of a stored row."""
    return f"{TYPES[number - 1]}/{unpack_id(packed)}"
