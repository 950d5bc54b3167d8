"""A pause that is over, of an act that is settled or may not go, is no reason for a round."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.cache.acts import ActState
from clinician.sync import restored
from tests.clinician.sync.test_upload import html, on_transactions, status
from tests.clinician.sync.world import Station, World, first, patient_with_visits


@pytest.fixture
def a(world: World) -> Station:
    world.load(patient_with_visits(2))
    station = world.station("a")
    station.step()
    return station


def visit_of(station: Station) -> str:
    return first(station.all("Appointment"), "Appointment")


@pytest.mark.parametrize("end", [422, 412, 200], ids=["refused", "conflict", "applied"])
def test_that_an_act_that_was_in_doubt_once_causes_no_rounds_without_a_pause(a: Station, end: int) -> None:
    op = a.change(visit_of(a), status="arrived")
    faults: list[Any] = [html(500), None if end == 200 else status(end)]
    a.wire.fault = on_transactions(*faults)
    a.step()
    a.world.tick(120)
    if end == 412:
        a.world.load([{**(a.world.there(visit_of(a)) or {}), "status": "cancelled"}])
    a.step()
    assert a.state(op) in (ActState.REJECTED, ActState.CONFLICT, ActState.APPLIED)
    a.world.tick(1)
    assert a.engine.pause() > 5


def test_that_a_person_who_must_sign_in_again_causes_no_rounds_without_a_pause(a: Station) -> None:
    op = a.change(visit_of(a), status="arrived")
    a.wire.fault = on_transactions(status(401))
    a.step()
    a.world.tick(120)
    a.step()
    assert a.state(op) == ActState.APPLIED
    a.world.tick(1)
    assert a.engine.pause() > 5


def test_that_an_act_in_doubt_that_may_not_go_now_causes_no_rounds_without_a_pause(a: Station) -> None:
    op = a.change(visit_of(a), status="arrived")
    a.wire.fault = on_transactions(html(500))
    a.step()
    restored.begin(a.engine.line, a.engine._ready_marks)
    a.world.tick(120)
    a.step()
    assert a.state(op) == ActState.UNKNOWN
    a.world.tick(1)
    assert a.engine.pause() > 5
