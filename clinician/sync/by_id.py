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
EMPTY_CAP: Final = 5
"""Pages of none in a row that are followed."""
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
    """A search by ids, and whatever it does not give by itself: whoever asks here would lose it for good."""
    pages = pages_of(line, type_, [("_id", ",".join(ids)), ("_count", str(len(ids)))], len(ids))
    rows = [row for page in pages for row in page.rows]
    poison = [bad for page in pages for bad in page.poison]
    came = {row.id for row in rows} | {bad.id for bad in poison}
    rows += _each(line, [f"{type_}/{id_}" for id_ in ids if id_ not in came])
    found.rows += rows
    found.poison += poison


def pages_of(line: Line, type_: str, query: list[tuple[str, str]], enough: int) -> list[Taken]:
    """Pages of a search until `enough` has come: a record may give fewer at once, or a page of none first."""
    taken = take(line.client.search(type_, encoded(query)).body)
    pages, seen, empties = [taken], set[str](), 0
    while taken.next_url is not None and taken.next_url not in seen and _some(pages) < enough:
        empties = 0 if taken.rows or taken.partial else empties + 1
        if empties >= EMPTY_CAP:
            break
        seen.add(taken.next_url)
        taken = take(line.client.follow(taken.next_url, within=type_).body)
        pages.append(taken)
    return pages


def _some(pages: Sequence[Taken]) -> int:
    return sum(len(page.rows) + len(page.partial) for page in pages)


def _each(line: Line, refs: Sequence[str]) -> list[SyncedRow]:
    """One read each; what is gone or forbidden gives nothing."""
    answers = [line.client.read(ref) for ref in refs]
    return [row for answer in answers if answer.status == 200 for row in take(one_page(answer.body)).rows]
