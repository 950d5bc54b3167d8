"""The stream as a whole: the same bytes, whole references, valid FHIR, nobody real."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from uuid import UUID

import fhirkit
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.fhir import codes, read
from clinician.fhir.identity import check, check_orgnr
from clinician.fhir.reference import Raw, references_in
from clinician.fhir.timing import timing_problems
from clinician.fhir.validation import problems, quick_problems
from clinician.practice import names
from clinician.practice.municipality import FEWEST, MOST, municipality
from clinician.texts import Text
from tests.clinician.practice.reading import TownRead, service


def flags(raw: Raw, *, full: bool) -> list[str]:
    found = problems(raw) if full else quick_problems(raw)
    return [str(p) for p in found] + [str(issue) for issue in fhirkit.validate(raw)]


def digest(seed: int, people: int, day: date) -> str:
    hashed = hashlib.sha256()
    for raw in municipality(seed, people, day):
        hashed.update(orjson.dumps(raw))
    return hashed.hexdigest()


def test_that_the_same_input_makes_the_same_bytes() -> None:
    assert digest(3, 300, date(2026, 3, 3)) == digest(3, 300, date(2026, 3, 3))


def test_that_seed_people_and_day_each_matter() -> None:
    made = {digest(3, 300, date(2026, 3, 3)), digest(4, 300, date(2026, 3, 3))}
    made |= {digest(3, 301, date(2026, 3, 3)), digest(3, 300, date(2026, 3, 4))}
    assert len(made) == 4


def test_that_bytes_are_those_of_this_version_of_the_generator() -> None:
    """When this fails on purpose, raise world.VERSION and write the new digest here."""
    from clinician.practice.world import VERSION

    assert (VERSION, digest(1, 200, date(2026, 3, 3))[:16]) == (3, "4a64ebe5f056c8a8")


def test_that_there_are_as_many_inhabitants_as_asked_for(town: TownRead) -> None:
    assert len(town.by_type["Patient"]) == 720


@pytest.mark.parametrize("people", [FEWEST, 333, 499, 500])
def test_that_small_towns_have_their_number_too(people: int) -> None:
    assert sum(r["resourceType"] == "Patient" for r in municipality(1, people, date(2026, 3, 3))) == people


@pytest.mark.parametrize("people", [FEWEST - 1, MOST + 1, 0, -5])
def test_that_a_town_too_small_or_too_large_is_refused(people: int) -> None:
    with pytest.raises(ValueError, match="between"):
        list(municipality(1, people, date(2026, 3, 3)))


def test_that_ids_are_unique_lower_case_version_5_uuids(town: TownRead) -> None:
    assert len(town.by_ref) == len(town.resources)
    for raw in town.resources:
        assert str(UUID(raw["id"])) == raw["id"]
        assert UUID(raw["id"]).version == 5


def test_that_every_reference_resolves(town: TownRead) -> None:
    lost = [
        (r["resourceType"], path)
        for r in town.resources
        for path, ref in references_in(r)
        if ref not in town.by_ref
    ]
    assert lost == []


def test_that_everything_is_marked_as_practice(town: TownRead) -> None:
    assert all(read.is_practice(raw) for raw in town.resources)


def test_that_the_judge_has_nothing_to_say(town: TownRead) -> None:
    found = Counter(flag for raw in town.resources for flag in flags(raw, full=False))
    assert found == {}


def test_that_the_full_judge_has_nothing_to_say_about_a_sample(town: TownRead) -> None:
    sample = [raw for held in town.by_type.values() for raw in held[:: max(1, len(held) // 12)]]
    found = Counter(flag for raw in sample for flag in flags(raw, full=True))
    assert found == {}


@pytest.mark.soak
def test_that_the_full_judge_has_nothing_to_say_about_anything(town: TownRead) -> None:
    found = Counter(flag for raw in town.resources for flag in flags(raw, full=True))
    assert found == {}


def test_that_only_a_cancelled_visit_says_why_it_was_cancelled(town: TownRead) -> None:
    """app-4 speaks of 'no-show', a code R4 does not have; strict servers refuse a reason on a noshow."""
    reasons = {a["status"] for a in town.by_type["Appointment"] if "cancelationReason" in a}
    assert reasons == {"cancelled"}
    assert any(a["status"] == "noshow" for a in town.by_type["Appointment"])


def test_that_timings_hold_and_say_as_many_clocks_as_times_a_day(town: TownRead) -> None:
    timings = [
        i["timing"]
        for m in town.by_type["MedicationRequest"]
        for i in m["dosageInstruction"]
        if "timing" in i
    ]
    timings += [a["detail"]["scheduledTiming"] for p in town.by_type["CarePlan"] for a in p["activity"]]
    assert len(timings) > 300
    for timing in timings:
        assert not timing_problems(timing)
        assert timing["repeat"]["frequency"] == len(timing["repeat"]["timeOfDay"])


def test_that_identity_numbers_are_valid_synthetic_and_fit_the_birth_date(town: TownRead) -> None:
    numbers = [(p, read.identifier(p, codes.FNR)) for p in town.by_type["Patient"]]
    assert len({number for _p, number in numbers}) == 720
    for person, number in numbers:
        assert not isinstance(check(number, synthetic=True), Text)
        assert isinstance(check(number, synthetic=False), Text)
        birth = date.fromisoformat(person["birthDate"])
        assert number[:6] == f"{birth.day:02}{birth.month + 80:02}{birth.year % 100:02}"


def test_that_every_workplace_offers_a_service_with_its_own_id(town: TownRead) -> None:
    offers = {one["providedBy"]["reference"] for one in town.by_type["HealthcareService"]}
    assert offers == {f"Organization/{one['id']}" for one in town.by_type["HealthcareService"]}
    workplaces = {role["organization"]["reference"] for role in town.by_type["PractitionerRole"]}
    assert workplaces <= offers
    routes = {route["actor"][1]["reference"] for route in town.by_type["Schedule"]}
    assert routes <= {service(unit) for unit in offers}


def test_that_organization_numbers_are_valid_and_synthetic(town: TownRead) -> None:
    for unit in town.by_type["Organization"]:
        number = read.identifier(unit, codes.ORGNR)
        assert check_orgnr(number) is None
        assert number[0] in "23"


def test_that_no_telephone_answers_and_no_letter_arrives(town: TownRead) -> None:
    for raw in town.resources:
        for telecom in raw.get("telecom", ()):
            assert telecom["value"].startswith("01 ")
        addresses = raw.get("address", ()) if raw["resourceType"] == "Patient" else ()
        for address in addresses:
            assert address["postalCode"] > "9991"


def test_that_nobody_has_a_known_persons_name(town: TownRead) -> None:
    for kind in ("Patient", "Practitioner", "RelatedPerson"):
        for raw in town.by_type[kind]:
            assert not names.is_refused(raw["name"][0]["given"][0], raw["name"][0]["family"])


def test_that_names_are_varied_and_come_from_several_peoples(town: TownRead) -> None:
    families = Counter(p["name"][0]["family"] for p in town.by_type["Patient"])
    assert len(families) > 100
    assert max(families.values()) < 0.05 * 720


def test_that_homes_are_spread_over_a_town_and_every_home_is_on_the_map(town: TownRead) -> None:
    spots = [town.position(f"Patient/{p['id']}") for p in town.by_type["Patient"]]
    assert len(set(spots)) > 300
    assert max(s[0] for s in spots) - min(s[0] for s in spots) < 0.2
    assert max(s[1] for s in spots) - min(s[1] for s in spots) < 0.4


def test_that_both_kinds_of_norwegian_are_written(town: TownRead) -> None:
    languages = Counter(d["content"][0]["attachment"]["language"] for d in town.by_type["DocumentReference"])
    assert set(languages) == {"nb", "nn"}
    assert min(languages.values()) > 50


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.dates(date(2024, 1, 1), date(2031, 12, 31)))
def test_that_any_seed_and_day_make_a_whole_town(seed: int, day: date) -> None:
    made = TownRead(list(municipality(seed, FEWEST, day)), day)
    assert len(made.by_ref) == len(made.resources)
    assert all(ref in made.by_ref for raw in made.resources for _path, ref in references_in(raw))
    assert Counter(flag for raw in made.resources for flag in flags(raw, full=False)) == {}
