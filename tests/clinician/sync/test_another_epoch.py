"""A record that says it lives another life gets nothing before somebody has looked."""

from __future__ import annotations

import httpx
import pytest

from clinician.cache.acts import ActState
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
