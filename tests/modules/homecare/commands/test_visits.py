"""Start, complete and except a visit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinician.access.who import Who
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.queries.query import RowState
from modules.homecare.commands import CompleteVisit, ExceptTask, ExceptVisit, RecordNotHome, StartVisit
from modules.homecare.rows import NotDone, VisitState
from modules.homecare.rules.visits import state_of
from tests.modules.homecare.memory import ME, NOW, Desk, MemoryReading, at, task, visit, zone

V1 = "Appointment/v1"
NOBODY = Who("", "", "", "", "", "")


def desk(*raws: dict, clock: str = "08:10") -> Desk:
    return Desk(zone(*(raws or (visit("v1"), task("t1"), task("t2", measure="wound")))), at(clock))


def encounters(reading: MemoryReading) -> list[dict]:
    return [row.raw for row in reading.find("Encounter")]


def status_of(reading: MemoryReading, ref: str) -> str:
    cached = reading.get(ref)
    assert cached is not None
    return str(cached.raw["status"])


def follow_ups(reading: MemoryReading) -> list[dict]:
    found = [row.raw for row in reading.find("Task")]
    return [t for t in found if read.code_in(t, "code", codes.CODE_TASK) not in ("", "measure")]


def test_that_one_command_closes_visit_encounter_and_tasks() -> None:
    mine = desk()
    (act,) = mine.do(CompleteVisit(V1))
    assert status_of(mine.reading, V1) == "fulfilled"
    (encounter,) = encounters(mine.reading)
    assert encounter["status"] == "finished"
    assert read.start_of(encounter) == at("08:00")
    assert read.end_of(encounter) == at("08:10")
    assert [status_of(mine.reading, f"Task/{key}") for key in ("t1", "t2")] == ["completed", "completed"]
    assert act.aggregate == "Patient/ola"
    assert "Berg" not in act.label.render()


def test_that_a_task_with_a_reason_keeps_it() -> None:
    mine = desk()
    mine.do(ExceptTask("Task/t1", NotDone.REFUSED))
    mine.do(CompleteVisit(V1))
    assert status_of(mine.reading, "Task/t1") == "rejected"
    assert status_of(mine.reading, "Task/t2") == "completed"


def test_that_a_completed_visit_is_a_problem_and_no_second_encounter() -> None:
    mine = desk()
    mine.do(CompleteVisit(V1))
    with pytest.raises(UserProblem):
        mine.do(CompleteVisit(V1))
    assert len(encounters(mine.reading)) == 1


def test_that_the_time_at_the_door_is_kept() -> None:
    mine = desk(clock="07:58")
    mine.do(StartVisit(V1))
    assert state_of(mine.reading.rows[V1].raw) is VisitState.IN_PROGRESS
    mine.now = at("08:21")
    mine.do(CompleteVisit(V1))
    (encounter,) = encounters(mine.reading)
    assert (read.start_of(encounter), read.end_of(encounter)) == (at("07:58"), at("08:21"))


def test_that_a_visit_begins_once() -> None:
    mine = desk()
    mine.do(StartVisit(V1))
    assert mine.problems(StartVisit(V1))
    mine.do(CompleteVisit(V1))
    assert mine.problems(StartVisit(V1))


def test_that_given_times_are_used_and_nonsense_is_refused() -> None:
    mine = desk(clock="10:00")
    assert [p.field for p in mine.problems(CompleteVisit(V1, stop=at("11:00")))] == ["stop"]
    assert [p.field for p in mine.problems(CompleteVisit(V1, at("09:00"), at("08:00")))] == ["stop"]
    assert [
        p.field for p in mine.problems(CompleteVisit(V1, at("08:00") - timedelta(days=2), at("09:00")))
    ] == ["start"]
    mine.do(CompleteVisit(V1, at("08:05"), at("08:40")))
    (encounter,) = encounters(mine.reading)
    assert (read.start_of(encounter), read.end_of(encounter)) == (at("08:05"), at("08:40"))


def test_that_two_on_a_visit_are_both_written_and_a_stranger_writes_only_himself() -> None:
    both = desk(visit("v1", who=("me", "kari"), staff=2))
    both.do(CompleteVisit(V1))
    assert read.refs(encounters(both.reading)[0], "participant.individual") == (
        "Practitioner/me",
        "Practitioner/kari",
    )
    stood_in = desk(visit("v1", who=("kari",)))
    stood_in.do(CompleteVisit(V1))
    assert read.refs(encounters(stood_in.reading)[0], "participant.individual") == ("Practitioner/me",)


def test_that_what_is_not_here_is_told_and_not_built() -> None:
    mine = desk()
    for command in (
        StartVisit("Appointment/x"),
        CompleteVisit("Appointment/x"),
        RecordNotHome("Appointment/x"),
    ):
        assert mine.problems(command)
        with pytest.raises(UserProblem):
            command.build(mine.reading, mine.stamp)


def test_that_a_visit_without_a_user_or_a_workplace_can_be_closed() -> None:
    raw = visit("v1")
    raw["participant"] = raw["participant"][1:]
    mine = desk(raw)
    mine.who = Who(ME.practitioner_ref, "", "", "", "", "")
    (act,) = mine.do(CompleteVisit(V1))
    assert act.aggregate == V1
    assert "subject" not in encounters(mine.reading)[0]


def test_that_practice_stays_marked_as_practice() -> None:
    tag = {"tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}]}
    mine = desk(visit("v1", meta=tag))
    mine.do(CompleteVisit(V1))
    assert read.is_practice(encounters(mine.reading)[0])


def test_that_not_home_makes_a_chain_that_somebody_owns() -> None:
    mine = desk()
    mine.do(RecordNotHome(V1))
    assert state_of(mine.reading.rows[V1].raw) is VisitState.NOT_HOME
    assert status_of(mine.reading, "Task/t1") == "cancelled"
    chain = follow_ups(mine.reading)
    kinds = {read.code_in(t, "code", codes.CODE_TASK): t for t in chain}
    assert set(kinds) == {"call-next-of-kin", "try-again", "follow-up"}
    assert {read.owner_of(t) for t in chain} == {"Practitioner/me"}
    assert read.due_of(kinds["call-next-of-kin"]) == at("08:20")
    assert read.due_of(kinds["try-again"]) == at("09:10")
    assert read.due_of(kinds["follow-up"]) == at("09:25")
    assert all(t["focus"]["reference"] == V1 for t in chain)


def test_that_the_next_try_comes_before_the_window_closes() -> None:
    mine = desk(visit("v1", window=("07:30", "08:40")))
    mine.do(RecordNotHome(V1))
    again = [t for t in follow_ups(mine.reading) if read.has_code(t, "code", codes.CODE_TASK, "try-again")]
    assert read.due_of(again[0]) == at("08:40")


def test_that_whom_is_called_already_is_written_as_done() -> None:
    mine = desk()
    mine.do(RecordNotHome(V1, "Practitioner/kari", called=("user", "next-of-kin"), try_again=at("11:00")))
    by = {read.code_in(t, "code", codes.CODE_TASK): t for t in follow_ups(mine.reading)}
    assert by["call-next-of-kin"]["status"] == "completed"
    assert by["try-again"]["note"][0]["authorReference"] == {"reference": "Practitioner/me"}
    assert read.due_of(by["try-again"]) == at("11:00")
    assert read.owner_of(by["follow-up"]) == "Practitioner/kari"


def test_that_no_follow_up_is_left_without_an_owner() -> None:
    mine = desk()
    mine.who = NOBODY
    assert [p.field for p in mine.problems(RecordNotHome(V1))] == ["owner"]
    with pytest.raises(UserProblem):
        RecordNotHome(V1).build(mine.reading, mine.stamp)


def test_that_bad_input_to_not_home_is_told_all_at_once() -> None:
    mine = desk()
    command = RecordNotHome(V1, called=("the-king",), try_again=at("07:00"))
    assert [p.field for p in mine.problems(command)] == ["try_again", "called"]


def test_that_a_begun_visit_that_came_to_nothing_closes_its_encounter() -> None:
    mine = desk()
    mine.do(StartVisit(V1))
    mine.do(RecordNotHome(V1))
    (encounter,) = encounters(mine.reading)
    assert encounter["status"] == "cancelled"
    assert read.end_of(encounter) == at("08:10")


@pytest.mark.parametrize(
    ("reason", "task_status"),
    [
        (NotDone.REFUSED, "rejected"),
        (NotDone.NOT_NEEDED, "cancelled"),
        (NotDone.OTHER, "cancelled"),
        (NotDone.POSTPONED, "on-hold"),
    ],
)
def test_that_each_exception_keeps_its_reason(reason: NotDone, task_status: str) -> None:
    mine = desk()
    mine.do(ExceptVisit(V1, reason, "sov"))
    appointment = mine.reading.rows[V1].raw
    assert state_of(appointment) is VisitState.NOT_DONE
    assert read.code_in(appointment, "cancelationReason", codes.CODE_NOT_DONE) == reason.value
    held = mine.reading.rows["Task/t1"].raw
    assert held["status"] == task_status
    assert read.code_in(held, "statusReason", codes.CODE_NOT_DONE) == reason.value
    assert held["statusReason"]["text"] == "sov"
    assert bool(follow_ups(mine.reading)) is (reason is NotDone.POSTPONED)


def test_that_a_postponed_visit_is_owned_and_due() -> None:
    mine = desk()
    mine.do(ExceptVisit(V1, NotDone.POSTPONED, owner_ref="Practitioner/kari", due=at("13:00")))
    (owned,) = follow_ups(mine.reading)
    assert (read.owner_of(owned), read.due_of(owned)) == ("Practitioner/kari", at("13:00"))


def test_that_not_home_by_exception_is_the_same_chain() -> None:
    mine = desk()
    assert not mine.problems(ExceptVisit(V1, NotDone.NOT_HOME))
    mine.do(ExceptVisit(V1, NotDone.NOT_HOME, due=at("12:00")))
    assert len(follow_ups(mine.reading)) == 3


def test_that_other_needs_words_and_postponed_an_owner_and_a_time_ahead() -> None:
    mine = desk()
    assert [p.field for p in mine.problems(ExceptVisit(V1, NotDone.OTHER, " "))] == ["text"]
    assert [p.field for p in mine.problems(ExceptVisit(V1, NotDone.POSTPONED, due=at("07:00")))] == ["due"]
    mine.who = NOBODY
    assert [p.field for p in mine.problems(ExceptVisit(V1, NotDone.POSTPONED))] == ["owner"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("fulfilled", None), ("cancelled", "moved"), ("cancelled", "hospital"), ("noshow", None)],
)
def test_that_a_closed_visit_stays_closed(status: str, reason: str | None) -> None:
    why = {"cancelationReason": {"coding": [{"system": codes.CODE_CANCEL, "code": reason}]}} if reason else {}
    mine = desk(visit("v1", status=status, **why))
    for command in (CompleteVisit(V1), RecordNotHome(V1), ExceptVisit(V1, NotDone.REFUSED), StartVisit(V1)):
        assert mine.problems(command), command


def test_that_a_double_press_writes_nothing_more() -> None:
    mine = desk()
    mine.do(RecordNotHome(V1))
    before = dict(mine.reading.rows)
    assert mine.problems(RecordNotHome(V1))
    assert mine.reading.rows == before
    assert all(row.state is RowState.QUEUED for row in mine.reading.find("Appointment"))
    assert mine.now > NOW
