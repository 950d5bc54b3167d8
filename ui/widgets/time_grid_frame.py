"""The parts of a time grid's viewport, and how large things are at a text size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QScrollBar

from ui.widgets import theme
from ui.widgets.time_grid_layout import Placed, Scale

_MINUTE: Final = 1.5
"""Pixels per minute at 100 % text: a quarter of an hour holds one line"""
_LANE: Final = 136
"""A lane is never narrower: a name and a load fit"""
_POOL_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of the viewport, and the way between their coordinates."""

    pool: QRect
    chips: QRect
    header: QRect
    gutter: QRect
    body: QRect
    scroll: QPoint
    pool_scroll: int

    def to_grid(self, point: QPoint) -> QPoint:
        """Viewport point → grid point."""
        return point - self.body.topLeft() + self.scroll

    def to_pool(self, point: QPoint) -> QPoint:
        """Viewport point → pool point."""
        return point - self.chips.topLeft() + QPoint(0, self.pool_scroll)

    def body_rect(self, rect: QRect) -> QRect:
        """Grid rectangle → viewport."""
        return rect.translated(self.body.topLeft() - self.scroll)

    def chip_rect(self, rect: QRect) -> QRect:
        """Pool rectangle → viewport."""
        return rect.translated(self.chips.topLeft() - QPoint(0, self.pool_scroll))

    def pool_scroll_for(self, chip: QRect) -> int:
        """The pool's scroll that shows a chip."""
        if chip.top() < self.pool_scroll:
            return chip.top()
        return max(self.pool_scroll, chip.bottom() + 1 - self.chips.height())


def gutter_width() -> int:
    """Room for '00:00' and a little air."""
    return theme.current().px(12) * 3 + 14


def header_height() -> int:
    """Name, profession, load and its bar."""
    look = theme.current()
    return look.px(13) + 2 * look.px(12) + 28


def scale_for(width: int, lanes: int, hours: tuple[int, int], zoom: float) -> Scale:
    """Lanes share the width while each has room; else the grid scrolls sideways."""
    look = theme.current()
    factor = look.text_scale / 100
    return Scale(
        lane_width=max(round(_LANE * factor), (width - gutter_width()) // max(1, lanes)),
        minute=_MINUTE * factor * zoom,
        first_hour=hours[0],
        last_hour=hours[1],
        chip_width=round(232 * factor),
        chip_height=look.px(13) * 2 + 14,
        shortest=look.px(13) + 6,
    )


def frame_for(area: QRect, placed: Placed, scroll: QPoint, pool_scroll: int) -> Frame:
    """The parts of a viewport; the pool takes one row of chips where there is little height."""
    title = theme.current().row_height
    one = placed.scale.chip_height + placed.scale.gap
    rows = 1 if 4 * _POOL_ROWS * one > area.height() else _POOL_ROWS
    chips = min(placed.pool_height, rows * one)
    pool = title + (chips + 8 if chips else 0)
    gutter, header = gutter_width(), header_height()
    top = pool + header
    return Frame(
        pool=QRect(0, 0, area.width(), pool),
        chips=QRect(8, title, area.width() - 16, chips),
        header=QRect(gutter, pool, area.width() - gutter, header),
        gutter=QRect(0, top, gutter, area.height() - top),
        body=QRect(gutter, top, area.width() - gutter, area.height() - top),
        scroll=scroll,
        pool_scroll=pool_scroll,
    )


def reveal(bar: QScrollBar, low: int, high: int, page: int) -> None:
    """Scroll as little as shows low..high."""
    if low < bar.value():
        bar.setValue(low)
    elif high > bar.value() + page:
        bar.setValue(high - page)
