"""Initials on a disc: a face where there is no photo. The hue only helps to tell people apart."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from ui.widgets import theme


class Avatar(QWidget):
    """A disc of `side` pixels with a photo or initials."""

    def __init__(self, side: int = 36) -> None:
        super().__init__()
        self._base, self._side, self._initials, self._hue = side, side, "", 210
        self._photo: QPixmap | None = None
        self._size_up()
        theme.theme_changed.connect(self._size_up)

    def _size_up(self) -> None:
        side = round(self._base * min(1.5, theme.current().text_scale / 100))
        self._side = side
        self.setFixedSize(side, side)

    def show_person(self, initials: str, hue: int = 210, photo: QPixmap | None = None) -> None:
        """Show a person; '' shows an empty disc."""
        self._initials, self._hue, self._photo = initials, hue, photo
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if tokens.name == "contrast" or not self._initials:
            ground, ink = tokens.color("surface"), tokens.color("ink")
            painter.setPen(tokens.color("line"))
        else:
            light = 0.24 if tokens.is_dark else 0.90
            ground = QColor.fromHslF((self._hue % 360) / 360, 0.35, light)
            ink = tokens.color("ink")
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(disc)
        font = tokens.font(13, 600)
        font.setPixelSize(round(self._side * 0.38))
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), self._initials[:2])
