"""The one line 'another reason' needs, asked where one works: Enter signs, Escape leaves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout
from typing_extensions import override

from clinician import texts
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import LineField
from ui.widgets.labels import StateLabel
from ui.widgets.panes import Ground

_ = texts.translator("homecare")
L = texts.lazy("homecare")


class WhyLine(Ground):
    """Asks why about one visit or task; hidden while nothing is asked."""

    left = Signal()

    def __init__(self, view: str) -> None:
        super().__init__("now_soft")
        self._then: Callable[[str], None] = lambda _text: None
        self.visit_ref = ""
        """The visit it is asked about"""
        self._about = StateLabel("dots-three", "", "ink", weight=600, wrap=True)
        self.field = LineField(
            L("Why was it not done?"), f"homecare.{view}.why", hint=L("In a few words, for the next person")
        )
        sign = Button(
            L("Sign the reason"), f"homecare.{view}.why_sign", icon="check", signs=True, hint=L("Enter")
        )
        space = theme.current().space
        row = QHBoxLayout()
        row.setSpacing(space(2))
        row.addWidget(self.field, 1)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(1))
        column.addWidget(self._about)
        column.addLayout(row)
        self.field.entered.connect(self._enter)
        sign.clicked.connect(self._enter)
        self.hide()

    def ask(self, visit_ref: str, about: str, then: Callable[[str], None]) -> None:
        """Ask why about `about`; `then` is called with the words, once."""
        if visit_ref != self.visit_ref or self.isHidden():
            self.field.set_text("")
        self.visit_ref, self._then = visit_ref, then
        self._about.set_state("dots-three", _("Another reason: {about}", about=about), "ink")
        self.show()
        self.take_cursor()

    def take_cursor(self) -> None:
        """Keyboard into the field."""
        self.field.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def put_away(self) -> None:
        """Nothing is asked any more."""
        self.field.set_text("")
        self.visit_ref, self._then = "", lambda _text: None
        self.hide()

    def _enter(self) -> None:
        words, then = self.field.text, self._then
        if not words:
            self.field.set_problem(L("Write the reason: 'other' says nothing to the next person."))
            self.take_cursor()
            return
        self.put_away()
        then(words)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
            self.left.emit()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
