"""Curves over time that can be read without colour, without a mouse and without seeing.

    plot = TimelinePlot("homecare.user.plot", "Kurve")
    plot.show_series((Series("systolic", "Overtrykk", points), …), Band(…), unit="mmHg")

Left and Right walk the points, Up and Down change series, Home and End go to the first and last; the
value under the cursor stands in words above the curve. `show_table(True)` shows the same as a table.
pyqtgraph is loaded at the first curve, not at start (0.6 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy
from ui.models.rows import Column, RowModel
from ui.widgets import theme
from ui.widgets.labels import ElidedLabel, Label
from ui.widgets.row_table import RowTable
from ui.widgets.timeline_axes import moment_words
from ui.widgets.timeline_rows import Band, Point, Series

if TYPE_CHECKING:
    from ui.widgets.timeline_canvas import Canvas

__all__ = ["Band", "Point", "Series", "TimelinePlot"]

L = lazy("ui")
_SHAPES: Final = ("●", "■", "▼", "◆")
"""The symbols of the canvas, as signs beside the names"""


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    when_text: str
    value_text: str
    detail: str


class TimelinePlot(QWidget):
    """See the module. `point_chosen` carries the key of the point under the cursor."""

    point_chosen = Signal(str)

    def __init__(self, name: str, label: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._series: tuple[Series, ...] = ()
        self._bands: tuple[Band, ...] = ()
        self._unit = ""
        self._at: tuple[int, int] = (0, -1)
        self._canvas: Canvas | None = None
        self._read = ElidedLabel("", size=13, weight=600)
        self._legend = Label("", size=12, tone="ink_quiet", wrap=True)
        self._model: RowModel[_Line] = RowModel(
            [
                Column[_Line]("when", L("Time"), lambda row: row.when_text, 150),
                Column[_Line]("value", L("Value"), lambda row: row.value_text, 130),
                Column[_Line]("detail", L("By"), lambda row: row.detail),
            ]
        )
        self.table = RowTable(self._model, f"{name}_table", label)
        self._build()
        theme.theme_changed.connect(self._draw)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(2)
        column.addWidget(self._read)
        column.addWidget(self._legend)
        self._holder = QWidget()
        self._holder_box = QVBoxLayout(self._holder)
        self._holder_box.setContentsMargins(0, 0, 0, 0)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._holder)
        self._stack.addWidget(self.table)
        column.addLayout(self._stack, 1)

    # -- what it shows -----------------------------------------------------------------------------

    def show_series(self, series: Sequence[Series], bands: Sequence[Band] = (), *, unit: str = "") -> None:
        """Show these curves; the cursor stays on the point it was on, else on the newest."""
        held = self.current_point()
        self._series = tuple(s for s in series if s.points)
        self._bands, self._unit = tuple(bands), unit
        self._model.set_rows(self._lines())
        self._at = self._place_of(held.key if held else "")
        self._draw()
        self._tell()

    def _lines(self) -> list[_Line]:
        seen: dict[tuple[datetime, str], _Line] = {}
        for point in (point for series in self._series for point in series.points):
            line = _Line(point.key, moment_words(point.when), point.value_text, point.detail)
            seen.setdefault((point.when, point.value_text), line)
        return [seen[at] for at in sorted(seen, reverse=True)]

    def _place_of(self, key: str) -> tuple[int, int]:
        for number, series in enumerate(self._series):
            for place, point in enumerate(series.points):
                if point.key == key:
                    return number, place
        return (0, len(self._series[0].points) - 1) if self._series else (0, -1)

    def show_table(self, on: bool) -> None:
        """The same values as a table, newest first."""
        self._stack.setCurrentIndex(1 if on else 0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if on else Qt.FocusPolicy.StrongFocus)
        self._legend.setVisible(not on and bool(self._legend.text()))

    @property
    def is_table(self) -> bool:
        """Whether the table is shown."""
        return self._stack.currentIndex() == 1

    def current_point(self) -> Point | None:
        """The point under the cursor."""
        number, place = self._at
        if number < len(self._series) and 0 <= place < len(self._series[number].points):
            return self._series[number].points[place]
        return None

    @property
    def reading(self) -> str:
        """The value under the cursor in words."""
        return self._read.accessibleName()

    # -- keyboard ------------------------------------------------------------------------------------

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self._go(self._at[0], self._at[1] + steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and len(self._series) > 1:
            self._change_series(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() == Qt.Key.Key_Home:
            self._go(self._at[0], 0)
        elif event.key() == Qt.Key.Key_End:
            self._go(self._at[0], 1 << 30)
        else:
            event.ignore()

    def _go(self, number: int, place: int) -> None:
        if not self._series:
            return
        self._at = (number, max(0, min(place, len(self._series[number].points) - 1)))
        self._tell()

    def _change_series(self, step: int) -> None:
        here = self.current_point()
        number = (self._at[0] + step) % len(self._series)
        points = self._series[number].points
        place = min(
            range(len(points)),
            key=lambda i: abs((points[i].when - here.when).total_seconds()) if here else -i,
        )
        self._go(number, place)

    def _tell(self) -> None:
        point = self.current_point()
        if point is None:
            self._read.set_words("")
            self.setAccessibleDescription("")
            return
        series = self._series[self._at[0]]
        parts = [point.value_text, series.label if len(self._series) > 1 else "", moment_words(point.when)]
        words = " · ".join(part for part in (*parts, point.detail) if part)
        self._read.set_words(words)
        self.setAccessibleDescription(words)
        if self._canvas is not None:
            self._canvas.stand_on(point)
        self.point_chosen.emit(point.key)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            theme.paint_focus_ring(painter, QRectF(self.rect()))
            painter.end()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._model.set_rows(self._lines())
            self._model.relabel()
            self._draw()
        super().changeEvent(event)

    # -- drawing -------------------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.isVisible() and self._canvas is None:
            return
        if self._canvas is None:
            from ui.widgets.timeline_canvas import Canvas

            self._canvas = Canvas(self._on_pointed)
            self._holder_box.addWidget(self._canvas.widget)
        self._canvas.draw(self._series, self._bands)
        self._canvas.stand_on(self.current_point())
        names = [f"{_SHAPES[i % len(_SHAPES)]} {s.label}" for i, s in enumerate(self._series)]
        words = names if len(self._series) > 1 else []
        words += [band.words for band in self._bands]
        self._legend.set_words("    ".join([*words, self._unit] if words else []))
        self._legend.setVisible(bool(words) and not self.is_table)

    def _on_pointed(self, number: int, place: int) -> None:
        if (number, place) != self._at:
            self._go(number, place)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._canvas is None and self.isVisible():
            self._draw()

    @override
    def event(self, event: QEvent) -> bool:
        result = super().event(event)
        if event.type() == QEvent.Type.Show and self._canvas is None and self._series:
            self._draw()
        return result
