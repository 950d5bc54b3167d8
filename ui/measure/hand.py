"""A hand that drives the real window through its native window, as the platform would."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QEventLoop, QKeyCombination, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from ui.measure.counting import Counter


class Hand:
    """Presses keys and clicks; after each stroke it waits until the window has settled and painted."""

    def __init__(self, window: QWidget, counter: Counter | None = None) -> None:
        self._window = window
        self._counter = counter

    def key(self, chord: str) -> None:
        """One key or chord in Qt's portable notation: 'Space', 'Ctrl+K', 'Alt+1'."""
        sequence: Any = QKeySequence(chord, QKeySequence.SequenceFormat.PortableText)
        combination: QKeyCombination = sequence[0]
        handle = self._window.windowHandle()
        started = time.perf_counter()
        QTest.keyClick(handle, combination.key(), combination.keyboardModifiers())
        self._settle(started)

    def type(self, text: str) -> None:
        """Characters, one by one."""
        for letter in text:
            started = time.perf_counter()
            self._letter(letter)
            self._settle(started)

    def click(self, target: QWidget, at: QPoint | None = None) -> None:
        """Left click in the middle of a widget, or at a point of it."""
        point = at if at is not None else target.rect().center()
        place = target.mapTo(target.window(), point)
        handle = target.window().windowHandle()
        started = time.perf_counter()
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        self._settle(started)

    def until(self, ready: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Wait for the outcome, counting the wait; False when it did not come."""
        started = time.perf_counter()
        while not ready():
            if time.perf_counter() - started > seconds:
                return False
            spin(15)
        self._waited(started)
        return True

    def _letter(self, letter: str) -> None:
        handle = self._window.windowHandle()
        focus = QApplication.focusWidget()
        if letter == "\n":
            QTest.keyClick(handle, Qt.Key.Key_Return)
        elif letter.isascii():
            QTest.keyClick(handle, ord(letter))
        elif focus is not None:
            # QTest knows only ASCII letters; a Norwegian keyboard sends æ, ø and å as one key each.
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(
                    focus, QKeyEvent(kind, Qt.Key.Key_unknown, Qt.KeyboardModifier.NoModifier, letter)
                )
            if self._counter is not None:
                self._counter.typed()

    def _settle(self, started: float) -> None:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        QApplication.sendPostedEvents()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        self._waited(started)

    def _waited(self, started: float) -> None:
        if self._counter is not None:
            self._counter.waited(time.perf_counter() - started)


def spin(milliseconds: int) -> None:
    """Let the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
