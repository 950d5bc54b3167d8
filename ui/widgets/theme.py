"""The design tokens in force: colours by role, one font family, a 4 px grid, two densities.

    theme.current().color("danger")      -> QColor
    theme.current().font(15, 600)        -> QFont with tabular figures
    theme.current().row_height           -> 32, or 48 for gloved hands; grows with the text size
    theme.current().space(3)             -> 12
    theme.theme_changed.connect(self.update)

Sizes are the design's steps 12, 13, 15, 18 and 24. Source Sans 3 draws small for its size, so a
step is drawn 7 % larger than its name (docs/decisions/ui.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPainter, QPalette, QPen
from PySide6.QtWidgets import QApplication

from ui.widgets import stylesheet
from ui.widgets.palettes import PALETTES, Role

THEMES: Final = ("light", "dark", "contrast")
DENSITIES: Final = ("normal", "glove")
TEXT_SCALES: Final = (100, 125, 150, 200)
FAMILY: Final = "Source Sans 3"
RING: Final = 2
RADIUS: Final = 6
MOTION_MS: Final = 120
_OPTICAL: Final = 1.07
_ROWS: Final = {"normal": 32, "glove": 48}
_FONTS: Final = Path(__file__).resolve().parents[2] / "resources" / "fonts"


@dataclass(frozen=True, slots=True)
class Theme:
    """One consistent set of tokens. text_scale in percent: 100, 125, 150 or 200."""

    name: str = "light"
    density: str = "normal"
    text_scale: int = 100

    def color(self, role: str) -> QColor:
        """The colour of a role; an unknown role raises ValueError."""
        return QColor(self.value(role))

    def value(self, role: str) -> str:
        """'#RRGGBB' of a role."""
        return PALETTES[self.name][Role(role)]

    def px(self, step: int) -> int:
        """Pixels of a type step at the text size in force."""
        return round(step * _OPTICAL * self.text_scale / 100)

    def font(self, size: int = 13, weight: int = 400) -> QFont:
        """A font of the one family; weight 400 or 600."""
        font = QFont(FAMILY)
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight.DemiBold if weight >= 600 else QFont.Weight.Normal)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    @property
    def row_height(self) -> int:
        """Height of a list row or control."""
        return max(_ROWS[self.density], round(_ROWS["normal"] * self.text_scale / 100))

    @property
    def icon_size(self) -> int:
        """Side of an icon beside 13 px text."""
        return round(18 * max(self.text_scale / 100, self.row_height / 40))

    def space(self, steps: float) -> int:
        """Pixels of `steps` on the 4 px grid; the grid stays when text grows."""
        return round(4 * steps)

    @property
    def is_dark(self) -> bool:
        """True where light ink lies on a dark ground."""
        return self.name != "light"


class _Hub(QObject):
    theme_changed = Signal()


_hub = _Hub()
theme_changed = _hub.theme_changed
_state: dict[str, Theme] = {"theme": Theme()}
_worn: list[tuple[int, Theme]] = []
"""The application dressed last and in what: laying on a stylesheet costs a third of a second."""


def current() -> Theme:
    """The theme in force."""
    return _state["theme"]


@cache
def _register_fonts() -> tuple[str, ...]:
    families: list[str] = []
    for path in sorted(_FONTS.glob("*.ttf")):
        families += QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))
    return tuple(families)


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    group = QPalette.ColorRole
    for role, name in (
        (group.Window, "surface"),
        (group.Base, "surface_raised"),
        (group.AlternateBase, "surface"),
        (group.Button, "surface_raised"),
        (group.ToolTipBase, "surface_raised"),
        (group.WindowText, "ink"),
        (group.Text, "ink"),
        (group.ButtonText, "ink"),
        (group.ToolTipText, "ink"),
        (group.PlaceholderText, "ink_quiet"),
        (group.Highlight, "selection"),
        (group.HighlightedText, "ink"),
        (group.Link, "accent"),
        (group.Accent, "accent"),
        (group.Mid, "line"),
        (group.Dark, "line"),
    ):
        palette.setColor(role, theme.color(name))
    for role in (group.WindowText, group.Text, group.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.color("ink_quiet"))
    return palette


def apply(theme: Theme) -> None:
    """Dress the whole application: Fusion, palette, font, one stylesheet. Nothing when it is so already."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise TypeError("a theme needs a QApplication")
    if _worn and _worn[-1] == (id(app), theme):
        return
    # Without this a widget's own font, set before its first show, is lost when the sheet is laid on.
    app.setAttribute(Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles)
    _register_fonts()
    _state["theme"] = theme
    if not _worn or _worn[-1][0] != id(app):
        app.setStyle("Fusion")
    _worn[:] = [(id(app), theme)]
    app.setPalette(_palette(theme))
    app.setFont(theme.font())
    app.setStyleSheet(stylesheet.build(theme.value, theme.px, theme.row_height))
    _hub.theme_changed.emit()


def change(*, name: str = "", density: str = "", text_scale: int = 0) -> Theme:
    """Change parts of the theme in force and apply it."""
    was = current()
    new = replace(
        was,
        name=name or was.name,
        density=density or was.density,
        text_scale=text_scale or was.text_scale,
    )
    apply(new)
    return new


def paint_focus_ring(painter: QPainter, rect: QRectF, radius: float = RADIUS) -> None:
    """Draw the 2 px focus ring inside `rect`, for widgets that paint themselves."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(current().color("accent"), RING))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)
    painter.restore()
