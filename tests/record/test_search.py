"""Searches: RECORD §1 points 6 and 7."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.record.peers import STRICT, Peer, fresh, observation, patient

SYSTEM = "https://clinician.example/fhir/test"


@pytest.fixture
def tag() -> str:
    """A word that keeps one test's resources apart from all others."""
    return f"t{fresh().replace('-', '')}"


def tagged(raw: dict[str, Any], tag: str) -> dict[str, Any]:
    return raw | {"identifier": [{"system": SYSTEM, "value": tag}]}


def people(record: Peer, tag: str, *each: dict[str, Any]) -> list[str]:
    made = [tagged(patient(), tag) | one for one in each]
    for raw in made:
        assert record.put(raw).status_code == 201
    return [raw["id"] for raw in made]


def seen(record: Peer, tag: str, *each: dict[str, Any]) -> tuple[str, list[str]]:
    (owner,) = people(record, tag, {})
    made = [tagged(observation(f"Patient/{owner}"), tag) | one for one in each]
    for raw in made:
        assert record.put(raw).status_code == 201
    return owner, [raw["id"] for raw in made]


def test_that_a_token_matches_by_system_and_code_by_code_and_without_system(record: Peer, tag: str) -> None:
    (with_system,) = people(record, tag, {})
    bare = patient(identifier=[{"value": tag}])
    record.put(bare)
    assert record.ids(f"Patient?identifier={SYSTEM}|{tag}") == [with_system]
    assert sorted(record.ids(f"Patient?identifier={tag}")) == sorted([with_system, bare["id"]])
    assert record.ids(f"Patient?identifier=|{tag}") == [bare["id"]]
    assert record.ids(f"Patient?identifier=https://other.example|{tag}") == []


def test_that_a_code_with_its_own_system_matches(record: Peer, tag: str) -> None:
    (woman, _) = people(record, tag, {"gender": "female"}, {"gender": "male"})
    system = "http://hl7.org/fhir/administrative-gender"
    assert record.ids(f"Patient?identifier={tag}&gender={system}|female") == [woman]


def test_that_commas_mean_or_and_repeats_mean_and(record: Peer, tag: str) -> None:
    ids = people(record, tag, {"gender": "male"}, {"gender": "female"}, {"gender": "other"})
    assert sorted(record.ids(f"Patient?identifier={tag}&gender=male,other")) == sorted([ids[0], ids[2]])
    assert record.ids(f"Patient?identifier={tag}&gender=male&gender=female") == []


def test_that_names_match_by_their_start_without_case_or_accent(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {"name": [{"family": f"{tag}Åsnes", "given": ["Émile"]}]})
    assert record.ids(f"Patient?family={tag.upper()}as") == [id_]
    assert record.ids(f"Patient?identifier={tag}&name=emil") == [id_]
    assert record.ids("Patient?family=snes&identifier=" + tag) == []


def test_that_exact_and_contains_do_what_they_say(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {"name": [{"family": "Nordmann"}]})
    assert record.ids(f"Patient?identifier={tag}&family:exact=Nordmann") == [id_]
    assert record.ids(f"Patient?identifier={tag}&family:exact=nordmann") == []
    assert record.ids(f"Patient?identifier={tag}&family:contains=DMA") == [id_]


@pytest.mark.parametrize(
    ("value", "hits"),
    [
        ("1940-05-17", [1]),
        ("1940", [0, 1]),
        ("ge1940-05-17", [1, 2]),
        ("gt1940-05-17", [2]),
        ("le1940-05-17", [0, 1]),
        ("lt1940-05-17", [0]),
        ("ne1940-05-17", [0, 2]),
        ("1940-05-17,1941-01-01", [1, 2]),
    ],
)
def test_that_dates_match_with_every_prefix(record: Peer, tag: str, value: str, hits: list[int]) -> None:
    dates = ("1940-01-01", "1940-05-17", "1941-01-01")
    ids = people(record, tag, *({"birthDate": date} for date in dates))
    found = record.ids(f"Patient?identifier={tag}&birthdate={value}")
    assert sorted(found) == sorted(ids[at] for at in hits)


def test_that_a_day_finds_the_times_in_it(record: Peer, tag: str) -> None:
    _, ids = seen(
        record,
        tag,
        {"effectiveDateTime": "2025-03-01T09:00:00Z"},
    )
    assert ids[0] in record.ids(f"Observation?identifier={tag}&date=2025-03-01")
    assert record.ids(f"Observation?identifier={tag}&date=2025-03-02&date=lt2025-03-01") == []


def test_that_references_match_with_and_without_their_type(record: Peer, tag: str) -> None:
    owner, ids = seen(record, tag, {})
    for query in (
        f"subject=Patient/{owner}",
        f"subject={owner}",
        f"patient={owner}",
        f"subject:Patient={owner}",
    ):
        assert record.ids(f"Observation?{query}") == ids
    assert record.ids(f"Observation?patient={fresh()}") == []


def test_that_an_appointment_is_found_by_each_of_its_actors(record: Peer, tag: str) -> None:
    (owner,) = people(record, tag, {})
    nurse = {"resourceType": "Practitioner", "id": fresh(), "name": [{"family": tag}]}
    record.put(nurse)
    refs = (f"Patient/{owner}", f"Practitioner/{nurse['id']}")
    visit = {
        "resourceType": "Appointment",
        "id": fresh(),
        "status": "booked",
        "start": "2025-03-01T08:00:00Z",
        "end": "2025-03-01T08:30:00Z",
        "participant": [{"actor": {"reference": ref}, "status": "accepted"} for ref in refs],
    }
    record.put(visit)
    assert record.ids(f"Appointment?patient={owner}") == [visit["id"]]
    assert record.ids(f"Appointment?practitioner={nurse['id']}") == [visit["id"]]
    assert record.ids(f"Appointment?actor=Practitioner/{nurse['id']}&date=2025-03-01") == [visit["id"]]


@pytest.mark.parametrize(
    ("value", "hits"),
    [("gt72", [2]), ("ge72", [1, 2]), ("lt72", [0]), ("le72", [0, 1]), ("72", [1]), ("ne72", [0, 2])],
)
def test_that_quantities_compare(record: Peer, tag: str, value: str, hits: list[int]) -> None:
    values = ({"valueQuantity": {"value": n, "unit": "kg"}} for n in (60, 72, 90))
    _, ids = seen(record, tag, *values)
    found = record.ids(f"Observation?identifier={tag}&value-quantity={value}")
    assert sorted(found) == sorted(ids[at] for at in hits)


def test_that_a_quantity_may_name_its_unit(record: Peer, tag: str) -> None:
    ucum = {"system": "http://unitsofmeasure.org"}
    _, ids = seen(
        record,
        tag,
        {"valueQuantity": {"value": 5, "unit": "kg", "code": "kg"} | ucum},
        {"valueQuantity": {"value": 5, "unit": "g", "code": "g"} | ucum},
    )
    query = f"Observation?identifier={tag}&value-quantity=5|http://unitsofmeasure.org|kg"
    assert record.ids(query) == [ids[0]]


def test_that_a_quantity_is_as_exact_as_it_was_written(record: Peer, tag: str) -> None:
    _, ids = seen(record, tag, {"valueQuantity": {"value": 5.43}}, {"valueQuantity": {"value": 5.5}})
    assert record.ids(f"Observation?identifier={tag}&value-quantity=5.4") == [ids[0]]


def test_that_not_and_missing_turn_around(record: Peer, tag: str) -> None:
    man, woman, unknown = people(record, tag, {"gender": "male"}, {"gender": "female"}, {})
    assert sorted(record.ids(f"Patient?identifier={tag}&gender:not=male")) == sorted([woman, unknown])
    assert record.ids(f"Patient?identifier={tag}&gender:missing=true") == [unknown]
    assert sorted(record.ids(f"Patient?identifier={tag}&gender:missing=false")) == sorted([man, woman])


def test_that_ids_are_found_many_at_once(record: Peer, tag: str) -> None:
    ids = people(record, tag, {}, {}, {})
    assert sorted(record.ids(f"Patient?_id={','.join(ids)},{fresh()}")) == sorted(ids)


def test_that_last_updated_bounds_are_inclusive_with_ge_and_le(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {})
    stamp = record.get(f"Patient/{id_}").json()["meta"]["lastUpdated"]
    both = f"Patient?identifier={tag}&_lastUpdated=ge{stamp}&_lastUpdated=le{stamp}"
    assert record.ids(both) == [id_]
    assert record.ids(f"Patient?identifier={tag}&_lastUpdated=gt{stamp}") == []
    assert record.ids(f"Patient?identifier={tag}&_lastUpdated=lt{stamp}") == []


def test_that_sorting_by_last_updated_pages_in_the_order_of_change(record: Peer, tag: str) -> None:
    ids = people(record, tag, *({} for _ in range(7)))
    record.put(tagged(patient(gender="male"), tag) | {"id": ids[0]})
    expected = [*ids[1:], ids[0]]
    assert record.ids(f"Patient?identifier={tag}&_sort=_lastUpdated&_count=3") == expected
    assert record.ids(f"Patient?identifier={tag}&_sort=-_lastUpdated&_count=3") == expected[::-1]


def test_that_sorting_by_a_parameter_pages_without_gaps(record: Peer, tag: str) -> None:
    dates = ("1950-01-01", "1940-01-01", "1960-01-01", "1940-01-01", "1930-01-01")
    ids = people(record, tag, *({"birthDate": date} for date in dates), {})
    found = record.ids(f"Patient?identifier={tag}&_sort=birthdate&_count=2")
    by_id = dict(zip(ids, (*dates, "9"), strict=True))
    assert [by_id[id_] for id_ in found] == sorted((*dates, "9"))
    assert sorted(found) == sorted(ids)


def test_that_count_limits_a_page_and_zero_only_counts(record: Peer, tag: str) -> None:
    people(record, tag, {}, {}, {})
    bundle = record.get(f"Patient?identifier={tag}&_count=2").json()
    assert len(bundle["entry"]) == 2
    counted = record.get(f"Patient?identifier={tag}&_summary=count").json()
    assert counted["total"] == 3
    assert not counted.get("entry")


def test_that_the_total_can_be_left_out(record: Peer, tag: str) -> None:
    people(record, tag, {})
    assert "total" not in record.get(f"Patient?identifier={tag}&_total=none").json()


def test_that_elements_cuts_a_resource_down_to_a_manifest(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {"gender": "male"})
    (entry,) = record.get(f"Patient?identifier={tag}&_elements=id,meta").json()["entry"]
    assert entry["resource"]["id"] == id_
    assert entry["resource"]["meta"]["versionId"] == "1"
    assert "gender" not in entry["resource"]
    tags = [one["code"] for one in entry["resource"]["meta"].get("tag", [])]
    assert "SUBSETTED" in tags


def test_that_include_and_revinclude_bring_the_neighbours(record: Peer, tag: str) -> None:
    owner, (id_,) = seen(record, tag, {})
    forward = record.get(f"Observation?_id={id_}&_include=Observation:subject").json()["entry"]
    assert {(e["resource"]["id"], e["search"]["mode"]) for e in forward} == {
        (id_, "match"),
        (owner, "include"),
    }
    backward = record.get(f"Patient?_id={owner}&_revinclude=Observation:subject").json()["entry"]
    assert {(e["resource"]["id"], e["search"]["mode"]) for e in backward} == {
        (owner, "match"),
        (id_, "include"),
    }


def test_that_membership_of_a_workplace_comes_with_its_people(record: Peer, tag: str) -> None:
    (owner,) = people(record, tag, {})
    place = {"resourceType": "Organization", "id": fresh(), "name": tag}
    record.put(place)
    episode = {
        "resourceType": "EpisodeOfCare",
        "id": fresh(),
        "status": "active",
        "patient": {"reference": f"Patient/{owner}"},
        "managingOrganization": {"reference": f"Organization/{place['id']}"},
    }
    record.put(episode)
    query = f"EpisodeOfCare?organization=Organization/{place['id']}&status=planned,active,onhold"
    found = record.get(f"{query}&_include=EpisodeOfCare:patient&_count=500").json()["entry"]
    assert {entry["resource"]["id"] for entry in found} == {episode["id"], owner}


def test_that_a_chain_looks_through_a_reference(record: Peer, tag: str) -> None:
    _, (id_,) = seen(record, tag, {})
    assert record.ids(f"Observation?subject:Patient.identifier={tag}") == [id_]
    assert record.ids(f"Observation?patient.identifier={SYSTEM}|{tag}") == [id_]
    assert record.ids(f"Observation?patient.identifier={fresh()}") == []


def test_that_has_looks_back_along_a_reference(record: Peer, tag: str) -> None:
    owner, _ = seen(record, tag, {})
    assert record.ids(f"Patient?_has:Observation:patient:identifier={tag}") == [owner]
    assert record.ids(f"Patient?_has:Observation:patient:identifier={fresh()}") == []


def test_that_a_posted_search_is_the_same_search(record: Peer, tag: str) -> None:
    owner, ids = seen(record, tag, {}, {}, {})
    form = {
        "patient": f"{owner},{fresh()}",
        "_lastUpdated": "ge2020-01-01",
        "_sort": "_lastUpdated",
        "_count": "500",
        "_total": "none",
    }
    answer = record.http.post("Observation/_search", data=form, headers=STRICT)
    assert answer.status_code == 200, answer.text
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ids


def test_that_the_next_link_of_a_posted_search_names_no_patient(record: Peer, tag: str) -> None:
    owner, ids = seen(record, tag, {}, {}, {})
    form = {"patient": owner, "_sort": "_lastUpdated", "_count": "2"}
    bundle = record.http.post("Observation/_search", data=form).json()
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    assert owner not in following
    rest = record.get(following).json()
    found = [entry["resource"]["id"] for entry in bundle["entry"] + rest["entry"]]
    assert found == ids


def test_that_an_unknown_parameter_is_refused_when_handling_is_strict(record: Peer) -> None:
    answer = record.get("Patient?no-such-parameter=1", **STRICT)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_that_an_unknown_parameter_is_left_out_of_the_self_link_otherwise(record: Peer, tag: str) -> None:
    people(record, tag, {})
    bundle = record.get(f"Patient?identifier={tag}&no-such-parameter=1").json()
    own = next(link["url"] for link in bundle["link"] if link["relation"] == "self")
    assert "no-such-parameter" not in urlsplit(own).query


def test_that_an_unknown_modifier_is_always_refused(record: Peer) -> None:
    assert record.get("Patient?gender:fuzzy=male").status_code == 400


def test_that_an_unreadable_date_is_refused(record: Peer) -> None:
    assert record.get("Patient?birthdate=1940-13-45").status_code == 400


def test_that_a_deleted_resource_is_in_no_search(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {})
    record.delete(f"Patient/{id_}")
    assert record.ids(f"Patient?identifier={tag}") == []
    assert record.ids(f"Patient?_id={id_}") == []


def test_that_an_update_moves_a_resource_between_searches(record: Peer, tag: str) -> None:
    (id_,) = people(record, tag, {"gender": "male"})
    record.put(tagged(patient(gender="female"), tag) | {"id": id_})
    assert record.ids(f"Patient?identifier={tag}&gender=male") == []
    assert record.ids(f"Patient?identifier={tag}&gender=female") == [id_]


def test_that_a_compartment_holds_what_is_about_the_patient(record: Peer, tag: str) -> None:
    owner, ids = seen(record, tag, {}, {})
    assert sorted(record.ids(f"Patient/{owner}/Observation")) == sorted(ids)
    assert record.ids(f"Patient/{owner}/Observation?code=none") == []


def test_that_everything_holds_the_patient_and_the_compartment(record: Peer, tag: str) -> None:
    owner, ids = seen(record, tag, {}, {})
    found = record.get(f"Patient/{owner}/$everything").json()["entry"]
    assert {owner, *ids} <= {entry["resource"]["id"] for entry in found}


def test_that_everything_about_nobody_is_404(record: Peer) -> None:
    assert record.get(f"Patient/{fresh()}/$everything").status_code == 404
