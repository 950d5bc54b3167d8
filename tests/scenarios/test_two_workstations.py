"""Two whole workstations and one record over HTTP, each a process: signed here, seen there; killed, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clinician.practice.create import create
from clinician.record.client import RecordClient
from clinician.sync.rounds import IDLE_POLL as POLL
from tests.ports import free_port
from tests.scenarios.processes import Child, until


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.day = datetime.now(UTC).date() - timedelta(days=1)
        self.info = create(folder / "practice", seed=4, people=720, day=self.day)
        self.port = free_port()
        self.start_record()
        self.client = RecordClient(self.url)
        self.a, self.b = self.desk("a"), self.desk("b")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_record(self) -> None:
        file = self.folder / "practice" / "record.sqlite"
        log = self.folder / "record.log"
        self.record = Child("tests.scenarios.record_process", str(file), str(self.port), log=log)

    def desk(self, name: str) -> Child:
        info = self.info
        return Child(
            "tests.scenarios.workstation_process",
            str(self.folder / name),
            self.url,
            info.workplace_ref,
            info.practitioner_ref,
            self.day.isoformat(),
            log=self.folder / f"{name}.log",
        )

    def versions(self, ref: str) -> int:
        answer = self.client.request("GET", f"{ref}/_history?_count=50")
        return len(answer.raw().get("entry", [])) if answer.status == 200 else 0

    def fresh(self) -> None:
        for desk in (self.a, self.b):
            until(lambda desk=desk: settled(desk), 180, "fresh")  # type: ignore[misc]  # mypy cannot infer a defaulted lambda
            desk.ask("sign in")

    def close(self) -> None:
        for desk in (self.a, self.b):
            desk.end(b'{"do": "quit"}\n')
        self.client.close()
        self.record.end()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("scene"))
    yield made
    made.close()


def settled(desk: Child) -> bool:
    now = desk.ask("status")
    return bool(now["link"] == "fresh" and now["all_sent"])


def test_that_a_visit_signed_on_a_is_on_b_and_that_twenty_acts_survive_a_kill(scene: Scene) -> None:
    scene.fresh()
    visits = scene.a.ask("visits")
    assert len(visits) >= 8
    signed = visits.pop(0)[0]
    scene.a.ask("complete", ref=signed)
    _, took = until(
        lambda: scene.b.ask("get", ref=signed)["status"] == "fulfilled", 120, "the visit is done on B"
    )
    print(f"a visit signed on A was on B after {took:.2f} s")
    assert took < POLL / 3, "by push (test_two_engines leaves a poll no room at all)"

    until(lambda: settled(scene.a), 120, "A has sent it")
    scene.record.end()
    ops: list[str] = []
    for ref, _patient in visits[:7]:
        ops += scene.a.ask("complete", ref=ref)
    for number in range(20 - min(7, len(visits))):
        ops += scene.a.ask("note", patient=visits[number % len(visits)][1], text=f"Notat {number}")
    assert len(ops) >= 20
    scene.a.ask("draft", patient=visits[0][1], text="halvferdig")
    until(lambda: scene.a.ask("status")["link"] == "offline", 120, "A says offline")
    until(lambda: scene.a.ask("status")["waiting"] == len(ops), 120, "A counts what waits")
    scene.a.kill()
    scene.a = scene.desk("a")
    until(lambda: scene.a.ask("status")["waiting"] == len(ops), 120, "all are still there after the kill")
    scene.a.ask("sign in")
    assert scene.a.ask("drafts") == ["halvferdig"]
    scene.start_record()
    until(lambda: settled(scene.a), 120, "A has sent everything")
    assert scene.a.ask("states", ops=ops) == ["applied"] * len(ops)
    assert [scene.versions(f"Provenance/{op}") for op in ops] == [1] * len(ops)
    done = [ref for ref, _ in visits[:7]]
    until(
        lambda: all(scene.b.ask("get", ref=ref)["status"] == "fulfilled" for ref in done), 120, "B has them"
    )
    for link, waiting, all_sent in scene.a.ask("truth"):
        assert not (waiting and all_sent) and not (waiting and link == "fresh")
