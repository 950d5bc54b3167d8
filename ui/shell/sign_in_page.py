"""Who are you? A list of the people at this workplace, and a PIN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.access.pin_state import PinState
from clinician.access.who import Who
from clinician.errors import Bug, ClinicianError
from clinician.events import CacheChanged
from clinician.texts import lazy
from ui.models.rows import Column, RowModel
from ui.shell.avatar import Avatar
from ui.shell.chips import Chip
from ui.shell.desk import Desk
from ui.shell.palette import fold
from ui.shell.pin_pad import LENGTH, PinPad
from ui.shell.pin_setup import PinSetup
from ui.shell.station import DraftLine, StaffLine, WorkplaceLine
from ui.widgets import theme
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.fields import ChoiceField, LineField
from ui.widgets.labels import Label
from ui.widgets.panes import Ground, Hairline
from ui.widgets.row_table import RowTable
from ui.widgets.words import Words

L = lazy("ui")
_PEOPLE = frozenset({"Organization", "Practitioner", "PractitionerRole"})


@dataclass(frozen=True, slots=True)
class _Person:
    key: str
    name: str
    initials: str
    profession_text: str


class _Filter(QLineEdit):
    """Arrow keys go on to the list beneath; Enter takes the person marked there."""

    passed_on = Signal(object)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        if event.key() in (keys.Key_Up, keys.Key_Down, keys.Key_Return, keys.Key_Enter):
            self.passed_on.emit(event)
            return
        super().keyPressEvent(event)


class SignInPage(Ground):
    """`signed_in(Who, drafts)` when the station accepted a PIN."""

    signed_in = Signal(object, object)
    looked_up = Signal()
    """Those one can choose among are shown, or it was said why there are none."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.signin")
        self._desk = desk
        self._people: tuple[_Person, ...] = ()
        self._chosen: _Person | None = None
        self._chosen_place = ""
        self._setup: PinSetup | None = None
        desk.bridge.cache_changed.connect(self._on_change)
        self._model: RowModel[_Person] = RowModel(
            [
                Column[_Person](
                    "name", L("Name"), lambda p: p.name, weight=lambda _p: 600, icon=lambda _p: "user"
                ),
                Column[_Person](
                    "profession", L("Profession"), lambda p: p.profession_text, tone=lambda _p: "ink_quiet"
                ),
            ]
        )
        self._build()

    def _build(self) -> None:
        space = theme.current().space
        card = Ground("surface_raised")
        card.setProperty("pane", "true")
        card.setMaximumWidth(980)
        card.setMaximumHeight(680)
        inner = QHBoxLayout(card)
        inner.setContentsMargins(space(8), space(8), space(8), space(8))
        inner.setSpacing(space(8))
        inner.addWidget(self._list_side(), 3)
        inner.addWidget(Hairline(vertical=True))
        inner.addWidget(self._pin_side(), 2)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(space(6), space(6), space(6), space(6))
        outer.addStretch(1)
        middle = QVBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card, 50)
        middle.addStretch(1)
        outer.addLayout(middle, 50)
        outer.addStretch(1)

    def _list_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(3))
        title = Label(L("Who are you?"), size=24, weight=600)
        self._workplace = ChoiceField(L("Workplace"), "shell.signin.workplace")
        self._workplace.chosen.connect(self._on_place)
        self._filter = _Filter()
        field = LineField(L("Find your name"), "shell.signin.filter", line=self._filter)
        self._filter.textChanged.connect(self._show_people)
        self._filter.passed_on.connect(self._on_filter_key)
        self._table = RowTable(
            self._model, "shell.signin.people", L("People at this workplace"), header=False
        )
        self._table.chosen.connect(self._on_chosen)
        self._table.opened.connect(lambda _key: self.pad.setFocus())
        self._table.clicked.connect(lambda _index: self.pad.setFocus())
        column.addWidget(title)
        column.addWidget(self._workplace)
        column.addWidget(field)
        nobody = EmptyState(
            L("The people of this workplace are on their way"),
            L("They show up here by themselves as soon as the record has sent them."),
            icon="users",
        )
        self._loading = Loading(self._table, nobody)
        column.addWidget(self._loading, 1)
        return side

    def _pin_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(3))
        self._avatar = Avatar(56)
        self._name = Label(L("Choose your name first"), size=18, weight=600, wrap=True)
        self._name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._profession = Label(tone="ink_quiet")
        self._profession.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._ask = Label(wrap=True)
        self._ask.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._ask.hide()
        self.pad = PinPad("shell.signin")
        self.pad.entered.connect(self._try)
        hint = Chip("graduation-cap", L("Practice: the PIN of everybody is 1234"), "practice", weight=400)
        hint.setObjectName("shell.signin.practice")
        if not self._desk.station.practice:
            hint.hide()
        column.addStretch(1)
        column.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._name)
        column.addWidget(self._profession)
        column.addWidget(self._ask)
        column.addWidget(self.pad)
        column.addWidget(hint, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return side

    @property
    def people(self) -> tuple[str, ...]:
        """Names one may choose among now."""
        return tuple(person.name for person in self._people)

    def begin(self) -> None:
        """Show the page afresh: nobody chosen, the workplace as last time."""
        self._table.clearSelection()
        self._table.setCurrentIndex(QModelIndex())
        self._chosen = None
        self._filter.clear()
        self.pad.clear()
        self._show_chosen()
        self._loading.wait()
        self._fetch_workplaces()
        self._filter.setFocus()

    def _fetch_workplaces(self) -> None:
        self._desk.threads.run(self._desk.station.workplaces, self._on_workplaces, self._on_problem)

    def _on_change(self, change: CacheChanged) -> None:
        """On a new PC the people arrive while one looks."""
        if self.isVisible() and change.types & _PEOPLE:
            self._fetch_workplaces()

    def _on_workplaces(self, places: Sequence[WorkplaceLine]) -> None:
        self._workplace.set_choices(tuple((place.key, place.name) for place in places))
        self._workplace.setVisible(len(places) > 1)
        if not self._chosen_place:
            self._workplace.set_value(str(self._desk.face.read("workplace")))
        if places:
            self._fetch_staff(self._workplace.value)
        else:
            self._loading.show_content(False)
            self.looked_up.emit()

    def _on_problem(self, problem: ClinicianError) -> None:
        if not isinstance(problem, Bug):
            self._desk.messages.problem(problem)
        self.looked_up.emit()

    def _on_place(self, workplace_ref: str) -> None:
        self._chosen_place = workplace_ref
        self._fetch_staff(workplace_ref)

    def _fetch_staff(self, workplace_ref: str) -> None:
        self._desk.threads.run(
            lambda: self._desk.station.staff(workplace_ref), self._on_staff, self._on_problem
        )

    def _on_staff(self, staff: Sequence[StaffLine]) -> None:
        self._people = tuple(_Person(s.key, s.name, s.initials, s.profession_text) for s in staff)
        self._loading.show_content(bool(self._people))
        self._show_people()
        self.looked_up.emit()

    def _show_people(self) -> None:
        words = fold(self._filter.text()).split()
        shown = [
            person
            for person in self._people
            if all(any(part.startswith(word) for part in fold(person.name).split()) for word in words)
        ]
        self._model.set_rows(shown)
        if words and shown and self._model.row_of(self._table.current_key()) is None:
            self._table.choose(shown[0].key)

    def _on_filter_key(self, event: QKeyEvent) -> None:
        keys = self._model.keys()
        if not keys:
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self._table.current_key():
                self._table.choose(keys[0])
            self._on_chosen(self._table.current_key())
            self.pad.setFocus()
            return
        now = self._table.current_key()
        step = 1 if event.key() == Qt.Key.Key_Down else -1
        at = keys.index(now) + step if now in keys else 0
        self._table.choose(keys[max(0, min(len(keys) - 1, at))])

    def _on_chosen(self, key: str) -> None:
        self._chosen = self._model.row_of(key)
        self._setup = None
        self.pad.set_length(LENGTH)
        self._show_chosen()
        if self._chosen is not None:
            self._desk.threads.run(
                lambda: (key, self._desk.station.pins.state(key)), self._on_pin_state, self._on_problem
            )

    def _on_pin_state(self, found: tuple[str, PinState]) -> None:
        key, state = found
        if self._chosen is not None and self._chosen.key == key and state is not PinState.HAS:
            self._setup = PinSetup(state)
            self._show_asked()

    def _show_asked(self, problem: Words = "") -> None:
        if self._setup is not None:
            asked = self._setup.asked
            self._ask.set_words(asked.words)
            self._ask.show()
            self.pad.set_length(asked.digits)
            self.pad.clear(problem)
            self.pad.setFocus()

    def _show_chosen(self) -> None:
        person = self._chosen
        self._avatar.show_person(person.initials if person else "")
        self._name.set_words(person.name if person else L("Choose your name first"))
        self._profession.set_words(person.profession_text if person else "")
        self._ask.setVisible(self._setup is not None)
        self.pad.setEnabled(person is not None)

    def _try(self, pin: str) -> None:
        person, place = self._chosen, self._workplace.value
        if person is None:
            return
        if self._setup is not None:
            self._set_up(person.key, pin)
            return
        self.pad.setEnabled(False)
        self._desk.sign_in(person.key, place, pin, self._on_accepted, self._on_refused)

    def _set_up(self, key: str, digits: str) -> None:
        assert self._setup is not None
        chosen = self._setup.take(digits)
        if chosen is None:
            self._show_asked(self._setup.problem or "")
            return
        self.pad.setEnabled(False)
        pins = self._desk.station.pins
        self._desk.act(
            lambda: pins.choose(key, chosen.pin, chosen.code),
            lambda: self._on_set_up(chosen.pin),
            self._on_set_up_refused,
        )

    def _on_set_up(self, pin: str) -> None:
        self._setup = None
        self._show_chosen()
        self.pad.set_length(LENGTH)
        self._try(pin)

    def _on_set_up_refused(self, problem: ClinicianError) -> None:
        self.pad.setEnabled(True)
        if self._setup is not None:
            self._setup.again()
        self._show_asked(problem.text)

    def _on_accepted(self, who: Who, drafts: Sequence[DraftLine]) -> None:
        self.pad.clear()
        self.pad.setEnabled(True)
        self.signed_in.emit(who, drafts)

    def _on_refused(self, problem: ClinicianError) -> None:
        self.pad.setEnabled(True)
        self.pad.clear(problem.text)
        self.pad.setFocus()
