"""What the record refused comes back to be put right: nobody types it twice, and nothing typed since is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinician.cache.acts import ActState
from clinician.cache.writing import Writing
from clinician.cli import main
from clinician.errors import UserProblem
from clinician.modulekit.reopening import Refill
from clinician.queries.outbox import outbox_rows
from clinician.workstation import Options, Workstation
from tests.clinician.test_workstation import complete, my_day, sign_in, station

__all__ = ["station"]


def visit_of(station: Workstation) -> Any:
    return next(row for row in my_day(station).rows if row.kind == "visit" and row.section != "done")


def command(station: Workstation, name: str, *given: Any, **named: Any) -> str:
    made = station.registry.resolve("homecare", f"modules.homecare.commands:{name}")
    done = station.run_command(made(*given, **named))
    assert len(done.op_ids) == 1
    return str(done.op_ids[0])


@pytest.fixture
def nurse(station: Workstation) -> Workstation:
    sign_in(station)
    return station


def test_that_a_note_is_laid_out_again_about_the_same_visit(nurse: Workstation) -> None:
    row = visit_of(nurse)
    op_id = command(nurse, "WriteNote", row.patient_ref, "Spiste godt.", row.key)
    back = nurse.take_back(op_id)
    assert back is not None and back.view == "homecare.user"
    assert back.arguments == {"patient": row.patient_ref, "visit": row.key, "reopen": "note"}
    assert back.drafts == (Refill(f"homecare.note:{row.key}", row.patient_ref, "Spiste godt."),)
    assert nurse.drafts.load(f"homecare.note:{row.key}", row.patient_ref) == "Spiste godt."
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "withdrawn"


def test_that_what_was_typed_meanwhile_stays_beside_what_came_back(nurse: Workstation) -> None:
    row = visit_of(nurse)
    op_id = command(nurse, "WriteNote", row.patient_ref, "Først.")
    nurse.drafts.save(f"homecare.note:{row.patient_ref}", row.patient_ref, "Siden.")
    back = nurse.take_back(op_id)
    assert back is not None and back.drafts[0].content == "Siden.\n\nFørst."


def test_that_numbers_come_back_as_they_were_typed(nurse: Workstation) -> None:
    row = visit_of(nurse)
    measured = nurse.registry.resolve("homecare", "modules.homecare.commands:Measured")
    values = (measured("blood-pressure", (120.0, 80.0)), measured("temperature", (37.5,)))
    complete(nurse, row.key)
    op_id = command(nurse, "RecordMeasurements", row.patient_ref, values, row.key)
    key = f"homecare.measurements:{row.key}"
    nurse.drafts.save(key, row.patient_ref, json.dumps({"temperature": "38,1"}))
    back = nurse.take_back(op_id)
    assert back is not None and back.drafts[0].key == key
    assert json.loads(back.drafts[0].content) == {"blood-pressure": "120/80", "temperature": "38,1"}


def test_that_an_exception_comes_back_to_its_visit_with_its_words(nurse: Workstation) -> None:
    row = visit_of(nurse)
    reason = nurse.registry.resolve("homecare", "modules.homecare.rows:NotDone")
    op_id = command(nurse, "ExceptVisit", row.key, reason.OTHER, "Heisen sto.")
    back = nurse.take_back(op_id)
    assert back is not None and back.view == "homecare.my-day"
    assert back.arguments == {"visit": row.key, "why": "Heisen sto."}
    op_id = command(nurse, "ExceptVisit", row.key, reason.REFUSED)
    back = nurse.take_back(op_id)
    assert back is not None and back.arguments == {"visit": row.key, "why": ""}


def test_that_an_act_no_module_can_open_is_simply_taken_back(nurse: Workstation) -> None:
    row = visit_of(nurse)
    task = next(iter(nurse.cache.writer.run(lambda w: list(w.reading.find("Task", status="ready", limit=1)))))
    op_id = command(nurse, "CompleteTask", task.ref)
    assert row is not None and nurse.take_back(op_id) is None
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "withdrawn"


def test_that_what_was_not_sent_can_always_be_carried_away(
    nurse: Workstation, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    op_id = command(nurse, "WriteNote", visit_of(nurse).patient_ref, "Spiste godt.")
    [act] = orjson.loads(nurse.export_all())["acts"]
    assert (act["op_id"], act["state"], act["attempts"]) == (op_id, "queued", 0)
    assert json.loads(act["bundle"])["type"] == "transaction" and act["conflicts"] == []
    nurse.close()
    file = tmp_path / "usendt.json"
    assert main(["doctor", "--data", str(folder), "--export", str(file)]) == 0
    assert [act["op_id"] for act in orjson.loads(file.read_bytes())["acts"]] == [op_id]
    assert main(["doctor", "--data", str(folder), "--export", str(file)]) == 1, "never over another file"
    assert str(file) in capsys.readouterr().out
    with Workstation.open(Options(folder)):
        pass


def set_aside(nurse: Workstation, *, arrived: bool) -> tuple[Any, str]:
    """A note whose answer never came, and that was set aside. arrived: the record has it."""
    nurse.sync_once()
    row = visit_of(nurse)
    op_id = command(nurse, "WriteNote", row.patient_ref, "Spiste godt.", row.key)
    bundle = nurse.cache.writer.run(lambda writing: writing.outbox.freeze(op_id))
    if arrived:
        assert nurse.engine.line.client.transaction(bundle).status == 200

    def work(writing: Writing) -> None:
        writing.outbox.transition(op_id, ActState.QUEUED, ActState.SENDING, sent_at=nurse.clock.now())
        writing.outbox.transition(op_id, ActState.SENDING, ActState.PARKED)

    nurse.cache.writer.run(work, durable=True)
    return row, op_id


@pytest.mark.parametrize("is_tried_again", [False, True])
def test_that_what_is_at_the_record_after_all_is_not_taken_back_but_counts_as_sent(
    nurse: Workstation, is_tried_again: bool
) -> None:
    row, op_id = set_aside(nurse, arrived=True)
    if is_tried_again:
        nurse.retry(op_id)
    for take in (nurse.withdraw, nurse.take_back):
        with pytest.raises(UserProblem) as caught:
            take(op_id)
        assert "regnes som sendt" in str(caught.value.text)
    assert nurse.drafts.load(f"homecare.note:{row.key}", row.patient_ref) == "", "nobody signs it twice"
    nurse.sync_once()
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "applied"


@pytest.mark.parametrize("arrived", [False, True])
def test_that_without_contact_it_is_taken_back_and_asked_after_later(
    nurse: Workstation, arrived: bool
) -> None:
    _, op_id = set_aside(nurse, arrived=arrived)
    for wire in nurse.wires:
        wire.is_cut = True
    nurse.sync_once()
    assert nurse.take_back(op_id) is not None
    waiting = {row.key: row.state_text for row in nurse.run_query(outbox_rows)}
    assert waiting[op_id] == "tatt tilbake; står kanskje i journalen"
    for wire in nurse.wires:
        wire.is_cut = False
    nurse.sync_now()
    assert nurse.sync_once().arrived == int(arrived)


def test_that_what_is_surely_not_at_the_record_is_taken_back_with_contact(nurse: Workstation) -> None:
    _, op_id = set_aside(nurse, arrived=False)
    assert nurse.take_back(op_id) is not None
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "withdrawn"
    assert nurse.sync_once().arrived == 0
