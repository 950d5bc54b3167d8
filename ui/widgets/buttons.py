"""Buttons. Each needs an object name `room.view.control`; the accessible name is its text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QToolButton
from typing_extensions import override

from ui.widgets import icons, theme
from ui.widgets.labels import repolish
from ui.widgets.words import Words, shown

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STRONG = Qt.FocusPolicy.StrongFocus
_ICON_ROLE = {"primary": "on_accent", "danger": "danger"}


class Button(QPushButton):
    """A button with words. kind: plain, primary (one per view), danger, quiet.

    `signs`: a control that signs takes no auto-repeat, so a key held down acts once.
    """

    def __init__(
        self,
        words: Words,
        name: str,
        *,
        icon: str = "",
        kind: str = "plain",
        hint: Words = "",
        signs: bool = False,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self._words, self._icon, self._kind, self._hint, self._signs = words, icon, kind, hint, signs
        self._role = ""
        self._speak()
        self._dress()
        theme.theme_changed.connect(self._dress)

    def set_words(self, words: Words) -> None:
        """Say something else."""
        self._words = words
        self._speak()

    def set_icon(self, name: str) -> None:
        """Carry another icon."""
        self._icon = name
        self._dress()

    def set_face(self, icon: str, role: str) -> None:
        """Carry another icon in a role of its own; the words take the role too."""
        self._role = role
        self.setProperty("tone", role)
        repolish(self)
        self.set_icon(icon)

    def _speak(self) -> None:
        words = shown(self._words)
        self.setText(f" {words}" if self._icon and words else words)
        self.setAccessibleName(words or shown(self._hint))
        self.setToolTip(shown(self._hint))

    def _dress(self) -> None:
        self.setFont(theme.current().font(13, 600 if self._kind == "primary" else 400))
        if self._icon:
            self.setIcon(icons.icon(self._icon, self._role or _ICON_ROLE.get(self._kind, "ink")))
            side = theme.current().icon_size
            self.setIconSize(QSize(side, side))

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
        super().changeEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._signs and event.isAutoRepeat():
            event.accept()
            return
        if event.key() in _ENTER:
            event.accept()
            self.click()
            return
        super().keyPressEvent(event)


class IconButton(QToolButton):
    """An icon alone; `words` is its accessible name and tool tip, so they are not optional."""

    def __init__(self, icon: str, words: Words, name: str, *, role: str = "ink", kind: str = "quiet") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self.setProperty("square", "true")
        self._icon, self._words, self._role = icon, words, role
        self._speak()
        self._dress()
        self.setFocusPolicy(_STRONG)
        theme.theme_changed.connect(self._dress)

    def set_icon(self, name: str, words: Words) -> None:
        """Another icon and what it now does."""
        self._icon, self._words = name, words
        self._speak()
        self._dress()

    def _speak(self) -> None:
        self.setAccessibleName(shown(self._words))
        self.setToolTip(shown(self._words))

    def _dress(self) -> None:
        self.setIcon(icons.icon(self._icon, self._role))
        side = theme.current().icon_size
        self.setIconSize(QSize(side, side))

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
        super().changeEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER:
            event.accept()
            self.click()
            return
        super().keyPressEvent(event)
