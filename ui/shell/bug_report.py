"""A report of a fault of ours: what a person may read before it is sent. Nothing personal in it.

No message of an exception is repeated (it may quote a name or a number): only its kind, and where
in our files it happened.
"""

from __future__ import annotations

import platform
import sys

from PySide6.QtCore import Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget
from typing_extensions import override

import clinician
from clinician.errors import Bug
from clinician.texts import lazy
from ui.jobs import places_of
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label

L = lazy("ui")


def report(error: BaseException) -> str:
    """Program, platform, and the chain of faults by kind and place."""
    version = getattr(clinician, "__version__", "0.1.0")
    lines = [
        f"Clinician {version}",
        f"Python {platform.python_version()} · Qt {qVersion()} · {sys.platform}",
        "",
        *places_of(error),
    ]
    return "\n".join(lines)


class BugSheet(QFrame):
    """Shows the report over the page; copy or save it. Not modal: the work beneath goes on."""

    left = Signal()
    save_wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shell.bug")
        self.setProperty("sheet", "true")
        space = theme.current().space
        self._text = QPlainTextEdit()
        self._text.setObjectName("shell.bug.report")
        self._text.setAccessibleName(str(L("Report")))
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        copy = Button(L("Copy"), "shell.bug.copy", icon="clipboard-text")
        save = Button(L("Save as file"), "shell.bug.save", icon="floppy-disk")
        close = Button(L("Close"), "shell.bug.close", icon="x")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text.toPlainText()))
        save.clicked.connect(lambda: self.save_wanted.emit(self._text.toPlainText()))
        close.clicked.connect(self.left)
        row = QHBoxLayout()
        row.setSpacing(space(2))
        for button in (copy, save, close):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(5), space(4), space(5), space(4))
        column.setSpacing(space(3))
        column.addWidget(Label(L("What went wrong"), size=18, weight=600))
        column.addWidget(
            Label(
                L("This is all that would be sent: where in the program it happened. No names, no numbers."),
                tone="ink_quiet",
                wrap=True,
            )
        )
        column.addWidget(self._text, 1)
        column.addLayout(row)
        self.hide()

    def show_bug(self, bug: Bug) -> None:
        """Show what is known of a fault."""
        self._text.setPlainText(report(bug))
        parent = self.parentWidget()
        if parent is not None:
            width, height = min(820, parent.width() - 48), min(560, parent.height() - 48)
            self.setGeometry((parent.width() - width) // 2, (parent.height() - height) // 2, width, height)
        self.show()
        self.raise_()
        self._text.setFocus()

    @property
    def text(self) -> str:
        """The report as shown."""
        return self._text.toPlainText()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
