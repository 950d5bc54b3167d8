"""A record that does not take the audit trail is no record that is silent: lists are fresh, acts go on."""

from __future__ import annotations

import httpx
import orjson
import pytest

from clinician.cache.acts import ActState
from clinician.cache.synced import AuditRow
from clinician.events import Link
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.world import World, first, new_id, outside, patient_with_visits


@pytest.mark.parametrize("code", [403, 413, 500])
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
