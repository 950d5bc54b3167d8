"""A cache in memory with the face sync's downloading side uses, so that a matrix of thousands of runs is bearable.

Merging is the real rule (`clinician.cache.rows.verdict`), and a transaction that raises leaves no trace; only
the database below is missing. The same cells also run on the real cache (test_whole_engine.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import orjson

from clinician.cache.rows import verdict
from clinician.cache.synced import (
    Evidence,
    Member,
    MemberState,
    PutReport,
    Quarantined,
    SyncedRow,
    Watermark,
    Why,
)
from tests.hazards.shelf import patients_of


@dataclass(slots=True)
class Held:
    version: str
    stamp: int
    body: bytes
    patients: frozenset[str]


class MemoryCache:
    """`writer.run` and `writer.submit`, at once."""

    def __init__(self) -> None:
        self.writing = MemoryWriting()

    @property
    def writer(self) -> MemoryCache:
        return self

    def run(self, work: Callable[[Any], Any], *, durable: bool = False) -> Any:
        del durable
        return work(self.writing)

    def submit(self, work: Callable[[Any], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(self.run(work))
        return done


class _Cached:
    def __init__(self, body: bytes, version_id: str = "") -> None:
        self.raw = orjson.loads(body)
        self.version_id = version_id


class MemoryWriting:
    """Rows, marks, membership and what is kept beside them."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Held]] = {}
        self.graves: dict[tuple[str, str], tuple[str, int]] = {}
        self.marks = _Marks()
        self.keep = _Keep()
        self.quarantined: dict[str, Quarantined] = {}
        self.evidence: list[tuple[str, Evidence]] = []
        self.is_restoring = False

    @property
    def trail(self) -> MemoryWriting:
        return self

    @property
    def reading(self) -> MemoryWriting:
        return self

    def quarantine(self, found: Quarantined) -> None:
        self.quarantined[found.ref] = found

    def find(self, type_: str) -> list[_Cached]:
        return [_Cached(held.body) for held in self.rows.get(type_, {}).values()]

    def put_synced(self, rows: Iterable[SyncedRow]) -> PutReport:
        changed: set[str] = set()
        older: set[str] = set()
        for row in rows:
            held = self.rows.setdefault(row.type, {}).get(row.id)
            old = (held.version, held.stamp) if held else self.graves.get((row.type, row.id))
            stamp = round(row.last_updated.timestamp() * 1000)
            found = "newer" if old is None else verdict((row.version, stamp), old)
            if found == "same" and old is not None and abs(old[1] - stamp) > 1000:
                found = "older"
            beyond = held is None and old is not None and stamp - old[1] > 1000
            if found == "newer" or beyond or (found == "older" and self.is_restoring):
                raw = orjson.loads(row.body)
                self.rows[row.type][row.id] = Held(
                    row.version, stamp, row.body, patients_of(row.type, row.id, raw)
                )
                changed.add(f"{row.type}/{row.id}")
            elif found == "older" and held is not None:
                older.add(f"{row.type}/{row.id}")
        return PutReport(frozenset(changed), frozenset(), frozenset(older))

    def remove_synced(self, ref: str, evidence: Evidence) -> bool:
        type_, _, id_ = ref.partition("/")
        held = self.rows.get(type_, {}).pop(id_, None)
        if held is None:
            return False
        if evidence.why == Why.DELETED:
            self.graves[type_, id_] = (evidence.version or held.version, held.stamp)
        self.evidence.append((ref, evidence))
        return True

    def versions(self, type_: str, *, patients: Iterable[str] | None = None) -> dict[str, str]:
        rows = self.rows.get(type_, {})
        if patients is None:
            return {id_: held.version for id_, held in rows.items()}
        wanted = {ref.partition("/")[2] for ref in patients}
        return {id_: held.version for id_, held in rows.items() if not wanted.isdisjoint(held.patients)}

    def synced(self, ref: str) -> _Cached | None:
        type_, _, id_ = ref.partition("/")
        held = self.rows.get(type_, {}).get(id_)
        return None if held is None else _Cached(held.body, held.version)

    def is_restored(self) -> bool:
        return self.is_restoring

    def begin_restored(self, why: str) -> None:
        del why
        self.is_restoring = True

    def end_restored(self) -> None:
        self.is_restoring = False


class _Keep:
    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self._held.get(key)

    def set(self, key: str, value: str) -> None:
        self._held[key] = value

    def drop(self, key: str) -> None:
        self._held.pop(key, None)


class _Marks:
    def __init__(self) -> None:
        self._marks: dict[str, Watermark] = {}
        self._members: dict[str, Member] = {}
        self.late: list[float] = []

    def watermark(self, key: str) -> Watermark | None:
        return self._marks.get(key)

    def watermarks(self, type_: str | None = None) -> tuple[Watermark, ...]:
        found = (self._marks[key] for key in sorted(self._marks))
        return tuple(mark for mark in found if type_ is None or mark.type == type_)

    def set_watermark(self, mark: Watermark) -> None:
        self._marks[mark.key] = mark

    def drop_watermark(self, key: str) -> None:
        self._marks.pop(key, None)

    def members(self, state: MemberState | None = None) -> tuple[Member, ...]:
        return tuple(m for m in self._members.values() if state is None or m.state == state)

    def set_member(self, member: Member) -> None:
        self._members[member.patient_ref] = replace(member)

    def drop_member(self, patient_ref: str) -> None:
        self._members.pop(patient_ref, None)

    def add_lateness(self, type_: str, seconds: float) -> None:
        del type_
        self.late.append(seconds)

    def profile(self) -> dict[str, Any] | None:
        return None
