"""What is not known is no deletion, and of two decisions one holds."""

from __future__ import annotations

import json

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.errors import UserProblem
from tests.clinician.sync.test_conflict import Two, conflicts
from tests.clinician.sync.test_download import FHIR, Answer
from tests.clinician.sync.test_upload import is_transaction
from tests.clinician.sync.world import NURSE, World, outside


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


@pytest.mark.parametrize("code", [503, 500, 403])
def test_that_a_resource_that_cannot_be_read_now_is_not_held_to_be_deleted(two: Two, code: int) -> None:
    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.method == "POST" and two.visit.encode() in request.content and not is_transaction(request):
            bundle = json.loads(answer.read())
            for entry in bundle["entry"]:
                if entry.get("resource", {}).get("resourceType") == "Appointment":
                    entry.pop("resource")
                    entry["response"] = {"status": f"{code} x"}
            return outside(200, json.dumps(bundle).encode(), **FHIR)
        return answer

    two.a.wire.fault = fault
    mine = two.both(two.visit, {"comment": "deres"}, {"status": "arrived"})
    assert not conflicts(two.a)
    assert two.a.state(mine) == ActState.UNKNOWN
    two.a.wire.fault = None
    two.settle()
    assert two.there(two.visit)["status"] == "arrived" and two.there(two.visit)["comment"] == "deres"


@pytest.mark.parametrize("second", ["mine", "theirs"])
def test_that_of_two_decisions_on_one_pc_the_first_holds(two: Two, second: str) -> None:
    op = two.both(two.visit, {"status": "cancelled"}, {"status": "arrived"})
    assert conflicts(two.a, op)
    went: list[str] = []

    def between(request: httpx.Request, go_on: Answer) -> httpx.Response:
        two.a.wire.fault = None
        went.append(two.a.engine.decide(op, "mine", NURSE))
        return go_on()

    two.a.wire.fault = between
    with pytest.raises(UserProblem):
        two.a.engine.decide(op, second, NURSE)
    assert len(went) == 1
    writers = two.a.write(lambda w: w.outbox.writers_of(two.visit))
    assert list(writers) == went
