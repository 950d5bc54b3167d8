"""Tasks, follow-ups and replies."""

from __future__ import annotations

import pytest

from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.times import to_instant
from modules.homecare.commands import (
    CloseFollowUp,
    CompleteTask,
    ExceptTask,
    HandOverFollowUp,
    ReadReply,
    RecordNotHome,
)
from modules.homecare.rows import NotDone
from tests.modules.homecare.memory import Desk, at, task, visit, zone

T1 = "Task/t1"


def desk(*more: dict) -> Desk:
    return Desk(zone(visit("v1"), task("t1"), *more), at("08:10"))


def _follow_up(mine: Desk) -> str:
    mine.do(RecordNotHome("Appointment/v1"))
    return next(
        row.ref
        for row in mine.reading.find("Task")
        if read.has_code(row.raw, "code", codes.CODE_TASK, "call-next-of-kin")
    )


def test_that_a_ticked_task_says_who_and_when() -> None:
    mine = desk()
    mine.do(CompleteTask(T1))
    done = mine.reading.rows[T1].raw
    assert (done["status"], read.owner_of(done)) == ("completed", "Practitioner/me")
    assert done["lastModified"] == to_instant(at("08:10"))
    assert done["executionPeriod"] == task("t1")["executionPeriod"]
    assert mine.problems(CompleteTask(T1))


def test_that_a_postponed_task_is_owned_by_a_follow_up_and_can_be_done_later() -> None:
    mine = desk()
    mine.do(ExceptTask(T1, NotDone.POSTPONED))
    (owned,) = (row.raw for row in mine.reading.find("Task", token=("focus", T1)))
    assert (read.owner_of(owned), read.due_of(owned)) == ("Practitioner/me", at("10:10"))
    mine.do(CompleteTask(T1))
    assert "statusReason" not in mine.reading.rows[T1].raw


def test_that_other_needs_words() -> None:
    mine = desk()
    assert [p.field for p in mine.problems(ExceptTask(T1, NotDone.OTHER))] == ["text"]
    assert [p.field for p in mine.problems(ExceptTask(T1, NotDone.POSTPONED, due=at("08:00")))] == ["due"]


def test_that_a_task_without_a_user_is_its_own_chain() -> None:
    lone = task("t9")
    del lone["for"]
    mine = desk(lone)
    (act,) = mine.do(CompleteTask("Task/t9"))
    assert act.aggregate == "Task/t9"


def test_that_what_is_not_here_is_told() -> None:
    mine = desk()
    for command in (
        CompleteTask("Task/x"),
        ExceptTask("Task/x", NotDone.REFUSED),
        CloseFollowUp("Task/x"),
        HandOverFollowUp("Task/x", "Practitioner/kari"),
        ReadReply("Communication/x"),
    ):
        assert mine.problems(command)
        with pytest.raises(UserProblem):
            command.build(mine.reading, mine.stamp)


def test_that_a_follow_up_is_closed_with_words_or_handed_over_but_never_excepted() -> None:
    mine = desk()
    ref = _follow_up(mine)
    assert mine.problems(ExceptTask(ref, NotDone.NOT_NEEDED))
    mine.do(HandOverFollowUp(ref, "Practitioner/kari", at("12:00")))
    held = mine.reading.rows[ref].raw
    assert (read.owner_of(held), read.due_of(held)) == ("Practitioner/kari", at("12:00"))
    mine.do(CloseFollowUp(ref, "Svarte på telefon"))
    notes = [note["text"] for note in mine.reading.rows[ref].raw["note"]]
    assert notes[-1] == "Svarte på telefon"
    assert len(notes) == 2
    assert mine.problems(CloseFollowUp(ref))


def test_that_a_hand_over_needs_somebody_and_a_time_ahead() -> None:
    mine = desk()
    ref = _follow_up(mine)
    assert [p.field for p in mine.problems(HandOverFollowUp(ref, "", at("07:00")))] == ["owner", "due"]
    mine.do(HandOverFollowUp(ref, "Practitioner/kari"))
    assert read.due_of(mine.reading.rows[ref].raw) == at("08:20")
    bare = task("t8", code={"coding": [{"system": codes.CODE_TASK, "code": "follow-up"}]})
    mine.reading.put(bare)
    mine.do(HandOverFollowUp("Task/t8", "Practitioner/kari"))
    assert "restriction" not in mine.reading.rows["Task/t8"].raw


def test_that_closing_without_words_adds_no_note() -> None:
    mine = desk()
    ref = _follow_up(mine)
    mine.do(CloseFollowUp(ref))
    assert "note" not in mine.reading.rows[ref].raw


def test_that_a_reply_is_read_once() -> None:
    reply = {
        "resourceType": "Communication",
        "id": "c1",
        "status": "in-progress",
        "subject": {"reference": "Patient/ola"},
        "recipient": [{"reference": "Practitioner/me"}],
    }
    mine = desk(reply, {**reply, "id": "c2", "subject": {"display": "?"}})
    (act,) = mine.do(ReadReply("Communication/c1"))
    assert act.aggregate == "Patient/ola"
    assert mine.problems(ReadReply("Communication/c1"))
    (other,) = mine.do(ReadReply("Communication/c2"))
    assert other.aggregate == "Communication/c2"
