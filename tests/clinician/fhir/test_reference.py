from __future__ import annotations

import pytest

from clinician.fhir.reference import (
    displays_in,
    make_ref,
    ref_of,
    references_in,
    relative,
    split_ref,
    type_of,
)


def test_that_absolute_and_versioned_references_become_relative() -> None:
    assert relative("https://record.example/fhir/r4/Patient/a-1/_history/3") == "Patient/a-1"
    assert relative("Patient/a-1/_history/3") == "Patient/a-1"
    assert relative("Patient/a-1") == "Patient/a-1"


@pytest.mark.parametrize("ref", ["urn:uuid:1", "#med", "Patient?identifier=x|1", "Patient", "", "patient/1"])
def test_that_what_is_no_plain_reference_is_left_alone(ref: str) -> None:
    assert relative(ref) == ref
    with pytest.raises(ValueError):
        split_ref(ref)


def test_that_a_reference_can_be_taken_apart_and_put_together() -> None:
    assert split_ref(make_ref("Task", "x.1")) == ("Task", "x.1")
    assert ref_of({"resourceType": "Task", "id": "t"}) == "Task/t"


@pytest.mark.parametrize(
    ("type_", "id_"), [("Task", "a_b"), ("Task", ""), ("Task", "x" * 65), ("task", "1"), ("T/1", "1")]
)
def test_that_a_reference_with_a_bad_id_or_type_cannot_be_made(type_: str, id_: str) -> None:
    with pytest.raises(ValueError):
        make_ref(type_, id_)


def test_that_a_resource_without_id_has_no_reference() -> None:
    with pytest.raises(ValueError):
        ref_of({"resourceType": "Task"})


def test_that_the_type_of_a_reference_is_read_from_every_form() -> None:
    assert type_of("https://h/fhir/Task/1") == "Task"
    assert type_of("Patient?identifier=1") == "Patient"
    assert type_of("#a") == type_of("urn:uuid:1") == ""


def test_that_the_words_beside_a_reference_are_found_wherever_it_stands() -> None:
    raw = {
        "resourceType": "Patient",
        "generalPractitioner": [
            {"reference": "https://r.example/fhir/Practitioner/p", "display": " Unni Aas "},
            {"display": "no reference"},
        ],
        "contact": [{"organization": {"reference": "Organization/o", "display": " "}}],
        "maritalStatus": {"coding": [{"system": "s", "code": "M", "display": "Married"}]},
    }
    assert dict(displays_in(raw)) == {"Practitioner/p": "Unni Aas"}
    assert list(displays_in("words")) == list(displays_in(None)) == []


def test_that_references_are_found_in_arrays_contained_and_extensions() -> None:
    raw = {
        "resourceType": "Appointment",
        "contained": [{"resourceType": "Slot", "schedule": {"reference": "Schedule/s"}}],
        "extension": [{"url": "x", "valueReference": {"reference": "Schedule/r"}}],
        "participant": [{"actor": {"reference": "Patient/p"}}, {"actor": {"display": "no reference"}}],
    }
    assert list(references_in(raw)) == [
        ("contained[0].schedule", "Schedule/s"),
        ("extension[0].valueReference", "Schedule/r"),
        ("participant[0].actor", "Patient/p"),
    ]
