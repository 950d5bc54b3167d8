"""Labels in the type scale, glyphs, and a state shown as glyph + word + colour."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget
from typing_extensions import override

from ui.widgets import icons, theme
from ui.widgets.words import Words, shown


def repolish(widget: QWidget) -> None:
    """Make the stylesheet see a changed property. Before the first show Qt does so by itself, and
    doing it then would make Qt forget the widget's own font."""
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        font = widget.font()
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.setFont(font)


class Label(QLabel):
    """Text in a step of the type scale (12, 13, 15, 18, 24), a weight (400, 600) and a role."""

    def __init__(
        self, words: Words = "", *, size: int = 13, weight: int = 400, tone: str = "ink", wrap: bool = False
    ) -> None:
        super().__init__()
        self._words, self._size, self._weight = words, size, weight
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.set_tone(tone)
        self._dress()
        self.set_words(words)
        theme.theme_changed.connect(self._dress)

    def set_words(self, words: Words) -> None:
        """Show other words."""
        self._words = words
        self.setText(shown(words))

    def set_tone(self, tone: str) -> None:
        """Write in another role: ink, ink_quiet, danger …"""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            repolish(self)

    def _dress(self) -> None:
        self.setFont(theme.current().font(self._size, self._weight))

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setText(shown(self._words))
        super().changeEvent(event)


class ElidedLabel(Label):
    """A label that gives way: cut with … when narrow, whole in the tool tip and for readers."""

    def __init__(self, words: Words = "", *, size: int = 13, weight: int = 400, tone: str = "ink") -> None:
        self._whole = ""
        super().__init__(words, size=size, weight=weight, tone=tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)

    @override
    def setText(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def _fit(self) -> None:
        cut = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        if cut != self.text():
            super().setText(cut)
        self.setToolTip(self._whole if cut != self._whole else "")

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()


class Glyph(QLabel):
    """One icon in a role, `px` wide at 100 % text; 0 is as wide as icons beside text are."""

    def __init__(self, name: str = "", role: str = "ink", px: int = 0) -> None:
        super().__init__()
        self._name, self._role, self._px = name, role, px
        self._paint_anew()
        theme.theme_changed.connect(self._paint_anew)

    def set_icon(self, name: str, role: str = "") -> None:
        """Show another icon, and in another role when one is given."""
        self._name, self._role = name, role or self._role
        self._paint_anew()

    def _paint_anew(self) -> None:
        if self._name:
            side = round(self._px * theme.current().text_scale / 100)
            self.setPixmap(icons.pixmap(self._name, self._role, side, self.devicePixelRatioF()))
        else:
            self.clear()


class StateLabel(QWidget):
    """Glyph + word + colour, in that order of trust."""

    def __init__(
        self,
        icon: str,
        words: Words,
        role: str = "ink_quiet",
        *,
        size: int = 13,
        weight: int = 400,
        wrap: bool = False,
    ) -> None:
        super().__init__()
        self.glyph = Glyph(icon, role)
        self.label = Label(words, size=size, tone=role, weight=weight, wrap=wrap)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().space(1.5))
        row.addWidget(self.glyph)
        row.addWidget(self.label, 1)

    def set_state(self, icon: str, words: Words, role: str) -> None:
        """Show another state."""
        self.glyph.set_icon(icon, role)
        self.label.set_words(words)
        self.label.set_tone(role)
