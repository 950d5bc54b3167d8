"""Long work under way: what it does, how far it is, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from clinician.errors import Bug, ClinicianError
from clinician.modulekit.context import Progress
from ui.jobs import OnProblem, Threads, Ticket

R = TypeVar("R")


@dataclass(slots=True)
class Work:
    """One piece of long work. total 0: how far is not known."""

    title: str
    ticket: Ticket | None = None
    done: int = 0
    total: int = 0
    words: str = ""


class Running(QObject):
    """Every long work of the window; the line above the messages shows the newest."""

    changed = Signal()

    def __init__(self, threads: Threads, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = threads
        self._works: list[Work] = []

    @property
    def current(self) -> Work | None:
        """The newest work, None when all is quiet."""
        return self._works[-1] if self._works else None

    def run(
        self,
        work: Callable[[Progress], R],
        on_result: Callable[[R], None],
        on_problem: OnProblem | None = None,
        *,
        title: str = "",
    ) -> Ticket:
        """Start long work; the ticket stops it."""
        entry = Work(title)

        def result(value: R) -> None:
            self._over(entry)
            on_result(value)

        def problem(error: ClinicianError) -> None:
            self._over(entry)
            if on_problem is not None:
                on_problem(error)
            elif not isinstance(error, Bug):
                self._threads.route(error)

        def progress(done: int, total: int, words: str) -> None:
            entry.done, entry.total, entry.words = done, total, words
            self.changed.emit()

        entry.ticket = self._threads.run_long(work, result, problem, on_progress=progress)
        self._works.append(entry)
        self.changed.emit()
        return entry.ticket

    def stop_current(self) -> None:
        """Stop the work shown."""
        work = self.current
        if work is not None and work.ticket is not None:
            work.ticket.end()
            self._over(work)

    def _over(self, work: Work) -> None:
        if work in self._works:
            self._works.remove(work)
        # Work whose view has gone was ended without an answer.
        self._works = [w for w in self._works if w.ticket is None or not w.ticket.ended]
        self.changed.emit()
