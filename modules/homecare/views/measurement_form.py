"""Measurements as one types them: one field each, judged beside the field, Enter signs them together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.errors import ClinicianError, UserProblem
from clinician.modulekit.context import ModuleContext
from modules.homecare.commands import Measured, RecordMeasurements
from modules.homecare.queries import measurement_doubts, measurement_kinds
from modules.homecare.rows import MeasurementKind
from modules.homecare.views import measurement_parse
from modules.homecare.views.acting import Acting
from modules.homecare.views.draft import Draft, Restored
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import ChoiceField, LineField
from ui.widgets.labels import Label, StateLabel

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_COLUMN: Final = 168


class _Kind(QWidget):
    """One measurement: a line or a choice, with its doubt in words beneath."""

    changed = Signal()
    entered = Signal()

    def __init__(self, kind: MeasurementKind, view: str) -> None:
        super().__init__()
        self.kind = kind
        name = f"homecare.{view}.measure_{kind.key.replace('-', '_')}"
        unit = kind.fields[0].unit_text if kind.fields else ""
        label = f"{kind.label} ({unit})" if unit else kind.label
        choices = kind.fields[0].choices if kind.fields else ()
        self._doubt = StateLabel("question", "", "warn", wrap=True)
        self._doubt.hide()
        self.line: LineField | None = None
        self.choice: ChoiceField | None = None
        if choices:
            self.choice = ChoiceField(label, name, (("", "–"), *choices))
            self.choice.chosen.connect(lambda _value: self.changed.emit())
        else:
            self.line = LineField(label, name, hint=measurement_parse.how_to_write(kind))
            self.line.changed.connect(self._judge)
            self.line.entered.connect(self.entered)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.field)
        column.addWidget(self._doubt)
        column.addStretch(1)
        self.setFocusProxy(self.field)

    @property
    def field(self) -> LineField | ChoiceField:
        """The control with its label."""
        field = self.line or self.choice
        assert field is not None
        return field

    @property
    def text(self) -> str:
        """What is typed or chosen."""
        return self.line.text if self.line else self.choice.value if self.choice else ""

    def set_text(self, text: str) -> None:
        """Fill it."""
        if self.line:
            self.line.set_text(text)
        elif self.choice:
            self.choice.set_value(text)

    def _judge(self, _text: str = "") -> None:
        found = measurement_parse.read(self.kind, self.text)
        # A number half typed is no fault yet: '1' on the way to '120/80' is left in peace.
        self._doubt.setVisible(bool(found.doubt))
        self._doubt.set_state("question", found.doubt, "warn")
        self.changed.emit()

    def measured(self) -> Measured | None:
        """What to sign, None when empty or at fault; a fault is shown."""
        if self.choice:
            return Measured(self.kind.key, choice=self.text) if self.text else None
        found = measurement_parse.read(self.kind, self.text)
        self.field.set_problem(found.fault)
        return None if found.values is None else Measured(self.kind.key, found.values)

    @property
    def has_fault(self) -> bool:
        """Whether what is typed cannot be signed."""
        return (
            bool(self.text) and not self.choice and bool(measurement_parse.read(self.kind, self.text).fault)
        )


class MeasurementForm(QWidget):
    """The whole set. `left` when signed or left with Esc."""

    left = Signal()
    signed = Signal()
    thrown_away = Signal()

    def __init__(self, ctx: ModuleContext, acting: Acting, view: str) -> None:
        super().__init__()
        self._ctx, self._acting, self._view = ctx, acting, view
        self._patient, self._appointment, self._name = "", "", ""
        self._kinds: dict[str, _Kind] = {}
        self._waiting_measure = ""
        self._asked: tuple[Measured, ...] = ()
        self._restored = Restored(f"homecare.{view}.measure_throw")
        self._question = StateLabel("question", "", "warn", weight=600, wrap=True)
        self._question.hide()
        self._sign = Button(
            L("Sign measurements"),
            f"homecare.{view}.measure_sign",
            icon="pencil-simple",
            signs=True,
            hint=L("Enter"),
        )
        self._who = Label("", size=12, tone="ink_quiet", wrap=True)
        self._build()
        self._draft = Draft(ctx, self, self._content)
        self._sign.clicked.connect(self.sign)
        self._restored.thrown_away.connect(self._throw_away)
        ctx.queries.run(measurement_kinds, self._on_kinds)

    def _build(self) -> None:
        space = theme.current().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(1.5))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(space(3))
        self._grid.setVerticalSpacing(space(2))
        tools = QHBoxLayout()
        tools.setSpacing(space(3))
        tools.addWidget(self._sign)
        tools.addWidget(self._who, 1)
        for part in (self._restored, self._question):
            column.addWidget(part)
        column.addLayout(self._grid)
        column.addLayout(tools)

    # -- kinds -----------------------------------------------------------------------------------

    def _on_kinds(self, kinds: tuple[MeasurementKind, ...]) -> None:
        for kind in kinds:
            field = _Kind(kind, self._view)
            field.changed.connect(self._on_changed)
            field.entered.connect(self.sign)
            self._kinds[kind.key] = field
        self._arrange()
        if self._patient:
            self._fill(self._ctx.drafts.load(self._draft_key(), self._patient))
        if self._waiting_measure or self.isVisible():
            self.take_cursor(self._waiting_measure)

    def _arrange(self) -> None:
        wide = max(2, self.width() // round(_COLUMN * theme.current().text_scale / 100))
        for place, field in enumerate(self._kinds.values()):
            self._grid.addWidget(field, *divmod(place, wide))
        for number in range(self._grid.columnCount()):
            self._grid.setColumnStretch(number, 1 if number < wide else 0)

    def fit(self, width: int) -> None:
        """Lay the fields out for a width."""
        if self._kinds and abs(width - self.width()) > 8:
            self.resize(width, self.height())
        self._arrange()

    def take_cursor(self, measure: str = "") -> None:
        """Put the cursor in the field of a measure, else in the first that is filled, else in the first."""
        if not self._kinds:
            self._waiting_measure = measure
            return
        self._waiting_measure = ""
        fields = self._kinds.values()
        filled = next((field for field in fields if field.text), next(iter(fields)))
        field = self._kinds.get(measure, filled)
        field.field.control.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # -- whose -----------------------------------------------------------------------------------

    def _draft_key(self) -> str:
        return f"homecare.measurements:{self._appointment or self._patient}"

    def open(self, *, patient_ref: str, name: str, appointment_ref: str = "") -> bool:
        """Turn to a user or a visit; True when an unsigned form came back."""
        if (patient_ref, appointment_ref) == (self._patient, self._appointment):
            return False
        self._draft.flush()
        self._patient, self._appointment, self._name = patient_ref, appointment_ref, name
        left = self._draft.open(self._draft_key(), patient_ref)
        who = _("Signed by {who} about {name}", who=self._ctx.who.name, name=name)
        self._who.set_words(who)
        self._sign.setAccessibleDescription(who)
        self._fill(left)
        return bool(left)

    def again(self) -> None:
        """What is kept may be another now: the next opening reads it anew."""
        self._draft.flush()
        self._patient = self._appointment = ""

    def _fill(self, left: str) -> None:
        try:
            content = json.loads(left) if left else {}
        except ValueError:
            content = {}
        for key, field in self._kinds.items():
            field.set_text(str(content.get(key, "")) if isinstance(content, dict) else "")
        self._draft.flush()
        self._restored.setVisible(bool(left))
        self._ask("")

    def _content(self) -> str:
        typed = {key: field.text for key, field in self._kinds.items() if field.text}
        return json.dumps(typed, ensure_ascii=False) if typed else ""

    def _on_changed(self) -> None:
        self._ask("")
        self._draft.touch()

    def _throw_away(self) -> None:
        self._fill("")
        self._draft.forget()
        self.thrown_away.emit()
        self.take_cursor()

    # -- sign -------------------------------------------------------------------------------------

    def _ask(self, words: str) -> None:
        if not words:
            self._asked = ()
        self._question.setVisible(bool(words))
        self._question.set_state("question", words, "warn")

    def sign(self) -> None:
        """Sign what is filled in; unusual values are asked about once, in the form."""
        fields = list(self._kinds.values())
        values = tuple(value for field in fields if (value := field.measured()) is not None)
        at_fault = next((field for field in fields if field.has_fault), None)
        if at_fault is not None:
            at_fault.field.control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if not values:
            self._ask(_("Nothing is filled in."))
            return
        if values == self._asked:
            self._write(values)
            return
        self._ctx.queries.run(
            measurement_doubts,
            lambda doubts: self._on_doubts(values, doubts),
            None,
            patient_ref=self._patient,
            values=values,
        )

    def _on_doubts(self, values: tuple[Measured, ...], doubts: Sequence[str]) -> None:
        if not doubts:
            self._write(values)
            return
        self._asked = values
        words = _("{doubts} Enter once more signs it as it stands.", doubts=" ".join(doubts))
        self._question.show()
        self._question.set_state("question", words, "warn")

    def _write(self, values: tuple[Measured, ...]) -> None:
        command = RecordMeasurements(self._patient, values, appointment_ref=self._appointment)
        said = _("Measurements signed: {name}", name=self._name)
        self._acting.run(command, said, lambda _done: self._on_signed(), self._on_problems)

    def _on_signed(self) -> None:
        self._fill("")
        self._draft.forget()
        self.left.emit()
        self.signed.emit()

    def _on_problems(self, problems: tuple[ClinicianError, ...]) -> None:
        for problem in problems:
            where = problem.field.split(".")[0] if isinstance(problem, UserProblem) else ""
            field = self._kinds.get(where)
            if field is None:
                self._ctx.messages.problem(problem)
            else:
                field.field.set_problem(problem.text)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
