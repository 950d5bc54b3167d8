"""A small municipality, a record, and workstations on it, all on one frozen clock."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from clinician.cache.acts import Entry, NewAct
from clinician.cache.open import Cache, open_cache
from clinician.cache.writing import Writing
from clinician.clock import FrozenClock
from clinician.embedded.server import RecordApp
from clinician.events import CacheChanged, Events, SyncStatus
from clinician.fhir.reference import Raw
from clinician.fhir.times import to_instant
from clinician.record.client import RecordClient
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import Plan, SyncRule, make_plan
from clinician.texts import lazy

L = lazy("sync")
START = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
WORKPLACE = "Organization/00000000-0000-4000-8000-000000000001"
NURSE = "Practitioner/00000000-0000-4000-8000-000000000002"
KEY = bytes(range(32))
RULES = (
    SyncRule("Appointment", "date=ge{date}", window=30, priority=5),
    SyncRule("Task", "", priority=6),
    SyncRule("Observation", "", window=90, priority=30),
    SyncRule("CarePlan", "", priority=31),
    SyncRule("Communication", "", priority=40),
)


def new_id(rng: random.Random | None = None) -> str:
    if rng is None:
        return str(uuid.uuid4())
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def reference(ref: str) -> Raw:
    return {"reference": ref}


def setting() -> list[Raw]:
    """The workplace and one nurse in it."""
    return [
        {"resourceType": "Organization", "id": WORKPLACE.partition("/")[2], "name": "Sone øst"},
        {"resourceType": "Practitioner", "id": NURSE.partition("/")[2], "name": [{"text": "Nora Lie"}]},
        {
            "resourceType": "PractitionerRole",
            "id": "00000000-0000-4000-8000-000000000003",
            "practitioner": reference(NURSE),
            "organization": reference(WORKPLACE),
        },
    ]


def patient_with_visits(visits: int = 1, *, id_: str = "", status: str = "active") -> list[Raw]:
    """A patient of the workplace with visits today, a task in each, and a measurement."""
    id_ = id_ or new_id()
    ref = f"Patient/{id_}"
    made: list[Raw] = [
        {"resourceType": "Patient", "id": id_, "name": [{"text": f"Person {id_[:4]}"}]},
        episode(id_, status),
        {
            "resourceType": "Observation",
            "id": new_id(),
            "status": "final",
            "code": {"text": "puls"},
            "subject": reference(ref),
            "effectiveDateTime": "2026-03-01T08:00:00Z",
            "valueQuantity": {"value": 72},
        },
    ]
    for number in range(visits):
        appointment = new_id()
        made.append(
            {
                "resourceType": "Appointment",
                "id": appointment,
                "status": "booked",
                "description": "Morgenstell",
                "start": to_instant(START + timedelta(hours=1 + number)),
                "end": to_instant(START + timedelta(hours=1 + number, minutes=20)),
                "participant": [
                    {"actor": reference(ref), "status": "accepted"},
                    {"actor": reference(NURSE), "status": "accepted"},
                ],
            }
        )
        made.append(
            {
                "resourceType": "Task",
                "id": new_id(),
                "status": "ready",
                "intent": "order",
                "for": reference(ref),
                "focus": reference(f"Appointment/{appointment}"),
                "description": "Insulin",
            }
        )
    return made


def episode(patient_id: str, status: str = "active") -> Raw:
    return {
        "resourceType": "EpisodeOfCare",
        "id": str(uuid.uuid5(uuid.UUID(patient_id), "episode")),
        "status": status,
        "patient": reference(f"Patient/{patient_id}"),
        "managingOrganization": reference(WORKPLACE),
    }


def outside(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """An answer as it comes over a wire."""

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield body

    return httpx.Response(status, headers=headers, stream=Stream())


class Wire(httpx.BaseTransport):
    """The way to a record in process. `fault` may answer or raise instead of, or after, the record."""

    def __init__(self, app: RecordApp) -> None:
        self.inner: httpx.BaseTransport = httpx.WSGITransport(app=app)  # type: ignore[arg-type]  # httpx wants the typeshed protocol
        self.fault: Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response] | None = None
        self.log: list[tuple[str, str]] = []
        self.down = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.log.append((request.method, request.url.path))
        if self.down:
            raise httpx.ConnectError("unplugged")
        if self.fault is not None:
            return self.fault(request, lambda: self.inner.handle_request(request))
        return self.inner.handle_request(request)


class World:
    """One record and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FrozenClock(START)
        self.app = RecordApp(None, clock=self.clock)
        self.stations: list[Station] = []
        self.direct = RecordClient(
            "http://record.local",
            transport=httpx.WSGITransport(app=self.app),
            headers={"Accept-Encoding": "identity"},
        )  # type: ignore[arg-type]  # as above

    def load(self, resources: Iterable[Raw]) -> None:
        """Straight into the record, as somebody else's work."""
        for raw in resources:
            answer = self.direct.put(f"{raw['resourceType']}/{raw['id']}", orjson.dumps(raw))
            assert answer.status in (200, 201), answer.body

    def there(self, ref: str) -> Raw | None:
        """What the record holds now."""
        answer = self.direct.read(ref)
        return answer.raw() if answer.status == 200 else None

    def history(self, ref: str) -> int:
        """How many versions the record has stored."""
        answer = self.direct.request("GET", f"{ref}/_history")
        return len(answer.raw().get("entry", [])) if answer.status == 200 else 0

    def station(
        self, name: str = "a", *, rules: Iterable[SyncRule] = RULES, plan: Plan | None = None
    ) -> Station:
        made = Station(self, name, plan or make_plan(rules, workplace_ref=WORKPLACE))
        self.stations.append(made)
        return made

    def tick(self, seconds: float = 1.0) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def close(self) -> None:
        for station in self.stations:
            station.close()
        self.direct.close()
        self.app.close()


class Station:
    """One workstation without a window: cache, engine, and acts put in as the command bus would."""

    def __init__(self, world: World, name: str, plan: Plan) -> None:
        self.world = world
        self.name = name
        self.plan = plan
        self.wire = Wire(world.app)
        self.events = Events()
        self.statuses: list[SyncStatus] = []
        self.changes: list[CacheChanged] = []
        self.events.subscribe(SyncStatus, self.statuses.append)
        self.events.subscribe(CacheChanged, self.changes.append)
        self.open()

    def open(self) -> None:
        self.cache: Cache = open_cache(
            self.world.folder / self.name, KEY, clock=self.world.clock, events=self.events
        )
        self.client = RecordClient(
            "http://record.local", transport=self.wire, headers={"Accept-Encoding": "identity"}
        )
        self.engine = SyncEngine(
            self.cache,
            self.client,
            self.plan,
            clock=self.world.clock,
            events=self.events,
            rng=random.Random(7),
        )

    def close(self) -> None:
        self.engine.stop()
        self.client.close()
        self.cache.close()

    def restart(self) -> None:
        """The program ends and comes back: nothing in memory survives."""
        self.close()
        self.open()

    def step(self) -> SyncStatus:
        return self.engine.step()

    def write(self, work: Callable[[Writing], Any]) -> Any:
        return self.cache.writer.run(work, durable=True)

    def get(self, ref: str) -> Raw | None:
        with self.cache.reading() as reading:
            found = reading.get(ref)
            return found.raw if found is not None else None

    def all(self, type_: str) -> list[Raw]:
        with self.cache.reading() as reading:
            return [cached.raw for cached in reading.find(type_)]

    def act(self, *raws: Raw, aggregate: str = "", kind: str = "visit") -> str:
        """Write whole resources as one act; bases are what is effective here now."""
        op_id = new_id()

        def work(writing: Writing) -> None:
            entries = []
            for raw in raws:
                ref = f"{raw['resourceType']}/{raw['id']}"
                before = writing.reading.get(ref)
                version, op = writing.base_of(ref) if before is not None else (None, None)
                entries.append(Entry(ref, raw, version, op, before.raw if before else None))
            first = raws[0]
            patient = aggregate or next(
                (str(ref) for ref in (_patient(raw) for raw in raws) if ref), f"Task/{first['id']}"
            )
            provenance = {
                "resourceType": "Provenance",
                "id": op_id,
                "target": [reference(entry.ref) for entry in entries],
                "recorded": to_instant(self.world.clock.now()),
                "agent": [{"who": {"reference": NURSE, "display": f"Nora at {self.name}"}}],
            }
            writing.outbox.insert(
                NewAct(
                    op_id,
                    op_id,
                    kind,
                    patient,
                    patient if patient.startswith("Patient/") else "",
                    NURSE,
                    "Nora Lie",
                    WORKPLACE,
                    L("A change that needs a decision"),
                    self.world.clock.now(),
                    tuple(entries),
                    provenance,
                )
            )
            for entry in entries:
                writing.put_overlay(entry.ref, op_id, entry.raw)
            writing.origin = op_id

        self.write(work)
        return op_id

    def change(self, ref: str, **elements: Any) -> str:
        """One resource with other elements, as one act."""
        before = self.get(ref)
        assert before is not None
        return self.act({**before, **elements})

    def state(self, op_id: str) -> str:
        with self.cache.reading() as reading:
            found = reading.act(op_id)  # type: ignore[attr-defined]  # the cache's snapshot gives more than the contract
            return str(found.state)


def _patient(raw: Raw) -> str:
    for key in ("subject", "for", "patient"):
        if key in raw:
            return str(raw[key]["reference"])
    for participant in raw.get("participant", []):
        ref = str(participant.get("actor", {}).get("reference", ""))
        if ref.startswith("Patient/"):
            return ref
    return f"Patient/{raw['id']}" if raw["resourceType"] == "Patient" else ""


def first(raws: Iterable[Raw], type_: str) -> str:
    """The reference of the first resource of a type."""
    return next(f"{raw['resourceType']}/{raw['id']}" for raw in raws if raw["resourceType"] == type_)
