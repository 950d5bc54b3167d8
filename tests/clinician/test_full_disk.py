"""A full disk in the middle of an act: it is said, nothing of it is half done, and it works when there is room."""

from __future__ import annotations

import secrets

import pytest

from clinician.errors import DiskFull
from clinician.workstation import Workstation
from tests.clinician.test_taking_back import command, nurse, visit_of
from tests.clinician.test_workstation import station

__all__ = ["nurse", "station"]


def pages(station: Workstation, more: int | None) -> None:
    """Room for so many more pages and not one beyond; None: as much as anybody needs."""

    def work(writing: object) -> None:
        driver = writing._driver  # type: ignore[attr-defined]  # the limit is set where the disk would set it
        now = driver.execute("PRAGMA page_count").fetchone()[0]
        driver.execute(f"PRAGMA max_page_count={now + more if more is not None else 10_000_000}").fetchone()

    station.cache.writer.run(work)


def test_that_a_full_disk_loses_nothing_typed_and_the_next_act_works_when_there_is_room(
    nurse: Workstation,
) -> None:
    row = visit_of(nurse)
    key, words = f"homecare.note:{row.key}", secrets.token_hex(40_000)
    nurse.drafts.save(key, row.patient_ref, "Spiste godt.")
    before = nurse.cache.writer.run(lambda w: [act.op_id for act in w.outbox.rows()])
    pages(nurse, 3)
    with pytest.raises(DiskFull) as told:
        command(nurse, "WriteNote", row.patient_ref, words, row.key)
    said = told.value.text.render()
    assert "disk" in said.lower() and not said.isascii(), "in plain Norwegian"
    assert nurse.cache.writer.run(lambda w: [act.op_id for act in w.outbox.rows()]) == before
    assert nurse.drafts.load(key, row.patient_ref) == "Spiste godt.", "what was kept is still there"
    assert not [cached for cached in _notes(nurse, row.patient_ref) if words[:40] in str(cached)]
    assert nurse.status() is not None and visit_of(nurse).key == row.key, "reading goes on"
    pages(nurse, None)
    op_id = command(nurse, "WriteNote", row.patient_ref, words, row.key)
    nurse.sync_once()
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "applied"
    assert len(nurse.cache.writer.run(lambda w: w.outbox.rows())) == len(before) + 1, "once"


def test_that_an_answer_that_finds_no_room_is_not_lost(nurse: Workstation) -> None:
    """The record has it; this PC could not write that down. It is asked, and found to be there once."""
    row = visit_of(nurse)
    nurse.sync_once()
    op_id = command(nurse, "WriteNote", row.patient_ref, secrets.token_hex(45_000))
    pages(nurse, 0)
    nurse.sync_once()
    pages(nurse, None)
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state in ("queued", "sending", "applied")
    nurse.engine.uploader.recover()
    nurse.sync_now()
    nurse.sync_once()
    assert nurse.cache.writer.run(lambda w: w.outbox.get(op_id)).state == "applied"
    client = nurse.engine.line.client
    history = client.request("GET", f"Provenance/{op_id}/_history").raw()
    assert len(history["entry"]) == 1


def _notes(station: Workstation, patient_ref: str) -> list[object]:
    with station.cache.reading() as reading:
        return [cached.raw for cached in reading.find("DocumentReference", patient=patient_ref)]
