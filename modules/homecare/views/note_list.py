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
        self._number = number
        self._reason: LineField | None = None
        head = QHBoxLayout()
        head.setSpacing(theme.current().space(3))
        head.addWidget(self._head, 1)
        head.addWidget(self._state)
        head.addWidget(self._withdraw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(1))
        column.addLayout(head)
        column.addWidget(self._text)
        column.addWidget(Hairline())
        self._column = column
        self._withdraw.clicked.connect(self._ask)

    @property
    def reason(self) -> LineField:
        """Where one writes why; made when first asked for, for few notes are ever withdrawn."""
        if self._reason is None:
            words = L("Why is the note withdrawn? Enter withdraws it.")
            self._reason = LineField(words, f"homecare.user.note_{self._number}_reason")
            self._reason.hide()
            self._column.insertWidget(2, self._reason)
            self._reason.entered.connect(self._on_reason)
        return self._reason

    def _put_reason_away(self) -> None:
        if self._reason is not None:
            self._reason.hide()
            self._reason.set_text("")

    def show_row(self, row: NoteRow) -> None:
        """Show it as it is now; what was being written about another note is not about this one."""
        if row.key != self._key or row.is_withdrawn:
            self._put_reason_away()
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
        if event.key() == Qt.Key.Key_Escape and self._reason is not None and self._reason.isVisible():
            self._reason.hide()
            return
        super().keyPressEvent(event)


class NoteList(QWidget):
    """All notes of one user. A note keeps its item while it is shown; items nobody needs are used again."""

    withdrawn = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, NoteItem] = {}
        self._spare: list[NoteItem] = []
        self._made = 0
        self._none = Label(L("No notes yet. N writes the first."), tone="ink_quiet", wrap=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, theme.current().space(2), 0)
        self._column.setSpacing(theme.current().space(3))
        self._column.addWidget(self._none)
        self._column.addStretch(1)

    def show_rows(self, rows: tuple[NoteRow, ...]) -> None:
        """Show these notes."""
        wanted = {row.key for row in rows}
        held = {key: item for key, item in self._items.items() if key in wanted}
        self._spare = [item for key, item in self._items.items() if key not in wanted] + self._spare
        self._items = {}
        for place, row in enumerate(rows):
            item = self._items[row.key] = held.get(row.key) or self._another()
            if self._column.indexOf(item) != place:
                self._column.insertWidget(place, item)
            item.show_row(row)
            item.show()
        for item in self._spare:
            item.hide()
        self._none.setVisible(not rows)

    def _another(self) -> NoteItem:
        if self._spare:
            return self._spare.pop(0)
        self._made += 1
        item = NoteItem(self._made)
        item.withdrawn.connect(self.withdrawn)
        return item
