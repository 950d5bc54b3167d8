"""Two people changed the same thing: base, mine and theirs side by side, decided with one key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.errors import ClinicianError
from clinician.modulekit.context import Kind
from clinician.texts import lazy
from ui.models.rows import Column, RowModel
from ui.shell.desk import Desk
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label
from ui.widgets.panes import Ground, Pane, row
from ui.widgets.row_table import RowTable
from ui.widgets.words import Words

if TYPE_CHECKING:
    from clinician.queries.outbox import ConflictView

L = lazy("ui")


@dataclass(frozen=True, slots=True)
class _Field:
    key: str
    label: str
    base: str
    mine: str
    theirs: str
    same: bool
    pick: str = ""
    """'mine' or 'theirs' where a person may choose field by field; '' where not"""


CHOICES: dict[str, tuple[Words, Words, str, str]] = {
    "merged": (L("Keep both"), L("What does not clash is put together"), "link", "B"),
    "mine": (L("Keep mine"), L("Mine is sent over theirs"), "user", "M"),
    "theirs": (L("Keep theirs"), L("Mine is taken back"), "users", "D"),
    "fields": (L("Keep marked"), L("Field by field, as you have marked"), "check-square", "F"),
}
"""choice → (button, what it does, icon, key)"""


class ConflictPage(Ground):
    """`left` when the decision is taken or put off."""

    left = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.conflict")
        self._desk = desk
        self._op_id = ""
        self._choices: tuple[str, ...] = ()
        self._fields: tuple[_Field, ...] = ()
        self._model: RowModel[_Field] = RowModel(
            [
                Column[_Field](
                    "label",
                    L("Field"),
                    lambda f: f.label,
                    width=170,
                    icon=lambda f: "check" if f.same else "git-diff",
                    tone=lambda f: "ink_quiet" if f.same else "danger",
                ),
                Column[_Field](
                    "base", L("Before"), lambda f: f.base or "–", tone=lambda _f: "ink_quiet", may_hide=True
                ),
                Column[_Field](
                    "mine",
                    L("Mine"),
                    lambda f: f.mine or "–",
                    weight=_weight,
                    tip=lambda f: f.mine,
                    icon=lambda f: _mark(f, "mine"),
                ),
                Column[_Field](
                    "theirs",
                    L("Theirs"),
                    lambda f: f.theirs or "–",
                    weight=_weight,
                    tip=lambda f: f.theirs,
                    icon=lambda f: _mark(f, "theirs"),
                ),
            ]
        )
        self._build()

    def _build(self) -> None:
        space = theme.current().space
        pane = Pane(L("Somebody else changed the same"))
        self._title = Label(size=18, weight=600, wrap=True)
        self._who = Label(tone="ink_quiet", wrap=True)
        self.table = RowTable(self._model, "shell.conflict.sides", L("Field by field"))
        self.table.take_keys("Space", *(key for *_rest, key in CHOICES.values()))
        self.table.key_pressed.connect(lambda key, _field: self._on_key(key))
        self._ways: dict[str, QWidget] = {}
        ways = QHBoxLayout()
        ways.setSpacing(space(2))
        for choice, (words, what, icon, key) in CHOICES.items():
            kind = "primary" if choice == "merged" else "plain"
            button = Button(words, f"shell.conflict.{choice}", icon=icon, kind=kind, hint=what, signs=True)
            button.clicked.connect(lambda _on=False, choice=choice: self._decide(choice))
            self._ways[choice] = row(button, Label(key, size=12, tone="ink_quiet"), stretch=False)
            ways.addWidget(self._ways[choice])
        ways.addStretch(1)
        later = Button(L("Decide later"), "shell.conflict.later", kind="quiet", hint=L("Escape"))
        later.clicked.connect(self.left)
        pane.tools.addWidget(later)
        self._said = Label(tone="ink_quiet", wrap=True)
        self._said.set_words(
            L("Nothing is lost: both versions are kept until you decide, and in the history after.")
        )
        for part in (self._title, self._who):
            pane.body.addWidget(part)
        pane.body.addWidget(self.table, 1)
        pane.body.addWidget(self._said)
        pane.body.addLayout(ways)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space(3), space(3), space(3), space(3))
        outer.addWidget(pane)

    def begin(self, op_id: str) -> None:
        """Show the conflict of an act."""
        from clinician.queries.outbox import conflict_view

        self._op_id = op_id
        self._model.set_rows(())
        self._title.set_words(L("Fetching …"))
        self._desk.reads.run(conflict_view, self._show, self._on_problem, op_id=op_id)

    def key_hints(self) -> tuple[tuple[Words, Words], ...]:
        """What the keys do here."""
        known = [(CHOICES[choice][3], CHOICES[choice][0]) for choice in self._choices if choice in CHOICES]
        switch = ((L("Space"), L("other side")),) if "fields" in self._choices else ()
        return (*known, *switch, (L("Escape"), L("decide later")))

    def _show(self, view: ConflictView) -> None:
        self._choices = tuple(view.choices)
        may_pick = "fields" in self._choices
        self._fields = tuple(
            _Field(
                f.path,
                f.label,
                f.base,
                f.mine,
                f.theirs,
                f.same,
                ("mine" if f.theirs == f.base else "theirs") if may_pick and not f.same else "",
            )
            for f in sorted(view.fields, key=lambda f: f.same)
        )
        self._model.set_rows(self._fields)
        if view.patient_ref:  # the banner must never name another person than the one decided about
            self._desk.patient.choose(view.patient_ref)
        self._title.set_words(" · ".join(part for part in (view.title, view.patient_name) if part))
        words = L("Changed by {name}, {when}", name=view.theirs_author, when=view.theirs_when)
        unknown = L("Changed by {name}; when is not known", name=view.theirs_author)
        self._who.set_words(words if view.theirs_when else unknown)
        for choice in self._ways:
            self._ways[choice].setVisible(choice in self._choices)
        self.table.setFocus()
        self._desk.hints_changed.emit()

    def _on_problem(self, problem: ClinicianError) -> None:
        self._desk.messages.problem(problem)
        self.left.emit()

    def _decide(self, choice: str) -> None:
        op_id, said = self._op_id, CHOICES[choice][1]
        picks = {f.key: f.pick for f in self._fields if f.pick} if choice == "fields" else None
        self._desk.act(
            lambda: self._desk.station.decide(op_id, choice, picks),
            lambda: self._desk.messages.say(L("Decided: {what}", what=said), Kind.DONE),
        )
        self.left.emit()

    def _switch(self) -> None:
        """The other side for the chosen field."""
        key = self.table.current_key()
        self._fields = tuple(
            replace(f, pick="mine" if f.pick == "theirs" else "theirs") if f.key == key and f.pick else f
            for f in self._fields
        )
        self._model.set_rows(self._fields)
        self.table.choose(key)

    def _on_key(self, pressed: str) -> bool:
        if pressed in ("SPACE", " "):
            self._switch()
            return True
        for choice, (_words, _what, _icon, key) in CHOICES.items():
            if pressed == key and choice in self._choices:
                self._decide(choice)
                return True
        return False

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        if not event.isAutoRepeat() and self._on_key(event.text().upper()):
            return
        super().keyPressEvent(event)


def _weight(field: _Field) -> int:
    return 400 if field.same else 600


def _mark(field: _Field, side: str) -> str:
    return "check-circle" if field.pick == side else "circle" if field.pick else ""
