"""The first thing shown: that the program is there, what it is doing, and what went wrong if it did."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from clinician.errors import CacheDamaged, CacheInUse, ClinicianError, DiskFull, SecretNeeded, WrongKey
from clinician.texts import Text, lazy, translator
from ui.shell.secret_panel import SecretPanel
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Glyph, Label
from ui.widgets.panes import Ground
from ui.widgets.words import Words

L = lazy("ui")
_ = translator("ui")
_TROUBLES: Final[dict[type[ClinicianError], tuple[str, Text]]] = {
    SecretNeeded: ("lock-key", L("What is stored here is locked")),
    WrongKey: ("key", L("The stored data stay locked")),
    CacheDamaged: ("warning-octagon", L("The stored data are damaged")),
    CacheInUse: ("info", L("Clinician is already open")),
    DiskFull: ("warning", L("The disk is full")),
}
"""Glyph and headline; what is safe and what to do the problem says itself"""


_ROLES: Final[dict[type[ClinicianError], str]] = {CacheInUse: "warn", SecretNeeded: "accent"}


class StartPage(Ground):
    """Progress while the workstation opens; or why it could not, what is safe, and what to do."""

    again_wanted = Signal()
    close_wanted = Signal()
    rescue_wanted = Signal()
    secret_given = Signal(str, str)
    """(whose, password)"""

    def __init__(self) -> None:
        super().__init__("surface")
        self.setObjectName("shell.start")
        space = theme.current().space
        self._wanted: SecretNeeded | None = None
        self._glyph = Glyph("first-aid", "accent", 48)
        self._title = Label("Clinician", size=24, weight=600, wrap=True)
        self._text = Label(L("Opening …"), tone="ink_quiet", wrap=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._again = Button(L("Try again"), "shell.start.again", icon="arrow-clockwise", kind="primary")
        self._rescue = Button(L("Save what was not sent"), "shell.start.rescue", icon="export")
        self._rescued = Label(tone="ink_quiet", wrap=True)
        self._close = Button(L("Close the program"), "shell.start.close", kind="quiet")
        self._again.clicked.connect(self._on_again)
        self.secret = SecretPanel()
        self.secret.given.connect(self.secret_given)
        self._rescue.clicked.connect(self.rescue_wanted)
        self._close.clicked.connect(self.close_wanted)
        middle = QWidget()
        middle.setFixedWidth(round(560 * min(1.6, theme.current().text_scale / 100)))
        column = QVBoxLayout(middle)
        column.setSpacing(space(3))
        for part in (self._glyph, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(part)
        column.addWidget(self._bar)
        column.addWidget(self.secret)
        self._rescued.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._rescue, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._rescued)
        column.addWidget(self._close, 0, Qt.AlignmentFlag.AlignHCenter)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        # No alignment: an aligned part is not asked how high it is when its words wrap.
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle)
        across.addStretch(1)
        outer.addLayout(across)
        outer.addStretch(1)
        self.begin()

    def begin(self) -> None:
        """The work has begun."""
        self._glyph.set_icon("first-aid", "accent")
        self._title.set_words("Clinician")
        self._text.set_words(L("Opening …"))
        self._text.set_tone("ink_quiet")
        self._bar.setRange(0, 0)
        self._bar.show()
        for part in (self._again, self._close, self._rescue, self._rescued, self.secret):
            part.hide()

    def step(self, done: int, total: int, words: Words) -> None:
        """How far it is, in words."""
        self._bar.setRange(0, max(0, total))
        self._bar.setValue(done)
        if words:
            self._text.set_words(words)

    def fail(self, problem: ClinicianError) -> None:
        """It could not be opened."""
        icon, title = _TROUBLES.get(type(problem), ("warning", L("Clinician could not be opened")))
        self._glyph.set_icon(icon, _ROLES.get(type(problem), "danger"))
        self._title.set_words(title)
        self._text.set_words(problem.text)
        self._text.set_tone("ink")
        self._bar.hide()
        if isinstance(problem, SecretNeeded):
            self._wanted = problem
        is_locked = self._wanted is not None and isinstance(problem, SecretNeeded | WrongKey)
        self._again.set_words(L("Open") if is_locked else L("Try again"))
        self._again.show()
        self._close.show()
        self._again.setFocus()
        if is_locked and self._wanted is not None:
            self.secret.ask(self._wanted)

    def _on_again(self) -> None:
        if self.secret.isVisible():
            self.secret.give()
        else:
            self.again_wanted.emit()

    def offer_rescue(self, count: int) -> None:
        """So many acts were not sent, and can be read."""
        self._rescue.show()
        self._say_rescue(
            _.n(
                "{n} thing done on this PC was not sent, and can be read.",
                "{n} things done on this PC were not sent, and can be read.",
                count,
            )
        )

    def tell_rescued(self, path: Path) -> None:
        """They lie in a file now."""
        self._say_rescue(
            L(
                "Saved as {path}. It holds health information: give it to your superuser and to nobody else.",
                path=path,
            )
        )

    def tell_not_rescued(self, folder: Path) -> None:
        """The file could not be written."""
        self._say_rescue(
            L(
                "The file could not be written to {folder}. What was not sent is still kept. "
                "Make room or free the folder, then try again.",
                folder=folder,
            )
        )

    def _say_rescue(self, words: Words) -> None:
        self._rescued.set_words(words)
        self._rescued.show()

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()

    @property
    def title(self) -> str:
        """The headline."""
        return self._title.text()

    @property
    def rescued(self) -> str:
        """What is said of what was not sent, '' when nothing is."""
        return "" if self._rescued.isHidden() else self._rescued.text()
