"""The read side of the cache as every query and command sees it.

`Reading` is one consistent snapshot: a read-only connection of one worker thread. Everything it
returns is *effective*: an overlay written on this PC lies over the row the record sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # acts and synced build upon this file
    from clinician.cache.acts import ActRow, ActState, ConflictRow, Entry
    from clinician.cache.attachments import FileRow
    from clinician.cache.synced import EvidenceRow, Member

Raw = dict[str, Any]
"""A FHIR resource as parsed JSON. Never leaves queries and commands."""


class RowState(StrEnum):
    """What the record knows of a row (SYNC §1.14)."""

    CONFIRMED = "confirmed"
    QUEUED = "queued"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Cached:
    """One effective resource. version_id is of the synced row beneath, None if never synced."""

    ref: str
    type: str
    id: str
    version_id: str | None
    state: RowState
    raw: Raw


@dataclass(frozen=True, slots=True)
class Freshness:
    """As of when, by the record's clock, a set of types is complete; None: never complete."""

    as_of: datetime | None
    complete: bool


class Reading(Protocol):
    """A consistent snapshot of the effective cache."""

    def get(self, ref: str) -> Cached | None:
        """The resource of 'Type/id', or None."""
        ...

    def get_many(self, refs: Iterable[str]) -> Mapping[str, Cached]:
        """Those of `refs` that are cached, by reference."""
        ...

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
        """Resources of one type by indexed columns.

        patient, owner: references. code: 'system|code' or 'code'. start: from (inclusive) and
        before (exclusive), instants or Norwegian days. token: (declared parameter, value); what is
        declared stands in `clinician.cache.declared`, anything else raises ValueError.
        order: 'start', 'sort_key' or 'id'. Read the answer before the snapshot ends.
        """
        ...

    def search_patients(self, words: Sequence[str], *, limit: int = 50) -> list[Cached]:
        """Patients whose name, identity number, birth date, room or address match every word."""
        ...

    def count(self, type_: str, *, status: str | Iterable[str] | None = None) -> int:
        """How many effective resources of a type are cached."""
        ...

    def freshness(self, types: Iterable[str]) -> Freshness:
        """The oldest mark over `types`."""
        ...

    def act(self, op_id: str) -> ActRow | None:
        """One act of the outbox, finished ones included."""
        ...

    def acts(
        self,
        states: Iterable[ActState] | None = None,
        *,
        group: str | None = None,
        sent_since: datetime | None = None,
    ) -> tuple[ActRow, ...]:
        """Acts in the order they were done; of one group, or those sent at or after an instant."""
        ...

    def entries(self, op_id: str) -> tuple[Entry, ...]:
        """The resources an act writes, with what each was made from."""
        ...

    def conflicts(self, op_id: str | None = None, *, open_only: bool = True) -> tuple[ConflictRow, ...]:
        """Conflicts, newest first; by default those nobody has decided."""
        ...

    def attachments(self, patient_ref: str | None = None) -> tuple[FileRow, ...]:
        """Attachments of a patient that have a row here; without one, all that are not yet at the record."""
        ...

    def evidence(self, patient_ref: str | None = None, *, limit: int = 200) -> tuple[EvidenceRow, ...]:
        """Why rows left the cache, newest first."""
        ...

    def recalled(self) -> Mapping[str, datetime | None]:
        """Acts of unknown fate: op_id → when the record was found to have it; None while not known."""
        ...

    def membership(self, patient_ref: str) -> Member | None:
        """How a patient stands in the scope of this workplace."""
        ...
