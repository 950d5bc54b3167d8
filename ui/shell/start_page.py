"""The first thing shown: that the program is there, what it is doing, and what went wrong if it did."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from clinician.texts import lazy
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Glyph, Label
from ui.widgets.panes import Ground
from ui.widgets.words import Words

L = lazy("ui")


class StartPage(Ground):
    """Progress while the workstation opens; or why it could not, what is safe, and what to do."""

    again_wanted = Signal()
    close_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("surface")
        self.setObjectName("shell.start")
        space = theme.current().space
        self._glyph = Glyph("first-aid", "accent", 48)
        self._title = Label("Clinician", size=24, weight=600)
        self._text = Label(L("Opening …"), tone="ink_quiet", wrap=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._again = Button(L("Try again"), "shell.start.again", icon="arrow-clockwise", kind="primary")
        self._close = Button(L("Close the program"), "shell.start.close", kind="quiet")
        self._again.clicked.connect(self.again_wanted)
        self._close.clicked.connect(self.close_wanted)
        middle = QWidget()
        middle.setMaximumWidth(520)
        middle.setMinimumWidth(360)
        column = QVBoxLayout(middle)
        column.setSpacing(space(3))
        for part in (self._glyph, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(part)
        column.addWidget(self._bar)
        column.addWidget(self._again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._close, 0, Qt.AlignmentFlag.AlignHCenter)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(middle, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(1)
        self.begin()

    def begin(self) -> None:
        """The work has begun."""
        self._glyph.set_icon("first-aid", "accent")
        self._text.set_words(L("Opening …"))
        self._text.set_tone("ink_quiet")
        self._bar.setRange(0, 0)
        self._bar.show()
        self._again.hide()
        self._close.hide()

    def step(self, done: int, total: int, words: Words) -> None:
        """How far it is, in words."""
        self._bar.setRange(0, max(0, total))
        self._bar.setValue(done)
        if words:
            self._text.set_words(words)

    def fail(self, words: Words) -> None:
        """It could not be opened."""
        self._glyph.set_icon("warning", "danger")
        self._text.set_words(words)
        self._text.set_tone("ink")
        self._bar.hide()
        self._again.show()
        self._close.show()
        self._again.setFocus()

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()
