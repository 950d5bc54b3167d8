"""Phosphor icons (regular weight, MIT), baked as SVG in resources/icons and tinted by role.

`icon("warning", "danger")` is made for the theme in force; widgets of this room fetch theirs anew
when the theme changes, your own painting asks again on every paint (the cache makes that cheap).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ui.widgets import theme

_FOLDER: Final = Path(__file__).resolve().parents[2] / "resources" / "icons"
_SIZES: Final = (16, 20, 24, 32, 48)


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every icon shipped."""
    return frozenset(path.stem for path in _FOLDER.glob("*.svg"))


@lru_cache(maxsize=512)
def _svg(name: str) -> str:
    return (_FOLDER / f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=2048)
def _tinted(name: str, colour: str, px: int) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_svg(name).replace("currentColor", colour).encode()))
    pixmap = QPixmap(px, px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, px, px))
    painter.end()
    return pixmap


def pixmap(name: str, role: str = "ink", px: int = 0, ratio: float = 1.0) -> QPixmap:
    """The icon `px` logical pixels wide (the theme's icon size by default). Unknown names raise OSError."""
    side = px or theme.current().icon_size
    found = QPixmap(_tinted(name, theme.current().value(role), round(side * ratio)))
    found.setDevicePixelRatio(ratio)
    return found


def icon(name: str, role: str = "ink") -> QIcon:
    """The icon in the sizes controls ask for; greyed when disabled."""
    made = QIcon()
    colour, quiet = theme.current().value(role), theme.current().value("ink_quiet")
    for px in _SIZES:
        made.addPixmap(_tinted(name, colour, px))
        made.addPixmap(_tinted(name, quiet, px), QIcon.Mode.Disabled)
    return made


def paint(painter: QPainter, name: str, role: str, rect: QRectF) -> None:
    """Draw the icon in `rect` at the device's own resolution."""
    ratio = painter.device().devicePixelRatio()
    size = QSize(round(rect.width()), round(rect.height()))
    painter.drawPixmap(rect.topLeft(), pixmap(name, role, min(size.width(), size.height()), ratio))
