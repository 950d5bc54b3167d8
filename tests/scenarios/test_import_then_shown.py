"""What is imported into the record is what the workstation shows: conditions, medication, curves."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clinician.cli import main
from clinician.practice.create import create
from clinician.workstation import Options, Workstation

SHARED = Path(__file__).resolve().parents[3] / "shared" / "fhir"
DAY = date(2026, 11, 18)


def entry(type_: str, urn: str, /, **elements: Any) -> dict[str, Any]:
    raw = {"resourceType": type_, **elements}
    return {"fullUrl": f"urn:uuid:{urn}", "resource": raw, "request": {"method": "POST", "url": type_}}


def pressure(patient: dict[str, str], days: int, high: int, low: int) -> dict[str, Any]:
    when = datetime.combine(DAY, datetime.min.time(), UTC) - timedelta(days=days)
    unit = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return entry(
        "Observation",
        f"0000000{days % 10}-0000-4000-8000-00000000{days:04d}",
        status="final",
        category=[
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        code={"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        subject=patient,
        effectiveDateTime=when.isoformat(),
        component=[
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, **unit},
            }
            for code, value in (("8480-6", high), ("8462-4", low))
        ],
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    patient = {"reference": "urn:uuid:11111111-1111-4111-8111-111111111111"}
    entries = [
        entry(
            "Patient",
            "11111111-1111-4111-8111-111111111111",
            name=[{"family": "Importvik", "given": ["Gudny"]}],
            birthDate="1938-04-02",
            gender="female",
        ),
        entry(
            "Condition",
            "22222222-2222-4222-8222-222222222222",
            clinicalStatus={
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                        "code": "active",
                    }
                ]
            },
            code={"text": "Hjertesvikt"},
            subject=patient,
        ),
        entry(
            "MedicationRequest",
            "33333333-3333-4333-8333-333333333333",
            status="active",
            intent="order",
            medicationCodeableConcept={"text": "Furosemid 40 mg"},
            subject=patient,
            dosageInstruction=[{"text": "1 tablett kl. 08"}],
        ),
        entry("Condition", "44444444-4444-4444-8444-444444444444", clinicalStatus="active"),
        *(pressure(patient, days, 120 + days, 70 + days) for days in (1, 5, 9)),
    ]
    file = tmp_path / "innkomst" / "bundle.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}), "utf-8")
    return file


def shown(folder: Path, words: list[str]) -> tuple[str, Any, Any]:
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
        homecare = station.registry
        user_card = homecare.resolve("homecare", "modules.homecare.queries:user_card")
        points = homecare.resolve("homecare", "modules.homecare.queries:measurement_points")
        with station.cache.reading() as reading:
            found = reading.search_patients(words)
        assert found, f"{words} is not on this PC"
        since = datetime(2000, 1, 1, tzinfo=UTC)
        card = station.run_query(user_card, patient_ref=found[0].ref, now=station.clock.now())
        curve = station.run_query(points, patient_ref=found[0].ref, kind="blood-pressure", since=since)
        return found[0].ref, card, curve


def test_that_imported_people_are_shown_with_conditions_medication_and_curves(
    tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "town"
    create(folder, seed=1, people=200, day=DAY)
    assert main(["record", "import", "--data", str(folder), str(bundle)]) == 0
    said = capsys.readouterr().out
    assert "Condition" in said or "bundle.json" in said
    ref, card, curve = shown(folder, ["gudny", "importvik"])
    titles = {(fact.group, fact.title) for fact in card.facts}
    assert ("condition", "Hjertesvikt") in titles
    assert any(group == "medication" and "Furosemid" in title for group, title in titles)
    assert [(point.series, point.value) for point in curve if point.value in (121, 125, 129)]
    assert len(curve) == 6
    assert main(["record", "import", "--data", str(folder), str(bundle)]) == 0
    again, card_again, curve_again = shown(folder, ["gudny", "importvik"])
    assert again == ref
    assert len(card_again.facts) == len(card.facts)
    assert len(curve_again) == 6


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="public FHIR data do not lie beside the checkout")
def test_that_public_records_are_shown_too(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    create(folder, seed=1, people=200, day=DAY)
    paths = [str(SHARED / name) for name in ("synthea-r4", "no-lmdi", "no-vkp", "no-vitalsigns")]
    assert main(["record", "import", "--data", str(folder), *paths]) == 0
    for words in (["jerrell", "gerlach"], ["gayla", "ferry"]):
        _ref, card, _curve = shown(folder, words)
        groups = {fact.group for fact in card.facts}
        assert "condition" in groups
