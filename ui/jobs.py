"""The only threads of the shell: three that read, one that writes, two for long work.

Work runs off the GUI thread; its result, problem and progress come back on the GUI thread. A
ClinicianError is handed to whoever asked, or to the router; anything else becomes a Bug.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from clinician.errors import Bug, ClinicianError
from clinician.texts import lazy

_log = logging.getLogger(__name__)
L = lazy("ui")
R = TypeVar("R")

OnProblem = Callable[[ClinicianError], None]
PROGRESS_S: Final = 0.1


class Pool(StrEnum):
    """Which threads do the work."""

    QUERY = "query"
    COMMAND = "command"
    JOB = "job"


_SIZES: Final = {Pool.QUERY: 3, Pool.COMMAND: 1, Pool.JOB: 2}


def places_of(error: BaseException | None) -> list[str]:
    """The chain of faults by kind and place in the files. No message is repeated: it may quote a
    name or a number."""
    lines: list[str] = []
    while error is not None:
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
        lines += [
            f"  {'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


class Several(ClinicianError):
    """Every problem of one act at once."""

    def __init__(self, problems: tuple[ClinicianError, ...]) -> None:
        super().__init__(problems[0].text, way_out=problems[0].way_out, detail=problems[0].detail)
        self.problems = problems


def as_problem(error: Exception) -> ClinicianError:
    """The error itself when a person may meet it, else a Bug that carries it as its cause."""
    if isinstance(error, ClinicianError):
        return error
    if isinstance(error, ExceptionGroup):
        inside = tuple(one for one in error.exceptions if isinstance(one, ClinicianError))
        if len(inside) == len(error.exceptions):
            return Several(inside)
    bug = Bug(
        L(
            "Something in the program went wrong. Your work up to now is kept on this PC, and you can go on. "
            "Look at the report and send it to those who run the program."
        ),
        way_out=L("Show report"),
        detail=type(error).__name__,
    )
    bug.__cause__ = error
    return bug


def attempt(work: Callable[[], R]) -> R | ClinicianError:
    """Do a stranger's work on this thread: its answer, or what went wrong as a problem."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # the second door: code of a module run on the GUI thread
        problem = as_problem(error)
        if isinstance(problem, Bug):
            _log.error("work failed:\n%s", "\n".join(places_of(error)))
        return problem


class Ticket:
    """A piece of work under way; `end` means its result is no longer wanted."""

    __slots__ = ("_on_progress", "_post", "_told", "ended")

    def __init__(
        self, post: Callable[[Callable[[], None]], None], on_progress: Callable[[int, int, str], None] | None
    ) -> None:
        self._post, self._on_progress = post, on_progress
        self.ended = False
        self._told = 0.0

    def end(self) -> None:
        """Drop the result and tell the work to stop. Ending twice is harmless."""
        self.ended = True

    @property
    def stopped(self) -> bool:
        """True when the person said stop (the worker looks now and then)."""
        return self.ended

    def step(self, done: int, total: int, words: str = "") -> None:
        """Tell how far the work is; told on at most ten times a second, and always the last step."""
        call, now = self._on_progress, time.monotonic()
        if call is None or (now - self._told < PROGRESS_S and done < total):
            return
        self._told = now
        self._post(lambda: None if self.ended else call(done, total, words))


class Threads(QObject):
    """Runs work and brings the answers home. Problems nobody takes go to `router`."""

    _home = Signal(object)

    def __init__(self, router: OnProblem, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._router = router
        self._pools: dict[Pool, ThreadPoolExecutor] = {}
        self._closed = False
        self._open: set[Ticket] = set()
        self._home.connect(self._on_home, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], R],
        on_result: Callable[[R], object],
        on_problem: OnProblem | None = None,
        *,
        pool: Pool = Pool.QUERY,
    ) -> Ticket:
        """Run `work`; exactly one of the callbacks is called on the GUI thread, unless ended."""
        return self.run_long(lambda _ticket: work(), on_result, on_problem, pool=pool)

    def run_long(
        self,
        work: Callable[[Ticket], R],
        on_result: Callable[[R], object],
        on_problem: OnProblem | None = None,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        pool: Pool = Pool.JOB,
    ) -> Ticket:
        """As `run`, for work that tells its progress through the ticket and looks at `stopped`."""
        ticket = Ticket(self._home.emit, on_progress)
        if self._closed:
            ticket.end()
            return ticket
        self._open.add(ticket)
        self._executor(pool).submit(self._do, ticket, work, on_result, on_problem)
        return ticket

    def close(self) -> None:
        """Let work under way finish, drop what has not begun; acts are never dropped."""
        self._closed = True
        for ticket in self._open:
            ticket.end()
        for pool, executor in self._pools.items():
            executor.shutdown(wait=True, cancel_futures=pool is not Pool.COMMAND)
        self._pools.clear()

    def post(self, call: Callable[[], object]) -> None:
        """Call on the GUI thread, from any thread."""
        self._home.emit(call)

    def route(self, problem: ClinicianError) -> None:
        """Hand a problem nobody took to the router."""
        self._router(problem)

    @property
    def busy(self) -> int:
        """How many pieces of work are under way; for tests."""
        return len(self._open)

    def _executor(self, pool: Pool) -> ThreadPoolExecutor:
        if pool not in self._pools:
            self._pools[pool] = ThreadPoolExecutor(_SIZES[pool], thread_name_prefix=f"ui-{pool}")
        return self._pools[pool]

    def _do(
        self,
        ticket: Ticket,
        work: Callable[[Ticket], R],
        on_result: Callable[[R], object],
        on_problem: OnProblem | None,
    ) -> None:
        # An act is carried out even when nobody waits for its answer any longer.
        try:
            result = work(ticket)
        except Exception as error:  # noqa: BLE001  # the one door where faults of work become messages
            problem = as_problem(error)
            if isinstance(problem, Bug):
                _log.error("work failed:\n%s", "\n".join(places_of(error)))
            self._home.emit(lambda: self._tell_problem(ticket, problem, on_problem))
        else:
            self._home.emit(lambda: self._tell_result(ticket, result, on_result))

    def _tell_result(self, ticket: Ticket, result: R, on_result: Callable[[R], object]) -> None:
        self._open.discard(ticket)
        if not ticket.ended:
            ticket.ended = True
            on_result(result)

    def _tell_problem(self, ticket: Ticket, problem: ClinicianError, on_problem: OnProblem | None) -> None:
        self._open.discard(ticket)
        if ticket.ended:
            return
        ticket.ended = True
        # A fault of ours is always shown; whoever asked still learns that no answer comes.
        if on_problem is None or isinstance(problem, Bug):
            self._router(problem)
        if on_problem is not None:
            on_problem(problem)

    @Slot(object)
    def _on_home(self, call: Callable[[], object]) -> None:
        if not self._closed:
            call()
