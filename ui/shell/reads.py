"""The read side as a view sees it: run once, or watch and be told again when data change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from clinician.errors import Bug, ClinicianError
from clinician.events import CacheChanged
from clinician.queries.query import Query
from ui.bridge import Bridge
from ui.jobs import OnProblem, Threads, Ticket
from ui.shell.station import Station

P = ParamSpec("P")
R = TypeVar("R")


class Watch:
    """A query that is run now and again whenever a type it watches changes. At most one at a time
    is under way; a change meanwhile makes it run once more."""

    def __init__(
        self,
        threads: Threads,
        work: Callable[[], Any],
        watches: frozenset[str],
        on_result: Callable[[Any], None],
        on_problem: OnProblem | None,
    ) -> None:
        self._threads, self._work, self._watches = threads, work, watches
        self._on_result, self._on_problem = on_result, on_problem
        self._ticket: Ticket | None = None
        self._again = False
        self._ended = False
        self.refresh()

    def refresh(self) -> None:
        """Read anew."""
        if self._ended:
            return
        if self._ticket is not None:
            self._again = True
            return
        self._ticket = self._threads.run(self._work, self._on_rows, self._on_trouble)

    def on_change(self, change: CacheChanged) -> None:
        """The cache changed."""
        if self._watches & change.types:
            self.refresh()

    def end(self) -> None:
        """Watch no more."""
        self._ended = True
        if self._ticket is not None:
            self._ticket.end()

    @property
    def ended(self) -> bool:
        """True once ended."""
        return self._ended

    def _over(self) -> bool:
        self._ticket = None
        again, self._again = self._again, False
        return again

    def _on_rows(self, rows: Any) -> None:
        again = self._over()
        if not self._ended:
            self._on_result(rows)
        if again:
            self.refresh()

    def _on_trouble(self, problem: ClinicianError) -> None:
        self._over()
        if self._on_problem is not None:
            self._on_problem(problem)
        elif not isinstance(problem, Bug):
            self._threads.route(problem)


class Reads:
    """Implements `modulekit.context.Queries` for one view; `end` ends all it began."""

    def __init__(self, station: Station, threads: Threads, bridge: Bridge) -> None:
        self._station, self._threads, self._bridge = station, threads, bridge
        self._watches: list[Watch] = []
        self._tickets: list[Ticket] = []
        bridge.cache_changed.connect(self._on_change)

    def run(
        self,
        query: Query[P, R],
        on_result: Callable[[R], None],
        on_problem: OnProblem | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ticket:
        """Read once, off the GUI thread."""
        self._tickets = [ticket for ticket in self._tickets if not ticket.ended]
        ticket = self._threads.run(self._work(query, *args, **kwargs), on_result, on_problem)
        self._tickets.append(ticket)
        return ticket

    def watch(
        self,
        query: Query[P, R],
        on_result: Callable[[R], None],
        on_problem: OnProblem | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Watch:
        """Read now and after every change that concerns the query."""
        self._watches = [watch for watch in self._watches if not watch.ended]
        work = self._work(query, *args, **kwargs)
        watch = Watch(self._threads, work, query.watches, on_result, on_problem)
        self._watches.append(watch)
        return watch

    def now(self, query: Query[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Read in the calling thread."""
        return self._station.run_query(query, *args, **kwargs)

    def refresh(self) -> None:
        """Read every watched query anew (the language changed)."""
        for watch in self._watches:
            watch.refresh()

    def end(self) -> None:
        """End every watch and drop every answer under way."""
        self._bridge.cache_changed.disconnect(self._on_change)
        for watch in self._watches:
            watch.end()
        for ticket in self._tickets:
            ticket.end()
        self._watches, self._tickets = [], []

    def _on_change(self, change: CacheChanged) -> None:
        for watch in self._watches:
            watch.on_change(change)

    def _work(self, query: Query[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Callable[[], R]:
        return lambda: self._station.run_query(query, *args, **kwargs)
