"""What a document added just now is: a name, a kind, a signature."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout
from typing_extensions import override

from clinician import texts
from clinician.commands.documents import DOCUMENT_KINDS
from clinician.errors import ClinicianError
from clinician.queries.documents import size_text
from clinician.queries.wording import day_text
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import ChoiceField, LineField
from ui.widgets.labels import Label
from ui.widgets.panes import Ground

if TYPE_CHECKING:
    from clinician.modulekit.context import Taken

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_PICTURES: Final = "image/"


class DocumentForm(Ground):
    """Hidden while nothing is added. `signed(taken, title, kind, note)`; `left` on Escape or Cancel."""

    signed = Signal(object, str, str, str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__("now_soft")
        self.taken: Taken | None = None
        self._day = date.min
        self._suggested = ""
        self._about = Label("", weight=600, wrap=True)
        self.title = LineField(L("Name of the document"), "homecare.documents.title")
        self.kind = ChoiceField(L("Kind"), "homecare.documents.kind", tuple(DOCUMENT_KINDS.items()))
        self.note = ChoiceField(L("Belongs to"), "homecare.documents.note")
        self.sign = Button(
            L("Add to the record"),
            "homecare.documents.sign",
            icon="check",
            kind="primary",
            signs=True,
            hint=L("Enter"),
        )
        self.cancel = Button(L("Do not add"), "homecare.documents.cancel", kind="quiet", hint=L("Esc"))
        space = theme.current().space
        fields = QHBoxLayout()
        fields.setSpacing(space(2))
        fields.addWidget(self.title, 2)
        fields.addWidget(self.kind, 1)
        fields.addWidget(self.note, 1)
        ways = QHBoxLayout()
        ways.setSpacing(space(2))
        ways.addWidget(self.sign)
        ways.addWidget(self.cancel)
        ways.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(1.5))
        column.addWidget(self._about)
        column.addLayout(fields)
        column.addLayout(ways)
        self.title.entered.connect(self._enter)
        self.sign.clicked.connect(self._enter)
        self.cancel.clicked.connect(self.left)
        self.kind.chosen.connect(lambda _kind: self._suggest())
        self.hide()

    def wait(self) -> None:
        """The file is being read and locked."""
        self.taken = None
        self._about.set_words(_("The file is being read …"))
        self._enable(False)
        self.show()

    def ask(self, taken: Taken, about: str, day: date, notes: tuple[tuple[str, str], ...]) -> None:
        """Ask what it is; a name is suggested from kind and day. notes: (key, words), newest first."""
        self.taken, self._day = taken, day
        self._about.set_words(" · ".join(part for part in (about, size_text(taken.size)) if part))
        self.kind.set_value("wound-photo" if taken.content_type.startswith(_PICTURES) else "letter")
        self.note.set_choices((("", L("no note")), *notes))
        self.note.set_value("")
        self.note.setVisible(bool(notes))
        self._suggested = ""
        self.title.set_text("")
        self._suggest()
        self._enable(True)
        self.show()
        self.title.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.title.line.selectAll()

    def _suggest(self) -> None:
        """Only over an own suggestion, never over what a person typed."""
        if self.title.text == self._suggested:
            self._suggested = f"{DOCUMENT_KINDS[self.kind.value].render()} {day_text(self._day)}"
            self.title.set_text(self._suggested)

    def _enable(self, on: bool) -> None:
        for part in (self.title, self.kind, self.note, self.sign):
            part.setEnabled(on)

    def put_away(self) -> None:
        """Nothing is being added."""
        self.taken = None
        self.hide()

    def show_problems(self, problems: tuple[ClinicianError, ...]) -> None:
        """Beside the name, where nearly all of them belong."""
        self.title.set_problem(problems[0].text)

    def _enter(self) -> None:
        if self.taken is None:
            return
        if not self.title.text:
            self.title.set_problem(L("Give the document a name, so that others find it."))
            return
        self.signed.emit(self.taken, self.title.text, self.kind.value, self.note.value)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
