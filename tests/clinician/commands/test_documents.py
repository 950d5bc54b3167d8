"""Adding a document: what it says, what it waits for, what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clinician.cache.attachment_files import Taken
from clinician.cache.attachments import FileState
from clinician.commands.bus import Problems
from clinician.commands.documents import LONGEST_TITLE, AttachDocument, WithdrawDocument
from clinician.errors import UserProblem
from clinician.fhir.validation import problems
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import OTHER, WHO, Desk

TAKEN = Taken(9, "ab" * 32, "c2hhMQ==", "image/png", b"\x89PNG\r\n\x1a\nx")


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path / "cache")
    yield made
    made.cache.close()


NOW = {"lastUpdated": "2026-03-03T06:00:00+00:00"}


def patient(desk: Desk, practice: bool = False) -> str:
    raw: dict[str, Any] = {"resourceType": "Patient", "id": "p", "name": [{"text": "Ola"}], "meta": NOW}
    if practice:
        system = "https://clinician.example/fhir/CodeSystem/practice"
        raw["meta"] = NOW | {"tag": [{"system": system, "code": "practice"}]}
    return desk.synced(raw)


def added(desk: Desk, **other: Any) -> tuple[Any, dict[str, Any]]:
    told = {"patient_ref": "Patient/p", "title": "Sår", "kind": "wound-photo", "taken": TAKEN} | other
    done = desk.bus.run(AttachDocument(**told), WHO)
    (ref,) = done.refs
    held = desk.get(ref)
    assert held is not None
    return done, held.raw


def test_that_act_and_content_are_written_together_and_the_act_waits(desk: Desk) -> None:
    patient(desk)
    done, raw = added(desk)
    assert [finding for finding in problems(raw) if finding.level == "error"] == []
    with desk.cache.reading() as reading:
        (row,) = reading.attachments("Patient/p")
        assert reading.attachments() == (row,)
    assert (row.op_id, row.state, row.size) == (done.op_ids[0], FileState.WAITING, 9)
    assert raw["content"][0]["attachment"]["url"] == row.ref
    assert desk.cache.writer.run(lambda writing: writing.outbox.ready(DAY)) == ()
    desk.cache.writer.run(lambda writing: writing.attachments.moved(row.ref, FileState.SENT))
    assert [act.op_id for act in desk.cache.writer.run(lambda writing: writing.outbox.ready(DAY))] == [
        done.op_ids[0]
    ]


def test_that_practice_stays_practice(desk: Desk) -> None:
    patient(desk, practice=True)
    assert added(desk)[1]["meta"]["tag"][0]["code"] == "practice"


def test_that_a_document_may_belong_to_a_note_or_a_visit(desk: Desk) -> None:
    patient(desk)
    note, visit = (
        desk.synced({"resourceType": "DocumentReference", "id": "n", "meta": NOW}),
        desk.synced({"resourceType": "Appointment", "id": "v", "meta": NOW}),
    )
    assert added(desk, about_ref=note)[1]["relatesTo"][0]["target"]["reference"] == note
    assert added(desk, about_ref=visit)[1]["context"]["related"] == [{"reference": visit}]
    assert "custodian" in added(desk)[1]


def test_that_somebody_without_a_workplace_may_add_too(desk: Desk) -> None:
    patient(desk)
    done = desk.bus.run(AttachDocument("Patient/p", "Sår", "letter", TAKEN), OTHER)
    held = desk.get(next(iter(done.refs)))
    assert held is not None
    assert "custodian" not in held.raw


def test_that_every_problem_is_told_at_once_and_nothing_is_written(desk: Desk) -> None:
    with pytest.raises(Problems) as met:
        desk.bus.run(AttachDocument("Patient/p", " ", "odd", TAKEN, "DocumentReference/gone"), WHO)
    assert len(met.value.all) == 4
    patient(desk)
    with pytest.raises(UserProblem):
        desk.bus.run(AttachDocument("Patient/p", "x" * (LONGEST_TITLE + 1), "other", TAKEN), WHO)
    with desk.cache.reading() as reading:
        assert reading.attachments() == ()


def test_that_taking_it_back_before_it_is_sent_forgets_the_content(desk: Desk) -> None:
    patient(desk)
    done, _raw = added(desk)
    desk.bus.undo(done, WHO)
    assert desk.cache.writer.run(lambda writing: writing.attachments.drop_withdrawn()) == 1
    with desk.cache.reading() as reading:
        assert reading.attachments("Patient/p") == ()


def test_that_a_withdrawn_document_says_why(desk: Desk) -> None:
    patient(desk)
    done, raw = added(desk)
    ref = f"DocumentReference/{raw['id']}"
    desk.cache.writer.run(
        lambda writing: writing.attachments.moved(raw["content"][0]["attachment"]["url"], FileState.SENT)
    )
    desk.send(done.op_ids[0])
    for command in (WithdrawDocument(ref, " "), WithdrawDocument("DocumentReference/gone", "feil")):
        with pytest.raises(UserProblem):
            desk.bus.run(command, WHO)
    desk.bus.run(WithdrawDocument(ref, "feil person"), WHO)
    held = desk.get(ref)
    assert held is not None
    assert held.raw["status"] == "entered-in-error"
    assert "feil person" in held.raw["description"]
    with pytest.raises(UserProblem):
        desk.bus.run(WithdrawDocument(ref, "igjen"), WHO)


def test_that_a_document_gone_between_looking_and_writing_is_said(desk: Desk) -> None:
    from clinician.commands.act import Stamp

    with desk.cache.reading() as reading, pytest.raises(UserProblem):
        WithdrawDocument("DocumentReference/gone", "feil").build(reading, Stamp(WHO, DAY, lambda: "x"))
    with desk.cache.reading() as reading:
        (act,) = AttachDocument("Patient/gone", "Sår", "other", TAKEN).build(
            reading, Stamp(WHO, DAY, lambda: "x")
        )
    assert "meta" not in act.changes[0].raw


def test_that_a_withdrawal_of_a_document_about_nobody_stands_alone(desk: Desk) -> None:
    ref = desk.synced({"resourceType": "DocumentReference", "id": "n", "status": "current", "meta": NOW})
    done = desk.bus.run(WithdrawDocument(ref, "feil"), WHO)
    with desk.cache.reading() as reading:
        act = reading.act(done.op_ids[0])
    assert act is not None
    assert act.aggregate == ref
