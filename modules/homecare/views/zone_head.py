"""The line above the zone: which day, the sums, the age, and what one can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from clinician import texts
from ui.widgets import theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.freshness import AgeLabel
from ui.widgets.labels import ElidedLabel, Label

L = texts.lazy("homecare")


class ZoneHead(QWidget):
    """One line; two where the text is large. now: by the record's clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.title = Label("", size=18, weight=600)
        self.earlier = IconButton("caret-left", L("The day before"), "homecare.zone.earlier")
        self.later = IconButton("caret-right", L("The day after"), "homecare.zone.later")
        self.sums = ElidedLabel("", tone="ink_quiet")
        self.age = AgeLabel(now, "homecare.zone.age")
        self.absent = Button(L("Report absence (A)"), "homecare.zone.absent", icon="user-minus", signs=True)
        self.routes = Button(L("Build routes (R)"), "homecare.zone.build", icon="magic-wand")
        self.paper = Button(L("Zone list"), "homecare.zone.print", kind="quiet", icon="file-pdf")
        self._words, self._tools = QWidget(), QWidget()
        words, tools = QHBoxLayout(self._words), QHBoxLayout(self._tools)
        for line in (words, tools):
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(theme.current().space(2))
        for part in (self.title, self.earlier, self.later):
            words.addWidget(part)
        words.addWidget(self.sums, 1)
        words.addWidget(self.age)
        for button in (self.absent, self.routes, self.paper):
            tools.addWidget(button)
        tools.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.current().space(2))
        self._grid.setColumnStretch(0, 1)
        self._arrange()
        theme.theme_changed.connect(self._arrange)

    def _arrange(self) -> None:
        large = theme.current().text_scale >= 150
        self._grid.addWidget(self._words, 0, 0)
        self._grid.addWidget(self._tools, 1 if large else 0, 0 if large else 1)
