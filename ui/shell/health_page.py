"""How sync fares, line by line, in plain words; what a superuser and support look at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget
from typing_extensions import override

from clinician.modulekit.context import Kind
from clinician.texts import lazy, translator
from ui.models.rows import Column, RowModel
from ui.shell.desk import Desk
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Ground, Pane, Scrolled
from ui.widgets.row_table import RowTable
from ui.widgets.words import Words

if TYPE_CHECKING:
    from clinician.health import HealthLine

L = lazy("ui")
_ = translator("ui")
_EVERY_MS = 10_000
_FACES = {
    "good": ("check-circle", "done", L("In order")),
    "note": ("info", "warn", L("Worth knowing")),
    "bad": ("warning", "danger", L("Needs a person")),
}


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    heading: str
    """Of the group, on its first line."""
    group: str
    title: str
    detail: str
    mood: str
    help_text: str


def lines_of(found: tuple[HealthLine, ...]) -> tuple[_Line, ...]:
    """The group is named once, where it begins."""
    rows: list[_Line] = []
    before = ""
    for line in found:
        heading = "" if line.group == before else line.group
        rows.append(
            _Line(line.key, heading, line.group, line.title, line.detail, line.mood.value, line.help_text)
        )
        before = line.group
    return tuple(rows)


def summary(rows: tuple[_Line, ...]) -> tuple[str, str, Words]:
    """(icon, role, words) for all of them together."""
    bad = sum(row.mood == "bad" for row in rows)
    notes = sum(row.mood == "note" for row in rows)
    if bad:
        return "warning", "danger", _.n("{n} thing needs a person", "{n} things need a person", bad)
    if notes:
        return "info", "ink", _.n("{n} thing worth knowing", "{n} things worth knowing", notes)
    return "check-circle", "done", _("Everything is in order")


class HealthPage(Ground):
    """A list of facts and, beside it, what the chosen one means."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.health")
        self._desk = desk
        self._rows: tuple[_Line, ...] = ()
        self._is_new = True
        self._model: RowModel[_Line] = RowModel(
            [
                Column(
                    "group",
                    L("Area"),
                    lambda row: row.heading,
                    width=170,
                    weight=lambda _row: 600,
                    may_hide=True,
                ),
                Column(
                    "title",
                    L("What"),
                    lambda row: row.title,
                    icon=lambda row: _FACES[row.mood][0],
                    tone=lambda row: "ink" if row.mood == "good" else _FACES[row.mood][1],
                ),
                Column("detail", L("How it is"), lambda row: row.detail),
            ]
        )
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._again_if_seen)

    def _build(self) -> None:
        space = theme.current().space
        self.table = RowTable(self._model, "shell.health.list", L("How sync fares"))
        self.table.take_keys("P", "E")
        self.table.key_pressed.connect(self._on_key)
        self.table.chosen.connect(lambda _key: self._show_chosen())
        self._loading = Loading(self.table, EmptyState(L("Nothing is known yet"), icon="pulse"))
        pane = Pane(L("Contact and data"))
        self._sum = StateLabel("info", "", "ink", weight=600)
        pane.body.addWidget(self._sum)
        pane.body.addWidget(self._loading, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(space(2))
        splitter.addWidget(pane)
        splitter.addWidget(Scrolled(self._side()))
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        splitter.setSizes([900, 320])
        row = QHBoxLayout(self)
        row.setContentsMargins(space(3), space(3), space(3), space(3))
        row.addWidget(splitter)

    def _side(self) -> QWidget:
        side = Pane(L("Chosen"))
        side.setMinimumWidth(280)
        self._state = StateLabel("info", "", "ink", weight=600, wrap=True)
        self._title = Label(size=15, weight=600, wrap=True)
        self._detail = Label(wrap=True)
        self._help = Label(tone="ink_quiet", wrap=True)
        self._check = Button(
            L("Examine everything now"), "shell.health.check", icon="arrows-clockwise", hint="P"
        )
        self._save = Button(L("Save a report"), "shell.health.save", icon="export", hint="E")
        self._check.clicked.connect(self._on_check)
        self._save.clicked.connect(self._on_save)
        about = Label(
            L("The report holds no names and no identity numbers."), size=12, tone="ink_quiet", wrap=True
        )
        for part in (self._state, self._title, self._detail, self._help, self._check, self._save, about):
            side.body.addWidget(part)
        side.body.addStretch(1)
        return side

    def begin(self) -> None:
        """The page is opened."""
        self._is_new = True
        if not self._rows:
            self._loading.wait()
        self._again()
        self._timer.start()
        self.table.setFocus()

    def key_hints(self) -> tuple[tuple[Words, Words], ...]:
        """What the keys do here."""
        return (("P", L("examine everything")), ("E", L("save a report")))

    def _again_if_seen(self) -> None:
        if self.isVisible():
            self._again()
        else:
            self._timer.stop()

    def _again(self) -> None:
        self._desk.threads.run(self._desk.station.health, self._show)

    def _show(self, found: tuple[HealthLine, ...]) -> None:
        self._rows = lines_of(found)
        self._model.set_rows(self._rows)
        self._loading.show_content(bool(self._rows))
        self._sum.set_state(*_in_order(summary(self._rows)))
        if self._rows and self._is_new:
            self._is_new = False
            worst = next((row for row in self._rows if row.mood == "bad"), self._rows[0])
            self.table.choose(worst.key)
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self._model.row_of(self.table.current_key())
        if row is None:
            return
        icon, role, words = _FACES[row.mood]
        self._state.set_state(icon, words, role)
        self._title.set_words(f"{row.group}: {row.title}")
        self._detail.set_words(row.detail)
        self._help.set_words(row.help_text)
        self._help.setVisible(bool(row.help_text))

    def _on_key(self, key: str, _chosen: str) -> None:
        {"P": self._check, "E": self._save}[key].click()

    def _on_check(self) -> None:
        self._desk.act(
            self._desk.station.examine_all,
            lambda: self._desk.messages.say(
                L("The record is asked what it does, and every id is compared with it."), Kind.INFO
            ),
        )

    def _on_save(self) -> None:
        self._desk.threads.run(
            self._desk.station.health_report,
            lambda content: self._desk.save_file("clinician-tilstand.txt", content),
        )

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and self._rows:
            self._again()
        super().changeEvent(event)


def _in_order(found: tuple[str, str, Words]) -> tuple[str, Words, str]:
    icon, role, words = found
    return icon, words, role
