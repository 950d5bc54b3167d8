"""What stands where there is nothing: why, and what to do. And 'fetching …', never in haste."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from clinician.texts import lazy
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Glyph, Label
from ui.widgets.words import Words

L = lazy("ui")
LATE_MS = 300


class EmptyState(QWidget):
    """A quiet icon, one line of why, one of what to do, and at most one button."""

    acted = Signal()

    def __init__(
        self, title: Words, text: Words = "", *, icon: str = "tray", action: Words = "", name: str = ""
    ) -> None:
        super().__init__()
        space = theme.current().space
        self._glyph = Glyph(icon, "ink_quiet", 32)
        self._title = Label(title, size=15, weight=600, wrap=True)
        self._text = Label(text, tone="ink_quiet", wrap=True)
        middle = QWidget()
        middle.setMaximumWidth(440)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(2))
        column.addStretch(2)
        for part in (self._glyph, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(part)
        if action:
            button = Button(action, name)
            button.clicked.connect(self.acted)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        across = QHBoxLayout(self)
        across.setContentsMargins(space(6), space(6), space(6), space(6))
        across.addStretch(1)
        across.addWidget(middle, 100)
        across.addStretch(1)

    def set_words(self, title: Words, text: Words = "") -> None:
        """Say something else."""
        self._title.set_words(title)
        self._text.set_words(text)


class Loading(QWidget):
    """Holds a view and its empty state; says 'fetching …' only after 300 ms, keeping old content."""

    def __init__(self, content: QWidget, empty: EmptyState) -> None:
        super().__init__()
        self._stack = QStackedLayout(self)
        self._late = EmptyState(L("Fetching …"), icon="circle-notch")
        self._blank = QWidget()
        for part in (self._blank, content, empty, self._late):
            self._stack.addWidget(part)
        self._content, self._empty = content, empty
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LATE_MS)
        self._timer.timeout.connect(self._on_late)

    def wait(self) -> None:
        """A fetch has begun. What is shown stays; an empty page says so when it takes long."""
        if self._stack.currentWidget() is not self._content:
            self._timer.start()

    def show_content(self, filled: bool) -> None:
        """The fetch is over: show the content, or why there is none."""
        self._timer.stop()
        self._stack.setCurrentWidget(self._content if filled else self._empty)

    def _on_late(self) -> None:
        self._stack.setCurrentWidget(self._late)
