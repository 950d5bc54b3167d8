"""What a module is handed, and nothing else.

Callbacks are always called on the thread that asked (the GUI thread for a view). A test or the
command line hands a context that runs at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from clinician.access.who import Who
from clinician.clock import Clock
from clinician.commands.act import Command, Done
from clinician.errors import ClinicianError
from clinician.queries.query import Query
from clinician.texts import Translator

if TYPE_CHECKING:  # the window is shown before the cache is read
    from clinician.cache.attachment_files import Taken as Taken
    from clinician.queries.documents import Content as Content

P = ParamSpec("P")
R = TypeVar("R")


class Kind(StrEnum):
    """How a message line looks: glyph + word + colour, in that order of trust."""

    INFO = "info"
    DONE = "done"
    WARN = "warn"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: done, or every problem at once."""

    done: Done | None
    problems: tuple[ClinicianError, ...] = ()


class Ending(Protocol):
    """Something that can be ended; ending twice is harmless."""

    def end(self) -> None: ...


class Queries(Protocol):
    """The read side."""

    def run(
        self,
        query: Query[P, R],
        on_result: Callable[[R], None],
        on_problem: Callable[[ClinicianError], None] | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ending:
        """Run off the GUI thread; deliver the rows once."""
        ...

    def watch(
        self,
        query: Query[P, R],
        on_result: Callable[[R], None],
        on_problem: Callable[[ClinicianError], None] | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ending:
        """Run now and again (throttled) whenever a watched type changes, until ended."""
        ...

    def now(self, query: Query[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run in the calling thread. For jobs, reports and tests, never for a view."""
        ...


class Commands(Protocol):
    """The write side."""

    def run(self, command: Command, on_outcome: Callable[[Outcome], None] | None = None) -> None:
        """Do it durably on this PC, then tell. Problems nobody takes go to the message line."""
        ...

    def undo(self, done: Done, on_outcome: Callable[[Outcome], None] | None = None) -> None:
        """Take the whole group back: withdrawn while unsent, afterwards a correcting entry."""
        ...

    def now(self, command: Command) -> Done:
        """Do it in the calling thread; raises the first problem. For jobs and tests."""
        ...


class Messages(Protocol):
    """The one non-modal channel."""

    def say(
        self,
        text: str,
        kind: Kind = Kind.INFO,
        *,
        action: str = "",
        on_action: Callable[[], None] | None = None,
    ) -> None: ...

    def problem(self, problem: ClinicianError) -> None: ...


class Patients(Protocol):
    """The patient in context; the same for every module."""

    @property
    def current(self) -> str:
        """'Patient/…' or '' when none is chosen."""
        ...

    def choose(self, patient_ref: str) -> None: ...
    def changed(self, call: Callable[[str], None]) -> Ending: ...


class Jobs(Protocol):
    """Long work off the GUI thread, with progress in words and a way to stop."""

    def run(
        self,
        work: Callable[[Progress], R],
        on_result: Callable[[R], None],
        on_problem: Callable[[ClinicianError], None] | None = None,
        *,
        title: str = "",
    ) -> Ending: ...


class Progress(Protocol):
    """Handed to a job. `stopped` turns true when the person says stop."""

    @property
    def stopped(self) -> bool: ...
    def step(self, done: int, total: int, words: str = "") -> None: ...


class Drafts(Protocol):
    """What a person has typed and not yet signed; crash-safe, per user and patient."""

    def save(self, key: str, patient_ref: str, content: str) -> None:
        """Keep `content` (any text, often JSON); '' forgets the draft. Durable within a second."""
        ...

    def load(self, key: str, patient_ref: str) -> str: ...


class Documents(Protocol):
    """Files in, and the content of documents out; both off the thread that asks."""

    def stage(
        self,
        source: Path | bytes,
        on_taken: Callable[[Taken], None],
        on_problem: Callable[[ClinicianError], None] | None = None,
    ) -> Ending:
        """Take a file or a pasted picture in, for `AttachDocument(taken=…)`; then always `settle` it."""
        ...

    def settle(self, taken: Taken) -> None:
        """The act is written, or will never be."""
        ...

    def read(
        self,
        document_ref: str,
        on_content: Callable[[Content], None],
        on_problem: Callable[[ClinicianError], None] | None = None,
    ) -> Ending:
        """The content of a document, proved; None in it while it is being fetched. Each reading is logged."""
        ...


class Places(Protocol):
    """Moving about: open a view of any module by 'module.view', or hand a file to the person."""

    def open(self, view_id: str, **arguments: str) -> None: ...
    def save_file(self, suggested_name: str, content: bytes) -> Path | None:
        """Save a finished document (a PDF) where the person keeps them; says so in a message."""
        ...


@dataclass(frozen=True, slots=True)
class ModuleContext:
    """Everything a module may touch."""

    module_id: str
    queries: Queries
    commands: Commands
    messages: Messages
    patients: Patients
    jobs: Jobs
    drafts: Drafts
    places: Places
    texts: Translator
    settings: Mapping[str, Any]
    log: logging.Logger
    clock: Clock
    who: Who
    arguments: Mapping[str, str]
    """Of this view, from places.open or the layout."""
    clock_ahead: Callable[[], timedelta] = timedelta
    """The record's clock minus this PC's, as last heard."""
    documents: Documents | None = None
    """None where no content can be taken in or shown"""

    def today(self) -> date:
        """The Norwegian day."""
        return self.clock.today()

    def record_now(self) -> datetime:
        """Now by the record's clock: the age of what the record sent is told by this one."""
        return self.clock.now() + self.clock_ahead()
