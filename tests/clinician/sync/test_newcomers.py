"""Whoever comes to the workplace is here soon, however it was learnt; and nothing is called fresh for their sake."""

from __future__ import annotations

import json

import httpx

from clinician.events import Link
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.world import World, first, outside, patient_with_visits


def test_that_somebody_who_is_only_found_by_comparing_ids_is_brought_in_at_once(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    a.engine.cadence.compared(a.plan.types, a.plan.types)
    world.tick(30)
    more = patient_with_visits(1)
    world.load(more)
    world.tick(600)

    def hidden(request: httpx.Request, go_on: Answer) -> httpx.Response:
        """The commit comes later than any overlap covers: no delta ever shows it."""
        is_delta = request.url.path == "/" and b"_lastUpdated=ge" in request.content
        body = go_on()
        if not is_delta:
            return body
        bundle = json.loads(body.read())
        for entry in bundle["entry"]:
            entry["resource"]["entry"] = []
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = hidden
    a.step()
    assert a.get(first(more, "Task")) is None
    a.engine.look_closely()
    status = a.step()
    assert a.get(first(more, "Task")) is not None
    assert status.link is Link.FRESH


def test_that_a_list_that_could_not_be_asked_for_is_not_fresh_because_somebody_came(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    world.tick(30)
    more = patient_with_visits(1)
    world.load(more)

    def no_tasks(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/" or b"_lastUpdated=ge" not in request.content:
            return answer
        asked = json.loads(request.content)["entry"]
        bundle = json.loads(answer.read())
        for wish, entry in zip(asked, bundle["entry"], strict=True):
            if wish["request"]["url"].startswith("Task?"):
                entry.pop("resource")
                entry["response"] = {"status": "503 busy"}
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = no_tasks
    status = a.step()
    assert a.get(first(more, "Appointment")) is not None
    assert a.engine.last_delta.failed
    assert status.link is Link.WAITING
