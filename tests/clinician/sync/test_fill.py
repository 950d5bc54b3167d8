"""What is fetched first, what is fetched once, and what is committed together."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from clinician.sync.plan import SyncRule
from tests.clinician.sync.test_download import FHIR, Answer, bundle_of
from tests.clinician.sync.world import RULES, Station, World, outside, patient_with_visits

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
