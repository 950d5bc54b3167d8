"""More than a page changed, and a row changed once more while its page was put together (HAPI serves it so)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from clinician.cache.synced import Evidence, Why
from clinician.clock import FrozenClock
from clinician.record.answer import Answer
from tests.clinician.sync.test_download import FHIR
from tests.clinician.sync.test_download import Answer as Inner
from tests.clinician.sync.world import START, World, outside, patient_with_visits


@pytest.mark.parametrize("how", ["changed under us", "not sorted"])
def test_that_the_first_page_of_a_long_delta_never_lifts_the_cursor_over_what_was_not_sent(
    world: World, how: str
) -> None:
    raws = patient_with_visits(7)
    world.load(raws)
    tasks = [raw for raw in raws if raw["resourceType"] == "Task"]
    a = world.station()
    a.step()
    for raw in tasks:
        world.tick(100)
        world.load([{**raw, "status": "accepted"}])
    world.tick(600)
    batches: list[bytes] = []

    def fault(request: httpx.Request, go_on: Inner) -> httpx.Response:
        if request.url.path != "/" or b"_lastUpdated=ge" not in request.content or batches:
            return go_on()
        batches.append(request.content)
        narrow = request.content.replace(b"_count=500", b"_count=3")
        request.stream, request._content = httpx.ByteStream(narrow), narrow
        request.headers["content-length"] = str(len(narrow))
        bundle = json.loads(go_on().read())
        page = next(one for one in map(inner, bundle["entry"]) if type_of(one) == "Task")
        if how == "not sorted":
            newest = {**tasks[6], "status": "accepted", "meta": (world.there(ref(tasks[6])) or {})["meta"]}
            page["entry"] = [page["entry"][1], page["entry"][0], {**page["entry"][2], "resource": newest}]
        else:
            world.tick(5)
            world.load([{**tasks[2], "status": "in-progress"}])
            page["entry"][2]["resource"] = world.there(ref(tasks[2]))
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.engine.cadence.compared(a.plan.types, a.plan.types)  # no comparison of ids mends it in this round
    a.step()
    assert batches
    told = {raw["id"]: raw["status"] for raw in a.all("Task")}
    assert told == {raw["id"]: (world.there(ref(raw)) or {})["status"] for raw in tasks}


def ref(raw: Any) -> str:
    return f"{raw['resourceType']}/{raw['id']}"


def inner(entry: Any) -> Any:
    return entry["resource"]


def type_of(page: Any) -> str:
    return next((one["resource"]["resourceType"] for one in page.get("entry", ())), "")


class Interrupting(FrozenClock):
    """While one thread works out how far the clocks are apart, another hears a later answer."""

    then: Callable[[], object] | None = None

    def now(self) -> datetime:
        call, self.then = self.then, None
        if call is not None:
            call()
        return super().now()


def test_that_a_pass_goes_by_the_time_of_its_own_answer_whatever_other_threads_hear(world: World) -> None:
    line = world.station().engine.line
    mine, later = START, START + timedelta(minutes=5)
    line.clock = clock = Interrupting(START)
    clock.then = lambda: line.heard(Answer(200, date=later))
    assert line.heard(Answer(200, date=mine)) == mine


def test_that_a_comparison_of_ids_skips_nothing_when_a_row_of_its_page_changes_under_it(world: World) -> None:
    raws = patient_with_visits(7)
    tasks = [raw for raw in raws if raw["resourceType"] == "Task"]
    world.load([raw for raw in raws if raw not in tasks])
    for raw in tasks:
        world.tick(100)
        world.load([raw])
    world.tick(600)
    a = world.station()
    a.step()
    lost = ref(tasks[4])
    a.write(lambda w: w.remove_synced(lost, Evidence(Why.OUT_OF_SCOPE, START)))
    narrowed: list[bytes] = []

    def fault(request: httpx.Request, go_on: Inner) -> httpx.Response:
        if request.url.path != "/" or b"_elements=id" not in request.content or narrowed:
            return go_on()
        narrowed.append(request.content)
        narrow = request.content.replace(b"_count=1000", b"_count=3")
        request.stream, request._content = httpx.ByteStream(narrow), narrow
        request.headers["content-length"] = str(len(narrow))
        bundle = json.loads(go_on().read())
        page = next(one for one in map(inner, bundle["entry"]) if type_of(one) == "Task")
        world.tick(5)
        world.load([{**tasks[2], "status": "in-progress"}])
        page["entry"][2]["resource"] = world.there(ref(tasks[2]))
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.engine.look_closely()
    a.step()
    assert narrowed
    assert a.get(lost) is not None
