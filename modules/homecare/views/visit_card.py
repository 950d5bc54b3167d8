"""The visit opened beside the list: tasks, what changed, last values, note; signed here or from the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.commands import CompleteTask, ExceptTask
from modules.homecare.rows import ChangeRow, NotDone, TaskRow, ValueRow, VisitCard, VisitState
from modules.homecare.views import states
from modules.homecare.views.access_detail import AccessDetail
from modules.homecare.views.acting import Acting
from modules.homecare.views.chain import Chain
from modules.homecare.views.measurement_form import MeasurementForm
from modules.homecare.views.note_editor import NoteEditor
from modules.homecare.views.visit_parts import Facts, TaskList, check_row
from modules.homecare.views.why_line import WhyLine
from ui.widgets import theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Ground, Hairline, Pane, Scrolled

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_OPEN: Final = (VisitState.OPEN, VisitState.IN_PROGRESS, VisitState.UNASSIGNED)


class VisitCardView(Pane):
    """One visit. It asks the pane to sign the visit, and signs tasks itself."""

    completed = Signal()
    not_home = Signal()
    excepted = Signal(str)
    back = Signal()
    user_wanted = Signal()

    def __init__(self, ctx: ModuleContext, acting: Acting) -> None:
        super().__init__(margin=1)
        self.setObjectName("homecare.visit.card")
        self._ctx, self._acting = ctx, acting
        self._card: VisitCard | None = None
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        space = theme.current().space
        self._column.setContentsMargins(space(4), space(2), space(4), space(3))
        self._column.setSpacing(space(2))
        self._build_head()
        self._build_actions()
        self._build_body()
        self._scroll = Scrolled(inner)
        self.body.addWidget(self._scroll)
        self._connect()

    # -- building ----------------------------------------------------------------------------------

    def _build_head(self) -> None:
        space = theme.current().space
        self._name = Label("", size=18, weight=600, wrap=True)
        self._born = Label("", tone="ink_quiet")
        self._state = StateLabel("circle", "", "ink_quiet")
        self._open_user = IconButton("user-circle", L("Open the user (Enter)"), "homecare.visit.open_user")
        head = QHBoxLayout()
        head.setSpacing(space(3))
        head.addWidget(self._name, 1)
        head.addWidget(self._open_user)
        second = QHBoxLayout()
        second.setSpacing(space(4))
        second.addWidget(self._born)
        second.addWidget(self._state)
        second.addStretch(1)
        self._facts = Facts()
        self._access = AccessDetail(self._ctx, "visit")
        body = self._column
        body.addLayout(head)
        body.addLayout(second)
        body.addWidget(self._facts)
        body.addWidget(self._access)

    def _build_actions(self) -> None:
        space = theme.current().space
        self.done_button = Button(
            L("Done"),
            "homecare.visit.complete",
            icon="check",
            kind="primary",
            signs=True,
            hint=L("Space in the list, Ctrl+Space here"),
        )
        self.not_home_button = Button(
            L("Not home"), "homecare.visit.not_home", icon="house-line", signs=True, hint=L("I")
        )
        self._reasons: list[Button] = []
        row = QHBoxLayout()
        row.setSpacing(space(2))
        row.addWidget(self.done_button, 2)
        row.addWidget(self.not_home_button, 1)
        self._signature = Label("", size=12, tone="ink_quiet", wrap=True)
        self._exceptions = QWidget()
        self._exceptions_grid = QGridLayout(self._exceptions)
        self._exceptions_grid.setContentsMargins(0, 0, 0, 0)
        self._exceptions_grid.setSpacing(space(1))
        for number, (reason, words) in enumerate(states.REASONS, 1):
            button = Button(
                f"{number} {words.render()}", f"homecare.visit.except_{number}", kind="quiet", signs=True
            )
            button.clicked.connect(lambda _checked=False, r=reason: self.excepted.emit(str(r)))
            self._reasons.append(button)
        self._lay_reasons()
        theme.theme_changed.connect(self._lay_reasons)
        self._actions = QWidget()
        column = QVBoxLayout(self._actions)
        column.setContentsMargins(0, space(1), 0, space(1))
        column.setSpacing(space(1))
        column.addLayout(row)
        column.addWidget(self._exceptions)
        column.addWidget(self._signature)
        self.why = WhyLine("visit")
        self._column.addWidget(self._actions)
        self._column.addWidget(self.why)

    def _lay_reasons(self) -> None:
        across = 5 if theme.current().text_scale < 150 else 3
        for place, button in enumerate(self._reasons):
            self._exceptions_grid.addWidget(button, *divmod(place, across))

    def _build_body(self) -> None:
        space = theme.current().space
        self.chain = Chain(self._ctx, self._acting, "visit")
        self._changes = Ground("warn_soft")
        self._changes_column = QVBoxLayout(self._changes)
        self._changes_column.setContentsMargins(space(3), space(2), space(3), space(2))
        self._changes_column.setSpacing(space(1))
        self._tasks_title = Label("", weight=600)
        self.tasks = TaskList()
        self._values_title = Label(L("Last values"), weight=600)
        self._values = QWidget()
        self._values_grid = QGridLayout(self._values)
        self._values_grid.setContentsMargins(0, 0, 0, 0)
        self._values_grid.setHorizontalSpacing(space(4))
        self._values_grid.setVerticalSpacing(space(1))
        self.measure_button = Button(
            L("New measurement (M)"), "homecare.visit.measure", kind="quiet", icon="heartbeat"
        )
        self.form = MeasurementForm(self._ctx, self._acting, "visit")
        self.form.hide()
        self.note = NoteEditor(self._ctx, self._acting, "visit")
        line = QHBoxLayout()
        line.addWidget(self._values_title, 1)
        line.addWidget(self.measure_button)
        body = self._column
        for part in (self.chain, self._changes, self._tasks_title, self.tasks, self.note, Hairline()):
            body.addWidget(part)
        body.addLayout(line)
        body.addWidget(self.form)
        body.addWidget(self._values)
        body.addStretch(1)

    def _connect(self) -> None:
        self.done_button.clicked.connect(self.completed)
        self.not_home_button.clicked.connect(self.not_home)
        self._open_user.clicked.connect(self.user_wanted)
        self.measure_button.clicked.connect(self.measure)
        self.tasks.left.connect(self.back)
        self.tasks.visit_signed.connect(self.completed)
        self.tasks.key_pressed.connect(self._on_task_key)
        self.tasks.chosen.connect(lambda _key: self._see(self.tasks))
        self.form.left.connect(self._leave_form)
        self.note.left.connect(self.back)
        self.why.left.connect(self.back)
        self.chain.left.connect(self.back)

    # -- showing -----------------------------------------------------------------------------------

    @property
    def card(self) -> VisitCard | None:
        """The visit shown."""
        return self._card

    def show_card(self, card: VisitCard) -> None:
        """Show a visit; the same visit again changes only what changed."""
        is_other = self._card is None or self._card.key != card.key
        if self.why.visit_ref != card.key:
            self.why.put_away()
        self._card = card
        self._show_head(card)
        self._show_actions(card)
        self.chain.show_rows([task for task in card.tasks if task.is_follow_up])
        self._show_changes(card.changes)
        self._show_tasks(tuple(task for task in card.tasks if not task.is_follow_up))
        self._show_values(card.values)
        self.note.open(patient_ref=card.patient_ref, name=card.patient_name, appointment_ref=card.key)
        left = self.form.open(patient_ref=card.patient_ref, name=card.patient_name, appointment_ref=card.key)
        if is_other:
            self.form.setVisible(left)
            self._scroll.verticalScrollBar().setValue(0)
            self.tasks.clearSelection()

    def _show_head(self, card: VisitCard) -> None:
        self._name.set_words(card.patient_name)
        self._born.set_words(_("born {date}", date=card.birth_text) if card.birth_text else "")
        shown = states.row_state(card.state) or states.visit_state(card.visit_state)
        self._state.set_state(shown.icon, shown.words, shown.role)
        times = [_("planned {time}", time=card.planned_text) if card.planned_text else ""]
        times += [_("granted {time}", time=card.granted_text) if card.granted_text else ""]
        is_time = any(letter.isdigit() for letter in card.actual_text)
        times += [_("actual {time}", time=card.actual_text) if is_time else ""]
        kin = " ".join(part for part in (card.next_of_kin_text, card.next_of_kin_phone) if part)
        self._facts.show_fact("clock", " · ".join(time for time in times if time))
        self._facts.show_fact("map-pin", " · ".join(part for part in (card.address, card.phone) if part))
        self._facts.show_fact("users-three", _("Next of kin: {kin}", kin=kin) if kin else "")
        together = _("Together with {name}", name=card.colleague_text) if card.colleague_text else ""
        self._facts.show_fact("users", together, "accent")
        self._facts.show_fact("info", card.comment)
        self._access.show_hint(card.access_hint, card.access_flag_ref)

    def _show_actions(self, card: VisitCard) -> None:
        self._actions.setVisible(card.visit_state in _OPEN)
        who = self._ctx.who.name
        born = _("born {date}", date=card.birth_text) if card.birth_text else ""
        whom = ", ".join(part for part in (card.patient_name, born) if part)
        words = _("Signed by {who} about {name}", who=who, name=whom)
        self._signature.set_words(words)
        for button in (self.done_button, self.not_home_button, *self._reasons):
            button.setAccessibleDescription(words)

    def _show_changes(self, changes: tuple[ChangeRow, ...]) -> None:
        while self._changes_column.count():
            item = self._changes_column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        self._changes.setVisible(bool(changes))
        if not changes:
            return
        self._changes_column.addWidget(
            StateLabel("bell", L("Changed since your last visit"), "warn", weight=600)
        )
        for change in changes:
            words = " · ".join(part for part in (change.when_text, change.text, change.author) if part)
            self._changes_column.addWidget(Label(words, wrap=True))

    def _show_tasks(self, tasks: tuple[TaskRow, ...]) -> None:
        left = sum(task.is_open for task in tasks)
        self._tasks_title.set_words(
            _.n("{n} thing to do", "{n} things to do", left) if left else _("Everything here is answered for")
        )
        self._tasks_title.setVisible(bool(tasks))
        self.tasks.setVisible(bool(tasks))
        self.tasks.set_rows([check_row(task) for task in tasks])
        self.tasks.resizeRowsToContents()
        self.tasks.setFixedHeight(self.tasks.sizeHint().height())

    def _show_values(self, values: tuple[ValueRow, ...]) -> None:
        grid = self._values_grid
        while grid.count():
            item = grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for number, value in enumerate(values):
            grid.addWidget(Label(value.label, tone="ink_quiet"), number, 0)
            grid.addWidget(Label(value.value_text, weight=600), number, 1)
            grid.addWidget(Label(value.change_text, tone="ink_quiet"), number, 2)
            grid.addWidget(Label(value.when_text, size=12, tone="ink_quiet"), number, 3)
        grid.setColumnStretch(4, 1)
        if not values:
            grid.addWidget(Label(L("Nothing measured yet."), tone="ink_quiet"), 0, 0)

    # -- doing ---------------------------------------------------------------------------------------

    def take_tasks(self) -> None:
        """Keyboard into the checklist, on the first open task."""
        open_rows = [row.key for row in self.tasks.checks.rows if row.is_open]
        if not self.tasks.checks.rows:
            self.note.take_cursor()
            return
        self.tasks.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.tasks.choose(open_rows[0] if open_rows else self.tasks.checks.keys()[0])

    def write_note(self) -> None:
        """Keyboard into the note."""
        self.note.take_cursor()
        self._see(self.note)

    def measure(self) -> None:
        """Open the measurement form, at the measure of the task one stands on."""
        card = self._card
        if card is None:
            return
        task = next((t for t in card.tasks if t.key == self.tasks.current_key()), None)
        wanted = task.measure if task is not None and self.tasks.hasFocus() else ""
        wanted = wanted or next((t.measure for t in card.tasks if t.is_open and t.measure), "")
        self.form.show()
        self.form.fit(self._scroll.viewport().width() - theme.current().space(8))
        self.form.take_cursor(wanted)
        self._see(self.form)

    def ask_why(self, visit_ref: str, about: str, then: Callable[[str], None]) -> None:
        """Ask for the words 'another reason' needs; the card of the visit may still be on its way."""
        self.why.ask(visit_ref, about, then)
        self._see(self.why)

    def hand_over(self) -> bool:
        """Keyboard into the owner of the first open follow-up; False when there is none."""
        if not self.chain.hand_over():
            return False
        self._see(self.chain)
        return True

    def show_access(self) -> None:
        """Show or hide how to get in."""
        self._access.toggle()

    def _leave_form(self) -> None:
        self.form.hide()
        self.back.emit()

    def _see(self, part: QWidget) -> None:
        self._scroll.ensureWidgetVisible(part, 0, theme.current().space(4))

    def _on_task_key(self, text: str, key: str) -> None:
        numbers = {str(number): reason for number, (reason, _words) in enumerate(states.REASONS, 1)}
        if text == "SPACE":
            self._sign_task(key, CompleteTask(key), _("Done"))
        elif text in numbers:
            self._except_task(key, numbers[text])
        elif text == "N":
            self.write_note()
        elif text == "M":
            self.measure()
        elif text == "K":
            self.show_access()
        elif text == "I":
            self.not_home.emit()
        elif text == "H":
            self.hand_over()

    def _except_task(self, key: str, reason: NotDone) -> None:
        row, word = self.tasks.checks.row_of(key), states.reason_words(reason).capitalize()
        if row is None or not row.is_open or self._card is None:
            return
        if reason is NotDone.OTHER:
            self.ask_why(
                self._card.key,
                row.title,
                lambda text: self._sign_task(key, ExceptTask(key, reason, text), word),
            )
            return
        self._sign_task(key, ExceptTask(key, reason), word)

    def _sign_task(self, key: str, command: CompleteTask | ExceptTask, word: str) -> None:
        row = self.tasks.checks.row_of(key)
        if row is None or not row.is_open:
            return
        keys = self.tasks.checks.keys()
        after = keys[keys.index(key) + 1 :] + keys[: keys.index(key)]
        is_open = {r.key: r.is_open for r in self.tasks.checks.rows}
        following = next((k for k in after if is_open[k]), "")
        self._acting.run(command, f"{word}: {row.title}")
        if following:
            self.tasks.setFocus(Qt.FocusReason.OtherFocusReason)
            self.tasks.choose(following)
        else:
            self.back.emit()
