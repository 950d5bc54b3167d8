"""The one list: rows of a RowModel on the grid, chosen by key, driven by keys."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)
from typing_extensions import override

from ui.models.rows import ICON_NAME, TONE, WEIGHT, Index, RowModel
from ui.widgets import icons, theme
from ui.widgets.words import Words, shown

_LEAST = 150


class CellDelegate(QStyledItemDelegate):
    """Paints icon, text, tone and weight from the model's roles."""

    def __init__(self, parent: QWidget | None = None, *, padding: int = 8) -> None:
        super().__init__(parent)
        self._padding = padding

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width() + 2 * self._padding, theme.current().row_height)

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        opt: Any = QStyleOptionViewItem(option)
        text = str(index.data() or "")
        opt.text = ""
        style = opt.widget.style() if opt.widget else QApplication.style()
        opt.state &= ~QStyle.StateFlag.State_HasFocus
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, opt, painter, opt.widget)
        self.paint_cell(painter, opt.rect, text, index)

    def paint_cell(self, painter: QPainter, rect: QRect, text: str, index: Index) -> None:
        """Icon and text inside `rect`."""
        tokens = theme.current()
        tone = str(index.data(TONE) or "ink")
        inner = rect.adjusted(self._padding, 0, -self._padding, 0)
        name = index.data(ICON_NAME)
        if name:
            side = min(tokens.icon_size, rect.height() - 4)
            top = rect.top() + (rect.height() - side) / 2
            icons.paint(painter, str(name), tone, QRectF(inner.left(), top, side, side))
            inner.setLeft(inner.left() + side + 6)
        painter.setPen(tokens.color(tone))
        painter.setFont(tokens.font(13, int(index.data(WEIGHT) or 400)))
        align = Qt.AlignmentFlag(int(index.data(int(Qt.ItemDataRole.TextAlignmentRole)) or 0x81))
        metrics = painter.fontMetrics()
        painter.drawText(inner, align, metrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width()))


class RowTable(QTableView):
    """A table of rows: one row chosen at a time, Enter or double click opens it.

    `chosen(key)` when the current row changes, `opened(key)` on Enter. Keys a view wants
    (Space, I, 1-5 …) arrive as `key_pressed(text, key)` with auto-repeat left out.
    """

    chosen = Signal(str)
    opened = Signal(str)
    key_pressed = Signal(str, str)

    def __init__(self, model: RowModel[Any], name: str, label: Words, *, header: bool = True) -> None:
        super().__init__()
        self._label, self._rows, self._taken = label, model, frozenset[str]()
        self._wanted = ""
        self.setObjectName(name)
        self.setModel(model)
        self.setItemDelegate(CellDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().setVisible(header)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.horizontalHeader().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(shown(label))
        self._dress()
        theme.theme_changed.connect(self._dress)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(self._open)
        model.rowsInserted.connect(self._on_inserted)

    def take_keys(self, *texts: str) -> None:
        """Keys this table hands on instead of using them itself: 'Space', 'I', '1' …"""
        self._taken = frozenset(text.upper() for text in texts)

    def current_key(self) -> str:
        """Key of the current row, '' when none."""
        row = self._rows.row_at(self.currentIndex())
        return "" if row is None else row.key

    def choose(self, key: str) -> None:
        """Make a row current: now, or when it arrives and nobody has chosen another meanwhile."""
        index = self._rows.index_of(key)
        self._wanted = "" if index.isValid() else key
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def _on_current(self, now: QModelIndex, _before: QModelIndex) -> None:
        row = self._rows.row_at(now)
        if row is not None:
            self._wanted = ""
        self.chosen.emit("" if row is None else row.key)

    def _open(self, index: QModelIndex) -> None:
        row = self._rows.row_at(index)
        if row is not None:
            self.opened.emit(row.key)

    def _dress(self) -> None:
        tokens = theme.current()
        self.setFont(tokens.font())
        self.verticalHeader().setMinimumSectionSize(tokens.row_height)
        self.verticalHeader().setDefaultSectionSize(tokens.row_height)
        head = self.horizontalHeader()
        head.setFont(tokens.font(12))
        head.setMinimumSectionSize(24)
        for at, column in enumerate(self._rows.columns):
            if column.width:
                head.setSectionResizeMode(at, QHeaderView.ResizeMode.Interactive)
                head.resizeSection(at, round(column.width * tokens.text_scale / 100))
            else:
                head.setSectionResizeMode(at, QHeaderView.ResizeMode.Stretch)
        self._make_room()

    def _make_room(self) -> None:
        """Give up columns that may hide until those that take what is left have room to be read."""
        columns, scale = self._rows.columns, theme.current().text_scale / 100
        wanted = [round((column.width or _LEAST) * scale) for column in columns]
        room, hidden = self.viewport().width(), set[int]()
        for at in reversed([at for at, column in enumerate(columns) if column.may_hide]):
            if sum(w for n, w in enumerate(wanted) if n not in hidden) <= room:
                break
            hidden.add(at)
        for at in range(len(columns)):
            self.setColumnHidden(at, at in hidden)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._open(self.currentIndex())
            return
        text = "SPACE" if event.key() == Qt.Key.Key_Space else event.text().upper()
        if text in self._taken and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            if not event.isAutoRepeat() and self.current_key():
                self.key_pressed.emit(text, self.current_key())
            return
        super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._choose_first()

    def _on_inserted(self) -> None:
        if self._wanted and self._rows.row_of(self._wanted) is not None:
            self.choose(self._wanted)
        self._choose_first()

    def _choose_first(self) -> None:
        """A list that has the keyboard always has a row for its keys to mean."""
        if self._wanted:
            return
        if self.hasFocus() and not self.currentIndex().isValid() and self._rows.rowCount():
            self.choose(self._rows.keys()[0])

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(shown(self._label))
            self._rows.relabel()
        super().changeEvent(event)
