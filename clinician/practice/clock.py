"""The clock of a practice municipality: 07:10 on the practice day, running while the program does.

So there is always a morning to practise on, and nothing documented yesterday lies ahead of now.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Final

from clinician.clock import OSLO

MORNING: Final = time_of_day(7, 10)
_FILE: Final = "practice-clock"
_SAVE_EVERY_S: Final = 30.0


class PracticeClock:
    """Runs at the pace of the wall clock from where it was left. One writer per folder is enough."""

    def __init__(self, folder: Path, day: date) -> None:
        self._file = folder / _FILE
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._origin = self._left_at(datetime.combine(day, MORNING, OSLO).astimezone(UTC))
        self._saved = 0.0

    def now(self) -> datetime:
        running = time.monotonic() - self._started
        at = self._origin + timedelta(seconds=running)
        if running - self._saved > _SAVE_EVERY_S:
            self._saved = running
            self._save(at)
        return at

    def today(self) -> date:
        return self.now().astimezone(OSLO).date()

    def monotonic(self) -> float:
        return time.monotonic()

    def skip(self, span: timedelta) -> None:
        """Go on from later: an exercise need not wait for the afternoon."""
        self._origin += span

    def leave(self) -> None:
        """Remember where the clock stood."""
        self._save(self.now())

    def _left_at(self, morning: datetime) -> datetime:
        try:
            left = datetime.fromisoformat(self._file.read_text("utf-8").strip())
        except (OSError, ValueError):
            return morning
        return max(left, morning) if left.tzinfo is not None else morning

    def _save(self, at: datetime) -> None:
        with self._lock:
            try:
                self._file.write_text(at.isoformat(), "utf-8")
            except OSError:
                return  # a full disk must not stop the clock; the next start begins a little earlier
