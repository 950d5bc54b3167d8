"""The context a module's view is handed, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clinician.access.who import Who
from clinician.modulekit.context import Ending, ModuleContext, Progress
from clinician.texts import translator
from ui.jobs import OnProblem, Pool
from ui.shell.desk import Desk
from ui.shell.patient_focus import PatientFocus, Subscription
from ui.shell.reads import Reads
from ui.shell.running import Running

if TYPE_CHECKING:
    from clinician.modulekit.context import Content, Taken

R = TypeVar("R")


class _Patients:
    """The patient in context, with subscriptions that end with the view."""

    def __init__(self, focus: PatientFocus, ends: list[Ending]) -> None:
        self._focus, self._ends = focus, ends

    @property
    def current(self) -> str:
        return self._focus.current

    def choose(self, patient_ref: str) -> None:
        self._focus.choose(patient_ref)

    def changed(self, call: Callable[[str], None]) -> Subscription:
        subscription = self._focus.changed(call)
        self._ends.append(subscription)
        return subscription


class _Jobs:
    def __init__(self, running: Running, ends: list[Ending]) -> None:
        self._running, self._ends = running, ends

    def run(
        self,
        work: Callable[[Progress], R],
        on_result: Callable[[R], None],
        on_problem: OnProblem | None = None,
        *,
        title: str = "",
    ) -> Ending:
        ending = self._running.run(work, on_result, on_problem, title=title)
        self._ends.append(ending)
        return ending


class _Places:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, view_id: str, **arguments: str) -> None:
        self._desk.open_view(view_id, arguments)

    def save_file(self, suggested_name: str, content: bytes) -> Path | None:
        return self._desk.save_file(suggested_name, content)


class _Documents:
    """Files are read and sealed, and content opened, off the window's thread; dropped with the view."""

    def __init__(self, desk: Desk, ends: list[Ending]) -> None:
        self._desk, self._ends = desk, ends

    def stage(
        self,
        source: Path | bytes,
        on_taken: Callable[[Taken], None],
        on_problem: OnProblem | None = None,
    ) -> Ending:
        store = self._desk.station.documents
        return self._kept(
            self._desk.threads.run(lambda: store.stage(source), on_taken, on_problem, pool=Pool.JOB)
        )

    def settle(self, taken: Taken) -> None:
        self._desk.station.documents.settle(taken)

    def read(
        self,
        document_ref: str,
        on_content: Callable[[Content], None],
        on_problem: OnProblem | None = None,
    ) -> Ending:
        store = self._desk.station.documents
        return self._kept(
            self._desk.threads.run(lambda: store.read(document_ref), on_content, on_problem, pool=Pool.JOB)
        )

    def _kept(self, ending: Ending) -> Ending:
        self._ends.append(ending)
        return ending


class ViewContext:
    """Makes the ModuleContext of one view and ends, with the view, all that was begun through it."""

    def __init__(
        self,
        desk: Desk,
        running: Running,
        module_id: str,
        who: Who,
        *,
        arguments: Mapping[str, str],
        settings: Mapping[str, Any],
        domain: str = "",
    ) -> None:
        self._ends: list[Ending] = []
        self.reads: Reads = desk.new_reads()
        self.context = ModuleContext(
            module_id=module_id,
            queries=self.reads,
            commands=desk.writes,
            messages=desk.messages,
            patients=_Patients(desk.patient, self._ends),
            jobs=_Jobs(running, self._ends),
            drafts=desk.drafts,
            places=_Places(desk),
            texts=translator(domain or module_id),
            settings=settings,
            log=logging.getLogger(f"modules.{module_id}"),
            clock=desk.station.clock,
            who=who,
            arguments=arguments,
            documents=_Documents(desk, self._ends),
            clock_ahead=lambda: desk.station.status().clock_ahead,
        )

    def end(self) -> None:
        """The view is gone."""
        self.reads.end()
        for ending in self._ends:
            ending.end()
        self._ends.clear()
