"""The queue of attachments: beside the acts, never before them (SYNC §1.13).

A thread of its own while the engine runs, so that fifty megabytes on a slow line hold nobody's acts; step by
step in a test. An attachment that fails waits by itself: other attachments, and every act that does not name
it, go on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from clinician.cache.attachments import ATTACHMENT, FileRow, FileState
from clinician.cache.writing import Writing
from clinician.errors import DiskFull, Offline
from clinician.record.client import Busy
from clinician.record.retry import pause
from clinician.sync.attachment_down import fetch, prefetch
from clinician.sync.attachment_up import send
from clinician.sync.line import Line, Stopped

_log = logging.getLogger(__name__)
MEBIBYTE: Final = 1024 * 1024
PREFETCHED_FOR: Final = frozenset({"Appointment", "DocumentReference"})
_PATIENCE: Final = 30.0
AFTER_A_FAULT: Final = 5.0
"""Seconds until what this PC could not do itself is tried again."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bytes. largest: of one document added here. budget: of content that may be kept, unsent apart."""

    largest: int = 50 * MEBIBYTE
    budget: int = 1024 * MEBIBYTE


class AttachmentSync:
    """Sends, fetches and tidies the content of documents. `turn` is called from one thread only."""

    def __init__(
        self,
        line: Line,
        *,
        limits: FileLimits | None = None,
        frozen: Callable[[Writing], bool] = lambda writing: False,
        on_sent: Callable[[], object] = lambda: None,
    ) -> None:
        self._line = line
        self.limits = limits or FileLimits()
        self._frozen, self._on_sent = frozen, on_sent
        self._due: dict[str, float] = {}
        self._quiet_until = 0.0
        self._rest_until: float | None = None
        self._failures = 0
        self._looked: date | None = None
        self._is_untidy = True
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    # running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Work in a thread until `stop`."""
        self._thread = threading.Thread(target=self._run, name="sync-attachments", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; `line.stopped` is set, and what is on its way is cut off."""
        self._awake.set()
        if self._thread is not None:
            self._line.client.hang_up()
            self._thread.join(_PATIENCE)
            self._thread = None

    def _run(self) -> None:
        while not self._line.stopped.is_set():
            self._awake.clear()
            self.turn()
            self._awake.wait(self.next_try())

    def wake(self) -> None:
        """There may be something to do; at once where no thread runs."""
        if self._thread is None:
            self.turn()
        else:
            self._awake.set()

    def heard(self, types: Iterable[str]) -> None:
        """Rows changed; a person's document, or one asked for or purged, is among them."""
        if ATTACHMENT in types:
            self._is_untidy = True
            self._awake.set()

    def hurry(self) -> None:
        """A person, or the record's first answer after a silence: forget every pause."""
        self._due.clear()
        self._quiet_until, self._failures = 0.0, 0
        self._awake.set()

    def next_try(self) -> float | None:
        """Seconds until a pause ends; None when nothing waits for one."""
        waits = [max(until, self._quiet_until) for until in tuple(self._due.values())]
        waits += [self._rest_until] if self._rest_until is not None else []
        return max(0.05, min(waits) - self._line.clock.monotonic()) if waits else None

    # one turn -------------------------------------------------------------------------------

    def turn(self) -> None:
        """Send what waits, fetch what is wanted, tidy. Never raises for the record's or the disk's sake."""
        try:
            self._turn()
        except Stopped:
            pass
        except Exception as fault:  # noqa: BLE001  # the thread must live on: nobody else sends documents
            _log.error("the attachments wait: %s", type(fault).__name__)
            self._rest_until = self._line.clock.monotonic() + AFTER_A_FAULT

    def _turn(self) -> None:
        self._rest_until = None
        waiting, wanted = self._line.write(self._to_do)
        if not (waiting or wanted or self._is_untidy):
            self._due.clear()
            return
        if self._each(waiting, self._send):
            self._each(wanted, self._fetch)
        self._tidy()

    def look_ahead(self, changed: Iterable[str]) -> None:
        """After a round: ask for today's documents when visits or documents changed, or the day did."""
        day = self._line.today()
        if day != self._looked or not PREFETCHED_FOR.isdisjoint(changed):
            prefetch(self._line, self.limits.budget)
            self._looked = day

    def _to_do(self, writing: Writing) -> tuple[list[FileRow], list[FileRow]]:
        """(what may be sent, what is wanted), those that failed least often first."""
        self._is_untidy = bool(writing.attachments.drop_withdrawn()) or self._is_untidy
        may_send = self._line.profile.may_write and not self._frozen(writing)
        waiting = writing.attachments.in_state(FileState.WAITING) if may_send else ()
        wanted = writing.attachments.in_state(FileState.WANTED)
        return sorted(waiting, key=_tried), sorted(wanted, key=_tried)

    def _each(self, rows: Iterable[FileRow], work: Callable[[FileRow], None]) -> bool:
        """Do what is due; False when the record is away, so that asking on is of no use."""
        for row in rows:
            now = self._line.clock.monotonic()
            if self._line.stopped.is_set() or now < self._quiet_until:
                return False
            if now >= self._due.get(row.ref, 0.0) and not self._one(row, work):
                return False
        return True

    def _one(self, row: FileRow, work: Callable[[FileRow], None]) -> bool:
        try:
            work(row)
        except Stopped:
            raise
        except Exception as trouble:  # noqa: BLE001  # a fault of ours in one must not stop the others
            _log.warning("an attachment waits: %s %s", type(trouble).__name__, getattr(trouble, "detail", ""))
            return self._later(row, trouble)
        self._due.pop(row.ref, None)
        self._failures = 0
        return True

    def _later(self, row: FileRow, trouble: Exception) -> bool:
        """Again after a pause; the whole queue pauses where the record, or the disk, is the trouble."""
        self._failures += 1
        asked = trouble.retry_after if isinstance(trouble, Busy) else None
        now = self._line.clock.monotonic()
        self._due[row.ref] = now + pause(max(row.attempts, self._failures), self._line.rng, asked)
        if asked is None and not isinstance(trouble, Offline | DiskFull):
            return True
        self._quiet_until = self._due[row.ref]
        return False

    def _send(self, row: FileRow) -> None:
        if send(self._line, row):
            self._on_sent()

    def _fetch(self, row: FileRow) -> None:
        fetch(self._line, row)

    def _tidy(self) -> None:
        """What was used longest ago goes when there is too much, then files that no row names."""
        self._is_untidy = False
        self._line.write(lambda writing: writing.attachments.evict(self.limits.budget))
        self._line.cache.files.sweep(lambda: self._line.write(lambda writing: writing.attachments.names()))
        waiting, wanted = self._line.write(self._to_do)
        live = {row.ref for row in (*waiting, *wanted)}
        self._due = {ref: at for ref, at in self._due.items() if ref in live}


def _tried(row: FileRow) -> int:
    return row.attempts
