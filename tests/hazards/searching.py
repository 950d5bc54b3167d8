"""Searches of the hazard record: ids frozen on the first page, content as it is when a page is served."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from clinician.fhir.times import parse_instant
from clinician.sync.matching import fits
from clinician.sync.plan import patient_parameter
from tests.hazards.hazards import Hazards
from tests.hazards.shelf import Raw, Shelf, Version, instant

Pairs = list[tuple[str, str]]
_APART = {"_count", "_sort", "_total", "_elements", "_include", "_lastUpdated", "_format", "_summary", "_id"}
"""Not filters one by one: they say how to answer, or are looked up at once."""


class Refusal(Exception):
    """Answered with a status and an OperationOutcome."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(slots=True)
class Snapshot:
    """A search as it stood at its first page. made: ms by the clock of the node that made it."""

    type: str
    pairs: Pairs
    found: list[Version]
    """Which resources, for good; their content is what stands when a page is served, unless is_frozen."""
    made: int
    true: int
    count: int
    elements: bool
    is_frozen: bool


class Searches:
    """Answers searchsets."""

    def __init__(self, shelf: Shelf, hazards: Callable[[], Hazards], rng: random.Random, base: str) -> None:
        self._shelf = shelf
        self._hazards = hazards
        self._rng = rng
        self.base = base
        self._snapshots: dict[str, Snapshot] = {}
        self._reusable: dict[tuple[str, tuple[tuple[str, str], ...]], Snapshot] = {}
        self.pages = 0

    def search(self, type_: str, pairs: Pairs, node: int, now: int, *, fresh: bool) -> bytes:
        """The first page. node: ms by its clock; now: true ms. fresh: Cache-Control: no-cache."""
        hazards = self._hazards()
        key = (type_, tuple(pairs))
        old = self._reusable.get(key)
        reused = old is not None and now - old.true <= hazards.reuse_searches * 1000
        if reused and not (fresh and not hazards.ignores_no_cache):
            assert old is not None
            return self._page(old, 0, node)
        snapshot = self._snapshot(type_, pairs, node, now)
        if hazards.reuse_searches:
            self._reusable[key] = snapshot
        return self._page(snapshot, 0, node)

    def follow(self, pairs: Pairs, node: int) -> bytes:
        """A further page."""
        asked = dict(pairs)
        snapshot = self._snapshots.get(asked["_getpages"])
        hazards = self._hazards()
        if snapshot is None or self._rng.random() < hazards.expired_pages:
            raise Refusal(hazards.expired_status, "this search is no longer known")
        return self._page(snapshot, int(asked["_getpagesoffset"]), node)

    def forget(self) -> None:
        """As after a restart: no link leads anywhere."""
        self._snapshots.clear()
        self._reusable.clear()

    def _snapshot(self, type_: str, pairs: Pairs, node: int, now: int) -> Snapshot:
        hazards = self._hazards()
        named = dict(pairs)
        count = min(int(named.get("_count", "50")), hazards.largest_count)
        found = self.matches(type_, pairs, now)
        if "_sort" not in named:
            found.sort(key=lambda version: version.pid)
        is_frozen = not hazards.snapshot_pages
        return Snapshot(type_, pairs, found, node, now, max(1, count), "_elements" in named, is_frozen)

    # matching -------------------------------------------------------------------------------

    def matches(self, type_: str, pairs: Pairs, now: int) -> list[Version]:
        """What a search finds, by stamp."""
        low, high = self._bounds(pairs)
        ids = dict(pairs).get("_id")
        if ids is None:
            found = self._shelf.stamped(type_, low, high)
        else:
            found = self._shelf.named(type_, set(ids.split(",")), low, high)
        lag = self._hazards().lagging_index * 1000
        if lag:
            found = [version for version in found if version.seen_from <= now - lag]
        for name, value in pairs:
            if name not in _APART:
                found = self._filtered(type_, name, value, found)
        return found

    def _bounds(self, pairs: Pairs) -> tuple[int | None, int | None]:
        low: int | None = None
        high: int | None = None
        hazards = self._hazards()
        for prefix, text in ((value[:2], value[2:]) for name, value in pairs if name == "_lastUpdated"):
            when = _ms(text)
            if hazards.whole_seconds:
                when -= when % 1000
            if prefix == "gt" or (prefix == "ge" and hazards.exclusive_ge):
                low = max(low or 0, when + 1)
            elif prefix == "ge":
                low = max(low or 0, when)
            elif prefix == "le":
                high = when if high is None else min(high, when)
            else:
                raise Refusal(400, "this prefix is not known")
        return low, high

    def _filtered(self, type_: str, name: str, value: str, found: list[Version]) -> list[Version]:
        if name == patient_parameter(type_):
            wanted = {one.rpartition("/")[2] for one in value.split(",")}
            return [
                v for v in found if (v.patient in wanted if v.patient else not wanted.isdisjoint(v.patients))
            ]
        if name == "identifier":
            return [version for version in found if _identified(version.raw or {}, value)]
        if name.startswith("_has:PractitionerRole:practitioner:organization"):
            return [version for version in found if version.ref in self._employed(value)]
        judged = [(version, fits(version.raw or {}, [(name, value)])) for version in found]
        if any(verdict is None for _, verdict in judged):
            raise Refusal(400, f"{name} is not known")
        return [version for version, verdict in judged if verdict]

    def _employed(self, organization: str) -> set[str]:
        roles = self._shelf.of_type("PractitionerRole")
        return {
            str(role.raw["practitioner"]["reference"])
            for role in roles
            if role.raw is not None and role.raw["organization"]["reference"] == organization
        }

    # pages ----------------------------------------------------------------------------------

    def _page(self, snapshot: Snapshot, offset: int, node: int) -> bytes:
        self.pages += 1
        hazards = self._hazards()
        if hazards.empty_page_first and offset == 0 and snapshot.found:
            return self._bundle(snapshot, [], -1)
        offset = max(0, offset)
        versions = snapshot.found[offset : offset + snapshot.count]
        if not snapshot.is_frozen:
            living = (self._shelf.current[version.type, version.id] for version in versions)
            versions = [version for version in living if not version.is_deleted]
        following = offset + snapshot.count
        has_more = following < len(snapshot.found)
        if not has_more and hazards.endless_next:
            following = len(snapshot.found)
        entries = [self._entry(version, elements=snapshot.elements) for version in versions]
        entries += [self._entry(version, mode="include") for version in self._included(snapshot, versions)]
        return self._bundle(snapshot, entries, following if has_more or hazards.endless_next else None)

    def _bundle(self, snapshot: Snapshot, entries: Sequence[bytes], following: int | None) -> bytes:
        hazards = self._hazards()
        count = f"_count={snapshot.count}"
        links = [{"relation": "self", "url": f"{self.base}/{snapshot.type}?{count}"}]
        if following is not None:
            pages = f"p{id(snapshot):x}"
            self._snapshots[pages] = snapshot
            link = f"_getpages={pages}&_getpagesoffset={following}&{count}"
            links.append({"relation": "next", "url": f"{self.base}?{link}"})
        head: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "meta": {"lastUpdated": instant(snapshot.made)},
            "link": links,
            "total": len(snapshot.found) * (7 if hazards.lying_totals else 1)
            + (3 if hazards.lying_totals else 0),
        }
        if hazards.unknown_elements:
            head["fromTheFuture"] = {"deep": [1, {"er": None}]}
        return orjson.dumps(head)[:-1] + b',"entry":[' + b",".join(entries) + b"]}"

    def _included(self, snapshot: Snapshot, versions: Sequence[Version]) -> list[Version]:
        if ("_include", "EpisodeOfCare:patient") not in snapshot.pairs:
            return []
        ids = {id_ for version in versions for id_ in version.patients}
        found = (self._shelf.living("Patient", id_) for id_ in sorted(ids))
        return [version for version in found if version is not None]

    def _entry(self, version: Version, *, elements: bool = False, mode: str = "match") -> bytes:
        hazards = self._hazards()
        body = version.body
        if elements or (hazards.subsetted and self._rng.random() < hazards.subsetted):
            body = _subset(version)
        elif version.ref in hazards.huge:
            body = body[:-1] + b',"note":[{"text":"' + b"x" * hazards.huge[version.ref] + b'"}]}'
        if hazards.unknown_elements and not elements:
            body = body[:-1] + b',"fromTheFuture":{"deep":[1,{"er":null}]}}'
        if version.ref in hazards.poisoned and not elements:
            body = _spoilt(body, version, hazards.poisoned[version.ref])
        url = f'{{"fullUrl":"{self.base}/{version.type}/{version.id}","resource":'.encode()
        return url + body + b',"search":{"mode":"' + mode.encode() + b'"}}'


@lru_cache(maxsize=4096)
def _ms(text: str) -> int:
    return round(parse_instant(text).timestamp() * 1000)


def _identified(raw: Raw, wanted: str) -> bool:
    system, _, value = wanted.rpartition("|")
    return any(
        one.get("value") == value and one.get("system", "") == system for one in raw.get("identifier", [])
    )


def _subset(version: Version) -> bytes:
    assert version.raw is not None
    meta = {**version.raw["meta"], "tag": [{"code": "SUBSETTED"}]}
    return orjson.dumps({"resourceType": version.type, "id": version.id, "meta": meta})


def _spoilt(body: bytes, version: Version, how: str) -> bytes:
    match how:
        case "json":
            return body[:-1]
        case "types":
            spoilt = b'{"resourceType":"%s","id":"%s","meta":"i dag","subject":7,"status":["final"]}'
            return spoilt % (version.type.encode(), version.id.encode())
        case "no id":
            return body.replace(b'"id":"%s"' % version.id.encode(), b'"id":null', 1)
        case "long id":
            return body.replace(b'"id":"%s"' % version.id.encode(), b'"id":"%s"' % (b"a" * 65), 1)
        case "surrogate":
            return body[:-1] + b',"language":"\\ud800"}'
    raise AssertionError(how)


def read_pairs(text: str) -> Pairs:
    return parse_qsl(text, keep_blank_values=True)
