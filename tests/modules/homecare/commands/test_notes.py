"""Notes and measurements."""

from __future__ import annotations

import pytest

from clinician.access.who import Who
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from modules.homecare.commands import CompleteVisit, Measured, RecordMeasurements, WithdrawNote, WriteNote
from modules.homecare.queries.notes import note_text
from tests.modules.homecare.memory import Desk, at, patient, visit, zone

OLA, V1 = "Patient/ola", "Appointment/v1"


def desk(*more: dict) -> Desk:
    return Desk(zone(visit("v1"), *more), at("08:10"))


def only(mine: Desk, type_: str) -> dict:
    (row,) = mine.reading.find(type_)
    return row.raw


def test_that_a_note_is_signed_by_its_author_and_tied_to_the_visit() -> None:
    mine = desk()
    mine.do(CompleteVisit(V1))
    (act,) = mine.do(WriteNote(OLA, "Fin i dag. Æ ø å.\n", V1))
    note = only(mine, "DocumentReference")
    assert note_text(note) == "Fin i dag. Æ ø å."
    assert read.ref_at(note, "author") == "Practitioner/me"
    assert read.ref_at(note, "context.encounter").startswith("Encounter/")
    assert read.ref_at(note, "context.related") == V1
    assert read.code_in(note, "type", codes.CODE_NOTE) == "visit-note"
    assert act.aggregate == OLA


def test_that_a_note_needs_no_visit() -> None:
    mine = desk()
    mine.who = Who("Practitioner/me", "", "", "", "", "")
    mine.do(WriteNote(OLA, "Ringte.", kind="daily-note"))
    assert "context" not in only(mine, "DocumentReference")
    mine.do(WriteNote(OLA, "Før besøket.", V1))
    assert any(
        read.value_at(r.raw, "context.encounter") is None and read.ref_at(r.raw, "context.related") == V1
        for r in mine.reading.find("DocumentReference")
    )


def test_that_bad_notes_are_refused_with_every_reason() -> None:
    mine = desk()
    assert [p.field for p in mine.problems(WriteNote("Patient/x", "  ", kind="poem"))] == ["", "text", "kind"]
    assert [p.field for p in mine.problems(WriteNote(OLA, "x" * 100_001))] == ["text"]
    change = WriteNote("Patient/x", "a").build(mine.reading, mine.stamp)[0].changes[0]
    assert "meta" not in change.raw


def test_that_a_withdrawn_note_stays_and_says_why() -> None:
    mine = desk()
    mine.do(WriteNote(OLA, "Feil bruker"))
    ref = next(row.ref for row in mine.reading.find("DocumentReference"))
    assert [p.field for p in mine.problems(WithdrawNote(ref, " "))] == ["reason"]
    mine.do(WithdrawNote(ref, "Skrevet på feil bruker"))
    note = mine.reading.rows[ref].raw
    assert (note["status"], note_text(note)) == ("entered-in-error", "Feil bruker")
    assert "Skrevet på feil bruker" in note["description"]
    assert mine.problems(WithdrawNote(ref, "igjen"))
    assert mine.problems(WithdrawNote("DocumentReference/x", "a"))
    with pytest.raises(UserProblem):
        WithdrawNote("DocumentReference/x", "a").build(mine.reading, mine.stamp)


def test_that_blood_pressure_is_one_panel_with_two_components() -> None:
    mine = desk()
    mine.do(CompleteVisit(V1))
    mine.do(RecordMeasurements(OLA, (Measured("blood-pressure", (142.0, 88.0)),), V1))
    found = only(mine, "Observation")
    assert [c.code for c in read.codings(found, "code")] == ["85354-9", "75367002"]
    assert [read.value_at(p, "valueQuantity.value") for p in found["component"]] == [142, 88]
    assert found["component"][0]["valueQuantity"]["code"] == "mm[Hg]"
    assert read.ref_at(found, "encounter").startswith("Encounter/")
    assert "valueQuantity" not in found


def test_that_values_taken_together_are_one_act() -> None:
    mine = desk()
    values = (
        Measured("temperature", (37.46,)),
        Measured("pulse", (72.0,)),
        Measured("consciousness", choice="A"),
    )
    (act,) = mine.do(RecordMeasurements(OLA, values, when=at("08:00")))
    assert len(act.changes) == 3
    rows = {read.codings(r.raw, "code")[0].code: r.raw for r in mine.reading.find("Observation")}
    assert rows["8310-5"]["valueQuantity"]["value"] == 37.5
    assert rows["8867-4"]["valueQuantity"] == {
        "value": 72,
        "unit": "/min",
        "system": codes.UCUM,
        "code": "/min",
    }
    assert read.codings(rows["1104441000000107"], "valueCodeableConcept")[0].code == "248234008"
    assert all(read.start_of(raw) == at("08:00") for raw in rows.values())
    assert "Temperatur" in act.label.render("nb")


def test_that_impossible_values_are_refused_beside_their_field() -> None:
    mine = desk()
    values = (
        Measured("temperature", (375.0,)),
        Measured("temperature", (37.5,)),
        Measured("blood-pressure", (80.0, 120.0)),
        Measured("pulse", ()),
        Measured("oxygen", choice="helium"),
        Measured("mana", (1.0,)),
    )
    problems = mine.problems(RecordMeasurements("Patient/x", values, when=at("09:00")))
    assert [p.field for p in problems] == [
        "",
        "",
        "when",
        "temperature.temperature",
        "blood-pressure.diastolic",
        "pulse.",
        "oxygen.oxygen",
        "mana",
    ]
    assert "25,0" in problems[3].text.render("nb")
    assert mine.problems(RecordMeasurements(OLA, ()))


def test_that_a_patient_who_left_is_no_crash() -> None:
    mine = desk(patient("eve"))
    command = RecordMeasurements("Patient/x", (Measured("pulse", (70.0,)),), "Appointment/none")
    assert command.build(mine.reading, mine.stamp)
