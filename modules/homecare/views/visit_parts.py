"""Two parts of the visit card: its checklist and its short facts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from modules.homecare.rows import TaskRow
from modules.homecare.views import states
from ui.widgets import theme
from ui.widgets.checklist import Checklist, CheckRow
from ui.widgets.labels import StateLabel

L = texts.lazy("homecare")


class TaskList(Checklist):
    """The tasks of a visit. Left goes back to the list, Ctrl+Space signs the whole visit."""

    left = Signal()
    visit_signed = Signal()

    def __init__(self) -> None:
        super().__init__("homecare.visit.tasks", L("To do in this visit"))
        self.take_keys("Space", "1", "2", "3", "4", "5", "I", "N", "M", "K", "H")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        ctrl = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Left or event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif ctrl and event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.visit_signed.emit()
        else:
            super().keyPressEvent(event)


class Facts(QWidget):
    """Short lines, each with its glyph; empty ones are not there."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.current().space(0.5))
        self._lines: dict[str, StateLabel] = {}

    def show_fact(self, icon: str, words: str, role: str = "ink") -> None:
        """Show, change or take away the line of an icon."""
        line = self._lines.get(icon)
        if line is None:
            line = StateLabel(icon, "", role, wrap=True)
            self._lines[icon] = line
            self._column.addWidget(line)
        line.set_state(icon, words, role)
        line.glyph.set_icon(icon, "ink_quiet" if role == "ink" else role)
        line.setVisible(bool(words))


def check_row(task: TaskRow) -> CheckRow:
    """A task as a line of the checklist."""
    shown = states.task(task)
    detail = task.detail or task.history_text
    if task.detail and task.history_text:
        detail = f"{task.detail} · {task.history_text}"
    return CheckRow(task.key, task.title, detail, shown.words, shown.icon, shown.role, task.is_open)
