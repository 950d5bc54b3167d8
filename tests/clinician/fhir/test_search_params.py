from __future__ import annotations

import itertools
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from clinician.fhir.expression import compile_path
from clinician.fhir.search_params import SearchParam, for_type, patient_compartment, values
from clinician.fhir.search_values import BEGINNING, END, StringValue, Token, fold
from clinician.fhir.structure import resource_types
from tests.clinician.fhir.shared_material import needs_shared, norwegian_examples, official_examples

OURS = [
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "RelatedPerson",
    "EpisodeOfCare",
    "Encounter",
    "Appointment",
    "AppointmentResponse",
    "Schedule",
    "Slot",
    "Task",
    "CarePlan",
    "CareTeam",
    "Goal",
    "ServiceRequest",
    "Procedure",
    "Observation",
    "Condition",
    "AllergyIntolerance",
    "Flag",
    "DetectedIssue",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationStatement",
    "Medication",
    "MedicationDispense",
    "DocumentReference",
    "Composition",
    "Communication",
    "CommunicationRequest",
    "Consent",
    "Questionnaire",
    "QuestionnaireResponse",
    "ChargeItem",
    "Claim",
    "Invoice",
    "Account",
    "Group",
    "List",
    "Basic",
    "Binary",
    "Bundle",
    "Provenance",
    "AuditEvent",
    "Subscription",
    "HealthcareService",
    "Device",
    "DeviceRequest",
    "Immunization",
    "DiagnosticReport",
    "ImagingStudy",
    "ClaimResponse",
    "ExplanationOfBenefit",
    "Coverage",
    "Person",
    "Substance",
    "Media",
    "Endpoint",
    "Specimen",
]


def found(raw: dict[str, Any], code: str) -> tuple[Any, ...]:
    return values(raw, for_type(raw["resourceType"])[code])


def test_that_every_type_we_use_has_the_parameters_of_every_resource() -> None:
    for type_ in OURS:
        assert {"_id", "_lastUpdated", "_tag", "_profile"} <= set(for_type(type_)), type_
    assert for_type("Nonsense") == {}


def test_that_every_official_parameter_of_our_types_finds_its_way() -> None:
    dead = [
        (t, p.code) for t in OURS for p in for_type(t).values() if not (p.walks or p.components or p.special)
    ]
    assert dead == []


def test_that_a_visit_is_found_by_actor_patient_practitioner_date_and_status() -> None:
    visit = {
        "resourceType": "Appointment",
        "id": "v",
        "meta": {"lastUpdated": "2026-03-09T06:00:00Z", "tag": [{"system": "s", "code": "t"}]},
        "status": "booked",
        "start": "2026-03-09T07:30:00+01:00",
        "participant": [
            {"actor": {"reference": "Patient/p"}},
            {"actor": {"reference": "https://r/fhir/Practitioner/k"}},
            {"actor": {"display": "?"}},
        ],
        "basedOn": [{"reference": "ServiceRequest/s"}],
    }
    assert [(v.type, v.id) for v in found(visit, "actor")] == [("Patient", "p"), ("Practitioner", "k")]
    assert [v.url for v in found(visit, "patient")] == ["Patient/p"]
    assert [v.url for v in found(visit, "practitioner")] == ["Practitioner/k"]
    assert found(visit, "status") == (Token("", "booked"),)
    assert found(visit, "date")[0].low == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)
    assert found(visit, "_id") == (Token("", "v"),)
    assert found(visit, "_tag") == (Token("s", "t"),)
    assert found(visit, "based-on")[0].type == "ServiceRequest"
    assert for_type("Appointment")["patient"].targets == {"Patient"}


def test_that_a_choice_is_found_under_whichever_name_it_was_written() -> None:
    by_day = {"resourceType": "Observation", "effectiveDateTime": "2026-03-09"}
    by_period = {"resourceType": "Observation", "effectivePeriod": {"start": "2026-03-09T06:00:00Z"}}
    assert found(by_day, "date")[0].high == datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert found(by_period, "date")[0].high == END
    assert (
        found({"resourceType": "Observation", "effectivePeriod": {"end": "2026"}}, "date")[0].low == BEGINNING
    )
    assert (
        found(
            {"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/m"}},
            "medication",
        )[0].id
        == "m"
    )
    assert found(
        {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": {"coding": [{"system": "a", "code": "b"}]},
        },
        "code",
    ) == (Token("a", "b"),)


def test_that_a_timing_covers_its_events_or_its_bounds() -> None:
    events = {
        "resourceType": "ServiceRequest",
        "occurrenceTiming": {"event": ["2026-03-09T06:00:00Z", "2026-03-01T06:00:00Z"]},
    }
    assert found(events, "occurrence")[0].low.day == 1
    bounds = {
        "resourceType": "ServiceRequest",
        "occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2026-03-01"}}},
    }
    assert found(bounds, "occurrence")[0].high == END


def test_that_names_are_found_in_parts_without_case_or_accents() -> None:
    person = {
        "resourceType": "Patient",
        "name": [{"family": "Ødegård", "given": ["Åse", "Marie"]}],
        "telecom": [{"system": "email", "value": "a@b"}, {"system": "phone", "value": "1"}],
    }
    assert StringValue("Åse", "ase") in found(person, "name")
    assert [v.text for v in found(person, "family")] == ["Ødegård"]
    assert found(person, "email") == (Token("", "a@b"),)
    assert found(person, "phone") == (Token("", "1"),)
    assert fold("  ÉCOLE  Ås ") == "ecole as"


def test_that_death_is_known_either_way_it_was_written() -> None:
    assert found({"resourceType": "Patient", "deceasedDateTime": "2026"}, "deceased") == (Token("", "true"),)
    assert found({"resourceType": "Patient", "deceasedBoolean": False}, "deceased") == (Token("", "false"),)
    assert found({"resourceType": "Patient"}, "deceased") == (Token("", "false"),)


def test_that_quantities_keep_comparators_and_units() -> None:
    raw = {
        "resourceType": "Observation",
        "valueQuantity": {"value": 5.4, "comparator": "<", "system": "u", "code": "mmol/L", "unit": "mmol/l"},
    }
    assert found(raw, "value-quantity") == ((-math.inf, 5.4, "u", "mmol/L", "mmol/l"),)
    assert found({"resourceType": "Observation", "valueQuantity": {"value": True}}, "value-quantity") == ()
    dose = {"resourceType": "Condition", "onsetRange": {"low": {"value": 40, "unit": "a"}}}
    assert found(dose, "onset-age") == ((40.0, math.inf, "", "", "a"),)


def test_that_a_composite_binds_code_and_value_of_the_same_component() -> None:
    def component(code: str, value: int) -> dict[str, Any]:
        return {
            "code": {"coding": [{"system": "l", "code": code}]},
            "valueQuantity": {"value": value, "code": "mm[Hg]"},
        }

    raw = {"resourceType": "Observation", "component": [component("8480-6", 120), component("8462-4", 80)]}
    pairs = [(c.parts[0][0].code, c.parts[1][0].low) for c in found(raw, "component-code-value-quantity")]
    assert pairs == [("8480-6", 120.0), ("8462-4", 80.0)]
    assert [(c.parts[0][0].code, c.parts[1][0].low) for c in found(raw, "combo-code-value-quantity")] == pairs
    assert (
        found({"resourceType": "Observation", "code": {"coding": [{"code": "x"}]}}, "code-value-quantity")
        == ()
    )


def test_that_a_logical_reference_is_found_by_its_identifier() -> None:
    raw = {
        "resourceType": "Task",
        "owner": {"type": "Practitioner", "identifier": {"system": "hpr", "value": "7"}},
    }
    (only,) = found(raw, "owner")
    assert (only.type, only.id, only.identifier) == ("Practitioner", "", Token("hpr", "7"))


def test_that_a_contained_patient_counts_as_a_patient() -> None:
    raw = {
        "resourceType": "Flag",
        "contained": [{"resourceType": "Patient", "id": "x"}],
        "subject": {"reference": "#x"},
    }
    assert found(raw, "patient")[0].url == "#x"
    assert found({"resourceType": "Flag", "subject": {"reference": "#y"}}, "patient") == ()


def test_that_what_is_badly_built_has_no_values_and_raises_nothing() -> None:
    odd: list[Any] = [None, 5, "x", [], {}, [5], {"a": 1}, [[]], True]
    for type_ in ("Appointment", "Observation", "Patient", "Task"):
        names = sorted(
            {step.key for p in for_type(type_).values() for w, _ in p.walks for step in w.steps if step.key}
        )
        for name, value in itertools.product(names, odd):
            for param in for_type(type_).values():
                values({"resourceType": type_, name: value}, param)


@pytest.mark.parametrize(
    "expression",
    ["Task.owner.resolve()", "Task.owner.first()", "Task.where(a > 1)", "(Task.owner", "%resource.id"],
)
def test_that_an_expression_outside_our_part_is_refused_when_compiled(expression: str) -> None:
    with pytest.raises(ValueError):
        compile_path(expression, "Task")


def test_that_the_compartment_names_parameters_that_exist() -> None:
    compartment = patient_compartment()
    assert compartment["Appointment"] == ("actor",)
    known = {t for t in compartment if for_type(t)}
    assert compartment["Task"] == ("patient", "focus")
    for type_ in known:
        assert set(compartment[type_]) <= set(for_type(type_)), type_


def nodes(param: SearchParam, raw: dict[str, Any]) -> list[Any]:
    return [node for walk in compile_path(param.expression, param.type) for node in walk.nodes(raw)]


@pytest.mark.shared
@needs_shared
def test_that_walkers_find_what_a_generic_fhirpath_engine_finds() -> None:
    import fhirpathpy
    from fhirpathpy.models import models

    compared = 0
    differing = []
    sample = [r for _, r in official_examples()][::6] + [r for _, r in norwegian_examples()][::4]
    engines: dict[str, Any] = {}
    for raw in sample:
        for param in for_type(raw["resourceType"]).values():
            parts = [p.strip() for p in param.expression.split("|") if f"{raw['resourceType']}." in p]
            if "resolve()" in param.expression or param.components or param.special or not parts:
                continue
            text = " | ".join(parts)
            if text.count("(") != text.count(")"):
                continue
            engine = engines.setdefault(text, fhirpathpy.compile(text, models["r4"]))
            try:
                theirs = engine(raw)
            except ValueError:  # the engine's `as` takes one value only
                continue
            ours = nodes(param, raw)
            compared += 1
            plain = json.loads(json.dumps([t for t in theirs if t is not None], default=float))
            if len(plain) != len([o for o in ours if o in plain]) and not all(p in ours for p in plain):
                differing.append((raw["resourceType"], param.code, text, plain, ours))
    print(f"{compared} parameters compared, {len(differing)} differ")
    assert compared > 500
    assert differing == []


@pytest.mark.shared
@needs_shared
def test_that_every_official_example_is_indexed_without_trouble() -> None:
    for _, raw in official_examples():
        for param in for_type(raw["resourceType"]).values():
            values(raw, param)
    assert len(resource_types()) == 146
