"""A first download over a distance: when the work list can be used, and when everything is here (SYNC §2).

The record is in a process of its own, and each byte to or from it is half a round trip late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from clinician.bench.distance import far
from clinician.bench.floor import BareStore, Search, download, parsed
from clinician.bench.measure import Measure, tidy
from clinician.bench.served import served
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble
from clinician.events import Link
from clinician.practice.info import read
from clinician.sync.plan import FIRST_LISTS, Key, encoded
from clinician.sync.scope import chunks_of
from clinician.texts import lazy
from clinician.workstation import Options, Workstation

L = lazy("bench")
ROUND_TRIP_S: Final = 0.05
SECRET: Final = "a cache that is thrown away"  # noqa: S105  it keeps nothing of anybody
_PATIENCE_S: Final = 300.0
_LOOK_S: Final = 0.02
_CHT: Final = "CHT 18 s (1 user), 2.5 min (100 users)"


class WorkplaceBench:
    """`record`: the folder of a record with a crowd; `folder`: for the workstation."""

    def __init__(self, folder: Path, record: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._record = folder, record
        self._workplace = read(record).workplace_ref

    def run(self) -> Iterator[Measure]:
        """Both rows."""
        with served(self._record) as near, far(near, ROUND_TRIP_S) as url:
            usable, whole, kept, first, rest = self._fetch(url)
            bare_first, bare_rest = self._bare(url, first), self._bare(url, rest)
        at = f"{round(kept / 1000)}k at 50 ms round trip"
        yield Measure(f"work list usable, {at}", usable, "s", bare_first, "≤ 5 s", _CHT)
        yield Measure(f"everything, {at}", whole, "s", bare_first + bare_rest, "≤ 30 s", _CHT)

    def _fetch(self, url: str) -> tuple[float, float, int, list[Search], list[Search]]:
        """(seconds to the list, seconds to everything, resources kept, searches of either part)."""
        tidy()
        folder = self._folder / "pc"
        with Workstation.open(Options(folder, url, self._workplace, secret=SECRET)) as station:
            started = time.perf_counter()
            station.start_sync()
            usable = _await(lambda: _has_list(station)) - started
            whole = _await(lambda: station.engine.status().link is Link.FRESH) - started
            station.engine.stop()
            with station.cache.reading() as reading:
                kept = sum(reading.count(type_) for type_ in station.engine.line.plan.types)
            first, rest = (list(_searches(station, is_first)) for is_first in (True, False))
        return usable, whole, kept, first, rest

    def _bare(self, url: str, searches: Sequence[Search]) -> float:
        """The same searches by a bare client, one after the other."""
        store = BareStore(self._folder / "bare.db")
        run = download(searches, url, store, parsed)
        store.close()
        return run.wall_s


def _await(is_so: Callable[[], bool]) -> float:
    """When it became so; looks fifty times a second."""
    until = time.perf_counter() + _PATIENCE_S
    while not is_so():
        if time.perf_counter() > until:
            raise RecordTrouble(
                L("The record did not answer the bench. Nothing was done to your data. Try once more."),
                detail="not whole in time",
            )
        time.sleep(_LOOK_S)
    return time.perf_counter()


def _has_list(station: Workstation) -> bool:
    """Whether somebody is here, and every search the list is made of has been made to its end."""

    def work(writing: Writing) -> bool:
        chunks = chunks_of(writing)
        marked = {mark.key for mark in writing.marks.watermarks() if mark.mark is not None}
        first = (key for key in station.engine.line.plan.keys(chunks) if _is_first(key))
        return bool(chunks) and all(key.name in marked for key in first)

    return station.engine.line.write(work)


def _is_first(key: Key) -> bool:
    return key.rule.priority <= FIRST_LISTS


def _searches(station: Workstation, is_first: bool) -> Iterator[Search]:
    line = station.engine.line
    chunks = line.write(chunks_of)
    paging = [("_sort", "_lastUpdated"), ("_count", str(line.profile.page_size)), ("_total", "none")]
    for key in line.plan.keys(chunks):
        if _is_first(key) is is_first:
            query = line.plan.query(key, chunks.get(key.chunk, []), line.today())
            yield key.rule.type, encoded([*query, *paging])
