"""The drawing half of a curve. Imports pyqtgraph (0.6 s), so it is itself imported at the first curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.widgets import theme
from ui.widgets.timeline_axes import date_ticks, number_words, padded, value_ticks
from ui.widgets.timeline_rows import Band, Point, Series

_ROLES: Final = ("accent", "now", "practice", "warn")
_SYMBOLS: Final = ("o", "s", "t", "d")


class Canvas:
    """Draws series and bands; `on_pointed(series, place)` tells the point nearest the mouse."""

    def __init__(self, on_pointed: Callable[[int, int], None]) -> None:
        self._on_pointed = on_pointed
        self._series: tuple[Series, ...] = ()
        self._items: list[Any] = []
        self._cursor: list[Any] = []
        bottom, left = pg.AxisItem("bottom"), pg.AxisItem("left")
        # Given as functions on the instance: the base class is untyped and not ours to subclass.
        bottom.tickValues = lambda low, high, _size: [(1.0, [at for at, _ in self._ticks(low, high)])]
        bottom.tickStrings = lambda values, _scale, _spacing: self._tick_words(values)
        left.tickValues = lambda low, high, size: [(1.0, list(value_ticks(low, high, _rows(size))[0]))]
        left.tickStrings = lambda values, _scale, _spacing: _value_words(values)
        self._axes = (bottom, left)
        self._plot: Any = pg.PlotWidget(axisItems={"bottom": bottom, "left": left})
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMenuEnabled(False)
        # Its own hint is 640 × 480: on a cart laptop the axis would lie below the edge.
        self._plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setFrameShape(self._plot.Shape.NoFrame)
        self._plot.scene().sigMouseMoved.connect(self._on_mouse)

    @property
    def widget(self) -> QWidget:
        """What is laid out."""
        widget = self._plot
        assert isinstance(widget, QWidget)
        return widget

    # -- axes --------------------------------------------------------------------------------------

    def _ticks(self, low: float, high: float) -> list[tuple[float, str]]:
        if not low < high:
            return []
        metrics = QFontMetrics(theme.current().font(12))
        most = max(2, self.widget.width() // (metrics.horizontalAdvance("man 30. sept.") + 16))
        span = (datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC))
        return [(at.timestamp(), words) for at, words in date_ticks(*span, most)]

    def _tick_words(self, values: Sequence[float]) -> list[str]:
        low, high = self._plot.getPlotItem().getViewBox().viewRange()[0]
        words = dict(self._ticks(low, high))
        return [words.get(value, "") for value in values]

    def _dress(self) -> None:
        look = theme.current()
        self._plot.setBackground(look.color("surface_raised"))
        for axis in self._axes:
            axis.setTextPen(look.color("ink_quiet"))
            axis.setPen(look.color("line"))
            axis.setTickFont(look.font(12))
            axis.setStyle(tickLength=4)
        # Room for words as large as they are: an axis that guesses cuts them at 200 %.
        metrics = QFontMetrics(look.font(12))
        self._axes[1].setWidth(metrics.horizontalAdvance("000,0") + 14)
        self._axes[0].setHeight(metrics.height() + 12)

    # -- drawing -----------------------------------------------------------------------------------

    def draw(self, series: tuple[Series, ...], bands: tuple[Band, ...]) -> None:
        """Draw anew in the theme in force."""
        self._series = series
        self._take_away(self._items)
        self._take_away(self._cursor)
        self._dress()
        if series:
            self._range(series, bands)
            for band in bands:
                self._draw_band(band)
            for number, one in enumerate(series):
                self._draw_series(number, one)

    def _take_away(self, items: list[Any]) -> None:
        while items:
            self._plot.removeItem(items.pop())

    def _range(self, series: tuple[Series, ...], bands: tuple[Band, ...]) -> None:
        values = [p.value for s in series for p in s.points]
        room = max(max(values) - min(values), abs(max(values)) * 0.1) * 0.35
        low, high = min(values) - room, max(values) + room
        # A band far away must not press the curve flat.
        values += [edge for band in bands for edge in (band.low, band.high) if low <= edge <= high]
        times = [p.when for s in series for p in s.points]
        around = max((max(times) - min(times)) * 0.03, timedelta(hours=2))
        first, last = (min(times) - around).timestamp(), (max(times) + around).timestamp()
        self._plot.setXRange(first, last, padding=0)
        self._plot.setYRange(*padded(values), padding=0)
        self._plot.showGrid(x=False, y=True, alpha=0.18)

    def _draw_band(self, band: Band) -> None:
        look = theme.current()
        item = pg.LinearRegionItem(
            (band.low, band.high),
            orientation="horizontal",
            movable=False,
            brush=pg.mkBrush(look.color("done_soft")),
            pen=pg.mkPen(look.color("done"), style=Qt.PenStyle.DotLine),
        )
        item.setZValue(-10)
        self._plot.addItem(item)
        self._items.append(item)

    def _draw_series(self, number: int, series: Series) -> None:
        colour = theme.current().color(_ROLES[number % len(_ROLES)])
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
        self._plot.addItem(item)
        self._items.append(item)

    def stand_on(self, point: Point | None) -> None:
        """Mark the point under the cursor with a line and a ring."""
        self._take_away(self._cursor)
        if point is None:
            return
        look, at = theme.current(), point.when.timestamp()
        dashed = pg.mkPen(look.color("ink_quiet"), style=Qt.PenStyle.DashLine)
        ring = pg.mkPen(look.color("ink"), width=2)
        self._cursor = [
            pg.InfiniteLine(at, angle=90, pen=dashed),
            pg.ScatterPlotItem([at], [point.value], size=15, pen=ring, brush=None),
        ]
        for item in self._cursor:
            self._plot.addItem(item)

    # -- mouse -------------------------------------------------------------------------------------

    def _on_mouse(self, where: QPointF) -> None:
        if not self._series:
            return
        spot = self._plot.getPlotItem().getViewBox().mapSceneToView(where)
        number, place = min(
            ((n, i) for n, s in enumerate(self._series) for i in range(len(s.points))),
            key=lambda at: self._distance(self._series[at[0]].points[at[1]], spot),
        )
        self._on_pointed(number, place)

    def _distance(self, point: Point, spot: QPointF) -> float:
        (x_low, x_high), (y_low, y_high) = self._plot.getPlotItem().getViewBox().viewRange()
        across = (point.when.timestamp() - spot.x()) / max(x_high - x_low, 1e-9)
        upward = (point.value - spot.y()) / max(y_high - y_low, 1e-9)
        # Time counts four times: one points at a day, rarely at a height.
        return float(across * across * 16 + upward * upward)


def _rows(size: float) -> int:
    return max(2, round(size / (theme.current().px(12) * 3)))


def _value_words(values: Sequence[float]) -> list[str]:
    if len(values) < 2:
        return [number_words(value, 1) for value in values]
    _values, decimals = value_ticks(values[0], values[-1], len(values) - 1)
    return [number_words(value, decimals) for value in values]
