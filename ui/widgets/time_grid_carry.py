"""The block in the hand: carried by mouse or by Alt+arrows, put down or taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent

from clinician.clock import oslo
from ui.widgets.time_grid_layout import SNAP_MINUTES
from ui.widgets.time_grid_rows import Block

if TYPE_CHECKING:
    from ui.widgets.time_grid import TimeGrid

_EDGE: Final = 32
_STEPS: Final = {
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
}


@dataclass(frozen=True, slots=True)
class Ghost:
    """Where the block would be put down."""

    block: Block
    lane_key: str
    start: datetime
    is_allowed: bool

    @property
    def end(self) -> datetime:
        """It keeps its length."""
        return self.start + (self.block.end - self.block.start)


class Carry:
    """One block in the hand of one grid."""

    def __init__(self, grid: TimeGrid) -> None:
        self._grid = grid
        self.ghost: Ghost | None = None
        self.by_mouse = False
        self._grip = 0

    def lift_with_mouse(self, block: Block, at: QPoint) -> None:
        """Take a block; a block that may not be moved stays."""
        if not block.is_movable or block.is_preview:
            return
        frame, placed = self._grid.frame_now(), self._grid.placed()
        rect = placed.rects.get(block.key)
        self._grip = frame.to_grid(at).y() - rect.top() if rect is not None else 0
        self.by_mouse = True
        self._set(Ghost(block, block.lane_key, block.start, True))

    def drag(self, point: QPoint) -> None:
        """Follow the pointer: lane and time snap, a fixed time stays fixed."""
        ghost = self.ghost
        if ghost is None:
            return
        frame, placed = self._grid.frame_now(), self._grid.placed()
        self._scroll(point)
        spot = frame.to_grid(point)
        if frame.pool.contains(point):
            self._set(replace(ghost, lane_key="", start=ghost.block.start, is_allowed=True))
            return
        lane = placed.lane_at(spot.x())
        start = ghost.block.start if ghost.block.is_fixed else placed.when_at(spot.y() - self._grip)
        key = lane.key if lane is not None else ghost.lane_key
        self._set(replace(ghost, lane_key=key, start=start, is_allowed=self._may(ghost.block, key)))

    def _may(self, block: Block, lane_key: str) -> bool:
        return lane_key in ("", block.lane_key) or self._grid.may_drop(lane_key)

    def _scroll(self, point: QPoint) -> None:
        body = self._grid.frame_now().body
        for bar, at, low, high in (
            (self._grid.horizontalScrollBar(), point.x(), body.left(), body.right()),
            (self._grid.verticalScrollBar(), point.y(), body.top(), body.bottom()),
        ):
            if at < low + _EDGE and at >= low:
                bar.setValue(bar.value() - 12)
            elif at > high - _EDGE:
                bar.setValue(bar.value() + 12)

    def key(self, event: QKeyEvent) -> bool:
        """Alt+arrows carry, Enter puts down, Esc takes back. True when the key was ours."""
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain == Qt.KeyboardModifier.AltModifier and event.key() in _STEPS:
            self._step(*_STEPS[Qt.Key(event.key())])
            return True
        if self.ghost is None:
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.take_back()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.put_down()
        else:
            return False
        return True

    def _step(self, dx: int, dy: int) -> None:
        grid = self._grid
        block = grid.grid_model().block_at(grid.currentIndex())
        ghost = self.ghost
        if ghost is None:
            if block is None or not block.is_movable or block.is_preview:
                return
            # Lifted first: whoever knows says now which lanes are open to it.
            self._set(Ghost(block, block.lane_key, block.start, True))
            ghost = Ghost(block, block.lane_key or self._first_open(), block.start, True)
        lane = self._open_lane(ghost, dx) if dx else ghost.lane_key
        start = ghost.start + timedelta(minutes=SNAP_MINUTES * dy)
        if ghost.block.is_fixed or not self._within(start, ghost.block):
            start = ghost.start
        self._set(Ghost(ghost.block, lane, start, self._may(ghost.block, lane)))
        grid.reveal_ghost()

    def _first_open(self) -> str:
        """Where a block from the pool is first held: the lane one stands in, or one that can take it."""
        here = self._grid.current_lane()
        lanes = [lane.key for lane in self._grid.placed().lanes]
        return next((key for key in (here, *lanes) if self._grid.may_drop(key)), here)

    def _within(self, start: datetime, block: Block) -> bool:
        scale, placed = self._grid.placed().scale, self._grid.placed()
        end = start + (block.end - block.start)
        return placed.y_of(start) >= 0 and placed.y_of(end) <= scale.day_height()

    def _open_lane(self, ghost: Ghost, step: int) -> str:
        """The next lane that can take the block: the others are stepped over."""
        lanes = self._grid.placed().lanes
        number = self._grid.placed().lane_number(ghost.lane_key) + step
        while 0 <= number < len(lanes):
            if self._may(ghost.block, lanes[number].key):
                return lanes[number].key
            number += step
        return ghost.lane_key

    def recheck(self) -> None:
        """Which lanes are open has changed while the block is in the hand."""
        if self.ghost is not None:
            self._set(replace(self.ghost, is_allowed=self._may(self.ghost.block, self.ghost.lane_key)))

    def put_down(self) -> None:
        """Ask for the move; nothing when it would not change anything or may not be."""
        ghost = self.ghost
        self.take_back()
        if ghost is None or not ghost.is_allowed:
            return
        if (ghost.lane_key, ghost.start) != (ghost.block.lane_key, ghost.block.start):
            self._grid.block_dropped.emit(ghost.block.key, ghost.lane_key, ghost.start)

    def take_back(self) -> None:
        """Empty the hand."""
        self.by_mouse = False
        self._set(None)

    def _set(self, ghost: Ghost | None) -> None:
        if ghost == self.ghost:
            return
        lifted = ghost is not None and self.ghost is None
        self.ghost = ghost
        if lifted and ghost is not None:
            self._grid.lifted.emit(ghost.block.key)
        self._grid.carried.emit(self._words(ghost))
        self._grid.viewport().update()

    def _words(self, ghost: Ghost | None) -> str:
        if ghost is None:
            return ""
        lanes = self._grid.placed().lanes
        lane = next((lane.title for lane in lanes if lane.key == ghost.lane_key), "")
        return f"{ghost.block.title} → {oslo(ghost.start):%H:%M} {lane}".rstrip()
