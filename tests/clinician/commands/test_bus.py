"""One durable transaction for what a person does, or nothing."""

from __future__ import annotations

import base64
import threading
from hashlib import sha256
from typing import Any

import orjson
import pytest

from clinician.cache.acts import ActState, ConflictRow
from clinician.cache.outbox import as_sent
from clinician.cache.reading import RowState
from clinician.commands.act import Act, Change
from clinician.commands.bus import Problems
from clinician.commands.once import Once
from clinician.commands.op_id import OpIds
from clinician.errors import Bug, Refused, UserProblem
from clinician.fhir.validation import problems
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import WHO, Any_, Desk, Found, L, Make, SetStatus


def test_that_act_overlay_provenance_and_audit_are_written_together(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0), "7")
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    found = desk.get(ref)
    assert (found.raw["status"], found.version_id, found.state) == ("completed", "7", RowState.QUEUED)
    (act,) = desk.acts()
    assert (act.op_id, act.group, act.state, act.patient_ref) == (
        done.group,
        done.group,
        ActState.QUEUED,
        "Patient/p",
    )
    assert (act.who_ref, act.who_name, str(act.label.msgid)) == (WHO.practitioner_ref, WHO.name, "Status set")
    assert done.op_ids == (act.op_id,)
    assert done.refs == {ref}
    bundle = orjson.loads(desk.cache.writer.run(lambda w: w.outbox.bundle(act.op_id)))
    task, provenance = (part["resource"] for part in bundle["entry"])
    assert bundle["entry"][0]["request"]["ifMatch"] == 'W/"7"'
    assert provenance["id"] == act.op_id
    assert provenance["target"] == [{"reference": ref}]
    assert provenance["agent"][0]["who"]["reference"] == WHO.practitioner_ref
    assert provenance["agent"][0]["onBehalfOf"]["reference"] == WHO.workplace_ref
    signed = sha256(orjson.dumps(as_sent(task), option=orjson.OPT_SORT_KEYS) + b"\n").digest()
    assert base64.b64decode(provenance["signature"][0]["data"]) == signed
    (event,) = desk.audit()
    assert (event["action"], event["subtype"][0]["code"]) == ("U", "update")
    assert {one.get("what", {}).get("reference") for one in event["entity"]} >= {"Patient/p", ref}
    for raw in (provenance, event, bundle["entry"][0]["resource"]):
        assert [p for p in problems(raw) if p.level == "error"] == []


def test_that_the_screen_knows_its_own_echo(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    desk.heard.clear()
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    (heard,) = desk.heard
    assert heard.origin == done.group
    assert heard.refs == {ref, f"Outbox/{done.group}"}


def test_that_a_command_of_several_acts_is_one_group(desk: Desk) -> None:
    raws = tuple(desk.make.observation("Patient/p", 0) for _ in range(3))
    done = desk.bus.run(Make(raws), WHO)
    assert len(done.op_ids) == 3
    assert list(done.op_ids) == sorted(done.op_ids)
    assert {act.group for act in desk.acts()} == {done.group} == {done.op_ids[0]}
    assert {event["action"] for event in desk.audit()} == {"C"}


def test_that_a_second_act_stands_upon_the_first_while_it_is_unsent(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0), "7")
    first = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    second = desk.bus.run(SetStatus(ref, "completed"), WHO)
    _, act = desk.acts()
    assert act.depends_on == (first.group,)
    (entry,) = desk.entries(second.group)
    assert (entry.base_version, entry.base_op, entry.base["status"]) == (None, first.group, "in-progress")


# what stops it


def test_that_access_is_asked_before_and_for_each_resource(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    desk.bus.run(SetStatus(ref, "completed"), WHO)
    assert desk.asked == [
        ("Task.u", ""),
        ("Appointment.u", ""),
        ("Observation.u", ""),
        ("Task.u", "Patient/p"),
    ]
    desk.forbidden = {"Appointment.u"}
    with pytest.raises(Refused):
        desk.bus.run(SetStatus(ref, "failed"), WHO)
    assert len(desk.acts()) == 1


def test_that_a_thing_without_a_patient_is_asked_about_by_its_own_reference(desk: Desk) -> None:
    raw = desk.make.base("Schedule", actor=[{"reference": "Practitioner/k"}])
    act = Act("make", f"Schedule/{raw['id']}", (Change(raw),), L("Made"))
    desk.bus.run(Any_(lambda r, s: (act,), needs=("Schedule.c",)), WHO)
    assert desk.asked[-1] == ("Schedule.c", f"Schedule/{raw['id']}")
    assert desk.acts()[0].patient_ref == ""
    task = desk.make.task("Patient/q", 0)
    chain = Act("make", f"Task/{task['id']}", (Change(task),), L("Made"))
    desk.bus.run(Any_(lambda r, s: (chain,)), WHO)
    assert desk.acts()[1].patient_ref == "Patient/q"


def test_that_every_problem_is_told_at_once(desk: Desk) -> None:
    one, two = UserProblem(L("gone"), field="a"), UserProblem(L("no"), field="b")
    with pytest.raises(Problems) as told:
        desk.bus.run(Any_(lambda r, s: (), problems=(one, two)), WHO)
    assert told.value.all == (one, two)
    assert (told.value.field, told.value.text) == ("a", one.text)
    with pytest.raises(UserProblem) as single:
        desk.bus.run(Any_(lambda r, s: (), problems=(two,)), WHO)
    assert single.value is two


def test_that_an_invalid_resource_is_our_fault_and_never_stored(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    desk.findings = [Found("Task.status"), Found("Task.note", "warning")]
    with pytest.raises(Bug, match=r"Task\.status$"):
        desk.bus.run(SetStatus(ref, "completed"), WHO)
    assert desk.acts() == []
    desk.findings = [Found("Task.note", "warning")]
    desk.bus.run(SetStatus(ref, "completed"), WHO)


def bad(desk: Desk) -> dict[str, tuple[Any, tuple[str, ...]]]:
    task = desk.make.task("Patient/p", 0)
    desk.synced(task)
    other = desk.make.task("Patient/p", 0)

    def act(*changes: Change) -> Any:
        return lambda r, s: (Act("x", "Patient/p", changes, L("Made")),)

    def swapped(reading: Any, stamp: Any) -> Any:
        return (Act("x", "Patient/p", (Change(other, reading.get(f"Task/{task['id']}")),), L("Made")),)

    return {
        "writes nothing": (act(), ("Task.cu",)),
        "writes a resource twice": (act(Change(other), Change(other)), ("Task.cu",)),
        "changes the identity": (swapped, ("Task.cu",)),
        r"does not declare Task\.c": (act(Change(other)), ("Task.u", "Appointment.c")),
        "is already there": (act(Change(task)), ("Task.cu",)),
    }


@pytest.mark.parametrize("case", range(5))
def test_that_a_command_against_its_own_contract_is_a_bug(desk: Desk, case: int) -> None:
    text, (build, needs) = list(bad(desk).items())[case]
    with pytest.raises(Bug, match=text):
        desk.bus.run(Any_(build, needs=needs), WHO)
    assert desk.acts() == []


def test_that_nothing_is_done_to_what_waits_for_a_decision(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    done = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    desk.send(done.group, settle=ActState.CONFLICT)
    with pytest.raises(Refused) as told:
        desk.bus.run(SetStatus(ref, "completed"), WHO)
    assert told.value.way_out is not None
    other = desk.synced(desk.make.task("Patient/p", 0))
    raw = desk.get(other).raw
    conflict = ConflictRow(done.group, other, "overlap", raw, raw, raw, "2", "", None, None, DAY)
    desk.cache.writer.run(lambda w: w.conflicts.insert(conflict))
    with pytest.raises(Refused):
        desk.bus.run(SetStatus(other, "completed"), WHO)
    desk.cache.writer.run(lambda w: w.conflicts.decide(done.group, "mine", "Practitioner/k", DAY))
    desk.bus.run(SetStatus(other, "completed"), WHO)


def test_that_nothing_is_built_upon_what_the_record_refused(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    done = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    desk.send(done.group, settle=ActState.REJECTED)
    with pytest.raises(Refused, match="refused"):
        desk.bus.run(SetStatus(ref, "completed"), WHO)


def test_that_a_command_is_made_anew_when_a_page_came_between(desk: Desk) -> None:
    raw = desk.make.task("Patient/p", 0)
    ref = desk.synced(raw, "7")
    seen: list[str] = []

    def build(reading: Any, stamp: Any) -> Any:
        held = reading.get(ref)
        seen.append(held.version_id)
        if len(seen) == 1:
            desk.synced(raw | {"description": "changed by another"}, "8")
        return (Act("x", "Patient/p", (Change(held.raw | {"status": "completed"}, held),), L("Made")),)

    done = desk.bus.run(Any_(build), WHO)
    assert seen == ["7", "8"]
    (entry,) = desk.entries(done.group)
    assert (entry.base_version, entry.raw["description"]) == ("8", "changed by another")


# a double click


def test_that_the_same_command_run_twice_acts_once(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    command = SetStatus(ref, "completed")
    done = [None] * 4
    threads = [
        threading.Thread(target=lambda n=n: done.__setitem__(n, desk.bus.run(command, WHO))) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(done)) == 1
    assert len(desk.acts()) == 1
    desk.bus.run(SetStatus(ref, "completed"), WHO)
    assert len(desk.acts()) == 2


def test_that_a_command_that_failed_may_be_tried_again(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    command = SetStatus(ref, "completed")
    desk.forbidden = {"Task.u"}
    with pytest.raises(Refused):
        desk.bus.run(command, WHO)
    desk.forbidden = set()
    desk.bus.run(command, WHO)


def test_that_only_the_last_commands_are_remembered() -> None:
    once, ran = Once(), []
    commands = [object() for _ in range(300)]
    for command in commands:
        once.run(command, lambda: ran.append(1))  # type: ignore[arg-type]
    once.run(commands[-1], lambda: ran.append(1))  # type: ignore[arg-type]
    assert len(ran) == 300
    once.run(commands[0], lambda: ran.append(1))  # type: ignore[arg-type]
    assert len(ran) == 301


def test_that_a_command_is_handed_who_when_and_fresh_ids(desk: Desk) -> None:
    def build(reading: Any, stamp: Any) -> Any:
        assert (stamp.who, stamp.when) == (WHO, DAY)
        raws = [desk.make.task("Patient/p", 0) | {"id": stamp.new_id()} for _ in range(2)]
        return (Act("x", "Patient/p", tuple(Change(raw) for raw in raws), L("Made")),)

    done = desk.bus.run(Any_(build), WHO)
    assert len(done.refs) == 2


def test_that_op_ids_rise_even_when_the_clock_is_set_back(desk: Desk) -> None:
    from datetime import timedelta

    op_id = OpIds(desk.clock)
    made = [op_id() for _ in range(5000)]
    desk.clock.at -= timedelta(hours=1)
    made += [op_id() for _ in range(10)]
    assert made == sorted(set(made))
    assert {text[14] for text in made} == {"7"}
    assert {text[19] for text in made} <= set("89ab")


# reading


def test_that_a_reading_is_logged_once_a_quarter_of_an_hour(desk: Desk) -> None:
    from datetime import timedelta

    for query in ("patients.patient_header", "patients.patient_header", "homecare.visit_card"):
        desk.bus.record_read(WHO, "Patient/p", query)
    desk.bus.record_read(WHO, "", "homecare.my_day")
    events = desk.audit()
    assert [event["entity"][-1]["name"] for event in events] == [
        "patients.patient_header",
        "homecare.visit_card",
    ]
    event = events[0]
    assert (event["action"], event["recorded"]) == ("R", "2026-03-03T00:00:00.000Z")
    assert event["agent"][0]["who"]["reference"] == WHO.practitioner_ref
    assert event["agent"][0]["role"][0]["coding"][0]["code"] == "SP"
    assert event["agent"][1]["who"]["reference"] == WHO.workplace_ref
    assert [p for p in problems(event) if p.level == "error"] == []
    assert WHO.name not in orjson.dumps(event).decode()
    desk.clock.advance(timedelta(minutes=14))
    desk.bus.record_read(WHO, "Patient/p", "homecare.visit_card")
    assert len(desk.audit()) == 2
    desk.clock.advance(timedelta(minutes=2))
    desk.bus.record_read(WHO, "Patient/p", "homecare.visit_card")
    assert len(desk.audit()) == 3


def test_that_a_decision_about_the_workstation_is_logged_with_who_made_it(desk: Desk) -> None:
    desk.bus.record_decision(WHO, "resume_sync")
    (event,) = desk.audit()
    assert (event["action"], event["entity"][0]["name"]) == ("U", "resume_sync")
    assert event["agent"][0]["who"]["reference"] == WHO.practitioner_ref
    assert [p for p in problems(event) if p.level == "error"] == []


def test_that_a_reading_that_cannot_be_logged_is_told_in_the_log(desk: Desk, caplog: Any) -> None:
    desk.cache.writer.run(lambda w: w._driver.execute("ALTER TABLE audit RENAME TO hidden"))
    desk.bus.record_read(WHO, "Patient/p", "x")
    desk.cache.writer.run(lambda w: w._driver.execute("ALTER TABLE hidden RENAME TO audit"))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Patient" not in caplog.text
    desk.cache.writer.run(lambda w: None)
