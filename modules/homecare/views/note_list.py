"""Notes, newest first, whole. A withdrawn note stays readable and says so."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from modules.homecare.rows import NoteRow
from modules.homecare.views import states
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import LineField
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Hairline

_ = texts.translator("homecare")
L = texts.lazy("homecare")


class NoteItem(QWidget):
    """One note, with the way to withdraw it."""

    withdrawn = Signal(str, str)

    def __init__(self, number: int) -> None:
        super().__init__()
        self._key = ""
        self._head = Label("", size=12, tone="ink_quiet", wrap=True)
        self._text = Label("", wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._state = StateLabel("cloud", "", "offline")
        self._withdraw = Button(L("Withdraw"), f"homecare.user.note_{number}_withdraw", kind="quiet")
        self.reason = LineField(
            L("Why is the note withdrawn? Enter withdraws it."), f"homecare.user.note_{number}_reason"
        )
        self.reason.hide()
        head = QHBoxLayout()
        head.setSpacing(theme.current().space(3))
        head.addWidget(self._head, 1)
        head.addWidget(self._state)
        head.addWidget(self._withdraw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(1))
        column.addLayout(head)
        for part in (self._text, self.reason, Hairline()):
            column.addWidget(part)
        self._withdraw.clicked.connect(self._ask)
        self.reason.entered.connect(self._on_reason)

    def show_row(self, row: NoteRow) -> None:
        """Show it as it is now."""
        self._key = row.key
        self._head.set_words(" · ".join(part for part in (row.when_text, row.author, row.kind_text) if part))
        self._text.set_words(row.text)
        self._text.set_tone("ink_quiet" if row.is_withdrawn else "ink")
        shown = states.row_state(row.state)
        if row.is_withdrawn:
            self._state.set_state("prohibit", _("withdrawn"), "warn")
        elif shown is not None:
            self._state.set_state(shown.icon, shown.words, shown.role)
        self._state.setVisible(row.is_withdrawn or shown is not None)
        self._withdraw.setVisible(not row.is_withdrawn)
        self._withdraw.setAccessibleName(_("Withdraw the note of {when}", when=row.when_text))
        if row.is_withdrawn:
            self.reason.hide()

    def _ask(self) -> None:
        self.reason.show()
        self.reason.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_reason(self) -> None:
        if not self.reason.text:
            self.reason.set_problem(L("Write why, so that those who read it understand."))
            return
        self.withdrawn.emit(self._key, self.reason.text)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.reason.isHidden():
            self.reason.hide()
            return
        super().keyPressEvent(event)


class NoteList(QWidget):
    """All notes of one user; items are kept by key."""

    withdrawn = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, NoteItem] = {}
        self._made = 0
        self._none = Label(L("No notes yet. N writes the first."), tone="ink_quiet", wrap=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, theme.current().space(2), 0)
        self._column.setSpacing(theme.current().space(3))
        self._column.addWidget(self._none)
        self._column.addStretch(1)

    def show_rows(self, rows: tuple[NoteRow, ...]) -> None:
        """Show these notes."""
        for key in [key for key in self._items if key not in {row.key for row in rows}]:
            item = self._items.pop(key)
            item.hide()
            item.deleteLater()
        for place, row in enumerate(rows):
            item = self._items.get(row.key) or self._new(row.key)
            if self._column.indexOf(item) != place:
                self._column.insertWidget(place, item)
            item.show_row(row)
        self._none.setVisible(not rows)

    def _new(self, key: str) -> NoteItem:
        self._made += 1
        item = NoteItem(self._made)
        item.withdrawn.connect(self.withdrawn)
        self._items[key] = item
        return item
