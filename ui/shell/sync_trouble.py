"""What sync cannot mend by itself: said once to each person, with the way out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from clinician.access.who import SUPERUSER, Who
from clinician.events import SyncStatus
from clinician.modulekit.context import Kind
from clinician.texts import Text, lazy
from ui.shell.desk import Desk
from ui.shell.station import StaffLine

L = lazy("ui")
_CHECK = L(
    "The central record was brought back from a backup. Everything here was fetched anew. Look whether the "
    "newest visits are there; nothing is sent until you let it go on."
)
_ASK = L(
    "The central record was brought back from a backup. Go on working: everything you do is kept on this PC. "
    "Nothing is sent until a superuser says so. Ask the superuser of your workplace."
)
_LATE = L(
    "Something has waited for more than 15 minutes although the central record answers. Nothing is lost. "
    "The outbox says what each item waits for."
)
_TWIN = L(
    "Another PC holds a copy of what is on this one, as after its disk was copied. Nothing was sent twice "
    "and nothing is lost. Ask a superuser to set one of the two up anew."
)
_ARRIVED = L(
    "Something that was taken back here had reached the central record before. It stands there, and others "
    "see it. The outbox says what it is; put it right where it stands."
)


_FULL = L(
    "The disk of this PC is full. What was kept before is safe, but nothing new can be kept or fetched. "
    "Make room on the disk, or go on at another PC; it goes on here by itself when there is room."
)


class SyncTrouble(QObject):
    """Watches the status. What is mended takes its message away; what was read is not said again."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._person = ""
        self._said: dict[str, Text] = {}

    def tell(self, status: SyncStatus, who: Who | None) -> None:
        """Look at a status; who: the person in front of the screen."""
        if who is None:
            return
        if who.practitioner_ref != self._person:
            self._person = who.practitioner_ref
            self._said.clear()
        self._mended("disk", status.disk_full)
        if status.disk_full and "disk" not in self._said:
            self._said["disk"] = _FULL
            self._desk.messages.say(_FULL, Kind.DANGER)
        self._mended("restored", status.restored)
        self._mended("overdue", status.overdue and not status.restored)
        self._mended("twin", status.twin)
        if status.twin and "twin" not in self._said:
            self._say("twin", _TWIN, Kind.WARN)
        self._mended("arrived", status.arrived > 0)
        if status.arrived and "arrived" not in self._said:
            self._say("arrived", _ARRIVED, Kind.WARN)
        if status.restored and "restored" not in self._said:
            self._say_restored(who)
        elif status.overdue and not status.restored and "overdue" not in self._said:
            self._say("overdue", _LATE, Kind.WARN)

    def _mended(self, name: str, is_so: bool) -> None:
        words = None if is_so else self._said.pop(name, None)
        for message in self._desk.messages.messages:
            if words is not None and message.words is words:
                self._desk.messages.dismiss(message)

    def _say_restored(self, who: Who) -> None:
        if who.is_superuser:
            self._said["restored"] = _CHECK
            self._desk.messages.say(
                _CHECK,
                Kind.DANGER,
                action=L("Send again"),
                on_action=lambda: self._desk.act(self._desk.station.resume_sync),
            )
            return
        self._said["restored"] = _ASK
        self._desk.threads.run(lambda: self._desk.station.staff(who.workplace_ref), self._ask)

    def _ask(self, staff: Sequence[StaffLine]) -> None:
        if "restored" not in self._said:
            return
        names = " · ".join(person.name for person in staff if SUPERUSER in person.functions)
        words = _ASK
        if names:
            words = L(
                "The central record was brought back from a backup. Go on working: everything you do is kept "
                "on this PC. Nothing is sent until a superuser says so. Ask {names}.",
                names=names,
            )
        self._say("restored", words, Kind.DANGER)

    def _say(self, name: str, words: Text, kind: Kind) -> None:
        self._said[name] = words
        self._desk.messages.say(
            words, kind, action=L("Open the outbox"), on_action=lambda: self._desk.open_page("outbox")
        )
