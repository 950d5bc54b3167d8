"""The bookkeeping tables as SQLAlchemy Core sees them; `migrations` makes them, a test keeps both equal.

Times are ISO strings of UTC instants with microseconds, so they sort and compare as text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column, Integer, LargeBinary, String, Table

METADATA: Final = sa.MetaData()


class Moment(sa.TypeDecorator[datetime]):
    """An aware instant, kept as UTC text of one length."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else moment_text(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def moment_text(value: datetime) -> str:
    """'2026-03-03T07:00:00.000000+00:00'. Naive values raise ValueError."""
    if value.tzinfo is None:
        raise ValueError("a naive time has no instant")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


outbox: Final = Table(
    "outbox",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("op_id", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("aggregate", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("who", String, nullable=False),
    Column("who_name", String, nullable=False),
    Column("workplace", String, nullable=False),
    Column("label", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created", Moment, nullable=False),
    Column("provenance", LargeBinary, nullable=False),
    Column("bundle", LargeBinary),
    Column("sha256", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_sent", Moment),
    Column("last_sent", Moment),
    Column("next_at", Moment),
    Column("last_status", Integer),
    Column("last_issue", String, nullable=False),
    Column("superseded_by", String, nullable=False),
    Column("corrects", String, nullable=False),
)
outbox_ref: Final = Table(
    "outbox_ref",
    METADATA,
    Column("op_id", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("ref", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("base_version", String),
    Column("base_op", String),
    Column("base", LargeBinary),
    Column("version_after", String),
)
outbox_after: Final = Table(
    "outbox_after",
    METADATA,
    Column("op_id", String, primary_key=True),
    Column("after", String, primary_key=True),
)
conflict: Final = Table(
    "conflict",
    METADATA,
    Column("op_id", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("base", LargeBinary),
    Column("mine", LargeBinary, nullable=False),
    Column("theirs", LargeBinary),
    Column("theirs_version", String, nullable=False),
    Column("theirs_author", String, nullable=False),
    Column("theirs_when", Moment),
    Column("merged", LargeBinary),
    Column("noticed", Moment, nullable=False),
    Column("decision", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided", Moment),
)
watermark: Final = Table(
    "watermark",
    METADATA,
    Column("key", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("mark", Moment),
    Column("cursor", Moment),
    Column("t0", Moment),
)
membership: Final = Table(
    "membership",
    METADATA,
    Column("patient", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", Moment, nullable=False),
    Column("chunk", String, nullable=False),
)
evidence: Final = Table(
    "evidence",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("ref", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("why", String, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("version", String, nullable=False),
    Column("status", Integer),
    Column("detail", String, nullable=False),
)
lateness: Final = Table(
    "lateness",
    METADATA,
    Column("type", String, primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
server_profile: Final = Table(
    "server_profile",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("body", String, nullable=False),
)
purge_log: Final = Table(
    "purge_log",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("purged", Moment, nullable=False),
    Column("why", String, nullable=False),
    Column("rows", Integer, nullable=False),
)
quarantine: Final = Table(
    "quarantine",
    METADATA,
    Column("ref", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
audit: Final = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False),
    Column("recorded", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sent", Integer, nullable=False),
)
draft: Final = Table(
    "draft",
    METADATA,
    Column("user", String, primary_key=True),
    Column("patient", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("content", String, nullable=False),
    Column("saved", Moment, nullable=False),
)
pin: Final = Table(
    "pin", METADATA, Column("user", String, primary_key=True), Column("body", String, nullable=False)
)
attachment: Final = Table(
    "attachment",
    METADATA,
    Column("ref", String, primary_key=True),
    Column("document", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("op_id", String, nullable=False),
    Column("content_type", String, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("sha1", String, nullable=False),
    Column("state", String, nullable=False),
    Column("name", String, nullable=False),
    Column("file_key", LargeBinary, nullable=False),
    Column("content", LargeBinary),
    Column("attempts", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("last_status", Integer),
    Column("last_issue", String, nullable=False),
    Column("used", Moment, nullable=False),
)
kv: Final = Table(
    "kv", METADATA, Column("key", String, primary_key=True), Column("value", String, nullable=False)
)
