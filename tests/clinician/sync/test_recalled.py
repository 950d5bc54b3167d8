"""What is taken back while nobody knows whether the record has it is asked after, and the person is told."""

from __future__ import annotations

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.cache.recalled import doubtful, note_doubtful
from clinician.cache.writing import Writing
from clinician.queries.outbox import OutboxRow, outbox_rows
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.world import Station, World, outside, patient_with_visits

PERHAPS = "tatt tilbake; står kanskje i journalen"
THERE = "tatt tilbake, men journalen har det"


@pytest.fixture
def a(world: World) -> Station:
    raws = patient_with_visits(1)
    world.load(raws)
    station = world.station()
    station.step()
    return station


def set_aside(a: Station, *, arrived: bool) -> str:
    """An act whose answer never came, and that was set aside. arrived: the record has it."""
    ref = f"Appointment/{a.all('Appointment')[0]['id']}"
    op = a.change(ref, status="arrived")
    bundle = a.write(lambda w: w.outbox.freeze(op))
    if arrived:
        assert a.world.direct.transaction(bundle).status == 200

    def work(writing: Writing) -> None:
        move, now = writing.outbox.transition, a.world.clock.now()
        move(op, ActState.QUEUED, ActState.SENDING, sent_at=now)
        move(op, ActState.SENDING, ActState.PARKED)

    a.write(work)
    return op


def take_back(a: Station, op: str) -> None:
    def work(writing: Writing) -> None:
        note_doubtful(writing.keep, op)
        writing.outbox.transition(op, ActState.PARKED, ActState.WITHDRAWN)

    a.write(work)


def rows(a: Station) -> list[OutboxRow]:
    with a.cache.reading() as reading:
        return list(outbox_rows(reading))


def test_that_what_was_taken_back_and_is_at_the_record_is_told_for_a_week(a: Station) -> None:
    op = set_aside(a, arrived=True)
    take_back(a, op)
    assert [row.state_text for row in rows(a)] == [PERHAPS]
    a.world.tick(30)
    assert a.step().arrived == 1
    [row] = rows(a)
    assert (row.key, row.state_text, row.can_retry, row.can_withdraw) == (op, THERE, False, False)
    assert a.all("Appointment")[0]["status"] == "arrived", "what the record has is shown"
    a.world.tick(6 * 24 * 3600)
    assert a.step().arrived == 1
    a.world.tick(2 * 24 * 3600)
    a.step()
    assert a.step().arrived == 0 and rows(a) == []


def test_that_what_never_arrived_is_soon_forgotten_and_never_sent(a: Station) -> None:
    op = set_aside(a, arrived=False)
    take_back(a, op)
    a.world.tick(30)
    a.step()
    assert [row.state_text for row in rows(a)] == [PERHAPS], "it may still be on its way"
    a.world.tick(300)
    assert a.step().arrived == 0
    assert rows(a) == [] and a.state(op) == ActState.WITHDRAWN
    assert a.world.there(f"Provenance/{op}") is None


@pytest.mark.parametrize("fault", ["500", "404 of a proxy", "silence"])
def test_that_it_is_asked_again_while_the_record_does_not_say(a: Station, fault: str) -> None:
    op = set_aside(a, arrived=True)
    take_back(a, op)

    def unsaid(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != f"/Provenance/{op}":
            return go_on()
        if fault == "silence":
            raise httpx.ReadTimeout("nothing")
        return (
            outside(500, b"{}", **FHIR)
            if fault == "500"
            else outside(404, b"<html>", **{"content-type": "text/html"})
        )

    a.wire.fault = unsaid
    a.world.tick(600)
    assert a.step().arrived == 0
    assert [row.state_text for row in rows(a)] == [PERHAPS]
    a.wire.fault = None
    a.world.tick(30)
    assert a.step().arrived == 1


def test_that_what_is_tried_again_and_arrives_is_no_longer_in_doubt(a: Station) -> None:
    op = set_aside(a, arrived=False)
    a.write(lambda w: note_doubtful(w.keep, op))
    a.step()
    assert a.write(lambda w: doubtful(w.keep)) == {op: None}, "still set aside"
    a.write(lambda w: w.outbox.transition(op, ActState.PARKED, ActState.QUEUED))
    a.engine.sync_now()
    a.step()
    assert a.state(op) == ActState.APPLIED
    assert a.write(lambda w: doubtful(w.keep)) == {}


def test_that_an_act_that_was_purged_is_not_asked_after(a: Station) -> None:
    a.write(lambda w: note_doubtful(w.keep, "gone"))
    assert rows(a) == []
    a.step()
    assert a.write(lambda w: doubtful(w.keep)) == {}
    assert not any("Provenance/gone" in path for _, path in a.wire.log)
