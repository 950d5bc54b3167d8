"""Two workstations as processes, each behind a network of its own that is parted and healed at random; both work."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clinician.fhir.times import to_instant
from clinician.record.client import RecordClient
from tests.clinician.sync.world import first, patient_with_visits, setting
from tests.faults.proxy import CUTS, FAULTS, FaultProxy
from tests.scenarios.engine_process import COMPARED, hash_of
from tests.scenarios.processes import Child, until

BRIEF = tuple(fault for fault in FAULTS if fault not in ("half-open", "slow", "bomb"))
ENDED = frozenset({"applied", "withdrawn"})


def of_today(raw: dict[str, Any]) -> dict[str, Any]:
    """Moved into the windows of the plan: these programs run on a real clock."""
    now = to_instant(datetime.now(UTC))
    return {**raw, **{key: now for key in ("start", "end", "effectiveDateTime") if key in raw}}


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file, log = folder / "record.sqlite", folder / "record.log"
        self.record = Child("tests.scenarios.record_process", str(file), "0", log=log)
        port = self.record.first["port"]
        self.client = RecordClient(f"http://127.0.0.1:{port}")
        self.raws = [of_today(raw) for raw in [*patient_with_visits(3), *patient_with_visits(2)]]
        for raw in [*setting(), *self.raws]:
            assert (
                self.client.put(f"{raw['resourceType']}/{raw['id']}", json.dumps(raw).encode()).status == 201
            )
        self.visits = [
            f"Appointment/{raw['id']}" for raw in self.raws if raw["resourceType"] == "Appointment"
        ]
        self.patient = first(self.raws, "Patient")
        self.proxies = [FaultProxy(port) for _ in range(2)]
        self.stations = [
            Child("tests.scenarios.engine_process", str(folder / name), proxy.url, log=folder / f"{name}.log")
            for name, proxy in zip("ab", self.proxies, strict=True)
        ]

    def there(self) -> dict[str, list[str]]:
        """What the record holds, in the same words as a cache."""
        found: dict[str, list[str]] = {}
        for type_ in COMPARED:
            for entry in self.client.search(type_, "_count=1000").raw().get("entry", ()):
                raw = entry["resource"]
                found[f"{type_}/{raw['id']}"] = [raw["meta"]["versionId"], hash_of(raw)]
        return found

    def versions(self, ref: str) -> int:
        answer = self.client.request("GET", f"{ref}/_history?_count=50")
        return len(answer.raw().get("entry", [])) if answer.status == 200 else 0

    def notes(self) -> Counter[str]:
        entries = self.client.search("Communication", "_count=1000").raw().get("entry", ())
        return Counter(entry["resource"]["payload"][0]["contentString"] for entry in entries)

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.calm()
        for station in self.stations:
            station.end(b'{"do": "quit"}\n')
        for proxy in self.proxies:
            proxy.close()
        self.client.close()
        self.record.end()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


class Unrest:
    """Work on both workstations, and networks that come and go, from one seed."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.rng = random.Random(seed)
        self.notes: list[str] = []
        self.did: Counter[str] = Counter()

    def go_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            which = self.rng.randrange(2)
            work = self.rng.choice((self._edit, self._edit, self._note, self._cut, self._fault))
            work(self.scene.stations[which], self.scene.proxies[which])
            time.sleep(self.rng.uniform(0.01, 0.25))

    def _edit(self, station: Child, proxy: FaultProxy) -> None:
        element = self.rng.choice(("comment", "description", "patientInstruction"))
        value = f"{element} {self.did['acts']}"
        station.ask("change", ref=self.rng.choice(self.scene.visits), elements={element: value})
        self.did["acts"] += 1

    def _note(self, station: Child, proxy: FaultProxy) -> None:
        self.notes.append(f"note {self.did['acts']}")
        station.ask("note", patient=self.scene.patient, text=self.notes[-1])
        self.did["acts"] += 1

    def _cut(self, station: Child, proxy: FaultProxy) -> None:
        proxy.cut(self.rng.choice(CUTS) if not proxy.way else "")

    def _fault(self, station: Child, proxy: FaultProxy) -> None:
        proxy.plan(self.rng.choice(BRIEF))


def at_rest(scene: Scene) -> bool:
    """Sent and confirmed on both; what collided is settled by a person here, the one time so, the other time so."""
    states = [station.ask("status") for station in scene.stations]
    for station, choice in zip(scene.stations, ("mine", "theirs"), strict=True):
        station.ask("decide", choice=choice)
    if all(now["link"] == "fresh" and now["all_sent"] for now in states):
        return True
    time.sleep(0.2)
    return False


def equal(scene: Scene) -> bool:
    return not different(scene)


def different(scene: Scene) -> list[str]:
    """References whose version or body here is not the record's, or that only one of the two has."""
    there = scene.there()
    held = [station.ask("cached") for station in scene.stations]
    refs = there.keys() | held[0].keys() | held[1].keys()
    return sorted(ref for ref in refs if any(one.get(ref) != there.get(ref) for one in held))


def ended_once(scene: Scene, unrest: Unrest) -> None:
    acts: list[tuple[str, str]] = [tuple(act) for station in scene.stations for act in station.ask("acts")]
    assert {state for _, state in acts} <= ENDED
    assert len(acts) >= unrest.did["acts"], "an act is in no outbox"
    for op, state in acts:
        assert scene.versions(f"Provenance/{op}") == (state == "applied"), "applied means once, and only then"
    assert scene.notes() == Counter(unrest.notes), "a note was lost or doubled"
    for station in scene.stations:
        for link, waiting, all_sent in station.ask("truth"):
            assert not (waiting and (all_sent or link == "fresh")), "it was not said as it was"


def run(scene: Scene, seed: int, seconds: float) -> dict[str, Any]:
    until(lambda: at_rest(scene), 120, "both fresh")
    unrest = Unrest(scene, seed)
    unrest.go_on(seconds)
    for proxy, station in zip(scene.proxies, scene.stations, strict=True):
        proxy.calm()
        station.ask("hurry")
    until(lambda: at_rest(scene), 120, "quiet on both")
    for station in scene.stations:
        station.ask("compare")
    until(lambda: all(station.ask("compared") for station in scene.stations), 120, "one manifest")
    until(lambda: at_rest(scene) and equal(scene), 120, "both caches equal the record")
    ended_once(scene, unrest)
    faults = sum((proxy.tally for proxy in scene.proxies), Counter())
    print(f"seed {seed}: {unrest.did['acts']} acts through {dict(faults)}")
    return {
        "processes: acts": unrest.did["acts"],
        "processes: cuts and faults": faults.total(),
        "processes: runs": 1,
    }


def test_that_two_processes_parted_at_random_end_equal_with_every_act_once(scene: Scene) -> None:
    run(scene, seed=3, seconds=8.0)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(int(os.environ.get("PARTITIONS", "10"))))
def test_that_it_holds_for_many_seeds(scene: Scene, number: int, record_property: Any) -> None:
    record_property("machine", run(scene, int(os.environ.get("SEED", "0")) + number, seconds=40.0))
