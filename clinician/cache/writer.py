"""The one writer: a thread with the only connection that writes, and a queue of functions.

What people do goes before what the record sends. Events are published once, after the commit and
before the caller goes on, so whoever waited sees what it wrote and so does the screen.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from clinician.cache.body import Press
from clinician.cache.driver import translated
from clinician.cache.overlays import OverlayColumns
from clinician.cache.rows import Rows
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.events import CacheChanged, Events

T = TypeVar("T")
Job = tuple[int, int, "Callable[[Writing], Any] | None", "Future[Any]"]
_ACT, _PAGE, _LAST = 0, 1, 2
_GROWN: Final = 5000
"""So many new rows make the planner's statistics stale: after a first sync, and now and then."""
_log: Final = logging.getLogger(__name__)


class Writer:
    """Runs functions one after the other, each in one transaction."""

    def __init__(
        self,
        engine: sa.Engine,
        press: Press,
        columns: OverlayColumns,
        clock: Clock,
        events: Events,
        on_grown: Callable[[], object],
    ) -> None:
        self._engine = engine
        self._on_grown = on_grown
        self._press = press
        self._columns = columns
        self._clock = clock
        self._events = events
        self._jobs: list[Job] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._is_open = True
        self._is_durable: bool | None = None
        self._thread = threading.Thread(target=self._work, name="cache-writer", daemon=True)
        self._thread.start()

    def run(self, function: Callable[[Writing], T], *, durable: bool = False) -> T:
        """Run in the writer thread and wait. Whatever it raises is raised here and nothing was written.

        durable: on disk (synchronous=FULL) before this returns; for everything a person does.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("the writer cannot wait for itself")
        return self.submit(function, durable=durable).result()

    def submit(self, function: Callable[[Writing], T], *, durable: bool = False) -> Future[T]:
        """Queue and go on."""
        future: Future[T] = Future()
        self._push(_ACT if durable else _PAGE, function, future)
        return future

    def close(self) -> None:
        """Finish what is queued and end the thread; closing twice is harmless."""
        done: Future[None] = Future()
        with self._wake:
            if not self._is_open:
                return
        self._push(_LAST, None, done)
        self._thread.join()

    def _push(self, rank: int, function: Callable[[Writing], Any] | None, future: Future[Any]) -> None:
        with self._wake:
            if not self._is_open:
                raise RuntimeError("the cache is closed")
            if rank == _LAST:
                self._is_open = False
            heapq.heappush(self._jobs, (rank, next(self._order), function, future))
            self._wake.notify()

    def _work(self) -> None:
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            rows = Rows(driver, self._press)
            while True:
                rank, function, future = self._next()
                if function is None:
                    break
                if not future.set_running_or_notify_cancel():
                    continue
                self._do(connection, rows, function, future, durable=rank == _ACT)

    def _next(self) -> tuple[int, Callable[[Writing], Any] | None, Future[Any]]:
        with self._wake:
            self._wake.wait_for(lambda: bool(self._jobs))
            rank, _, function, future = heapq.heappop(self._jobs)
            return rank, function, future

    def _do(
        self,
        connection: sa.Connection,
        rows: Rows,
        function: Callable[[Writing], Any],
        future: Future[Any],
        *,
        durable: bool,
    ) -> None:
        try:
            with translated():
                result, writing = self._transact(connection, rows, function, durable=durable)
        except BaseException as problem:  # noqa: BLE001  # handed to whoever waits; the thread must live on
            rows.forget()
            self._columns.forget()
            future.set_exception(problem)
            return
        if writing.changed:
            types = frozenset(ref.partition("/")[0] for ref in writing.changed)
            self._events.publish(CacheChanged(frozenset(writing.changed), types, writing.origin))
        future.set_result(result)
        if rows.grown >= _GROWN:
            rows.grown = 0
            with suppress(RuntimeError):  # closing meanwhile: the statistics wait for the next time
                self._on_grown()

    def _make_durable(self, driver: Any, durable: bool) -> None:
        if self._is_durable is not durable:  # asked for every page it cost as much as BEGIN
            driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable

    def _transact(
        self, connection: sa.Connection, rows: Rows, function: Callable[[Writing], T], *, durable: bool
    ) -> tuple[T, Writing]:
        driver: Any = connection.connection.driver_connection
        self._make_durable(driver, durable)
        driver.execute("BEGIN IMMEDIATE")
        try:
            writing = Writing(connection, rows, self._press, self._columns, self._clock)
            result = function(writing)
            driver.execute("COMMIT")
        except BaseException:
            connection.rollback()
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            raise
        connection.rollback()
        return result, writing
