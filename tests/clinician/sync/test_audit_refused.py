"""A record that does not take the audit trail is no record that is silent: lists are fresh, acts go on.

What it refuses for good is kept in sight and holds up nothing that was logged later.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import orjson
import pytest

from clinician.cache.acts import ActState
from clinician.cache.synced import AuditRow
from clinician.cache.writing import Writing
from clinician.events import Link
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.world import Station, World, first, new_id, outside, patient_with_visits


def log(a: Station, count: int = 1) -> list[str]:
    """AuditEvents that wait to be sent."""
    ids, now = [new_id() for _ in range(count)], a.world.clock.now()
    rows = [AuditRow(id_, now, orjson.dumps({"resourceType": "AuditEvent", "id": id_})) for id_ in ids]

    def work(writing: Writing) -> None:
        for row in rows:
            writing.audit.add(row)

    a.write(work)
    return ids


def answered(a: Station, codes: dict[str, int]) -> list[list[str]]:
    """The record answers these AuditEvents one by one so; what every batch held."""
    batches: list[list[str]] = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != "/" or b"AuditEvent" not in request.content:
            return go_on()
        asked = [entry["resource"]["id"] for entry in orjson.loads(request.content)["entry"]]
        batches.append(asked)
        said = [{"response": {"status": str(codes.get(id_, 201))}} for id_ in asked]
        body = {"resourceType": "Bundle", "type": "batch-response", "entry": said}
        return outside(200, orjson.dumps(body), **FHIR)

    a.wire.fault = fault
    return batches


@pytest.mark.parametrize("code", [400, 403, 404, 422])
def test_that_a_hundred_refused_one_by_one_hold_up_no_later_one(world: World, code: int) -> None:
    a = world.station()
    a.step()
    bad, good = log(a, 100), log(a)
    batches = answered(a, dict.fromkeys(bad, code))
    a.step()
    a.step()
    assert batches == [bad, good]
    assert a.write(lambda w: w.audit.waiting()) == ()
    kept = a.write(lambda w: w.audit.refused())
    assert [(row.id, status) for row, status in kept] == [(id_, code) for id_ in bad]
    assert a.write(lambda w: w.audit.refusals()) == {code: 100}
    a.write(lambda w: w.audit.prune(a.world.clock.now() + timedelta(days=400)))
    assert len(a.write(lambda w: w.audit.refused())) == 100, "what was refused is never deleted"


@pytest.mark.parametrize("code", [401, 429, 500, 503])
def test_that_what_may_pass_later_only_waits(world: World, code: int) -> None:
    a = world.station()
    a.step()
    one, two = log(a, 2)
    answered(a, {one: code})
    a.step()
    assert [row.id for row in a.write(lambda w: w.audit.waiting())] == [one]
    assert a.write(lambda w: w.audit.refusals()) == {}
    assert two not in [row.id for row in a.write(lambda w: w.audit.waiting())]


def test_that_a_person_who_doubts_offers_the_refused_again(world: World) -> None:
    a = world.station()
    a.step()
    ids = log(a, 2)
    answered(a, dict.fromkeys(ids, 403))
    a.step()
    batches = answered(a, {})
    a.step()
    assert batches == []
    a.engine.look_closely()
    a.step()
    assert batches == [ids] and a.write(lambda w: w.audit.refusals()) == {}


def test_that_a_batch_too_large_goes_in_halves_and_one_too_large_alone_is_set_aside(world: World) -> None:
    a = world.station()
    a.step()
    ids = log(a, 5)
    batches = answered(a, {})
    plain = a.wire.fault
    assert plain is not None

    def large(request: httpx.Request, go_on: Answer) -> httpx.Response:
        is_audit = request.url.path == "/" and b"AuditEvent" in request.content
        return (
            outside(413, b"<html>")
            if is_audit and ids[3].encode() in request.content
            else plain(request, go_on)
        )

    a.wire.fault = large
    assert a.step().link is Link.FRESH
    assert sorted(id_ for batch in batches for id_ in batch) == sorted({*ids} - {ids[3]})
    assert [(row.id, status) for row, status in a.write(lambda w: w.audit.refused())] == [(ids[3], 413)]


@pytest.mark.parametrize("code", [403, 500])
def test_that_a_refused_audit_batch_ends_no_round(world: World, code: int) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    event = {"resourceType": "AuditEvent", "id": new_id()}
    a.write(lambda w: w.audit.add(AuditRow(event["id"], world.clock.now(), orjson.dumps(event))))

    def refused(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path == "/" and b"AuditEvent" in request.content:
            return outside(code, b'{"resourceType":"OperationOutcome","issue":[]}', **FHIR)
        return go_on()

    a.wire.fault = refused
    world.tick(30)
    assert a.step().link is Link.FRESH
    op = a.change(first(raws, "Appointment"), status="arrived")
    assert a.step().all_sent
    assert a.state(op) == ActState.APPLIED
    assert len(a.write(lambda w: w.audit.waiting())) == 1


def test_that_a_pause_asked_for_by_way_of_the_audit_trail_is_kept(world: World) -> None:
    a = world.station()
    a.step()
    event = {"resourceType": "AuditEvent", "id": new_id()}
    a.write(lambda w: w.audit.add(AuditRow(event["id"], world.clock.now(), orjson.dumps(event))))

    def busy(request: httpx.Request, go_on: Answer) -> httpx.Response:
        is_audit = request.url.path == "/" and b"AuditEvent" in request.content
        return outside(429, b"{}", **FHIR, **{"retry-after": "90"}) if is_audit else go_on()

    a.wire.fault = busy
    a.step()
    assert a.engine.pause() >= 90
