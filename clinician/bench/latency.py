"""How soon one workstation sees what another did, and how fast an outbox empties over a distance.

Two real workstations on one record over HTTP. The clock of a sample starts before the act is done on the
first, and stops when the cache of the second has told of it: signing, sending, being told and asking are all
in it. Beside each row stands the anchor of SYNC §2.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import orjson

from clinician.bench.distance import far
from clinician.bench.measure import Measure, cpu_seconds, middle, percentile, seconds, tidy
from clinician.bench.served import served
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble
from clinician.events import CacheChanged
from clinician.practice.info import PracticeInfo, read
from clinician.practice.secret import PRACTICE_SECRET
from clinician.sync.health import TRUSTED
from clinician.sync.manifest import manifest
from clinician.sync.plan import encoded
from clinician.sync.rounds import SICK_POLL
from clinician.sync.scope import chunks_of
from clinician.texts import lazy
from clinician.workstation import PRACTICE_PIN, Options, Workstation

L = lazy("bench")
ROUND_TRIP_S: Final = 0.05
LANES: Final = 4
"""Acts on their way side by side (SYNC §1.7): what a distance allows is LANES / ROUND_TRIP_S."""
MANIFEST: Final = 50_000
_PATIENCE_S: Final = 60.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_NOTE: Final = "modules.homecare.commands.notes:WriteNote"
_PUSHED: Final = "HAPI ≤ 5 s + activation"
_POLLED: Final = "CHT 5 min, Tamanu 1 min, android-fhir 15 min"
_BLOCKED: Final = "PowerSync, android-fhir: one bad item blocks all"
_CHT: Final = "CHT 58k: 10-11 s"


@dataclass(frozen=True, slots=True)
class Samples:
    """How many: pushed, polled (a round of ten seconds for every three), acts waiting after a night."""

    pushed: int
    polled: int
    acts: int


class Arrivals:
    """What the cache of a workstation tells of, and when. Times are perf_counter seconds."""

    def __init__(self, station: Workstation) -> None:
        self._told: queue.SimpleQueue[tuple[frozenset[str], float]] = queue.SimpleQueue()
        self.seen: dict[str, float] = {}
        self.stop = station.events.subscribe(
            CacheChanged, lambda event: self._told.put((event.refs, time.perf_counter()))
        )

    def wait(self, refs: Sequence[str]) -> list[float]:
        """When each of these was first told of. Raises RecordTrouble when one does not come."""
        until = time.perf_counter() + _PATIENCE_S
        while any(ref not in self.seen for ref in refs):
            try:
                told, when = self._told.get(timeout=max(0.01, until - time.perf_counter()))
            except queue.Empty:
                raise RecordTrouble(
                    L("A change did not arrive within a minute. Nothing was done to your data. Try again.")
                ) from None
            for ref in told:
                self.seen.setdefault(ref, when)
        return [self.seen[ref] for ref in refs]


class LatencyBench:
    """`record`: the folder of a record with a crowd; `folder`: for the workstations. `run` gives the rows."""

    def __init__(self, folder: Path, record: Path, samples: Samples) -> None:
        self._folder, self._record, self._samples = folder, record, samples
        self._info: PracticeInfo = read(record)
        self._dice = Random(11)

    def run(self) -> Iterator[Measure]:
        """Every row. Polling takes a minute, for it is waited for."""
        with served(self._record) as base_url:
            with self._open("a", base_url) as writer, self._open("b", base_url) as reader:
                yield from self._pushed(writer, reader, base_url)
                yield self._polled(writer, reader)
                for station in (writer, reader):
                    station.engine.stop()
                yield self._manifest(reader, base_url)
            with far(base_url, ROUND_TRIP_S) as far_url:
                yield from self._night(far_url)

    def _open(self, name: str, url: str) -> Workstation:
        options = Options(self._folder / name, url, self._info.workplace_ref, secret=PRACTICE_SECRET)
        station = Workstation.open(options)
        station.sync_once()
        station.sign_in(self._info.practitioner_ref, self._info.workplace_ref, PRACTICE_PIN)
        station.warm_up()
        return station

    # from one to the other ------------------------------------------------------------------------

    def _pushed(self, writer: Workstation, reader: Workstation, url: str) -> Iterator[Measure]:
        for station in (writer, reader):
            station.start_sync()
        arrivals = Arrivals(reader)
        notes = self._notes(writer)
        spent: list[float] = []
        for number in range(self._samples.pushed + 1):
            time.sleep(self._dice.uniform(0.1, 0.6))
            started = time.perf_counter()
            spent.append(arrivals.wait([next(notes)()])[0] - started if number else 0.0)
        arrivals.stop()
        with _bare(url) as client:
            floor = middle([seconds(partial(_bare_exchange, client)) for _ in range(15)])
        for share, goal in ((50, "≤ 700 ms"), (95, "≤ 2000 ms")):
            value = percentile(spent[1:], share) * 1e3
            yield Measure(f"delta by push p{share}", value, "ms", floor * 1e3, goal, _PUSHED)

    def _polled(self, writer: Workstation, reader: Workstation) -> Measure:
        """The reader is made deaf, as by a push found sick: it asks every ten seconds, spread by a fifth."""
        reader.engine.listening.stop()
        for _ in range(TRUSTED):
            reader.engine.health.polled({"Task"}, {"Task"})
        reader.sync_now()
        arrivals, notes = Arrivals(reader), self._notes(writer)
        begun: list[tuple[str, float]] = []
        for _ in range(self._samples.polled):
            time.sleep(self._dice.uniform(1.0, 5.0))
            started = time.perf_counter()
            begun.append((next(notes)(), started))
        came = arrivals.wait([ref for ref, _ in begun])
        arrivals.stop()
        spent = [when - started for when, (_, started) in zip(came, begun, strict=True)]
        return Measure("delta by poll p95", percentile(spent, 95), "s", SICK_POLL, "≤ 12 s", _POLLED)

    # a night offline ------------------------------------------------------------------------------

    def _night(self, url: str) -> Iterator[Measure]:
        """Acts of as many patients, made while nothing was sent; then the cable is put back."""
        with self._open("a", url) as station:
            notes = self._notes(station)
            refs = [next(notes)() for _ in range(self._samples.acts)]
            applied = Arrivals(station)
            tidy()
            started = time.perf_counter()
            station.start_sync()
            came = sorted(when - started for when in applied.wait(refs))
            applied.stop()
        allowed = LANES / ROUND_TRIP_S
        rate = (len(came) - 1) / (came[-1] - came[0])
        yield Measure("outbox at 50 ms round trip", rate, "acts/s", allowed, "≥ 0.8 of 4/RTT", _BLOCKED)
        name = f"{len(refs)} acts after a night offline, 50 ms round trip"
        yield Measure(name, came[-1], "s", len(refs) / allowed, "200 acts ≤ 10 s", _BLOCKED)

    # comparing ids --------------------------------------------------------------------------------

    def _manifest(self, station: Workstation, url: str) -> Measure:
        """Ids and versions of all that is kept, compared; as if 50,000 were."""
        line = station.engine.line
        chunks = line.write(chunks_of)
        keys = list(line.plan.keys(chunks))
        kept = sum(len(line.write(partial(_versions, type_))) for type_ in line.plan.types)
        today = line.today()
        asked = [(key.rule.type, line.plan.query(key, chunks.get(key.chunk, ()), today)) for key in keys]
        spent = [cpu_seconds(partial(manifest, line, chunks, keys)) for _ in range(3)]
        with _bare(url) as client:
            bare = [cpu_seconds(partial(_bare_listing, client, asked)) for _ in range(3)]
        scale = MANIFEST / kept
        floor = middle(bare) * scale
        return Measure("full manifest, client CPU for 50k", middle(spent) * scale, "s", floor, "≤ 3 s", _CHT)

    # acts -----------------------------------------------------------------------------------------

    def _notes(self, station: Workstation) -> Iterator[Callable[[], str]]:
        """Acts on one patient after another; each call writes a note and gives its reference."""
        write = station.registry.resolve("homecare", _NOTE)
        with station.cache.reading() as reading:
            patients = [found.ref for found in reading.find("Patient", order="id")]
        made: queue.SimpleQueue[str] = queue.SimpleQueue()

        def on_change(event: CacheChanged) -> None:
            if event.origin:
                made.put(next(ref for ref in event.refs if ref.startswith("DocumentReference/")))

        station.events.subscribe(CacheChanged, on_change)

        known: set[str] = set()

        def note(number: int) -> str:
            station.run_command(
                write(patients[number % len(patients)], f"Spist frokost, gått tur ({number})")
            )
            while (ref := made.get(timeout=_PATIENCE_S)) in known:
                pass
            known.add(ref)
            return ref

        for number in count():
            yield partial(note, number)


def _versions(type_: str, writing: Writing) -> dict[str, str]:
    return writing.versions(type_)


def _bare(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Accept-Encoding": "gzip"}, timeout=120)


def _bare_exchange(client: httpx.Client) -> None:
    """The least that lets one see what another wrote: one PUT, one GET."""
    ref = f"/Basic/{uuid.uuid4()}"
    raw = {"resourceType": "Basic", "id": ref.rpartition("/")[2], "code": {"text": "bench"}}
    client.put(ref, json=raw, headers={"Content-Type": "application/fhir+json"}).raise_for_status()
    client.get(ref).raise_for_status()


def _bare_listing(client: httpx.Client, asked: Sequence[tuple[str, list[tuple[str, str]]]]) -> int:
    """The same ids and versions, fetched and parsed and nothing else."""
    found = 0
    listing = [("_elements", "id,meta"), ("_sort", "_lastUpdated"), ("_count", "1000")]
    for type_, query in asked:
        answer = client.post(f"/{type_}/_search", content=encoded([*query, *listing]), headers=_FORM)
        while True:
            page: dict[str, Any] = orjson.loads(answer.raise_for_status().content)
            found += len(page.get("entry", ()))
            following = [link["url"] for link in page.get("link", ()) if link["relation"] == "next"]
            if not following:
                break
            answer = client.get(following[0])
    return found
