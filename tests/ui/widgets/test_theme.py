"""The tokens hold what they promise: contrast in every theme, one family, a grid."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from ui.widgets import icons, theme
from ui.widgets.labels import Label
from ui.widgets.palettes import GROUNDS, INKS, PALETTES, Role


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio."""
    bright, dark = sorted((_light(one), _light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", theme.THEMES)
def test_that_text_reads_on_every_ground(name: str) -> None:
    least = 7.0 if name == "contrast" else 4.5
    palette = PALETTES[name]
    weak = [
        (ink, ground, round(contrast(palette[ink], palette[ground]), 2))
        for ink in INKS
        for ground in GROUNDS
        if contrast(palette[ink], palette[ground]) < least
    ]
    assert weak == []


@pytest.mark.parametrize("name", theme.THEMES)
def test_that_lines_and_glyphs_show_on_every_ground(name: str) -> None:
    palette = PALETTES[name]
    weak = [ground for ground in GROUNDS if contrast(palette[Role.LINE], palette[ground]) < 3.0]
    assert weak == []


@pytest.mark.parametrize("name", theme.THEMES)
def test_that_text_on_a_filled_control_reads(name: str) -> None:
    palette = PALETTES[name]
    weak = [role for role in INKS[2:] if contrast(palette[Role.ON_ACCENT], palette[role]) < 4.5]
    assert weak == []


def test_that_every_theme_gives_every_role_a_value() -> None:
    assert {name: set(palette) for name, palette in PALETTES.items()} == {
        name: set(Role) for name in PALETTES
    }


def test_that_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="mauve"):
        theme.Theme().color("mauve")


@pytest.mark.parametrize("weight", [400, 600])
def test_that_the_family_is_shipped_and_not_the_machines(dressed: QApplication, weight: int) -> None:
    info = QFontInfo(theme.current().font(13, weight))
    assert (info.family(), info.weight()) == (theme.FAMILY, weight)


def test_that_rows_grow_for_gloves_and_for_large_text() -> None:
    heights = [
        theme.Theme(density=density, text_scale=scale).row_height
        for density, scale in (("normal", 100), ("glove", 100), ("normal", 200), ("glove", 200))
    ]
    assert heights == [32, 48, 64, 64]


def test_that_a_label_follows_the_text_size_before_and_after_it_is_shown(
    dressed: QApplication, qtbot: Any
) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    label = Label("Astrid", size=15, weight=600, tone="danger")
    QVBoxLayout(holder).addWidget(label)
    theme.change(text_scale=200)
    holder.show()
    assert (label.font().pixelSize(), label.font().weight()) == (32, 600)
    theme.change(text_scale=100)
    assert label.font().pixelSize() == 16


def test_that_a_theme_change_is_told_and_paints_other_colours(dressed: QApplication, qtbot: Any) -> None:
    with qtbot.waitSignal(theme.theme_changed):
        theme.change(name="dark")
    assert theme.current().is_dark
    assert dressed.palette().window().color() == theme.current().color("surface")


def test_that_every_icon_shipped_can_be_drawn_and_an_unknown_one_is_refused(dressed: QApplication) -> None:
    assert all(not icons.pixmap(name, "ink", 16).isNull() for name in icons.names())
    with pytest.raises(OSError, match="unicorn"):
        icons.pixmap("unicorn")
