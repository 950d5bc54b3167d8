"""How long a person looks at the old picture: from a key to the last paint of what it brought.

The floor is one whole repaint of the same window with nothing new in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from clinician.bench.measure import Measure, middle, percentile, seconds, spread
from ui.measure.hand import spin
from ui.measure.stage import Stage, open_stage

_LONGEST_S: Final = 10.0
_QUIET: Final = 3
_REPAINTS: Final = 10
_VISITS: Final = 10
"""Steps down from the first visit of the day; a day has more"""


class Paints(QObject):
    """Remembers when the window was last painted."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.last = 0.0
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # Qt's name
        """Only the time is taken."""
        if event.type() == QEvent.Type.UpdateRequest:
            QTimer.singleShot(0, self._note)
        return False

    def _note(self) -> None:
        self.last = time.perf_counter()


class Stopwatch:
    """Presses keys on a stage and tells the seconds to the last paint."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._paints = Paints(stage.window)

    def press(self, chord: str) -> float:
        """One key or chord, until nothing is being read and the picture is still."""
        sequence: Any = QKeySequence(chord, QKeySequence.SequenceFormat.PortableText)
        keys = sequence[0]
        started = time.perf_counter()
        QTest.keyClick(self._stage.window.windowHandle(), keys.key(), keys.keyboardModifiers())
        self.settle()
        return max(0.0, self._paints.last - started)

    def settle(self) -> None:
        """Until no work is under way and nothing is left to paint."""
        threads, ends = self._stage.window.shell.desk.threads, time.perf_counter() + _LONGEST_S
        quiet = 0
        while quiet < _QUIET and time.perf_counter() < ends:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            quiet = 0 if threads.busy else quiet + 1

    def repaint(self) -> float:
        """Paint the whole window once."""
        return seconds(self._stage.window.repaint)


def painting(folder: Path, samples: int) -> Iterator[Measure]:
    """Rows for the practice town at `folder` with a filled cache."""
    stage = open_stage(folder)
    try:
        watch = Stopwatch(stage)
        watch.settle()
        floors = [watch.repaint() for _ in range(_REPAINTS)]
        first, opened = watch.press("Ctrl+2"), _patients(watch)
        yield Measure("page switch painted, first visit", first * 1e3, "ms", middle(floors) * 1e3)
        for bench, chords in (
            ("module switch painted", ("Alt+0", "Alt+1")),
            ("work list painted, my day", ("Ctrl+2", "Ctrl+1")),
            ("work list painted, the zone", ("Ctrl+1", "Ctrl+2")),
        ):
            yield from spread(bench, _switched(watch, samples, *chords), floors)
        yield Measure("patient open painted, the first", next(opened) * 1e3, "ms", middle(floors) * 1e3)
        yield from spread("patient open painted", list(islice(opened, samples)), floors)
        yield from spread("search letter painted", _letters(watch, samples), floors)
    finally:
        stage.close()


def _switched(watch: Stopwatch, samples: int, away: str, here: str) -> list[float]:
    """Seconds to come here, from there, again and again."""
    spent = []
    for _ in range(samples):
        watch.press(away)
        spent.append(watch.press(here))
    return spent


def _patients(watch: Stopwatch) -> Iterator[float]:
    """The user of each visit, down the list and up again: never the one that is open already."""
    for step in cycle(["Down"] * _VISITS + ["Up"] * _VISITS):
        watch.press("Ctrl+1")
        watch.press(step)
        yield watch.press("Return")


def _letters(watch: Stopwatch, samples: int) -> list[float]:
    """Each letter of a search, until its answers are painted."""
    spent: list[float] = []
    while len(spent) < samples:
        watch.press("Ctrl+K")
        spent += [watch.press(letter) for letter in "ANNA"]
        for _ in range(2):
            watch.press("Escape")
        spin(20)
    return spent[:samples]


def stalls(samples: list[float]) -> tuple[float, float]:
    """(p99, longest) in ms."""
    return percentile(samples, 99) * 1e3, max(samples) * 1e3
