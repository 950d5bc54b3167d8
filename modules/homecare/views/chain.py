"""The chain after 'not home': who is called, when it is tried again, who owns it. Never without an owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.clock import OSLO, oslo
from clinician.modulekit.context import ModuleContext
from modules.homecare.commands import CloseFollowUp, HandOverFollowUp
from modules.homecare.rows import TaskRow
from modules.homecare.views import states
from modules.homecare.views.acting import Acting
from modules.homecare.views.owner_choice import OwnerChoice, Staff, ask_staff
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import TimeField
from ui.widgets.labels import Glyph, Label
from ui.widgets.panes import Ground

_ = texts.translator("homecare")
L = texts.lazy("homecare")


class FollowUpLine(QWidget):
    """One link: what, who is called, whose it is, when at the latest."""

    closed = Signal(str)
    handed_over = Signal(str, str, object)

    def __init__(self, row: TaskRow, number: int, view: str) -> None:
        super().__init__()
        self.row = row
        name = f"homecare.{view}.chain_{number}"
        self._glyph = Glyph("phone-call" if row.phone else "clock", "warn")
        self._title = Label("", weight=600, wrap=True)
        self._detail = Label("", size=12, tone="ink_quiet", wrap=True)
        self.owner = OwnerChoice(f"{name}_owner")
        self.due = TimeField(L("No later than"), f"{name}_due")
        self.done = Button(L("Done"), f"{name}_done", icon="check", signs=True)
        self._build()
        self.owner.handed.connect(lambda ref: self.handed_over.emit(self.row.key, ref, None))
        self.due.entered.connect(self._on_due)
        self.done.clicked.connect(lambda: self.closed.emit(self.row.key))

    def _build(self) -> None:
        space = theme.current().space
        head = QHBoxLayout()
        head.setSpacing(space(2))
        head.addWidget(self._glyph)
        head.addWidget(self._title, 1)
        head.addWidget(self.done)
        fields = QHBoxLayout()
        fields.setSpacing(space(3))
        fields.addWidget(self.owner, 2)
        fields.addWidget(self.due, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(1))
        column.addLayout(head)
        column.addWidget(self._detail)
        column.addLayout(fields)
        self._fields = (self.owner, self.due)

    def show_row(self, row: TaskRow, staff: Staff) -> None:
        """Show it as it is now; fields being edited keep the keyboard."""
        self.row = row
        shown = states.task(row)
        self._title.set_words(row.title if row.is_open else f"{row.title} – {shown.words}")
        self._glyph.set_icon(
            ("phone-call" if row.phone else "clock") if row.is_open else shown.icon, shown.role
        )
        self._detail.set_words(" · ".join(part for part in (row.detail, row.phone) if part))
        self._detail.setVisible(bool(row.detail or row.phone))
        self.owner.show_owner(row.owner_ref, row.owner_text, staff)
        if not self.due.line.hasFocus():
            self.due.set_value(oslo(row.due).time() if row.due else None)
        self.done.setAccessibleName(_("Done: {title}", title=row.title))
        for part in (*self._fields, self.done):
            part.setVisible(row.is_open)

    def _on_due(self) -> None:
        at = self.due.value
        if at is None:
            self.due.set_problem(L("Not a time of day. Write it as 08:30."))
            return
        self.handed_over.emit(self.row.key, self.row.owner_ref, at)


class Chain(Ground):
    """All follow-ups of one visit. Hidden while there are none."""

    left = Signal()

    def __init__(self, ctx: ModuleContext, acting: Acting, view: str) -> None:
        super().__init__("warn_soft")
        self._ctx, self._acting, self._view = ctx, acting, view
        self._lines: dict[str, FollowUpLine] = {}
        self._staff: Staff = ((ctx.who.practitioner_ref, ctx.who.name),)
        self._rows: tuple[TaskRow, ...] = ()
        self._asked = False
        space = theme.current().space
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(space(3), space(2), space(3), space(3))
        self._column.setSpacing(space(3))
        self._column.addWidget(Label(L("Follow-up"), size=13, weight=600))
        self.hide()

    def show_rows(self, rows: Sequence[TaskRow]) -> None:
        """Show the chain; lines are kept by key so that an edit in hand is not disturbed."""
        self._rows = tuple(rows)
        if rows and not self._asked:
            self._asked = True
            ask_staff(self._ctx, self._on_staff)
        for key in [key for key in self._lines if key not in {row.key for row in rows}]:
            self._lines.pop(key).deleteLater()
        for row in rows:
            self._line(row).show_row(row, self._staff)
        self.setVisible(bool(rows))

    def _line(self, row: TaskRow) -> FollowUpLine:
        line = self._lines.get(row.key)
        if line is None:
            line = FollowUpLine(row, len(self._lines) + 1, self._view)
            line.closed.connect(self._close)
            line.handed_over.connect(self._hand_over)
            line.owner.left.connect(self.left)
            self._lines[row.key] = line
            self._column.addWidget(line)
        return line

    def _on_staff(self, staff: Staff) -> None:
        self._staff = staff
        self.show_rows(self._rows)

    def hand_over(self) -> bool:
        """Keyboard into the owner of the first open link; False when there is none."""
        line = next((line for line in self._lines.values() if line.row.is_open), None)
        if line is None or self.isHidden():
            return False
        line.owner.take_cursor()
        return True

    def _close(self, task_ref: str) -> None:
        title = next((row.title for row in self._rows if row.key == task_ref), "")
        self._acting.run(CloseFollowUp(task_ref), _("Followed up: {title}", title=title))

    def _hand_over(self, task_ref: str, owner_ref: str, at: time | None) -> None:
        row = next((row for row in self._rows if row.key == task_ref), None)
        if row is None:
            return
        day = oslo(row.due).date() if row.due else self._ctx.today()
        due = datetime.combine(day, at, OSLO) if at is not None else row.due
        name = dict(self._staff).get(owner_ref, row.owner_text)
        said = _("{title}: {owner} owns it", title=row.title, owner=name)
        self._acting.run(HandOverFollowUp(task_ref, owner_ref, due), said)
