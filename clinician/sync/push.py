"""The record's hint that something changed: one request held open. Only a hint; a lost one costs a poll."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from clinician.errors import ClinicianError
from clinician.record.client import RecordClient
from clinician.record.retry import Breaker

_log = logging.getLogger(__name__)
HOLD: Final = 25
"""Seconds a request is held; shorter than what proxies commonly allow."""
HOLD_IN_PROCESS: Final = 0.5
BREATH: Final = 0.2
"""Seconds after news: a record where something always happens must not be asked without a pause."""


class Hint:
    """Waits for news in a thread with a client of its own. path: '' while the record offers no hint."""

    def __init__(self, client: RecordClient, on_news: Callable[[], None], now: Callable[[], float]) -> None:
        self.path = ""
        self.sequence: int | None = None
        self.is_alive = False
        self._client = client
        self._on_news = on_news
        self._now = now
        self._hold = HOLD if client.is_remote else HOLD_IN_PROCESS
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._breaker = Breaker()

    def start(self) -> None:
        """Wait until `stop`."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="sync-hint", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """A held request is cut off."""
        self._stopped.set()
        self._client.hang_up()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
            self._thread = None
        self._client.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self.path:
                self._stopped.wait(0.2)
                continue
            rest = BREATH if self.listen() else 0.0
            self._stopped.wait(max(rest, self._breaker.remaining(self._now())))

    def listen(self) -> bool:
        """One held request; True when it brought news. Trouble is waited out, never raised."""
        try:
            news = self._ask()
        except (ClinicianError, RuntimeError) as trouble:
            self._trouble(trouble)
            return False
        if news:
            self._on_news()
        return news

    def _ask(self) -> bool:
        known = self.sequence
        asked = f"&_after={known}&_wait={self._hold}" if known is not None else ""
        answer = self._client.wait_for_change(f"{self.path}?_count=1{asked}", self._hold)
        if not answer.is_ok or answer.sequence is None:
            self._breaker.failed(self._now(), answer.retry_after)
            self.is_alive = False
            return False
        self.sequence, self.is_alive = answer.sequence, True
        self._breaker.worked()
        return known is None or answer.sequence != known

    def _trouble(self, trouble: Exception) -> None:
        """A broken wait may have missed news: the next answer is taken as news."""
        _log.debug("the hint broke off: %s", type(trouble).__name__)
        self.is_alive = False
        self.sequence = None
        self._breaker.failed(self._now(), away=True)
