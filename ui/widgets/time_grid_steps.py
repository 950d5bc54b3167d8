"""Which block lies next to another, for the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QAbstractItemView

from ui.widgets.time_grid_layout import Placed
from ui.widgets.time_grid_rows import Block

Cursor = QAbstractItemView.CursorAction
STEPS: Final = {
    Cursor.MoveUp: (0, -1),
    Cursor.MoveDown: (0, 1),
    Cursor.MoveLeft: (-1, 0),
    Cursor.MoveRight: (1, 0),
}
"""(lanes, visits) of the arrow keys"""


def lane_neighbour(placed: Placed, lane: str, step: int) -> str:
    """Key of the lane `step` to the right; stops at the ends."""
    number = max(0, placed.lane_number(lane)) + step
    return placed.lanes[max(0, min(number, len(placed.lanes) - 1))].key if placed.lanes else ""


def _in_lane(blocks: Sequence[Block], lane: str) -> list[Block]:
    return sorted((b for b in blocks if b.lane_key == lane), key=lambda b: (b.start, b.key))


def _pool(placed: Placed, blocks: Sequence[Block]) -> list[Block]:
    places = placed.chips
    chips = [b for b in blocks if b.key in places]
    return sorted(chips, key=lambda b: (places[b.key].top(), places[b.key].left()))


def _nearest(blocks: Sequence[Block], like: Block) -> str:
    return min(blocks, key=lambda b: abs((b.start - like.start).total_seconds())).key if blocks else ""


def _from_pool(placed: Placed, blocks: Sequence[Block], block: Block, dx: int, dy: int, lane: str) -> str:
    chips = _pool(placed, blocks)
    at = [b.key for b in chips].index(block.key)
    if dx:
        return chips[max(0, min(at + dx, len(chips) - 1))].key
    here = placed.chips[block.key]
    rows = [b for b in chips if (placed.chips[b.key].top() - here.top()) * dy > 0]
    if rows:
        edge = min(rows, key=lambda b: abs(placed.chips[b.key].top() - here.top()))
        row = [b for b in rows if placed.chips[b.key].top() == placed.chips[edge.key].top()]
        return min(row, key=lambda b: abs(placed.chips[b.key].left() - here.left())).key
    return _nearest(_in_lane(blocks, lane), block) if dy > 0 else ""


def _sideways(placed: Placed, blocks: Sequence[Block], block: Block, step: int) -> str:
    number = placed.lane_number(block.lane_key) + step
    while 0 <= number < len(placed.lanes):
        found = _nearest(_in_lane(blocks, placed.lanes[number].key), block)
        if found:
            return found
        number += step
    return ""


def neighbour(placed: Placed, blocks: Sequence[Block], key: str, lane: str, dx: int, dy: int) -> str:
    """Key of the block one step away, '' when there is none; (0, 0) or no current gives the first."""
    block = next((b for b in blocks if b.key == key), None)
    if block is None:
        first = _in_lane(blocks, lane) or _pool(placed, blocks) or list(blocks)
        return first[0].key if first else ""
    if block.key in placed.chips:
        return _from_pool(placed, blocks, block, dx, dy, lane)
    if dx:
        return _sideways(placed, blocks, block, dx)
    mates = _in_lane(blocks, block.lane_key)
    at = [b.key for b in mates].index(block.key) + dy
    if at < 0:
        return _nearest(_pool(placed, blocks), block)
    return mates[at].key if at < len(mates) else ""
