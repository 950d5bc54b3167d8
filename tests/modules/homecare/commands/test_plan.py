"""Move, cancel and hand out visits; absence; notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.times import to_instant
from modules.homecare.commands import (
    AssignVisits,
    CancelVisit,
    MoveVisit,
    NotifyStaff,
    RecordAbsence,
    StartVisit,
)
from modules.homecare.rows import Move, VisitState
from modules.homecare.rules.visits import state_of, visit_of
from tests.modules.homecare.memory import NOW, Desk, at, role, task, visit, zone

V1 = "Appointment/v1"
TO_KARI = Move(
    appointment_ref=V1,
    patient_name="Ola Berg",
    title="Insulin",
    from_name="Silje Nygård",
    to_route_key="Schedule/r-kari",
    to_name="Kari Lunde",
    to_practitioner_refs=("Practitioner/kari",),
    start=at("08:15"),
    end=at("08:35"),
    order=2,
    travel_minutes=5,
    reason="",
)


def desk(*raws: dict) -> Desk:
    window = ("07:30", "09:00")
    return Desk(zone(*(raws or (visit("v1", window=window, travel=4, order=1), task("t1")))))


def test_that_a_moved_visit_is_closed_and_replaced() -> None:
    mine = desk()
    mine.do(MoveVisit(V1, at("11:00"), "Lege kl. 8"))
    assert state_of(mine.reading.rows[V1].raw) is VisitState.MOVED
    (new,) = mine.reading.find("Appointment", token=("replaces", V1))
    seen = visit_of(new)
    assert (seen.start, seen.minutes, seen.state) == (at("11:00"), 20, VisitState.OPEN)
    assert (seen.window_start, seen.window_end) == (at("10:30"), at("12:00"))
    assert seen.practitioner_refs == ("Practitioner/me",)
    carried = mine.reading.rows["Task/t1"].raw
    assert read.ref_at(carried, "focus") == new.ref
    assert read.start_of(carried) == at("11:00")


def test_that_on_another_day_nobody_has_it_yet() -> None:
    bare = task("t1")
    del bare["executionPeriod"]
    tag = {"tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}]}
    mine = desk(visit("v1", travel=4, order=1, meta=tag), bare)
    mine.do(MoveVisit(V1, at("08:00") + timedelta(days=1), "Bortreist"))
    (new,) = mine.reading.find("Appointment", token=("replaces", V1))
    seen = visit_of(new)
    assert (seen.state, seen.route_ref, seen.travel_minutes) == (VisitState.UNASSIGNED, "", None)
    assert seen.patient_ref == "Patient/ola"
    assert read.is_practice(new.raw)


def test_that_a_move_needs_a_reason_a_time_ahead_and_a_visit_not_begun() -> None:
    mine = desk()
    assert [p.field for p in mine.problems(MoveVisit(V1, NOW, " "))] == ["reason", "start"]
    assert [p.field for p in mine.problems(MoveVisit(V1, at("08:00"), "x"))] == ["start"]
    assert mine.problems(MoveVisit("Appointment/x", at("09:00"), "x"))
    mine.do(StartVisit(V1))
    assert mine.problems(MoveVisit(V1, at("09:00"), "x"))


def test_that_a_visit_without_a_start_can_be_given_one() -> None:
    loose = visit("v1", who=(), status="pending")
    for key in ("start", "end"):
        del loose[key]
    mine = desk(loose)
    mine.do(MoveVisit(V1, at("11:00"), "Planlagt"))
    assert len(list(mine.reading.find("Appointment", token=("replaces", V1)))) == 1


@pytest.mark.parametrize("by", ["by-user", "by-next-of-kin", "hospital", "died", "by-service"])
def test_that_a_cancelled_visit_says_by_whom(by: str) -> None:
    mine = desk()
    mine.do(CancelVisit(V1, by, "Streik" if by == "by-service" else ""))
    raw = mine.reading.rows[V1].raw
    assert state_of(raw) is VisitState.CANCELLED
    assert read.code_in(raw, "cancelationReason", codes.CODE_CANCEL) == by
    assert mine.reading.rows["Task/t1"].raw["status"] == "cancelled"


def test_that_nobody_cancels_without_saying_who_and_the_service_says_why() -> None:
    mine = desk()
    assert [p.field for p in mine.problems(CancelVisit(V1, "moved"))] == ["by"]
    assert [p.field for p in mine.problems(CancelVisit(V1, "by-service", " "))] == ["text"]


def test_that_giving_a_visit_away_changes_person_and_route_and_nothing_else() -> None:
    mine = desk()
    (act,) = mine.do(AssignVisits((TO_KARI,), "Silje er syk"))
    seen = visit_of(mine.reading.rows[V1])
    assert seen.practitioner_refs == ("Practitioner/kari",)
    assert (seen.route_ref, seen.order, seen.travel_minutes) == ("Schedule/r-kari", 2, 5)
    assert (seen.start, seen.end, seen.state) == (at("08:15"), at("08:35"), VisitState.OPEN)
    assert (seen.move_reason, seen.patient_ref) == ("Silje er syk", "Patient/ola")
    assert len(list(mine.reading.find("Appointment"))) == 1
    assert act.aggregate == "Patient/ola"
    assert "Ola" not in act.label.render()


def test_that_each_visit_is_an_act_of_its_own_and_the_unplaced_stay() -> None:
    mine = desk(visit("v1"), visit("v2", "09:00", of="eva", who=(), status="pending"))
    second = replace(TO_KARI, appointment_ref="Appointment/v2", order=0, travel_minutes=0, start=at("09:00"))
    left = replace(TO_KARI, appointment_ref="Appointment/v3", to_route_key="")
    acts = mine.do(AssignVisits((TO_KARI, second, left), "Ny dag"))
    assert [a.aggregate for a in acts] == ["Patient/ola", "Patient/eva"]
    eva = mine.reading.rows["Appointment/v2"].raw
    assert eva["status"] == "booked"
    assert {p["status"] for p in eva["participant"]} == {"accepted"}


def test_that_what_no_plan_may_break_is_refused() -> None:
    away = role("kari", "medication") | {
        "notAvailable": [
            {
                "description": "syk",
                "during": {"start": to_instant(at("07:00")), "end": to_instant(at("15:00"))},
            },
            {"description": "uten tid"},
        ]
    }
    mine = desk(visit("v1", needs=("wound", "insulin"), fixed=True, staff=2, wish="male", firm=True), away)
    fields = [p.field for p in mine.problems(AssignVisits((TO_KARI, TO_KARI), " "))]
    assert fields[:2] == ["reason", ""]
    assert fields.count(V1) == 10
    assert mine.problems(AssignVisits((), "x"))
    assert mine.problems(AssignVisits((replace(TO_KARI, appointment_ref="Appointment/x"),), "x"))
    mine.do(StartVisit(V1))
    assert mine.problems(AssignVisits((TO_KARI,), "x"))


def test_that_a_firm_wish_cannot_be_met_by_a_stranger() -> None:
    mine = desk(visit("v1", wish="female", firm=True))
    assert not mine.problems(AssignVisits((TO_KARI,), "x"))
    unknown = replace(TO_KARI, to_practitioner_refs=("Practitioner/who",))
    assert mine.problems(AssignVisits((unknown,), "x"))


def test_that_an_absence_that_is_over_bars_nobody() -> None:
    open_ended = {"description": "perm", "during": {"start": to_instant(at("09:00"))}}
    earlier = {"during": {"start": to_instant(at("06:00")), "end": to_instant(at("07:00"))}}
    mine = desk(visit("v1"), role("kari", "insulin") | {"notAvailable": [earlier, open_ended]})
    assert not mine.problems(AssignVisits((TO_KARI,), "x"))
    assert mine.problems(AssignVisits((replace(TO_KARI, end=at("09:30")),), "x"))


def test_that_an_absence_is_written_on_the_role_at_this_workplace() -> None:
    elsewhere = role("kari-2", workplace="Organization/a") | {
        "practitioner": {"reference": "Practitioner/kari"}
    }
    mine = desk(visit("v1"), elsewhere)
    mine.do(RecordAbsence("Practitioner/kari", at("07:00"), at("15:00"), "Syk"))
    (away,) = mine.reading.rows["PractitionerRole/kari"].raw["notAvailable"]
    assert away["description"] == "Syk"
    mine.do(RecordAbsence("Practitioner/kari", at("16:00"), at("17:00"), "Kurs"))
    assert len(mine.reading.rows["PractitionerRole/kari"].raw["notAvailable"]) == 2


def test_that_an_absence_needs_a_reason_an_order_and_a_person() -> None:
    mine = desk()
    command = RecordAbsence("Practitioner/who", at("15:00"), at("07:00"), "")
    assert [p.field for p in mine.problems(command)] == ["reason", "stop", ""]
    with pytest.raises(UserProblem):
        command.build(mine.reading, mine.stamp)


def test_that_everybody_whose_day_changed_gets_one_notice_without_names_of_users() -> None:
    mine = desk(visit("v1"), visit("v2", "09:00", of="eva"))
    both = replace(
        TO_KARI,
        appointment_ref="Appointment/v2",
        start=at("09:00"),
        to_practitioner_refs=("Practitioner/kari", "Practitioner/jonas"),
    )
    nobody = replace(TO_KARI, to_route_key="")
    acts = mine.do(NotifyStaff((TO_KARI, both, nobody)))
    notices = [act.changes[0].raw for act in acts]
    assert [read.owner_of(n) for n in notices] == ["Practitioner/kari", "Practitioner/jonas"]
    assert [len(n["input"]) for n in notices] == [2, 1]
    assert "08:15, 09:00" in notices[0]["description"]
    assert "Ola" not in str(notices)
    assert mine.problems(NotifyStaff((nobody,)))


def test_that_a_notice_about_a_visit_not_here_is_still_sent() -> None:
    mine = desk()
    acts = mine.do(NotifyStaff((replace(TO_KARI, appointment_ref="Appointment/x"),)))
    assert "meta" not in acts[0].changes[0].raw
