"""Views of an imaginary module, small but real: a list with keys, a note with a draft, a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtWidgets import QHBoxLayout, QWidget

from clinician.modulekit.context import Kind, ModuleContext
from clinician.queries.query import query
from clinician.texts import lazy
from ui.models.rows import Column, RowModel
from ui.widgets.fields import TextField
from ui.widgets.labels import Label
from ui.widgets.panes import Pane, column
from ui.widgets.row_table import RowTable

L = lazy("ui")


@dataclass(frozen=True)
class Line:
    key: str
    time: str
    name: str
    address: str


NAMES = ("Astrid Moen", "Per Lund", "Kari Nygård", "Ola Berg", "Solveig Haugen", "Johannes Vik")


@query(watches=("Appointment",))
def day_lines(_reading: Any) -> tuple[Line, ...]:
    """A day of visits."""
    return tuple(
        Line(f"Appointment/{n}", f"{8 + n // 2:02}:{30 * (n % 2):02}", NAMES[n % 6], f"Elvegata {n + 3}")
        for n in range(16)
    )


@dataclass(frozen=True)
class Tick:
    """A command."""

    ref: str
    needs: ClassVar[tuple[str, ...]] = ("Appointment.u",)

    def check(self, _reading: Any, _stamp: Any) -> tuple[Any, ...]:
        return ()

    def build(self, _reading: Any, _stamp: Any) -> tuple[Any, ...]:
        return ()


class DayView(QWidget):
    """A list; Space ticks."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.ctx = ctx
        self.opened_with: dict[str, str] = {}
        self.model: RowModel[Line] = RowModel(
            [
                Column[Line]("time", L("Time"), lambda line: line.time, width=70),
                Column[Line]("name", L("Name"), lambda line: line.name, weight=lambda _l: 600),
                Column[Line]("address", L("Address"), lambda line: line.address, tone=lambda _l: "ink_quiet"),
            ]
        )
        self.table = RowTable(self.model, "homecare.day.list", L("Visits"))
        self.table.take_keys("Space")
        self.table.key_pressed.connect(lambda _key, ref: self.tick(ref))
        pane = Pane("Min dag · tirsdag 3. mars")
        pane.body.addWidget(self.table)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 12, 6, 12)
        row.addWidget(pane)
        ctx.queries.watch(day_lines, self.model.set_rows, None)

    def tick(self, ref: str) -> None:
        self.ctx.commands.run(Tick(ref))

    def trigger(self, action: str) -> bool:
        if action == "tick" and self.table.current_key():
            self.tick(self.table.current_key())
            return True
        return False

    def first_focus(self) -> QWidget:
        return self.table

    def key_hints(self) -> tuple[tuple[Any, Any], ...]:
        return (("Mellomrom", "utført"), ("I", "ikke hjemme"), ("N", "notat"))

    def view_state(self) -> dict[str, str]:
        return {"key": self.table.current_key()}

    def restore_view_state(self, state: Mapping[str, str]) -> None:
        self.table.choose(state.get("key", ""))

    def open_with(self, arguments: Mapping[str, str]) -> None:
        self.opened_with = dict(arguments)

    def retranslate(self) -> None:
        self.setAccessibleDescription(str(L("Visits")))


class NoteView(QWidget):
    """A note with a draft per patient."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.ctx = ctx
        self.field = TextField(L("Note"), "homecare.note.text", lines=6)
        self.field.changed.connect(lambda text: ctx.drafts.save("homecare.note", ctx.patients.current, text))
        pane = Pane("Besøk")
        pane.body.addWidget(Label("Morgenstell · Insulin", weight=600))
        pane.body.addWidget(self.field)
        pane.body.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 12, 12, 12)
        row.addWidget(pane)
        ctx.patients.changed(self._load)
        self._load(ctx.patients.current)

    def _load(self, patient_ref: str) -> None:
        self.field.set_text(self.ctx.drafts.load("homecare.note", patient_ref))

    def first_focus(self) -> QWidget:
        return self.field


def make_day(ctx: ModuleContext) -> QWidget:
    return DayView(ctx)


def make_zone(ctx: ModuleContext) -> QWidget:
    label = Label(L("Time"))
    return column(label, Label(f"{ctx.module_id} {ctx.who.workplace_name}"), margin=4)


def make_user(ctx: ModuleContext) -> QWidget:
    return column(Label(ctx.patients.current), margin=4)


def make_note(ctx: ModuleContext) -> QWidget:
    return NoteView(ctx)


def make_nothing(ctx: ModuleContext) -> QWidget:
    ctx.messages.say("on the way", Kind.INFO)
    raise ZeroDivisionError("Astrid Moen 12034250042")
