"""What sync hands the cache, and what it keeps about its own progress: frozen rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class SyncedRow(NamedTuple):
    """One resource as the record sent it. body: the exact JSON bytes of the resource.

    version: meta.versionId, opaque. last_updated: meta.lastUpdated, aware.
    """

    type: str
    id: str
    version: str
    last_updated: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class PutReport:
    """What came of put_synced. changed: refs stored; kept: refs whose cached version was as new or newer.

    older: refs the record now shows in an older version than cached, or in the cached one with another stamp:
    a version number that was given again (a restored server; SYNC §1.4.5).
    quarantined: refs that did not parse; they stop nobody.
    """

    changed: frozenset[str]
    kept: frozenset[str] = frozenset()
    older: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()
    first_seen: frozenset[str] = frozenset()
    """Those of `changed` that were not cached before (for the lateness meter)."""


class Why(StrEnum):
    """Why a row left the cache (I4: no removal without one)."""

    DELETED = "deleted"
    OUT_OF_SCOPE = "out-of-scope"
    FORBIDDEN = "forbidden"
    AGED_OUT = "aged-out"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Proof for one removal: what answer of the record, of which version, was the reason."""

    why: Why
    seen: datetime
    version: str = ""
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Evidence with what was removed."""

    ref: str
    patient_ref: str
    why: Why
    seen: datetime
    version: str
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """Progress of one key (type, chunk of patients, window).

    mark: by the record's clock; None until a full pass is complete. cursor: where an unfinished
    full pass goes on. t0: the record's time when that pass began.
    """

    key: str
    type: str
    mark: datetime | None = None
    cursor: datetime | None = None
    t0: datetime | None = None


class MemberState(StrEnum):
    """How far a patient is in the scope of this workplace.

    FORBIDDEN: the record lets nobody here read them; nothing is shown, what is pending is settled first.
    """

    BACKFILL = "backfill"
    LIVE = "live"
    LEAVING = "leaving"
    FORBIDDEN = "forbidden"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Member:
    """One patient of the workplace. since: when this state began."""

    patient_ref: str
    state: MemberState
    since: datetime
    chunk: str = ""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A resource that did not parse, kept as it came."""

    ref: str
    version: str
    reason: str
    seen: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One AuditEvent waiting to be sent: PUT AuditEvent/{id} with exactly these bytes."""

    id: str
    recorded: datetime
    body: bytes
