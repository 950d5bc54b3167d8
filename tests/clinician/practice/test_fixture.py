"""SCRIPTS §3.2, exactly."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from clinician.fhir import codes, read
from clinician.fhir.reference import Raw
from tests.clinician.practice.reading import TownRead, service, staff


def lines(town: TownRead, unit: str) -> list[Raw]:
    members = set(town.members(unit))
    return [m for m in town.by_type["MedicationRequest"] if m["subject"]["reference"] in members]


def at_eight(line: Raw) -> bool:
    repeat = line["dosageInstruction"][0].get("timing", {}).get("repeat", {})
    return "08:00:00" in repeat.get("timeOfDay", ())


def atc(line: Raw) -> str:
    return str(line["medicationCodeableConcept"]["coding"][0]["code"])


def test_that_solbakken_second_floor_has_24_residents_in_24_rooms(town: TownRead) -> None:
    unit = town.unit("Solbakken 2. etg")
    episodes = [e for e in town.by_type["EpisodeOfCare"] if e["managingOrganization"]["reference"] == unit]
    assert len({e["patient"]["reference"] for e in episodes}) == 24
    assert {read.extension(e, codes.EXT_ROOM) for e in episodes} == {f"2{n:02}" for n in range(1, 25)}


def test_that_each_resident_has_five_drugs_at_eight_120_doses_in_all(town: TownRead) -> None:
    due = [m for m in lines(town, town.unit("Solbakken 2. etg")) if at_eight(m)]
    per_resident = Counter(m["subject"]["reference"] for m in due)
    assert len(due) == 120
    assert set(per_resident.values()) == {5}
    assert all(not m["dosageInstruction"][0].get("asNeededBoolean") for m in due)


def test_that_six_residents_have_drugs_per_need(town: TownRead) -> None:
    needed = [
        m
        for m in lines(town, town.unit("Solbakken 2. etg"))
        if m["dosageInstruction"][0].get("asNeededBoolean")
    ]
    assert len({m["subject"]["reference"] for m in needed}) == 6


def test_that_two_have_insulin_one_warfarin_and_three_a_controlled_drug(town: TownRead) -> None:
    held = lines(town, town.unit("Solbakken 2. etg"))
    assert len({m["subject"]["reference"] for m in held if atc(m).startswith("A10A")}) == 2
    assert sum(atc(m) == "B01AA03" for m in held) == 1
    controlled = [m for m in held if read.codings(m, "category")[0].code == "A"]
    assert len(controlled) == len({m["subject"]["reference"] for m in controlled}) == 3


def test_that_resident_17_has_metoprolol_and_resident_5_paracetamol_twice(town: TownRead) -> None:
    unit = town.unit("Solbakken 2. etg")
    rooms = {
        read.extension(e, codes.EXT_ROOM): e["patient"]["reference"]
        for e in town.by_type["EpisodeOfCare"]
        if e["managingOrganization"]["reference"] == unit
    }
    held = lines(town, unit)
    assert "C07AB02" in {atc(m) for m in held if m["subject"]["reference"] == rooms["217"]}
    assert {"N02BE01", "N02AJ06"} <= {atc(m) for m in held if m["subject"]["reference"] == rooms["205"]}


def test_that_nobody_has_two_blood_thinners_or_one_drug_twice_on_the_clock(town: TownRead) -> None:
    for unit in ("Solbakken 2. etg", "Solbakken 1. etg"):
        by_person: dict[str, list[str]] = {}
        for line in lines(town, town.unit(unit)):
            by_person.setdefault(line["subject"]["reference"], []).append(atc(line))
        for held in by_person.values():
            assert len(held) == len(set(held))
            assert len({"B01AA03", "B01AF02"} & set(held)) < 2


def test_that_nord_has_nine_staff_and_three_nurses(town: TownRead) -> None:
    roles = town.roles(town.unit("Nord"))
    professions = Counter(read.code_in(r, "code", codes.PROFESSION) for r in roles)
    assert len(roles) == 9
    assert professions["SP"] == 3


def test_that_nord_has_a_coordinator_and_a_superuser(town: TownRead) -> None:
    functions = Counter(
        code for r in town.roles(town.unit("Nord")) for code in read.codes_in(r, "code", codes.CODE_FUNCTION)
    )
    assert functions == {"coordinator": 1, "superuser": 1}


def test_that_nord_has_62_visits_today_all_open(town: TownRead) -> None:
    visits = town.visits(town.unit("Nord"))
    assert Counter(v["status"] for v in visits) == {"booked": 62}
    assert all(staff(v) for v in visits)


def test_that_62_visits_hold_on_every_day_of_the_week() -> None:
    from clinician.practice.municipality import FEWEST, municipality

    for step in range(7):
        day = date(2026, 3, 3) + timedelta(days=step)
        made = TownRead(list(municipality(5, FEWEST, day)), day)
        assert len(made.visits(made.unit("Nord"))) == 62


def test_that_balanse_is_eight_people_for_sixty_minutes(town: TownRead) -> None:
    (group,) = town.by_type["Group"]
    assert (group["name"], len(group["member"])) == ("Balanse", 8)
    sessions = [a for a in town.by_type["Appointment"] if a["description"].startswith("Gruppe Balanse")]
    assert [a["minutesDuration"] for a in sessions] == [60] * 9
    whole = [a for a in sessions if not read.patient_ref_of(a)]
    assert len(whole) == 1
    assert {read.patient_ref_of(a) for a in sessions} - {""} == {
        m["entity"]["reference"] for m in group["member"]
    }


def test_that_the_case_office_has_14_open_cases_with_owner_and_deadline(town: TownRead) -> None:
    cases = [t for t in town.by_type["Task"] if read.code_in(t, "code", codes.CODE_TASK) == "case"]
    assert len(cases) == 14
    assert all(t["status"] in ("requested", "accepted", "in-progress") for t in cases)
    assert all(t["owner"] and t["restriction"]["period"]["end"] for t in cases)
    assert all(town.by_ref[t["focus"]["reference"]]["status"] == "draft" for t in cases)


def test_that_the_mental_health_board_has_five_therapists_for_five_days(town: TownRead) -> None:
    unit = town.unit("Psykisk helse og rus")
    days = [s for s in town.by_type["Schedule"] if s["actor"][1]["reference"] == service(unit)]
    assert Counter(s["actor"][0]["reference"] for s in days) == dict.fromkeys(
        {s["actor"][0]["reference"] for s in days}, 5
    )
    assert len({s["actor"][0]["reference"] for s in days}) == 5
    assert {date.fromisoformat(s["planningHorizon"]["start"][:10]).weekday() for s in days} == {0, 1, 2, 3, 4}


def test_that_complete_news2_sets_exist(town: TownRead) -> None:
    sets: dict[tuple[str, str], set[str]] = {}
    for one in town.by_type["Observation"]:
        key = (one["subject"]["reference"], one["effectiveDateTime"])
        sets.setdefault(key, set()).add(one["code"]["text"])
    complete = [key for key, kinds in sets.items() if len(kinds) >= 7 and "Bevissthet (ACVPU)" in kinds]
    assert len(complete) > 40
    assert len({patient for patient, _when in complete}) > 8


def test_that_trends_can_be_seen_over_months(town: TownRead) -> None:
    per_person = Counter(
        o["subject"]["reference"] for o in town.by_type["Observation"] if o["code"]["text"] == "Blodsukker"
    )
    first = min(o["effectiveDateTime"] for o in town.by_type["Observation"])
    assert max(per_person.values()) > 90
    assert first < "2025-11-10"
