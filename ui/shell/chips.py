"""A chip: glyph and words on a soft ground, for what must never be missed."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy

from ui.widgets import theme
from ui.widgets.labels import Glyph, Label
from ui.widgets.panes import Ground
from ui.widgets.words import Words


class Chip(Ground):
    """role: warn, danger, practice, offline, now or done."""

    def __init__(self, icon: str, words: Words, role: str, *, weight: int = 600) -> None:
        super().__init__(f"{role}_soft")
        self.setProperty("chip", "true")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(theme.current().space(1))
        self.glyph = Glyph(icon, role)
        self.label = Label(words, size=12, weight=weight, tone=role)
        row.addWidget(self.glyph)
        row.addWidget(self.label)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
