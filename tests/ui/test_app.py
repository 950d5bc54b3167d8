"""The composition root: the window first, one per folder, trouble in words, nothing left behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from clinician.errors import WrongKey
from clinician.texts import lazy
from tests.ui import walk
from tests.ui.conftest import sign_in
from tests.ui.station import FakeStation
from ui.app import Claim, MainWindow, run

pytestmark = pytest.mark.window
L = lazy("ui")


def test_that_the_window_is_there_before_the_workstation_and_tells_what_it_does(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    gate = threading.Event()

    def opener(progress: Any) -> FakeStation:
        progress.step(3, 10, "Lager innbyggere")
        gate.wait(5)
        return station

    window = MainWindow(opener)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    qtbot.waitUntil(lambda: window.start.text == "Lager innbyggere")
    assert window.shell is None
    gate.set()
    qtbot.waitUntil(lambda: window.shell is not None)
    assert window.currentWidget() is window.shell
    window.close()


def test_that_a_workstation_that_does_not_open_says_why_and_can_be_tried_again(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    tries: list[int] = []

    def opener(_progress: Any) -> FakeStation:
        tries.append(1)
        if len(tries) == 1:
            raise WrongKey(L("{words}", words="Nøkkelen passer ikke. Filen er urørt."))
        return station

    window = MainWindow(opener)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    again = window.findChild(object, "shell.start.again")
    qtbot.waitUntil(again.isVisible)
    assert window.start.text == "Nøkkelen passer ikke. Filen er urørt."
    assert walk.faults(window) == []
    again.click()
    qtbot.waitUntil(lambda: window.shell is not None)
    window.close()


def test_that_a_second_program_on_a_folder_brings_the_first_forward(
    dressed: QApplication, tmp_path: Path, qtbot: Any
) -> None:
    first = Claim(tmp_path)
    window = MainWindow(lambda _progress: FakeStation(tmp_path))
    qtbot.addWidget(window)
    came: list[int] = []
    window.come_forward = lambda: came.append(1)  # type: ignore[method-assign]
    first.watch(window)
    second = Claim(tmp_path)
    assert (first.held, second.held) == (True, False)
    qtbot.waitUntil(lambda: bool(came))
    first.release()
    third = Claim(tmp_path)
    assert third.held
    third.release()


def test_that_run_opens_and_closes_and_closes_the_station(
    dressed: QApplication, station: FakeStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for hook in ("excepthook",):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    QTimer.singleShot(400, QApplication.closeAllWindows)
    assert run(lambda _progress: station, folder=tmp_path) == 0
    assert ("close",) in station.calls


def test_that_a_closed_window_leaves_no_thread_no_timer_and_no_window(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    threads = threading.active_count()
    windows = len(QApplication.topLevelWidgets())
    window = MainWindow(lambda _progress: station)
    window.show()
    window.attach(station)
    sign_in(window, qtbot)
    window.shell.desk.patient.choose("Patient/astrid")
    window.shell.go("page:outbox")
    window.shell.go("module:physio")
    qtbot.waitUntil(lambda: window.shell.desk.threads.busy == 0)
    window.close()
    assert threading.active_count() == threads
    running = [
        f"{timer.parent()} {timer.interval()}" for timer in window.findChildren(QTimer) if timer.isActive()
    ]
    assert running == []
    window.deleteLater()
    qtbot.wait(10)
    gc.collect()
    assert len(QApplication.topLevelWidgets()) <= windows


def test_that_nothing_opens_as_a_window_of_its_own(
    dressed: QApplication, station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    window = open_window(station)
    sign_in(window, qtbot)
    for place in ("page:outbox", "page:settings", "page:modules", "module:physio", "module:homecare"):
        window.shell.go(place)
    window.shell.desk.patient.choose("Patient/astrid")
    qtbot.wait(50)
    shown = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    assert [type(w).__name__ for w in shown] == []


@pytest.mark.parametrize("scale", [100, 200])
def test_that_nothing_is_cut_on_the_small_screen(
    station: FakeStation, open_window: Any, qtbot: Any, scale: int
) -> None:
    station.settings.values["ui.text_scale"] = scale
    window = open_window(station)
    window.resize(1366, 768)
    assert walk.clipped(window) == []
    sign_in(window, qtbot)
    shell = window.shell
    shell.desk.patient.choose("Patient/astrid")
    qtbot.waitUntil(lambda: shell.work.banner.header is not None)
    for place in ("module:homecare", "page:outbox", "page:settings", "page:modules"):
        shell.go(place)
        qtbot.waitUntil(lambda: shell.desk.threads.busy == 0)
        qtbot.wait(20)
        assert (place, walk.clipped(window)) == (place, [])
    assert window.minimumSizeHint().width() <= 1366
