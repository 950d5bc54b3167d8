"""Each act ends exactly once: applied, in sight as a conflict, or in sight as refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.events import Link
from tests.clinician.sync.world import Station, World, first, new_id, outside, patient_with_visits

Answer = Callable[[], httpx.Response]
Fault = Callable[[httpx.Request, Answer], httpx.Response]


@pytest.fixture
def a(world: World) -> Station:
    world.load(patient_with_visits(2))
    station = world.station("a")
    station.step()
    return station


def is_transaction(request: httpx.Request) -> bool:
    return request.method == "POST" and b'"transaction"' in request.content


def on_transactions(*faults: Fault | None) -> Fault:
    """The first fault for the first transaction, and so on; None and what comes after go through."""
    waiting: Iterator[Fault | None] = iter(faults)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        chosen = next(waiting, None) if is_transaction(request) else None
        return chosen(request, go_on) if chosen is not None else go_on()

    return fault


def drop_request(request: httpx.Request, go_on: Answer) -> httpx.Response:
    raise httpx.ConnectError("no way")


def drop_answer(request: httpx.Request, go_on: Answer) -> httpx.Response:
    go_on().read()
    raise httpx.ReadTimeout("lost")


def lost_before(request: httpx.Request, go_on: Answer) -> httpx.Response:
    raise httpx.ReadError("reset")


def half(request: httpx.Request, go_on: Answer) -> httpx.Response:
    answer = go_on()
    return outside(200, answer.read()[:40], **{"content-type": "application/fhir+json"})


def html(status: int) -> Fault:
    return lambda request, go_on: outside(status, b"<html>", **{"content-type": "text/html"})


def status(code: int, **headers: str) -> Fault:
    body = (
        b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"x","diagnostics":"why"}]}'
    )
    return lambda request, go_on: outside(code, body, **{"content-type": "application/fhir+json", **headers})


def visit_of(a: Station) -> str:
    return first(a.all("Appointment"), "Appointment")


def rounds(a: Station, count: int = 6) -> None:
    for _ in range(count):
        a.world.tick(70)
        a.step()


@pytest.mark.parametrize(
    "fault",
    [
        drop_request,
        drop_answer,
        lost_before,
        half,
        html(502),
        html(200),
        html(404),
        status(503),
        status(429),
        status(500),
    ],
)
def test_that_an_act_survives_one_fault_and_is_applied_once(a: Station, fault: Fault) -> None:
    visit = visit_of(a)
    before = a.world.history(visit)
    a.wire.fault = on_transactions(fault)
    op = a.change(visit, status="arrived")
    a.step()
    assert not a.engine.status().all_sent
    rounds(a)
    assert a.state(op) == ActState.APPLIED
    assert a.world.history(visit) == before + 1
    assert a.world.history(f"Provenance/{op}") == 1
    assert a.engine.status().all_sent


def test_that_the_same_bytes_go_again(a: Station) -> None:
    sent: list[bytes] = []

    def watch(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            sent.append(request.content)
            if len(sent) < 3:
                raise httpx.ReadTimeout("lost")
        return go_on()

    a.wire.fault = watch
    a.change(visit_of(a), status="arrived")
    rounds(a)
    assert len(sent) == 3 and len(set(sent)) == 1


def test_that_a_network_out_says_offline_and_counts_what_waits(a: Station) -> None:
    a.wire.down = True
    a.change(visit_of(a), status="arrived")
    status = a.step()
    assert (status.link, status.waiting, status.all_sent) == (Link.OFFLINE, 1, False)
    assert status.offline_since == a.world.clock.now() and status.as_of is not None
    a.wire.down = False
    rounds(a, 2)
    assert a.engine.status().link is Link.FRESH and a.engine.status().offline_since is None


def test_that_chained_acts_offline_arrive_in_order(a: Station) -> None:
    a.wire.down = True
    visit = visit_of(a)
    ops = [
        a.change(visit, status="arrived"),
        a.change(visit, comment="godt"),
        a.change(visit, status="fulfilled"),
    ]
    a.step()
    a.wire.down = False
    rounds(a, 2)
    assert [a.state(op) for op in ops] == ["applied"] * 3
    assert a.world.history(visit) == 4
    there = a.world.there(visit)
    assert there is not None and (there["status"], there["comment"]) == ("fulfilled", "godt")


@pytest.mark.parametrize("code", [400, 403, 404, 413, 422])
def test_that_a_refused_act_is_in_sight_with_its_reason(a: Station, code: int) -> None:
    visit = visit_of(a)
    a.wire.fault = on_transactions(status(code))
    op = a.change(visit, status="arrived")
    status_now = a.step()
    assert a.state(op) == ActState.REJECTED and status_now.refused == 1
    with a.cache.reading() as reading:
        assert reading.act(op).last_issue == "why"  # type: ignore[attr-defined]  # the snapshot gives more than the contract
    assert not status_now.all_sent


def test_that_a_bad_act_holds_only_its_dependants(a: Station) -> None:
    visits = [f"Appointment/{raw['id']}" for raw in a.all("Appointment")]
    a.wire.fault = on_transactions(status(422))
    bad = a.change(visits[0], status="arrived")
    after = a.change(visits[0], status="fulfilled")
    other = a.change(visits[1], status="arrived")
    rounds(a, 2)
    assert (a.state(bad), a.state(after), a.state(other)) == ("rejected", "queued", "applied")


def test_that_an_unanswered_sign_in_holds_that_persons_acts_only(a: Station) -> None:
    a.wire.fault = on_transactions(status(401))
    op = a.change(visit_of(a), status="arrived")
    a.step()
    assert a.state(op) == ActState.QUEUED
    a.step()
    assert a.state(op) == ActState.QUEUED
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED


def test_that_retry_after_is_obeyed(a: Station) -> None:
    a.wire.fault = on_transactions(status(429, **{"retry-after": "120"}))
    op = a.change(visit_of(a), status="arrived")
    a.step()
    a.world.tick(60)
    a.step()
    assert a.state(op) == ActState.QUEUED
    assert (a.engine.uploader.next_try() or 0) >= 0
    a.world.tick(90)
    a.step()
    assert a.state(op) == ActState.APPLIED


def test_that_a_person_may_hurry(a: Station) -> None:
    a.wire.fault = on_transactions(status(429, **{"retry-after": "600"}))
    op = a.change(visit_of(a), status="arrived")
    a.step()
    a.engine.sync_now()
    a.step()
    assert a.state(op) == ActState.APPLIED


def test_that_a_poisoned_act_is_parked_while_others_pass(a: Station) -> None:
    poison = a.act(
        {"resourceType": "Communication", "id": new_id(), "status": "completed"}, aggregate="Patient/x"
    )

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request) and poison.encode() in request.content:
            return status(500)(request, go_on)
        return go_on()

    a.wire.fault = fault
    visit = visit_of(a)
    for n in range(14):
        a.change(visit, comment=f"{n}")
        a.world.tick(300)
        a.step()
    assert a.state(poison) == ActState.PARKED
    assert a.engine.status().refused == 1 and a.engine.status().waiting == 0


def test_that_an_answer_that_miscounts_is_not_believed(a: Station) -> None:
    def short(request: httpx.Request, go_on: Answer) -> httpx.Response:
        go_on().read()
        body = b'{"resourceType":"Bundle","type":"transaction-response","entry":[]}'
        return outside(200, body, **{"content-type": "application/fhir+json"})

    a.wire.fault = on_transactions(short)
    op = a.change(visit_of(a), status="arrived")
    a.step()
    assert a.state(op) == ActState.UNKNOWN
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED and a.world.history(f"Provenance/{op}") == 1


def test_that_what_was_being_sent_when_the_program_ended_is_settled(a: Station) -> None:
    visit = visit_of(a)
    op = a.change(visit, status="arrived")
    now = a.world.clock.now()
    a.write(lambda w: w.outbox.transition(op, ActState.QUEUED, ActState.SENDING, sent_at=now))
    a.restart()
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED and a.world.history(visit) == 2


def test_that_a_row_nobody_sends_is_found_by_the_watchdog(a: Station) -> None:
    op = a.change(visit_of(a), status="arrived")
    now = a.world.clock.now()
    a.write(lambda w: w.outbox.transition(op, ActState.QUEUED, ActState.SENDING, sent_at=now))
    a.step()
    assert a.state(op) == ActState.SENDING
    a.world.clock.advance(timedelta(minutes=10))
    a.step()
    a.step()
    assert a.state(op) == ActState.APPLIED


def test_that_dependants_after_a_lost_answer_and_a_strangers_change_meet_a_merge(a: Station) -> None:
    visit = visit_of(a)
    a.wire.fault = on_transactions(drop_answer)
    first_op = a.change(visit, comment="mitt")
    second = a.change(visit, description="mitt også")
    a.step()
    theirs = a.world.there(visit)
    assert theirs is not None
    a.world.load([{**theirs, "minutesDuration": 30}])
    rounds(a)
    assert a.state(first_op) == ActState.APPLIED
    there = a.world.there(visit)
    assert there is not None
    assert (there["comment"], there["description"], there["minutesDuration"]) == ("mitt", "mitt også", 30)
    assert a.state(second) == ActState.WITHDRAWN
    assert a.engine.status().all_sent


def test_that_acts_go_out_between_the_pages_of_a_long_download(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station("a")
    a.step()
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.engine.line.between()
    assert a.state(op) == ActState.APPLIED


def test_that_nothing_is_sent_to_a_record_where_changes_could_be_lost(a: Station) -> None:
    from dataclasses import replace

    a.engine.line.profile = replace(a.engine.line.profile, if_match_in_transaction=False)
    op = a.change(visit_of(a), status="arrived")
    a.step()
    assert a.state(op) == ActState.QUEUED and a.engine.status().waiting == 1
