"""What is typed and not yet signed: kept within a second, per person and patient, through a kill.

What was there when the person signed in is a *restored* draft; the first view that takes it makes
the shell say so. Drafts of another person are never read: the store answers for who is signed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from ui.jobs import Pool, Threads
from ui.shell.station import DraftLine, Station

KEEP_MS: Final = 400
Place = tuple[str, str]


class DraftKeeper(QObject):
    """Implements `modulekit.context.Drafts` for the whole window."""

    restored = Signal(str, str)
    """(key, patient_ref): a draft from before this session was handed to a view."""
    discarded = Signal(str, str)
    """(key, patient_ref): the person threw it away; views holding it empty themselves."""

    def __init__(self, station: Station, threads: Threads, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._station, self._threads = station, threads
        self._held: dict[Place, str] = {}
        self._unsaved: set[Place] = set()
        self._from_before: set[Place] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_MS)
        self._timer.timeout.connect(self.flush)

    def open_for_person(self, kept: Sequence[DraftLine]) -> None:
        """Take over the drafts of the person who just signed in."""
        self._held = {(d.key, d.patient_ref): d.content for d in kept}
        self._from_before = {place for place in self._held if not place[0].startswith("shell.")}
        self._unsaved.clear()

    def save(self, key: str, patient_ref: str, content: str) -> None:
        """Keep this within a second; '' forgets it."""
        place = (key, patient_ref)
        if self._held.get(place, "") == content:
            return
        if content:
            self._held[place] = content
        else:
            self._held.pop(place, None)
        self._from_before.discard(place)
        self._unsaved.add(place)
        if not self._timer.isActive():
            self._timer.start()

    def load(self, key: str, patient_ref: str) -> str:
        """The draft, '' when none."""
        place = (key, patient_ref)
        content = self._held.get(place, "")
        if content and place in self._from_before:
            self._from_before.discard(place)
            self.restored.emit(key, patient_ref)
        return content

    def discard(self, key: str, patient_ref: str) -> None:
        """Throw a draft away and tell the views."""
        self.save(key, patient_ref, "")
        self.discarded.emit(key, patient_ref)

    def flush(self) -> None:
        """Write what is unsaved, off the GUI thread."""
        self._timer.stop()
        work = [(key, ref, self._held.get((key, ref), "")) for key, ref in sorted(self._unsaved)]
        self._unsaved.clear()
        if work:
            self._threads.run(lambda: self._write(work), lambda _none: None, pool=Pool.COMMAND)

    def close_for_person(self) -> None:
        """The person leaves: what is unsaved is written before anything asked for after this."""
        self.flush()
        self._held.clear()
        self._from_before.clear()

    def _write(self, work: list[tuple[str, str, str]]) -> None:
        for key, patient_ref, content in work:
            self._station.drafts.save(key, patient_ref, content)
