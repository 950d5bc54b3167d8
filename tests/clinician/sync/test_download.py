"""Full pass, delta and manifest against a record that misbehaves."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from clinician.cache.synced import MemberState, Why
from clinician.events import Link
from clinician.fhir.reference import Raw
from clinician.record.client import RecordClient
from clinician.sync import download
from clinician.sync.matching import fits
from clinician.sync.plan import MEMBERSHIP, Key, SyncRule, make_plan
from clinician.sync.scope import GRACE
from tests.clinician.sync.world import (
    RULES,
    WORKPLACE,
    Station,
    World,
    episode,
    first,
    outside,
    patient_with_visits,
)

Answer = Callable[[], httpx.Response]
FHIR = {"content-type": "application/fhir+json"}


def bundle_of(answer: httpx.Response) -> Any:
    return json.loads(answer.read())


def page(entries: list[Any], **more: Any) -> httpx.Response:
    body = {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}
    return outside(200, json.dumps(body).encode(), **FHIR)


def same(station: Station) -> None:
    """The cache equals the record for everything in scope."""
    for type_ in ("Patient", "Appointment", "Task", "Observation", "EpisodeOfCare"):
        for raw in station.all(type_):
            assert station.world.there(f"{type_}/{raw['id']}") == raw


# full pass -------------------------------------------------------------------------------------


def small_pages(size: int) -> Callable[[httpx.Request, Answer], httpx.Response]:
    """The record gives fewer per page than asked for."""

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path.endswith("_search"):
            body = re.sub(rb"_count=\d+", b"_count=%d" % size, request.content)
            request.stream = httpx.ByteStream(body)
            request._content = body
            request.headers["content-length"] = str(len(body))
        return go_on()

    return fault


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_that_pages_of_any_size_bring_everything(world: World, size: int) -> None:
    raws = patient_with_visits(9)
    for number, raw in enumerate(raws):
        world.load([raw])
        if number % 3 == 0:
            world.tick(0.002)
    a = world.station()
    a.wire.fault = small_pages(size)
    assert a.step().link is Link.FRESH
    assert len(a.all("Appointment")) == 9 and len(a.all("Task")) == 9
    same(a)


def test_that_a_whole_page_of_one_stamp_is_followed_by_its_link(world: World) -> None:
    world.load(patient_with_visits(12))
    a = world.station()
    a.wire.fault = small_pages(4)
    a.step()
    assert len(a.all("Appointment")) == 12
    assert any(method == "GET" and path == "/Appointment" for method, path in a.wire.log)


def test_that_an_interrupted_full_pass_goes_on_from_its_cursor(world: World) -> None:
    for raw in patient_with_visits(30):
        world.load([raw])
        world.tick(0.01)
    world.tick(5)
    a = world.station()
    narrow = small_pages(5)
    seen: list[bytes] = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path == "/Task/_search":
            seen.append(request.content)
            if len(seen) == 4:
                raise httpx.ReadError("cut")
        return narrow(request, go_on)

    a.wire.fault = fault
    assert a.step().link is Link.OFFLINE
    had = len(a.all("Task"))
    assert 10 <= had < 30
    a.restart()
    a.wire.fault = fault
    a.step()
    assert len(a.all("Task")) == 30 and b"_lastUpdated=ge" in seen[4]
    same(a)


def test_that_a_poisoned_resource_is_set_aside_and_the_page_goes_on(world: World) -> None:
    raws = patient_with_visits(2)
    world.load(raws)
    world.tick(300)
    a = world.station()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != "/Task/_search":
            return go_on()
        bundle = bundle_of(go_on())
        text = json.dumps(bundle).replace('"Insulin"', '"Insulin\\ud800"', 1)
        return outside(200, text.encode(), **FHIR)

    a.wire.fault = fault
    assert a.step().link is Link.FRESH
    assert len(a.all("Task")) == 1
    assert len(a.write(lambda w: w.trail.quarantined())) == 1
    a.wire.fault = None
    world.clock.advance(timedelta(minutes=16))
    a.step()
    assert len(a.all("Task")) == 2


def test_that_only_some_elements_never_replace_a_whole_row(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path != "/Task/_search" or b"_id=" in request.content:
            return go_on()
        bundle = bundle_of(go_on())
        for entry in bundle.get("entry", []):
            entry["resource"] = {key: entry["resource"][key] for key in ("resourceType", "id", "meta")}
            entry["resource"]["meta"]["tag"] = [tag]
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.step()
    assert a.all("Task")[0]["description"] == "Insulin"


def test_that_an_endless_next_link_ends(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    asked = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if not request.url.path.startswith("/Task"):
            return go_on()
        asked.append(request.url.path)
        bundle = bundle_of(go_on())
        bundle["link"] = [{"relation": "next", "url": "http://record.local/Task?_page=again"}]
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.step()
    assert len(asked) < 8 and len(a.all("Task")) == 1


def test_that_a_record_that_does_not_sort_is_followed_by_its_links(world: World) -> None:
    raws = patient_with_visits(6)
    for raw in raws:
        world.load([raw])
        world.tick(1)
    a = world.station()
    narrow = small_pages(2)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if not request.url.path.startswith("/Task"):
            return go_on()
        bundle = bundle_of(narrow(request, go_on))
        bundle["entry"] = list(reversed(bundle.get("entry", [])))
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    a.step()
    assert len(a.all("Task")) == 6


def test_that_a_type_the_record_refuses_stops_no_other_and_is_not_called_fresh(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if request.url.path.startswith("/Task"):
            return outside(403, b'{"resourceType":"OperationOutcome"}', **FHIR)
        return go_on()

    a.wire.fault = fault
    status = a.step()
    assert status.link is not Link.FRESH and status.as_of is None
    assert len(a.all("Appointment")) == 1


def test_that_a_record_without_any_clock_still_gets_marks(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()

    def timeless(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        body = answer.read()
        if b'"resourceType":"Bundle"' in body:
            bundle = json.loads(body)
            bundle.pop("meta", None)
            for entry in bundle.get("entry", []):
                if entry.get("resource", {}).get("resourceType") == "Bundle":
                    entry["resource"].pop("meta", None)
            body = json.dumps(bundle).encode()
        return outside(answer.status_code, body, **FHIR)

    a.wire.fault = timeless
    a.step()
    a.step()
    assert len(a.all("Task")) == 1
    assert all(mark.mark is not None for mark in a.write(lambda w: w.marks.watermarks()))


@pytest.mark.parametrize(
    "body",
    [b"<html>sign in</html>", b"", b'{"resourceType": "Bundle", "entry": [', gzip.compress(b"{}", mtime=0)],
)
def test_that_a_page_that_is_no_page_loses_nothing(world: World, body: bytes) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.wire.fault = lambda request, go_on: outside(200, body, **FHIR)
    assert a.step().link is Link.OFFLINE
    a.wire.fault = None
    assert a.step().link is Link.FRESH
    same(a)


# delta -----------------------------------------------------------------------------------------


def test_that_a_commit_that_comes_late_is_caught_and_measured(world: World) -> None:
    """A row stamped before the mark but shown only after it, as a long transaction makes it."""
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    hidden: set[str] = set()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        body = answer.read()
        for id_ in hidden:
            if id_.encode() in body and request.method == "POST" and request.url.path == "/":
                bundle = json.loads(body)
                for entry in bundle["entry"]:
                    inner = entry.get("resource", {})
                    inner["entry"] = [e for e in inner.get("entry", []) if e["resource"]["id"] != id_]
                body = json.dumps(bundle).encode()
        return outside(answer.status_code, body, **dict(answer.headers.items()))

    a.wire.fault = fault
    a.step()
    world.tick(10)
    late = next(raw for raw in raws if raw["resourceType"] == "Task")
    hidden.add(late["id"])
    world.load([{**late, "status": "in-progress"}])
    world.tick(5)
    a.step()
    for _ in range(8):
        world.tick(10)
        a.step()
    hidden.clear()
    a.step()
    assert a.get(f"Task/{late['id']}")["status"] == "in-progress"  # type: ignore[index]  # a KeyError is the failure
    assert a.write(lambda w: w.marks.lateness())["Task"]
    assert a.write(a.engine.line.overlap) == timedelta(seconds=250)


def test_that_more_than_a_page_of_changes_comes_whole(world: World) -> None:
    raws = patient_with_visits(20)
    world.load(raws)
    a = world.station()
    a.step()
    world.tick(300)
    tasks = [raw for raw in raws if raw["resourceType"] == "Task"]
    for raw in tasks:
        world.load([{**raw, "status": "in-progress"}])
        world.tick(0.01)
    from dataclasses import replace

    a.engine.line.profile = replace(a.engine.line.profile, largest_count=6)
    a.step()
    assert {raw["status"] for raw in a.all("Task")} == {"in-progress"}
    assert a.engine.last_delta.changed >= 20


def test_that_one_search_that_fails_leaves_its_mark_where_it_was(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    world.tick(300)
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/":
            return answer
        bundle = bundle_of(answer)
        for entry in bundle["entry"]:
            if any(link["url"].startswith("http://record.local/Task") for link in entry["resource"]["link"]):
                entry["response"]["status"] = "500"
                entry.pop("resource")
        bundle["entry"].pop()
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    marks = {m.key: m.mark for m in a.write(lambda w: w.marks.watermarks())}
    a.wire.fault = fault
    world.tick(300)
    assert a.step().link is not Link.FRESH
    later = {m.key: m.mark for m in a.write(lambda w: w.marks.watermarks())}
    stood = [key for key in marks if marks[key] == later[key]]
    assert any(key.startswith("Task") for key in stood) and len(stood) < len(marks)
    a.wire.fault = None
    assert a.step().link is Link.FRESH


def test_that_a_task_that_leaves_its_search_is_seen_leaving(world: World) -> None:
    rules = [*RULES[:1], SyncRule("Task", "status=ready", priority=6)]
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station(rules=rules)
    a.step()
    task = next(raw for raw in raws if raw["resourceType"] == "Task")
    world.load([{**task, "status": "completed"}])
    a.step()
    assert a.all("Task")[0]["status"] == "completed"
    world.clock.advance(timedelta(minutes=16))
    a.step()
    assert not a.all("Task")
    [row] = [row for row in a.write(lambda w: w.trail.evidence()) if row.ref.startswith("Task/")]
    assert row.why is Why.OUT_OF_SCOPE


# manifest --------------------------------------------------------------------------------------


def later(world: World, a: Station) -> None:
    world.clock.advance(timedelta(minutes=16))
    a.step()


def test_that_a_deletion_is_found_and_has_its_evidence(world: World) -> None:
    raws = patient_with_visits(2)
    world.load(raws)
    a = world.station()
    a.step()
    gone = first(raws, "Task")
    world.direct.delete(gone)
    later(world, a)
    assert a.get(gone) is None
    [row] = a.write(lambda w: w.trail.evidence())
    assert (row.ref, row.why, row.status) == (gone, Why.DELETED, 410)


def test_that_absence_alone_removes_nothing(world: World) -> None:
    """The record's index forgets a row that is still there: it is kept and raised."""
    raws = patient_with_visits(2)
    world.load(raws)
    a = world.station()
    a.step()
    lost = first(raws, "Task").partition("/")[2]

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/" or b"_elements" not in request.content:
            return answer
        bundle = bundle_of(answer)
        for entry in bundle["entry"]:
            inner = entry["resource"]
            inner["entry"] = [e for e in inner.get("entry", []) if e["resource"]["id"] != lost]
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    later(world, a)
    assert a.get(f"Task/{lost}") is not None and not a.write(lambda w: w.trail.evidence())


def test_that_a_row_the_record_forbids_is_hidden_at_once(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    task = first(raws, "Task")
    world.direct.delete(task)

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if request.url.path != "/" or task.encode() not in request.content:
            return answer
        body = answer.read().replace(b'"410 Gone"', b'"403 Forbidden"').replace(b'"410"', b'"403"')
        return outside(200, body, **FHIR)

    a.wire.fault = fault
    later(world, a)
    [row] = a.write(lambda w: w.trail.evidence())
    assert row.why is Why.FORBIDDEN and a.get(task) is None


def test_that_what_no_delta_could_show_is_fetched(world: World) -> None:
    """A bulk import with old stamps: nothing but a comparison finds it."""
    raws = patient_with_visits(2)
    task = next(raw for raw in raws if raw["resourceType"] == "Task")
    world.load(raws)
    a = world.station()
    a.step()
    world.tick(400)
    a.step()
    a.write(lambda w: w.remove_synced(f"Task/{task['id']}", _evidence(world)))
    world.tick(30)
    a.step()
    assert a.get(f"Task/{task['id']}") is None
    later(world, a)
    assert a.get(f"Task/{task['id']}") is not None


def _evidence(world: World) -> Any:
    from clinician.cache.synced import Evidence

    return Evidence(Why.AGED_OUT, world.clock.now())


def test_that_a_row_ages_out_with_two_days_slack(world: World) -> None:
    rules = [SyncRule("Appointment", "date=ge{date}", window=1), SyncRule("Task")]
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station(rules=rules)
    a.step()
    world.clock.advance(timedelta(days=2))
    a.step()
    assert a.all("Appointment")
    world.clock.advance(timedelta(days=2))
    a.step()
    assert not a.all("Appointment")
    assert [row.why for row in a.write(lambda w: w.trail.evidence())] == [Why.AGED_OUT]


def test_that_a_long_manifest_is_read_to_its_end(world: World) -> None:
    world.load(patient_with_visits(12))
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if b"_elements" in request.content:
            body = re.sub(rb"_count=1000", b"_count=5", request.content)
            request.stream = httpx.ByteStream(body)
            request._content = body
            request.headers["content-length"] = str(len(body))
        return go_on()

    a.wire.fault = fault
    later(world, a)
    assert len(a.all("Appointment")) == 12 and not a.write(lambda w: w.trail.evidence())
    assert a.engine.status().link is Link.FRESH


def test_that_a_type_whose_listing_fails_is_not_judged(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        answer = go_on()
        if b"_elements" not in request.content:
            return answer
        bundle = bundle_of(answer)
        for entry in bundle["entry"]:
            entry["response"]["status"] = "500 broken"
            entry.pop("resource", None)
        bundle["entry"].pop()
        return outside(200, json.dumps(bundle).encode(), **FHIR)

    a.wire.fault = fault
    later(world, a)
    assert a.all("Task") and not a.write(lambda w: w.trail.evidence())


# scope -----------------------------------------------------------------------------------------


def test_that_a_patient_who_enters_scope_is_filled_and_then_lives_with_the_rest(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    world.clock.advance(timedelta(minutes=5))
    a.step()
    old = patient_with_visits(2, status="finished")
    world.load(old)
    world.clock.advance(timedelta(minutes=10))
    a.step()
    assert a.get(first(old, "Task")) is None
    world.load([episode(first(old, "Patient").partition("/")[2])])
    world.tick(30)
    assert a.step().link is Link.FRESH
    assert len(a.all("Task")) == 3
    members = a.write(lambda w: w.marks.members())
    assert {m.state for m in members} == {MemberState.LIVE} and len({m.chunk for m in members}) == 1


def test_that_a_patient_who_left_is_purged_after_the_grace_but_never_while_something_waits(
    world: World,
) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    patient, visit = first(raws, "Patient"), first(raws, "Appointment")
    world.load([episode(patient.partition("/")[2], "finished")])
    world.tick(30)
    a.step()
    assert [m.state for m in a.write(lambda w: w.marks.members())] == [MemberState.LEAVING]
    assert a.get(visit) is not None
    a.engine.uploader.breaker.failed(world.clock.monotonic(), 2 * GRACE.total_seconds())
    op = a.change(visit, status="fulfilled")
    world.clock.advance(GRACE)
    a.step()
    assert a.get(visit) is not None and a.state(op) == "queued"
    a.engine.sync_now()
    a.step()
    world.tick(60)
    a.step()
    assert a.get(visit) is None and a.get(patient) is None
    assert world.there(visit)["status"] == "fulfilled"  # type: ignore[index]  # a KeyError is the failure


def test_that_a_patient_outside_is_brought_in_for_a_day(world: World) -> None:
    world.load(patient_with_visits(1))
    stranger = patient_with_visits(1, status="finished")
    stranger[0]["name"] = [{"family": "Fremmed", "given": ["Frida"]}]
    world.load(stranger)
    a = world.station()
    a.step()
    [found] = a.engine.look_up("fremmed")
    assert found.key == first(stranger, "Patient")
    a.engine.bring([found.key])
    a.step()
    assert a.get(first(stranger, "Task")) is not None
    world.clock.advance(timedelta(hours=25))
    a.step()
    world.clock.advance(timedelta(hours=25))
    a.step()
    assert a.get(first(stranger, "Task")) is None


def test_that_looking_up_asks_for_enough_to_go_by(world: World) -> None:
    from clinician.errors import UserProblem

    a = world.station()
    a.step()
    with pytest.raises(UserProblem):
        a.engine.look_up(" x ")
    assert a.engine.look_up("12345678901") == ()


def test_that_the_newcomers_of_a_large_workplace_come_in_chunks(world: World) -> None:
    for _ in range(60):
        world.load(patient_with_visits(0))
    a = world.station()
    a.step()
    chunks = [m.chunk for m in a.write(lambda w: w.marks.members())]
    assert sorted(chunks.count(chunk) for chunk in set(chunks)) == [10, 50]


def test_that_a_plan_that_changed_drops_old_marks_and_fills_new_rules(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station(rules=RULES[:2])
    a.step()
    a.plan = make_plan([*RULES[1:3]], workplace_ref=WORKPLACE)
    a.restart()
    a.step()
    assert a.all("Observation")
    types = {m.type for m in a.write(lambda w: w.marks.watermarks())}
    assert "Appointment" not in types and "Observation" in types


# restored record --------------------------------------------------------------------------------


def test_that_a_restored_record_freezes_the_outbox_until_a_person_says_go_on(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    visit = first(raws, "Appointment")
    older: list[bool] = [True]
    world.load([{**world.there(visit), "status": "arrived"}])  # type: ignore[dict-item]  # it is there
    a.step()

    def back(request: httpx.Request, go_on: Answer) -> httpx.Response:
        """The record shows version 1 of everything, as after a restore."""
        answer = go_on()
        body = answer.read()
        if older:
            body = body.replace(b'"versionId":"2"', b'"versionId":"1"').replace(b'"arrived"', b'"booked"')
            body = body.replace(b'W/\\"2\\"', b'W/\\"1\\"')
        return outside(
            answer.status_code, body, **{k: v for k, v in answer.headers.items() if k != "content-length"}
        )

    a.wire.fault = back
    world.tick(30)
    a.step()
    assert a.engine.status().restored
    assert a.get(visit)["status"] == "booked"  # type: ignore[index]  # a KeyError is the failure
    older.clear()
    op = a.change(visit, comment="etter")
    a.step()
    assert a.state(op) == "queued"
    a.engine.resume()
    assert not a.step().restored
    assert a.state(op) != "queued"


def test_that_another_epoch_means_another_record(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    raw = a.write(lambda w: w.marks.profile())
    a.write(lambda w: w.marks.set_profile({**raw, "epoch": "urn:uuid:before"}))
    a.restart()
    assert a.step().restored
    a.restart()
    assert a.step().restored, "told again by the next program"


def test_that_a_vanished_answered_version_is_noticed(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    note = {"resourceType": "Basic", "id": "11111111-1111-4111-8111-111111111111", "code": {"text": "x"}}
    gone: list[str] = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if gone and request.url.path == "/" and b"Basic/1111" in request.content:
            body = go_on().read()
            bundle = json.loads(body)
            for entry in bundle["entry"]:
                entry["response"]["status"] = "404"
                entry.pop("resource", None)
            return outside(200, json.dumps(bundle).encode(), **FHIR)
        return go_on()

    a.act(note, aggregate="Patient/x")
    a.engine._prepare()
    a.engine._send()
    gone.append("yes")
    a.wire.fault = fault
    a.step()
    assert not a.engine.status().all_sent
    assert a.step().restored


# status ------------------------------------------------------------------------------------------


def test_that_overdue_sending_raises_its_voice(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    a.wire.fault = lambda request, go_on: (
        outside(500, b"{}", **FHIR) if b'"transaction"' in request.content else go_on()
    )
    a.change(first(a.all("Appointment"), "Appointment"), status="arrived")
    for minutes in (5, 10, 15, 20, 25):
        world.tick(300)
        assert a.step().overdue == (minutes > 15)
    a.wire.fault = None
    world.tick(61)
    assert not a.step().overdue


def test_that_audit_goes_up_after_everything_else(world: World) -> None:
    from clinician.cache.synced import AuditRow

    world.load(patient_with_visits(1))
    a = world.station()
    ids = [f"2222222{n}-2222-4222-8222-222222222222" for n in range(3)]
    for id_ in ids:
        event = {
            "resourceType": "AuditEvent",
            "id": id_,
            "type": {"code": "rest"},
            "recorded": "2026-03-03T06:00:00Z",
            "agent": [{"requestor": True}],
            "source": {"observer": {"display": "x"}},
        }
        a.write(
            lambda w, id_=id_, event=event: w.audit.add(
                AuditRow(id_, world.clock.now(), json.dumps(event).encode())
            )
        )
    a.step()
    assert not a.write(lambda w: w.audit.waiting())
    assert all(world.there(f"AuditEvent/{id_}") for id_ in ids)


def test_that_a_walk_can_be_stopped_between_pages(world: World) -> None:
    world.load(patient_with_visits(3))
    a = world.station()
    a.engine.line.stopped.set()
    a.step()
    assert not a.all("Task")
    a.engine.line.stopped.clear()
    a.step()
    assert len(a.all("Task")) == 3


def test_that_the_membership_key_is_found_in_any_plan() -> None:
    plan = make_plan(
        [SyncRule("EpisodeOfCare", "organization={organization}", priority=9)], workplace_ref=WORKPLACE
    )
    assert MEMBERSHIP in plan.rules
    assert Key(MEMBERSHIP).name == "EpisodeOfCare?organization={organization}#0|"
    assert download.PAGE_CAP > 100


def test_that_rules_of_a_practitioner_need_one() -> None:
    rule = SyncRule("Task", "owner={practitioner}")
    assert rule not in make_plan([rule], workplace_ref=WORKPLACE).rules
    plan = make_plan([rule], workplace_ref=WORKPLACE, practitioner_ref="Practitioner/x")
    assert plan.query(Key(rule), [], date(2026, 3, 3)) == [("owner", "Practitioner/x")]


def test_that_a_rule_may_name_the_service_that_has_the_id_of_the_workplace() -> None:
    rule = SyncRule("Schedule", "actor=HealthcareService/{organization_id}&date=ge{date}", window=14)
    plan = make_plan([rule], workplace_ref=WORKPLACE)
    asked = plan.query(Key(rule), [], date(2026, 3, 17))
    assert asked == [
        ("actor", WORKPLACE.replace("Organization", "HealthcareService")),
        ("date", "ge2026-03-03"),
    ]
    assert not rule.by_patient


def route(id_: str, actor: str) -> Raw:
    return {
        "resourceType": "Schedule",
        "id": id_,
        "active": True,
        "actor": [{"reference": actor}],
        "planningHorizon": {"start": "2026-03-03T07:00:00+01:00", "end": "2026-03-03T15:00:00+01:00"},
    }


def test_that_routes_of_the_workplace_are_kept_and_judged_by_its_service(world: World) -> None:
    """Both by the record's answer and by what is judged here when a manifest misses a row."""
    service = WORKPLACE.replace("Organization", "HealthcareService")
    mine, theirs = route("r1", service), route("r2", "HealthcareService/elsewhere")
    rule = SyncRule("Schedule", "actor=HealthcareService/{organization_id}&date=ge{date}", window=14)
    query = make_plan([rule], workplace_ref=WORKPLACE).query(Key(rule), [], date(2026, 3, 3))
    assert (fits(mine, query), fits(theirs, query)) == (True, False)
    world.load([mine, theirs])
    a = world.station(rules=[rule])
    a.step()
    assert [row["id"] for row in a.all("Schedule")] == ["r1"]


def test_that_a_client_counts_what_it_asks(world: World) -> None:
    a = world.station()
    a.step()
    assert isinstance(a.client, RecordClient) and a.client.requests > 10 and a.client.bytes_in > 0
