"""Who may take a visit: what filters and what only ranks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from modules.homecare.rules.planning import (
    Call,
    Person,
    PlanningProblem,
    Why,
    free_start,
    main_reason,
    overlaps,
    start_spans,
    why_not,
    window_of,
)
from modules.homecare.rules.travel import UNKNOWN_MINUTES, distance_km, travel_minutes
from tests.modules.homecare.memory import NOW, at

HERE, THERE = (63.75, 11.30), (63.76, 11.32)
KARI = Person(
    "Schedule/k",
    "Practitioner/kari",
    "Kari",
    "female",
    frozenset({"SP", "insulin"}),
    (at("07:15"), at("15:00")),
)
CALL = Call(
    ref="Appointment/v",
    patient_ref="Patient/p",
    patient_name="Ola",
    title="Insulin",
    start=at("08:00"),
    minutes=20,
    window=(at("07:30"), at("08:30")),
    is_fixed=False,
    staff_count=1,
    needs=frozenset({"insulin"}),
    wish="",
    is_wish_firm=False,
    position=HERE,
    route_ref="",
    practitioner_refs=(),
    is_pinned=False,
)


def test_that_the_crow_flies_and_the_car_drives() -> None:
    assert distance_km((60.0, 10.0), (61.0, 10.0)) == pytest.approx(111.19, abs=0.1)
    assert travel_minutes(HERE, HERE) == 0
    assert travel_minutes(None, HERE) == UNKNOWN_MINUTES
    assert 3 <= travel_minutes(HERE, THERE) <= 8


@pytest.mark.parametrize(
    ("person", "call", "why"),
    [
        (KARI, CALL, None),
        (replace(KARI, holds=frozenset({"SP"})), CALL, Why.COMPETENCE),
        (KARI, replace(CALL, wish="male", is_wish_firm=True), Why.WISH),
        (KARI, replace(CALL, wish="male"), None),
        (KARI, replace(CALL, wish="female", is_wish_firm=True), None),
        (KARI, replace(CALL, window=(at("06:00"), at("07:00"))), Why.PASSED),
        (replace(KARI, shift=(at("15:00"), at("22:00"))), CALL, Why.SHIFT),
        (replace(KARI, absences=((at("07:00"), at("12:00")),)), CALL, Why.ABSENT),
        (replace(KARI, absences=((at("08:10"), at("12:00")),)), CALL, None),
    ],
)
def test_that_what_bars_a_person_is_a_filter(person: Person, call: Call, why: Why | None) -> None:
    assert why_not(person, call, NOW) is why


def test_that_an_absence_cuts_the_possible_starts_in_two() -> None:
    away = replace(KARI, absences=((at("08:00"), at("08:10")),))
    assert start_spans(away, CALL, NOW) == ((at("07:30"), at("07:40")), (at("08:10"), at("08:30")))


def test_that_a_fixed_time_has_no_play_and_a_missing_window_half_an_hour() -> None:
    eight = at("08:00")
    assert window_of(eight, at("07:00"), at("09:00"), is_fixed=True) == (eight, eight)
    assert window_of(eight, None, None, is_fixed=False) == (at("07:30"), at("08:30"))
    assert window_of(eight, at("08:10"), at("07:50"), is_fixed=False) == (eight, eight)


def test_that_touching_ends_do_not_overlap() -> None:
    assert not overlaps((at("08:00"), at("08:20")), (at("08:20"), at("08:30")))
    assert overlaps((at("08:00"), at("08:21")), (at("08:20"), at("08:30")))


def test_that_room_is_found_nearest_the_plan_with_travel_on_both_sides() -> None:
    before = replace(CALL, ref="Appointment/a", start=at("07:45"), position=THERE)
    after = replace(CALL, ref="Appointment/b", start=at("09:00"), position=THERE)
    travel = travel_minutes(THERE, HERE)
    found = free_start(KARI, CALL, [before, after, CALL], NOW)
    assert found == (at("08:05") + timedelta(minutes=travel), travel)
    full = replace(CALL, ref="Appointment/c", start=at("07:20"), minutes=180)
    assert free_start(KARI, CALL, [full], NOW) is None
    assert free_start(KARI, CALL, [], NOW) == (at("08:00"), 0)


def test_that_the_reason_shown_is_the_one_nearest_a_solution() -> None:
    unskilled = replace(KARI, holds=frozenset())
    away = replace(KARI, absences=(KARI.shift,))
    assert main_reason(CALL, [unskilled], NOW) is Why.COMPETENCE
    assert main_reason(CALL, [unskilled, away], NOW) is Why.ABSENT
    assert main_reason(CALL, [unskilled, away, KARI], NOW) is Why.TIME
    assert main_reason(CALL, [], NOW) is Why.COMPETENCE


def test_that_a_person_is_found_by_reference() -> None:
    problem = PlanningProblem(NOW, (KARI,), (CALL,))
    assert problem.person("Practitioner/kari") is KARI
    assert problem.person("Practitioner/x") is None
    assert CALL.at(at("09:00")).end == at("09:20")
