"""Choosing who one is: with the keyboard alone, wrong PINs in words, nobody's work with anybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui import walk
from tests.ui.conftest import sign_in
from tests.ui.station import FakeStation
from ui.app import MainWindow

pytestmark = pytest.mark.window


def keys(text: str) -> None:
    QTest.keyClicks(QApplication.focusWidget(), text)


def key(which: Qt.Key) -> None:
    QTest.keyClick(QApplication.focusWidget(), which)


def test_that_one_signs_in_with_the_keyboard_alone(
    window: MainWindow, station: FakeStation, qtbot: Any
) -> None:
    sign_in(window, qtbot)
    assert station.who is not None
    assert station.who.name == "Kari Nygård"
    assert window.shell.is_open
    assert ("start_sync",) in station.calls


def test_that_the_people_are_looked_up_before_anything_is_fetched(
    window: MainWindow, station: FakeStation, qtbot: Any
) -> None:
    qtbot.waitUntil(lambda: ("start_sync",) in station.calls)
    assert station.asked_for_people
    assert station.asked_for_people[0] <= station.calls.index(("start_sync",))


@pytest.mark.parametrize("trouble", ["workplaces", "staff"])
def test_that_fetching_begins_also_where_nobody_can_be_looked_up(
    dressed: QApplication, station: FakeStation, qtbot: Any, trouble: str
) -> None:
    station.troubled.add(trouble)
    window = MainWindow(lambda _progress: station)
    qtbot.addWidget(window)
    window.show()
    window.attach(station)
    qtbot.waitUntil(lambda: ("start_sync",) in station.calls)
    qtbot.waitUntil(
        lambda: [str(m.words) for m in window.shell.desk.messages.messages] == ["Disken svarer ikke"]
    )
    window.close()


def test_that_aa_finds_a_name_with_a_ring(window: MainWindow, station: FakeStation, qtbot: Any) -> None:
    sign_in(window, qtbot, name="aase")
    assert station.who is not None
    assert station.who.name == "Åse Myhre"


def test_that_arrow_keys_choose_from_the_field(window: MainWindow, station: FakeStation, qtbot: Any) -> None:
    keys("")
    for _ in range(3):
        key(Qt.Key.Key_Down)
    key(Qt.Key.Key_Return)
    keys("1234")
    qtbot.waitUntil(lambda: window.shell.is_open)
    assert station.who is not None
    assert station.who.name == "Grete Lie"


def test_that_a_wrong_pin_is_told_in_words_and_can_be_tried_again(window: MainWindow, qtbot: Any) -> None:
    sign_in(window, qtbot, pin="9999")
    pad = window.shell.sign_in_page.pad
    qtbot.waitUntil(pad.problem.isVisible)
    assert "PIN" in pad.problem.label.text()
    assert not window.shell.is_open
    qtbot.waitUntil(lambda: QApplication.focusWidget() is pad.dots)
    keys("1234")
    qtbot.waitUntil(lambda: window.shell.is_open)


def test_that_practice_says_its_pin_and_wears_its_frame_and_word(window: MainWindow, qtbot: Any) -> None:
    assert window.findChild(object, "shell.signin.practice").isVisible()
    assert window.shell.layout().contentsMargins().left() == 4
    sign_in(window, qtbot)
    chip = window.findChild(object, "shell.top.practice")
    assert chip.isVisible()
    assert chip.label.text() == "ØVELSE"


def test_that_a_real_workstation_wears_no_practice_marks(
    open_window: Callable[[FakeStation], MainWindow], tmp_path: Any, qtbot: Any
) -> None:
    window = open_window(FakeStation(tmp_path, practice=False))
    assert not window.findChild(object, "shell.signin.practice").isVisible()
    assert window.shell.layout().contentsMargins().left() == 0
    sign_in(window, qtbot)
    assert not window.findChild(object, "shell.top.practice").isVisible()


def test_that_people_who_arrive_later_show_up(
    open_window: Callable[[FakeStation], MainWindow], station: FakeStation, qtbot: Any
) -> None:
    everybody = station.staff("")
    station.people = ()
    window = MainWindow(lambda _progress: station)
    qtbot.addWidget(window)
    window.show()
    window.attach(station)
    qtbot.waitUntil(lambda: window.shell.desk.threads.busy == 0)
    assert window.shell.sign_in_page.people == ()
    station.people = everybody
    station.change("Practitioner")
    qtbot.waitUntil(lambda: len(window.shell.sign_in_page.people) == 4)


def test_that_the_sign_in_page_keeps_the_promises_about_controls(window: MainWindow, qtbot: Any) -> None:
    assert walk.faults(window) == []
    assert walk.clipped(window) == []
    window.shell.sign_in_page.pad.setEnabled(True)
    assert walk.without_ring(window, qtbot) == []


def test_that_ctrl_l_covers_and_the_pin_brings_everything_back(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    shell.desk.patient.choose("Patient/astrid")
    view = shell.rooms.page("homecare").holders["homecare.my-day"].view
    QTest.keyClick(shell, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert not shell.is_open
    QTest.keyClick(shell, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not shell.search.sheet.isVisible()
    keys("1234")
    qtbot.waitUntil(lambda: shell.is_open)
    assert shell.desk.patient.current == "Patient/astrid"
    assert shell.rooms.page("homecare").holders["homecare.my-day"].view is view


def test_that_the_cover_keeps_the_promises_about_controls(shell: Any, qtbot: Any) -> None:
    shell.lock()
    assert walk.faults(shell) == []
    assert walk.clipped(shell) == []
    assert walk.without_ring(shell.window(), qtbot) == []


def test_that_an_idle_workstation_covers_itself(shell: Any, qtbot: Any) -> None:
    shell.idle.idle.emit()
    assert not shell.is_open


def test_that_another_person_finds_nothing_of_the_first(shell: Any, station: FakeStation, qtbot: Any) -> None:
    shell.desk.patient.choose("Patient/astrid")
    shell.desk.drafts.save("homecare.note", "Patient/astrid", "Kari skrev dette")
    shell.desk.messages.say("Noe om Astrid")
    shell.lock()
    shell.cover.other_wanted.emit()
    qtbot.waitUntil(lambda: station.who is None)
    sign_in(shell.window(), qtbot, name="jonas")
    assert station.who is not None
    assert station.who.name == "Jonas Hauge"
    assert shell.desk.patient.current == ""
    assert shell.desk.messages.current is None
    assert shell.desk.drafts.load("homecare.note", "Patient/astrid") == ""
    assert station.drafts.kept["Practitioner/kari", "homecare.note", "Patient/astrid"] == "Kari skrev dette"


def test_that_another_workplace_needs_the_pin_and_keeps_patient_and_drafts(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    shell.desk.patient.choose("Patient/per")
    shell.desk.drafts.save("homecare.note", "Patient/per", "halvferdig")
    shell.work.top.workplace_wanted.emit("Organization/nord")
    qtbot.waitUntil(lambda: not shell.is_open)
    keys("1234")
    qtbot.waitUntil(lambda: shell.is_open)
    assert station.who is not None
    assert station.who.workplace_name == "Nordsia hjemmetjeneste"
    assert shell.desk.patient.current == "Patient/per"
    assert shell.desk.drafts.load("homecare.note", "Patient/per") == "halvferdig"


def test_that_a_change_of_mind_about_the_workplace_costs_one_key(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    shell.work.top.workplace_wanted.emit("Organization/nord")
    qtbot.waitUntil(lambda: not shell.is_open)
    shell.cover.findChild(object, "shell.cover.back").click()
    assert shell.is_open
    assert station.who is not None
    assert station.who.workplace_ref == "Organization/sol"


def test_that_the_one_who_left_can_come_back_at_once(window: MainWindow, qtbot: Any) -> None:
    """Nobody is marked on the page, and the same name is taken anew."""
    sign_in(window, qtbot)
    window.shell.sign_out()
    qtbot.waitUntil(lambda: window.shell.desk.threads.busy == 0)
    assert window.shell.sign_in_page._table.current_key() == ""
    sign_in(window, qtbot)
    assert window.shell.is_open
