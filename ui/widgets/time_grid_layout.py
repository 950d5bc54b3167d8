"""Where things lie on a time grid: pure arithmetic, no widget.

Grid coordinates: x in lanes from 0, y in pixels from the first hour; the pool has its own plane of
chips that wrap. Everything is a QRect so that painting, hit tests and accessibility agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from PySide6.QtCore import QPoint, QRect

from clinician.clock import OSLO, oslo
from ui.widgets.time_grid_rows import Block, Lane

SNAP_MINUTES = 5
"""A drag or a key moves by this much."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large things are, in pixels."""

    lane_width: int
    minute: float
    first_hour: int
    last_hour: int
    chip_width: int
    chip_height: int
    gap: int = 4
    shortest: int = 20

    def day_height(self) -> int:
        """Height of the whole day."""
        return round((self.last_hour - self.first_hour) * 60 * self.minute)


@dataclass(slots=True)
class Placed:
    """The places of one set of lanes and blocks at one scale."""

    day: date
    scale: Scale
    lanes: tuple[Lane, ...]
    rects: dict[str, QRect] = field(default_factory=dict)
    """Grid blocks by key, in grid coordinates"""
    chips: dict[str, QRect] = field(default_factory=dict)
    """Pool blocks by key, in pool coordinates"""
    pool_height: int = 0

    def y_of(self, when: datetime) -> int:
        """Grid y of an instant, on the Norwegian wall clock of the day shown."""
        local = oslo(when)
        days = (local.date() - self.day).days
        minutes = days * 1440 + local.hour * 60 + local.minute - self.scale.first_hour * 60
        return round(minutes * self.scale.minute)

    def when_at(self, y: int) -> datetime:
        """The instant at grid y, snapped; never outside the hours shown."""
        minutes = round(y / self.scale.minute / SNAP_MINUTES) * SNAP_MINUTES
        span = (self.scale.last_hour - self.scale.first_hour) * 60
        minutes = max(0, min(minutes, span - SNAP_MINUTES)) + self.scale.first_hour * 60
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=OSLO)
        # Wall-clock arithmetic on an aware time: 08:00 stays 08:00 on a daylight-saving day.
        return midnight + timedelta(minutes=minutes)

    def lane_at(self, x: int) -> Lane | None:
        """The lane under grid x."""
        number = x // self.scale.lane_width if x >= 0 else -1
        return self.lanes[number] if 0 <= number < len(self.lanes) else None

    def lane_number(self, key: str) -> int:
        """Position of a lane, -1 when there is none."""
        return next((i for i, lane in enumerate(self.lanes) if lane.key == key), -1)

    def hit(self, point: QPoint) -> str:
        """Key of the grid block at a point, ''."""
        return next((key for key, rect in self.rects.items() if rect.contains(point)), "")

    def hit_chip(self, point: QPoint) -> str:
        """Key of the pool block at a point, ''."""
        return next((key for key, rect in self.chips.items() if rect.contains(point)), "")


def _tracks(blocks: Sequence[Block]) -> list[tuple[Block, int, int]]:
    """(block, track, tracks of its cluster): blocks that overlap stand beside each other."""
    out: list[tuple[Block, int, int]] = []
    cluster: list[tuple[Block, int]] = []
    ends: list[datetime] = []

    def close() -> None:
        out.extend((block, track, len(ends)) for block, track in cluster)
        cluster.clear()
        ends.clear()

    for block in sorted(blocks, key=lambda b: (b.start, b.end, b.key)):
        if ends and block.start >= max(ends):
            close()
        track = next((i for i, end in enumerate(ends) if end <= block.start), len(ends))
        if track == len(ends):
            ends.append(block.end)
        else:
            ends[track] = block.end
        cluster.append((block, track))
    close()
    return out


def _lane_rects(placed: Placed, number: int, blocks: Sequence[Block]) -> None:
    scale = placed.scale
    left, width = number * scale.lane_width + scale.gap, scale.lane_width - 2 * scale.gap
    for block, track, tracks in _tracks(blocks):
        top = placed.y_of(block.start)
        height = max(scale.shortest, placed.y_of(block.end) - top - 1)
        share = width // tracks
        placed.rects[block.key] = QRect(left + track * share, top, share - (1 if tracks > 1 else 0), height)


def _pool(placed: Placed, blocks: Sequence[Block], width: int) -> None:
    scale = placed.scale
    columns = max(1, (width + scale.gap) // (scale.chip_width + scale.gap))
    for place, block in enumerate(sorted(blocks, key=lambda b: (b.start, b.title, b.key))):
        row, column = divmod(place, columns)
        placed.chips[block.key] = QRect(
            column * (scale.chip_width + scale.gap),
            row * (scale.chip_height + scale.gap),
            scale.chip_width,
            scale.chip_height,
        )
    rows = -(-len(blocks) // columns)
    placed.pool_height = max(0, rows * (scale.chip_height + scale.gap) - scale.gap)


def place(
    day: date, lanes: Iterable[Lane], blocks: Iterable[Block], scale: Scale, *, pool_width: int
) -> Placed:
    """Give every block its rectangle. A block of an unknown lane goes to the pool, never away."""
    placed = Placed(day, scale, tuple(lanes))
    by_lane: dict[str, list[Block]] = {lane.key: [] for lane in placed.lanes}
    pool: list[Block] = []
    for block in blocks:
        by_lane.get(block.lane_key, pool).append(block)
    for number, lane in enumerate(placed.lanes):
        _lane_rects(placed, number, by_lane[lane.key])
    _pool(placed, pool, pool_width)
    return placed
