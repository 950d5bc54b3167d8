"""Rare ways of the record, each met once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.cache.synced import MemberState, Why
from clinician.sync.confirm import reaches
from clinician.sync.plan import SyncRule
from tests.clinician.sync.test_upload import drop_answer, is_transaction, on_transactions, rounds, status
from tests.clinician.sync.world import (
    NURSE,
    RULES,
    World,
    episode,
    first,
    new_id,
    outside,
    patient_with_visits,
)

Answer = Callable[[], httpx.Response]
FHIR = {"content-type": "application/fhir+json"}


def test_that_an_answer_without_bodies_is_filled_from_what_was_sent(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def minimal(request: httpx.Request, go_on: Answer) -> httpx.Response:
        bundle = json.loads(go_on().read())
        for entry in bundle["entry"]:
            entry.pop("resource", None)
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = on_transactions(minimal)
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.APPLIED and a.engine.status().all_sent
    here, there = a.get(first(raws, "Appointment")), world.there(first(raws, "Appointment"))
    assert here is not None and there is not None
    assert (here["status"], here["meta"]["versionId"]) == ("arrived", there["meta"]["versionId"])


def test_that_acts_of_different_people_go_side_by_side(world: World) -> None:
    visits = []
    for _ in range(3):
        raws = patient_with_visits(1)
        world.load(raws)
        visits.append(first(raws, "Appointment"))
    a = world.station()
    a.step()
    with ThreadPoolExecutor(4) as pool:
        a.engine.uploader.pool = pool
        ops = [a.change(visit, status="arrived") for visit in visits]
        a.step()
        a.engine.uploader.pool = None
    assert [a.state(op) for op in ops] == ["applied"] * 3


def test_that_a_check_that_is_not_answered_leaves_the_act_unknown(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    op = a.change(first(raws, "Appointment"), status="arrived")

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            return drop_answer(request, go_on)
        if request.url.path.startswith("/Provenance/"):
            return outside(500, b"{}", **FHIR)
        return go_on()

    a.wire.fault = fault
    rounds(a, 2)
    assert a.state(op) == ActState.UNKNOWN
    a.wire.fault = None
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED and world.history(f"Provenance/{op}") == 1


def test_that_a_collision_in_which_nothing_moved_is_tried_again(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    a.wire.fault = on_transactions(status(409))
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.UNKNOWN
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED


def test_that_a_won_act_that_was_queued_again_is_not_sent_twice(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def done_but_busy(request: httpx.Request, go_on: Answer) -> httpx.Response:
        go_on().read()
        return outside(429, b"{}", **FHIR)

    a.wire.fault = on_transactions(done_but_busy)
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.QUEUED
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED and world.history(first(raws, "Appointment")) == 2


def test_that_a_lost_answer_whose_resource_is_gone_is_still_applied(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    note = {"resourceType": "Communication", "id": new_id(), "status": "completed"}
    a.wire.fault = on_transactions(drop_answer)
    op = a.act(note, aggregate="Patient/x")
    a.step()
    world.direct.delete(f"Communication/{note['id']}")
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED


def test_that_a_patient_the_record_forbids_is_out_at_once(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    patient = first(raws, "Patient")

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/":
            return answer
        bundle, asked = json.loads(answer.read()), json.loads(request.content)
        for wanted, entry in zip(asked["entry"], bundle["entry"], strict=True):
            if wanted["request"]["url"].startswith("Patient?") and "_elements" in wanted["request"]["url"]:
                entry["resource"]["entry"] = []
            if wanted["request"]["url"] == patient:
                entry["response"]["status"] = "403"
                entry.pop("resource")
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.restart()
    a.wire.fault = fault
    a.step()
    assert a.get(patient) is None and not a.all("Appointment")
    assert Why.FORBIDDEN in {row.why for row in a.write(lambda w: w.trail.evidence())}


def test_that_a_patient_who_comes_back_is_filled_anew(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    id_ = first(raws, "Patient").partition("/")[2]
    for state in ("finished", "active"):
        world.load([episode(id_, state)])
        world.tick(30)
        a.step()
    assert [m.state for m in a.write(lambda w: w.marks.members())] == [MemberState.LIVE]


def test_that_a_chain_is_asked_of_the_record_where_it_cannot_be_judged(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station(rules=[*RULES, SyncRule("CarePlan", "subject:Patient.name=zzz", priority=50)])
    a.step()
    plan = {
        "resourceType": "CarePlan",
        "id": new_id(),
        "status": "active",
        "intent": "plan",
        "subject": {"reference": first(raws, "Patient")},
    }
    a = world.station("b", rules=[*RULES[:3], SyncRule("CarePlan", "subject:Patient.name=zzz", priority=50)])
    a.step()
    world.load([plan])
    world.tick(10)
    a.step()
    assert a.all("CarePlan")
    a.engine.cadence.full = None
    a.step()
    assert not a.all("CarePlan")


def test_that_versions_are_compared_only_where_they_are_numbers() -> None:
    assert reaches("3", "2") and reaches("x", "x") and not reaches("1", "2") and not reaches("y", "x")


def test_that_a_conflict_told_by_a_conflict_tells_no_more(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    visit = first(raws, "Appointment")
    op = a.change(visit, comment="mitt")
    there = world.there(visit)
    assert there is not None
    world.load([{**there, "comment": "deres"}])
    a.step()
    told = [act for act in a.write(lambda w: w.outbox.rows()) if act.kind == "sync-conflict"]
    task = world.there(told[0].refs[0])
    assert task is not None
    a.engine.decide(op, "theirs", NURSE)
    world.load([{**task, "status": "cancelled"}])
    rounds(a, 2)
    kinds = [act.state for act in a.write(lambda w: w.outbox.rows()) if act.kind == "sync-conflict"]
    assert kinds.count(ActState.CONFLICT) == 1 and len(kinds) == 2


def test_that_a_delta_larger_than_a_commit_is_stored_in_parts(world: World) -> None:
    raws = patient_with_visits(320)
    world.load(raws)
    a = world.station()
    a.step()
    assert len(a.all("Task")) == 320 and a.engine.last_delta.changed == 0
    world.clock.advance(timedelta(minutes=5))
    a.step()
    for raw in raws:
        if raw["resourceType"] in ("Task", "Appointment"):
            world.load([{**raw, "description": "ny"}])
    a.engine.line.profile = replace(a.engine.line.profile, largest_count=1000)
    a.step()
    assert {raw["description"] for raw in a.all("Task")} == {"ny"}


@pytest.mark.parametrize("broken", [b"[]", b'{"resourceType":"Patient"}'])
def test_that_an_inner_answer_that_is_no_page_leaves_the_mark(world: World, broken: bytes) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/":
            return answer
        bundle = json.loads(answer.read())
        bundle["entry"][0]["resource"] = json.loads(broken)
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.step()
    assert a.engine.last_delta.failed


@pytest.mark.parametrize(("seconds", "told"), [(-3600, -3600), (-63, -60), (-7, 0), (0, 0)])
def test_that_a_clock_that_differs_from_the_record_is_told(world: World, seconds: int, told: int) -> None:
    """The age of a list is by the record's clock; a PC that is wrong must not make it look fresh."""
    a = world.station()
    date = format_datetime(world.clock.now() + timedelta(seconds=seconds), usegmt=True)

    def by_their_clock(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        answer.headers["date"] = date
        return answer

    a.wire.fault = by_their_clock
    assert a.step().clock_ahead == timedelta(seconds=told)
