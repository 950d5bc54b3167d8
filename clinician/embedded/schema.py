"""The tables of the record and how a connection to them is opened.

`resource` holds the newest version of each resource (also of a deleted one), `past` every version before
it. `seq` grows by one for each version written and never goes back; `updated` (ms since 1970, UTC) never
falls as `seq` grows, so a time range is a seq range. A body is the JSON as received with
`meta.versionId` and `meta.lastUpdated` spliced in; `head` is the length of its part through `meta`.
The index tables hold rows of living resources only; `chart` serves the one question every workstation
asks all day: what changed for these fifty patients since then.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Final

INDEX_VERSION: Final = 2
"""Raise when indexing.py makes other rows than before: the file is indexed anew at its next opening."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS state(
  one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  updated INTEGER NOT NULL, index_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seal(one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tick(updated INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS resource(
  rid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
  seq INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL, method TEXT NOT NULL,
  head INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS resource_ref ON resource(type, id);
CREATE UNIQUE INDEX IF NOT EXISTS resource_seq ON resource(seq);
CREATE INDEX IF NOT EXISTS resource_type ON resource(type, deleted, seq);
CREATE TABLE IF NOT EXISTS past(
  seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
  version INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL, method TEXT NOT NULL,
  head INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS past_ref ON past(rid, version);
CREATE INDEX IF NOT EXISTS past_type ON past(type, seq);
CREATE TABLE IF NOT EXISTS chart(
  pid INTEGER, target TEXT, seq INTEGER, rid INTEGER, PRIMARY KEY(pid, target, seq, rid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ref(
  pid INTEGER, target TEXT, rid INTEGER, PRIMARY KEY(pid, target, rid)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ref_rid ON ref(rid, pid);
CREATE TABLE IF NOT EXISTS token(
  pid INTEGER, code TEXT, system TEXT, rid INTEGER, PRIMARY KEY(pid, code, rid, system)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS word(
  pid INTEGER, folded TEXT, exact TEXT, rid INTEGER, PRIMARY KEY(pid, folded, exact, rid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moment(
  pid INTEGER, low INTEGER, high INTEGER, rid INTEGER, PRIMARY KEY(pid, low, high, rid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quantity(
  pid INTEGER, low REAL, high REAL, system TEXT, code TEXT, unit TEXT, rid INTEGER,
  PRIMARY KEY(pid, low, high, system, code, unit, rid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS binary_part(
  part_id INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, number INTEGER NOT NULL,
  content BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS binary_part_place ON binary_part(id, version, number);
"""
NO_ROOM: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMMAP,
    }
)
"""What SQLite says when the disk takes no more; shared memory is a file too."""
INDEX_TABLES: Final = ("ref", "token", "word", "moment", "quantity")


def connect(path: Path, *, durable: bool, read_only: bool = False) -> sqlite3.Connection:
    """A connection for one thread at a time. Transactions are begun by hand."""
    connection = sqlite3.connect(
        f"file:{path}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        timeout=30,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        _tune(connection, durable=durable, read_only=read_only)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _tune(connection: sqlite3.Connection, *, durable: bool, read_only: bool) -> None:
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
    connection.execute("PRAGMA cache_size=-32000")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA mmap_size=268435456")


def create(connection: sqlite3.Connection, epoch: str) -> None:
    """Make what is missing; a file that is already a record keeps its epoch."""
    connection.executescript(TABLES)
    connection.execute("INSERT OR IGNORE INTO state VALUES (1, ?, 0, 0, ?)", (epoch, INDEX_VERSION))
    connection.execute("INSERT OR IGNORE INTO seal VALUES (1, ?)", (secrets.token_bytes(32),))
