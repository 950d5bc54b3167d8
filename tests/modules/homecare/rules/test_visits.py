"""A visit's state, its place in the day and the sums."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinician.fhir import codes
from clinician.fhir.times import to_instant
from clinician.queries.query import Cached, Raw, RowState
from modules.homecare.rows import Section, VisitState
from modules.homecare.rules.visits import (
    Visit,
    actual_times,
    is_overdue,
    late_minutes,
    section_of,
    state_of,
    sums_of,
    visit_of,
)
from tests.modules.homecare.memory import DAY, NOW, at, visit


def seen(raw: Raw) -> Visit:
    return visit_of(
        Cached(f"Appointment/{raw['id']}", "Appointment", raw["id"], "1", RowState.CONFIRMED, raw)
    )


def _reason(system: str, code: str) -> Raw:
    return {"cancelationReason": {"coding": [{"system": system, "code": code}]}}


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (visit("v", who=(), status="pending"), VisitState.UNASSIGNED),
        (visit("v", status="pending"), VisitState.OPEN),
        (visit("v"), VisitState.OPEN),
        (visit("v", who=()), VisitState.UNASSIGNED),
        (visit("v", status="arrived"), VisitState.IN_PROGRESS),
        (visit("v", status="checked-in"), VisitState.IN_PROGRESS),
        (visit("v", status="fulfilled"), VisitState.DONE),
        (visit("v", status="noshow"), VisitState.NOT_HOME),
        (visit("v", status="cancelled"), VisitState.CANCELLED),
        (visit("v", status="cancelled", **_reason(codes.CODE_CANCEL, "hospital")), VisitState.CANCELLED),
        (visit("v", status="cancelled", **_reason(codes.CODE_CANCEL, "moved")), VisitState.MOVED),
        (visit("v", status="cancelled", **_reason(codes.CODE_NOT_DONE, "refused")), VisitState.NOT_DONE),
        (visit("v", status="cancelled", **_reason(codes.CODE_NOT_DONE, "not-home")), VisitState.NOT_HOME),
        (visit("v", status="entered-in-error"), VisitState.CANCELLED),
        (visit("v", status="new-in-r9"), VisitState.OPEN),
        ({"resourceType": "Appointment", "id": "v"}, VisitState.UNASSIGNED),
    ],
)
def test_that_every_appointment_has_one_state(raw: Raw, state: VisitState) -> None:
    assert state_of(raw) is state


def test_that_a_person_who_declined_does_not_have_the_visit() -> None:
    raw = visit("v")
    raw["participant"][1]["status"] = "declined"
    assert state_of(raw) is VisitState.UNASSIGNED


def test_that_a_visit_without_an_end_gets_its_minutes_or_a_quarter() -> None:
    raw = visit("v", minutes=40)
    del raw["end"]
    assert seen(raw).minutes == 40
    del raw["minutesDuration"]
    assert seen(raw).minutes == 15
    assert seen(raw | {"start": "rubbish"}).minutes == 0


def test_that_wrong_extension_values_are_absent() -> None:
    raw = visit("v") | {
        "extension": [
            {"url": codes.EXT_ROUTE, "valueString": "x"},
            {"url": codes.EXT_ROUTE_ORDER, "valueBoolean": True},
            {"url": codes.EXT_WISH, "valueInteger": 1},
            {"url": codes.EXT_STAFF_COUNT, "valuePositiveInt": 0},
        ]
    }
    found = seen(raw)
    assert (found.route_ref, found.order, found.wish, found.staff_count) == ("", 0, "", 1)


def test_that_late_counts_from_the_plan_once_the_window_is_closed() -> None:
    found = seen(visit("v", "08:00", window=("07:30", "08:30")))
    assert late_minutes(found, at("08:30")) == 0
    assert late_minutes(found, at("08:31")) == 31
    assert late_minutes(seen(visit("v", "08:00")), at("08:15")) == 0
    assert late_minutes(seen(visit("v", "08:00")), at("08:16")) == 16
    assert late_minutes(seen(visit("v", "08:00", fixed=True)), at("08:01")) == 1
    assert late_minutes(seen(visit("v", "08:00", status="arrived")), at("12:00")) == 0
    assert late_minutes(seen(visit("v", "08:00", status="fulfilled")), at("12:00")) == 0
    assert late_minutes(seen({"resourceType": "Appointment", "id": "v"}), at("12:00")) == 0


def test_that_past_due_means_end_and_window_have_passed() -> None:
    found = seen(visit("v", "08:00", 20, window=("07:30", "09:00")))
    assert not is_overdue(found, at("08:50"))
    assert is_overdue(found, at("09:01"))
    assert not is_overdue(seen(visit("v", "08:00", status="arrived")), at("12:00"))
    assert not is_overdue(seen({"resourceType": "Appointment", "id": "v"}), at("12:00"))


@pytest.mark.parametrize(
    ("raw", "clock", "first", "section"),
    [
        (visit("v", "08:00"), "07:10", True, Section.NEXT),
        (visit("v", "08:00"), "07:10", False, Section.LATER),
        (visit("v", "08:00"), "07:50", False, Section.NOW),
        (visit("v", "08:00"), "09:00", True, Section.OVERDUE),
        (visit("v", "08:00", status="arrived"), "12:00", False, Section.NOW),
        (visit("v", "08:00", status="fulfilled"), "12:00", False, Section.DONE),
        ({"resourceType": "Appointment", "id": "v"}, "12:00", False, Section.LATER),
    ],
)
def test_that_each_visit_stands_in_one_section(raw: Raw, clock: str, first: bool, section: Section) -> None:
    assert section_of(seen(raw), at(clock), is_first_waiting=first) is section


def test_that_a_change_is_told_only_when_the_record_changed_the_plan() -> None:
    stamped = {"versionId": "3", "lastUpdated": to_instant(NOW)}
    assert seen(visit("v", meta=stamped)).changed == NOW
    assert seen(visit("v", meta=stamped | {"versionId": "1"})).changed is None
    assert seen(visit("v", meta={"versionId": "3"})).changed is None
    assert seen(visit("v", meta=stamped, created=to_instant(NOW))).changed is None
    without_created = visit("v", meta=stamped)
    del without_created["created"]
    assert seen(without_created).changed == NOW


def test_that_the_sum_holds_with_every_state() -> None:
    raws = [
        visit("a"),
        visit("b", who=(), status="pending"),
        visit("c", status="arrived"),
        visit("d", status="fulfilled"),
        visit("e", status="noshow"),
        visit("f", status="cancelled", **_reason(codes.CODE_NOT_DONE, "other")),
        visit("g", status="cancelled", **_reason(codes.CODE_CANCEL, "moved")),
        visit("h", status="cancelled", **_reason(codes.CODE_CANCEL, "died")),
    ]
    sums = sums_of([seen(raw) for raw in raws], at("12:00"))
    assert (sums.planned, sums.done, sums.not_done, sums.moved, sums.cancelled, sums.open) == (
        8,
        1,
        2,
        1,
        1,
        3,
    )
    assert sums.overdue == 2


def test_that_a_visit_ticked_as_planned_gets_believable_times() -> None:
    found = seen(visit("v", "08:00", 20))
    assert actual_times(found, at("08:05"), at("08:22")) == (at("08:05"), at("08:22"))
    assert actual_times(found, None, at("14:50")) == (at("08:00"), at("08:20"))
    assert actual_times(found, None, at("08:25")) == (at("08:00"), at("08:25"))
    assert actual_times(found, None, at("07:40")) == (at("07:20"), at("07:40"))
    assert actual_times(found, at("09:00"), at("08:25")) == (at("08:00"), at("08:25"))
    start, stop = actual_times(found, None, at("08:00") + timedelta(seconds=5))
    assert stop - start == timedelta(minutes=1)
    start, stop = actual_times(seen({"resourceType": "Appointment", "id": "v"}), None, NOW)
    assert (start, stop) == (NOW - timedelta(minutes=1), NOW)
    assert start.date() == DAY
