"""Every key on one sheet (F1): the window's own, and those of the pane that has the keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy
from ui.widgets import theme
from ui.widgets.buttons import IconButton
from ui.widgets.labels import Label
from ui.widgets.panes import Scrolled
from ui.widgets.words import Words

L = lazy("ui")
Keys = Sequence[tuple[Words, Words]]

WINDOW_KEYS: Keys = (
    ("Ctrl+K", L("search people, commands and places")),
    ("Alt+1 … 9", L("go to a module")),
    ("Ctrl+1 … 9", L("go to a page of the module")),
    ("F6", L("next pane")),
    ("Alt+0", L("outbox")),
    ("Ctrl+Z", L("take back what was done last")),
    ("F8", L("the button of the message")),
    ("Esc", L("close")),
    ("Ctrl+L", L("lock")),
    ("Ctrl+,", L("settings")),
    ("F1", L("these keys")),
)


class HelpSheet(QFrame):
    """Lies over the page; Escape or F1 takes it away. Not modal."""

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shell.help.sheet")
        self.setProperty("sheet", "true")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        space = theme.current().space
        head = QHBoxLayout()
        head.addWidget(Label(L("Keys"), size=18, weight=600), 1)
        close = IconButton("x", L("Close"), "shell.help.close")
        close.clicked.connect(self.left)
        head.addWidget(close)
        self._inner = QWidget()
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(space(4))
        self._grid.setVerticalSpacing(space(1.5))
        column = QVBoxLayout(self)
        column.setContentsMargins(space(5), space(4), space(5), space(4))
        column.addLayout(head)
        column.addWidget(Scrolled(self._inner), 1)
        self.setAccessibleName(str(L("Keys")))
        self.hide()

    def show_keys(self, pane_keys: Keys) -> None:
        """Show the keys, those of the pane first."""
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        row = 0
        if pane_keys:
            row = self._section(L("In this pane"), pane_keys, row)
        self._section(L("Everywhere"), WINDOW_KEYS, row)
        self._grid.setColumnStretch(1, 1)
        parent = self.parentWidget()
        if parent is not None:
            width = min(round(520 * theme.current().text_scale / 100), parent.width() - 48)
            height = min(round(560 * theme.current().text_scale / 100), parent.height() - 48)
            self.setGeometry((parent.width() - width) // 2, (parent.height() - height) // 2, width, height)
        self.show()
        self.raise_()
        self.setFocus()

    def _section(self, title: Words, keys: Keys, row: int) -> int:
        self._grid.addWidget(Label(title, size=12, weight=600, tone="ink_quiet"), row, 0, 1, 2)
        for key, what in keys:
            row += 1
            self._grid.addWidget(Label(key, weight=600), row, 0)
            self._grid.addWidget(Label(what, wrap=True), row, 1)
        return row + 1

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F1):
            self.left.emit()
            return
        super().keyPressEvent(event)
