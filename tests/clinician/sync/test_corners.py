"""Corners of the result table and of passes that only a strange record shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import orjson

from clinician.cache.acts import ActState, Entry
from clinician.cache.synced import AuditRow, SyncedRow, Watermark
from clinician.events import Link
from clinician.fhir.bundles import RefusedEntry, Response
from clinician.record.answer import Answer as Answered
from clinician.record.client import RecordClient
from clinician.record.probe import probe
from clinician.record.profile import ServerProfile, from_raw, hint_path
from clinician.sync.applied import _row
from clinician.sync.delta import delta
from clinician.sync.download import full_pass
from clinician.sync.manifest import manifest
from clinician.sync.merge import Kind, three_way
from clinician.sync.notice import task_id
from clinician.sync.pages import set_aside
from clinician.sync.plan import Key, SyncRule
from clinician.sync.rebase import author_of
from clinician.sync.scope import ask_for, refresh, settle_chunk
from clinician.sync.settle import settle
from tests.clinician.sync.test_upload import drop_answer, is_transaction, on_transactions, rounds
from tests.clinician.sync.world import NURSE, START, World, first, new_id, outside, patient_with_visits

Answer = Callable[[], httpx.Response]
FHIR = {"content-type": "application/fhir+json"}


def altered(change: Callable[[httpx.Request, Any], Any]) -> Callable[[httpx.Request, Answer], httpx.Response]:
    """The record's answer as parsed JSON, handed through `change`."""

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        raw = json.loads(answer.read() or b"null")
        kept = {k: v for k, v in answer.headers.items() if k != "content-length"}
        return outside(answer.status_code, json.dumps(change(request, raw)).encode(), **kept)

    return fault


def test_that_a_body_of_another_resource_is_not_taken_for_ours() -> None:
    entry = Entry("Task/a", {"resourceType": "Task", "id": "a", "status": "ready"})
    response = Response(
        200, "", "4", "2026-03-03T06:00:00Z", b'{"resourceType":"Task","id":"b","meta":{}}', b""
    )
    row = _row(entry, response, START)
    assert (row.id, row.version, orjson.loads(row.body)["meta"]["versionId"]) == ("a", "4", "4")


def test_that_a_record_without_history_gives_no_version_to_build_upon(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    visit = first(raws, "Appointment")
    drop = on_transactions(drop_answer)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        return outside(404, b"{}", **FHIR) if request.url.path.endswith("_history") else drop(request, go_on)

    a.wire.fault = fault
    op = a.change(visit, comment="mitt")
    a.step()
    there = world.there(visit)
    assert there is not None
    world.load([{**there, "comment": "deres"}])
    rounds(a)
    assert a.state(op) == ActState.APPLIED and a.engine.status().all_sent


def test_that_audit_the_record_cannot_take_now_waits(world: World) -> None:
    a = world.station()
    a.step()
    event = {"resourceType": "AuditEvent", "id": new_id()}
    a.write(lambda w: w.audit.add(AuditRow(event["id"], world.clock.now(), orjson.dumps(event))))

    def busy(request: httpx.Request, raw: Any) -> Any:
        if b"AuditEvent" in request.content:
            raw["entry"] = [{"response": {"status": "503"}}]
        return raw

    a.wire.fault = altered(busy)
    a.step()
    assert len(a.write(lambda w: w.audit.waiting())) == 1


def test_that_a_record_that_asks_for_a_pause_is_not_asked_for_the_next_list(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.engine._prepare()
    a.wire.log.clear()

    def busy(request: httpx.Request, go_on: Answer) -> httpx.Response:
        return outside(429, b"{}", **FHIR, **{"retry-after": "20"})

    a.wire.fault = busy
    assert a.step().link is Link.OFFLINE
    assert len(a.wire.log) == 1 and a.engine.pause() >= 20
    a.wire.fault = None
    a.engine.sync_now()
    assert a.step().link is Link.FRESH


def test_that_a_version_nobody_can_read_now_stays_unconfirmed(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def fault(request: httpx.Request, raw: Any) -> Any:
        if (
            request.url.path == "/"
            and b'"url":"Provenance/' in request.content
            and b"batch" in request.content
        ):
            raw["entry"] = [{"response": {"status": "500"}} for _ in raw["entry"]]
        return raw

    a.wire.fault = altered(fault)
    a.change(first(raws, "Appointment"), status="arrived")
    assert not a.step().all_sent
    a.wire.fault = None
    assert a.step().all_sent


def test_that_mine_can_stand_up_what_was_deleted_while_deciding(world: World) -> None:
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
    world.direct.delete(visit)
    new = a.engine.decide(op, "mine", NURSE)
    rounds(a, 2)
    assert a.state(new) == ActState.APPLIED and (world.there(visit) or {})["comment"] == "mitt"


def test_that_merged_falls_back_to_mine_where_the_fresh_version_clashes(world: World) -> None:
    raws = patient_with_visits(1)
    plan = {
        "resourceType": "CarePlan",
        "id": new_id(),
        "status": "active",
        "intent": "plan",
        "subject": {"reference": first(raws, "Patient")},
    }
    world.load([*raws, plan])
    a = world.station()
    a.step()
    ref = f"CarePlan/{plan['id']}"
    op = a.change(ref, title="mitt")
    world.load([{**plan, "description": "deres"}])
    a.step()
    world.load([{**plan, "description": "deres", "title": "nyere"}])
    a.engine.decide(op, "merged", NURSE)
    rounds(a, 2)
    there = world.there(ref)
    assert there is not None and (there["title"], there["description"]) == ("mitt", "deres")


def test_that_nothing_to_ask_asks_nothing(world: World) -> None:
    a = world.station()
    a.step()
    before = a.client.requests
    assert delta(a.engine.line, {}, []).at is None
    assert not manifest(a.engine.line, {}, []).fetched
    assert full_pass(a.engine.line, Key(SyncRule("Task"), "nobody"), []) == 0
    assert a.client.requests == before


def test_that_a_walk_that_breaks_off_inside_a_delta_leaves_its_mark(world: World) -> None:
    from dataclasses import replace

    raws = patient_with_visits(8)
    world.load(raws)
    a = world.station()
    a.step()
    world.tick(300)
    a.step()
    for raw in raws:
        if raw["resourceType"] == "Task":
            world.load([{**raw, "status": "in-progress"}])
            world.tick(0.01)
    a.engine.line.profile = replace(a.engine.line.profile, largest_count=3)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path.startswith("/Task"):
            return outside(500, b"{}", **FHIR)
        return go_on()

    a.wire.fault = fault
    a.step()
    assert a.engine.last_delta.failed
    a.wire.fault = None
    a.step()
    assert {raw["status"] for raw in a.all("Task")} == {"in-progress"}


def test_that_an_unknown_author_is_no_author(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    assert author_of(a.engine.line, first(raws, "Task"), None) == ("", None)
    a.wire.down = True
    assert author_of(a.engine.line, first(raws, "Task"), None) == ("", None)


def test_that_an_act_about_nobody_tells_of_its_conflict_without_a_patient(world: World) -> None:
    basic = {"resourceType": "Basic", "id": new_id(), "code": {"text": "x"}}
    a = world.station()
    a.step()
    world.load([{**basic, "code": {"text": "deres"}}])
    op = a.act(basic, aggregate=f"Basic/{basic['id']}")
    a.step()
    assert a.state(op) == ActState.CONFLICT
    rounds(a, 2)
    told = [act for act in a.write(lambda w: w.outbox.rows()) if act.kind == "sync-conflict"]
    task = world.there(told[0].refs[0])
    assert task is not None and "for" not in task and "focus" not in task


def test_that_a_rebase_keeps_what_did_not_move(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    visit, task = first(raws, "Appointment"), first(raws, "Task")
    mine, other = a.get(visit), a.get(task)
    assert mine is not None and other is not None
    a.act({**mine, "comment": "mitt"}, {**other, "status": "completed"})
    there = world.there(visit)
    assert there is not None
    world.load([{**there, "minutesDuration": 30}])
    rounds(a, 2)
    assert (world.there(task) or {})["status"] == "completed" and a.engine.status().all_sent


# the probe against records that differ -----------------------------------------------------------


class Careless(httpx.BaseTransport):
    """A record that ignores every condition and knows neither milliseconds nor history."""

    def __init__(self, world: World) -> None:
        self.inner = httpx.WSGITransport(app=world.app)  # type: ignore[arg-type]  # httpx wants the typeshed protocol

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path.endswith("_history"):
            return outside(404, b"{}", **FHIR)
        if request.method == "DELETE":
            return outside(405, b"{}", **FHIR)
        body = request.content.replace(b'"ifMatch"', b'"x"').replace(b'"ifNoneMatch"', b'"y"')
        headers = {
            k: v
            for k, v in request.headers.items()
            if k not in ("if-match", "if-none-match", "content-length")
        }
        bare = httpx.Request(request.method, request.url, headers=headers, content=body)
        answer = self.inner.handle_request(bare)
        if "_search" in request.url.path and b"_lastUpdated" in request.content:
            return outside(200, b"<html>", **{"content-type": "text/html"})
        return answer


def test_that_a_careless_record_is_found_out_and_gets_no_writes(world: World) -> None:
    profile = probe(RecordClient("http://record.local", transport=Careless(world)))
    assert (
        not profile.if_match_alone and not profile.if_match_in_transaction and not profile.transaction_atomic
    )
    assert not profile.if_none_match_star and not profile.ge_inclusive and not profile.history
    assert not profile.may_write and profile.notes["clean_up"] == "405"
    assert profile.notes["if_match_alone"].startswith("answered 2")
    assert from_raw({**profile.as_raw(), "of the future": 1}) == profile


def test_that_the_probe_leaves_nothing_behind(world: World) -> None:
    with RecordClient("http://record.local", transport=httpx.WSGITransport(app=world.app)) as client:  # type: ignore[arg-type]  # as above
        profile = probe(client)
        left = client.search("Basic", "_count=50").raw()
    assert profile.may_write and profile.page_size == 500 and not left.get("entry")
    assert ServerProfile(largest_count=100).page_size == 100 and ServerProfile().page_size == 500


def test_that_a_hint_is_only_used_where_it_is_offered() -> None:
    said = {"rest": ["odd", {"documentation": "GET _history?_after=SEQ&_wait=SECONDS"}]}
    assert hint_path(said) == "_history" and hint_path({"rest": None}) == "" and hint_path({}) == ""


def test_that_a_claim_lost_to_somebody_else_sends_nothing(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    a.wire.down = True
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    a.wire.down = False
    row = a.write(lambda w: w.outbox.get(op))
    a.write(lambda w: w.outbox.transition(op, ActState.QUEUED, ActState.WITHDRAWN))
    sent: list[httpx.Request] = []

    def watch(request: httpx.Request, go_on: Answer) -> httpx.Response:
        sent.extend([request] if is_transaction(request) else [])
        return go_on()

    a.wire.fault = watch
    a.engine.uploader._send(row)
    assert not sent and a.state(op) == ActState.WITHDRAWN


def test_that_more_rows_than_a_commit_takes_are_stored_in_steps(world: World) -> None:
    a = world.station()
    a.step()
    rows = [
        SyncedRow(
            "Task", id_, "1", START, orjson.dumps({"resourceType": "Task", "id": id_, "status": "ready"})
        )
        for id_ in (new_id() for _ in range(1100))
    ]
    finished: list[bool] = []
    a.engine.line.store(rows, lambda writing: finished.append(True))
    assert len(a.write(lambda w: w.versions("Task"))) == 1100 and finished == [True]


def test_that_a_bad_entry_without_a_name_is_only_counted(world: World) -> None:
    a = world.station()
    a.step()
    bad = RefusedEntry(0, "", "", "nothing to know it by", b"{}")
    a.write(lambda w: set_aside(w, [bad], world.clock.now()))
    assert not a.write(lambda w: w.trail.quarantined())


def test_that_a_settled_act_that_moved_meanwhile_is_left_alone(world: World) -> None:
    """A person withdrew it while the record was being asked."""
    raws = patient_with_visits(2)
    world.load(raws)
    a = world.station()
    a.step()
    answer = Answered(412)
    for elements, theirs in (
        ({"comment": "x"}, {"minutesDuration": 5}),
        ({"comment": "y"}, {"comment": "z"}),
    ):
        visit = first(raws, "Appointment")
        op = a.change(visit, **elements)
        there = world.there(visit)
        assert there is not None
        world.load([{**there, **theirs}])
        row = a.write(lambda w, op=op: w.outbox.get(op))
        a.write(lambda w, op=op: w.outbox.transition(op, ActState.QUEUED, ActState.WITHDRAWN))
        settle(a.engine.line, row, answer)
        assert a.state(op) == ActState.WITHDRAWN and not a.write(lambda w: w.conflicts.rows())
        a.step()


def test_that_a_collision_without_a_word_on_the_earlier_try_stays_unknown(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            return outside(412, b"{}", **FHIR)
        return outside(500, b"{}", **FHIR) if "Provenance" in request.url.path else go_on()

    a.wire.fault = fault
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.UNKNOWN


def test_that_a_garbled_check_is_waited_out_without_closing_the_line(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            return outside(200, b"x" * 10, **FHIR, **{"content-encoding": "gzip"})
        return go_on()

    a.wire.fault = fault
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.UNKNOWN
    a.wire.fault = None
    rounds(a, 2)
    assert a.state(op) == ActState.APPLIED


def test_that_an_act_poisoned_in_its_check_is_parked_from_unknown(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    poison = a.act(
        {"resourceType": "Communication", "id": new_id(), "status": "completed"}, aggregate="Patient/x"
    )

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request) and poison.encode() in request.content:
            raise httpx.ReadTimeout("lost")
        if request.url.path == f"/Provenance/{poison}":
            return outside(500, b"{}", **FHIR)
        return go_on()

    a.wire.fault = fault
    for n in range(14):
        a.change(first(raws, "Appointment"), comment=str(n))
        world.tick(300)
        a.step()
    assert a.state(poison) == ActState.PARKED


def test_that_a_manifest_over_many_stamps_goes_on_from_the_last(world: World) -> None:
    for raw in patient_with_visits(8):
        world.load([raw])
        world.tick(1)
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if b"_elements" in request.content:
            body = request.content.replace(b"_count=1000", b"_count=3")
            request.stream = httpx.ByteStream(body)
            request._content = body
            request.headers["content-length"] = str(len(body))
        return go_on()

    a.wire.fault = fault
    world.tick(1000)
    a.step()
    assert len(a.all("Task")) == 8 and not a.write(lambda w: w.trail.evidence())


def test_that_a_conflict_whose_task_is_gone_can_still_be_decided(world: World) -> None:
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
    rounds(a, 2)
    world.direct.delete(f"Task/{task_id(op)}")
    world.tick(1000)
    a.step()
    a.engine.decide(op, "theirs", NURSE)
    rounds(a, 2)
    assert a.engine.status().all_sent


def test_that_both_changing_one_extension_differently_clash() -> None:
    base = {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "extension": [{"url": "u", "valueCode": "1"}],
    }
    mine, theirs = ({**base, "extension": [{"url": "u", "valueCode": v}]} for v in "23")
    merge = three_way(base, mine, theirs)
    assert merge.kind is Kind.OVERLAP and merge.clashes == {"extension[u]"}


def test_that_a_refusal_of_what_was_stored_is_seen_as_our_own_success(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()

    def stored_but_412(request: httpx.Request, go_on: Answer) -> httpx.Response:
        go_on().read()
        return outside(412, b"{}", **FHIR)

    a.wire.fault = on_transactions(stored_but_412)
    op = a.change(first(raws, "Appointment"), status="arrived")
    a.step()
    assert a.state(op) == ActState.APPLIED and world.history(first(raws, "Appointment")) == 2


def test_that_newcomers_join_a_chunk_whose_marks_were_lost(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    [chunk] = {member.chunk for member in a.write(lambda w: w.marks.members())}
    world.load(patient_with_visits(1))
    world.tick(30)
    keys = [key for key in a.plan.keys([chunk]) if key.rule.type == "Observation"]

    def join(writing: Any) -> None:
        refresh(writing, a.plan, world.clock.now())
        [new] = {m.chunk for m in writing.marks.members() if m.chunk != chunk}
        for key in a.plan.keys([new]):
            writing.marks.set_watermark(Watermark(key.name, key.rule.type, START))
        for key in keys:
            writing.marks.drop_watermark(key.name)
        assert settle_chunk(writing, a.plan, new, world.clock.now())

    for raw in patient_with_visits(0)[:2]:
        world.load([raw])
    a.engine._prepare()
    a.write(lambda w: ask_for(w, [f"Patient/{new_id()}"], world.clock.now() + timedelta(days=1)))
    a.write(join)
    assert {m.chunk for m in a.write(lambda w: w.marks.members())} == {chunk}
    a.step()
    assert a.engine.status().as_of is not None
