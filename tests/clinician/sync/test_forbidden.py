"""Whom the record forbids is out of every list and search at once; what waits for them is still settled."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.cache.keep import Draft
from clinician.cache.synced import MemberState, Why
from clinician.fhir.reference import Raw
from clinician.queries.outbox import outbox_rows
from tests.clinician.sync.test_download import FHIR, Answer, later
from tests.clinician.sync.test_upload import is_transaction
from tests.clinician.sync.world import (
    NURSE,
    Station,
    World,
    first,
    new_id,
    outside,
    patient_with_visits,
    reference,
)

TYPES = ("Patient", "EpisodeOfCare", "Appointment", "Task", "Observation", "Communication")
REFUSAL = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden"}]}'


class Forbidding:
    """The record lets this workstation read nothing of these resources, and write as `writes` says."""

    def __init__(self, refs: set[str], writes: int) -> None:
        self.refs, self.writes = refs, writes

    def __call__(self, request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            return outside(self.writes, REFUSAL, **FHIR) if self.writes != 200 else go_on()
        answer = go_on()
        if request.method != "POST" or answer.status_code != 200:
            return answer
        bundle = json.loads(answer.read())
        if request.url.path == "/":
            asked = json.loads(request.content)["entry"]
            for wanted, entry in zip(asked, bundle["entry"], strict=True):
                if wanted["request"]["url"] in self.refs:
                    entry.pop("resource", None)
                    entry["response"] = {"status": "403 Forbidden"}
                self._without(entry.get("resource", {}))
        self._without(bundle)
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    def _without(self, bundle: Any) -> None:
        if bundle.get("resourceType") == "Bundle" and "type" in bundle and bundle["type"] == "searchset":
            bundle["entry"] = [one for one in bundle.get("entry", []) if _ref(one) not in self.refs]


def _ref(entry: Any) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


def forbid(a: Station, raws: list[Raw], *, writes: int = 403) -> None:
    a.wire.fault = Forbidding({f"{raw['resourceType']}/{raw['id']}" for raw in raws}, writes)


def states(a: Station) -> list[MemberState]:
    return sorted(member.state for member in a.write(lambda w: w.marks.members()))


def shown(a: Station, raws: list[Raw]) -> set[str]:
    """What any list, look-up or search here still shows of these."""
    refs = {f"{raw['resourceType']}/{raw['id']}" for raw in raws}
    patient = next(raw for raw in raws if raw["resourceType"] == "Patient")
    with a.cache.reading() as reading:
        found = {cached.ref for type_ in TYPES for cached in reading.find(type_)}
        found |= {cached.ref for cached in reading.get_many(refs).values()}
        found |= {cached.ref for cached in reading.search_patients(patient["name"][0]["text"].split())}
        found |= {"counted" for type_ in TYPES if reading.count(type_) != len(list(reading.find(type_)))}
    return found & (refs | {"counted"})


@pytest.fixture
def raws() -> list[Raw]:
    return patient_with_visits(2)


@pytest.fixture
def a(world: World, raws: list[Raw]) -> Station:
    world.load(raws)
    world.load(patient_with_visits(1))
    station = world.station()
    station.step()
    assert len(shown(station, raws)) == len(raws)
    return station


@pytest.mark.parametrize(("writes", "state"), [(403, "rejected"), (500, "unknown"), (401, "queued")])
def test_that_nothing_of_a_forbidden_patient_is_shown_while_something_is_pending(
    world: World, a: Station, raws: list[Raw], writes: int, state: str
) -> None:
    forbid(a, raws, writes=writes)
    note = {"resourceType": "Communication", "id": new_id(), "status": "completed"}
    op = a.act({**note, "subject": reference(first(raws, "Patient"))})
    visit = a.change(first(raws, "Appointment"), status="arrived")
    bytes_ = a.write(lambda w: w.outbox.bundle(op))
    later(world, a)
    assert shown(a, [*raws, note]) == set()
    assert len(a.all("Patient")) == 1, "the others stay"
    assert a.state(op) == state
    assert states(a) == [MemberState.FORBIDDEN, MemberState.LIVE]
    assert a.write(lambda w: w.outbox.bundle(op)) == bytes_, "what was typed can still be saved to a file"
    with a.cache.reading() as reading:
        rows = {row.key: row for row in outbox_rows(reading)}
    assert rows.keys() >= {op, visit}
    assert rows[op].patient_name == "sperret for dette arbeidsstedet"
    proofs = a.write(lambda w: w.trail.evidence(first(raws, "Patient")))
    assert (Why.FORBIDDEN, 403) in {(proof.why, proof.status) for proof in proofs}


def test_that_the_rest_goes_when_nothing_is_pending_any_more(
    world: World, a: Station, raws: list[Raw]
) -> None:
    forbid(a, raws)
    op = a.change(first(raws, "Appointment"), status="arrived")
    later(world, a)
    assert a.state(op) == ActState.REJECTED
    a.write(lambda w: w.outbox.transition(op, ActState.REJECTED, ActState.WITHDRAWN))
    world.tick(30)
    a.step()
    assert states(a) == [MemberState.LIVE]
    assert a.write(lambda w: w.outbox.get(op)) is None
    assert shown(a, raws) == set()


def test_that_what_was_typed_and_not_signed_stays_until_its_author_lets_go(
    world: World, a: Station, raws: list[Raw]
) -> None:
    patient = first(raws, "Patient")
    a.write(lambda w: w.keep.set_draft(Draft(NURSE, patient, "note", "halvveis", world.clock.now())))
    forbid(a, raws)
    later(world, a)
    assert shown(a, raws) == set()
    assert a.write(lambda w: w.keep.draft(NURSE, patient, "note")) == "halvveis"
    assert states(a) == [MemberState.FORBIDDEN, MemberState.LIVE]


def test_that_an_act_that_is_taken_all_the_same_brings_nothing_back(
    world: World, a: Station, raws: list[Raw]
) -> None:
    forbid(a, raws, writes=503)
    op = a.change(first(raws, "Appointment"), status="arrived")
    later(world, a)
    forbid(a, raws, writes=200)
    world.tick(300)
    a.engine.uploader.drain()
    assert a.state(op) == ActState.APPLIED
    assert shown(a, raws) == set()
    a.step()
    assert states(a) == [MemberState.LIVE]


def test_that_what_is_signed_in_a_window_still_open_is_kept_and_not_shown(
    world: World, a: Station, raws: list[Raw]
) -> None:
    a.write(lambda w: w.keep.set_draft(Draft(NURSE, first(raws, "Patient"), "n", "x", world.clock.now())))
    forbid(a, raws)
    later(world, a)
    note = {"resourceType": "Communication", "id": new_id(), "status": "completed"}
    note["subject"] = reference(first(raws, "Patient"))  # type: ignore[assignment]  # a resource is any JSON
    op = a.act(note)
    assert a.get(f"Communication/{note['id']}") is None
    world.tick(30)
    a.step()
    assert a.state(op) == ActState.REJECTED
    assert shown(a, [*raws, note]) == set()


def test_that_a_patient_who_may_be_read_again_comes_back_with_what_waits(
    world: World, a: Station, raws: list[Raw]
) -> None:
    visit = first(raws, "Appointment")
    forbid(a, raws)
    op = a.change(visit, status="arrived")
    later(world, a)
    assert shown(a, raws) == set()
    later(world, a)
    assert states(a) == [MemberState.FORBIDDEN, MemberState.LIVE], "still forbidden"
    a.wire.fault = None
    later(world, a)
    assert shown(a, raws) == {f"{raw['resourceType']}/{raw['id']}" for raw in raws}
    assert states(a) == [MemberState.LIVE, MemberState.LIVE]
    assert a.state(op) == ActState.REJECTED
    there = a.get(visit)
    assert there is not None and there["status"] == "arrived", "my unsettled change lies over it again"


def test_that_somebody_asked_for_by_name_is_not_brought_in_while_forbidden(
    world: World, a: Station, raws: list[Raw]
) -> None:
    forbid(a, raws)
    a.change(first(raws, "Appointment"), status="arrived")
    later(world, a)
    a.engine.bring([first(raws, "Patient")])
    world.tick(30)
    a.step()
    assert states(a) == [MemberState.FORBIDDEN, MemberState.LIVE]


def test_that_one_forbidden_visit_goes_alone_and_so_does_what_waits_over_it(
    world: World, a: Station, raws: list[Raw]
) -> None:
    visit = next(raw for raw in raws if raw["resourceType"] == "Appointment")
    forbid(a, [visit])
    op = a.change(first(raws, "Appointment"), status="arrived")
    later(world, a)
    assert shown(a, raws) == {f"{raw['resourceType']}/{raw['id']}" for raw in raws if raw is not visit}
    assert a.state(op) == ActState.REJECTED
    assert states(a) == [MemberState.LIVE, MemberState.LIVE]
