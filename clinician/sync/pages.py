"""A page of the record as rows for the cache. Bodies stay the bytes that were sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from clinician.cache.synced import Quarantined, SyncedRow
from clinician.cache.writing import Writing
from clinician.fhir.bundles import Entry, Page, RefusedEntry, slices
from clinician.fhir.reference import is_id
from clinician.fhir.times import earliest_or_none

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Taken:
    """Rows of one page. stamps: of the matches, in order. at: the record's time in the page itself.

    partial: reference → version of what came with only some elements; it must be fetched whole.
    """

    rows: list[SyncedRow]
    stamps: list[datetime]
    next_url: str | None
    at: datetime | None
    partial: dict[str, str] = field(default_factory=dict)
    poison: list[RefusedEntry] = field(default_factory=list)
    """Entries that could not be read; they stop nobody."""


def instant(text: str) -> datetime | None:
    """A FHIR instant, quickly; None when it does not read."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return earliest_or_none(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def take(body: bytes) -> Taken:
    """Cut a searchset. Raises RecordTrouble when the whole is no Bundle; a bad entry stops nothing."""
    return taken_of(slices(body))


def one_page(body: bytes) -> bytes:
    """A resource that was read by itself, as a page of one."""
    return b'{"resourceType":"Bundle","entry":[{"resource":' + body + b"}]}"


def taken_of(page: Page) -> Taken:
    """The rows of a page that is already cut."""
    taken = Taken([], [], page.next_url, instant(page.last_updated))
    stamps: dict[str, datetime | None] = {}
    for entry in page.entries:
        text = entry.last_updated
        if text not in stamps:
            stamps[text] = instant(text)  # the resources of one transaction share their stamp
        _take(taken, entry, stamps[text])
    for refused in page.refused:
        _log.warning("an entry of type %s was set aside: %s", refused.type or "?", refused.why)
        taken.poison.append(refused)
    return taken


def _take(taken: Taken, entry: Entry, stamp: datetime | None) -> None:
    type_, id_, version, last_updated, body, mode, subsetted = entry
    if mode != "include" and stamp is not None:
        taken.stamps.append(stamp)
    version = version or last_updated
    if subsetted:
        taken.partial[entry.ref] = version
        return
    taken.rows.append(SyncedRow(type_, id_, version, stamp or _UNKNOWN, body))


_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def only_new(taken: Taken, known: Mapping[str, str]) -> None:
    """Of a page that was asked for by ids, keep the names of what is not cached in that version.

    known: id → version, of the type searched. Nothing of such a page is stored, marked as partial or not.
    """
    listed = taken.partial | {f"{row.type}/{row.id}": row.version for row in taken.rows}
    taken.rows = []
    taken.partial = {
        ref: version for ref, version in listed.items() if known.get(ref.partition("/")[2]) != version
    }


def set_aside(writing: Writing, poison: Sequence[RefusedEntry], now: datetime) -> None:
    """Keep bad entries as they came, each under its own reference where it has one."""
    for bad in poison:
        if bad.type and is_id(bad.id):
            ref = f"{bad.type}/{bad.id}"
            writing.trail.quarantine(Quarantined(ref, "", bad.why, now, bad.body))
