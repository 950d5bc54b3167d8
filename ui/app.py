"""The composition root: QApplication, one window per data folder, the hooks for what goes wrong.

The window is shown first; the workstation is opened behind it, and what is heavy is imported when
it is first needed.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QFileSystemWatcher,
    QLockFile,
    QMessageLogContext,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import QApplication, QStackedWidget
from typing_extensions import override

from clinician.errors import CacheDamaged, ClinicianError, WrongKey
from clinician.modulekit.context import Progress
from ui.jobs import Pool, Threads, Ticket, places_of
from ui.shell.documents import documents_folder, write_document
from ui.shell.start_page import StartPage
from ui.shell.station import Station
from ui.widgets import icons, theme

_log = logging.getLogger(__name__)
_qt_log = logging.getLogger("qt")
Opener = Callable[[Progress], Station]
Rescuer = Callable[[], tuple[int, bytes]]
"""How many unsent acts a folder that does not open still holds, and all of them as a file"""
SWITCH_INTERVAL: Final = 0.0005
"""Keeps the longest pause of the GUI thread near 19 ms while a worker parses (86 ms without)."""
COLLECT: Final = (5_000, 50, 1_000)
"""A whole collection holds every thread for 100-150 ms (measured); it waits until nobody is there."""


@dataclass(slots=True)
class Given:
    """Who opens the PC and with which password, as typed on the start page; kept until it is open."""

    user: str = ""
    secret: str = ""

    def forget(self) -> None:
        """It is open, or was wrong."""
        self.user = self.secret = ""


class Claim:
    """One program per data folder. A second one asks the first to come forward, and leaves."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._bell = folder / "window.show"
        self._lock = QLockFile(str(folder / "window.lock"))
        self._lock.setStaleLockTime(0)
        self.held = self._lock.tryLock(100)
        if not self.held:
            self._bell.write_text("show", encoding="ascii")

    def watch(self, window: MainWindow) -> None:
        """Bring the window forward when a second program rings."""
        self._bell.write_text("", encoding="ascii")
        self._watcher = QFileSystemWatcher([str(self._bell)])
        self._watcher.fileChanged.connect(lambda _path: window.come_forward())

    def release(self) -> None:
        """Let the next one in."""
        if self.held:
            self._lock.unlock()
            self.held = False


class MainWindow(QStackedWidget):
    """First the start page, then the shell of the station that was opened."""

    def __init__(self, opener: Opener, rescue: Rescuer | None = None, given: Given | None = None) -> None:
        super().__init__()
        self._opener, self._rescue = opener, rescue
        self._given = given or Given()
        self._unsent = b""
        self.setObjectName("window")
        self.setWindowTitle("Clinician")
        self.setWindowIcon(QIcon(icons.pixmap("first-aid", "accent", 64)))
        self.resize(1366, 768)
        self.setMinimumSize(1024, 600)
        self.start = StartPage()
        self.addWidget(self.start)
        self.start.again_wanted.connect(self.open_station)
        self.start.secret_given.connect(self._on_secret)
        self.start.close_wanted.connect(self.close)
        self.start.rescue_wanted.connect(self._save_unsent)
        self._threads = Threads(self._on_trouble, self)
        self.station: Station | None = None
        self.shell: Any = None

    def open_station(self) -> None:
        """Open the workstation behind the start page."""
        self.start.begin()
        self._threads.run_long(
            self._opener, self.attach, self._on_trouble, on_progress=self.start.step, pool=Pool.JOB
        )

    def _on_secret(self, user: str, secret: str) -> None:
        self._given.user, self._given.secret = user, secret
        self.open_station()

    def attach(self, station: Station) -> None:
        """Show the shell of a station."""
        from ui.shell.window import Shell

        self._given.forget()
        self.station = station
        self.shell = Shell(station)
        self.shell.idle.idle.connect(gc.collect)
        self.shell.desk.dress("")
        self.addWidget(self.shell)
        self.setCurrentWidget(self.shell)
        self.shell.show_first()

    def come_forward(self) -> None:
        """Somebody started the program again: this is it."""
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.raise_()
        self.activateWindow()

    def _on_trouble(self, problem: ClinicianError) -> None:
        self._given.forget()
        self.start.fail(problem)
        if self._rescue is not None and isinstance(problem, WrongKey | CacheDamaged):
            self._threads.run(self._rescue, self._on_rescued, lambda _problem: None, pool=Pool.JOB)

    def _on_rescued(self, found: tuple[int, bytes]) -> None:
        count, self._unsent = found
        if count and self.shell is None:
            self.start.offer_rescue(count)

    def _save_unsent(self) -> None:
        folder = documents_folder(Path.home())
        try:
            self.start.tell_rescued(write_document(folder, "clinician-usendt.json", self._unsent))
        except OSError as error:
            _log.warning("the rescued acts could not be written: %s", type(error).__name__)
            self.start.tell_not_rescued(folder)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        if self.shell is not None:
            self.shell.shut()
        self._threads.close()
        super().closeEvent(event)


def _install_hooks(window: MainWindow) -> None:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        _log.error("unexpected:\n%s", "\n".join(places_of(error)))
        if window.shell is not None:
            window.shell.desk.bug(error)

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        _log.error("unexpected in a thread: %s", arguments.exc_type.__name__)
        if window.shell is not None and isinstance(error, Exception):
            window.shell.desk.bug_elsewhere(error)

    sys.excepthook = hook
    threading.excepthook = thread_hook


_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def _on_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    _qt_log.log(_LEVELS.get(kind, logging.WARNING), "%s", text)


def keep_steady() -> None:
    """For the program and its measures, not for tests: threads and memory give way to the window."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*COLLECT)


def application(argv: Sequence[str] = ()) -> QApplication:
    """The one QApplication, dressed."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication([*argv] or ["clinician"])
    app.setApplicationName("Clinician")
    app.setApplicationDisplayName("Clinician")
    app.setDesktopFileName("clinician")
    theme.apply(theme.current())
    return app


def run(
    station: Station | Opener,
    argv: Sequence[str] = (),
    *,
    folder: Path | None = None,
    rescue: Rescuer | None = None,
    given: Given | None = None,
) -> int:
    """Show the window until it is closed; the exit code.

    station: an open workstation, or a function that opens one and tells its progress (first start
    makes the practice municipality); the function runs behind the start page. folder: the data
    folder, so that a second program on it brings the first one forward instead (exit code 0).
    rescue: asked when the folder does not open, for what was not sent. given: what the opener reads, where
    a password is asked for on the start page.
    The station is closed at the end.
    """
    keep_steady()
    claim = Claim(folder) if folder is not None else None
    if claim is not None and not claim.held:
        return 0
    app = application(argv)
    qInstallMessageHandler(_on_qt_message)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    crash = (folder / "crash.log").open("a", encoding="utf-8") if folder is not None else None
    if crash is not None:
        faulthandler.enable(crash)
    window = MainWindow(station if callable(station) else _already(station), rescue, given)
    _install_hooks(window)
    window.show()
    if claim is not None:
        claim.watch(window)
    if callable(station):
        window.open_station()
    else:
        window.attach(station)
    code = app.exec()
    if window.station is not None:
        window.station.close()
    # Not left to the garbage collector: it may run in another thread, and Qt's widgets may not.
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    if claim is not None:
        claim.release()
    if crash is not None:
        faulthandler.disable()
        crash.close()
    return code


def _already(station: Station) -> Opener:
    def opener(_progress: Ticket | Progress) -> Station:
        return station

    return opener


def run_window(
    folder: Path, *, record: str = "", workplace: str = "", people: int = 720, language: str = ""
) -> int:
    """What `clinician` without a command does: open the workstation of a data folder in a window.

    A folder without anything in it gets a practice municipality of `people` inhabitants, with a
    progress line; a folder that belongs to a record elsewhere (`record`) never does.
    """

    given, tried = Given(), Given()

    def opener(progress: Progress) -> Station:
        from clinician import early

        early.begin(folder)
        tried.user, tried.secret = given.user, given.secret
        from clinician.workstation import Options, Workstation

        if not record and not (folder / "practice.toml").exists() and not (folder / "record.sqlite").exists():
            from clinician.practice.create import create

            create(folder, people=people, progress=progress.step)
        station = Workstation.open(
            Options(folder, record=record, workplace_ref=workplace, secret=given.secret, user=given.user)
        )
        if language:
            station.settings.set("ui.language", language)
        return station

    def rescue() -> tuple[int, bytes]:
        from clinician.practice.secret import PRACTICE_SECRET
        from clinician.upkeep import rescue_unsent

        found = rescue_unsent(folder, secret=tried.secret or PRACTICE_SECRET, user=tried.user)
        return found.count, found.content

    return run(opener, sys.argv[:1], folder=folder, rescue=rescue, given=given)
