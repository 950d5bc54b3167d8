"""The list of my day: sections, one line per thing, the one that is now taller than the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem
from typing_extensions import override

from clinician import texts
from clinician.queries.query import RowState
from modules.homecare.rows import DayRow, ItemKind, MyDay, Section
from modules.homecare.views import states
from modules.homecare.words import clock_text
from ui.models.rows import ROW, Column, Index, RowModel
from ui.widgets import icons, theme
from ui.widgets.row_table import CellDelegate, RowTable

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_ORDER: Final = tuple(Section)
_WIDE: Final = 880
"""From this width (at 100 % text) an open line has room for everything on one line"""


@dataclass(frozen=True, slots=True)
class SectionLine:
    """A heading between lines; not a thing one can choose."""

    key: str
    section: Section
    title: str
    count: int


Line = DayRow | SectionLine


def lines_of(day: MyDay) -> tuple[Line, ...]:
    """Sections in their order with what stands in them; an empty section is not shown."""
    counts = Counter(row.section for row in day.rows)
    lines: list[Line] = []
    for section in _ORDER:
        if counts[section]:
            title = states.SECTIONS[section].render()
            lines.append(SectionLine(f"section:{section}", section, title, counts[section]))
            lines.extend(row for row in day.rows if row.section is section)
    return tuple(lines)


def spoken(line: Line) -> str:
    """What a screen reader says of a line."""
    if isinstance(line, SectionLine):
        return f"{line.title}, {line.count}"
    mark = states.day_row(line)
    of_record = states.row_state(line.state)
    parts = [line.time_text, line.patient_name, mark.words, line.title, line.status_text, line.address]
    parts += [line.travel_text, line.access_hint, line.colleague_text, line.changed_text]
    parts += [of_record.words if of_record else ""]
    if line.late_minutes:
        parts.insert(3, _.n("{n} minute late", "{n} minutes late", line.late_minutes))
    return ", ".join(part for part in parts if part)


def late_text(minutes: int) -> str:
    """'27 min forsinket', '5 t forsinket', '2 dager forsinket'."""
    if minutes < 120:
        return _("{n} min late", n=minutes)
    if minutes < 24 * 60:
        return _.n("{n} hour late", "{n} hours late", minutes // 60)
    return _.n("{n} day late", "{n} days late", minutes // 1440)


def clock_of(row: DayRow) -> str:
    """'08:10'; what the row itself says where there is no instant."""
    return clock_text(row.start) or row.time_text


def day_part(row: DayRow) -> str:
    """'i går', 'man 16. nov' for what is not of today; ''."""
    return row.time_text.replace(clock_text(row.start), "").strip(" ,·") if row.start else ""


def marks_of(row: DayRow) -> list[tuple[str, str, str]]:
    """(icon, words, role) after the name, the gravest first."""
    marks: list[tuple[str, str, str]] = []
    of_record = states.row_state(row.state)
    if of_record is not None and row.state is not RowState.QUEUED:
        marks.append((of_record.icon, of_record.words, of_record.role))
    if row.late_minutes and row.section is not Section.DONE:
        marks.append(("clock", late_text(row.late_minutes), "danger"))
    day = day_part(row)
    if day and row.section is not Section.DONE:
        marks.append(("calendar-blank", day, "danger" if row.section is Section.OVERDUE else "ink_quiet"))
    if row.two_persons:
        marks.append(("users", row.colleague_text or _("two persons"), "accent"))
    if row.is_new_user:
        marks.append(("sparkle", _("new user"), "accent"))
    if row.changed_text:
        marks.append(("pencil-simple", row.changed_text, "warn"))
    if row.access_hint and row.section is not Section.DONE:
        marks.append(("key", row.access_hint, "ink_quiet"))
    if of_record is not None and row.state is RowState.QUEUED:
        marks.append((of_record.icon, of_record.words, of_record.role))
    return marks


class DayDelegate(CellDelegate):
    """Paints one line. Heights: done and headings one line, open two (one when wide), now three."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line: Line = index.data(ROW)
        look = theme.current()
        one = look.px(13) + 6
        if isinstance(line, SectionLine):
            return QSize(100, look.px(12) + look.space(5))
        if self._stands_out(line):
            return QSize(100, look.px(15) + 2 * one + look.space(6))
        if line.section is Section.DONE or self._is_wide(self._width()):
            return QSize(100, look.row_height)
        return QSize(100, max(look.row_height, 2 * one + look.space(3)))

    def _stands_out(self, row: DayRow) -> bool:
        view = self.parent()
        is_next = isinstance(view, DayList) and row.key == view.next_key
        return row.section is Section.NOW or (is_next and row.section is not Section.DONE)

    def _width(self) -> int:
        view = self.parent()
        return view.viewport().width() if isinstance(view, RowTable) else 0

    def _is_wide(self, width: int) -> bool:
        return width >= _WIDE * theme.current().text_scale / 100

    @override
    def paint_cell(self, painter: QPainter, rect: QRect, text: str, index: Index) -> None:
        line: Line = index.data(ROW)
        if isinstance(line, SectionLine):
            self._heading(painter, rect, line)
        elif self._stands_out(line):
            self._now(painter, rect, line)
        elif line.section is Section.DONE:
            self._done(painter, rect, line)
        elif self._is_wide(rect.width()):
            self._wide(painter, rect, line)
        else:
            self._narrow(painter, rect, line)

    # -- the kinds of line ----------------------------------------------------------------------

    def _heading(self, painter: QPainter, rect: QRect, line: SectionLine) -> None:
        look = theme.current()
        role = {Section.OVERDUE: "danger", Section.NOW: "now"}.get(line.section, "ink_quiet")
        area = rect.adjusted(12, look.space(2), -12, 0)
        words = f"{line.title}  {line.count}" if line.section is not Section.NOW else line.title
        used = _text(painter, area, words, 12, 600, role)
        painter.setPen(look.color("surface_sunken"))
        y = area.center().y() + 1
        painter.drawLine(area.left() + used + 10, y, area.right(), y)

    def _now(self, painter: QPainter, rect: QRect, row: DayRow) -> None:
        look = theme.current()
        bar = {Section.NOW: "now", Section.OVERDUE: "danger"}.get(row.section, "accent")
        painter.fillRect(QRect(rect.left() + 2, rect.top() + 3, 4, rect.height() - 6), look.color(bar))
        top, one = rect.top() + look.space(2), look.px(13) + 6
        first = QRect(rect.left(), top, rect.width(), look.px(15) + 8)
        left = self._head(painter, first, row, size=15)
        body = QRect(left, first.top(), rect.right() - 12 - left, first.height())
        used = _text(painter, body, row.patient_name, 15, 600, "ink")
        self._marks(painter, body.adjusted(used + 14, 0, 0, 0), marks_of(row))
        second = QRect(left, first.bottom() + 1, body.width(), one)
        _text(painter, second, row.title, 13, 400, "ink")
        third = second.translated(0, one)
        facts = [
            row.address,
            row.phone,
            _("{travel} travel", travel=row.travel_text) if row.travel_text else "",
        ]
        _text(painter, third, " · ".join(fact for fact in facts if fact), 13, 400, "ink_quiet")

    def _narrow(self, painter: QPainter, rect: QRect, row: DayRow) -> None:
        look = theme.current()
        one = look.px(13) + 6
        top = rect.top() + (rect.height() - 2 * one) // 2
        first = QRect(rect.left(), top, rect.width(), one)
        left = self._head(painter, first, row)
        right = self._travel(painter, first, row)
        body = QRect(left, top, right - left, one)
        used = _text(painter, body, row.patient_name, 13, 600, "ink")
        self._marks(painter, body.adjusted(used + 12, 0, 0, 0), marks_of(row))
        words = " · ".join(part for part in (row.title, row.status_text, row.address) if part)
        _text(painter, QRect(left, top + one, rect.right() - 12 - left, one), words, 12, 400, "ink_quiet")

    def _wide(self, painter: QPainter, rect: QRect, row: DayRow) -> None:
        scale = theme.current().text_scale / 100
        left = self._head(painter, rect, row)
        right = self._travel(painter, rect, row)
        name, place = round(170 * scale), round(190 * scale)
        _text(painter, QRect(left, rect.top(), name, rect.height()), row.patient_name, 13, 600, "ink")
        left += name + 12
        _text(painter, QRect(left, rect.top(), place, rect.height()), row.address, 13, 400, "ink_quiet")
        left += place + 12
        area = QRect(left, rect.top(), right - left, rect.height())
        marks = self._marks(painter, area.adjusted(0, 0, -round(area.width() * 0.4), 0), marks_of(row))
        words = " · ".join(part for part in (row.title, row.status_text) if part)
        _text(painter, area.adjusted(marks + (12 if marks else 0), 0, 0, 0), words, 13, 400, "ink")

    def _done(self, painter: QPainter, rect: QRect, row: DayRow) -> None:
        left = self._head(painter, rect, row, quiet=True)
        body = QRect(left, rect.top(), rect.right() - 12 - left, rect.height())
        used = _text(painter, body, row.patient_name, 13, 400, "ink_quiet")
        rest = body.adjusted(used + 14, 0, 0, 0)
        used = _text(painter, rest, row.status_text, 12, 400, "ink_quiet")
        graver = [mark for mark in marks_of(row) if mark[2] in ("danger", "offline")]
        self._marks(painter, rest.adjusted(used + 14, 0, 0, 0), graver)

    # -- parts ------------------------------------------------------------------------------------

    def _head(
        self, painter: QPainter, area: QRect, row: DayRow, *, size: int = 13, quiet: bool = False
    ) -> int:
        """Time and state glyph; returns where the rest begins."""
        look = theme.current()
        width = QFontMetrics(look.font(size, 600)).horizontalAdvance("00:00") + 4
        role = "ink_quiet" if quiet else "danger" if row.section is Section.OVERDUE else "ink"
        left = area.left() + 14
        _text(painter, QRect(left, area.top(), width, area.height()), clock_of(row), size, 600, role)
        view = self.parent()
        is_pending = isinstance(view, DayList) and row.key in view.pending
        shown, side = states.SIGNING if is_pending else states.day_row(row), look.icon_size
        left += width + 10
        glyph = QRectF(left, area.top() + (area.height() - side) / 2, side, side)
        icons.paint(painter, shown.icon, shown.role, glyph)
        return left + side + 10

    def _travel(self, painter: QPainter, area: QRect, row: DayRow) -> int:
        """Travel time at the right edge, where the name keeps its room; returns where it begins."""
        look = theme.current()
        if not row.travel_text or area.width() < 24 * look.px(13):
            return area.right() - 12
        width = QFontMetrics(look.font(12)).horizontalAdvance(row.travel_text) + 2
        side = look.px(13)
        left = area.right() - 12 - width
        _text(painter, QRect(left, area.top(), width, area.height()), row.travel_text, 12, 400, "ink_quiet")
        car = QRectF(left - side - 5, area.top() + (area.height() - side) / 2, side, side)
        icons.paint(painter, "car-profile", "ink_quiet", car)
        return round(car.left()) - 10

    def _marks(self, painter: QPainter, area: QRect, marks: list[tuple[str, str, str]]) -> int:
        """As many marks as there is room for, icon and words together; returns the width used."""
        look = theme.current()
        side, metrics, left = look.px(13) + 1, QFontMetrics(look.font(12)), area.left()
        for icon, words, role in marks:
            need = side + 4 + metrics.horizontalAdvance(words)
            if left + need > area.right():
                break
            glyph = QRectF(left, area.top() + (area.height() - side) / 2, side, side)
            icons.paint(painter, icon, role, glyph)
            _text(painter, QRect(left + side + 4, area.top(), need, area.height()), words, 12, 400, role)
            left += need + 12
        return max(0, left - area.left() - 12)


def _text(painter: QPainter, area: QRect, words: str, size: int, weight: int, role: str) -> int:
    """One line of text, cut with … where it must; returns its width."""
    if area.width() < 8 or not words:
        return 0
    look = theme.current()
    painter.setFont(look.font(size, weight))
    painter.setPen(look.color(role))
    metrics = painter.fontMetrics()
    cut = metrics.elidedText(words, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
    return min(metrics.horizontalAdvance(cut), area.width())


class DayModel(RowModel[Line]):
    """Lines of the day; headings cannot be chosen."""

    @override
    def flags(self, index: Index) -> Qt.ItemFlag:
        if isinstance(self.row_at(index), SectionLine):
            return Qt.ItemFlag.ItemNeverHasChildren
        return super().flags(index)


class DayList(RowTable):
    """The list. `entered` when the keyboard goes right, into the visit."""

    entered = Signal()

    def __init__(self) -> None:
        self.next_key = ""
        self.pending: frozenset[str] = frozenset()
        self.lines = DayModel([Column[Line]("line", "", spoken)])
        super().__init__(self.lines, "homecare.my_day.list", L("My day"), header=False)
        self.setItemDelegate(DayDelegate(self))
        self.take_keys("Space", "B", "I", "N", "M", "K", "H", "1", "2", "3", "4", "5")
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        theme.theme_changed.connect(self.resizeRowsToContents)

    def show_day(self, day: MyDay) -> None:
        """Show these lines; selection and scroll stay."""
        if day.next_key != self.next_key:
            self.next_key = day.next_key
            self.resizeRowsToContents()
        self.lines.set_rows(lines_of(day))

    def set_pending(self, keys: Iterable[str]) -> None:
        """Mark what is being signed, so that a key is seen to have worked at once."""
        self.pending = frozenset(keys)
        self.viewport().update()

    def day_rows(self) -> tuple[DayRow, ...]:
        """The things in the list, top to bottom."""
        return tuple(row for row in self.lines.rows if isinstance(row, DayRow))

    def current_row(self) -> DayRow | None:
        """The thing chosen."""
        row = self.lines.row_at(self.currentIndex())
        return row if isinstance(row, DayRow) else None

    def next_open(self, after: str, leaving_out: Iterable[str]) -> str:
        """Key of the next open visit after `after`, else the first open one, ''."""
        out = frozenset(leaving_out)
        rows = self.day_rows()
        at = next((i for i, row in enumerate(rows) if row.key == after), -1)
        for row in (*rows[at + 1 :], *rows[: at + 1]):
            if row.section is not Section.DONE and row.key not in out and row.kind is ItemKind.VISIT:
                return row.key
        return ""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.current_row()
        if event.key() == Qt.Key.Key_Right and not event.modifiers():
            self.entered.emit()
            return
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Space) and row is not None and self._goes_on(row):
            self.choose(self.next_open(row.key, ()))
            return
        super().keyPressEvent(event)

    def _goes_on(self, row: DayRow) -> bool:
        """Down (at the end) and Space on what was just answered for go on to the next open visit."""
        mine = [other.key for other in self.day_rows() if other.section is Section.DONE]
        return row.section is Section.DONE and mine[-1:] == [row.key] and bool(self.next_open(row.key, ()))

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        if self.current_row() is None:
            rows = self.day_rows()
            if rows:
                self.choose(rows[0].key)
        super().focusInEvent(event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resizeRowsToContents()
