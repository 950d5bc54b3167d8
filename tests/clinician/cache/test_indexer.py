"""Columns agree with the tolerant readers of clinician.fhir."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.cache import declared
from clinician.cache.indexer import columns_of, milliseconds, to_ms
from clinician.cache.packing import NUMBER, pack_ref, unpack_ref
from clinician.fhir import read
from clinician.fhir.times import earliest
from tests.clinician.cache.samples import Maker


def test_that_columns_agree_with_the_readers_of_the_language() -> None:
    for raw in Maker(21).workplace(4, 2):
        columns = columns_of(raw)
        assert columns.patient == read.patient_ref_of(raw)
        if raw["resourceType"] not in ("Patient", "EpisodeOfCare"):
            assert columns.status == read.status_of(raw)
            start = read.start_of(raw)
            assert columns.start == (to_ms(start) if start else None)
            assert set(read.owners_of(raw)) <= set(columns.owners)


@pytest.mark.parametrize(
    "text", ["2026", "2026-03", "2026-03-03", "2026-03-29T02:30:00+01:00", "2026-03-03T07:00:00.123Z"]
)
def test_that_times_are_their_first_instant(text: str) -> None:
    assert milliseconds(text) == to_ms(earliest(text))


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", None, 4, "2026-02-30", {}])
def test_that_an_impossible_time_is_absent(text: Any) -> None:
    assert milliseconds(text) is None


def test_that_every_declared_type_is_a_type_and_its_parameters_are_told_apart() -> None:
    assert set(declared.DECLARED) <= set(NUMBER)
    for type_ in declared.DECLARED:
        assert declared.parameters_of(type_)["identifier"] == "ident"
    assert declared.parameters_of("Appointment") == {
        "identifier": "ident",
        "replaces": "token",
        "route": "link",
    }
    assert declared.of("Binary") is declared.OTHER


def test_that_references_come_back_as_they_went_in() -> None:
    for ref in ("Patient/1", "Task/00000000-0000-4000-8000-000000000000", "Odd/x", "urn:uuid:1", "#a"):
        assert unpack_ref(pack_ref(ref)) == ref


def test_that_a_condition_tells_its_clinical_status_and_a_role_whether_it_is_active() -> None:
    condition = {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]}}
    assert columns_of(condition).status == "active"
    assert columns_of({"resourceType": "PractitionerRole", "active": False}).status == "inactive"
    assert columns_of({"resourceType": "PractitionerRole", "active": True}).status == "active"
    assert columns_of({"resourceType": "PractitionerRole"}).status is None


def test_that_a_type_nobody_declared_is_indexed_by_the_usual_elements() -> None:
    raw = {
        "resourceType": "DiagnosticReport",
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-03-03",
    }
    columns = columns_of(raw)
    assert columns.patient == "Patient/1"
    assert columns.start == milliseconds("2026-03-03")
