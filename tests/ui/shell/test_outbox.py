"""The outbox: what waits and what needs a person, each way out one key away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinician.events import Link, SyncStatus
from clinician.modulekit.reopening import Refill, Reopened
from tests.ui import walk
from tests.ui.station import CONFLICT, NOW, OUTBOX, FakeStation

pytestmark = pytest.mark.window


def key(which: Qt.Key) -> None:
    QTest.keyClick(QApplication.focusWidget(), which)


@pytest.fixture
def outbox(shell: Any, qtbot: Any) -> Any:
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_0, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: shell.outbox.table.current_key() == "op-1")
    return shell.outbox


def test_that_the_rail_and_the_strip_count_only_what_needs_a_person(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.tell(SyncStatus(Link.WAITING, as_of=NOW, waiting=7, conflicts=1, refused=1))
    button = shell.findChild(object, "shell.rail.page_outbox")
    qtbot.waitUntil(lambda: button.count == 2)
    assert shell.findChild(object, "shell.status.decide").text().strip() == "2 må avgjøres"
    station.tell(SyncStatus(Link.WAITING, as_of=NOW, waiting=7))
    qtbot.waitUntil(lambda: button.count == 0)
    assert not shell.findChild(object, "shell.status.decide").isVisible()


def test_that_a_refused_act_is_retried_with_one_key(outbox: Any, station: FakeStation, qtbot: Any) -> None:
    outbox.table.choose("op-2")
    key(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: ("retry", "op-2") in station.calls)


def test_that_a_key_does_nothing_where_the_way_is_closed(
    outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    outbox.table.choose("op-4")
    key(Qt.Key.Key_R)
    key(Qt.Key.Key_T)
    qtbot.wait(30)
    assert not [call for call in station.calls if call[0] in ("retry", "withdraw")]


def test_that_an_act_taken_back_leaves_the_list_and_is_said(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    outbox.table.choose("op-3")
    key(Qt.Key.Key_T)
    qtbot.waitUntil(lambda: shell.desk.messages.current is not None)
    qtbot.waitUntil(lambda: outbox.table.model().rowCount() == 3)
    assert str(shell.desk.messages.current.words) == "Tatt tilbake. Det blir ikke sendt."


def test_that_an_act_is_saved_as_a_file_never_over_another(
    shell: Any, outbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    shell.desk.documents = tmp_path / "Dokumenter"
    outbox.table.choose("op-2")
    for number in (1, 2):
        key(Qt.Key.Key_E)
        qtbot.waitUntil(lambda number=number: len(list(shell.desk.documents.rglob("*.json"))) == number)
    assert "Lagret som" in str(shell.desk.messages.current.words)


def test_that_a_document_that_cannot_be_written_is_told(shell: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    shell.desk.documents = blocked
    assert shell.desk.save_file("a.pdf", b"x") is None
    assert "Ingenting er tapt" in str(shell.desk.messages.current.words)


@pytest.mark.parametrize(("pressed", "choice"), [("B", "merged"), ("M", "mine"), ("D", "theirs")])
def test_that_a_conflict_is_decided_with_one_key(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any, pressed: str, choice: str
) -> None:
    key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shell.conflict.table.model().rowCount() == 3)
    assert walk.faults(shell) == []
    assert walk.clipped(shell) == []
    QTest.keyClicks(QApplication.focusWidget(), pressed.lower())
    qtbot.waitUntil(lambda: ("decide", "op-1", choice) in station.calls)
    qtbot.waitUntil(lambda: shell.outbox.isVisible())
    qtbot.waitUntil(lambda: outbox.table.model().rowCount() == 3)


def test_that_mine_and_theirs_stand_side_by_side_what_differs_first(
    shell: Any, outbox: Any, qtbot: Any
) -> None:
    key(Qt.Key.Key_Return)
    model = shell.conflict.table.model()
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    rows = [[model.index(r, c).data() for c in range(4)] for r in range(3)]
    assert rows == [
        ["Tilstand", "planlagt", "utført", "avlyst"],
        ["Slutt", "08:30", "08:24", "08:30"],
        ["Start", "08:00", "08:00", "08:00"],
    ]


def test_that_a_decision_may_wait(shell: Any, outbox: Any, station: FakeStation, qtbot: Any) -> None:
    key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shell.conflict.table.model().rowCount() == 3)
    key(Qt.Key.Key_Escape)
    assert shell.outbox.isVisible()
    assert not [call for call in station.calls if call[0] == "decide"]


def test_that_an_empty_outbox_says_why_it_is_empty(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.outbox = ()
    shell.go("page:outbox")
    label = type(shell.work.banner.name)
    qtbot.waitUntil(
        lambda: any(w.text() == "Alt er sendt" and w.isVisible() for w in shell.outbox.findChildren(label))
    )


def test_that_what_was_sent_today_stands_below_what_waits(
    shell: Any, station: FakeStation, outbox: Any, qtbot: Any
) -> None:
    sent = replace(OUTBOX[3], key="op-9", label="Besøk utført", state_text="sendt 07:42")
    waiting = tuple(row for row in OUTBOX if row.state != "applied")
    station.outbox, station.sent = waiting, (sent,)
    station.change("Outbox")
    qtbot.waitUntil(lambda: outbox._model.keys()[-1:] == ("op-9",))
    assert len(outbox._model.keys()) == len(waiting) + 1
    assert outbox._sum.text() == "2 må avgjøres · 1 venter · 1 sendt i dag"
    station.outbox = ()
    station.change("Outbox")
    qtbot.waitUntil(lambda: outbox._model.keys() == ("op-9",))
    assert outbox._sum.text() == "Ingenting venter · 1 sendt i dag"
    outbox.table.choose("op-9")
    assert not outbox._retry.isVisible() and not outbox._withdraw.isVisible()
    assert not outbox._decide.isVisible()


def test_that_what_is_taken_back_to_be_edited_is_where_it_was_typed(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    draft = Refill("homecare.note:Patient/per", "Patient/per", "Spiste godt.")
    arguments = {"patient": "Patient/per", "reopen": "note"}
    station.reopened = Reopened("homecare.user", arguments, (draft,), is_typed=True)
    outbox.table.choose("op-3")
    key(Qt.Key.Key_T)
    qtbot.waitUntil(lambda: shell.desk.patient.current == "Patient/per")
    assert ("withdraw", "op-3") in station.calls
    assert shell.desk.drafts.load(draft.key, "Patient/per") == "Spiste godt."
    qtbot.waitUntil(lambda: not shell.outbox.isVisible())
    assert "Det du skrev, står her igjen" in str(shell.desk.messages.current.words)


def test_that_everything_unsent_is_saved_in_one_file_with_one_key(
    shell: Any, outbox: Any, station: FakeStation, tmp_path: Path, qtbot: Any
) -> None:
    shell.desk.documents = tmp_path / "Dokumenter"
    key(Qt.Key.Key_A)
    qtbot.waitUntil(lambda: len(list(shell.desk.documents.rglob("clinician-usendt*.json"))) == 1)


def test_that_a_colleagues_conflict_is_opened_here(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    theirs = replace(OUTBOX[0], key="Task/t", conflict_ref="Task/t", can_withdraw=False, can_export=False)
    station.outbox = (theirs, *OUTBOX[1:])
    station.change("Outbox")
    qtbot.waitUntil(lambda: "Task/t" in tuple(outbox._model.keys()))
    outbox.table.choose("Task/t")
    key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shell.conflict.isVisible())
    assert ("take_over", "Task/t") in station.calls


def test_that_a_conflict_is_decided_field_by_field_from_the_keyboard(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    station.conflict = replace(CONFLICT, choices=("theirs", "mine", "fields"))
    key(Qt.Key.Key_Return)
    model = shell.conflict.table.model()
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    assert walk.faults(shell) == [] and walk.clipped(shell) == []
    assert [f.pick for f in shell.conflict._fields] == ["theirs", "mine", ""]
    shell.conflict.table.choose("status")
    key(Qt.Key.Key_Space)
    assert [f.pick for f in shell.conflict._fields] == ["mine", "mine", ""]
    shell.conflict.table.choose("start")
    key(Qt.Key.Key_Space)
    QTest.keyClicks(QApplication.focusWidget(), "f")
    picks = {"status": "mine", "end": "mine"}
    qtbot.waitUntil(lambda: ("decide", "op-1", "fields", picks) in station.calls)


def test_that_fields_cannot_be_mixed_where_that_is_not_open(
    shell: Any, outbox: Any, station: FakeStation, qtbot: Any
) -> None:
    key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shell.conflict.table.model().rowCount() == 3)
    key(Qt.Key.Key_Space)
    QTest.keyClicks(QApplication.focusWidget(), "f")
    qtbot.wait(30)
    assert not [call for call in station.calls if call[0] == "decide"]
    assert not shell.conflict._ways["fields"].isVisible()
