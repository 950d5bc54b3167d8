"""Pages of a first download, several to a commit: half of what a small page costs is its transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from clinician.cache.synced import SyncedRow
from clinician.cache.writing import Writing
from clinician.sync.line import PER_COMMIT, Line

Finish = Callable[[Writing], None]
Page = tuple[Sequence[SyncedRow], Finish]


class Gather:
    """Holds pages until they are a commit's worth. A mark is never committed without its rows (I10).

    Several threads may put pages; those of one key come in order. What is held is written by `flush`, which
    whoever opened the gather calls at its end, whatever happened.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._held: list[Page] = []
        self._size = 0
        self._sent: Future[None] | None = None
        self._turn = threading.Lock()

    def put(self, rows: Sequence[SyncedRow], finish: Finish) -> None:
        """Rows of one page and what belongs to them. Raises what an earlier commit raised."""
        with self._turn:
            if self._size + len(rows) > PER_COMMIT:
                self._send()
            self._held.append((rows, finish))
            self._size += len(rows)

    def flush(self) -> None:
        """Commit what is held, and wait for it."""
        with self._turn:
            self._send()
            self._await()

    def _send(self) -> None:
        """One commit may be under way while the next page is fetched, never two."""
        self._await()
        held, self._held, self._size = self._held, [], 0
        if held:
            self._sent = self._stored(held)

    def _stored(self, held: Sequence[Page]) -> Future[None]:
        try:
            return self._line.store_pages(held)
        except Exception as fault:  # noqa: BLE001  # raised by whoever waits for it, as of any other commit
            failed: Future[None] = Future()
            failed.set_exception(fault)
            return failed

    def _await(self) -> None:
        """One that failed stays: what came after it, with its mark, must never be committed (I10)."""
        if self._sent is not None:
            self._sent.result()
            self._sent = None
