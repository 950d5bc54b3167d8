"""The days: nothing disappears, nobody is in two places, the chain from decision to documentation."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from clinician.fhir import codes, read
from clinician.fhir.reference import Raw
from tests.clinician.practice.reading import TownRead, minutes_between, needs, patient, span, staff

OFFSETS = range(-3, 4)
ZONES = ("Nord", "Sør")


def state(visit: Raw) -> str:
    """The state shown, by docs/record-model.md."""
    status = visit["status"]
    if status == "cancelled":
        if read.code_in(visit, "cancelationReason", codes.CODE_NOT_DONE):
            return "not done"
        return (
            "moved" if read.code_in(visit, "cancelationReason", codes.CODE_CANCEL) == "moved" else "cancelled"
        )
    return {"fulfilled": "done", "noshow": "not done"}.get(status, "open")


def stands(visit: Raw) -> bool:
    return state(visit) not in ("moved", "cancelled") and bool(staff(visit))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("offset", OFFSETS)
def test_that_planned_is_the_sum_of_the_states(town: TownRead, zone: str, offset: int) -> None:
    visits = town.visits(town.unit(zone), offset)
    sums = Counter(map(state, visits))
    assert len(visits) == sum(sums[s] for s in ("done", "not done", "moved", "cancelled", "open"))
    assert len(visits) > 20
    if offset < 0:
        assert sums["done"] > 0.8 * len(visits)
    else:
        assert sums["done"] == 0


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("offset", OFFSETS)
def test_that_nobody_is_in_two_places_and_has_time_to_drive(town: TownRead, zone: str, offset: int) -> None:
    days: dict[str, list[Raw]] = defaultdict(list)
    for visit in filter(stands, town.visits(town.unit(zone), offset)):
        for who in staff(visit):
            days[who].append(visit)
    for held in days.values():
        held.sort(key=lambda v: span(v)[0])
        for one, following in pairwise(held):
            travel = minutes_between(town.position(patient(one)), town.position(patient(following)))
            assert span(one)[1] + timedelta(minutes=travel) <= span(following)[0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("offset", OFFSETS)
def test_that_a_visit_lies_on_its_persons_route_within_shift_and_window(
    town: TownRead, zone: str, offset: int
) -> None:
    unit = town.unit(zone)
    routes = town.routes(unit, town.day + timedelta(days=offset))
    drivers = [route["actor"][0]["reference"] for route in routes.values()]
    assert len(drivers) == len(set(drivers))
    for visit in filter(stands, town.visits(unit, offset)):
        route = routes[read.extension(visit, codes.EXT_ROUTE)["reference"]]
        assert route["actor"][0]["reference"] == staff(visit)[0]
        begin, end = (datetime.fromisoformat(route["planningHorizon"][k]) for k in ("start", "end"))
        assert begin <= span(visit)[0] < span(visit)[1] <= end
        low, high = (
            datetime.fromisoformat(read.extension(visit, url))
            for url in (codes.EXT_WINDOW_START, codes.EXT_WINDOW_END)
        )
        assert low <= span(visit)[0] <= high


@pytest.mark.parametrize("zone", ZONES)
def test_that_order_on_a_route_counts_up_with_the_clock(town: TownRead, zone: str) -> None:
    on_route: dict[str, list[Raw]] = defaultdict(list)
    for visit in filter(stands, town.visits(town.unit(zone))):
        on_route[read.extension(visit, codes.EXT_ROUTE)["reference"]].append(visit)
    for held in on_route.values():
        held.sort(key=lambda v: v["start"])
        assert [read.extension(v, codes.EXT_ROUTE_ORDER) for v in held] == list(range(1, len(held) + 1))
        assert all(read.extension(v, codes.EXT_TRAVEL) >= 1 for v in held)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("offset", OFFSETS)
def test_that_who_comes_has_the_competence(town: TownRead, zone: str, offset: int) -> None:
    unit = town.unit(zone)
    for visit in filter(stands, town.visits(unit, offset)):
        assert needs(visit) <= town.holds(staff(visit)[0], unit), visit["description"]


def test_that_only_the_planted_visit_goes_against_a_firm_wish(town: TownRead) -> None:
    against = []
    for visit in town.by_type["Appointment"]:
        wish = read.extension(visit, codes.EXT_WISH)
        if wish and any(town.by_ref[who]["gender"] != wish for who in staff(visit)):
            against.append(visit["start"][:10])
    assert against == [town.day.isoformat()]


@pytest.mark.parametrize("offset", OFFSETS)
def test_that_double_staffed_visits_have_two_different_people(town: TownRead, offset: int) -> None:
    double = [
        v for v in town.visits(town.unit("Nord"), offset) if read.extension(v, codes.EXT_STAFF_COUNT) == 2
    ]
    assert len(double) == 3
    assert all(len(set(staff(v))) == 2 for v in double)


def test_that_what_was_done_has_an_actual_visit_and_closed_tasks(town: TownRead) -> None:
    actual = {e["appointment"][0]["reference"]: e for e in town.by_type["Encounter"]}
    tasks: dict[str, list[Raw]] = defaultdict(list)
    for task in town.by_type["Task"]:
        if read.code_in(task, "code", codes.CODE_TASK) == "measure":
            tasks[task["focus"]["reference"]].append(task)
    done = [a for a in town.by_type["Appointment"] if a["status"] == "fulfilled" and "basedOn" in a]
    assert len(done) > 200
    for visit in done:
        ref = f"Appointment/{visit['id']}"
        assert actual[ref]["status"] == "finished"
        assert actual[ref]["period"]["start"] < actual[ref]["period"]["end"]
        assert tasks[ref]
        assert {t["status"] for t in tasks[ref]} <= {"completed", "rejected", "cancelled", "on-hold"}
        for task in tasks[ref]:
            assert (task["status"] == "completed") != ("statusReason" in task)


def test_that_nobody_was_really_in_two_places(town: TownRead) -> None:
    been: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in town.by_type["Encounter"]:
        for who in one["participant"]:
            period = one["period"]
            been[who["individual"]["reference"]].append((period["start"], period.get("end", period["start"])))
    for spans in been.values():
        spans.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_that_nothing_is_documented_after_the_morning_of_the_practice_day(town: TownRead) -> None:
    morning = f"{town.day.isoformat()}T07:10"
    for raw in town.resources:
        match raw["resourceType"]:
            case "Observation":
                assert raw["effectiveDateTime"] < morning
            case "DocumentReference":
                assert raw["date"] < morning
            case "Encounter":
                assert raw["period"]["start"] < morning
            case "Communication":
                assert raw["sent"] < morning


def test_that_a_moved_visit_is_replaced_by_one_that_says_so(town: TownRead) -> None:
    moved = [
        a
        for a in town.by_type["Appointment"]
        if read.code_in(a, "cancelationReason", codes.CODE_CANCEL) == "moved"
    ]
    replaced = {
        read.extension(a, codes.EXT_REPLACES)["reference"]
        for a in town.by_type["Appointment"]
        if read.extension(a, codes.EXT_REPLACES)
    }
    assert len(moved) == 1
    assert {f"Appointment/{a['id']}" for a in moved} == replaced


def test_that_every_follow_up_has_an_owner_and_a_due_time(town: TownRead) -> None:
    kinds = {"follow-up", "call-next-of-kin", "try-again"}
    found = [t for t in town.by_type["Task"] if read.code_in(t, "code", codes.CODE_TASK) in kinds]
    assert len(found) >= 6
    assert all(t["owner"]["reference"] and t["restriction"]["period"]["end"] for t in found)


def test_that_the_planted_broken_links_are_there_and_no_others(town: TownRead) -> None:
    unit = town.unit("Nord")
    planned = {ref for a in town.by_type["Appointment"] for ref in read.refs(a, "basedOn")}
    granted = [
        s
        for s in town.by_type["ServiceRequest"]
        if s["status"] == "active" and s["performer"][0]["reference"] == unit
    ]
    assert sum(f"ServiceRequest/{s['id']}" not in planned for s in granted) == 1
    left = [v for offset in (-3, -2, -1) for v in town.visits(unit, offset) if state(v) == "open"]
    assert Counter(v["status"] for v in left) == {"booked": 3, "arrived": 1}
    late = [
        t
        for t in town.by_type["Task"]
        if t["status"] == "ready"
        and t.get("restriction", {}).get("period", {}).get("end", "9") < f"{town.day}T07:10"
    ]
    assert len(late) == 2


def test_that_every_user_of_a_zone_has_what_a_nurse_needs_at_the_door(town: TownRead) -> None:
    for zone in ZONES:
        for ref in town.members(town.unit(zone)):
            of = {
                kind: [r for r in town.by_type[kind] if read.patient_ref_of(r) == ref]
                for kind in ("RelatedPerson", "Condition", "MedicationRequest", "ServiceRequest", "Flag")
            }
            assert all(of.values()), (zone, ref)
            access = [f for f in of["Flag"] if read.has_code(f, "code", codes.CODE_FLAG, "access")]
            assert len(access) == 1
            secret = read.extension(access[0], codes.EXT_ACCESS)
            assert secret
            assert secret not in access[0]["code"]["text"]


def test_that_planned_granted_and_actual_minutes_are_three_numbers(town: TownRead) -> None:
    decisions = [s for s in town.by_type["ServiceRequest"] if read.extension(s, codes.EXT_GRANTED)]
    assert len(decisions) > 60
    assert all(read.extension(s, codes.EXT_GRANTED) >= 30 for s in decisions)
    lengths = Counter()
    for encounter in town.by_type["Encounter"]:
        visit = town.by_ref[encounter["appointment"][0]["reference"]]
        if "end" in encounter["period"]:
            start, end = (datetime.fromisoformat(encounter["period"][k]) for k in ("start", "end"))
            lengths[(end - start) == timedelta(minutes=visit["minutesDuration"])] += 1
    assert lengths[False] > lengths[True]
