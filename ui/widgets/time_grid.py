"""Routes side by side on a time grid: one lane per person, hours downwards, the pool on top.

    grid = TimeGrid(object_name="homecare.zone.grid", name="Rutene i dag")
    grid.show_day(day, lanes, blocks, now=clock.now())
    grid.block_dropped.connect(on_drop)      # key, lane key ('' = pool), start

It is an item view over `TimeGridModel`, so screen readers meet every block as a cell with a name.
Keys: arrows between blocks, Ctrl+arrows between lanes, Alt+arrows carry the block (Enter puts it
down, Esc takes it back), Enter asks for the block. Nothing is written here: a drop is a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget
from typing_extensions import override

from ui.widgets import theme
from ui.widgets.time_grid_carry import Carry
from ui.widgets.time_grid_frame import Frame, frame_for, reveal, scale_for
from ui.widgets.time_grid_layout import Placed, Scale, place
from ui.widgets.time_grid_paint import GridPainter
from ui.widgets.time_grid_rows import Block, Index, Lane, TimeGridModel, Tone
from ui.widgets.time_grid_steps import STEPS, Cursor, lane_neighbour, neighbour

__all__ = ["Block", "Lane", "TimeGrid", "Tone"]

_ARROWS: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)


class TimeGrid(QAbstractItemView):
    """See the module. Signals carry block keys, lane keys and aware datetimes."""

    block_dropped = Signal(str, str, object)
    block_activated = Signal(str)
    block_chosen = Signal(str)
    lane_chosen = Signal(str)
    lifted = Signal(str)
    """A block was taken in the hand: the time to say which lanes are open to it"""
    carried = Signal(str)
    """Words about the block in the hand, '' when it is put down or back"""

    def __init__(self, *, object_name: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setModel(TimeGridModel(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.viewport().setMouseTracking(True)
        self.setCornerWidget(QWidget(self))
        self._day = date(2000, 1, 1)
        self._lanes: tuple[Lane, ...] = ()
        self._hours = (7, 23)
        self._now: datetime | None = None
        self._zoom = 1.0
        self._lane = ""
        self._pool_scroll = 0
        self._press: QPoint | None = None
        self._allowed: frozenset[str] | None = None
        self._words = ("", "")
        self._opened = False
        self._carry = Carry(self)
        self._painter = GridPainter()
        self._placed: Placed = place(self._day, (), (), self._scale(), pool_width=100)
        theme.theme_changed.connect(self._relayout)

    # -- what it shows ---------------------------------------------------------------------------

    def grid_model(self) -> TimeGridModel:
        """The blocks."""
        model = self.model()
        assert isinstance(model, TimeGridModel)
        return model

    def set_hours(self, first: int, last: int) -> None:
        """First and last hour shown, 0–24."""
        self._hours = (first, last)
        self._relayout()

    def set_pool_words(self, some: str, none: str) -> None:
        """The pool's heading when visits lie there, and its calm line when none do."""
        self._words = (some, none)
        self._relayout()

    def show_day(
        self, day: date, lanes: Iterable[Lane], blocks: Iterable[Block], *, now: datetime | None
    ) -> None:
        """Show a day; current block, current lane and scroll stay where they were."""
        self._day, self._lanes, self._now = day, tuple(lanes), now
        if self._lane not in {lane.key for lane in self._lanes}:
            self._lane = self._lanes[0].key if self._lanes else ""
        self.grid_model().set_blocks(blocks)
        self._relayout()
        if not self._opened and self._lanes and now is not None:
            self._opened = True
            self.verticalScrollBar().setValue(self._placed.y_of(now) - self.frame_now().body.height() // 3)

    def set_allowed_lanes(self, keys: Iterable[str] | None) -> None:
        """Dim every lane that cannot take the block in question; None lifts it."""
        self._allowed = None if keys is None else frozenset(keys)
        self._carry.recheck()
        self.viewport().update()

    def may_drop(self, lane_key: str) -> bool:
        """Whether a lane is open to the block in question."""
        return self._allowed is None or lane_key in self._allowed

    @property
    def is_carrying(self) -> bool:
        """Whether a block is in the hand."""
        return self._carry.ghost is not None

    # -- where one stands --------------------------------------------------------------------------

    def current_key(self) -> str:
        """Key of the current block, ''."""
        block = self.grid_model().block_at(self.currentIndex())
        return block.key if block else ""

    def current_lane(self) -> str:
        """Key of the lane one stands in."""
        return self._lane

    def choose(self, key: str) -> None:
        """Make a block current."""
        index = self.grid_model().index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)

    def choose_lane(self, key: str, *, first_block: bool = True) -> None:
        """Stand in a lane, on the first block not yet over when it has one."""
        self._lane = key
        blocks = [b for b in self.grid_model().blocks() if b.lane_key == key and not b.is_preview]
        if first_block and blocks:
            ahead = [b for b in blocks if self._now is not None and b.end >= self._now] or blocks
            self.choose(min(ahead, key=lambda b: b.start).key)
        self._show_lane(key)
        self.lane_chosen.emit(key)
        self.viewport().update()

    @override
    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        block = self.grid_model().block_at(current)
        if block is not None:
            if block.lane_key and block.lane_key != self._lane:
                self._lane = block.lane_key
                self.lane_chosen.emit(self._lane)
            self.block_chosen.emit(block.key)
        self.viewport().update()

    # -- geometry ----------------------------------------------------------------------------------

    def _scale(self) -> Scale:
        return scale_for(self.viewport().width(), len(self._lanes), self._hours, self._zoom)

    def frame_now(self) -> Frame:
        """Where pool, header, gutter and body lie in the viewport at this moment."""
        scroll = QPoint(self.horizontalOffset(), self.verticalOffset())
        return frame_for(self.viewport().rect(), self._placed, scroll, self._pool_scroll)

    def _relayout(self) -> None:
        self._placed = place(
            self._day,
            self._lanes,
            self.grid_model().blocks(),
            self._scale(),
            pool_width=max(100, self.viewport().width() - 16),
        )
        self._ranges()
        self.viewport().update()

    def _ranges(self) -> None:
        body, scale = self.frame_now().body, self._placed.scale
        width = len(self._lanes) * scale.lane_width
        self.horizontalScrollBar().setRange(0, max(0, width - body.width()))
        self.horizontalScrollBar().setPageStep(body.width())
        self.horizontalScrollBar().setSingleStep(scale.lane_width // 4)
        self.verticalScrollBar().setRange(0, max(0, scale.day_height() - body.height()))
        self.verticalScrollBar().setPageStep(body.height())
        self.verticalScrollBar().setSingleStep(round(15 * scale.minute))

    def placed(self) -> Placed:
        """The layout in force."""
        return self._placed

    @override
    def updateGeometries(self) -> None:
        super().updateGeometries()
        if hasattr(self, "_placed"):
            self._ranges()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._relayout()

    @override
    def visualRect(self, index: Index) -> QRect:
        block = self.grid_model().block_at(index)
        if block is None:
            return QRect()
        frame = self.frame_now()
        if block.key in self._placed.chips:
            return frame.chip_rect(self._placed.chips[block.key])
        return frame.body_rect(self._placed.rects.get(block.key, QRect()))

    @override
    def indexAt(self, point: QPoint) -> QModelIndex:
        frame = self.frame_now()
        if frame.chips.contains(point):
            return self.grid_model().index_of(self._placed.hit_chip(frame.to_pool(point)))
        if frame.body.contains(point):
            return self.grid_model().index_of(self._placed.hit(frame.to_grid(point)))
        return QModelIndex()

    @override
    def horizontalOffset(self) -> int:
        return self.horizontalScrollBar().value()

    @override
    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    @override
    def isIndexHidden(self, index: Index) -> bool:
        return False

    @override
    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        block = self.grid_model().block_at(index)
        if block is None:
            return
        frame = self.frame_now()
        if block.key in self._placed.chips:
            self._pool_scroll = frame.pool_scroll_for(self._placed.chips[block.key])
        elif block.key in self._placed.rects:
            rect = self._placed.rects[block.key]
            reveal(self.horizontalScrollBar(), rect.left(), rect.right(), frame.body.width())
            reveal(self.verticalScrollBar(), rect.top() - 8, rect.bottom() + 8, frame.body.height())
        self.viewport().update()

    def reveal_ghost(self) -> None:
        """Scroll so that the block in the hand is seen."""
        ghost = self._carry.ghost
        if ghost is None:
            return
        self._show_lane(ghost.lane_key)
        top, bottom = self._placed.y_of(ghost.start), self._placed.y_of(ghost.end)
        reveal(self.verticalScrollBar(), top - 8, bottom + 8, self.frame_now().body.height())

    def _show_lane(self, key: str) -> None:
        number, width = self._placed.lane_number(key), self._placed.scale.lane_width
        if number >= 0:
            bar = self.horizontalScrollBar()
            reveal(bar, number * width, (number + 1) * width, self.frame_now().body.width())

    @override
    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        index = self.indexAt(rect.topLeft() if rect.width() < 2 else rect.center())
        if index.isValid():
            self.selectionModel().select(index, command)

    @override
    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        return sum((QRegion(self.visualRect(i)) for i in selection.indexes()), QRegion())

    @override
    def moveCursor(self, cursorAction: Cursor, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        step = STEPS.get(cursorAction, (0, 0))
        blocks = [block for block in self.grid_model().blocks() if not block.is_preview]
        key = neighbour(self._placed, blocks, self.current_key(), self._lane, *step)
        return self.grid_model().index_of(key) if key else self.currentIndex()

    # -- hands ---------------------------------------------------------------------------------------

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._carry.key(event) or self._lane_key(event):
            event.accept()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat() and self.current_key():
                self.block_activated.emit(self.current_key())
            event.accept()
        elif event.key() in _ARROWS or event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + bar.pageStep() * (1 if event.key() == Qt.Key.Key_PageDown else -1))
        else:
            event.ignore()  # letters belong to the pane, not to a search among names

    def _lane_key(self, event: QKeyEvent) -> bool:
        if event.modifiers() != Qt.KeyboardModifier.ControlModifier:
            return False
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if event.key() == Qt.Key.Key_Right else -1
            self.choose_lane(lane_neighbour(self._placed, self._lane, step))
            return True
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.zoom(1.25 if event.key() == Qt.Key.Key_Plus else 0.8)
            return True
        return False

    def zoom(self, factor: float) -> None:
        """Make the hours longer or shorter, within readable bounds."""
        middle = self._placed.when_at(self.verticalOffset())
        self._zoom = max(0.5, min(self._zoom * factor, 4.0))
        self._relayout()
        self.verticalScrollBar().setValue(self._placed.y_of(middle))

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.25 if event.angleDelta().y() > 0 else 0.8)
            event.accept()
        elif self.frame_now().pool.contains(event.position().toPoint()):
            self._scroll_pool(-event.angleDelta().y() // 3)
            event.accept()
        else:
            super().wheelEvent(event)

    def _scroll_pool(self, by: int) -> None:
        most = max(0, self._placed.pool_height - self.frame_now().chips.height())
        self._pool_scroll = max(0, min(self._pool_scroll + by, most))
        self.viewport().update()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        point, frame = event.position().toPoint(), self.frame_now()
        self._press = point if self.indexAt(point).isValid() else None
        lane = self._placed.lane_at(frame.to_grid(point).x())
        if frame.header.contains(point) and lane is not None:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.choose_lane(lane.key)
            return
        super().mousePressEvent(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._carry.by_mouse:
            self._carry.drag(point)
        elif self._press is not None and event.buttons() & Qt.MouseButton.LeftButton:
            far = (point - self._press).manhattanLength() >= QApplication.startDragDistance()
            block = self.grid_model().block_at(self.currentIndex())
            if far and block is not None:
                self._carry.lift_with_mouse(block, self._press)
        else:
            self.viewport().setCursor(
                Qt.CursorShape.PointingHandCursor
                if self.indexAt(point).isValid()
                else Qt.CursorShape.ArrowCursor
            )

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None
        if self._carry.by_mouse:
            self._carry.put_down()
            return
        super().mouseReleaseEvent(event)

    # -- paint ---------------------------------------------------------------------------------------

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        self._painter.paint(
            painter,
            event.rect(),
            self.frame_now(),
            self._placed,
            self.grid_model().blocks(),
            current=self.current_key(),
            lane=self._lane,
            has_focus=self.hasFocus(),
            now=self._now,
            allowed=self._allowed,
            ghost=self._carry.ghost,
            words=self._words,
        )
        painter.end()
