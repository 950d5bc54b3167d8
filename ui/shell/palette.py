"""One search field for people, commands and places; answers while one types, and takes no focus away.

A unique identity number typed is a patient taken: no picker, no Enter (PEERS §7.6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.errors import ClinicianError
from clinician.texts import lazy, translator
from ui.jobs import Ticket
from ui.models.rows import Column, RowModel
from ui.shell.central_search import LEAST, CentralSearch, born
from ui.shell.desk import Desk
from ui.shell.station import CandidateLine
from ui.widgets import icons, theme
from ui.widgets.labels import Label
from ui.widgets.row_table import RowTable
from ui.widgets.words import Words, shown

L = lazy("ui")
_ = translator("ui")
SHOWN: Final = 12
_IDENTITY_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the palette. words: what it is found by; hint: its chord."""

    key: str
    title: str
    detail: str = ""
    icon: str = "arrow-right"
    hint: str = ""
    tone: str = "ink"
    run: Callable[[], object] = field(default=lambda: None, compare=False, repr=False)
    stays: bool = False
    """Taken, it leaves the answers open: more come"""


def fold(text: str) -> str:
    """Lower case, å as aa, so that 'Aase' and 'Åse' meet."""
    return text.casefold().replace("å", "aa")


def matching(answers: Sequence[Answer], typed: str) -> list[Answer]:
    """Those whose words begin with every word typed, the closest first."""
    words = fold(typed).split()
    found: list[tuple[int, int, Answer]] = []
    for at, answer in enumerate(answers):
        have = fold(f"{answer.title} {answer.detail}").replace("·", " ").split()
        if all(any(word.startswith(piece) for word in have) for piece in words):
            found.append((0 if fold(answer.title).startswith(fold(typed).strip()) else 1, at, answer))
    return [answer for _rank, _at, answer in sorted(found, key=lambda entry: entry[:2])]


class SearchField(QLineEdit):
    """The field of the top bar. Arrows move in the answers, Enter takes one, Escape leaves."""

    person_taken = Signal(str)
    """Patient/…"""

    def __init__(self, desk: Desk, actions: Callable[[], Sequence[Answer]], window: QWidget) -> None:
        super().__init__()
        self.setObjectName("shell.search.field")
        self._desk, self.catalogue = desk, actions
        self.central = CentralSearch(desk, self.person_taken.emit, self)
        self._ticket: Ticket | None = None
        self._typed = ""
        self._back_to: QWidget | None = None
        self._glass = QLabel(self)
        self._glass.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._chord = Label("Ctrl+K", size=12, tone="ink_quiet")
        self._chord.setParent(self)
        self._chord.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.sheet = Answers(window)
        self.sheet.taken.connect(self._take)
        self.textEdited.connect(self._on_typed)
        self._speak()
        self._dress()
        theme.theme_changed.connect(self._dress)

    def begin(self) -> None:
        """Take the keyboard, remembering where it was."""
        holder = self.window().focusWidget()
        if holder is not self:
            self._back_to = holder
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        self._search(self.text())

    def leave(self) -> None:
        """Close the answers and give the keyboard back to where it was."""
        self._stop()
        self.clear()
        self.sheet.hide()
        back, self._back_to = self._back_to, None
        try:
            if back is not None and back.isVisible():
                back.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        except RuntimeError:  # the view that had the keyboard is gone
            pass
        self.clearFocus()

    def _stop(self) -> None:
        if self._ticket is not None:
            self._ticket.end()
            self._ticket = None

    def _on_typed(self, text: str) -> None:
        self._search(text)

    def _search(self, text: str) -> None:
        self._stop()
        self._typed = text.strip()
        others = matching(self.catalogue(), self._typed)
        people = self.sheet.people if self._typed else ()
        self._show((*people, *others))
        if not self._typed:
            return
        from clinician.queries.patients import patient_hits

        self._ticket = self._desk.reads.run(
            patient_hits, lambda hits: self._on_people(hits, others), None, words=self._typed
        )

    def _on_people(self, hits: Sequence[Any], others: list[Answer]) -> None:
        self._ticket = None
        people = tuple(self._person(hit) for hit in hits[:SHOWN])
        digits = self._typed.replace(" ", "")
        if len(digits) == _IDENTITY_DIGITS and digits.isdigit() and len(people) == 1:
            self._take(people[0])
            return
        self.sheet.people = people
        self._show((*people, *others, *self._elsewhere(bool(people))))

    def _person(self, hit: Any) -> Answer:
        return Answer(hit.key, hit.title, hit.detail, "user", run=lambda: self.person_taken.emit(hit.key))

    def _elsewhere(self, is_here: bool) -> tuple[Answer, ...]:
        """When nobody here is called so: the way to the central record."""
        if is_here or len(self._typed) < LEAST:
            return ()
        title = _("Search the central record")
        detail = _("nobody here is called “{typed}”", typed=self._typed)
        return (Answer("central", title, detail, "cloud", run=self._look_up, stays=True),)

    def _look_up(self) -> None:
        self._stop()
        waits = Answer("central-waits", _("Searching the central record …"), "", "circle-notch", stays=True)
        self._show((waits,))
        self._ticket = self.central.look_up(self._typed, self._on_found, self._on_not_reached)

    def _on_found(self, found: Sequence[CandidateLine]) -> None:
        self._ticket = None
        detail = _("nobody at the central record is called “{typed}” either", typed=self._typed)
        nobody = Answer("central-nobody", _("Nobody found"), detail, "user-minus", stays=True)
        self._show(tuple(self._candidate(one) for one in found[:SHOWN]) or (nobody,))

    def _candidate(self, found: CandidateLine) -> Answer:
        detail = " · ".join(
            part
            for part in (
                _("b. {date}", date=born(found.birth_text)) if found.birth_text else "",
                _("fetch from the central record"),
            )
            if part
        )
        return Answer(found.key, found.name, detail, "cloud", run=lambda: self.central.fetch(found))

    def _on_not_reached(self, problem: ClinicianError) -> None:
        self._ticket = None
        self.leave()
        self._desk.messages.problem(problem)

    def _show(self, answers: Sequence[Answer]) -> None:
        if self.hasFocus() or self.sheet.isVisible():
            self.sheet.set_answers(answers[: 2 * SHOWN], self._typed)
            self.sheet.place_under(self)

    def _take(self, answer: Answer) -> None:
        if not answer.stays:
            self.leave()
        answer.run()

    def _speak(self) -> None:
        self.setPlaceholderText(_("Search name, identity number, room, command …"))
        self.setAccessibleName(_("Search people, commands and places"))

    def _dress(self) -> None:
        tokens = theme.current()
        self.setFont(tokens.font())
        self._glass.setPixmap(icons.pixmap("magnifying-glass", "ink_quiet", tokens.icon_size))
        self._glass.adjustSize()
        self._chord.adjustSize()
        self.setTextMargins(tokens.icon_size + 6, 0, self._chord.width() + 4, 0)
        self._place_parts()

    def _place_parts(self) -> None:
        self._glass.move(10, (self.height() - self._glass.height()) // 2)
        self._chord.move(self.width() - self._chord.width() - 12, (self.height() - self._chord.height()) // 2)

    @override
    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._place_parts()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
        super().changeEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Down:
                self.sheet.step(1)
            case Qt.Key.Key_Up:
                self.sheet.step(-1)
            case Qt.Key.Key_Escape:
                self.leave()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._enter()
            case _:
                super().keyPressEvent(event)

    def _enter(self) -> None:
        if self._ticket is not None:
            # The answers on screen are of what was typed before; Enter means the new ones.
            QTimer.singleShot(15, self, self._enter)
            return
        answer = self.sheet.current()
        if answer is not None:
            self._take(answer)

    @override
    def focusInEvent(self, event: Any) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.MouseFocusReason, Qt.FocusReason.TabFocusReason):
            self._search(self.text())

    @override
    def focusOutEvent(self, event: Any) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.sheet.hide()


class Answers(QFrame):
    """The sheet of answers under the field: a child of the window, neither a window nor modal."""

    taken = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("shell.search.answers")
        self.setProperty("sheet", "true")
        self.people: tuple[Answer, ...] = ()
        self._model: RowModel[Answer] = RowModel(
            [
                Column[Answer](
                    "title", "", lambda a: a.title, width=250, icon=lambda a: a.icon, tone=lambda a: a.tone
                ),
                Column[Answer]("detail", "", lambda a: a.detail, tone=lambda _a: "ink_quiet"),
                Column[Answer](
                    "hint", "", lambda a: a.hint, width=96, tone=lambda _a: "ink_quiet", right=True
                ),
            ]
        )
        self.table = RowTable(self._model, "shell.search.list", L("Answers"), header=False)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.clicked.connect(lambda index: self._on_clicked(index.row()))
        self.none = Label(tone="ink_quiet", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(0)
        column.addWidget(self.none)
        column.addWidget(self.table)
        self.hide()
        window.installEventFilter(self)

    def set_answers(self, answers: Sequence[Answer], typed: str) -> None:
        """Show answers, the first one ready to be taken."""
        if not typed:
            self.people = ()
        self._model.set_rows(answers)
        self.none.set_words("" if answers else L("Nobody and nothing is called “{typed}” here.", typed=typed))
        self.none.setVisible(not answers)
        self.table.setVisible(bool(answers))
        if answers:
            self.table.choose(answers[0].key)
            self.table.scrollToTop()

    def current(self) -> Answer | None:
        """The answer Enter would take."""
        return self._model.row_of(self.table.current_key())

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What is shown."""
        return self._model.rows

    def step(self, by: int) -> None:
        """Move the choice."""
        keys = self._model.keys()
        if keys:
            now = self.table.current_key()
            at = keys.index(now) if now in keys else 0
            self.table.choose(keys[max(0, min(len(keys) - 1, at + by))])

    def place_under(self, field_: QWidget) -> None:
        """Lie under the field, as high as the answers need."""
        parent = self.parentWidget()
        if parent is None:
            return
        corner = field_.mapTo(parent, QPoint(0, field_.height() + 2))
        rows = max(1, min(SHOWN, self._model.rowCount()))
        height = rows * theme.current().row_height + 14
        wanted = round(720 * theme.current().text_scale / 100)
        width = min(max(field_.width(), wanted), parent.width() - corner.x() - 12)
        self.setGeometry(corner.x(), corner.y(), width, min(height, parent.height() - corner.y() - 40))
        self.show()
        self.raise_()

    def _on_clicked(self, row: int) -> None:
        rows = self._model.rows
        if 0 <= row < len(rows):
            self.taken.emit(rows[row])

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.hide()
        return False


def answer(
    key: str, words: Words, icon: str, run: Callable[[], object], *, detail: Words = "", hint: str = ""
) -> Answer:
    """A command or a place as an answer."""
    return Answer(key, shown(words), shown(detail), icon, hint, run=run)
