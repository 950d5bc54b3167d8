"""The outbox in plain words: what waits, what was sent, what needs a decision, and the ways out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from clinician.clock import oslo
from clinician.modulekit.context import Kind
from clinician.texts import lazy, translator
from ui.jobs import Pool
from ui.models.rows import Column, RowModel
from ui.shell.desk import Desk
from ui.shell.reads import Watch
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Ground, Pane, Scrolled
from ui.widgets.row_table import RowTable
from ui.widgets.words import Words

if TYPE_CHECKING:
    from clinician.modulekit.reopening import Reopened
    from clinician.queries.outbox import OutboxRow

L = lazy("ui")
_ = translator("ui")


FACES = {
    "draft": ("pencil-simple", "ink_quiet"),
    "queued": ("hourglass", "ink"),
    "sending": ("paper-plane-tilt", "ink"),
    "unknown": ("question", "offline"),
    "applied": ("check-circle", "done"),
    "conflict": ("git-diff", "danger"),
    "rejected": ("x-circle", "danger"),
    "parked": ("pause", "warn"),
    "decided": ("scales", "ink_quiet"),
    "withdrawn": ("arrow-u-up-left", "ink_quiet"),
}
"""Glyph and role of each state of the outbox; the word comes with the row."""


_AGAIN = {
    True: L("Taken back. It will not be sent. What you typed is here again; put it right and sign."),
    False: L("Taken back. It will not be sent. Here you can do it again."),
}
"""Said where the work goes on, by whether anything was typed in it."""

_TO_DECIDE = frozenset({"conflict", "rejected", "parked"})


def face(state: str) -> tuple[str, str]:
    """(icon, role) of a state; one not known is shown quietly."""
    return FACES.get(state, ("circle", "ink_quiet"))


def _weight(row: OutboxRow) -> int:
    return 400 if row.state in ("applied", "decided") else 600


def _sums(waiting: Sequence[OutboxRow], sent: int) -> str:
    """'1 må avgjøres · 2 venter · 5 sendt i dag', told apart as the strip does."""
    todo = sum(row.state in _TO_DECIDE for row in waiting)
    rest = len(waiting) - todo
    parts = [_.n("{n} to decide", "{n} to decide", todo)] if todo else []
    if rest or not todo:
        parts.append(_.n("{n} waits", "{n} wait", rest) if rest else _("Nothing waits"))
    parts.append(_("{n} sent today", n=sent))
    return " · ".join(parts)


class OutboxPage(Ground):
    """A list and, beside it, what is chosen with its ways out as buttons and keys."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.outbox")
        self._desk = desk
        self._watches: list[Watch] = []
        self._waiting: tuple[OutboxRow, ...] | None = None
        self._sent: tuple[OutboxRow, ...] | None = None
        self._decided: tuple[OutboxRow, ...] = ()
        self._is_new = True
        self._wanted = ""
        self._day: date | None = None
        self._model: RowModel[OutboxRow] = RowModel(
            [
                Column(
                    "state",
                    L("State"),
                    lambda row: row.state_text,
                    width=180,
                    icon=lambda row: face(row.state)[0],
                    tone=lambda row: face(row.state)[1],
                ),
                Column("when", L("When"), lambda row: row.when_text, width=100, may_hide=True),
                Column("label", L("What"), lambda row: row.label, weight=_weight),
                Column("patient", L("About"), lambda row: row.patient_name, width=150, may_hide=True),
                Column(
                    "who",
                    L("By"),
                    lambda row: row.who,
                    width=130,
                    tone=lambda _row: "ink_quiet",
                    may_hide=True,
                ),
            ]
        )
        self._build()

    def _build(self) -> None:
        space = theme.current().space
        self.table = RowTable(self._model, "shell.outbox.list", L("What was done on this PC"))
        self.table.take_keys("R", "T", "E", "A")
        self.table.key_pressed.connect(self._on_key)
        self.table.chosen.connect(lambda _key: self._show_chosen())
        self.table.opened.connect(lambda _key: self._on_decide())
        empty = EmptyState(
            L("Everything has been sent"),
            L("What you do is kept on this PC first and sent to the record by itself. Nothing waits now."),
            icon="check-circle",
        )
        self._loading = Loading(self.table, empty)
        list_pane = Pane(L("Outbox"))
        sync = Button(L("Send and fetch now"), "shell.outbox.sync", icon="arrows-clockwise")
        sync.clicked.connect(lambda: self._desk.act(self._desk.station.sync_now))
        self._all = Button(
            L("Save all as file"), "shell.outbox.export_all", icon="export", kind="quiet", hint="A"
        )
        self._all.clicked.connect(self._on_export_all)
        list_pane.tools.addWidget(sync)
        self._sum = Label(tone="ink_quiet", wrap=True)
        line = QHBoxLayout()
        line.addWidget(self._sum, 1)
        line.addWidget(self._all)
        list_pane.body.addLayout(line)
        list_pane.body.addWidget(self._loading, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(space(2))
        splitter.addWidget(list_pane)
        self._side_scroll = Scrolled(self._side())
        splitter.addWidget(self._side_scroll)
        self._show_chosen()
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        self._splitter = splitter
        self._share_out()
        theme.theme_changed.connect(self._share_out)
        row = QHBoxLayout(self)
        row.setContentsMargins(space(3), space(3), space(3), space(3))
        row.addWidget(splitter)

    def _share_out(self) -> None:
        """Where the text is large, what is chosen needs half the room: its ways out must be in sight."""
        large = theme.current().text_scale >= 150
        self._splitter.setSizes([600, 600] if large else [900, 340])
        self._pane.head.setVisible(not large)

    def _side(self) -> QWidget:
        self._pane = Pane(L("Chosen"))
        self._pane.setMinimumWidth(280)
        self._title = Label(size=15, weight=600, wrap=True)
        self._about = Label(tone="ink_quiet", wrap=True)
        self._state = StateLabel("circle", "", "ink_quiet", weight=600, wrap=True)
        self._help = Label(wrap=True)
        self._attempts = Label(size=12, tone="ink_quiet", wrap=True)
        self._decide = Button(L("Compare and decide"), "shell.outbox.decide", icon="git-diff", kind="primary")
        self._retry = Button(L("Try again"), "shell.outbox.retry", icon="arrow-clockwise", hint="R")
        self._withdraw = Button(
            L("Take back and edit"), "shell.outbox.withdraw", icon="arrow-u-up-left", hint="T"
        )
        self._export = Button(L("Save as file"), "shell.outbox.export", icon="export", hint="E")
        self._decide.clicked.connect(self._on_decide)
        self._retry.clicked.connect(lambda: self._do(self._desk.station.retry, L("It is sent again.")))
        self._withdraw.clicked.connect(self._on_take_back)
        self._export.clicked.connect(self._on_export)
        ways = QVBoxLayout()
        ways.setSpacing(theme.current().space(2))
        for button in (self._decide, self._retry, self._withdraw, self._export):
            ways.addWidget(button)
        for part in (self._state, self._title, self._about, self._help, self._attempts):
            self._pane.body.addWidget(part)
        self._pane.body.addLayout(ways)
        self._pane.body.addStretch(1)
        return self._pane

    def begin(self, op_id: str = "") -> None:
        """The page is opened; with an act, that act is chosen."""
        self._wanted, self._is_new = op_id, True
        today = oslo(self._desk.station.clock.now()).date()
        if self._day != today:
            self._forget()
        if not self._watches:
            from clinician.queries.outbox import decided_rows, outbox_rows, sent_rows

            self._loading.wait()
            reads = self._desk.reads
            self._watches = [
                reads.watch(outbox_rows, self._on_waiting, None),
                reads.watch(sent_rows, self._on_sent, None, day=today),
                reads.watch(decided_rows, self._on_decided, None, day=today),
            ]
            self._day = today
        else:
            self._show_rows()
        self.table.setFocus()

    def end(self) -> None:
        """Another person signs in: nothing of this one stays on the page."""
        self._forget()
        self._waiting = self._sent = None
        self._decided = ()
        self._model.set_rows(())

    def _forget(self) -> None:
        for watch in self._watches:
            watch.end()
        self._watches = []

    def key_hints(self) -> tuple[tuple[Words, Words], ...]:
        """What the keys do here."""
        return (
            (L("Enter"), L("decide")),
            ("R", L("try again")),
            ("T", L("take back")),
            ("E", L("save as file")),
            ("A", L("save all")),
        )

    def _on_waiting(self, rows: tuple[OutboxRow, ...]) -> None:
        self._waiting = rows
        self._show_rows()

    def _on_sent(self, rows: tuple[OutboxRow, ...]) -> None:
        self._sent = rows
        self._show_rows()

    def _on_decided(self, rows: tuple[OutboxRow, ...]) -> None:
        self._decided = rows
        self._show_rows()

    def _show_rows(self) -> None:
        if self._waiting is None or self._sent is None:
            return
        known = {row.key for row in self._waiting}
        sent = [row for row in self._sent if row.key not in known]
        rows = (*self._waiting, *self._decided, *sent)
        self._model.set_rows(rows)
        self._loading.show_content(bool(rows))
        self._sum.setVisible(bool(rows))
        self._all.setVisible(bool(self._waiting))
        self._sum.set_words(_sums(self._waiting, len(sent)))
        if self._wanted:
            self.table.choose(self._wanted)
            self._wanted = ""
        elif rows and (self._is_new or not self.table.current_key()):
            self.table.choose(rows[0].key)
        self._is_new = False
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self._model.row_of(self.table.current_key())
        self._side_scroll.setVisible(row is not None)
        if row is None:
            return
        icon, role = face(row.state)
        self._state.set_state(icon, row.state_text, role)
        self._title.set_words(row.label)
        self._about.set_words(" · ".join(part for part in (row.patient_name, row.who, row.when_text) if part))
        self._help.set_words(row.help_text)
        self._attempts.setVisible(row.attempts > 0 and row.state != "applied")
        self._attempts.set_words(_.n("Tried once.", "Tried {n} times.", row.attempts))
        self._decide.setVisible(bool(row.conflict_ref) or row.state == "conflict")
        self._retry.setVisible(row.can_retry)
        self._withdraw.setVisible(row.can_withdraw)
        self._export.setVisible(row.can_export)

    def _on_key(self, key: str, _op_id: str) -> None:
        button = {"R": self._retry, "T": self._withdraw, "E": self._export, "A": self._all}[key]
        if button.isVisible():
            button.click()

    def _on_decide(self) -> None:
        key = self.table.current_key()
        if not self._decide.isVisible():
            return
        if key.startswith("Task/"):
            self._desk.threads.run(
                lambda: self._desk.station.take_over(key),
                lambda op_id: self._desk.open_page("conflict", {"op_id": op_id}),
                pool=Pool.COMMAND,
            )
        else:
            self._desk.open_page("conflict", {"op_id": key})

    def _on_take_back(self) -> None:
        op_id = self.table.current_key()
        self._desk.threads.run(
            lambda: self._desk.station.take_back(op_id), self._on_taken_back, pool=Pool.COMMAND
        )

    def _on_taken_back(self, reopened: Reopened | None) -> None:
        """What was typed is laid out where it was typed, and the person is taken there."""
        if reopened is None:
            self._desk.messages.say(L("Taken back. It will not be sent."), Kind.DONE)
            return
        for draft in reopened.drafts:
            self._desk.drafts.save(draft.key, draft.patient_ref, draft.content)
        self._desk.messages.say(_AGAIN[reopened.is_typed], Kind.DONE)
        if patient_ref := reopened.arguments.get("patient", ""):
            self._desk.patient.choose(patient_ref)
        self._desk.open_view(reopened.view, reopened.arguments)

    def _on_export_all(self) -> None:
        self._desk.threads.run(
            self._desk.station.export_all,
            lambda content: self._desk.save_file("clinician-usendt.json", content),
        )

    def _do(self, work: Callable[[str], object], said: Words) -> None:
        op_id = self.table.current_key()
        self._desk.act(
            lambda: work(op_id),
            lambda: self._desk.messages.say(said, Kind.DONE),
        )

    def _on_export(self) -> None:
        op_id = self.table.current_key()
        self._desk.threads.run(
            lambda: self._desk.station.export(op_id),
            lambda content: self._desk.save_file(f"clinician-{op_id[:8]}.json", content),
        )
