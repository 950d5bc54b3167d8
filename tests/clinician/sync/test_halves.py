"""A comparison of ids that is too large for the record is made in parts; what is too large alone stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from clinician.events import Link
from tests.clinician.sync.test_download import FHIR, Answer, later
from tests.clinician.sync.world import Station, World, first, outside, patient_with_visits

Refuses = Callable[[list[str]], bool]


def too_large(a: Station, refuses: Refuses, **headers: str) -> list[int]:
    """The record answers 413 to a batch of ids that `refuses` names; how many entries each batch had."""
    sizes: list[int] = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != "/" or b"_lastUpdated=ge" in request.content:
            return go_on()
        urls = [entry["request"]["url"] for entry in json.loads(request.content)["entry"]]
        sizes.append(len(urls))
        if refuses(urls):
            return outside(413, b"<html>Request Entity Too Large</html>", **headers)
        return go_on()

    a.wire.fault = fault
    return sizes


def filled(world: World) -> tuple[Station, str, str]:
    """A workstation that is up to date; a task and a visit that are deleted since."""
    raws = patient_with_visits(2)
    world.load(raws)
    a = world.station()
    a.step()
    task, visit = first(raws, "Task"), first(raws, "Appointment")
    world.direct.delete(task)
    world.direct.delete(visit)
    return a, task, visit


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("headers", [FHIR, {"content-type": "text/html"}], ids=["record", "proxy"])
def test_that_a_comparison_that_is_too_large_is_made_in_parts(
    world: World, most: int, headers: dict[str, str]
) -> None:
    a, task, visit = filled(world)
    sizes = too_large(a, lambda urls: len(urls) > most, **headers)
    later(world, a)
    assert a.get(task) is None and a.get(visit) is None
    assert a.step().link is Link.FRESH
    assert max(sizes) > most >= min(sizes)


def test_that_what_is_too_large_alone_stops_no_other_comparison(world: World) -> None:
    a, task, visit = filled(world)
    too_large(a, lambda urls: any(url.startswith("Task?") for url in urls), **FHIR)
    later(world, a)
    assert a.get(visit) is None
    assert a.get(task) is not None, "nothing leaves because it was not answered for"
    assert a.step().link is Link.FRESH
    a.wire.fault = None
    later(world, a)
    assert a.get(task) is None


def test_that_evidence_that_is_too_large_to_ask_for_at_once_is_asked_for_in_parts(world: World) -> None:
    raws = patient_with_visits(6)
    world.load(raws)
    a = world.station()
    a.step()
    for raw in raws:
        if raw["resourceType"] == "Task":
            world.direct.delete(f"Task/{raw['id']}")
    too_large(a, lambda urls: len(urls) > 1 and urls[0].startswith("Task/"), **FHIR)
    later(world, a)
    assert not a.all("Task")


def test_that_a_comparison_the_record_answers_in_part_judges_only_that_part(world: World) -> None:
    a, task, visit = filled(world)

    def short(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/" or b"_elements" not in request.content:
            return answer
        bundle = json.loads(answer.read())
        asked = [entry["request"]["url"] for entry in json.loads(request.content)["entry"]]
        last = next(at for at, url in enumerate(asked) if url.startswith("Task?"))
        bundle["entry"] = bundle["entry"][:last]
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = short
    later(world, a)
    assert a.get(visit) is None and a.get(task) is not None
