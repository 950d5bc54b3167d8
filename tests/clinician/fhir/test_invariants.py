from __future__ import annotations

from typing import Any

import pytest

from clinician.fhir.invariants import RULES, WORDS
from clinician.fhir.structure import table

IN_ERROR = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            "code": "entered-in-error",
        }
    ]
}
IN_ERROR_CONDITION = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}
    ]
}
ACTIVE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
}
RESOLVED = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]
}
PULSE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
REF = {"reference": "Patient/p"}
FLAG = {"resourceType": "Flag", "id": "f"}


def bundle(type_: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries), **more}


CASES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [  # type, official path, key, broken, whole
    ("Period", "Period", "per-1", {"start": "2026-03-10", "end": "2026-03-09"}, {"start": "2026", "end": "2026-03"}),
    ("Quantity", "Quantity", "qty-3", {"value": 1, "code": "kg"}, {"value": 1, "code": "kg", "system": "u"}),
    ("Range", "Range", "rng-2", {"low": {"value": 2}, "high": {"value": 1}}, {"low": {"value": 1}, "high": {"value": 1}}),
    ("Ratio", "Ratio", "rat-1", {"numerator": {"value": 1}}, {"numerator": {"value": 1}, "denominator": {"value": 2}}),
    ("Ratio", "Ratio", "rat-1", {"id": "x"}, {"extension": [{"url": "x", "valueCode": "y"}]}),
    ("ContactPoint", "ContactPoint", "cpt-2", {"value": "1"}, {"value": "1", "system": "phone"}),
    ("Attachment", "Attachment", "att-1", {"data": "aGVp"}, {"data": "aGVp", "contentType": "text/plain"}),
    ("Extension", "Extension", "ext-1", {"url": "x"}, {"url": "x", "valueCode": "y"}),
    ("Extension", "Extension", "ext-1", {"url": "x", "valueCode": "y", "extension": [{"url": "z", "valueCode": "w"}]}, {"url": "x", "extension": [{"url": "z", "valueCode": "w"}]}),
    ("Observation", "Observation", "obs-6", {"valueString": "x", "dataAbsentReason": {"text": "y"}}, {"dataAbsentReason": {"text": "y"}}),
    ("Observation", "Observation", "obs-7", {"code": PULSE, "valueString": "x", "component": [{"code": PULSE}]}, {"code": PULSE, "component": [{"code": PULSE}]}),
    ("ObservationReferenceRange", "Observation.referenceRange", "obs-3", {"type": {"text": "x"}}, {"text": "x"}),
    ("Appointment", "Appointment", "app-2", {"status": "proposed", "start": "2026-03-09T07:00:00Z"}, {"status": "proposed"}),
    ("Appointment", "Appointment", "app-3", {"status": "booked"}, {"status": "cancelled"}),
    ("Appointment", "Appointment", "app-4", {"status": "booked", "start": "2026-03-09T07:00:00Z", "end": "2026-03-09T08:00:00Z", "cancelationReason": {"text": "x"}}, {"status": "noshow", "start": "2026-03-09T07:00:00Z", "end": "2026-03-09T08:00:00Z", "cancelationReason": {"text": "x"}}),
    ("Appointment", "", "per-1", {"status": "booked", "start": "2026-03-09T09:00:00Z", "end": "2026-03-09T08:00:00Z"}, {"status": "booked", "start": "2026-03-09T07:00:00Z", "end": "2026-03-09T08:00:00Z"}),
    ("Slot", "", "per-1", {"start": "2026-03-09T09:00:00Z", "end": "2026-03-09T08:00:00Z"}, {"start": "2026-03-09T07:00:00Z", "end": "2026-03-09T08:00:00Z"}),
    ("AppointmentParticipant", "Appointment.participant", "app-1", {"status": "accepted"}, {"actor": REF, "status": "accepted"}),
    ("CarePlanActivity", "CarePlan.activity", "cpl-3", {"detail": {"status": "x"}, "reference": REF}, {"reference": REF}),
    ("Condition", "Condition", "con-4", {"abatementString": "x", "clinicalStatus": ACTIVE}, {"abatementString": "x", "clinicalStatus": RESOLVED}),
    ("Condition", "Condition", "con-5", {"verificationStatus": IN_ERROR_CONDITION, "clinicalStatus": ACTIVE}, {"verificationStatus": IN_ERROR_CONDITION}),
    ("AllergyIntolerance", "AllergyIntolerance", "ait-1", {"code": {"text": "x"}}, {"clinicalStatus": ACTIVE}),
    ("AllergyIntolerance", "AllergyIntolerance", "ait-2", {"verificationStatus": IN_ERROR, "clinicalStatus": ACTIVE}, {"verificationStatus": IN_ERROR}),
    ("PatientContact", "Patient.contact", "pat-1", {"gender": "male"}, {"organization": {"display": "x"}}),
    ("Organization", "Organization", "org-1", {"active": True}, {"name": "x"}),
    ("Organization", "Organization", "org-2", {"name": "x", "address": [{"use": "home"}]}, {"name": "x", "address": [{"use": "work"}]}),
    ("Organization", "Organization", "org-3", {"name": "x", "telecom": [{"use": "home"}]}, {"name": "x", "telecom": [{"use": "work"}]}),
    ("MedicationAdministrationDosage", "MedicationAdministration.dosage", "mad-1", {"text": "x"}, {"rateQuantity": {"value": 1}}),
    ("AuditEventEntity", "AuditEvent.entity", "sev-1", {"name": "x", "query": "eA=="}, {"name": "x"}),
    ("CompositionSection", "Composition.section", "cmp-1", {"title": "x"}, {"entry": [REF]}),
    ("CompositionSection", "Composition.section", "cmp-2", {"entry": [REF], "emptyReason": {"text": "x"}}, {"text": {"status": "generated", "div": "<div/>"}, "emptyReason": {"text": "x"}}),
    ("List", "List", "lst-1", {"entry": [{"item": REF}], "emptyReason": {"text": "x"}}, {"emptyReason": {"text": "x"}}),
    ("List", "List", "lst-2", {"mode": "working", "entry": [{"deleted": True, "item": REF}]}, {"mode": "changes", "entry": [{"deleted": True, "item": REF}]}),
    ("Group", "Group", "grp-1", {"actual": False, "member": [{"entity": REF}]}, {"actual": True, "member": [{"entity": REF}]}),
    ("ServiceRequest", "ServiceRequest", "prr-1", {"orderDetail": [{"text": "x"}]}, {"orderDetail": [{"text": "x"}], "code": {"text": "y"}}),
    ("Task", "Task", "inv-1", {"authoredOn": "2026-03-10T07:00:00Z", "lastModified": "2026-03-09T07:00:00Z"}, {"authoredOn": "2026-03-08T07:00:00Z", "lastModified": "2026-03-09T07:00:00Z"}),
    ("QuestionnaireResponseItem", "QuestionnaireResponse.item", "qrs-1", {"linkId": "1", "answer": [{"valueBoolean": True}], "item": [{"linkId": "2"}]}, {"linkId": "1", "item": [{"linkId": "2"}]}),
    ("GoalTarget", "Goal.target", "gol-1", {"detailString": "x"}, {"detailString": "x", "measure": {"text": "y"}}),
    ("Bundle", "Bundle", "bdl-1", bundle("collection", total=1), bundle("searchset", total=1)),
    ("Bundle", "Bundle", "bdl-2", bundle("collection", {"resource": FLAG, "search": {"mode": "match"}}), bundle("searchset", {"resource": FLAG, "search": {"mode": "match"}})),
    ("Bundle", "Bundle", "bdl-3", bundle("transaction", {"resource": FLAG}), bundle("transaction", {"resource": FLAG, "request": {"method": "PUT", "url": "Flag/f"}})),
    ("Bundle", "Bundle", "bdl-4", bundle("batch-response", {"resource": FLAG}), bundle("batch-response", {"response": {"status": "200"}})),
    ("Bundle", "", "bdl-5", bundle("collection", {"fullUrl": "urn:uuid:x"}), bundle("collection", {"resource": FLAG})),
    ("Bundle", "Bundle", "bdl-7", bundle("collection", {"fullUrl": "urn:a", "resource": FLAG}, {"fullUrl": "urn:a", "resource": FLAG}), bundle("collection", {"fullUrl": "urn:a", "resource": FLAG}, {"fullUrl": "urn:b", "resource": FLAG})),
    ("Bundle", "", "bdl-8", bundle("collection", {"fullUrl": "http://r/Flag/f/_history/2", "resource": FLAG}), bundle("collection", {"fullUrl": "http://r/Flag/f", "resource": FLAG})),
    ("TimingRepeat", "Timing.repeat", "tim-1", {"duration": 1}, {"duration": 1, "durationUnit": "h"}),
    ("TimingRepeat", "Timing.repeat", "tim-2", {"period": 1}, {"period": 1, "periodUnit": "d"}),
    ("TimingRepeat", "Timing.repeat", "tim-4", {"duration": -1, "durationUnit": "h"}, {"duration": 0, "durationUnit": "h"}),
    ("TimingRepeat", "Timing.repeat", "tim-5", {"period": -1, "periodUnit": "d"}, {"period": 0, "periodUnit": "d"}),
    ("TimingRepeat", "Timing.repeat", "tim-6", {"periodMax": 1}, {"periodMax": 1, "period": 1, "periodUnit": "d"}),
    ("TimingRepeat", "Timing.repeat", "tim-7", {"durationMax": 1}, {"durationMax": 1, "duration": 1, "durationUnit": "h"}),
    ("TimingRepeat", "Timing.repeat", "tim-8", {"countMax": 1}, {"countMax": 1, "count": 1}),
    ("TimingRepeat", "Timing.repeat", "tim-9", {"offset": 5}, {"offset": 5, "when": ["ACM"]}),
    ("TimingRepeat", "Timing.repeat", "tim-9", {"offset": 5, "when": ["C"]}, {"when": ["C"]}),
    ("TimingRepeat", "Timing.repeat", "tim-10", {"timeOfDay": ["08:00:00"], "when": ["HS"]}, {"when": ["HS"]}),
]  # fmt: skip
NAMES = [f"{case[2]} {case[0]}" for case in CASES]


@pytest.mark.parametrize(("type_", "path", "key", "broken", "whole"), CASES, ids=NAMES)
def test_that_a_rule_is_broken_where_it_is_and_only_there(
    type_: str, path: str, key: str, broken: dict[str, Any], whole: dict[str, Any]
) -> None:
    assert key in list(RULES[type_](broken))
    assert key not in list(RULES[type_](whole))


OFFICIAL = {(row["path"], row["key"]): row["expression"] for row in table("invariants.json.gz")}
BEYOND = {
    "att-1": "a slip in the engine",
    "per-1": "hasValue",
    "ext-1": "not in the table",
    "tim-9": "allFalse",
    "rng-2": "compares quantities",
    "mad-1": "a choice inside a part",
    "gol-1": "a choice inside a part",
    "org-2": "written for each address",
    "org-3": "written for each telecom",
}
"""Rules the FHIRPath engine cannot judge."""


@pytest.mark.parametrize(
    ("type_", "path", "key", "broken", "whole"),
    [c for c in CASES if c[1] and c[2] not in BEYOND],
    ids=[n for n, c in zip(NAMES, CASES, strict=True) if c[1] and c[2] not in BEYOND],
)
def test_that_the_official_expression_agrees(
    type_: str, path: str, key: str, broken: dict[str, Any], whole: dict[str, Any]
) -> None:
    import fhirpathpy
    from fhirpathpy.models import models

    judge = fhirpathpy.compile(OFFICIAL[path, key], models["r4"])
    for node, expected in ((broken, [False]), (whole, [True])):
        named = {"resourceType": type_, **node} if path == type_ and type_[0].isupper() else node
        assert judge(named, {"resource": named, "rootResource": named}) == expected


def test_that_every_rule_has_words_and_a_case() -> None:
    assert {case[2] for case in CASES} == set(WORDS)
    assert {case[0] for case in CASES} | {"Age", "Duration", "Count", "Distance"} == set(RULES)
    print(f"{len(WORDS)} invariants by hand")
