"""Two workstations and one record over HTTP, each a process: plug pulled, program killed, all of it arrives once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinician.record.client import RecordClient
from clinician.sync.rounds import IDLE_POLL as POLL
from tests.clinician.sync.world import first, patient_with_visits, setting
from tests.ports import free_port
from tests.scenarios.processes import Child, until


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.start_record()
        self.client = RecordClient(f"http://127.0.0.1:{self.port}")
        self.raws = patient_with_visits(10)
        for raw in [*setting(), *self.raws]:
            answer = self.client.put(f"{raw['resourceType']}/{raw['id']}", json.dumps(raw).encode())
            assert answer.status == 201
        self.visits = [
            f"Appointment/{raw['id']}" for raw in self.raws if raw["resourceType"] == "Appointment"
        ]
        self.patient = first(self.raws, "Patient")
        self.a, self.b = self.station("a"), self.station("b")

    def start_record(self) -> None:
        self.record = Child(
            "tests.scenarios.record_process",
            str(self.folder / "record.sqlite"),
            str(self.port),
            log=self.folder / "record.log",
        )

    def station(self, name: str) -> Child:
        url = f"http://127.0.0.1:{self.port}"
        log = self.folder / f"{name}.log"
        return Child("tests.scenarios.engine_process", str(self.folder / name), url, log=log)

    def versions(self, ref: str) -> int:
        answer = self.client.request("GET", f"{ref}/_history?_count=50")
        return len(answer.raw().get("entry", [])) if answer.status == 200 else 0

    def close(self) -> None:
        self.a.end(b'{"do": "quit"}\n')
        self.b.end(b'{"do": "quit"}\n')
        self.client.close()
        self.record.end()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def settled(station: Child) -> bool:
    now = station.ask("status")
    return bool(now["link"] == "fresh" and now["all_sent"])


def test_that_a_change_is_on_the_other_pc_long_before_a_poll(scene: Scene) -> None:
    """How fast it is, `clinician bench sync` tells; five changes within one pause between polls came by push."""
    until(lambda: settled(scene.a) and settled(scene.b), 120, "both fresh")
    took = []
    for visit in scene.visits[:5]:
        scene.a.ask("change", ref=visit, elements={"status": "fulfilled"})
        took.append(until(lambda v=visit: scene.b.ask("get", ref=v)["status"] == "fulfilled", 120, "on B")[1])  # type: ignore[misc]  # mypy cannot infer a defaulted lambda
    print(f"on the other PC after {', '.join(f'{t:.2f}' for t in took)} s")
    assert sum(took) < POLL


def test_that_twenty_acts_survive_a_lost_record_and_a_kill(scene: Scene) -> None:
    until(lambda: settled(scene.a) and settled(scene.b), 120, "both fresh")
    scene.record.end()
    ops, notes = [], []
    for number in range(10):
        ops.append(scene.a.ask("change", ref=scene.visits[number], elements={"status": "fulfilled"}))
        op, ref = scene.a.ask("note", patient=scene.patient, text=f"Notat {number}")
        ops.append(op)
        notes.append(ref)
    scene.a.ask("draft", patient=scene.patient, text="halvferdig")
    until(lambda: scene.a.ask("status")["link"] == "offline", 120, "A says offline")
    until(lambda: scene.a.ask("status")["waiting"] == 20, 120, "A counts 20")
    assert not any(all_sent for _, waiting, all_sent in scene.a.ask("truth") if waiting)
    scene.a.kill()
    scene.a = scene.station("a")
    until(lambda: scene.a.ask("status")["waiting"] == 20, 120, "20 are still there after the kill")
    assert scene.a.ask("drafts") == ["halvferdig"]
    scene.start_record()
    until(lambda: settled(scene.a), 120, "A has sent everything")
    assert scene.a.ask("states", ops=ops) == ["applied"] * 20
    assert [scene.versions(visit) for visit in scene.visits] == [2] * 10
    assert [scene.versions(note) for note in notes] == [1] * 10
    assert [scene.versions(f"Provenance/{op}") for op in ops] == [1] * 20
    until(lambda: all(scene.b.ask("get", ref=note) for note in notes), 120, "B has the notes")
    for link, waiting, all_sent in scene.a.ask("truth"):
        assert not (waiting and all_sent) and not (waiting and link == "fresh")
