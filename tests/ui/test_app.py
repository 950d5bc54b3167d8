"""The composition root: the window first, one per folder, trouble in words, nothing left behind."""

from __future__ import annotations

import contextlib
import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from clinician.errors import CacheDamaged, CacheInUse, ClinicianError, DiskFull, SecretNeeded, WrongKey
from clinician.texts import lazy
from tests.ui import walk
from tests.ui.conftest import sign_in
from tests.ui.station import FakeRegistry, FakeStation, module
from ui.app import Claim, Given, MainWindow, run
from ui.shell.offers import of_manifest
from ui.widgets import icons

pytestmark = pytest.mark.window
L = lazy("ui")


def test_that_the_window_is_there_before_the_workstation_and_tells_what_it_does(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    gate = threading.Event()

    def opener(progress: Any) -> FakeStation:
        progress.step(3, 10, "Lager innbyggere")
        gate.wait(60)
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
    close = QTimer(interval=20)
    close.timeout.connect(lambda: ("start_sync",) in station.calls and QApplication.closeAllWindows())
    close.start()
    assert run(lambda _progress: station, folder=tmp_path) == 0
    close.stop()
    assert ("close",) in station.calls


def test_that_a_closed_window_leaves_no_thread_no_timer_and_no_window(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    threads = set(threading.enumerate())
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
    assert set(threading.enumerate()) <= threads
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
        with contextlib.suppress(TimeoutError):
            qtbot.waitUntil(lambda: walk.clipped(window) == [])
        assert (place, walk.clipped(window)) == (place, [])
    assert window.minimumSizeHint().width() <= 1366


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (WrongKey, "De lagrede dataene er fortsatt låst"),
        (CacheDamaged, "De lagrede dataene er skadet"),
        (CacheInUse, "Clinician er åpen fra før"),
        (DiskFull, "Disken er full"),
    ],
)
def test_that_each_trouble_at_the_start_has_its_own_page(
    dressed: QApplication, qtbot: Any, kind: type[ClinicianError], title: str
) -> None:
    def opener(_progress: Any) -> FakeStation:
        raise kind(L("{words}", words="Hva som skjedde. Hva som er trygt. Hva du gjør."))

    window = MainWindow(opener)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    again: Any = window.findChild(object, "shell.start.again")
    qtbot.waitUntil(again.isVisible)
    qtbot.waitUntil(lambda: walk.clipped(window) == [])
    assert (window.start.title, window.start.text) == (
        title,
        "Hva som skjedde. Hva som er trygt. Hva du gjør.",
    )
    assert walk.faults(window) == []
    window.close()


def test_that_a_locked_pc_asks_whose_password_and_opens_with_it(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    given = Given()
    tried: list[tuple[str, str]] = []

    def opener(_progress: Any) -> FakeStation:
        tried.append((given.user, given.secret))
        if not given.secret:
            raise SecretNeeded(L("{words}", words="Låst."), people=(("Practitioner/kari", "Kari"),))
        if given.secret != "tre små trollunger":
            raise WrongKey(L("{words}", words="Feil passord."))
        return station

    window = MainWindow(opener, given=given)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    line: Any = window.findChild(object, "shell.start.secret")
    qtbot.waitUntil(lambda: line.isVisible() and line.hasFocus())
    assert walk.faults(window) == []
    QTest.keyClicks(line, "feil")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.start.text == "Feil passord." and line.isVisible())
    assert line.text() == ""
    assert line.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClicks(line, "tre små trollunger")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.shell is not None)
    assert [secret for _user, secret in tried] == ["", "feil", "tre små trollunger"]
    assert tried[-1][0] == "Practitioner/kari"
    assert given.secret == "", "a password is not kept"
    window.close()


def test_that_a_first_password_is_long_and_written_twice(
    dressed: QApplication, station: FakeStation, qtbot: Any
) -> None:
    given = Given()

    def opener(_progress: Any) -> FakeStation:
        if not given.secret:
            raise SecretNeeded(L("{words}", words="Velg et passord."), new_least=12)
        return station

    window = MainWindow(opener, given=given)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    line: Any = window.findChild(object, "shell.start.secret")
    again: Any = window.findChild(object, "shell.start.secret_again")
    qtbot.waitUntil(lambda: line.isVisible() and again.isVisible())
    QTest.keyClicks(line, "1234")
    window.start.secret.give()
    assert "12" in window.start.secret.secret.problem
    line.setText("tre små trollunger")
    again.setText("fire små trollunger")
    window.start.secret.give()
    assert window.start.secret.again.problem
    again.setText("tre små trollunger")
    window.start.secret.give()
    qtbot.waitUntil(lambda: window.shell is not None)
    window.close()


@pytest.mark.parametrize("count", [0, 3])
def test_that_what_was_not_sent_can_be_saved_when_it_can_be_read(
    dressed: QApplication, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def opener(_progress: Any) -> FakeStation:
        raise CacheDamaged(L("{words}", words="Skadet."))

    asked: list[int] = []

    def rescue() -> tuple[int, bytes]:
        asked.append(1)
        return count, b"{}"

    window = MainWindow(opener, rescue)
    qtbot.addWidget(window)
    window.show()
    window.open_station()
    button: Any = window.findChild(object, "shell.start.rescue")
    qtbot.waitUntil(lambda: bool(asked) and window._threads.busy == 0)
    assert button.isVisible() is bool(count)
    if count:
        assert window.start.rescued.startswith("3 ting")
        button.click()
        written = list(tmp_path.rglob("clinician-usendt.json"))
        assert [path.read_bytes() for path in written] == [b"{}"]
        assert str(written[0]) in window.start.rescued
        qtbot.waitUntil(lambda: walk.clipped(window) == [])
    window.close()


def test_that_the_first_signature_is_made_ready_after_sign_in(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    window = open_window(station)
    assert ("warm_up",) not in station.calls
    sign_in(window, qtbot)
    assert ("warm_up",) in station.calls


def test_that_the_cover_does_not_show_what_was_said_before_it(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    """A message may name a patient."""
    window = open_window(station)
    sign_in(window, qtbot)
    shell = window.shell
    shell.desk.messages.say("Ikke hjemme: Astrid Moen")
    shell.lock()
    line: Any = window.findChild(object, "shell.front.message")
    assert not line.isVisible() and line.text == ""
    shell.desk.messages.say("Disken er nesten full")
    assert line.isVisible() and line.text == "Disken er nesten full"
    assert [str(message.words) for message in shell.desk.messages.messages] == [
        "Disken er nesten full",
        "Ikke hjemme: Astrid Moen",
    ]


def test_that_an_icon_a_foreign_manifest_names_falls_back_to_one_we_have() -> None:
    entry = module(
        """
        id = "elsewhere"
        title = "Annet"
        summary = "Fra en annen"
        icon = "no-such-icon"
        [[views]]
        id = "one"
        title = "En"
        icon = "nor-this-one"
        factory = "tests.ui.views:make_zone"
        [[actions]]
        id = "go"
        title = "Gå"
        icon = "not-here-either"
        view = "one"
        places = ["palette"]
        """
    )
    offer = of_manifest(entry.manifest, FakeRegistry(entry))
    named = {offer.icon, *(view.icon for view in offer.views), *(action.icon for action in offer.actions)}
    assert named <= icons.names()


def test_that_a_persons_own_arrangement_of_the_panes_is_kept(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    window = open_window(station)
    sign_in(window, qtbot)
    page = window.shell.rooms.page("homecare")
    qtbot.waitUntil(lambda: page._is_shared)
    qtbot.wait(30)
    manager, area = page._manager, page._areas["right"]
    before = manager.splitterSizes(area)
    manager.setSplitterSizes(area, [sum(before) - 300, 300])
    moved = manager.splitterSizes(area)
    assert moved != before
    window.shell.sign_out()
    qtbot.waitUntil(lambda: window.shell.desk.threads.busy == 0)
    sign_in(window, qtbot)
    page = window.shell.rooms.page("homecare")
    right = page._docks["homecare.visit"].dockAreaWidget()
    qtbot.waitUntil(lambda: sum(page._manager.splitterSizes(right)) > 0)
    qtbot.wait(30)
    again = page._manager.splitterSizes(right)
    assert abs(again[1] - moved[1]) <= 4
    window.shell.sign_out()
    qtbot.waitUntil(lambda: window.shell.desk.threads.busy == 0)
    sign_in(window, qtbot, "jonas")
    page = window.shell.rooms.page("homecare")
    qtbot.waitUntil(lambda: page._is_shared)
    qtbot.wait(30)
    theirs = page._manager.splitterSizes(page._areas["right"])
    assert abs(theirs[1] - before[1]) <= 4


def test_that_an_arrangement_of_another_layout_or_none_at_all_does_nothing(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    window = open_window(station)
    sign_in(window, qtbot)
    page = window.shell.rooms.page("homecare")
    for kept in ("", "nonsense", "[]", "{}", '{"plan": [["other", "centre", 0]], "state": "AAAA"}'):
        assert page.arrange_as(kept) is False
