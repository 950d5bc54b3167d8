"""Acts as they stand in the outbox, and what became of them: frozen rows, safe to hand about.

The states (SYNC §1.7):

    draft ──▶ queued ──▶ sending ──▶ applied
      │         │  ▲        ├──▶ unknown ──▶ (applied | sending | conflict | rejected | parked)
      ▼         ▼  │        ├──▶ conflict ──▶ withdrawn
    withdrawn ◀─┘  └────────┴──▶ rejected | parked ──▶ queued | withdrawn
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from clinician.cache.reading import Raw
from clinician.texts import Text


class ActState(StrEnum):
    """Where an act is on its way to the record."""

    DRAFT = "draft"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    PARKED = "parked"
    WITHDRAWN = "withdrawn"


TERMINAL: Final = frozenset({ActState.APPLIED, ActState.WITHDRAWN})
PENDING: Final = frozenset(ActState) - TERMINAL
WAITING: Final = frozenset({ActState.QUEUED, ActState.SENDING, ActState.UNKNOWN})
REFUSED: Final = frozenset({ActState.REJECTED, ActState.PARKED})

MOVES: Final[dict[ActState, frozenset[ActState]]] = {
    ActState.DRAFT: frozenset({ActState.QUEUED, ActState.WITHDRAWN}),
    ActState.QUEUED: frozenset({ActState.SENDING, ActState.CONFLICT, ActState.WITHDRAWN}),
    ActState.SENDING: frozenset(
        {
            ActState.UNKNOWN,
            ActState.APPLIED,
            ActState.CONFLICT,
            ActState.REJECTED,
            ActState.PARKED,
            ActState.QUEUED,
        }
    ),
    ActState.UNKNOWN: frozenset(
        {ActState.SENDING, ActState.APPLIED, ActState.CONFLICT, ActState.REJECTED, ActState.PARKED}
    ),
    ActState.CONFLICT: frozenset({ActState.WITHDRAWN}),
    ActState.REJECTED: frozenset({ActState.QUEUED, ActState.WITHDRAWN}),
    ActState.PARKED: frozenset({ActState.QUEUED, ActState.WITHDRAWN}),
    ActState.APPLIED: frozenset(),
    ActState.WITHDRAWN: frozenset(),
}
"""Every move an act may make. sending -> queued: the request is known never to have left.
queued -> conflict: seen before sending that the record has moved on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of an act.

    base_version: the synced version it was made from; None for a new resource.
    base_op: the unsent act whose result it was made from; its version is known once that act is applied.
    base: the body it was made from (for three-way merge and undo); None for a new resource.
    version_after: what the record answered once the act was applied.
    """

    ref: str
    raw: Raw
    base_version: str | None = None
    base_op: str | None = None
    base: Raw | None = None
    version_after: str | None = None

    @property
    def is_create(self) -> bool:
        """Nothing must be there before."""
        return self.base is None


@dataclass(frozen=True, slots=True)
class ActRow:
    """One act. seq orders acts as they were done; next_at and created are UTC instants.

    sha256 is '' until the bundle is frozen (at the latest at first send); then it never changes.
    """

    op_id: str
    seq: int
    group: str
    kind: str
    aggregate: str
    patient_ref: str
    who_ref: str
    who_name: str
    workplace_ref: str
    label: Text
    state: ActState
    created: datetime
    depends_on: tuple[str, ...]
    refs: tuple[str, ...]
    attempts: int = 0
    first_sent: datetime | None = None
    last_sent: datetime | None = None
    next_at: datetime | None = None
    last_status: int | None = None
    last_issue: str = ""
    sha256: str = ""
    superseded_by: str = ""
    corrects: str = ""
    """The op_id this act takes back, if it is a correcting act."""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One resource that somebody else changed first. decision '' while a person has not decided."""

    op_id: str
    ref: str
    kind: str
    base: Raw | None
    mine: Raw
    theirs: Raw | None
    theirs_version: str
    theirs_author: str
    theirs_when: datetime | None
    merged: Raw | None
    noticed: datetime
    decision: str = ""
    decided_by: str = ""
    decided: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act to put into the outbox. provenance: the Provenance/{op_id} that goes in the same bundle.

    entries: base_version or base_op says what each was made from (`Writing.base_of`); neither and no
    base for a new resource.
    """

    op_id: str
    group: str
    kind: str
    aggregate: str
    patient_ref: str
    who_ref: str
    who_name: str
    workplace_ref: str
    label: Text
    created: datetime
    entries: tuple[Entry, ...]
    provenance: Raw
    corrects: str = ""
