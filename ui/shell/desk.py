"""What every page of the shell is handed: the station, the threads, and the few things they share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from clinician import texts
from clinician.access.who import Who
from clinician.errors import ClinicianError
from clinician.modulekit.context import Kind
from ui.bridge import Bridge
from ui.jobs import Pool, Threads, as_problem
from ui.shell import face
from ui.shell.documents import documents_folder, write_document
from ui.shell.draft_keeper import DraftKeeper
from ui.shell.message_channel import MessageChannel
from ui.shell.patient_focus import PatientFocus
from ui.shell.reads import Reads
from ui.shell.station import DraftLine, Station
from ui.shell.writes import Writes

L = texts.lazy("ui")
_log = logging.getLogger(__name__)


class Desk(QObject):
    """One per window."""

    language_changed = Signal()
    view_wanted = Signal(str, object)
    """('module.view', arguments)"""
    page_wanted = Signal(str, object)
    """(page of the shell, arguments)"""
    bug_wanted = Signal(object)
    hints_changed = Signal()
    """The keys of the pane in focus are others now."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self.station = station
        self.messages = MessageChannel(self)
        self.threads = Threads(self.messages.problem, self)
        self.bridge = Bridge(station.events, self)
        self.patient = PatientFocus(self)
        self.drafts = DraftKeeper(station, self.threads, self)
        self.reads = Reads(station, self.threads, self.bridge)
        self.writes = Writes(station, self.threads, self.messages, self)
        self.face = face.Face(station.settings)
        self.documents = documents_folder(station.folder)
        self.messages.on_bug = self.bug_wanted.emit
        self.drafts.restored.connect(self._on_restored)

    def new_reads(self) -> Reads:
        """A read side whose watches end together."""
        return Reads(self.station, self.threads, self.bridge)

    def open_view(self, view_id: str, arguments: Mapping[str, str] | None = None) -> None:
        """Go to a view of a module."""
        self.view_wanted.emit(view_id, dict(arguments or {}))

    def open_page(self, page: str, arguments: Mapping[str, str] | None = None) -> None:
        """Go to a page of the shell: outbox, conflict, settings, modules."""
        self.page_wanted.emit(page, dict(arguments or {}))

    def set_language(self, code: str) -> None:
        """Speak another language from now on, and remember it."""
        texts.set_language(code)
        self.remember(language=code)
        self.language_changed.emit()

    def remember(self, **values: Any) -> None:
        """Keep a liking of this person; where the municipality has decided otherwise, say so."""
        problem = self.face.remember(**values)
        if problem is not None:
            self.messages.say(problem.text, Kind.WARN)

    def dress(self, practitioner_ref: str) -> None:
        """Look and speak as this person likes ('' for nobody)."""
        before = texts.language()
        self.face.of_person(practitioner_ref)
        self.face.put_on()
        if texts.language() != before:
            self.language_changed.emit()

    def act(
        self,
        work: Callable[[], object],
        on_done: Callable[[], None] | None = None,
        on_problem: Callable[[ClinicianError], None] | None = None,
    ) -> None:
        """Do something to the outbox or the session, in the order asked."""
        self.threads.run(work, lambda _result: on_done() if on_done else None, on_problem, pool=Pool.COMMAND)

    def sign_in(
        self,
        practitioner_ref: str,
        workplace_ref: str,
        pin: str,
        on_accepted: Callable[[Who, Sequence[DraftLine]], object],
        on_refused: Callable[[ClinicianError], None],
    ) -> None:
        """Try a PIN; behind every act asked for before, so that no draft lands with somebody else."""

        def work() -> tuple[Who, Sequence[DraftLine]]:
            who = self.station.sign_in(practitioner_ref, workplace_ref, pin)
            return who, self.station.drafts.all()

        self.threads.run(work, lambda found: on_accepted(*found), on_refused, pool=Pool.COMMAND)

    def save_file(self, suggested_name: str, content: bytes) -> Path | None:
        """Put a finished document where the person keeps documents; never over another one."""
        folder = self.documents
        try:
            path = write_document(folder, suggested_name, content)
        except OSError as error:
            _log.warning("a document could not be written: %s", type(error).__name__)
            self.messages.say(
                L(
                    "The document could not be written to {folder}. Nothing is lost; make room or free the "
                    "folder, then try again.",
                    folder=folder,
                ),
                Kind.WARN,
            )
            return None
        url = QUrl.fromLocalFile(str(path))
        self.messages.say(
            L("Saved as {path}", path=path),
            Kind.INFO,
            action=L("Open"),
            on_action=lambda: QDesktopServices.openUrl(url),
        )
        return path

    def bug(self, error: Exception) -> None:
        """A fault of ours that reached the window."""
        self.messages.problem(as_problem(error))

    def bug_elsewhere(self, error: Exception) -> None:
        """A fault of ours in some other thread."""
        self.threads.post(lambda: self.bug(error))

    def close(self) -> None:
        """Finish what is under way and stop every thread."""
        self.bridge.close()
        self.reads.end()
        self.threads.close()

    def _on_restored(self, key: str, patient_ref: str) -> None:
        self.messages.say(
            L("A draft you had not signed is back where you left it."),
            Kind.INFO,
            action=L("Discard the draft"),
            on_action=lambda: self.drafts.discard(key, patient_ref),
        )
