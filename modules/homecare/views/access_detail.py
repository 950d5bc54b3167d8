"""How to get in: the harmless hint always, the secret on demand, logged, and gone again by itself."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.queries import access_detail
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Glyph, Label

_ = texts.translator("homecare")
L = texts.lazy("homecare")
SHOWN_SECONDS: Final = 30


class AccessDetail(QWidget):
    """One user's way in."""

    def __init__(self, ctx: ModuleContext, view: str) -> None:
        super().__init__()
        self._ctx, self._flag, self._left = ctx, "", 0
        self._hint = Label("", wrap=True)
        self._secret = Label("", size=15, weight=600, wrap=True)
        self._secret.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._note = Label("", size=12, tone="ink_quiet")
        self.button = Button(L("Show (K)"), f"homecare.{view}.access", kind="quiet", icon="eye")
        self.button.clicked.connect(self.toggle)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._count_down)
        self._build()

    def _build(self) -> None:
        space = theme.current().space
        line = QHBoxLayout()
        line.setSpacing(space(2))
        line.addWidget(Glyph("key", "ink_quiet"))
        line.addWidget(self._hint)
        line.addWidget(self.button)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(0.5))
        column.addLayout(line)
        column.addWidget(self._secret)
        column.addWidget(self._note)
        self._secret.hide()
        self._note.hide()

    def show_hint(self, hint: str, flag_ref: str) -> None:
        """Turn to another user; a secret of the one before is gone at once."""
        if flag_ref != self._flag:
            self.hide_secret()
        self._flag = flag_ref
        self._hint.set_words(hint)
        self.button.setVisible(bool(flag_ref))
        self.setVisible(bool(hint or flag_ref))

    @property
    def is_shown(self) -> bool:
        """Whether the secret is on the screen."""
        return bool(self._secret.text())

    def toggle(self) -> None:
        """Show it (which is logged), or hide it."""
        if self.is_shown:
            self.hide_secret()
        elif self._flag:
            flag = self._flag
            self._ctx.queries.run(
                access_detail, lambda words: self._on_secret(flag, words), None, flag_ref=flag
            )

    def _on_secret(self, flag: str, words: str) -> None:
        if flag != self._flag:
            return
        self._secret.set_words(words or _("No key information is recorded."))
        self._left = SHOWN_SECONDS
        self._count()
        self._secret.show()
        self._note.show()
        self.button.set_words(L("Hide (K)"))
        self.button.set_icon("eye-slash")
        self._timer.start()

    def _count(self) -> None:
        self._note.set_words(_("This look is logged. Hidden again in {n} s.", n=self._left))

    def _count_down(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.hide_secret()
        else:
            self._count()

    def hide_secret(self) -> None:
        """Take the secret off the screen."""
        self._timer.stop()
        self._secret.set_words("")
        self._secret.hide()
        self._note.hide()
        self.button.set_words(L("Show (K)"))
        self.button.set_icon("eye")
