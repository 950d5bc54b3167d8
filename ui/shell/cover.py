"""The privacy cover: hides everything, keeps everything, says whose session it is.

The person's own PIN takes it away and all stands as it stood. Somebody else signs in through the
other button: the session is parked, never inherited (NEEDS §3).
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.access.who import Who
from clinician.errors import ClinicianError
from clinician.texts import lazy
from ui.shell.avatar import Avatar
from ui.shell.desk import Desk
from ui.shell.pin_pad import PinPad
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label
from ui.widgets.panes import Ground

L = lazy("ui")


class Cover(Ground):
    """Asks for the PIN of who is signed in, at the workplace it is opened for."""

    opened = Signal(object)
    """Who: the PIN was right."""
    other_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.cover")
        self._desk = desk
        self._who: Who | None = None
        self._workplace_ref = ""
        space = theme.current().space
        self._avatar = Avatar(72)
        self._name = Label(size=24, weight=600)
        self._why = Label(tone="ink_quiet", wrap=True)
        self._why.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._pad = PinPad("shell.cover")
        self._pad.entered.connect(self._try)
        other = Button(L("Somebody else"), "shell.cover.other", icon="user-switch", kind="quiet")
        other.clicked.connect(self.other_wanted)
        self._back = Button(L("Stay here"), "shell.cover.back", icon="arrow-left", kind="quiet")
        self._back.clicked.connect(lambda: self.opened.emit(self._who))
        self._name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        middle = QWidget()
        middle.setMaximumWidth(460)
        column = QVBoxLayout(middle)
        column.setSpacing(space(3))
        column.addStretch(1)
        column.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        for part in (self._name, self._why, self._pad):
            column.addWidget(part)
        for button in (other, self._back):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        across = QHBoxLayout(self)
        across.addStretch(1)
        across.addWidget(middle, 20)
        across.addStretch(1)

    def begin(self, who: Who, workplace_ref: str = "", workplace_name: str = "") -> None:
        """Cover for `who`; with another workplace the PIN moves them there."""
        self._who = who
        self._workplace_ref = workplace_ref or who.workplace_ref
        self._avatar.show_person(who.initials)
        self._name.set_words(who.name)
        moving = bool(workplace_ref) and workplace_ref != who.workplace_ref
        self._why.set_words(
            L("Your PIN takes you to {place}. What you have written is kept.", place=workplace_name)
            if moving
            else L("Locked. Your PIN brings you back to where you were.")
        )
        self._back.setVisible(moving)
        self._pad.clear()
        self._pad.setEnabled(True)
        self._pad.setFocus()

    def _try(self, pin: str) -> None:
        who, place = self._who, self._workplace_ref
        if who is None:
            return
        self._pad.setEnabled(False)
        self._desk.sign_in(
            who.practitioner_ref, place, pin, lambda found, _drafts: self.opened.emit(found), self._on_refused
        )

    def _on_refused(self, problem: ClinicianError) -> None:
        self._pad.setEnabled(True)
        self._pad.clear(problem.text)
        self._pad.setFocus()


class IdleWatch(QObject):
    """`idle` when no key was pressed and no mouse moved for a while.

    Listens where input enters the window; a filter on the whole application would run Python for
    every paint and timer of every widget.
    """

    idle = Signal()
    _INPUT = frozenset(
        {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel}
    )

    def __init__(self, parent: QObject, milliseconds: int) -> None:
        super().__init__(parent)
        self._door: QWindow | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(milliseconds)
        self._timer.timeout.connect(self.idle)

    def watch(self, door: QWindow | None) -> None:
        """Begin to watch a window."""
        self._door = door
        if door is not None:
            door.installEventFilter(self)
        self._timer.start()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self._INPUT:
            self._timer.start()
        return False

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        if self._door is not None:
            self._door.removeEventFilter(self)
            self._door = None
