"""The user: facts with source, plan, notes, measurements and NEWS2."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinician.fhir import codes
from clinician.fhir.times import to_instant
from clinician.queries.query import Raw
from modules.homecare import queries as q
from modules.homecare.commands import Measured, RecordMeasurements, WithdrawNote, WriteNote
from modules.homecare.rows import NoteRow
from tests.modules.homecare.memory import NOW, Desk, MemoryReading, at, patient, task, visit, zone

OLA = "Patient/ola"
FULL = (
    Measured("blood-pressure", (95.0, 60.0)),
    Measured("pulse", (112.0,)),
    Measured("temperature", (38.6,)),
    Measured("respiration", (22.0,)),
    Measured("spo2", (94.0,)),
    Measured("consciousness", choice="A"),
    Measured("oxygen", choice="air"),
)


def desk(*more: Raw) -> Desk:
    return Desk(zone(visit("v1"), *more), at("08:10"))


def observation(
    key: str, value: float, unit: str, code: str, when: str = "2026-03-01T08:00:00Z", **more: object
) -> Raw:
    system, _, name = code.partition("|")
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "code": {"coding": [{"system": system, "code": name}]},
        "subject": {"reference": OLA},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "code": unit},
        **more,
    }


def points(reading: MemoryReading, kind: str) -> list[tuple[str, float]]:
    return [(p.series, p.value) for p in q.measurement_points(reading, patient_ref=OLA, kind=kind)]


def test_that_blood_pressure_is_two_series_in_time_order() -> None:
    mine = desk()
    mine.do(RecordMeasurements(OLA, (Measured("blood-pressure", (142.0, 88.0)),)))
    mine.now = at("09:00")
    mine.do(RecordMeasurements(OLA, (Measured("blood-pressure", (130.0, 80.0)),)))
    assert points(mine.reading, "blood-pressure") == [
        ("systolic", 142.0),
        ("diastolic", 88.0),
        ("systolic", 130.0),
        ("diastolic", 80.0),
    ]
    first = q.measurement_points(mine.reading, patient_ref=OLA, kind="blood-pressure")[0]
    assert (first.value_text, first.author) == ("142 mmHg", "Silje Nygård")
    assert (
        q.measurement_points(mine.reading, patient_ref=OLA, kind="blood-pressure", since=at("08:30"))[0].value
        == 130
    )


def test_that_norwegian_codes_and_other_units_are_read_and_strange_ones_left_out() -> None:
    snomed = "http://snomed.info/sct|27113001"
    reading = zone(
        observation("a", 70.5, "kg", "http://loinc.org|29463-7"),
        observation("b", 71500, "g", snomed, "2026-03-02T08:00:00Z"),
        observation("c", 100, "[lb_av]", snomed, "2026-03-02T09:00:00Z"),
        observation("d", 11, "[stone_av]", snomed),
        observation("e", 50, "kg", snomed, status="entered-in-error"),
        observation("f", 50, "kg", snomed) | {"valueQuantity": {"value": 5, "comparator": "<", "code": "kg"}},
        observation("g", 50, "kg", snomed) | {"valueQuantity": {"value": True, "code": "kg"}},
        observation("h", 50, "kg", snomed) | {"valueQuantity": None},
        observation("i", 98.6, "[degF]", "http://loinc.org|8310-5"),
        observation("j", 90, "mg/dL", "http://loinc.org|15074-8"),
    )
    assert [round(v, 2) for _s, v in points(reading, "weight")] == [70.5, 71.5, 45.36]
    assert [round(v, 1) for _s, v in points(reading, "temperature")] == [37.0]
    assert [round(v, 1) for _s, v in points(reading, "glucose")] == [5.0]
    assert points(reading, "consciousness") == points(reading, "nonsense") == []


def test_that_the_last_value_shows_its_change() -> None:
    mine = desk()
    for clock, upper, kilos in (("08:10", 140.0, 70.0), ("09:00", 132.0, 70.0)):
        mine.now = at(clock)
        mine.do(
            RecordMeasurements(OLA, (Measured("blood-pressure", (upper, 80.0)), Measured("weight", (kilos,))))
        )
    values = {row.label: row for row in q.user_card(mine.reading, patient_ref=OLA, now=at("09:30")).values}
    assert values["Blodtrykk"].value_text == "132/80 mmHg"
    assert values["Blodtrykk"].change_text == "−8/±0"
    assert values["Vekt"].value_text == "70,0 kg"
    assert values["Blodtrykk"].when_text == "09:00"


def test_that_news2_comes_from_a_complete_set_only() -> None:
    mine = desk()
    mine.do(RecordMeasurements(OLA, FULL[:-1]))
    card = q.user_card(mine.reading, patient_ref=OLA, now=mine.now)
    assert card.news2 == ()
    assert "NEWS2 er ikke beregnet: oksygentilførsel er ikke målt" in card.missing
    mine.do(RecordMeasurements(OLA, FULL[-1:]))
    (score,) = q.user_card(mine.reading, patient_ref=OLA, now=mine.now).news2
    assert (score.score, score.band) == (2 + 1 + 0 + 2 + 2 + 0 + 1, "high")
    assert "SpO₂-skala 1" in score.parts_text


def test_that_scale_2_is_used_only_when_a_flag_says_it_is_decided() -> None:
    decided = {
        "resourceType": "Flag",
        "id": "f",
        "status": "active",
        "subject": {"reference": OLA},
        "code": {"coding": [{"system": codes.CODE_FLAG, "code": "spo2-scale-2"}]},
    }
    mine = desk(decided)
    mine.do(RecordMeasurements(OLA, FULL))
    (score,) = q.user_card(mine.reading, patient_ref=OLA, now=mine.now).news2
    assert score.score == 7
    assert "SpO₂-skala 2" in score.parts_text


def test_that_a_child_gets_no_news2() -> None:
    mine = desk()
    mine.reading.rows[OLA].raw["birthDate"] = "2015-01-01"
    mine.do(RecordMeasurements(OLA, FULL))
    assert q.user_card(mine.reading, patient_ref=OLA, now=mine.now).news2 == ()


def test_that_the_unusual_and_the_sudden_are_asked_about() -> None:
    mine = desk()
    mine.do(RecordMeasurements(OLA, (Measured("weight", (70.0,)),)))
    doubts = q.measurement_doubts(
        mine.reading,
        patient_ref=OLA,
        values=(
            Measured("weight", (76.0,)),
            Measured("pulse", (150.0,)),
            Measured("mana", (1.0,)),
            Measured("weight"),
        ),
    )
    assert doubts == (
        "Forrige gang var det 70,0 kg. Stemmer det?",
        "150 /min er uvanlig (vanlig 45–120). Stemmer det?",
    )
    assert q.measurement_doubts(mine.reading, patient_ref=OLA, values=(Measured("weight", (71.0,)),)) == ()


def test_that_forms_have_words_units_and_limits() -> None:
    kinds = {kind.key: kind for kind in q.measurement_kinds(zone())}
    assert [f.label for f in kinds["blood-pressure"].fields] == ["Overtrykk", "Undertrykk"]
    assert kinds["temperature"].fields[0].unit_text == "°C"
    assert ("A", "Våken") in kinds["consciousness"].fields[0].choices
    assert len(q.quick_texts(zone())) >= 8


# facts


def test_that_each_fact_says_who_when_and_from_where() -> None:
    mine = desk(
        {
            "resourceType": "AllergyIntolerance",
            "id": "a",
            "patient": {"reference": OLA},
            "clinicalStatus": {"coding": [{"system": codes.ALLERGY_CLINICAL, "code": "active"}]},
            "code": {"text": "Penicillin"},
            "criticality": "high",
            "reaction": [{"manifestation": [{"text": "utslett"}]}],
            "recorder": {"reference": "Practitioner/kari"},
            "recordedDate": "2025-11-02",
            "meta": {"source": "https://legekontor.example#1"},
        },
        {
            "resourceType": "Condition",
            "id": "c1",
            "subject": {"reference": OLA},
            "clinicalStatus": {"coding": [{"system": codes.CONDITION_CLINICAL, "code": "resolved"}]},
            "code": {"text": "Brudd"},
        },
        {
            "resourceType": "Condition",
            "id": "c2",
            "subject": {"reference": OLA},
            "code": {"text": "Hjertesvikt"},
            "note": [{"text": "følg vekten"}],
        },
    )
    facts = {row.title: row for row in q.user_card(mine.reading, patient_ref=OLA, now=NOW).facts}
    assert set(facts) == {"Penicillin", "Hjertesvikt"}
    allergy = facts["Penicillin"]
    assert (allergy.detail, allergy.is_warning) == ("høy risiko, utslett", True)
    assert allergy.source_text == "Kari Lunde, 2. nov. 2025, fra https://legekontor.example"
    assert facts["Hjertesvikt"].detail == "følg vekten"


def test_that_key_information_is_a_hint_and_never_the_secret() -> None:
    key = {
        "resourceType": "Flag",
        "id": "f",
        "status": "active",
        "subject": {"reference": OLA},
        "code": {"coding": [{"system": codes.CODE_FLAG, "code": "access"}], "text": "Nøkkelboks"},
        "extension": [{"url": codes.EXT_ACCESS, "valueString": "kode 4711"}],
        "period": {"start": "2026-01-01", "end": "2026-03-03"},
    }
    over = {
        **key,
        "id": "g",
        "code": {"coding": [{"system": codes.CODE_FLAG, "code": "fall-risk"}]},
        "period": {"end": "2026-03-02"},
    }
    card = q.user_card(desk(key, over).reading, patient_ref=OLA, now=NOW)
    (row,) = card.facts
    assert (row.title, row.detail, row.is_warning) == ("Nøkkelboks", "Adkomst til hjemmet", False)
    assert "4711" not in str(card)


def test_that_what_is_missing_is_named() -> None:
    missing = q.user_card(desk().reading, patient_ref=OLA, now=NOW).missing
    assert "Allergier er ikke spurt om" in missing
    assert "Ingen plan" in missing
    stranger = q.user_card(desk().reading, patient_ref="Patient/x", now=NOW)
    assert stranger.name == "ukjent"
    assert "Ikke telefonnummer" in stranger.missing


def doctor_of(reading: MemoryReading) -> tuple[list[str], bool]:
    card = q.user_card(reading, patient_ref=OLA, now=NOW)
    return [row.title for row in card.facts if row.group == "doctor"], "Ingen fastlege" in card.missing


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ([], []),
        ([{"reference": "Practitioner/gp", "display": "Lege Unni Aas"}], ["Lege Unni Aas"]),
        ([{"display": "Lege Unni Aas"}], ["Lege Unni Aas"]),
        ([{"reference": "Practitioner/gp"}], ["ukjent"]),
        ([{"reference": "Practitioner/kari", "display": "K. Lunde"}], ["Kari Lunde"]),
    ],
)
def test_that_a_doctor_who_is_not_on_this_pc_is_shown_by_name(listed: list[Raw], shown: list[str]) -> None:
    """GPs are not in the cache of a zone: their name comes with the user."""
    ola = patient("ola") | {"generalPractitioner": listed}
    assert doctor_of(desk(ola).reading) == (shown, not shown)


def test_that_who_wrote_a_fact_keeps_the_name_the_fact_gives() -> None:
    allergy: Raw = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "patient": {"reference": OLA},
        "code": {"text": "Penicillin"},
        "recorder": {"reference": "Practitioner/gp", "display": "Lege Unni Aas"},
    }
    (row,) = q.user_card(desk(allergy).reading, patient_ref=OLA, now=NOW).facts
    assert row.source_text.startswith("Lege Unni Aas, ")


# plan and notes


def _plan() -> tuple[Raw, Raw, Raw]:
    service = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "code": {"text": "Helsetjenester i hjemmet"},
        "subject": {"reference": OLA},
        "extension": [{"url": codes.EXT_GRANTED, "valueDecimal": 210}],
    }
    plan = {
        "resourceType": "CarePlan",
        "id": "p1",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": OLA},
        "supportingInfo": [{"reference": "ServiceRequest/s1"}],
        "activity": [
            {
                "detail": {
                    "status": "scheduled",
                    "code": {
                        "coding": [{"system": codes.CODE_MEASURE, "code": "insulin"}],
                        "text": "Insulin",
                    },
                    "scheduledTiming": {
                        "repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"]}
                    },
                }
            },
            {"detail": {"status": "stopped", "description": "Slutt"}},
            {"reference": {"reference": "Task/x"}},
            {"detail": {"status": "scheduled", "description": "Prate", "scheduledString": "av og til"}},
        ],
    }
    return (
        service,
        {**service, "id": "s2", "category": [{"coding": [{"system": codes.KPR_SERVICE, "code": "6"}]}]},
        plan,
    )


def test_that_the_plan_tells_recurrence_last_and_next() -> None:
    yesterday = (NOW - timedelta(days=1)).date()
    mine = desk(
        *_plan(),
        task("t0", day=yesterday, status="completed", owner={"reference": "Practitioner/kari"}),
        task("t1", start="12:00"),
    )
    rows = {row.title: row for row in q.user_card(mine.reading, patient_ref=OLA, now=NOW).plan}
    assert set(rows) == {"Insulin", "Prate", "Helsetjenester i hjemmet"}
    insulin = rows["Insulin"]
    assert "08:00" in insulin.recurrence_text
    assert insulin.service_text == "Helsetjenester i hjemmet: 3,5 t per uke"
    assert insulin.last_text == "utført i går 08:00 av Kari Lunde"
    assert insulin.next_text == "12:00"
    assert not insulin.is_broken
    assert rows["Helsetjenester i hjemmet"].recurrence_text == "uten plan"
    assert not rows["Helsetjenester i hjemmet"].is_broken


def test_that_a_measure_nobody_documented_is_broken() -> None:
    earlier = (NOW - timedelta(days=2)).date()
    mine = desk(*_plan(), task("t0", day=earlier))
    rows = {row.title: row for row in q.user_card(mine.reading, patient_ref=OLA, now=NOW).plan}
    assert rows["Insulin"].is_broken


def test_that_a_granted_service_without_a_plan_is_broken() -> None:
    service, *_rest = _plan()
    rows = q.user_card(desk(service).reading, patient_ref=OLA, now=NOW).plan
    assert [row.is_broken for row in rows] == [True]


def notes(mine: Desk) -> tuple[NoteRow, ...]:
    return q.user_card(mine.reading, patient_ref=OLA, now=mine.now).notes


def test_that_notes_are_newest_first_and_withdrawn_ones_stay() -> None:
    mine = desk()
    mine.do(WriteNote(OLA, "Første"))
    mine.now = at("09:00")
    mine.do(WriteNote(OLA, "Andre", kind="handover"))
    mine.do(WithdrawNote(notes(mine)[0].key, "feil bruker"))
    found = notes(mine)
    assert [note.is_withdrawn for note in found] == [True, False]
    assert found[0].text == "Trukket tilbake: feil bruker\nAndre"
    assert (found[0].kind_text, found[1].author) == ("Vaktrapport", "Silje Nygård")


@pytest.mark.parametrize(
    ("attachment", "words"),
    [
        ({"contentType": "application/pdf", "title": "Epikrise"}, "Vedlagt dokument: Epikrise"),
        ({"contentType": "text/plain", "data": "%%%"}, "Denne teksten kan ikke leses."),
        ({"contentType": "text/plain", "data": "/w=="}, "Denne teksten kan ikke leses."),
        (None, "Vedlagt dokument: ukjent"),
    ],
)
def test_that_what_is_no_text_is_said_to_be_so(attachment: Raw | None, words: str) -> None:
    raw = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "type": {"text": "Epikrise"},
        "subject": {"reference": OLA},
        "date": to_instant(NOW),
        "content": [{"attachment": attachment}],
    }
    (note,) = notes(desk(raw))
    assert (note.text, note.kind_text) == (words, "Epikrise")


def test_that_tasks_show_their_reason_and_history() -> None:
    mine = desk(
        task(
            "t1",
            status="rejected",
            lastModified=to_instant(at("07:00")),
            owner={"reference": "Practitioner/kari"},
            statusReason={"coding": [{"system": codes.CODE_NOT_DONE, "code": "refused"}], "text": "sov"},
        ),
        task("t2", status="entered-in-error"),
    )
    (row,) = q.user_card(mine.reading, patient_ref=OLA, now=NOW).tasks
    assert (row.reason_text, row.history_text) == ("ønsket ikke: sov", "ønsket ikke 07:00 av Kari Lunde")
    assert not row.is_open
