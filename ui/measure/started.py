"""A process that starts, says when its window is painted and how much memory it holds, and ends.

    python -m ui.measure.started bare             an empty Qt window
    python -m ui.measure.started program FOLDER   what `clinician --data FOLDER` does, to the sign-in page

Only the standard library is imported before the window's own imports begin: what is timed is theirs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

_POLL_MS = 5
_PATIENCE_S = 60.0


def say(what: str) -> None:
    """One line for whoever started this process: what, when, and the memory held."""
    sys.stdout.write(json.dumps({"what": what, "at": time.monotonic(), "rss": resident()}) + "\n")
    sys.stdout.flush()


def resident() -> int:
    """Bytes of memory this process holds; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


class FirstPaint(QObject):
    """Says 'painted' when the first widget of a visible window is painted."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # Qt's name
        """Look for the first paint and then no more."""
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            app = QApplication.instance()
            assert app is not None
            app.removeEventFilter(self)
            QTimer.singleShot(0, lambda: say("painted"))
        return False


def when(ready: Callable[[], bool], then: Callable[[], None]) -> QTimer:
    """Call `then` once, soon after `ready` is true; gives up loudly."""
    timer = QTimer()
    ends = time.monotonic() + _PATIENCE_S

    def look() -> None:
        if ready():
            timer.stop()
            then()
        elif time.monotonic() > ends:
            raise TimeoutError

    timer.timeout.connect(look)
    timer.start(_POLL_MS)
    return timer


def bare() -> int:
    """An empty window."""
    app = QApplication(["bare"])
    paint = FirstPaint(app)
    app.installEventFilter(paint)
    label = QLabel("Clinician")
    label.resize(1366, 768)
    label.show()

    def end() -> None:
        say("settled")
        app.quit()

    QTimer.singleShot(300, end)
    return app.exec()


def program(folder: str) -> int:
    """The program on an existing folder until its people can be chosen and everything is fetched."""
    app = QApplication(["clinician"])
    paint = FirstPaint(app)
    app.installEventFilter(paint)
    from clinician.cli import main

    def window() -> QWidget | None:
        return next((one for one in QApplication.topLevelWidgets() if one.objectName() == "window"), None)

    def has_people() -> bool:
        shell = getattr(window(), "shell", None)
        return shell is not None and bool(shell.sign_in_page.people)

    def is_fresh() -> bool:
        station = getattr(window(), "station", None)
        return station is not None and station.status().link.value == "fresh"

    def end() -> None:
        say("settled")
        held = window()
        assert held is not None
        held.close()

    def wait_for_sync() -> None:
        say("people")
        timers.append(when(is_fresh, lambda: QTimer.singleShot(300, end)))

    timers = [when(has_people, wait_for_sync)]
    return main(["--data", folder])


if __name__ == "__main__":
    sys.exit(bare() if sys.argv[1] == "bare" else program(sys.argv[2]))
