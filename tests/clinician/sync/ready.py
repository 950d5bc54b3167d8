"""A filled record and workstations that have had their first sync, made once a process and copied for each example.

Everything lies in memory (/dev/shm) where there is such a place, so a durable commit costs no disk. What is timed or
must survive a power cut is tested elsewhere, on a real disk.
"""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from clinician.cache.open import open_cache
from clinician.clock import FrozenClock
from clinician.embedded.server import RecordApp
from clinician.events import CacheChanged
from clinician.fhir.reference import Raw
from clinician.record.client import RecordClient
from clinician.record.retry import Breaker
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from clinician.sync.upload import Uploader
from tests.clinician.sync.network import BadNetwork
from tests.clinician.sync.world import (
    KEY,
    RULES,
    START,
    WORKPLACE,
    Station,
    World,
    new_id,
    patient_with_visits,
    reference,
    setting,
)

MEMORY: Final = Path("/dev/shm")
NAMES: Final = ("a", "b", "c")
BEGIN: Final = START + timedelta(seconds=300)
KEPT: Final = (
    "EpisodeOfCare",
    "Patient",
    "Appointment",
    "Task",
    "Observation",
    "CarePlan",
    "Communication",
    "Flag",
)
ADDRESS: Final = "http://record.local"
PLAIN: Final = {"Accept-Encoding": "identity"}
BY_PATIENT: Final = frozenset(KEPT) - {"EpisodeOfCare"}


def scratch() -> Path:
    """A new folder, in memory if possible."""
    return Path(tempfile.mkdtemp(prefix="machine-", dir=MEMORY if MEMORY.exists() else None))


class MovingClock:
    """The clock of one PC: the world's, and wrong by as much as somebody set it. It measures rightly."""

    def __init__(self, world: FrozenClock) -> None:
        self._world = world
        self.wrong = timedelta()

    def now(self) -> datetime:
        return self._world.now() + self.wrong

    def today(self) -> Any:
        return FrozenClock(self.now()).today()

    def monotonic(self) -> float:
        return self._world.monotonic()


class MemoryWorld(World):
    """A record in a file, that can be closed and opened again beneath its workstations."""

    def __init__(self, folder: Path, at: datetime = BEGIN) -> None:
        self.folder = folder
        self.clock = FrozenClock(at)
        self.app = self._opened()
        self.stations: list[Station] = []
        transport = httpx.WSGITransport(app=self.serve)
        self.direct = RecordClient(ADDRESS, transport=transport, headers=PLAIN)
        self.truth = Truth(self)

    def serve(self, environ: Any, start: Any) -> Any:
        """Whatever record is open just now."""
        return self.app(environ, start)

    def _opened(self) -> RecordApp:
        return RecordApp(self.folder / "record.sqlite", clock=self.clock, durable=False)

    def restart_record(self) -> None:
        """The record ends and comes back on the same file."""
        self.app.close()
        self.app = self._opened()


@dataclass(frozen=True, slots=True)
class Row:
    """One resource at the record. updated: ms since 1970. patient: '' for none."""

    version: int
    updated: int
    is_deleted: bool
    raw: Raw
    patient: str


@dataclass(slots=True)
class Truth:
    """What the record holds, read from its file and not through any client."""

    world: MemoryWorld
    _rows: dict[str, Row] = field(default_factory=dict)
    _seq: int = 0

    def rows(self) -> dict[str, Row]:
        """Every resource by reference; only what changed since the last look is read."""
        store = self.world.app.store
        if store.seq != self._seq:
            with store.reading() as connection:
                asked = "SELECT seq, type, id, version, updated, deleted, body FROM resource WHERE seq > ? ORDER BY seq"
                for seq, type_, id_, version, updated, deleted, body in connection.execute(
                    asked, (self._seq,)
                ):
                    self._take(f"{type_}/{id_}", version, updated, bool(deleted), body)
                    self._seq = seq
        return self._rows

    def _take(self, ref: str, version: int, updated: int, is_deleted: bool, body: bytes) -> None:
        old = self._rows.get(ref)
        raw = (old.raw if old else {}) if is_deleted else orjson.loads(body)
        self._rows[ref] = Row(version, updated, is_deleted, raw, patient_of(ref, raw))

    def living(self, *types: str) -> Iterator[tuple[str, Row]]:
        for ref, row in self.rows().items():
            if not row.is_deleted and ref.partition("/")[0] in types:
                yield ref, row

    def ours(self) -> frozenset[str]:
        """Patients with an open stay at the workplace."""
        return frozenset(
            row.patient
            for _, row in self.living("EpisodeOfCare")
            if row.raw["status"] == "active" and row.raw["managingOrganization"]["reference"] == WORKPLACE
        )

    def versions(self, ref: str) -> list[Raw]:
        """Every version of one resource, oldest first."""
        type_, _, id_ = ref.partition("/")
        with self.world.app.store.reading() as connection:
            asked = (
                "SELECT version, deleted, body FROM resource WHERE type=? AND id=? "
                "UNION ALL SELECT version, deleted, body FROM past WHERE type=? AND id=? ORDER BY 1"
            )
            found = connection.execute(asked, (type_, id_, type_, id_)).fetchall()
        return [{} if deleted else orjson.loads(body) for _, deleted, body in found]


def patient_of(ref: str, raw: Raw) -> str:
    """Whose it is, read as plainly as can be."""
    if ref.startswith("Patient/"):
        return ref
    held = [raw.get(name) for name in ("subject", "for", "patient")]
    held += [one.get("actor") for one in raw.get("participant", ())] if ref.startswith("Appointment/") else []
    refs = [str(one.get("reference", "")) for one in held if isinstance(one, dict)]
    return next((one for one in refs if one.startswith("Patient/")), "")


class MachineStation(Station):
    """A workstation whose network, clock and end the machine rules over."""

    def __init__(self, world: MemoryWorld, name: str, uploader: type[Uploader], tally: Counter[str]) -> None:
        self._uploader = uploader
        self.label = name
        self.clock = MovingClock(world.clock)
        self.network = BadNetwork(tally)
        self.is_checked = False
        super().__init__(world, name, make_plan(RULES, workplace_ref=WORKPLACE))
        self.wire.inner = httpx.WSGITransport(app=world.serve)
        self.wire.fault = self.network
        self.events.subscribe(CacheChanged, self._was_changed)

    def _was_changed(self, _: CacheChanged) -> None:
        self.is_checked = False

    def open(self) -> None:
        clock = self.clock
        self.cache = open_cache(self.world.folder / self.name, KEY, clock=clock, events=self.events)
        self.client = RecordClient(ADDRESS, transport=self.wire, headers=PLAIN)
        self.engine = SyncEngine(
            self.cache, self.client, self.plan, clock=clock, events=self.events, rng=random.Random(7)
        )
        self.engine.uploader = self._uploader(
            self.engine.line, frozen=self.engine.uploader.frozen, breaker=Breaker(rng=random.Random(7))
        )

    def crash(self) -> None:
        """End without closing: what is in the files at this moment is all that the next program finds."""
        self.write(lambda writing: None)
        old, name = self.world.folder / self.name, self.name + "+"
        shutil.copytree(old, self.world.folder / name)
        self.close()
        shutil.rmtree(old)
        self.name = name
        self.open()


@dataclass(frozen=True, slots=True)
class Ready:
    """The template: its folder, and who and what is in it."""

    folder: Path
    patients: tuple[str, ...]
    visits: tuple[str, ...]
    tasks: tuple[str, ...]
    plans: tuple[str, ...]
    readings: tuple[str, ...]

    def copy(self) -> Path:
        """A folder for one example."""
        made = scratch()
        shutil.copytree(self.folder, made, dirs_exist_ok=True)
        return made


@functools.cache
def ready() -> Ready:
    """Three people of the workplace, two with a visit, a task and a plan; every workstation is up to date."""
    folder = scratch()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    world = MemoryWorld(folder, START)
    raws = [*patient_with_visits(1), *patient_with_visits(1), *patient_with_visits(0)]
    patients = tuple(refs_of(raws, "Patient"))
    raws += [_care_plan(patient) for patient in patients[:2]]
    world.load(setting())
    world.load(raws)
    world.clock.advance(BEGIN - START)
    for name in NAMES:
        station = MachineStation(world, name, Uploader, Counter())
        world.stations.append(station)
        station.step()
    world.close()
    kinds = ("Appointment", "Task", "CarePlan", "Observation")
    return Ready(folder, patients, *(tuple(refs_of(raws, kind)) for kind in kinds))


def _care_plan(patient: str) -> Raw:
    return {
        "resourceType": "CarePlan",
        "id": new_id(),
        "status": "active",
        "intent": "plan",
        "subject": reference(patient),
        "description": "Slik vi gjør det",
    }


def refs_of(raws: list[Raw], type_: str) -> list[str]:
    return [f"{type_}/{raw['id']}" for raw in raws if raw["resourceType"] == type_]
