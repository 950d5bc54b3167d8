"""A person without a PIN chooses one at the sign-in, with a code where one is needed; keys alone do."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from clinician.access.pin_state import PinState
from tests.ui import walk
from tests.ui.conftest import sign_in
from tests.ui.station import FakeStation

pytestmark = pytest.mark.window


def choose_kari(window: Any, qtbot: Any) -> Any:
    page = window.shell.sign_in_page
    page.findChild(object, "shell.signin.filter").setFocus()
    QTest.keyClicks(QApplication.focusWidget(), "kari")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page._ask.isVisible() and page.pad.dots.hasFocus())
    return page


def kari(station: FakeStation) -> str:
    return next(line.key for line in station.staff("") if "Kari" in line.name)


def keys(digits: str) -> None:
    QTest.keyClicks(QApplication.focusWidget(), digits)


def test_that_the_first_one_chooses_twice_and_is_in(window: Any, station: FakeStation, qtbot: Any) -> None:
    station.pins.states[kari(station)] = PinState.FIRST
    page = choose_kari(window, qtbot)
    assert page._ask.text() == "Velg en PIN på fire sifre."
    keys("9153")
    keys("9154")
    assert "ikke like" in page.pad.problem.label.text()
    keys("9153")
    keys("9153")
    qtbot.waitUntil(lambda: window.shell.is_open)
    assert station.pins.chosen == {kari(station): "9153"}


def test_that_everybody_else_needs_the_code_of_a_superuser(
    window: Any, station: FakeStation, qtbot: Any
) -> None:
    station.pins.states[kari(station)] = PinState.CODE
    page = choose_kari(window, qtbot)
    assert page.pad.dots.accessibleName() == "Kode, 6 sifre"
    keys("111111")
    keys("9153")
    keys("9153")
    qtbot.waitUntil(lambda: "Koden er feil" in page.pad.problem.label.text())
    assert station.pins.chosen == {}
    keys(station.pins.CODE)
    keys("9153")
    keys("9153")
    qtbot.waitUntil(lambda: window.shell.is_open)


def test_that_somebody_with_a_pin_is_asked_for_nothing_more(
    window: Any, station: FakeStation, qtbot: Any
) -> None:
    sign_in(window, qtbot)
    assert window.shell.is_open
    assert station.pins.chosen == {}


def test_that_a_superuser_makes_a_code_and_others_see_no_such_thing(
    window: Any, station: FakeStation, qtbot: Any
) -> None:
    sign_in(window, qtbot, "jonas")
    shell = window.shell
    shell.go("page:settings")
    code = shell.settings_page.code
    qtbot.waitUntil(lambda: code._who.value != "")
    shell.settings_page.findChild(object, "shell.settings.code_make").click()
    qtbot.waitUntil(lambda: code.code.text() == "483 201")
    assert walk.faults(window) == []
    shell.go("page:outbox")
    shell.go("page:settings")
    assert code.code.text() == "", "a code is shown once"
    shell.sign_out()
    sign_in(window, qtbot)
    shell.go("page:settings")
    assert not code.isVisible()


def test_that_ones_own_password_is_written_twice_and_never_shown(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    shell.go("page:settings")
    first: Any = shell.settings_page.findChild(QLineEdit, "shell.settings.secret")
    again: Any = shell.settings_page.findChild(QLineEdit, "shell.settings.secret_again")
    keep: Any = shell.settings_page.findChild(object, "shell.settings.secret_keep")
    assert first.echoMode() is again.echoMode() is QLineEdit.EchoMode.Password
    first.setText("tre små trollunger")
    again.setText("noe annet")
    keep.click()
    assert shell.settings_page.password._again.problem
    again.setText("tre små trollunger")
    keep.click()
    qtbot.waitUntil(lambda: station.unlocking.passwords == ["tre små trollunger"])
    qtbot.waitUntil(lambda: first.text() == again.text() == "")
    first.setText("kort")
    again.setText("kort")
    keep.click()
    qtbot.waitUntil(lambda: shell.settings_page.password._secret.problem == "For kort.")
