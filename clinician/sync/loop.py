"""The engine's thread: a whole round when one is due, a small one for what was done or announced."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

DEBOUNCE: Final = 0.1
"""Seconds: news often come in flocks, and one round hears them all."""
SHORTEST: Final = 0.05
_MOMENT: Final = 2.0
"""Seconds to come to the end of a page: nobody who closes the window waits for a record that is silent."""
_PATIENCE: Final = 30.0
AFTER_A_FAULT: Final = 5.0
"""Seconds: what went wrong here may go wrong again."""
_log: Final = logging.getLogger(__name__)


class Loop:
    """Calls `whole_round` or `small_round`, then sleeps for `pause()` seconds or until something wakes it.

    is_whole_due: asked after a sleep to its end, whether that was for a whole round.
    """

    def __init__(
        self,
        whole_round: Callable[[], object],
        small_round: Callable[[], object],
        pause: Callable[[], float],
        stopped: threading.Event,
        is_whole_due: Callable[[], bool] = lambda: True,
    ) -> None:
        self._whole_round = whole_round
        self._small_round = small_round
        self._pause = pause
        self._is_whole_due = is_whole_due
        self._stopped = stopped
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None
        self.due = threading.Event()
        self.acts = threading.Event()
        """A person did something that has not been looked at yet."""

    def start(self) -> None:
        """Run in a thread until `stop`."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self.run, name="sync", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it is in the middle of comes to its next page first."""
        self._stopped.set()
        self._awake.set()

    def join(self, cut: Callable[[], object]) -> None:
        """Wait for the thread to have ended. cut: ends what it waits for at the record, if it takes long."""
        if self._thread is None:
            return
        self._thread.join(timeout=_MOMENT)
        if self._thread.is_alive():
            cut()
            self._thread.join(timeout=_PATIENCE)
        self._thread = None

    def wake(self) -> None:
        """One whole round, soon."""
        self.due.set()
        self._awake.set()

    def look_again(self) -> None:
        """What is due, or when, has changed."""
        self._awake.set()

    def acted(self) -> None:
        """A person did something: send it now."""
        self.acts.set()
        self._awake.set()

    def run(self) -> None:
        """The thread's work; ends when stopped."""
        self.due.set()
        while not self._stopped.is_set():
            try:
                self._one_round()
                self._sleep()
            except Exception as fault:  # noqa: BLE001  # nobody would notice a thread that is gone
                _log.error("sync met a fault: %s", type(fault).__name__)
                self.due.set()
                self._stopped.wait(AFTER_A_FAULT)

    def _one_round(self) -> None:
        if self.due.is_set():
            self.due.clear()
            self._whole_round()
        else:
            self._small_round()

    def _sleep(self) -> None:
        asked = self._awake.wait(max(SHORTEST, self._pause()))
        self._awake.clear()
        if asked:
            if not self.acts.is_set():
                self._stopped.wait(DEBOUNCE)
        elif self._is_whole_due():
            self.due.set()
