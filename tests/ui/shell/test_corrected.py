"""Refused by the record, taken back, put right and sent: the real module, the real engine, keyboard only."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from clinician import texts
from clinician.fhir.reference import Raw
from clinician.practice.create import create
from clinician.workstation import Options, Workstation
from modules.homecare.rows import Section
from tests.ui import walk
from ui.measure.stage import DAY, Stage, another, open_stage
from ui.widgets import theme

pytestmark = pytest.mark.window
REFUSAL = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "business-rule",
            "details": {"text": "Verdien godtas ikke"},
            "expression": ["Bundle.entry[0].resource.status"],
        }
    ],
}


class Strict(httpx.BaseTransport):
    """The way to a record that accepts no act with one of these words in it, and remembers what it took."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.words: tuple[str, ...] = ()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and any(word in _plain(request.read()) for word in self.words):
            headers = {"content-type": "application/fhir+json"}
            return httpx.Response(422, headers=headers, stream=httpx.ByteStream(orjson.dumps(REFUSAL)))
        return self._inner.handle_request(request)


def _plain(body: bytes) -> str:
    """A bundle with its notes as they were typed."""
    try:
        entries = orjson.loads(body).get("entry", ())
    except orjson.JSONDecodeError:
        return ""
    return " ".join(_text(entry.get("resource", {})) for entry in entries)


def _text(raw: Raw) -> str:
    contents = [part.get("attachment", {}).get("data", "") for part in raw.get("content", ())]
    return json.dumps(raw) + " ".join(base64.b64decode(data).decode() for data in contents)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrected") / "town"
    create(folder, seed=1, people=300, day=DAY)
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
    return folder


@pytest.fixture
def stage(seen: Path, tmp_path: Path) -> Iterator[Stage]:
    opened = open_stage(another(seen, tmp_path / "pc"))
    opened.window.shell.desk.documents = tmp_path / "documents"
    yield opened
    opened.close()
    texts.set_language("nb")
    theme.apply(theme.Theme())


def refusing(stage: Stage, *words: str) -> list[Strict]:
    strict = []
    for wire in stage.station.wires:
        wire.inner = Strict(wire.inner)
        wire.inner.words = words
        strict.append(wire.inner)
    return strict


def focus() -> str:
    widget = QApplication.focusWidget()
    return widget.objectName() if widget is not None else ""


def until_focus(stage: Stage, name: str) -> None:
    assert stage.hand.until(lambda: focus() == name, 20), focus()


def shown(stage: Stage, name: str) -> Any:
    widget = stage.window.findChild(QWidget, name)
    assert widget is not None, name
    return widget


def said(stage: Stage) -> str:
    message = stage.window.shell.desk.messages.current
    return str(message.words) if message is not None else ""


def refused(stage: Stage) -> str:
    """Wait for the refusal, open the outbox; what stands there about it."""
    assert stage.hand.until(lambda: stage.station.status().refused == 1, 20)
    stage.hand.key("Alt+0")
    outbox = stage.window.shell.outbox
    assert stage.hand.until(lambda: outbox._withdraw.isVisible() and outbox.table.hasFocus(), 20)
    assert walk.faults(outbox) == []
    return f"{outbox._state.label.text()} | {outbox._help.text()}"


def note_refused(stage: Stage) -> str:
    """Sign a note the record does not accept; what stands about it in the outbox."""
    stage.hand.key("N")
    stage.hand.type("Tok ikke medicin")
    stage.hand.key("Ctrl+Return")
    return refused(stage)


def sent(stage: Stage) -> None:
    came = stage.hand.until(lambda: states(stage) == ["applied", "withdrawn"], 60)
    assert came, f"{states(stage)}, focus on {focus()!r}, said: {said(stage)!r}"


def states(stage: Stage) -> list[str]:
    """Of the act that was refused, and of the one in its place."""
    with stage.station.cache.reading() as reading:
        return sorted(act.state.value for act in reading.acts())


def at_record(stage: Stage, query: str) -> list[Raw]:
    answer = stage.station.engine.line.client.request("GET", query)
    return [entry["resource"] for entry in answer.raw().get("entry", ())]


def typed_in_notes(stage: Stage, patient_ref: str) -> list[str]:
    found = at_record(stage, f"DocumentReference?patient={patient_ref}&_count=200")
    return [base64.b64decode(c["attachment"]["data"]).decode() for r in found for c in r["content"]
            if "data" in c["attachment"]]  # fmt: skip


def test_that_a_refused_note_is_put_right_where_it_is_read_and_is_at_the_record_once(stage: Stage) -> None:
    refusing(stage, "medicin")
    patient_ref = stage.window.shell.desk.patient.current
    told = note_refused(stage)
    assert "avvist av journalen" in told and "Journalen godtok ikke det som ble skrevet" in told
    assert "journalen sier: Verdien godtas ikke." in told
    stage.hand.key("T")
    until_focus(stage, "homecare.user.note")
    assert stage.window.shell.desk.patient.current == patient_ref
    assert said(stage).endswith("Det du skrev, står her igjen. Rett det og signer.")
    assert shown(stage, "homecare.user.note").toPlainText() == "Tok ikke medicin"
    for _letter in "cin":
        stage.hand.key("Backspace")
    stage.hand.type("sin")
    stage.hand.key("Ctrl+Return")
    assert stage.hand.until(lambda: shown(stage, "homecare.user.note").toPlainText() == "", 20)
    sent(stage)
    notes = typed_in_notes(stage, patient_ref)
    assert notes.count("Tok ikke medisin") == 1 and not any("medicin" in note for note in notes)


def test_that_a_refused_blood_pressure_comes_back_to_its_field_marked_to_be_typed_over(stage: Stage) -> None:
    refusing(stage, '"value": 120')
    patient_ref = stage.window.shell.desk.patient.current
    before = len(at_record(stage, f"Observation?patient={patient_ref}&_count=500"))
    stage.hand.key("M")
    until_focus(stage, "homecare.visit.measure_blood_pressure")
    stage.hand.type("120/80")
    stage.hand.key("Return")
    refused(stage)
    stage.hand.key("T")
    until_focus(stage, "homecare.user.measure_blood_pressure")
    assert stage.window.shell.desk.patient.current == patient_ref
    assert shown(stage, "homecare.user.measure_blood_pressure").text() == "120/80"
    stage.hand.type("130/80")
    assert shown(stage, "homecare.user.measure_blood_pressure").text() == "130/80"
    stage.hand.key("Return")
    sent(stage)
    after = at_record(stage, f"Observation?patient={patient_ref}&_count=500")
    values = [part["valueQuantity"]["value"] for raw in after for part in raw.get("component", ())
              if "130" in json.dumps(raw)]  # fmt: skip
    assert len(after) == before + 1 and 130 in values
    assert stage.hand.until(lambda: "homecare.measurements" not in str(stage.station.drafts.all()), 20)


def test_that_a_refused_not_home_is_the_chosen_visit_again_open_and_can_be_signed_another_way(
    stage: Stage,
) -> None:
    refusing(stage, "noshow")
    row = day_list(stage).current_row()
    stage.hand.key("I")
    refused(stage)
    stage.hand.key("T")
    until_focus(stage, "homecare.my_day.list")
    assert stage.hand.until(lambda: is_open(stage, row.key), 20)
    assert said(stage) == "Tatt tilbake. Det blir ikke sendt. Her kan du gjøre det på nytt."
    assert stage.hand.until(lambda: stage.window.shell.desk.threads.busy == 0, 60)
    until_focus(stage, "homecare.my_day.list")
    assert is_open(stage, row.key)
    stage.hand.key("1")
    sent(stage)
    raw = at_record(stage, f"Appointment?_id={row.key.partition('/')[2]}")[0]
    assert raw["status"] == "cancelled"
    made = at_record(stage, f"Task?patient={row.patient_ref}&code=call-next-of-kin&_count=50")
    assert [task for task in made if task.get("status") == "ready"] == []


def day_list(stage: Stage) -> Any:
    return shown(stage, "homecare.my_day.list")


def is_open(stage: Stage, key: str) -> bool:
    row = day_list(stage).current_row()
    return row is not None and row.key == key and row.section is not Section.DONE


def test_that_the_words_of_another_reason_stand_in_their_field_again(stage: Stage) -> None:
    refusing(stage, "Hos dattera")
    row = day_list(stage).current_row()
    stage.hand.key("5")
    stage.hand.type("Hos dattera")
    stage.hand.key("Return")
    refused(stage)
    stage.hand.key("T")
    until_focus(stage, "homecare.visit.why")
    assert shown(stage, "homecare.visit.why").text() == "Hos dattera"
    assert said(stage).endswith("Det du skrev, står her igjen. Rett det og signer.")
    stage.hand.key("Backspace")
    stage.hand.type("en")
    stage.hand.key("Return")
    sent(stage)
    raw = at_record(stage, f"Appointment?_id={row.key.partition('/')[2]}")[0]
    assert (raw["status"], raw["cancelationReason"]["text"]) == ("cancelled", "Hos datteren")


def test_that_what_came_back_waits_through_another_user_and_another_language(stage: Stage) -> None:
    refusing(stage, "medicin")
    desk = stage.window.shell.desk
    patient_ref = desk.patient.current
    note_refused(stage)
    stage.hand.key("T")
    until_focus(stage, "homecare.user.note")
    other = next(r.patient_ref for r in day_list(stage).day_rows() if r.patient_ref not in ("", patient_ref))
    desk.patient.choose(other)
    assert stage.hand.until(lambda: shown(stage, "homecare.user.note").toPlainText() == "", 20)
    desk.patient.choose(patient_ref)
    note = "homecare.user.note"
    assert stage.hand.until(lambda: shown(stage, note).toPlainText() == "Tok ikke medicin", 20)
    desk.patient.choose(other)
    desk.set_language("nn")
    stage.hand.until(lambda: desk.threads.busy == 0)
    assert stage.hand.until(lambda: shown(stage, note).toPlainText() == "", 20)
    assert desk.patient.current == other
    desk.patient.choose(patient_ref)
    assert stage.hand.until(lambda: shown(stage, note).toPlainText() == "Tok ikke medicin", 20)
