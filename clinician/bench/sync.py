"""Initial sync, no-op delta and the size of what is kept, against a record in another process.

The workplace is the design's: about 150 people and 50,000 resources (SYNC §2).

Sync and floor take turns, so that a busy machine is busy for both. Every sync begins with an empty
cache and runs everything a first start runs: conformance probe, membership, full passes, delta.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from clinician.bench.floor import BareStore, EmptyPoll, Parse, Run, Search, download, parsed, sliced
from clinician.bench.measure import Measure, cpu_seconds, middle, tidy
from clinician.bench.served import served
from clinician.errors import RecordTrouble
from clinician.events import Link
from clinician.fhir.times import to_instant
from clinician.practice.info import read
from clinician.sync.plan import encoded
from clinician.sync.scope import chunks_of
from clinician.texts import lazy
from clinician.workstation import Options, Workstation

L = lazy("bench")
_POLLS: Final = 15
SECRET: Final = "a cache that is thrown away"  # noqa: S105  it keeps nothing of anybody


@dataclass(frozen=True, slots=True)
class _Delta:
    requests: int
    cpu_s: float
    bytes: int


class SyncBench:
    """`record`: the folder of a record with a crowd; `folder`: for the workstations. `run` gives the rows."""

    def __init__(self, folder: Path, record: Path, *, rounds: int) -> None:
        self._folder, self._record, self._rounds = folder, record, rounds
        self._workplace = read(record).workplace_ref
        self._searches: list[Search] = []
        self._deltas: list[_Delta] = []
        self.kept = 0
        self._moved: list[float] = []
        self._cache_bytes = 0

    def run(self) -> Iterator[Measure]:
        """Every row; the sync runs `rounds` times, each followed by both floors."""
        runs: list[tuple[Run, Run, Run]] = []
        with served(self._record) as base_url:
            for number in range(self._rounds):
                synced = self._sync(base_url, number)
                runs.append((synced, self._floor(base_url, parsed), self._floor(base_url, sliced)))
            empty = self._empty_poll(base_url)
        yield from _rates(runs)
        yield from self._delta_rows(*empty)
        yield Measure("sync initial, rows moved", middle(self._moved), "rows", self.kept)
        yield self._size_row()

    # the sync ---------------------------------------------------------------------------------

    def _sync(self, base_url: str, number: int) -> Run:
        folder = self._folder / f"pc-{number}"
        tidy()
        with Workstation.open(Options(folder, base_url, self._workplace, secret=SECRET)) as station:
            started, cpu = time.perf_counter(), time.process_time()
            status = station.sync_once()
            wall, spent = time.perf_counter() - started, time.process_time() - cpu
            if status.link is not Link.FRESH:
                raise RecordTrouble(
                    L("The record did not answer the bench. Nothing was done to your data. Try once more."),
                    detail=status.link.value,
                )
            self._look_at(station)
        self._cache_bytes = sum(file.stat().st_size for file in folder.glob("cache/*/cache.db*"))
        shutil.rmtree(folder)
        return Run(self.kept, wall, spent)

    def _look_at(self, station: Workstation) -> None:
        """What is kept, what was asked for, and what a round costs when nothing is new."""
        with station.cache.reading() as reading:
            self.kept = sum(reading.count(type_) for type_ in station.engine.line.plan.types)
        self._moved.append(station.engine.line.received)
        self._searches = _searches(station)
        self._deltas += [_no_op(station) for _ in range(_POLLS)]

    # the floors -------------------------------------------------------------------------------

    def _floor(self, base_url: str, parse: Parse) -> Run:
        file = self._folder / "bare.db"
        tidy()
        store = BareStore(file)
        run = download(self._searches, base_url, store, parse)
        self._json = store.size()
        store.close()
        for held in self._folder.glob("bare.db*"):
            held.unlink()
        return run

    def _empty_poll(self, base_url: str) -> tuple[float, int]:
        poll = EmptyPoll(base_url, to_instant(datetime.now(UTC) + timedelta(hours=1)))
        poll()
        spent = [cpu_seconds(poll) for _ in range(_POLLS)]
        poll.close()
        return middle(spent), poll.bytes

    # the rows ---------------------------------------------------------------------------------

    def _delta_rows(self, cpu_s: float, size: int) -> Iterator[Measure]:
        def of(value: Callable[[_Delta], float]) -> float:
            return middle([value(delta) for delta in self._deltas])

        yield Measure("sync no-op requests", of(lambda delta: delta.requests), "requests", 1)
        yield Measure("sync no-op client CPU", of(lambda delta: delta.cpu_s) * 1e3, "ms", cpu_s * 1e3)
        yield Measure("sync no-op bytes", of(lambda delta: delta.bytes), "bytes", size)

    def _size_row(self) -> Measure:
        rows, size = self._json
        return Measure("cache bytes per resource", self._cache_bytes / self.kept, "bytes", size / rows)


def _no_op(station: Workstation) -> _Delta:
    client = station.engine.line.client
    requests, moved = client.requests, client.bytes_in + client.bytes_out
    spent = cpu_seconds(station.sync_once)
    return _Delta(client.requests - requests, spent, client.bytes_in + client.bytes_out - moved)


def _searches(station: Workstation) -> list[Search]:
    """What the sync asked for, as a bare client asks it: same filters, same order, same page size."""
    line = station.engine.line
    chunks = line.write(chunks_of)
    paging = [("_sort", "_lastUpdated"), ("_count", str(line.profile.page_size)), ("_total", "none")]
    return [
        (key.rule.type, encoded([*line.plan.query(key, chunks.get(key.chunk, []), line.today()), *paging]))
        for key in line.plan.keys(chunks)
    ]


def _rates(runs: list[tuple[Run, Run, Run]]) -> Iterator[Measure]:
    """Medians of resources a second, by the wall and by this process's CPU.

    The sync's rate counts each resource kept once; the floor's counts each resource moved, so what we
    fetch twice counts against us.
    """
    for name, rate in _RATES:
        synced, floor, hard = (middle([rate(run[at]) for run in runs]) for at in range(3))
        yield Measure(f"sync initial, {name}", synced, "resources/s", floor)
        yield Measure(f"sync initial, {name}, unparsed floor", synced, "resources/s", hard)


def _by_wall(run: Run) -> float:
    return run.per_second


def _by_cpu(run: Run) -> float:
    return run.per_cpu_second


_RATES: Final = (("wall", _by_wall), ("client CPU", _by_cpu))
