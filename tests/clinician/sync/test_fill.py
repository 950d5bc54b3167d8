"""What is fetched first, what is fetched once, and what is committed together."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from clinician.cache.synced import SyncedRow, Watermark
from clinician.cache.writing import Writing
from clinician.events import Link
from clinician.sync.gather import Gather
from clinician.sync.plan import SyncRule
from tests.clinician.sync.test_download import FHIR, Answer, bundle_of, same
from tests.clinician.sync.world import RULES, START, Station, World, first, outside, patient_with_visits

OPEN = SyncRule("Task", "status=ready", priority=6)
EVERY = SyncRule("Task", "status=ready,completed", priority=7, repeats=True)


def with_tasks(world: World) -> Station:
    """Four open tasks and one that is closed; two rules that both find the open ones."""
    raws = patient_with_visits(5)
    closed = next(raw for raw in raws if raw["resourceType"] == "Task")
    world.load([{**raw, "status": "completed"} if raw is closed else raw for raw in raws])
    return world.station(rules=[*RULES[:1], OPEN, EVERY])


class Moved:
    """Counts the bodies of tasks that come over the wire in full passes; may change what comes."""

    def __init__(self) -> None:
        self.bodies = 0
        self.asked: list[bytes] = []

    def __call__(self, request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != "/Task/_search":
            return go_on()
        self.asked.append(request.content)
        bundle = self.change(request.content, bundle_of(go_on()))
        self.bodies += sum("description" in entry["resource"] for entry in bundle.get("entry", []))
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    def change(self, asked: bytes, bundle: Any) -> Any:
        del asked
        return bundle


class Untagged(Moved):
    """A record that sends only some elements, and does not say so."""

    def change(self, asked: bytes, bundle: Any) -> Any:
        for entry in bundle.get("entry", []) if b"_elements" in asked else []:
            entry["resource"]["meta"].pop("tag", None)
        return bundle


class Whole(Moved):
    """A record that knows no _elements and sends everything."""

    def __call__(self, request: httpx.Request, go_on: Answer) -> httpx.Response:
        body = request.content.replace(b"_elements=id,meta&", b"")
        request.stream, request._content = httpx.ByteStream(body), body
        request.headers["content-length"] = str(len(body))
        return super().__call__(request, go_on)


def tasks_are_whole(a: Station) -> None:
    tasks = a.all("Task")
    assert len(tasks) == 5 and {raw["description"] for raw in tasks} == {"Insulin"}
    assert sorted(raw["status"] for raw in tasks) == ["completed", *["ready"] * 4]


def test_that_what_two_rules_find_is_moved_once(world: World) -> None:
    a = with_tasks(world)
    a.wire.fault = moved = Moved()
    a.step()
    tasks_are_whole(a)
    assert moved.bodies == 5
    assert [b"_elements" in asked for asked in moved.asked] == [False, True, False]


@pytest.mark.parametrize("kind", [Untagged, Whole])
def test_that_a_page_asked_for_by_ids_is_never_stored(world: World, kind: type[Moved]) -> None:
    a = with_tasks(world)
    a.wire.fault = kind()
    a.step()
    tasks_are_whole(a)


# several to a commit ---------------------------------------------------------------------------


def rows_of(count: int, name: str = "p") -> list[SyncedRow]:
    made = []
    for number in range(count):
        raw = {"resourceType": "Basic", "id": f"{name}{number}"}
        made.append(SyncedRow("Basic", raw["id"], "1", START, json.dumps(raw).encode()))
    return made


def mark(key: str) -> Any:
    return lambda writing: writing.marks.set_watermark(Watermark(key, "Basic", START))


def test_that_small_pages_share_a_commit_and_each_brings_its_mark(world: World) -> None:
    a = world.station()
    gather = Gather(a.engine.line)
    gather.put(rows_of(3, "a"), mark("a"))
    gather.put(rows_of(3, "b"), mark("b"))
    gather.put([], mark("c"))
    assert not a.changes
    gather.flush()
    assert len(a.changes) == 1 and len(a.all("Basic")) == 6
    assert {m.key for m in a.write(lambda w: w.marks.watermarks("Basic"))} == {"a", "b", "c"}


def test_that_no_commit_is_larger_than_a_page(world: World) -> None:
    a = world.station()
    gather = Gather(a.engine.line)
    for name, count in (("a", 300), ("b", 300), ("c", 700)):
        gather.put(rows_of(count, name), mark(name))
    gather.flush()
    assert [len(change.refs) for change in a.changes] == [300, 300, 500, 200]


def test_that_a_commit_that_fails_leaves_neither_rows_nor_marks(world: World) -> None:
    a = world.station()
    gather = Gather(a.engine.line)

    def fail(writing: Writing) -> None:
        raise OSError("no room")

    gather.put(rows_of(3, "a"), mark("a"))
    gather.put(rows_of(3, "b"), fail)
    with pytest.raises(OSError, match="no room"):
        gather.flush()
    assert not a.all("Basic") and not a.write(lambda w: w.marks.watermarks("Basic"))


# side by side ----------------------------------------------------------------------------------


def test_that_over_a_network_several_lists_come_side_by_side(world: World) -> None:
    world.load(patient_with_visits(3))
    a = world.station()
    a.client.is_remote = True
    together = threading.Barrier(3, timeout=90)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path in ("/Observation/_search", "/CarePlan/_search", "/Communication/_search"):
            together.wait()
        return go_on()

    a.wire.fault = fault
    assert a.step().link is Link.FRESH
    assert [len(a.all(type_)) for type_ in ("Appointment", "Task", "Observation")] == [3, 3, 1]
    same(a)


def test_that_acts_go_between_the_pages_of_a_download_side_by_side(world: World) -> None:
    world.load(patient_with_visits(3))
    a = world.station()
    a.client.is_remote = True
    a.step()
    person = a.all("Patient")[0]
    world.load(patient_with_visits(1))
    sent = threading.Event()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path == "/Appointment/_search":
            a.change(f"Patient/{person['id']}", gender="female")
        if request.url.path == "/" and b'"transaction"' in request.content:
            sent.set()
        if request.url.path == "/CarePlan/_search":
            assert sent.wait(90)
        return go_on()

    a.wire.fault = fault
    a.step()
    assert world.there(f"Patient/{person['id']}")["gender"] == "female"  # type: ignore[index]  # a KeyError is the failure


def test_that_a_lost_line_keeps_what_the_other_lists_brought(world: World) -> None:
    world.load(patient_with_visits(3))
    a = world.station()
    a.client.is_remote = True

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path == "/Task/_search":
            raise httpx.ReadError("gone")
        return go_on()

    a.wire.fault = fault
    assert a.step().link is Link.OFFLINE
    assert len(a.all("Appointment")) == 3 and not a.all("Task")
    a.wire.fault = None
    assert a.step().link is Link.FRESH
    assert len(a.all("Task")) == 3


def test_that_a_new_pc_has_its_list_before_the_record_is_examined(world: World) -> None:
    """The examination is eighty requests; over fifty milliseconds a nurse would wait four seconds for it."""
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    asked = [path for method, path in a.wire.log if "_search" in path or method == "PUT"]
    examined = next(place for place, path in enumerate(asked) if path.startswith("/Basic/"))
    before = {path.split("/")[1] for path in asked[:examined]}
    assert {"EpisodeOfCare", "Patient", "Appointment", "Task"} <= before
    assert "Observation" not in before and "/Observation/_search" in asked


def test_that_acts_wait_until_the_record_is_examined(world: World) -> None:
    person = patient_with_visits(1)
    world.load(person)
    a = world.station()
    act = a.act({**person[0], "gender": "female"})

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path == "/Task/_search":
            assert a.state(act) == "queued"
        return go_on()

    a.wire.fault = fault
    a.step()
    assert world.there(first(person, "Patient"))["gender"] == "female"  # type: ignore[index]  # a KeyError is the failure
