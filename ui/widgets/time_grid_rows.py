"""What a time grid shows: lanes, blocks, and the model that keeps selection while they change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

Index = QModelIndex | QPersistentModelIndex
BLOCK_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1


class Tone(StrEnum):
    """How a block stands out; every tone has a glyph too, so colour never speaks alone."""

    OPEN = "open"
    NOW = "now"
    DONE = "done"
    QUIET = "quiet"
    WARN = "warn"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Lane:
    """One column: a person's working day."""

    key: str
    title: str
    detail: str = ""
    note: str = ""
    """Words that must be seen: 'syk fra 07:10'"""
    start: datetime | None = None
    end: datetime | None = None
    is_dimmed: bool = False
    load_text: str = ""
    load: float | None = None
    """Planned share of the shift, 0–1 and above; None: no bar"""


@dataclass(frozen=True, slots=True)
class Block:
    """One visit in one lane. lane_key '' = nobody has it: it lies in the pool on top."""

    key: str
    lane_key: str
    start: datetime
    end: datetime
    title: str
    detail: str = ""
    marks: tuple[str, ...] = ()
    """Names of icons (ui.widgets.icons), painted after the title"""
    tone: Tone = Tone.OPEN
    link_key: str = ""
    """Blocks with the same link are one visit by several people"""
    is_fixed: bool = False
    is_late: bool = False
    is_movable: bool = True
    is_preview: bool = False
    """Only suggested: drawn dashed, cannot be moved"""
    travel_minutes: int = 0
    description: str = ""
    """What a screen reader says of it"""


class TimeGridModel(QAbstractListModel):
    """Blocks in a flat list, changed by difference so that the current block stays current."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._blocks: list[Block] = []
        self._rows: dict[str, int] = {}

    @override
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._blocks)

    @override
    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        block = self._blocks[index.row()]
        if role == int(Qt.ItemDataRole.DisplayRole):
            return block.title
        if role in (int(Qt.ItemDataRole.AccessibleTextRole), int(Qt.ItemDataRole.ToolTipRole)):
            return block.description or block.title
        if role == int(Qt.ItemDataRole.AccessibleDescriptionRole):
            return block.detail
        return block if role == BLOCK_ROLE else None

    @override
    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def blocks(self) -> Sequence[Block]:
        """Every block, in no promised order."""
        return self._blocks

    def block_at(self, index: Index) -> Block | None:
        """The block of an index, None for an invalid one."""
        return self._blocks[index.row()] if index.isValid() else None

    def index_of(self, key: str) -> QModelIndex:
        """The index of a block by key; invalid when it is not there."""
        row = self._rows.get(key)
        return QModelIndex() if row is None else self.index(row, 0)

    def set_blocks(self, blocks: Iterable[Block]) -> None:
        """Show these blocks: rows leave, change and come; nothing is reset."""
        wanted = {block.key: block for block in blocks}
        self._drop([key for key in self._rows if key not in wanted])
        self._change(wanted)
        self._add([block for key, block in wanted.items() if key not in self._rows])

    def _drop(self, keys: list[str]) -> None:
        for row in sorted((self._rows[key] for key in keys), reverse=True):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._blocks[row]
            self._number()
            self.endRemoveRows()

    def _change(self, wanted: dict[str, Block]) -> None:
        for row, old in enumerate(self._blocks):
            new = wanted[old.key]
            if new != old:
                self._blocks[row] = new
                self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def _add(self, blocks: list[Block]) -> None:
        if not blocks:
            return
        first = len(self._blocks)
        self.beginInsertRows(QModelIndex(), first, first + len(blocks) - 1)
        self._blocks.extend(blocks)
        self._number()
        self.endInsertRows()

    def _number(self) -> None:
        self._rows = {block.key: row for row, block in enumerate(self._blocks)}
