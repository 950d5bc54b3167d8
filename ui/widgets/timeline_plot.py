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
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy
from ui.models.rows import Column, RowModel
from ui.widgets import theme
from ui.widgets.labels import ElidedLabel, Label
from ui.widgets.row_table import RowTable
from ui.widgets.timeline_axes import date_ticks, moment_words, number_words, padded, value_ticks

L = lazy("ui")
_ROLES: Final = ("accent", "now", "practice", "warn")
_SYMBOLS: Final = ("o", "s", "t", "d")
_SHAPES: Final = ("●", "■", "▼", "◆")


@dataclass(frozen=True, slots=True)
class Point:
    """One value. `value_text` is what is said: '120/80 mmHg'."""

    key: str
    when: datetime
    value: float
    value_text: str
    detail: str = ""
    """Who, and how it was taken"""


@dataclass(frozen=True, slots=True)
class Series:
    """One curve, points in time order."""

    key: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A reference range drawn behind the curves."""

    low: float
    high: float
    words: str


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
        self._plot: Any = None
        self._items: list[Any] = []
        self._axes: tuple[Any, Any] | None = None
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
        self._cursor()
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

    def _ensure_plot(self) -> Any:
        if self._plot is not None:
            return self._plot
        import pyqtgraph as pg

        bottom, left = pg.AxisItem("bottom"), pg.AxisItem("left")
        # Given as functions on the instance: the base class is untyped and not ours to subclass.
        bottom.tickValues = lambda low, high, _size: [(1.0, [at for at, _ in self._ticks(low, high)])]
        bottom.tickStrings = lambda values, _scale, _spacing: self._tick_words(values)
        left.tickValues = lambda low, high, size: [(1.0, list(value_ticks(low, high, self._rows(size))[0]))]
        left.tickStrings = lambda values, _scale, _spacing: self._value_words(values)
        plot = pg.PlotWidget(axisItems={"bottom": bottom, "left": left})
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setMenuEnabled(False)
        # Its own hint is 640 × 480: on a cart laptop the axis would lie below the edge.
        plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.scene().sigMouseMoved.connect(self._on_mouse)
        self._holder_box.addWidget(plot)
        self._plot, self._axes = plot, (bottom, left)
        return plot

    def _ticks(self, low: float, high: float) -> list[tuple[float, str]]:
        if not low < high:
            return []
        metrics = QFontMetrics(theme.current().font(12))
        most = max(2, self._holder.width() // (metrics.horizontalAdvance("man 30. sept.") + 16))
        span = (datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC))
        return [(at.timestamp(), words) for at, words in date_ticks(*span, most)]

    def _tick_words(self, values: Sequence[float]) -> list[str]:
        low, high = self._plot.getPlotItem().getViewBox().viewRange()[0]
        words = dict(self._ticks(low, high))
        return [words.get(value, "") for value in values]

    def _rows(self, size: float) -> int:
        return max(2, round(size / (theme.current().px(12) * 3)))

    def _value_words(self, values: Sequence[float]) -> list[str]:
        if len(values) < 2:
            return [number_words(value, 1) for value in values]
        _values, decimals = value_ticks(values[0], values[-1], len(values) - 1)
        return [number_words(value, decimals) for value in values]

    def _draw(self) -> None:
        if not self.isVisible() and self._plot is None:
            return
        plot, look = self._ensure_plot(), theme.current()
        for item in self._items:
            plot.removeItem(item)
        self._items = []
        plot.setBackground(look.color("surface_raised"))
        for axis in self._axes or ():
            axis.setTextPen(look.color("ink_quiet"))
            axis.setPen(look.color("line"))
            axis.setTickFont(look.font(12))
            axis.setStyle(tickLength=4)
        if self._axes is not None:
            # Room for words as large as they are: an axis that guesses cuts them at 200 %.
            self._axes[1].setWidth(QFontMetrics(look.font(12)).horizontalAdvance("000,0") + 14)
            self._axes[0].setHeight(QFontMetrics(look.font(12)).height() + 12)
        if not self._series:
            return
        self._range(plot)
        self._draw_bands(plot)
        self._draw_series(plot)
        self._cursor()

    def _range(self, plot: Any) -> None:
        values = [p.value for s in self._series for p in s.points]
        room = max(max(values) - min(values), abs(max(values)) * 0.1) * 0.35
        low, high = min(values) - room, max(values) + room
        # A band far away must not press the curve flat.
        values += [edge for band in self._bands for edge in (band.low, band.high) if low <= edge <= high]
        times = [p.when for s in self._series for p in s.points]
        around = max((max(times) - min(times)) * 0.03, timedelta(hours=2))
        first, last = (min(times) - around).timestamp(), (max(times) + around).timestamp()
        plot.setXRange(first, last, padding=0)
        plot.setYRange(*padded(values), padding=0)
        plot.showGrid(x=False, y=True, alpha=0.18)

    def _draw_bands(self, plot: Any) -> None:
        import pyqtgraph as pg

        for band in self._bands:
            item = pg.LinearRegionItem(
                (band.low, band.high),
                orientation="horizontal",
                movable=False,
                brush=pg.mkBrush(theme.current().color("done_soft")),
                pen=pg.mkPen(theme.current().color("done"), style=Qt.PenStyle.DotLine),
            )
            item.setZValue(-10)
            plot.addItem(item)
            self._items.append(item)

    def _draw_series(self, plot: Any) -> None:
        import pyqtgraph as pg

        look = theme.current()
        for number, series in enumerate(self._series):
            colour = look.color(_ROLES[number % len(_ROLES)])
            item = pg.PlotDataItem(
                [p.when.timestamp() for p in series.points],
                [p.value for p in series.points],
                pen=pg.mkPen(colour, width=2),
                symbol=_SYMBOLS[number % len(_SYMBOLS)],
                symbolSize=7,
                symbolPen=pg.mkPen(colour),
                symbolBrush=pg.mkBrush(colour),
                antialias=True,
            )
            plot.addItem(item)
            self._items.append(item)
        names = [f"{_SHAPES[i % len(_SHAPES)]} {s.label}" for i, s in enumerate(self._series)]
        words = names if len(self._series) > 1 else []
        words += [band.words for band in self._bands]
        self._legend.set_words("    ".join([*words, self._unit] if words else []))
        self._legend.setVisible(bool(words) and not self.is_table)

    def _cursor(self) -> None:
        point = self.current_point()
        if self._plot is None or point is None:
            return
        import pyqtgraph as pg

        for item in [i for i in self._items if getattr(i, "is_cursor", False)]:
            self._plot.removeItem(item)
            self._items.remove(item)
        look = theme.current()
        line = pg.InfiniteLine(
            point.when.timestamp(),
            angle=90,
            pen=pg.mkPen(look.color("ink_quiet"), style=Qt.PenStyle.DashLine),
        )
        ring = pg.ScatterPlotItem(
            [point.when.timestamp()],
            [point.value],
            size=15,
            pen=pg.mkPen(look.color("ink"), width=2),
            brush=None,
        )
        for item in (line, ring):
            item.is_cursor = True
            self._plot.addItem(item)
            self._items.append(item)

    def _on_mouse(self, where: QPointF) -> None:
        if self._plot is None or not self._series:
            return
        spot = self._plot.getPlotItem().getViewBox().mapSceneToView(where)
        number, place = min(
            ((n, i) for n, s in enumerate(self._series) for i in range(len(s.points))),
            key=lambda at: self._distance(at, spot),
        )
        if (number, place) != self._at:
            self._go(number, place)

    def _distance(self, at: tuple[int, int], spot: QPointF) -> float:
        point = self._series[at[0]].points[at[1]]
        (x_low, x_high), (y_low, y_high) = self._plot.getPlotItem().getViewBox().viewRange()
        across = (point.when.timestamp() - spot.x()) / max(x_high - x_low, 1e-9)
        upward = (point.value - spot.y()) / max(y_high - y_low, 1e-9)
        return float(across * across * 16 + upward * upward)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._plot is None and self.isVisible():
            self._draw()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and self._plot is None and self._series:
            result = super().event(event)
            self._draw()
            return result
        return super().event(event)
