"""The user: facts with their source, notes, plan, tasks with history, measurements, documents.

N note · M measurement · P plan · O tasks · T curve or table · D documents.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.commands.act import Command
from clinician.modulekit.context import Ending, ModuleContext
from clinician.texts import Text
from modules.homecare.commands import CloseFollowUp, CompleteTask, ExceptTask, WithdrawNote
from modules.homecare.queries import user_card
from modules.homecare.rows import NotDone, TaskRow, UserCard
from modules.homecare.views import states
from modules.homecare.views.acting import Acting
from modules.homecare.views.curves import Curves
from modules.homecare.views.documents import DocumentsPage
from modules.homecare.views.fact_list import FactList
from modules.homecare.views.hints import hint_pairs, show_hints
from modules.homecare.views.live import Live
from modules.homecare.views.note_editor import NoteEditor
from modules.homecare.views.note_list import NoteList
from modules.homecare.views.reopened import Reopened
from modules.homecare.views.user_rows import note_choices, plan_row, task_row
from modules.homecare.views.why_line import WhyLine
from ui.widgets import theme
from ui.widgets.checklist import Checklist
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.freshness import AgeLabel
from ui.widgets.labels import StateLabel
from ui.widgets.panes import Ground, Pane, Scrolled

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_TABS: Final[tuple[tuple[str, Text], ...]] = (
    ("N", L("Notes (N)")),
    ("P", L("Plan (P)")),
    ("O", L("Tasks (O)")),
    ("M", L("Measurements (M)")),
    ("D", L("Documents (D)")),
)

_LETTERS: Final = ("N", "P", "O", "M", "T", "D")
"""Keys that lead to the parts of the page, from wherever one stands in it"""


def make(ctx: ModuleContext) -> QWidget:
    """The view factory."""
    return UserView(ctx)


class UserView(QWidget):
    """Everything about one user of home care."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.setObjectName("homecare.user")
        self._ctx = ctx
        self._acting = Acting(ctx)
        # Made anew in another language, it is about whoever is in the banner now.
        self._patient = ctx.patients.current or ctx.arguments.get("patient", "")
        self._reopened = Reopened()
        self._card: UserCard | None = None
        self._build()
        self._live = Live(self, self._watch)
        self._connect()
        self._hints()
        self._turn(self._patient)

    # -- building --------------------------------------------------------------------------------------

    def _build(self) -> None:
        space = theme.current().space
        self.facts = FactList()
        left = Pane(L("Facts"))
        left.body.addWidget(self.facts)
        self.tabs = QTabBar()
        self.tabs.setObjectName("homecare.user.tabs")
        self.tabs.setAccessibleName(_("Parts of the user page"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.pages = QStackedWidget()
        self.documents: DocumentsPage | None = None
        self._papers = QWidget()
        pages = (self._notes_page(), self._plan_page(), self._tasks_page(), self._curves_page(), self._papers)
        for page in pages:
            self.tabs.addTab("")
            self.pages.addWidget(page)
        right = Pane(margin=3)
        self._top = QGridLayout()
        self._top.setColumnStretch(0, 1)
        self._age = AgeLabel(self._ctx.record_now, "homecare.user.age")
        self._arrange()
        theme.theme_changed.connect(self._arrange)
        right.body.addLayout(self._top)
        right.body.addWidget(self.pages, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(space(2))
        split.addWidget(left)
        split.addWidget(right)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 3)
        split.setSizes([330, 920])
        empty = EmptyState(
            L("No user chosen"), L("Search for a name with Ctrl+K, or press Enter on a visit."), icon="user"
        )
        self._loading = Loading(split, empty)
        self._missing = Ground("warn_soft")
        strip = QVBoxLayout(self._missing)
        strip.setContentsMargins(space(3), space(1.5), space(3), space(1.5))
        self._missing_words = StateLabel("list-checks", "", "warn", wrap=True)
        strip.addWidget(self._missing_words)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(2))
        column.addWidget(self._missing)
        column.addWidget(self._loading, 1)
        self._missing.hide()
        self.setFocusProxy(self.tabs)

    def _notes_page(self) -> QWidget:
        self.editor = NoteEditor(self._ctx, self._acting, "user")
        self.notes = NoteList()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(3))
        column.addWidget(self.editor)
        listed = Scrolled(self.notes)
        listed.setMinimumHeight(96)
        column.addWidget(listed, 1)
        # Where the text is large the page itself scrolls: the field must never be squeezed to a slit.
        return Scrolled(page)

    def _plan_page(self) -> QWidget:
        self.plan = Checklist("homecare.user.plan", L("Plan"))
        self.plan.take_keys(*_LETTERS)
        self._no_plan = self._with_empty(
            self.plan, L("No plan"), L("There is no care plan in force for this user."), "clipboard-text"
        )
        return self._no_plan

    def _tasks_page(self) -> QWidget:
        self.tasks = Checklist("homecare.user.tasks", L("Tasks"))
        self.tasks.take_keys("Space", "1", "2", "3", "4", "5", *_LETTERS)
        self.why = WhyLine("user")
        self._no_tasks = self._with_empty(
            self.tasks,
            L("No tasks"),
            L("Nothing is to be done, and nothing has been done lately."),
            "list-checks",
        )
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.why)
        column.addWidget(self._no_tasks, 1)
        return page

    def _curves_page(self) -> QWidget:
        self.curves = Curves(self._ctx, self._acting)
        self.curves.plot.table.take_keys(*_LETTERS)
        return self.curves

    def _with_empty(self, content: QWidget, title: Text, text: Text, icon: str) -> Loading:
        return Loading(content, EmptyState(title, text, icon=icon))

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._on_tab)
        self.tasks.key_pressed.connect(self._on_task_key)
        self.why.left.connect(self._to_tasks)
        for through in (self.editor.left, self.editor.thrown_away):
            through.connect(lambda: self._through("note"))
        for through in (self.curves.form.signed, self.curves.form.thrown_away):
            through.connect(lambda: self._through("measurements"))
        for table in (self.plan, self.curves.plot.table):
            table.key_pressed.connect(lambda text, _key: self._letter(text))
        self.notes.withdrawn.connect(self._withdraw)
        ending = self._ctx.patients.changed(self._turn)
        self.destroyed.connect(lambda _gone: ending.end())

    def _arrange(self) -> None:
        """Where the text is large the tabs have the line to themselves, without their letters."""
        large = theme.current().text_scale >= 150
        self._top.addWidget(self.tabs, 0, 0)
        self._top.addWidget(self._age, 1 if large else 0, 0 if large else 1)
        for number, (_key, words) in enumerate(_TABS):
            text = words.render()
            self.tabs.setTabText(number, text.partition(" (")[0] if large else text)

    def _hints(self) -> None:
        self._arrange()
        show_hints(self, _("N = note · M = measurement · P = plan · O = tasks · D = documents · T = table"))

    def key_hints(self) -> tuple[tuple[str, str], ...]:
        """The keys of this view, for the status strip."""
        return hint_pairs(self)

    def open_with(self, arguments: dict[str, str]) -> None:
        """Wanted for a user, while already open."""
        if arguments.get("patient"):
            self._turn(arguments["patient"])
        if arguments.get("reopen"):
            self._reopen(arguments.get("visit", ""), arguments["reopen"])

    def _reopen(self, visit_ref: str, what: str) -> None:
        """What was signed came back: it stands where it was typed, about the same visit."""
        self._reopened.came(self._patient, what, visit_ref)
        self.editor.again()
        self.curves.form.again()
        self.show_tab("M" if what == "measurements" else "N")
        self._live.again()

    def _through(self, what: str) -> None:
        """Signed or thrown away: what is written next is about the user and no visit, or came back before."""
        self._reopened.done(self._patient, what)
        if self._card is not None:
            self._open_editors(self._card.name)

    def _open_editors(self, name: str) -> None:
        of = partial(self._reopened.visit, self._patient)
        self.editor.open(patient_ref=self._patient, name=name, appointment_ref=of("note"))
        self.curves.open(self._patient, name, of("measurements"))

    def _take_cursor_back(self) -> None:
        wanted = self._reopened.cursor()
        if wanted and self.isVisible():
            self._letter("M" if wanted == "measurements" else "N")

    def view_state(self) -> dict[str, str]:
        """What came back and is not signed."""
        return self._reopened.state()

    def restore_view_state(self, state: dict[str, str]) -> None:
        """Go on with it."""
        if self._reopened.restore(state) and self._patient:
            self._live.again()

    def trigger(self, action_id: str) -> bool:
        """Do an action chosen in the palette; False when it is not ours."""
        letter = {"write-note": "N", "record-measurements": "M"}.get(action_id.rpartition(".")[2], "")
        return bool(letter and self.isVisible() and self._card is not None and self._letter(letter))

    # -- reading -----------------------------------------------------------------------------------------

    def _turn(self, patient_ref: str) -> None:
        if patient_ref and patient_ref == self._patient and self._live.is_fresh:
            return  # chosen and opened in one breath: once is enough
        self.why.put_away()
        self._patient = patient_ref
        if not patient_ref:
            self._live.end()
            self._missing.hide()
            self._loading.show_content(False)
            return
        self._loading.wait()
        self._live.again()

    def _watch(self) -> Ending:
        patient_ref = self._patient
        return self._ctx.queries.watch(
            user_card,
            lambda card: self._show(patient_ref, card),
            None,
            patient_ref=patient_ref,
            now=self._ctx.clock.now(),
        )

    def _show(self, patient_ref: str, card: UserCard) -> None:
        if patient_ref != self._patient:
            return
        self._card = card
        self._age.show_age(card.as_of, card.complete)
        self.facts.show_facts(card.facts, card.values)
        self.notes.show_rows(card.notes)
        self.plan.set_rows([plan_row(row) for row in card.plan])
        self.tasks.set_rows([task_row(row) for row in card.tasks])
        for table, page, filled in (
            (self.plan, self._no_plan, bool(card.plan)),
            (self.tasks, self._no_tasks, bool(card.tasks)),
        ):
            table.resizeRowsToContents()
            page.show_content(filled)
        self._open_editors(card.name)
        self.curves.show_news2(card.news2)
        self._on_tab(self.tabs.currentIndex())
        lacking = _("Not recorded: {what}", what=" · ".join(card.missing)) if card.missing else ""
        self._missing_words.set_state("list-checks", lacking, "warn")
        self._missing.setVisible(bool(lacking))
        self._loading.show_content(True)
        self._take_cursor_back()

    def _on_tab(self, index: int) -> None:
        """Documents are looked for when somebody looks at them, and not before."""
        self.pages.setCurrentIndex(index)
        card = self._card
        if _TABS[index][0] != "D" or card is None or self._ctx.documents is None:
            return
        if self.documents is None:
            self.documents = DocumentsPage(self._ctx, self._acting, self._letter)
            column = QVBoxLayout(self._papers)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(self.documents)
        self.documents.open(self._patient, card.name, note_choices(card))

    # -- doing -------------------------------------------------------------------------------------------

    def show_tab(self, key: str) -> None:
        """N, P, O, M or D."""
        self.tabs.setCurrentIndex([tab for tab, _words in _TABS].index(key))

    def _on_task_key(self, text: str, key: str) -> None:
        card = self._card
        if text in _LETTERS:
            self._letter(text)
            return
        row = next((task for task in card.tasks if task.key == key), None) if card else None
        if row is None or not row.is_open:
            return
        if text == "SPACE":
            command: Command = CloseFollowUp(key) if row.is_follow_up else CompleteTask(key)
            self._acting.run(command, _("Done: {title}", title=row.title))
        elif not row.is_follow_up:
            self._except(row, states.REASONS[int(text) - 1][0])

    def _except(self, row: TaskRow, reason: NotDone) -> None:
        said = f"{states.reason_words(reason).capitalize()}: {row.title}"
        if reason is not NotDone.OTHER:
            self._acting.run(ExceptTask(row.key, reason), said)
            return

        def sign(text: str) -> None:
            self._acting.run(ExceptTask(row.key, reason, text), said)
            self._to_tasks()

        self.why.ask(row.key, row.title, sign)

    def _to_tasks(self) -> None:
        self.tasks.setFocus(Qt.FocusReason.OtherFocusReason)

    def _withdraw(self, note_ref: str, reason: str) -> None:
        self._acting.run(
            WithdrawNote(note_ref, reason), _("The note is withdrawn and stays readable as such.")
        )

    def _letter(self, text: str) -> bool:
        if text not in _LETTERS:
            return False
        self.show_tab("M" if text == "T" else text)
        if text == "N":
            self.editor.take_cursor()
        elif text == "M":
            self.curves.measure()
        elif text == "T":
            self.curves.toggle_table()
        elif text == "D":
            if self.documents is not None:
                self.documents.take_cursor()
        else:
            (self.plan if text == "P" else self.tasks).setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.isAutoRepeat() or self._card is None:
            super().keyPressEvent(event)
        elif plain == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_Z:
            self._acting.undo_last()
        elif event.key() == Qt.Key.Key_Escape:
            self.tabs.setFocus(Qt.FocusReason.OtherFocusReason)
        elif plain == Qt.KeyboardModifier.NoModifier and self._letter(event.text().upper()):
            event.accept()
        else:
            super().keyPressEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._hints()
            if self._patient:
                self._live.again()
        super().changeEvent(event)
