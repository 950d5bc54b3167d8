"""How a time grid looks. Paints only what the exposed rectangle touches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPen

from clinician.clock import oslo
from ui.widgets import icons, theme
from ui.widgets.time_grid_carry import Ghost
from ui.widgets.time_grid_frame import Frame
from ui.widgets.time_grid_layout import Placed
from ui.widgets.time_grid_rows import Block, Lane, Tone

_LOOK: Final = {
    Tone.OPEN: ("surface_raised", "ink", "accent"),
    Tone.NOW: ("now_soft", "ink", "now"),
    Tone.DONE: ("surface", "ink_quiet", "done"),
    Tone.QUIET: ("surface", "ink_quiet", "line"),
    Tone.WARN: ("warn_soft", "ink", "warn"),
    Tone.DANGER: ("danger_soft", "ink", "danger"),
}
"""(ground, ink, bar) by role"""
_TEXT: Final = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine)


def _faint(role: str, alpha: int) -> QColor:
    colour = theme.current().color(role)
    colour.setAlpha(alpha if theme.current().name != "contrast" else 255)
    return colour


class GridPainter:
    """Paints one grid; keeps elided texts between paints."""

    def __init__(self) -> None:
        self._elided: dict[tuple[str, int, int, int], str] = {}
        theme.theme_changed.connect(self._elided.clear)

    def paint(
        self,
        painter: QPainter,
        exposed: QRect,
        frame: Frame,
        placed: Placed,
        blocks: Sequence[Block],
        *,
        current: str,
        lane: str,
        has_focus: bool,
        now: datetime | None,
        allowed: frozenset[str] | None,
        ghost: Ghost | None,
        words: tuple[str, str],
    ) -> None:
        """Everything, back to front."""
        painter.fillRect(exposed, theme.current().color("surface_raised"))
        links = self._links(blocks, current)
        painter.save()
        painter.setClipRect(frame.body & exposed)
        self._lanes(painter, frame, placed, allowed)
        if now is not None:
            self._now(painter, frame, placed, now, 255)
        for block in blocks:
            if block.key in placed.rects:
                rect = frame.body_rect(placed.rects[block.key])
                if rect.intersects(exposed & frame.body):
                    self._travel(painter, rect, block, placed)
                    self._block(painter, rect, block, linked=block.key in links)
        self._link_line(painter, frame, placed, links)
        if now is not None:
            self._now(painter, frame, placed, now, 70)
        if ghost is not None and ghost.lane_key:
            self._ghost(painter, frame, placed, ghost)
        self._ring(painter, frame, placed.rects, current, has_focus, in_body=True)
        painter.restore()
        self._gutter(painter, frame, placed, now)
        self._headers(painter, frame, placed, lane, allowed)
        self._pool(painter, frame, placed, blocks, words, ghost)
        self._ring(painter, frame, placed.chips, current, has_focus, in_body=False)

    def _links(self, blocks: Sequence[Block], current: str) -> tuple[str, ...]:
        link = next((b.link_key for b in blocks if b.key == current), "")
        mates = tuple(b.key for b in blocks if link and b.link_key == link)
        return mates if len(mates) > 1 else ()

    def _lanes(self, painter: QPainter, frame: Frame, placed: Placed, allowed: frozenset[str] | None) -> None:
        scale = placed.scale
        for number, lane in enumerate(placed.lanes):
            area = frame.body_rect(QRect(number * scale.lane_width, 0, scale.lane_width, scale.day_height()))
            if not area.intersects(frame.body):
                continue
            self._outside_shift(painter, frame, placed, lane, area)
            if lane.is_dimmed or (allowed is not None and lane.key not in allowed):
                painter.fillRect(area, QBrush(_faint("line", 70), Qt.BrushStyle.BDiagPattern))
        for half in range((scale.last_hour - scale.first_hour) * 2 + 1):
            y = frame.body_rect(QRect(0, round(half * 30 * scale.minute), 1, 1)).top()
            if half % 2 and theme.current().name == "contrast":
                continue  # full white lines at every half hour would drown the visits
            painter.setPen(QPen(_faint("line", 70 if half % 2 == 0 else 28), 1))
            painter.drawLine(frame.body.left(), y, frame.body.right(), y)
        painter.setPen(QPen(_faint("line", 70), 1))
        for number in range(len(placed.lanes) + 1):
            x = frame.body_rect(QRect(number * scale.lane_width, 0, 1, 1)).left() - 1
            painter.drawLine(x, frame.body.top(), x, frame.body.bottom())

    def _outside_shift(
        self, painter: QPainter, frame: Frame, placed: Placed, lane: Lane, area: QRect
    ) -> None:
        ground = QBrush(theme.current().color("surface_sunken"))
        if theme.current().name == "contrast":  # every ground is black there
            ground = QBrush(theme.current().color("offline"), Qt.BrushStyle.Dense7Pattern)
        if lane.start is not None:
            top = frame.body_rect(QRect(0, placed.y_of(lane.start), 1, 1)).top()
            painter.fillRect(QRect(area.topLeft(), QPoint(area.right(), top - 1)), ground)
        if lane.end is not None:
            bottom = frame.body_rect(QRect(0, placed.y_of(lane.end), 1, 1)).top()
            painter.fillRect(QRect(QPoint(area.left(), bottom), area.bottomRight()), ground)

    def _travel(self, painter: QPainter, rect: QRect, block: Block, placed: Placed) -> None:
        if block.travel_minutes <= 0 or block.is_preview:
            return
        length = round(block.travel_minutes * placed.scale.minute)
        # A stem on the block's own bar: the way there belongs to the visit.
        painter.fillRect(QRect(rect.left() + 2, rect.top() - length, 2, length), _faint("line", 150))

    def _block(self, painter: QPainter, rect: QRect, block: Block, *, linked: bool) -> None:
        look = theme.current()
        ground, ink, bar = _LOOK[block.tone]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(look.color(bar), 1, Qt.PenStyle.DashLine if block.is_preview else Qt.PenStyle.SolidLine)
        if not block.is_preview and block.tone in (Tone.OPEN, Tone.DONE, Tone.QUIET):
            edge.setColor(_faint("line", 150))
        if linked:
            edge = QPen(look.color("accent"), 2)
        painter.setPen(edge)
        painter.setBrush(look.color(ground))
        shape = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(shape, 4, 4)
        if block.is_late:
            painter.setBrush(QBrush(_faint("danger", 60), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(shape, 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("danger" if block.is_late else bar))
        painter.drawRoundedRect(QRectF(rect.left() + 1, rect.top() + 1, 4, rect.height() - 2), 2, 2)
        painter.restore()
        self._block_text(painter, rect.adjusted(9, 1, -5, -1), block, ink)

    def _block_text(self, painter: QPainter, area: QRect, block: Block, ink: str) -> None:
        look = theme.current()
        line = look.px(13) + 5
        two = area.height() >= look.px(13) + look.px(12) + 12
        first = QRect(
            area.left(), area.top() + (2 if two else 0), area.width(), line if two else area.height()
        )
        used = self._marks(painter, first, block)
        weight = 400 if block.tone in (Tone.DONE, Tone.QUIET) else 600
        self._words(painter, first.adjusted(0, 0, -used, 0), block.title, 13, weight, ink)
        if two:
            second = QRect(area.left(), first.bottom(), area.width(), look.px(12) + 5)
            words = f"{oslo(block.start):%H:%M}–{oslo(block.end):%H:%M}"
            self._words(
                painter, second, f"{words} · {block.detail}" if block.detail else words, 12, 400, "ink_quiet"
            )

    def _marks(self, painter: QPainter, line: QRect, block: Block) -> int:
        side = round(theme.current().px(13) * 1.05)
        role = {Tone.DONE: "done", Tone.DANGER: "danger", Tone.WARN: "warn", Tone.NOW: "now"}
        most = max(1, (line.width() - 40) // (side + 2)) if block.marks else 0
        marks = block.marks[:most]
        for place, name in enumerate(marks):
            x = line.right() - (len(marks) - place) * (side + 2) + 2
            area = QRectF(x, line.center().y() - side / 2 + 0.5, side, side)
            icons.paint(painter, name, "danger" if block.is_late else role.get(block.tone, "ink_quiet"), area)
        return len(marks) * (side + 2)

    def _words(self, painter: QPainter, area: QRect, text: str, size: int, weight: int, role: str) -> None:
        if area.width() <= 4 or not text:
            return
        look = theme.current()
        font = look.font(size, weight)
        key = (text, area.width(), size, weight)
        shown = self._elided.get(key)
        if shown is None:
            if len(self._elided) > 4000:
                self._elided.clear()
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
            self._elided[key] = shown
        painter.setFont(font)
        painter.setPen(look.color(role))
        painter.drawText(area, _TEXT, shown)

    def _link_line(self, painter: QPainter, frame: Frame, placed: Placed, links: tuple[str, ...]) -> None:
        rects = sorted(
            (frame.body_rect(placed.rects[key]) for key in links if key in placed.rects),
            key=lambda r: r.left(),
        )
        painter.setPen(QPen(theme.current().color("accent"), 2, Qt.PenStyle.DotLine))
        for one, two in itertools.pairwise(rects):
            painter.drawLine(one.right() + 1, one.center().y(), two.left() - 1, two.center().y())

    def _now(self, painter: QPainter, frame: Frame, placed: Placed, now: datetime, alpha: int) -> None:
        y = frame.body_rect(QRect(0, placed.y_of(now), 1, 1)).top()
        colour = theme.current().color("now")
        colour.setAlpha(alpha)
        painter.setPen(QPen(colour, 2))
        painter.drawLine(frame.body.left(), y, frame.body.right(), y)

    def _ghost(self, painter: QPainter, frame: Frame, placed: Placed, ghost: Ghost) -> None:
        number, scale = placed.lane_number(ghost.lane_key), placed.scale
        top = placed.y_of(ghost.start)
        height = max(scale.shortest, placed.y_of(ghost.end) - top)
        rect = frame.body_rect(QRect(number * scale.lane_width + 3, top, scale.lane_width - 6, height))
        role = "accent" if ghost.is_allowed else "danger"
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.current().color(role), 2, Qt.PenStyle.DashLine))
        painter.setBrush(theme.current().color("selection" if ghost.is_allowed else "danger_soft"))
        painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 4, 4)
        painter.restore()
        text = f"{oslo(ghost.start):%H:%M} {ghost.block.title}"
        if not ghost.is_allowed:
            side = theme.current().px(13)
            icons.paint(painter, "prohibit", "danger", QRectF(rect.left() + 8, rect.top() + 4, side, side))
            rect = rect.adjusted(side + 4, 0, 0, 0)
        self._words(painter, rect.adjusted(8, 1, -4, -1), text, 13, 600, "ink")

    def _ring(
        self,
        painter: QPainter,
        frame: Frame,
        rects: dict[str, QRect],
        current: str,
        has_focus: bool,
        *,
        in_body: bool,
    ) -> None:
        if current not in rects:
            return
        rect = frame.body_rect(rects[current]) if in_body else frame.chip_rect(rects[current])
        painter.save()
        painter.setClipRect(frame.body if in_body else frame.pool)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.current().color("accent"), 2 if has_focus else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(rect).adjusted(-1, -1, 1, 1), 5, 5)
        painter.restore()

    def _gutter(self, painter: QPainter, frame: Frame, placed: Placed, now: datetime | None) -> None:
        look, scale = theme.current(), placed.scale
        painter.save()
        painter.setClipRect(frame.gutter)
        painter.setFont(look.font(12))
        painter.setPen(look.color("ink_quiet"))
        line = look.px(12) + 4
        align = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        pill_y = None if now is None else frame.body_rect(QRect(0, placed.y_of(now), 1, 1)).top()
        for hour in range(scale.first_hour, scale.last_hour + 1):
            y = frame.body_rect(QRect(0, round((hour - scale.first_hour) * 60 * scale.minute), 1, 1)).top()
            top = (
                max(y - line // 2, frame.gutter.top() - scale.day_height()) if hour > scale.first_hour else y
            )
            if pill_y is not None and abs(top + line // 2 - pill_y) < line:
                continue  # the hour of now would peep out behind the pill
            painter.drawText(
                QRect(frame.gutter.left(), top, frame.gutter.width() - 8, line), align, f"{hour % 24:02d}:00"
            )
        if now is not None and pill_y is not None:
            y = pill_y
            pill = QRectF(frame.gutter.left() + 2, y - line / 2 - 1, frame.gutter.width() - 4, line + 2)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("now"))
            painter.drawRoundedRect(pill, 4, 4)
            painter.setFont(look.font(12, 600))
            painter.setPen(look.color("on_accent"))
            painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), f"{oslo(now):%H:%M}")
        painter.restore()

    def _headers(
        self, painter: QPainter, frame: Frame, placed: Placed, current: str, allowed: frozenset[str] | None
    ) -> None:
        look, width = theme.current(), placed.scale.lane_width
        painter.save()
        painter.setClipRect(frame.header)
        for number, lane in enumerate(placed.lanes):
            area = QRect(
                frame.header.left() + number * width - frame.scroll.x(),
                frame.header.top(),
                width,
                frame.header.height(),
            )
            if area.intersects(frame.header):
                closed = allowed is not None and lane.key not in allowed
                self._header(painter, area, lane, is_current=lane.key == current, closed=closed)
        painter.restore()
        painter.setPen(QPen(look.color("line"), 1))
        painter.drawLine(0, frame.header.bottom(), frame.header.right(), frame.header.bottom())

    def _header(self, painter: QPainter, area: QRect, lane: Lane, *, is_current: bool, closed: bool) -> None:
        look = theme.current()
        if is_current:
            painter.fillRect(area, look.color("selection"))
            painter.fillRect(QRect(area.left(), area.bottom() - 2, area.width(), 3), look.color("accent"))
        line = look.px(13) + 5
        first = QRect(area.left() + 8, area.top() + 5, area.width() - 12, line)
        second = QRect(first.left(), first.bottom(), first.width(), look.px(12) + 5)
        ink = "ink_quiet" if closed or lane.is_dimmed else "ink"
        self._words(painter, first, lane.title, 13, 600, ink)
        if lane.note:
            side = look.px(12)
            icons.paint(painter, "user-minus", "warn", QRectF(second.left(), second.top() + 2, side, side))
            self._words(painter, second.adjusted(side + 4, 0, 0, 0), lane.note, 12, 600, "warn")
        else:
            self._words(painter, second, lane.detail, 12, 400, "ink_quiet")
        third = second.translated(0, second.height() - 1)
        self._words(painter, third, lane.load_text, 12, 400, "ink_quiet")
        if lane.load is not None:
            bar = QRect(first.left(), third.bottom() + 1, first.width(), 3)
            painter.fillRect(bar, look.color("surface_sunken"))
            bar.setWidth(round(bar.width() * min(1.0, lane.load)))
            painter.fillRect(bar, look.color("warn" if lane.load > 1 else "done"))

    def _pool(
        self,
        painter: QPainter,
        frame: Frame,
        placed: Placed,
        blocks: Sequence[Block],
        words: tuple[str, str],
        ghost: Ghost | None,
    ) -> None:
        look, some = theme.current(), bool(placed.chips)
        painter.save()
        painter.setClipRect(frame.pool)
        lit = ghost is not None and not ghost.lane_key
        painter.fillRect(frame.pool, look.color("selection" if lit else "danger_soft" if some else "surface"))
        side = look.px(15)
        title = QRect(12, 0, frame.pool.width() - 24, look.row_height)
        mark = QRectF(title.left(), title.center().y() - side / 2, side, side)
        icons.paint(painter, "warning" if some else "check", "danger" if some else "done", mark)
        self._words(
            painter,
            title.adjusted(side + 8, 0, 0, 0),
            words[0] if some else words[1],
            13,
            600 if some else 400,
            "danger" if some else "ink_quiet",
        )
        painter.setClipRect(frame.chips.adjusted(-4, -4, 4, 4) & frame.pool)
        for block in blocks:
            if block.key in placed.chips:
                rect = frame.chip_rect(placed.chips[block.key])
                if rect.intersects(frame.chips):
                    self._block(painter, rect, block, linked=False)
        painter.restore()
