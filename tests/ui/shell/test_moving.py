"""Moving between modules and pages: one chord, and everything is as it was left."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui import walk
from tests.ui.conftest import sign_in
from tests.ui.station import FakeStation, crashing, offline_since
from ui.app import MainWindow

pytestmark = pytest.mark.window
ALT = Qt.KeyboardModifier.AltModifier


def chord(shell: Any, key: Qt.Key, modifier: Qt.KeyboardModifier = ALT) -> None:
    QTest.keyClick(QApplication.focusWidget() or shell, key, modifier)


def day(shell: Any) -> Any:
    return shell.rooms.page("homecare").holders["homecare.my-day"].view


def note(shell: Any) -> Any:
    return shell.rooms.page("homecare").holders["homecare.visit"].view


def test_that_one_chord_switches_module_and_keeps_patient_draft_selection_and_scroll(
    shell: Any, qtbot: Any
) -> None:
    view = day(shell)
    qtbot.waitUntil(lambda: view.model.rowCount() == 16)
    shell.desk.patient.choose("Patient/per")
    view.table.choose("Appointment/9")
    view.table.verticalScrollBar().setValue(20)
    assert (scrolled := view.table.verticalScrollBar().value()) > 0
    note(shell).field.set_text("halvferdig")
    chord(shell, Qt.Key.Key_2)
    assert shell.place == "module:physio"
    chord(shell, Qt.Key.Key_1)
    assert shell.place == "module:homecare"
    assert day(shell) is view
    assert view.table.current_key() == "Appointment/9"
    assert view.table.verticalScrollBar().value() == scrolled
    assert shell.desk.patient.current == "Patient/per"
    assert note(shell).field.text == "halvferdig"
    assert QApplication.focusWidget() is view.table


def test_that_the_banner_is_the_same_in_every_module(shell: Any, qtbot: Any) -> None:
    shell.desk.patient.choose("Patient/astrid")
    qtbot.waitUntil(lambda: shell.work.banner.header is not None)
    for place in ("module:physio", "page:outbox", "page:settings", "module:homecare"):
        shell.go(place)
        assert shell.work.banner.isVisible()
        assert "Astrid Moen" in [
            label.text() for label in shell.work.banner.findChildren(type(shell.work.banner.name))
        ]


def test_that_the_identity_number_is_masked_until_asked_for_and_masked_again_for_the_next(
    shell: Any, qtbot: Any
) -> None:
    banner = shell.work.banner
    shell.desk.patient.choose("Patient/astrid")
    qtbot.waitUntil(lambda: banner.header is not None)
    assert "50042" not in banner.detail.accessibleName()
    banner.findChild(object, "shell.banner.reveal").click()
    assert "120342 50042" in banner.detail.accessibleName()
    shell.desk.patient.choose("Patient/per")
    qtbot.waitUntil(lambda: banner.header.key == "Patient/per")
    assert "50013" not in banner.detail.accessibleName()


def test_that_ctrl_and_a_number_open_a_page_of_the_module(shell: Any, qtbot: Any) -> None:
    chord(shell, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(shell.rooms.page("homecare").holders["homecare.zone"].isVisible)


def test_that_a_view_that_needs_a_patient_says_so_and_opens_when_one_is_chosen(
    shell: Any, qtbot: Any
) -> None:
    shell.desk.open_view("homecare.user")
    holder = shell.rooms.page("homecare").holders["homecare.user"]
    assert holder.view is None
    shell.desk.patient.choose("Patient/per")
    qtbot.waitUntil(lambda: holder.view is not None)


def test_that_an_open_view_is_handed_the_arguments(shell: Any) -> None:
    shell.desk.open_view("homecare.my-day", {"visit": "Appointment/3"})
    assert day(shell).opened_with == {"visit": "Appointment/3"}


def test_that_a_view_nobody_has_is_said_and_stops_nothing(shell: Any) -> None:
    shell.desk.open_view("homecare.moon")
    assert "homecare.moon" in str(shell.desk.messages.current.words)
    assert shell.place == "module:homecare"


def test_that_f6_goes_round_the_panes(shell: Any) -> None:
    seen = []
    for _ in range(3):
        chord(shell, Qt.Key.Key_F6, Qt.KeyboardModifier.NoModifier)
        seen.append(QApplication.focusWidget().objectName())
    assert seen == ["homecare.note.text", "shell.search.field", "homecare.day.list"]


def test_that_the_strip_shows_the_keys_of_the_pane_in_focus(shell: Any) -> None:
    assert "Mellomrom = utført" in shell.work.strip.hints
    shell.go("page:outbox")
    assert "T = ta tilbake" in shell.work.strip.hints


def test_that_f1_shows_every_key_and_f1_takes_it_away(shell: Any) -> None:
    before = QApplication.focusWidget()
    chord(shell, Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    assert shell.help.isVisible()
    assert walk.faults(shell) == []
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not shell.help.isVisible()
    assert QApplication.focusWidget() is before


def test_that_the_strip_tells_the_truth_in_three_states(shell: Any, station: FakeStation, qtbot: Any) -> None:
    assert shell.work.strip.text.strip() == "Oppdatert 10:42:07 · 0 venter"
    station.tell(offline_since(4, 3))
    qtbot.waitUntil(lambda: shell.work.strip.text.strip() == "Frakoblet siden 10:38 · 3 venter")


def test_that_a_broken_module_is_shown_as_broken_with_its_reason(shell: Any) -> None:
    shell.desk.open_page("modules")
    texts = [label.text() for label in shell.modules_page.findChildren(type(shell.work.banner.name))]
    assert any("Manifestet nevner en visning som ikke finnes." in text for text in texts)
    assert "module:quickboard" in shell.work.rail.keys
    chord(shell, Qt.Key.Key_2)
    assert shell.place == "module:physio"


def test_that_a_view_that_fails_is_shown_broken_without_a_name_in_the_report(
    station: FakeStation, open_window: Any, qtbot: Any, caplog: Any
) -> None:
    station.registry.found["casework"] = crashing()
    window: MainWindow = open_window(station)
    sign_in(window, qtbot)
    shell = window.shell
    shell.go("module:casework")
    shell.findChild(object, "shell.view.report").click()
    assert "ZeroDivisionError" in shell.bug.text
    assert "tests/ui/views.py" in shell.bug.text
    assert "Astrid" not in shell.bug.text + caplog.text
    assert walk.faults(shell) == []
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not shell.bug.isVisible()
    shell.go("module:homecare")
    assert day(shell) is not None


def test_that_a_module_switched_off_is_gone_from_everywhere(shell: Any, station: FakeStation) -> None:
    shell.desk.open_page("modules")
    shell.findChild(object, "shell.modules.physio.switch").click()
    assert "module:physio" not in shell.work.rail.keys
    assert not any("physio" in answer.key for answer in shell.search.catalogue())
    shell.findChild(object, "shell.modules.physio.switch").click()
    assert "module:physio" in shell.work.rail.keys


def test_that_a_layout_with_a_mistake_is_told_and_the_shipped_one_stands(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    (station.folder / "layouts" / "workplace-sol.toml").write_text("schema = 1\nid = ", encoding="utf-8")
    window = open_window(station)
    sign_in(window, qtbot)
    assert "workplace-sol.toml" in str(window.shell.desk.messages.current.words)
    assert day(window.shell) is not None


def test_that_a_layout_puts_the_panes_where_it_says_and_names_what_is_missing(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    (station.folder / "layouts" / "workplace-sol.toml").write_text(
        'schema = 1\nid = "x"\ntitle = "x"\n[[pages]]\nmodule = "homecare"\n'
        '[[pages.panes]]\nview = "homecare.my-day"\n'
        '[[pages.panes]]\nview = "homecare.visit"\narea = "left"\nshare = 30\n'
        '[[pages.panes]]\nview = "moonbase.map"\narea = "bottom"\nshare = 25\n',
        encoding="utf-8",
    )
    window = open_window(station)
    sign_in(window, qtbot)
    shell = window.shell
    page = shell.rooms.page("homecare")
    assert page.open_views == ("homecare.my-day", "homecare.visit", "moonbase.map")
    left, centre = page.holders["homecare.visit"], page.holders["homecare.my-day"]
    assert left.mapTo(shell, left.rect().topLeft()).x() < centre.mapTo(shell, centre.rect().topLeft()).x()
    qtbot.waitUntil(lambda: 0.25 < left.width() / page.width() < 0.35)
    texts = [label.text() for label in page.findChildren(type(shell.work.banner.name))]
    assert any("moonbase.map" in text for text in texts)


@pytest.mark.parametrize("place", ["module:homecare", "page:outbox", "page:settings", "page:modules"])
def test_that_every_page_keeps_the_promises_about_controls(shell: Any, place: str, qtbot: Any) -> None:
    shell.desk.patient.choose("Patient/astrid")
    qtbot.waitUntil(lambda: shell.work.banner.header is not None)
    shell.go(place)
    qtbot.waitUntil(lambda: shell.desk.threads.busy == 0)
    assert walk.faults(shell) == []
    assert walk.clipped(shell) == []
    assert walk.without_ring(shell.window(), qtbot) == []


def test_that_a_patient_who_is_not_here_is_said_and_nobody_is_shown(shell: Any, qtbot: Any) -> None:
    shell.desk.patient.choose("Patient/nobody")
    qtbot.waitUntil(lambda: shell.desk.messages.current is not None)
    assert "ikke på denne PC-en" in str(shell.desk.messages.current.words)
    assert shell.work.banner.header is None
