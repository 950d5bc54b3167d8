"""The longest moment the window does not answer, while a whole first sync runs behind it.

A 10-ms timer in the real window; a stall is by how much a tick is late. The record is in a process
of its own. The floor is the same window at rest.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from clinician.bench.measure import Measure
from clinician.bench.served import served
from clinician.bench.volume import crowd
from clinician.events import Link
from clinician.workstation import PRACTICE_PIN, PRACTICE_SECRET, Options, Workstation
from ui.app import MainWindow, application, keep_steady
from ui.measure.hand import Hand, spin
from ui.measure.painting import stalls

TICK_S: Final = 0.010
_LONGEST_S: Final = 180.0
_SETTLED_MS: Final = 600
"""Building the first page is counted elsewhere; what is watched here is the sync."""


class Ticks(QObject):
    """By how many seconds each 10-ms tick was late."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.late: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        """Count from now."""
        self.late, self._last = [], time.perf_counter()
        self._timer.start(round(TICK_S * 1000))

    def end(self) -> list[float]:
        """What was counted."""
        self._timer.stop()
        return self.late

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._last - TICK_S))
        self._last = now


def stalling(folder: Path, *, copies: int, rest_s: float) -> Iterator[Measure]:
    """Rows for a first sync of zone Nord times `copies` + 1, with somebody at work on my day."""
    info = crowd(folder / "record", copies)
    before = sys.getswitchinterval(), gc.get_threshold()
    keep_steady()
    try:
        with served(folder / "record") as base_url:
            options = Options(folder / "pc", base_url, info.workplace_ref, secret=PRACTICE_SECRET)
            station = Workstation.open(options)
            yield from _watched(station, info.practitioner_name, rest_s)
    finally:
        sys.setswitchinterval(before[0])
        gc.set_threshold(*before[1])


def _watched(station: Workstation, name: str, rest_s: float) -> Iterator[Measure]:
    application()
    window = MainWindow(lambda _progress: station)
    window.show()
    window.attach(station)
    window.activateWindow()
    try:
        ticks, hand = Ticks(window), Hand(window)
        _sign_in(station, window, hand, name)
        spin(_SETTLED_MS)
        ticks.begin()
        hand.until(lambda: station.status().link is Link.FRESH, _LONGEST_S)
        spin(round(TICK_S * 5000))
        busy = stalls(ticks.end())
        spin(500)
        ticks.begin()
        spin(round(rest_s * 1000))
        rest = stalls(ticks.end())
    finally:
        window.close()
        station.close()
        window.deleteLater()
        QApplication.processEvents()
    for label, value, floor in zip(("p99", "longest"), busy, rest, strict=True):
        yield Measure(f"stall while a first sync runs, {label}", value, "ms", floor)


def _sign_in(station: Workstation, window: MainWindow, hand: Hand, name: str) -> None:
    """As soon as the people have come down: most of the sync is still to come."""
    page = window.shell.sign_in_page
    hand.until(lambda: name in page.people, _LONGEST_S)
    spin(50)
    hand.type(name)
    spin(50)
    hand.key("Return")
    spin(50)
    hand.type(PRACTICE_PIN)
    hand.until(lambda: station.who is not None and window.shell.is_open, 30)
