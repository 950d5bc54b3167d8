"""Reads resources by id, so that one that cannot be read keeps nothing else away."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from clinician.cache.synced import SyncedRow
from clinician.errors import RecordTrouble
from clinician.fhir.bundles import RefusedEntry
from clinician.record.client import Busy
from clinician.sync.line import Line
from clinician.sync.pages import Taken, one_page, set_aside, take
from clinician.sync.plan import encoded

_log = logging.getLogger(__name__)
AT_ONCE: Final = 100
_MOST_TROUBLE: Final = 40
"""Answers that could not be read before the record as a whole is taken to be in trouble."""


@dataclass(slots=True)
class _Reading:
    rows: list[SyncedRow] = field(default_factory=list)
    poison: list[RefusedEntry] = field(default_factory=list)
    troubles: int = 0


def fetch(line: Line, refs: Sequence[str]) -> list[SyncedRow]:
    """Resources by id, type by type, as many at once as the record gives. What it does not give is left out.

    One that spoils its page (too large, not JSON) is set aside with its reference; the others come.
    """
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        type_, _, id_ = ref.partition("/")
        by_type.setdefault(type_, []).append(id_)
    found = _Reading()
    size = min(AT_ONCE, line.profile.page_size)
    for type_, ids in by_type.items():
        for start in range(0, len(ids), size):
            _read(line, type_, ids[start : start + size], found)
    if found.poison:
        line.write(lambda writing: set_aside(writing, found.poison, line.clock.now()))
    return found.rows


def _read(line: Line, type_: str, ids: list[str], found: _Reading) -> None:
    """These ids; in halves where the answer cannot be read."""
    try:
        _search(line, type_, ids, found)
    except Busy:
        raise
    except RecordTrouble as trouble:
        found.troubles += 1
        if found.troubles > _MOST_TROUBLE:
            raise
        if len(ids) == 1:
            _log.warning("a resource of type %s could not be read: %s", type_, trouble.detail)
            found.poison.append(RefusedEntry(0, type_, ids[0], trouble.detail, b""))
            return
        half = len(ids) // 2
        _read(line, type_, ids[:half], found)
        _read(line, type_, ids[half:], found)


def _search(line: Line, type_: str, ids: list[str], found: _Reading) -> None:
    """All pages of a search by ids: a record may give fewer at once than it is asked for."""
    query = [("_id", ",".join(ids)), ("_count", str(len(ids)))]
    taken = take(line.client.search(type_, encoded(query)).body)
    pages = [taken]
    while taken.next_url is not None and (taken.rows or taken.partial) and _some(pages) < len(ids):
        taken = take(line.client.follow(taken.next_url, within=type_).body)
        pages.append(taken)
    for page in pages:
        found.rows += page.rows
        found.poison += page.poison
        found.rows += _whole(line, page)


def _some(pages: Sequence[Taken]) -> int:
    return sum(len(page.rows) + len(page.partial) for page in pages)


def _whole(line: Line, page: Taken) -> list[SyncedRow]:
    """What came cut short even so is read by itself."""
    rows: list[SyncedRow] = []
    for ref in page.partial:
        answer = line.client.read(ref)
        if answer.status == 200:
            rows += take(one_page(answer.body)).rows
    return rows
