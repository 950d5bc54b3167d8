"""A record that says it lives another life gets nothing before somebody has looked."""

from __future__ import annotations

import json

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.sync import restored
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.world import Station, World, first, outside, patient_with_visits


@pytest.fixture
def a(world: World) -> Station:
    world.load(patient_with_visits(2))
    station = world.station("a")
    station.step()
    return station


def visit_of(station: Station) -> str:
    return first(station.all("Appointment"), "Appointment")


def test_that_nothing_is_sent_to_a_record_of_another_epoch_before_somebody_has_looked(a: Station) -> None:
    raw = a.write(lambda w: w.marks.profile())
    a.write(lambda w: w.marks.set_profile({**raw, "epoch": "urn:uuid:before"}))
    a.restart()
    op = a.change(visit_of(a), status="arrived")
    assert a.step().restored
    assert a.state(op) == ActState.QUEUED


def test_that_another_epoch_is_not_forgotten_when_the_program_ends_in_the_middle(a: Station) -> None:
    raw = a.write(lambda w: w.marks.profile())
    a.write(lambda w: w.marks.set_profile({**raw, "epoch": "urn:uuid:before"}))
    a.restart()

    def no_news(request: httpx.Request, go_on: Answer) -> httpx.Response:
        is_delta = request.url.path == "/" and b"_lastUpdated=ge" in request.content
        return outside(503, b"{}", **FHIR) if is_delta or "_search" in request.url.path else go_on()

    a.wire.fault = no_news
    a.step()
    a.restart()
    a.wire.fault = None
    assert a.step().restored


# what vanished -----------------------------------------------------------------------------------


@pytest.fixture
def vanished(world: World, a: Station) -> Station:
    """An act was applied and never seen again: the record was brought back to before it."""
    note = {"resourceType": "Basic", "id": "11111111-1111-4111-8111-111111111111", "code": {"text": "x"}}
    a.act(note, aggregate="Patient/x")
    a.engine._send()

    def gone(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/" or b"Basic/1111" not in request.content:
            return answer
        bundle = json.loads(answer.read())
        for entry in bundle["entry"]:
            entry["response"]["status"] = "404"
            entry.pop("resource", None)
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = gone
    a.step()
    assert a.step().restored
    return a


def test_that_what_vanished_is_fetched_anew_once_and_never_called_sent(vanished: Station) -> None:
    vanished.wire.log.clear()
    for _ in range(3):
        vanished.world.tick(30)
        status = vanished.step()
        assert status.restored and not status.all_sent
    assert not [path for _, path in vanished.wire.log if path.endswith("_search")]


def test_that_a_person_who_has_looked_is_not_asked_again_for_what_vanished(vanished: Station) -> None:
    vanished.engine.resume()
    for _ in range(3):
        assert not vanished.step().restored
        vanished.world.tick(30)
    assert vanished.engine.status().all_sent


def test_that_a_row_read_by_itself_ends_no_restore_that_is_being_followed(a: Station) -> None:
    restored.begin(a.engine.line, a.engine._ready_marks)
    a.engine.line.older.add(visit_of(a))
    assert not restored.is_true(a.engine.line)
    assert a.write(restored.is_under_way)
