"""One write transaction of the record: versions, history and index rows move together or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

from clinician.embedded import body as bodies
from clinician.embedded import schema
from clinician.embedded.indexing import Indexer, Rows
from clinician.fhir.reference import Raw
from clinician.fhir.times import to_instant

Tail = tuple[bytes, bytes]
_PUT_INDEX: Final = {
    "ref": "INSERT OR IGNORE INTO ref VALUES (?,?,?)",
    "token": "INSERT OR IGNORE INTO token VALUES (?,?,?,?)",
    "word": "INSERT OR IGNORE INTO word VALUES (?,?,?,?)",
    "moment": "INSERT OR IGNORE INTO moment VALUES (?,?,?,?)",
    "quantity": "INSERT OR IGNORE INTO quantity VALUES (?,?,?,?,?,?,?)",
}
_DROP_INDEX: Final = {
    "ref": "DELETE FROM ref WHERE pid=? AND target=? AND rid=?",
    "token": "DELETE FROM token WHERE pid=? AND code=? AND system=? AND rid=?",
    "word": "DELETE FROM word WHERE pid=? AND folded=? AND exact=? AND rid=?",
    "moment": "DELETE FROM moment WHERE pid=? AND low=? AND high=? AND rid=?",
    "quantity": "DELETE FROM quantity WHERE pid=? AND low=? AND high=? AND system=? AND code=?"
    " AND unit=? AND rid=?",
}
_PUT_CHART: Final = "INSERT OR IGNORE INTO chart VALUES (?,?,?,?)"
_DROP_CHART: Final = "DELETE FROM chart WHERE pid=? AND target=? AND seq=? AND rid=?"
_CURRENT: Final = "SELECT rid, version, seq, updated, deleted, head, body FROM resource WHERE type=? AND id=?"


class Row(NamedTuple):
    """The newest version of a resource as stored."""

    rid: int
    version: int
    seq: int
    updated: int
    deleted: int
    head: int
    body: bytes


class Written(NamedTuple):
    """What a write led to. changed is False for an update that said nothing new."""

    type: str
    id: str
    version: int
    last_updated: str
    created: bool
    changed: bool
    body: bytes


def current(connection: sqlite3.Connection, type_: str, id_: str) -> Row | None:
    """The newest version of a resource, deleted or not."""
    found = connection.execute(_CURRENT, (type_, id_)).fetchone()
    return Row(*found) if found else None


def instant(updated: int) -> str:
    """A stored time as a FHIR instant."""
    return to_instant(datetime.fromtimestamp(updated / 1000, UTC))


class Writing:
    """A write transaction in progress. `seq` and `updated` are what it has reached."""

    def __init__(
        self, connection: sqlite3.Connection, indexer: Indexer, now: int, parse: Callable[[bytes], Raw]
    ) -> None:
        self.connection = connection
        self.indexer = indexer
        self._parse = parse
        self.seq, last = connection.execute("SELECT seq, updated FROM state").fetchone()
        self.first_seq = self.seq
        self.updated = max(now, last)
        self.last_updated = instant(self.updated)
        self._held: dict[str, list[tuple[object, ...]]] | None = None

    def hold_index(self) -> None:
        """Gather index rows of new resources and write them sorted: much quicker for thousands at once."""
        self._held = {}

    def stamp_from(self, updated: int) -> None:
        """Stamp what follows with `updated` (ms) instead of now, unless that would go back in time."""
        last = self.connection.execute("SELECT updated FROM state").fetchone()[0]
        self.updated = max(updated, last)
        self.last_updated = instant(self.updated)

    def put(self, type_: str, id_: str, tail: Tail, raw: Raw, *, method: str = "PUT") -> Written:
        """Create, update or revive Type/id. An update that says nothing new keeps its version."""
        old = current(self.connection, type_, id_)
        if old is None:
            return self._insert(type_, id_, tail, raw, method)
        if not old.deleted and bodies.same_content(old.body, type_, id_, old.version, tail):
            return Written(type_, id_, old.version, instant(old.updated), False, False, old.body)
        version = old.version + 1
        stamped = bodies.stamp(type_, id_, version, self.last_updated, tail)
        self._replace(old, version, 0, method, stamped)
        before: Rows = {} if old.deleted else self.indexer.rows(type_, self._parse(old.body))
        self._reindex(old.rid, old.seq, before, self.indexer.rows(type_, raw))
        return Written(type_, id_, version, self.last_updated, bool(old.deleted), True, stamped.body)

    def delete(self, type_: str, id_: str) -> Written | None:
        """Delete Type/id; None when there is nothing alive to delete."""
        old = current(self.connection, type_, id_)
        if old is None or old.deleted:
            return None
        self._replace(old, old.version + 1, 1, "DELETE", bodies.Stamped(b"", 0))
        self._reindex(old.rid, old.seq, self.indexer.rows(type_, self._parse(old.body)), {})
        return Written(type_, id_, old.version + 1, self.last_updated, False, True, b"")

    def finish(self) -> None:
        """Note how far the transaction has come; the last statement before COMMIT."""
        self._release()
        if self.seq == self.first_seq:
            return
        self.connection.execute("UPDATE state SET seq=?, updated=?", (self.seq, self.updated))
        self.connection.execute(
            "INSERT OR IGNORE INTO tick VALUES (?, ?)", (self.updated, self.first_seq + 1)
        )

    def _insert(self, type_: str, id_: str, tail: Tail, raw: Raw, method: str) -> Written:
        self.seq += 1
        stamped = bodies.stamp(type_, id_, 1, self.last_updated, tail)
        rid = self.connection.execute(
            "INSERT INTO resource(type,id,version,seq,updated,deleted,method,head,body)"
            " VALUES (?,?,1,?,?,0,?,?,?)",
            (type_, id_, self.seq, self.updated, method, stamped.head, stamped.body),
        ).lastrowid
        assert rid is not None
        rows = self.indexer.rows(type_, raw)
        if self._held is None:
            self._index(rid, self.seq, {}, rows)
        else:
            self._hold(rid, rows)
        return Written(type_, id_, 1, self.last_updated, True, True, stamped.body)

    def _replace(self, old: Row, version: int, deleted: int, method: str, stamped: bodies.Stamped) -> None:
        self._release()
        self.seq += 1
        self.connection.execute(
            "INSERT INTO past SELECT seq,rid,type,id,version,updated,deleted,method,head,body"
            " FROM resource WHERE rid=?",
            (old.rid,),
        )
        self.connection.execute(
            "UPDATE resource SET version=?, seq=?, updated=?, deleted=?, method=?, head=?, body=?"
            " WHERE rid=?",
            (version, self.seq, self.updated, deleted, method, stamped.head, stamped.body, old.rid),
        )

    def _hold(self, rid: int, found: Rows) -> None:
        assert self._held is not None
        for table, rows in found.items():
            ending = (self.seq, rid) if table == "chart" else (rid,)
            self._held.setdefault(table, []).extend((*row, *ending) for row in rows)

    def _release(self) -> None:
        """Write the index rows held back, in the order of their tables."""
        for table, rows in (self._held or {}).items():
            rows.sort()
            self.connection.executemany(_PUT_CHART if table == "chart" else _PUT_INDEX[table], rows)
            rows.clear()

    def _index(self, rid: int, seq: int, before: Rows, after: Rows) -> None:
        for table, statement in _DROP_INDEX.items():
            if table in before:
                self._many(statement, before[table] - after.get(table, frozenset()), rid)
        for table, statement in _PUT_INDEX.items():
            if table in after:
                self._many(statement, after[table] - before.get(table, frozenset()), rid)
        self._many(_PUT_CHART, after.get("chart", frozenset()), seq, rid)

    def reindex_all(self) -> int:
        """Every index row made anew from the bodies; returns how many resources were read."""
        for table in (*schema.INDEX_TABLES, "chart"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from our own list
        living = self.connection.execute("SELECT rid, seq, type, body FROM resource WHERE deleted=0")
        count = 0
        for rid, seq, type_, body in living:
            self._index(rid, seq, {}, self.indexer.rows(type_, self._parse(body)))
            count += 1
        self.connection.execute("UPDATE state SET index_version=?", (schema.INDEX_VERSION,))
        return count

    def _reindex(self, rid: int, old_seq: int, before: Rows, after: Rows) -> None:
        self._many(_DROP_CHART, before.get("chart", frozenset()), old_seq, rid)
        self._index(rid, self.seq, before, after)

    def _many(self, statement: str, rows: Collection[tuple[object, ...]], *ending: int) -> None:
        if rows:
            self.connection.executemany(statement, [(*row, *ending) for row in rows])
