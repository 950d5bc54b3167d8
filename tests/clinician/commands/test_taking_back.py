"""Undo: withdrawn while unsent, afterwards a correcting act, never a deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from clinician.cache.acts import ActState
from clinician.cache.reading import RowState
from clinician.cache.recalled import doubtful
from clinician.cache.synced import Evidence, Why
from clinician.commands.act import Done
from clinician.commands.correction import CorrectAct, taken_back
from clinician.errors import Refused, UserProblem
from clinician.fhir.read import without_meta
from clinician.fhir.validation import problems
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.commands.desk import OTHER, WHO, Desk, Make, SetStatus


def states(desk: Desk) -> list[ActState]:
    return [act.state for act in desk.acts()]


def test_that_unsent_work_is_withdrawn_whole_and_leaves_no_trace_on_the_screen(desk: Desk) -> None:
    raws = tuple(desk.make.observation("Patient/p", 0) for _ in range(3))
    command = Make(raws)
    done = desk.bus.run(command, WHO)
    back = desk.bus.undo(done, WHO)
    assert states(desk) == [ActState.WITHDRAWN] * 3
    assert all(desk.get(ref) is None for ref in done.refs)
    assert (back.op_ids, back.refs, back.group) == ((), done.refs, done.group)
    assert str(back.label.params["what"].msgid) == "Made"
    assert desk.heard[-1].origin == done.group
    assert [event["entity"][-1]["name"] for event in desk.audit()][3:] == ["withdraw make"] * 3
    with pytest.raises(UserProblem):
        desk.bus.undo(done, WHO)
    again = desk.bus.run(command, WHO)
    assert again != done


def test_that_a_sent_change_gets_its_old_body_back_by_a_new_act(desk: Desk) -> None:
    raw = desk.make.task("Patient/p", 0) | {"status": "ready"}
    ref = desk.synced(raw, "1")
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.send(done.group)
    back = desk.bus.undo(done, WHO)
    found = desk.get(ref)
    assert without_meta(found.raw) == without_meta(raw)
    assert (found.version_id, found.state) == ("2", RowState.QUEUED)
    correction = desk.acts()[1]
    assert (correction.corrects, correction.kind, back.op_ids) == (done.group, "correct", (correction.op_id,))
    bundle = orjson.loads(desk.cache.writer.run(lambda w: w.outbox.bundle(correction.op_id)))
    assert bundle["entry"][0]["request"]["ifMatch"] == 'W/"2"'
    with pytest.raises(UserProblem):
        desk.bus.undo(done, WHO)


def test_that_an_undo_can_itself_be_undone(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0) | {"status": "ready"})
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.send(done.group)
    back = desk.bus.undo(done, WHO)
    desk.bus.undo(back, WHO)
    assert desk.get(ref).raw["status"] == "completed"
    back = desk.bus.undo(done, WHO)
    desk.send(back.group, version="3")
    assert desk.get(ref).raw["status"] == "ready"
    desk.bus.undo(back, WHO)
    assert desk.get(ref).raw["status"] == "completed"


def test_that_what_is_on_its_way_is_corrected_behind_it(desk: Desk) -> None:
    raw = desk.make.observation("Patient/p", 0)
    done = desk.bus.run(Make((raw,)), WHO)
    desk.send(done.group, settle=ActState.SENDING)
    desk.bus.undo(done, WHO)
    correction = desk.acts()[1]
    assert correction.depends_on == (done.group,)
    assert desk.get(f"Observation/{raw['id']}").raw["status"] == "entered-in-error"


def test_that_a_group_half_sent_is_taken_back_whole(desk: Desk) -> None:
    raws = tuple(desk.make.observation("Patient/p", 0) for _ in range(2))
    done = desk.bus.run(Make(raws), WHO)
    desk.send(done.op_ids[0])
    back = desk.bus.undo(done, WHO)
    assert states(desk) == [ActState.APPLIED, ActState.WITHDRAWN, ActState.QUEUED]
    assert len(back.op_ids) == 1
    assert desk.get(f"Observation/{raws[0]['id']}").raw["status"] == "entered-in-error"
    assert desk.get(f"Observation/{raws[1]['id']}") is None


def test_that_what_somebody_changed_since_is_not_taken_back(desk: Desk) -> None:
    raw = desk.make.task("Patient/p", 0) | {"status": "ready"}
    ref = desk.synced(raw)
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.send(done.group)
    desk.synced(raw | {"status": "completed", "description": "by another"}, "3")
    with pytest.raises(UserProblem):
        desk.bus.undo(done, WHO)
    assert states(desk) == [ActState.APPLIED]
    assert desk.get(ref).raw["description"] == "by another"


def test_that_words_the_record_added_do_not_stop_an_undo(desk: Desk) -> None:
    raw = desk.make.task("Patient/p", 0) | {"status": "ready"}
    ref = desk.synced(raw)
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)

    def answer(writing: Any) -> None:
        writing.outbox.transition(done.group, ActState.QUEUED, ActState.SENDING, sent_at=DAY)
        added = raw | {"status": "completed", "owner": raw["owner"] | {"display": "Kari"}}
        writing.put_synced([row(added, "2")])
        writing.outbox.applied(done.group, {ref: "2"})

    desk.cache.writer.run(answer)
    desk.bus.undo(done, WHO)
    assert desk.get(ref).raw["status"] == "ready"


def test_that_what_is_gone_or_cannot_be_taken_back_is_told(desk: Desk) -> None:
    raw = desk.make.base("Basic", code={"text": "x"}, subject={"reference": "Patient/p"})
    done = desk.bus.run(Make((raw,)), WHO)
    desk.send(done.group)
    with pytest.raises(UserProblem, match="Basic"):
        desk.bus.undo(done, WHO)
    desk.cache.writer.run(lambda w: w.remove_synced(f"Basic/{raw['id']}", Evidence(Why.AGED_OUT, DAY)))
    with pytest.raises(UserProblem, match="Basic"):
        desk.bus.undo(done, WHO)


def test_that_a_conflict_is_decided_before_anything_is_taken_back(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.send(done.group, settle=ActState.CONFLICT)
    with pytest.raises(UserProblem):
        desk.bus.undo(done, WHO)


def test_that_later_work_upon_it_is_taken_back_first(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    first = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    second = desk.bus.run(SetStatus(ref, "completed"), WHO)
    for take in (lambda: desk.bus.undo(first, WHO), lambda: desk.bus.withdraw(first.group, WHO)):
        with pytest.raises(UserProblem):
            take()
    desk.bus.undo(second, WHO)
    desk.bus.withdraw(first.group, WHO)
    assert states(desk) == [ActState.WITHDRAWN] * 2
    assert desk.heard[-1].origin == first.group


def test_that_a_refused_act_may_be_withdrawn_but_not_one_on_its_way(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0) | {"status": "ready"})
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.send(done.group, settle=ActState.UNKNOWN)
    for op_id in (done.group, "nobody"):
        with pytest.raises(UserProblem):
            desk.bus.withdraw(op_id, WHO)
    desk.cache.writer.run(
        lambda w: w.outbox.transition(done.group, ActState.UNKNOWN, ActState.REJECTED, status=422)
    )
    desk.bus.withdraw(done.group, WHO)
    assert desk.get(ref).raw["status"] == "ready"


def test_that_only_what_was_set_aside_is_asked_after_once_it_is_taken_back(desk: Desk) -> None:
    for settle, asked in ((ActState.REJECTED, False), (ActState.PARKED, True)):
        done = desk.bus.run(Make((desk.make.observation("Patient/p", 0),)), WHO)
        desk.send(done.group, settle=settle)
        desk.bus.withdraw(done.group, WHO)
        assert (done.group in desk.cache.writer.run(lambda w: doubtful(w.keep))) is asked


def test_that_other_peoples_unsent_work_is_taken_back_only_by_who_may_change_it(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    done = desk.bus.run(SetStatus(ref, "completed"), WHO)
    desk.forbidden = {"Task.u"}
    with pytest.raises(Refused):
        desk.bus.withdraw(done.group, OTHER)
    desk.bus.withdraw(done.group, WHO)
    desk.forbidden = set()
    again = desk.bus.run(SetStatus(ref, "failed"), WHO)
    desk.bus.withdraw(again.group, OTHER)
    assert states(desk) == [ActState.WITHDRAWN] * 2


def test_that_a_correction_needs_the_right_to_change(desk: Desk) -> None:
    raw = desk.make.observation("Patient/p", 0)
    done = desk.bus.run(Make((raw,)), WHO)
    desk.send(done.group)
    desk.forbidden = {"Observation.u"}
    with pytest.raises(Refused):
        desk.bus.undo(done, WHO)


def test_that_an_act_can_be_corrected_by_its_id_alone(desk: Desk) -> None:
    raw = desk.make.observation("Patient/p", 0)
    raw.pop("meta")
    done = desk.bus.run(Make((raw,)), WHO)
    desk.bus.run(CorrectAct(done.group), WHO)
    assert desk.get(f"Observation/{raw['id']}").raw["status"] == "entered-in-error"
    task = desk.make.task("Patient/p", 0) | {"status": "ready"}
    task.pop("meta")
    made = desk.bus.run(Make((task,)), WHO)
    changed = desk.bus.run(SetStatus(f"Task/{task['id']}", "completed"), WHO)
    desk.bus.run(CorrectAct(changed.group), WHO)
    assert desk.get(f"Task/{task['id']}").raw == task
    assert made.group


def test_that_without_a_workplace_nobody_is_said_to_be_acted_for(desk: Desk) -> None:
    done = desk.bus.run(Make((desk.make.observation("Patient/p", 0),)), OTHER)
    provenance = desk.cache.writer.run(lambda w: w.outbox.provenance(done.group))
    assert "onBehalfOf" not in provenance["agent"][0]
    (event,) = desk.audit()
    assert len(event["agent"]) == 1
    assert "role" not in event["agent"][0]


@pytest.mark.parametrize("kind", ["appointment", "task", "observation", "note", "encounter", "episode"])
def test_that_what_is_taken_back_is_entered_in_error_and_still_valid(kind: str) -> None:
    maker = Maker(3)
    raw = getattr(maker, kind)(
        *{"encounter": ("Patient/p", 0, "Appointment/a"), "episode": ("Patient/p",)}.get(
            kind, ("Patient/p", 0)
        )
    )
    back = taken_back(raw | {"cancelationReason": {"text": "x"}} if kind == "appointment" else raw)
    assert back["status"] == "entered-in-error"
    assert [p for p in problems(back) if p.level == "error"] == []


def test_that_types_without_such_a_status_are_taken_back_their_own_way() -> None:
    subject = {"reference": "Patient/p"}
    condition = {
        "resourceType": "Condition",
        "id": "1",
        "subject": subject,
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }
    back = taken_back(condition)
    assert "clinicalStatus" not in back
    assert back["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert [p for p in problems(back) if p.level == "error"] == []
    assert taken_back({"resourceType": "Patient", "id": "1"})["active"] is False
    assert taken_back({"resourceType": "Location", "id": "1"})["status"] == "inactive"
    assert taken_back({"resourceType": "Goal", "id": "1"})["lifecycleStatus"] == "entered-in-error"
    assert taken_back({"resourceType": "Provenance", "id": "1"}) is None


def test_that_an_undo_of_nothing_is_told(desk: Desk) -> None:
    with pytest.raises(UserProblem):
        desk.bus.undo(Done("nobody", (), frozenset()), WHO)
    assert desk.clock.now() < DAY + timedelta(days=1)
