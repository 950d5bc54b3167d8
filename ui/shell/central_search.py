"""A person who is not on this PC: looked up at the record, asked for, and told about on arrival."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from PySide6.QtCore import QObject

from clinician.modulekit.context import Kind
from clinician.texts import Text, lazy
from ui.jobs import OnProblem, Ticket
from ui.shell.desk import Desk
from ui.shell.reads import Watch
from ui.shell.station import CandidateLine

L = lazy("ui")
LEAST: Final = 3
"""Letters the record wants before it looks"""


class CentralSearch(QObject):
    """One per window. What is asked for comes through the cache, with sync."""

    def __init__(self, desk: Desk, opened: Callable[[str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._opened = desk, opened
        self._watches: dict[str, Watch] = {}

    def look_up(
        self, words: str, on_found: Callable[[Sequence[CandidateLine]], None], on_problem: OnProblem
    ) -> Ticket:
        """Ask the record, off the GUI thread."""
        return self._desk.threads.run(lambda: self._desk.station.look_up(words), on_found, on_problem)

    def fetch(self, candidate: CandidateLine) -> None:
        """Bring a person onto this PC, and say so when they are here."""
        station, name = self._desk.station, candidate.name
        self._desk.act(
            lambda: station.request_patients((candidate.key,)), lambda: self._wait_for(candidate.key, name)
        )
        self._desk.messages.say(_under_way(name))

    def forget(self) -> None:
        """Another person signs in: nobody is waited for any more."""
        for watch in self._watches.values():
            watch.end()
        self._watches.clear()

    def _wait_for(self, patient_ref: str, name: str) -> None:
        from clinician.queries.patients import patient_hits

        if patient_ref in self._watches:
            return
        self._watches[patient_ref] = self._desk.reads.watch(
            patient_hits,
            lambda hits: self._on_hits(patient_ref, name, {hit.key for hit in hits}),
            None,
            words=name,
        )

    def _on_hits(self, patient_ref: str, name: str, here: set[str]) -> None:
        if patient_ref in here and patient_ref in self._watches:
            self._watches.pop(patient_ref).end()
            messages = self._desk.messages
            for message in messages.messages:
                if str(message.words) == str(_under_way(name)):
                    messages.dismiss(message)
            messages.say(
                L("{name} has arrived from the central record.", name=name),
                Kind.INFO,
                action=L("Open"),
                on_action=lambda: self._opened(patient_ref),
            )


def _under_way(name: str) -> Text:
    return L("{name} is being fetched from the central record. You are told here on arrival.", name=name)


def born(written: str) -> str:
    """'12.03.1942' for '1942-03-12'; a shorter date as it is."""
    try:
        return f"{date.fromisoformat(written):%d.%m.%Y}"
    except ValueError:
        return written
