"""Compares ids and versions with the record: finds what every timestamp rule loses (SYNC §1.5).

Missing or older here: fetched. Extra here: never removed on absence; each is read by itself and the
answer is the evidence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import orjson

from clinician.cache.synced import Evidence, MemberState, Why
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble
from clinician.fhir.bundles import Page, Response, slices
from clinician.fhir.read import patient_ref_of
from clinician.fhir.times import to_instant
from clinician.record.answer import broken_answer
from clinician.record.client import BatchEntry, Busy
from clinician.sync.by_id import EMPTY_CAP, fetch, pages_of
from clinician.sync.download import PAGE_CAP, TROUBLE_CAP
from clinician.sync.forbidden import hide_the_forbidden, show_again
from clinician.sync.halves import in_halves
from clinician.sync.line import Line
from clinician.sync.matching import fits
from clinician.sync.pages import instant
from clinician.sync.plan import LIVE_STATUSES, MEMBERSHIP, Key, encoded
from clinician.sync.scope import chunks_of

_log = logging.getLogger(__name__)
_COUNT: Final = 1000
_GONE: Final = frozenset({404, 410})
SLACK: Final = timedelta(days=2)
STUBS: Final = frozenset({"Practitioner", "Organization", "Patient"})
"""Named by rows that are kept: leave only when deleted, forbidden, or purged with the patient."""


@dataclass(slots=True)
class Listing:
    """What the record says it has. ids: type → id → version. whole: types of which every key answered."""

    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def add(self, type_: str, versions: Mapping[str, str]) -> None:
        self.ids.setdefault(type_, {}).update(versions)


@dataclass(slots=True)
class Found:
    """What a manifest came to. raised: rows in scope that the record's own index had lost."""

    fetched: int = 0
    removed: int = 0
    raised: list[str] = field(default_factory=list)


def manifest(line: Line, chunks: Mapping[str, Sequence[str]], keys: Sequence[Key]) -> Found:
    """Compare `keys` (all keys of a type, or a type is not judged) and mend the difference."""
    show_again(line)
    listing = _listing(line, chunks, keys)
    found = Found()
    for type_ in sorted(listing.ids.keys() - listing.failed):
        local = line.write(lambda writing, type_=type_: _local(line, writing, type_, keys))  # type: ignore[misc]  # mypy cannot infer a defaulted lambda
        there = listing.ids[type_]
        missing = [f"{type_}/{id_}" for id_, version in there.items() if local.get(id_) != version]
        found.fetched += _mend(line, missing)
        _judge(line, keys, chunks, [f"{type_}/{id_}" for id_ in local if id_ not in there], found)
    return found


def _listing(line: Line, chunks: Mapping[str, Sequence[str]], keys: Sequence[Key]) -> Listing:
    listing = Listing()
    asked = [(key, _query(line, key, chunks.get(key.chunk, ()))) for key in keys if _is_asked(key, chunks)]
    if not asked:
        return listing
    urls = [f"{key.rule.type}?{encoded(query)}" for key, query in asked]
    for (key, query), response in zip(asked, _got(line, urls), strict=True):
        if response is None:
            listing.failed.add(key.rule.type)
        else:
            _list(line, listing, key, query, response)
    return listing


def _got(line: Line, urls: Sequence[str]) -> list[Response | None]:
    return in_halves(urls, lambda some: line.client.batch(BatchEntry("GET", url) for url in some))


def _is_asked(key: Key, chunks: Mapping[str, Sequence[str]]) -> bool:
    return not key.rule.by_patient or bool(chunks.get(key.chunk))


def _scope(line: Line, key: Key, patients: Sequence[str]) -> list[tuple[str, str]]:
    """What belongs to a key; two days' slack, so that a row does not leave on the minute."""
    query = line.plan.query(key, patients, line.today() - SLACK)
    if key.rule == MEMBERSHIP:
        query.append(("status", ",".join(LIVE_STATUSES)))
    return query


def _query(line: Line, key: Key, patients: Sequence[str]) -> list[tuple[str, str]]:
    elements = [("_elements", "id,meta"), ("_sort", "_lastUpdated"), ("_count", str(_COUNT))]
    return [*_scope(line, key, patients), *elements]


def _list(line: Line, listing: Listing, key: Key, query: list[tuple[str, str]], response: Response) -> None:
    type_ = key.rule.type
    try:
        if response.status not in (200, 0):
            raise broken_answer(str(response.status))
        page = slices(response.body)
        listing.add(type_, _versions(page, type_))
        _list_on(line, listing, type_, query, page)
    except RecordTrouble as trouble:
        _log.warning("the manifest of %s failed: %s", type_, trouble.detail)
        listing.failed.add(type_)


def _list_on(line: Line, listing: Listing, type_: str, query: list[tuple[str, str]], page: Page) -> None:
    """Further pages: from the last stamp, inclusive; by the link while a whole page has one stamp."""
    cursor: datetime | None = None
    t0 = instant(page.last_updated)
    troubles = empties = 0
    for _ in range(PAGE_CAP):  # pragma: no branch - ten thousand pages
        stamps = [stamp for stamp in (instant(entry.last_updated) for entry in page.entries) if stamp]
        empties = 0 if stamps else empties + 1
        if page.next_url is None or empties >= EMPTY_CAP:
            return
        before, cursor = cursor, _reached(cursor, stamps, t0)
        if cursor is None or cursor == before or cursor == stamps[0]:
            followed = _followed(line, type_, page.next_url)
            troubles = 0 if followed else troubles + 1
            if troubles > TROUBLE_CAP:
                raise broken_answer("next links that lead nowhere")
            page = followed or _from(line, type_, query, cursor)
        else:
            page = _from(line, type_, query, cursor)
        listing.add(type_, _versions(page, type_))


def _reached(cursor: datetime | None, stamps: list[datetime], t0: datetime | None) -> datetime | None:
    """As in a download: a row changed while its page was made must not lift the cursor over others."""
    fit = [stamp for stamp in stamps if t0 is None or stamp <= t0]
    return fit[-1] if fit and stamps == sorted(stamps) else cursor


def _followed(line: Line, type_: str, url: str) -> Page | None:
    """The page of a link; None when it is no longer known."""
    try:
        return slices(line.client.follow(url, within=type_).body)
    except Busy:
        raise
    except RecordTrouble:
        return None


def _from(line: Line, type_: str, query: list[tuple[str, str]], cursor: datetime | None) -> Page:
    bound = [("_lastUpdated", f"ge{to_instant(cursor)}")] if cursor is not None else []
    return slices(line.client.search(type_, encoded([*query, *bound])).body)


def _versions(page: Page, type_: str) -> dict[str, str]:
    return {entry.id: entry.version or entry.last_updated for entry in page.entries if entry.type == type_}


def _local(line: Line, writing: Writing, type_: str, keys: Sequence[Key]) -> dict[str, str]:
    """What is cached of a type and should be in the manifest: all but what is leaving with its patient.

    That includes rows of people who are strangers here: one may change its patient while its page is served.
    """
    if type_ == "Patient" or not all(key.rule.by_patient for key in keys if key.rule.type == type_):
        ids = [id_ for ids in chunks_of(writing).values() for id_ in ids]
        held = writing.versions(type_)
        return {id_: held[id_] for id_ in ids if id_ in held} if type_ == "Patient" else held
    leaving = [member.patient_ref for member in writing.marks.members(MemberState.LEAVING)]
    kept = writing.versions(type_, patients=leaving) if leaving else {}
    return {id_: version for id_, version in writing.versions(type_).items() if id_ not in kept}


def _mend(line: Line, refs: Sequence[str]) -> int:
    if not refs:
        return 0
    rows = fetch(line, refs)
    line.store(rows, lambda writing: None)
    return len(rows)


# evidence -------------------------------------------------------------------------------------


def _judge(
    line: Line,
    keys: Sequence[Key],
    chunks: Mapping[str, Sequence[str]],
    refs: Sequence[str],
    found: Found,
) -> None:
    """Read each extra row by itself; the answer decides, never the absence."""
    for start in range(0, len(refs), 100):
        part = refs[start : start + 100]
        answered = {ref: r for ref, r in zip(part, _got(line, part), strict=True) if r is not None}
        present = {ref: response.body for ref, response in answered.items() if response.status == 200}
        inside = frozenset(ref for ref, body in present.items() if _belongs(line, keys, chunks, ref, body))
        forbidden: set[str] = set()
        for ref, response in answered.items():
            evidence = _evidence(line, ref, response, inside)
            if evidence is not None:
                forbidden.add(_remove(line, ref, evidence, found))
        hide_the_forbidden(line, forbidden - {""})
        found.raised += sorted(inside)


def _evidence(line: Line, ref: str, response: Response, inside: frozenset[str]) -> Evidence | None:
    now = line.server_now or line.clock.now()
    if response.status in _GONE:
        return Evidence(Why.DELETED, now, response.version, response.status)
    if response.status == 403:
        return Evidence(Why.FORBIDDEN, now, response.version, 403)
    if response.status != 200 or ref in inside or ref.partition("/")[0] in STUBS:
        return None
    windowed = any(rule.window for rule in line.plan.rules if ref.startswith(f"{rule.type}/"))
    return Evidence(Why.AGED_OUT if windowed else Why.OUT_OF_SCOPE, now, response.version, 200)


def _belongs(
    line: Line, keys: Sequence[Key], chunks: Mapping[str, Sequence[str]], ref: str, body: bytes
) -> bool:
    """Whether any search of its type holds it: judged here, and asked only where that cannot be judged."""
    type_ = ref.partition("/")[0]
    raw = orjson.loads(body)
    for key in keys:
        if key.rule.type == type_ and _is_asked(key, chunks):
            query = _scope(line, key, chunks.get(key.chunk, ()))
            judged = fits(raw, query)
            if judged or (judged is None and _asked_by_id(line, ref, query)):
                return True
    return False


def _asked_by_id(line: Line, ref: str, query: Sequence[tuple[str, str]]) -> bool:
    type_, _, id_ = ref.partition("/")
    pages = pages_of(line, type_, [*query, ("_id", id_)], 1)
    return any(row.id == id_ for page in pages for row in page.rows) or any(ref in p.partial for p in pages)


def _remove(line: Line, ref: str, evidence: Evidence, found: Found) -> str:
    """Take a row away; the patient of a row that is forbidden, '' where there is nobody to ask for."""

    def work(writing: Writing) -> str:
        held = writing.synced(ref)
        patient_ref = patient_ref_of(held.raw) if held is not None else ""
        found.removed += int(writing.remove_synced(ref, evidence))
        if evidence.why is not Why.FORBIDDEN:
            return ""
        writing.hide_overlays(ref)
        return patient_ref

    return line.write(work)
