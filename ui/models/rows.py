"""One Qt model for every list: frozen rows, told apart by their key.

`set_rows` compares with what is shown and tells the view only what changed (removed, inserted,
moved, changed), so selection, scroll and focus survive every refresh; it never resets. Every
string is made once, when a row arrives: a repaint asks thousands of times.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

from clinician.texts import Text

_log = logging.getLogger(__name__)

Index = QModelIndex | QPersistentModelIndex

ROW: Final = int(Qt.ItemDataRole.UserRole)
"""The row itself."""
KEY: Final = ROW + 1
"""The row's key."""
ICON_NAME: Final = ROW + 2
"""Name of the icon before the text, '' for none; the delegate tints it by TONE."""
TONE: Final = ROW + 3
"""Colour role of text and icon: 'ink', 'ink_quiet', 'danger' …"""
WEIGHT: Final = ROW + 4
"""400 or 600."""

_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)
_TIP: Final = int(Qt.ItemDataRole.ToolTipRole)
_ACCESSIBLE: Final = int(Qt.ItemDataRole.AccessibleTextRole)
_ALIGN: Final = int(Qt.ItemDataRole.TextAlignmentRole)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_MANY_RUNS: Final = 4
"""Changes told one by one; a view that fits its rows to their content measures every row at each."""
_MANY_MOVES: Final = 48


def runs_of(places: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending places as (first, last) of those that follow one another."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at - 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs


class Keyed(Protocol):
    """A row: a frozen dataclass whose first field is its key."""

    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=Keyed)


@dataclass(frozen=True)
class Column(Generic[T]):
    """How one column reads a row. width: pixels at 100 % text, 0 takes what is left.

    may_hide: given up, the rightmost first, where the window is too narrow for the text size.
    """

    id: str
    title: Text | str
    text: Callable[[T], str]
    width: int = 0
    icon: Callable[[T], str] | None = None
    tone: Callable[[T], str] | None = None
    weight: Callable[[T], int] | None = None
    tip: Callable[[T], str] | None = None
    right: bool = False
    may_hide: bool = False


Cell = dict[int, Any]


@dataclass(slots=True)
class _Line(Generic[T]):
    row: T
    cells: list[Cell] = field(default_factory=list)


def kept_in_order(positions: Sequence[int]) -> set[int]:
    """The values of a longest rising run of `positions`: the rows that need not move."""
    tails: list[int] = []
    tail_at: list[int] = []
    before: list[int] = []
    for at, value in enumerate(positions):
        slot = bisect_left(tails, value)
        if slot == len(tails):
            tails.append(value)
            tail_at.append(at)
        else:
            tails[slot], tail_at[slot] = value, at
        before.append(tail_at[slot - 1] if slot else -1)
    kept: set[int] = set()
    at = tail_at[-1] if tail_at else -1
    while at >= 0:
        kept.add(positions[at])
        at = before[at]
    return kept


class RowModel(QAbstractTableModel, Generic[T]):
    """A table over frozen rows of one kind."""

    def __init__(self, columns: Sequence[Column[T]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._lines: list[_Line[T]] = []
        self._at: dict[str, int] = {}

    @property
    def columns(self) -> tuple[Column[T], ...]:
        """The columns, left to right."""
        return self._columns

    @property
    def rows(self) -> tuple[T, ...]:
        """The rows shown, top to bottom."""
        return tuple(line.row for line in self._lines)

    def keys(self) -> tuple[str, ...]:
        """The keys shown, top to bottom."""
        return tuple(line.row.key for line in self._lines)

    def row_at(self, index: Index) -> T | None:
        """The row an index lies on."""
        return self._lines[index.row()].row if index.isValid() else None

    def row_of(self, key: str) -> T | None:
        """The row of a key."""
        at = self._at.get(key)
        return None if at is None else self._lines[at].row

    def index_of(self, key: str, column: int = 0) -> QModelIndex:
        """Where a key is shown; an invalid index when it is not."""
        at = self._at.get(key)
        return QModelIndex() if at is None else self.index(at, column)

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show these rows, telling the views only the difference."""
        wanted = self._without_doubles(rows)
        self._remove_gone({row.key for row in wanted})
        self._reorder([row.key for row in wanted if row.key in self._at])
        self._insert_new(wanted)
        self._tell_changed(wanted)

    def relabel(self) -> None:
        """Make every string anew (the language changed)."""
        for line in self._lines:
            line.cells = self._cells(line.row)
        if self._lines:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._lines) - 1, len(self._columns) - 1))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)

    def _without_doubles(self, rows: Iterable[T]) -> list[T]:
        seen: dict[str, T] = {}
        doubles = 0
        for row in rows:
            doubles += row.key in seen
            seen.setdefault(row.key, row)
        if doubles:
            _log.error("%d rows came twice and are shown once", doubles)
        return list(seen.values())

    def _renumber(self) -> None:
        self._at = {line.row.key: at for at, line in enumerate(self._lines)}

    def _remove_gone(self, wanted: set[str]) -> None:
        last = len(self._lines) - 1
        while last >= 0:
            if self._lines[last].row.key in wanted:
                last -= 1
                continue
            first = last
            while first > 0 and self._lines[first - 1].row.key not in wanted:
                first -= 1
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._lines[first : last + 1]
            self._renumber()
            self.endRemoveRows()
            last = first - 1

    def _reorder(self, keys: list[str]) -> None:
        kept = kept_in_order([self._at[key] for key in keys])
        stay = {self._lines[at].row.key for at in kept}
        movers = len(keys) - len(stay)
        if movers > _MANY_MOVES:
            self._rearrange(keys)
        elif movers:
            self._move_each(keys, stay)

    def _move_each(self, keys: list[str], stay: set[str]) -> None:
        for to, key in enumerate(keys):
            now = self._at[key]
            if key in stay:
                continue
            # Rows that stay hold their order, so `to` counted among them is where the key belongs.
            ahead = keys[to - 1] if to else ""
            target = self._at[ahead] + 1 if ahead else 0
            if target in (now, now + 1):
                continue
            self.beginMoveRows(QModelIndex(), now, now, QModelIndex(), target)
            line = self._lines.pop(now)
            self._lines.insert(target - (target > now), line)
            self._renumber()
            self.endMoveRows()

    def _rearrange(self, keys: list[str]) -> None:
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        held = [self._lines[index.row()].row.key for index in old]
        self._lines = [self._lines[self._at[key]] for key in keys]
        self._renumber()
        new = [self.index(self._at[key], index.column()) for key, index in zip(held, old, strict=True)]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _insert_new(self, wanted: list[T]) -> None:
        at = 0
        while at < len(wanted):
            if wanted[at].key in self._at:
                at += 1
                continue
            end = at
            while end < len(wanted) and wanted[end].key not in self._at:
                end += 1
            self.beginInsertRows(QModelIndex(), at, end - 1)
            self._lines[at:at] = [_Line(row, self._cells(row)) for row in wanted[at:end]]
            self._renumber()
            self.endInsertRows()
            at = end

    def _tell_changed(self, wanted: list[T]) -> None:
        changed = [at for at, row in enumerate(wanted) if self._lines[at].row != row]
        for at in changed:
            self._lines[at].row, self._lines[at].cells = wanted[at], self._cells(wanted[at])
        runs = runs_of(changed)
        if len(runs) > _MANY_RUNS:
            runs = [(changed[0], changed[-1])]
        for first, last in runs:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))

    def _cells(self, row: T) -> list[Cell]:
        cells = [self._cell(column, row) for column in self._columns]
        spoken = ", ".join(text for cell in cells if (text := cell[_DISPLAY]))
        if cells:
            cells[0][_ACCESSIBLE] = spoken
        return cells

    def _cell(self, column: Column[T], row: T) -> Cell:
        text = column.text(row)
        cell: Cell = {
            _DISPLAY: text,
            _ACCESSIBLE: text,
            _ALIGN: _RIGHT if column.right else _LEFT,
            ROW: row,
            KEY: row.key,
            ICON_NAME: column.icon(row) if column.icon else "",
            TONE: column.tone(row) if column.tone else "ink",
            WEIGHT: column.weight(row) if column.weight else 400,
        }
        if column.tip:
            cell[_TIP] = column.tip(row)
        return cell

    @override
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self._lines)

    @override
    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self._columns)

    @override
    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if not index.isValid():
            return None
        return self._lines[index.row()].cells[index.column()].get(int(role))

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        if int(role) in (_DISPLAY, _ACCESSIBLE):
            return str(self._columns[section].title)
        return _RIGHT if int(role) == _ALIGN and self._columns[section].right else None

    @override
    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
