"""A checklist: things to do, each with glyph + word, ticked or excepted by keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem
from typing_extensions import override

from ui.models.rows import ROW, Column, Index, RowModel
from ui.widgets import icons, theme
from ui.widgets.row_table import CellDelegate, RowTable
from ui.widgets.words import Words


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One thing. icon + role + state_text say its state; detail is quiet and beneath."""

    key: str
    title: str
    detail: str = ""
    state_text: str = ""
    icon: str = "circle"
    role: str = "ink_quiet"
    is_open: bool = True


class _TwoLines(CellDelegate):
    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: CheckRow = index.data(ROW)
        tokens = theme.current()
        lines = tokens.px(13) * 1.5 + (tokens.px(12) * 1.45 if row.detail else 0)
        return QSize(120, max(tokens.row_height, round(lines) + 8))

    @override
    def paint_cell(self, painter: QPainter, rect: QRect, text: str, index: Index) -> None:
        row: CheckRow = index.data(ROW)
        tokens = theme.current()
        side = tokens.icon_size
        first = round(tokens.px(13) * 1.5)
        top = rect.top() + (rect.height() - first - (round(tokens.px(12) * 1.45) if row.detail else 0)) // 2
        icons.paint(
            painter, row.icon, row.role, QRectF(rect.left() + 8, top + (first - side) / 2, side, side)
        )
        left = rect.left() + 8 + side + 8
        state_width = self._state(painter, row, rect, top, first)
        painter.setFont(tokens.font(13, 600 if row.is_open else 400))
        painter.setPen(tokens.color("ink" if row.is_open else "ink_quiet"))
        self._line(painter, QRect(left, top, rect.right() - left - state_width - 12, first), row.title)
        if row.detail:
            painter.setFont(tokens.font(12))
            painter.setPen(tokens.color("ink_quiet"))
            height = round(tokens.px(12) * 1.45)
            self._line(painter, QRect(left, top + first, rect.right() - left - 8, height), row.detail)

    def _state(self, painter: QPainter, row: CheckRow, rect: QRect, top: int, height: int) -> int:
        if not row.state_text:
            return 0
        tokens = theme.current()
        painter.setFont(tokens.font(12))
        painter.setPen(tokens.color(row.role))
        width = min(painter.fontMetrics().horizontalAdvance(row.state_text) + 2, rect.width() // 2)
        self._line(painter, QRect(rect.right() - width - 8, top, width, height), row.state_text)
        return width

    def _line(self, painter: QPainter, rect: QRect, text: str) -> None:
        cut = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)


def _spoken(row: CheckRow) -> str:
    return ", ".join(part for part in (row.title, row.state_text, row.detail) if part)


class Checklist(RowTable):
    """Rows of CheckRow. `key_pressed`, `chosen` and `opened` as in RowTable."""

    def __init__(self, name: str, label: Words) -> None:
        self.checks: RowModel[CheckRow] = RowModel(
            [Column[CheckRow]("title", "", _spoken, tip=lambda row: row.detail)]
        )
        super().__init__(self.checks, name, label, header=False)
        self.setItemDelegate(_TwoLines(self))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def set_rows(self, rows: Sequence[CheckRow]) -> None:
        """Show these things to do."""
        self.checks.set_rows(rows)

    @override
    def sizeHint(self) -> QSize:
        head: Any = self.verticalHeader()
        return QSize(super().sizeHint().width(), max(head.length(), theme.current().row_height) + 6)
