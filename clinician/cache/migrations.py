"""The schema, step by step and only forward. A released step is never edited; a new one is appended.

Step n runs in one transaction with everything else of opening: either the file is at the new schema
or it is as it was. The outbox is never touched by a step that can fail half-way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from clinician import texts
from clinician.cache.body import shipped_dictionary
from clinician.errors import Environment

L = texts.lazy("cache")

_FIRST: Final = """
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied TEXT NOT NULL);
CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dictionary (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE coding (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);

CREATE TABLE resource (
    rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id NOT NULL, vid TEXT NOT NULL, lu_ms INTEGER NOT NULL,
    patient, status TEXT, start INTEGER, "end" INTEGER, code INTEGER, owner, link, ident TEXT, sort_key TEXT,
    body BLOB NOT NULL, UNIQUE (type, id)
);
CREATE INDEX resource_patient ON resource (patient, type, start) WHERE patient IS NOT NULL;
CREATE INDEX resource_start ON resource (type, start);
CREATE INDEX resource_owner ON resource (owner, type, start) WHERE owner IS NOT NULL;
CREATE INDEX resource_open ON resource (status, start) WHERE type = 139;
CREATE INDEX resource_link ON resource (type, link) WHERE link IS NOT NULL;
CREATE INDEX resource_ident ON resource (ident) WHERE ident IS NOT NULL;
CREATE INDEX resource_sort ON resource (type, sort_key) WHERE sort_key IS NOT NULL;

CREATE TABLE token (rid INTEGER NOT NULL, param TEXT NOT NULL, value NOT NULL, PRIMARY KEY (rid, param, value))
    WITHOUT ROWID;
CREATE INDEX token_value ON token (param, value);
CREATE VIRTUAL TABLE fts USING fts5 (
    words, content='', contentless_delete=1, prefix='2 3', detail=none,
    tokenize='unicode61 remove_diacritics 0'
);

CREATE TABLE overlay (
    number INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL, id NOT NULL, op_id TEXT NOT NULL,
    in_force INTEGER NOT NULL DEFAULT 1, body BLOB NOT NULL, UNIQUE (op_id, type, id)
);
CREATE INDEX overlay_row ON overlay (type, id, number);
CREATE VIEW effective AS
    SELECT type, id, body, '' AS op_id FROM resource AS r
        WHERE NOT EXISTS (SELECT 1 FROM overlay AS o WHERE o.type = r.type AND o.id = r.id AND o.in_force)
    UNION ALL
    SELECT type, id, body, op_id FROM overlay AS o
        WHERE in_force AND number = (
            SELECT max(number) FROM overlay AS p WHERE p.type = o.type AND p.id = o.id AND p.in_force);

CREATE TABLE watermark (key TEXT PRIMARY KEY, type TEXT NOT NULL, mark TEXT, cursor TEXT, t0 TEXT) WITHOUT ROWID;
CREATE TABLE membership (patient TEXT PRIMARY KEY, state TEXT NOT NULL, since TEXT NOT NULL, chunk TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE tombstone (type INTEGER NOT NULL, id NOT NULL, vid TEXT NOT NULL, lu_ms INTEGER NOT NULL,
    PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE TABLE evidence (number INTEGER PRIMARY KEY, ref TEXT NOT NULL, patient TEXT NOT NULL, why TEXT NOT NULL,
    seen TEXT NOT NULL, version TEXT NOT NULL, status INTEGER, detail TEXT NOT NULL);
CREATE INDEX evidence_patient ON evidence (patient, number);
CREATE TABLE lateness (type TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (type, bucket)) WITHOUT ROWID;
CREATE TABLE server_profile (number INTEGER PRIMARY KEY CHECK (number = 1), body TEXT NOT NULL);
CREATE TABLE purge_log (number INTEGER PRIMARY KEY, purged TEXT NOT NULL, why TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE quarantine (ref TEXT PRIMARY KEY, version TEXT NOT NULL, reason TEXT NOT NULL, seen TEXT NOT NULL,
    body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE, group_id TEXT NOT NULL, kind TEXT NOT NULL,
    aggregate TEXT NOT NULL, patient TEXT NOT NULL, who TEXT NOT NULL, who_name TEXT NOT NULL,
    workplace TEXT NOT NULL, label TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
    provenance BLOB NOT NULL, bundle BLOB, sha256 TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, first_sent TEXT, last_sent TEXT, next_at TEXT, last_status INTEGER,
    last_issue TEXT NOT NULL DEFAULT '', superseded_by TEXT NOT NULL DEFAULT '', corrects TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_pending ON outbox (aggregate, seq) WHERE state NOT IN ('applied', 'withdrawn');
CREATE INDEX outbox_group ON outbox (group_id);
CREATE TABLE outbox_ref (
    op_id TEXT NOT NULL REFERENCES outbox (op_id), place INTEGER NOT NULL, ref TEXT NOT NULL, body BLOB NOT NULL,
    base_version TEXT, base_op TEXT, base BLOB, version_after TEXT, PRIMARY KEY (op_id, place)
) WITHOUT ROWID;
CREATE INDEX outbox_ref_ref ON outbox_ref (ref);
CREATE TABLE outbox_after (op_id TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (op_id, after)) WITHOUT ROWID;
CREATE INDEX outbox_after_after ON outbox_after (after);
CREATE TRIGGER outbox_frozen BEFORE UPDATE OF bundle, sha256 ON outbox WHEN OLD.bundle IS NOT NULL
    AND (NEW.bundle IS NOT OLD.bundle OR NEW.sha256 IS NOT OLD.sha256)
    BEGIN SELECT RAISE(ABORT, 'a frozen act never changes'); END;
CREATE TRIGGER outbox_ref_kept BEFORE UPDATE OF body, ref, op_id ON outbox_ref
    BEGIN SELECT RAISE(ABORT, 'what was signed never changes'); END;

CREATE TABLE conflict (
    op_id TEXT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL, base BLOB, mine BLOB NOT NULL, theirs BLOB,
    theirs_version TEXT NOT NULL, theirs_author TEXT NOT NULL, theirs_when TEXT, merged BLOB, noticed TEXT NOT NULL,
    decision TEXT NOT NULL DEFAULT '', decided_by TEXT NOT NULL DEFAULT '', decided TEXT, PRIMARY KEY (op_id, ref)
) WITHOUT ROWID;
CREATE INDEX conflict_open ON conflict (ref) WHERE decision = '';

CREATE TABLE audit (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, recorded TEXT NOT NULL, body BLOB NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0);
CREATE INDEX audit_waiting ON audit (number) WHERE sent = 0;
CREATE TABLE draft (user TEXT NOT NULL, patient TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL,
    saved TEXT NOT NULL, PRIMARY KEY (user, patient, key)) WITHOUT ROWID;
CREATE TABLE pin (user TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""  # noqa: E501

_DISPUTED: Final = """
CREATE INDEX outbox_patient ON outbox (patient, seq);
CREATE TABLE attachment (
    sha256 TEXT PRIMARY KEY, binary_id TEXT NOT NULL, content_type TEXT NOT NULL, bytes INTEGER NOT NULL,
    file_key BLOB NOT NULL, op_id TEXT NOT NULL DEFAULT '', uploaded INTEGER NOT NULL DEFAULT 0, used TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX attachment_op ON attachment (op_id) WHERE uploaded = 0;
"""  # noqa: E501

_ATTACHED: Final = """
DROP TABLE attachment;
CREATE TABLE attachment (
    ref TEXT PRIMARY KEY, document TEXT NOT NULL, patient TEXT NOT NULL, op_id TEXT NOT NULL DEFAULT '',
    content_type TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, sha1 TEXT NOT NULL,
    state TEXT NOT NULL, name TEXT NOT NULL DEFAULT '', file_key BLOB NOT NULL, content BLOB,
    attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, last_status INTEGER,
    last_issue TEXT NOT NULL DEFAULT '', used TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX attachment_unsent ON attachment (op_id) WHERE state IN ('waiting', 'refused');
CREATE INDEX attachment_patient ON attachment (patient);
"""
"""The table of step 2 was never written to."""

STEPS: Final = (_FIRST, _DISPUTED, _ATTACHED)
NEWEST: Final = len(STEPS)


class CacheTooNew(Environment):
    """A newer Clinician made this file. It is untouched; this program is too old for it."""


def version_of(connection: Any) -> int:
    """The schema the file has; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: Any, now: datetime, *, to: int = NEWEST) -> int:
    """Bring a DB-API connection's file to schema `to`; returns what it was. CacheTooNew if it is newer."""
    before = version_of(connection)
    if before > NEWEST:
        raise CacheTooNew(
            L(
                "The stored data on this PC were made by a newer Clinician. Nothing is changed or lost. "
                "Start the newer version, or have this PC updated."
            ),
            detail=f"schema {before}, known {NEWEST}",
        )
    if before >= to:
        return before
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(before + 1, to + 1):
            for statement in _statements(STEPS[number - 1]):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?, ?)", (number, now.isoformat()))
        if before == 0:
            connection.execute("INSERT INTO dictionary VALUES (?, ?)", shipped_dictionary())
        connection.execute(f"PRAGMA user_version={to}")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return before


def _statements(script: str) -> list[str]:
    """Cut a step at its semicolons; a trigger's inner ones do not end a line with nothing after END."""
    found: list[str] = []
    held = ""
    for line in script.strip().splitlines():
        held += line + "\n"
        if line.rstrip().endswith(";") and (not held.startswith("CREATE TRIGGER") or "END;" in line):
            found.append(held.strip().rstrip(";") if not held.startswith("CREATE TRIGGER") else held.strip())
            held = ""
    return found
