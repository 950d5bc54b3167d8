"""Versions on a shelf: what is committed can be seen, what is under way cannot, although it has its stamp."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

from clinician.fhir.reference import relative
from clinician.fhir.times import to_instant

Raw = dict[str, Any]
_PATIENT_IN = ("subject", "patient", "for")


@dataclass(slots=True)
class Version:
    """One version of a resource. stamp: ms by the clock of the node that wrote it. body: with its meta."""

    type: str
    id: str
    number: int
    vid: str
    stamp: int
    pid: int
    body: bytes
    raw: Raw | None
    method: str = "PUT"
    seen_from: int = 0
    """True time (ms) of its commit."""
    patients: frozenset[str] = frozenset()
    """Ids of the patients it is about."""
    patient: str = ""
    """The one patient, where there is just one."""
    serial: int = 0

    @property
    def ref(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def is_deleted(self) -> bool:
        return self.raw is None


def patients_of(type_: str, id_: str, raw: Raw) -> frozenset[str]:
    if type_ == "Patient":
        return frozenset({id_})
    refs = [raw[key]["reference"] for key in _PATIENT_IN if key in raw]
    refs += [one["actor"]["reference"] for one in raw.get("participant", []) if "actor" in one]
    named = (relative(ref).partition("/") for ref in refs)
    return frozenset(rest for kind, _, rest in named if kind == "Patient")


def instant(ms: int) -> str:
    return to_instant(datetime.fromtimestamp(ms / 1000, UTC))


@dataclass(order=True, slots=True)
class Underway:
    """Writes that have their stamp and are not committed yet."""

    at: int
    order: int
    writes: list[Version] = field(compare=False)


class Shelf:
    """Everything the record holds. Not thread-safe; its record is."""

    def __init__(self) -> None:
        self.current: dict[tuple[str, str], Version] = {}
        self.history: dict[tuple[str, str], list[Version]] = {}
        self.underway: list[Underway] = []
        self.locked: set[tuple[str, str]] = set()
        self._stamps: dict[str, list[tuple[int, int, Version]]] = {}
        self._pids: dict[tuple[str, str], int] = {}
        self.journal: list[tuple[tuple[str, str], Version | None]] | None = None
        """What stood before each write of the transaction under way."""
        self._number = count(1)
        self._serial = count(1)
        self._order = count()

    def living(self, type_: str, id_: str) -> Version | None:
        found = self.current.get((type_, id_))
        return None if found is None or found.is_deleted else found

    def version(
        self,
        type_: str,
        id_: str,
        raw: Raw | None,
        stamp: int,
        *,
        opaque: bool,
        method: str = "PUT",
        number: int = 0,
    ) -> Version:
        """The next version of a resource, not committed yet. raw None: its deletion."""
        old = self.current.get((type_, id_))
        number = number or (old.number + 1 if old else 1)
        pid = self._pids.setdefault((type_, id_), next(self._number))
        vid = hashlib.sha1(f"{pid}/{number}/{stamp}".encode()).hexdigest()[:12] if opaque else str(number)
        if raw is None:
            return Version(type_, id_, number, vid, stamp, pid, b"", None, "DELETE")
        meta = {**raw.get("meta", {}), "versionId": vid, "lastUpdated": instant(stamp)}
        held = {"resourceType": type_, "id": id_, "meta": meta}
        held |= {key: value for key, value in raw.items() if key not in held}
        about = patients_of(type_, id_, held)
        one = next(iter(about)) if len(about) == 1 else ""
        return Version(type_, id_, number, vid, stamp, pid, orjson.dumps(held), held, method, 0, about, one)

    def commit(self, version: Version, now: int) -> None:
        """Make a version visible."""
        place = (version.type, version.id)
        version.seen_from = now
        self.locked.discard(place)
        if self.journal is not None:
            self.journal.append((place, self.current.get(place)))
        self.history.setdefault(place, []).append(version)
        self._show(place, version)

    def _show(self, place: tuple[str, str], version: Version | None) -> None:
        """Make this the current version, in the order of stamps too."""
        stamps = self._stamps.setdefault(place[0], [])
        old = self.current.pop(place, None)
        if old is not None and not old.is_deleted:
            del stamps[bisect_left(stamps, (old.stamp, old.serial))]
        if version is not None:
            self.current[place] = version
            if not version.is_deleted:
                version.serial = next(self._serial)
                insort(stamps, (version.stamp, version.serial, version))

    def roll_back(self) -> None:
        """Take back every write of the transaction under way."""
        for place, before in reversed(self.journal or []):
            self.history[place].pop()
            self._show(place, before)

    def begin(self, writes: list[Version], at: int) -> None:
        """Writes that will be committed at a time; until then nobody else may write these."""
        self.locked |= {(write.type, write.id) for write in writes}
        heapq.heappush(self.underway, Underway(at, next(self._order), writes))

    def land(self, now: int) -> None:
        """Commit what is due."""
        while self.underway and self.underway[0].at <= now:
            due = heapq.heappop(self.underway)
            for version in due.writes:
                self.commit(version, due.at)

    def stamped(self, type_: str, low: int | None, high: int | None) -> list[Version]:
        """Living resources of a type by stamp, both bounds included."""
        entries = self._stamps.get(type_, [])
        start = 0 if low is None else bisect_left(entries, (low,))
        end = len(entries) if high is None else bisect_left(entries, (high + 1,))
        return [version for _, _, version in entries[start:end]]

    def named(self, type_: str, ids: Iterable[str], low: int | None, high: int | None) -> list[Version]:
        """Living resources of a type by id, by stamp, both bounds included."""
        living = (self.living(type_, id_) for id_ in ids)
        found = (version for version in living if version is not None)
        within = [v for v in found if (low or 0) <= v.stamp and (high is None or v.stamp <= high)]
        return sorted(within, key=lambda version: (version.stamp, version.serial))

    def of_type(self, type_: str) -> list[Version]:
        return self.stamped(type_, None, None)

    # going back in time ---------------------------------------------------------------------

    def copy(self) -> Any:
        """A backup of everything committed."""
        return (
            dict(self.current),
            {k: list(v) for k, v in self.history.items()},
            {k: list(v) for k, v in self._stamps.items()},
        )

    def put_back(self, backup: Any) -> None:
        """Restore a backup: version numbers given since will be given again."""
        current, history, stamps = backup
        self.current = dict(current)
        self.history = {k: list(v) for k, v in history.items()}
        self._stamps = {k: list(v) for k, v in stamps.items()}
        self.underway.clear()
        self.locked.clear()
