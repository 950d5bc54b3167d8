"""Shared by the tests of the shell: a dressed application, a window over a fake station, a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.station import FakeStation
from ui.app import MainWindow
from ui.widgets import theme


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[QApplication]:
    """The application in the light theme, and so again afterwards."""
    theme.apply(theme.Theme())
    yield qapp
    if theme.current() != theme.Theme():
        theme.apply(theme.Theme())


@pytest.fixture
def station(tmp_path: Path) -> FakeStation:
    """A practice workstation without an engine."""
    return FakeStation(tmp_path)


@pytest.fixture
def open_window(dressed: QApplication, qtbot: Any) -> Iterator[Callable[[FakeStation], MainWindow]]:
    """Opens a window on a station and closes it, with its threads, at the end."""
    windows: list[MainWindow] = []

    def open_(station: FakeStation) -> MainWindow:
        window = MainWindow(lambda _progress: station)
        windows.append(window)
        window.show()
        window.attach(station)
        window.activateWindow()
        page = window.shell.sign_in_page
        qtbot.waitUntil(lambda: page.people != ())
        return window

    yield open_
    for window in windows:
        window.close()
        window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def window(open_window: Callable[[FakeStation], MainWindow], station: FakeStation) -> MainWindow:
    """A window at the sign-in page."""
    return open_window(station)


def sign_in(window: MainWindow, qtbot: Any, name: str = "kari", pin: str = "1234") -> None:
    """Sign in with the keyboard alone."""
    shell = window.shell
    qtbot.waitUntil(lambda: shell.sign_in_page.people != ())
    field = shell.sign_in_page.findChild(object, "shell.signin.filter")
    field.setFocus()
    QTest.keyClicks(QApplication.focusWidget(), name)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    QTest.keyClicks(QApplication.focusWidget(), pin)
    if pin == "1234":
        qtbot.waitUntil(lambda: shell.is_open)
        qtbot.waitUntil(lambda: shell.desk.threads.busy == 0)


@pytest.fixture
def shell(window: MainWindow, qtbot: Any) -> Any:
    """The shell with Kari signed in."""
    sign_in(window, qtbot)
    return window.shell
