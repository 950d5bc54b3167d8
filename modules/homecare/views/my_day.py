"""My day: one list, the visit beside it, one key per thing.

Space done · I not home · 1-5 exception · N note · M measurement · K key · Enter the user · Ctrl+Z undo.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.commands.act import Command
from clinician.errors import ClinicianError
from clinician.modulekit.context import Ending, ModuleContext
from modules.homecare.commands import (
    CloseFollowUp,
    CompleteVisit,
    ExceptVisit,
    HandOverFollowUp,
    ReadReply,
    RecordNotHome,
    StartVisit,
)
from modules.homecare.queries import my_day, visit_card
from modules.homecare.rows import DayRow, ItemKind, MyDay, NotDone, Section, VisitCard, VisitState
from modules.homecare.views import states
from modules.homecare.views.acting import Acting
from modules.homecare.views.came_back import CameBack
from modules.homecare.views.day_list import DayList
from modules.homecare.views.follow_up_card import FollowUpCard
from modules.homecare.views.hints import hint_pairs, show_hints
from modules.homecare.views.live import Live
from modules.homecare.views.paper import Paper
from modules.homecare.views.visit_card import VisitCardView
from modules.homecare.words import headline, long_day_text
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.freshness import AgeLabel
from ui.widgets.labels import ElidedLabel, Label
from ui.widgets.panes import Pane

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_OPEN_MS: Final = 40
"""Arrow keys held down run through the list; the visit opens where they stop"""

HINTS: Final = L(
    "Space = done · I = not home · 1–5 = exception · N = note · M = measurement · H = hand over · → = tasks"
)


def make(ctx: ModuleContext) -> QWidget:
    """The view factory."""
    return MyDayView(ctx)


class MyDayView(QWidget):
    """The first screen of a home-care nurse."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.setObjectName("homecare.my_day")
        self._ctx = ctx
        self._acting = Acting(ctx)
        self._signed, self._chosen_first = set[str](), False
        self._build()
        self._day_live = Live(self, self._watch_day)
        self._card_live = Live(self, self._watch_card)
        self._opening = QTimer(self)
        self._opening.setSingleShot(True)
        self._opening.setInterval(_OPEN_MS)
        self._opening.timeout.connect(self._open_current)
        self._connect()
        show_hints(self, HINTS.render())
        self._loading.wait()
        self._day_live.again()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        space = theme.current().space
        self.list = DayList()
        self.card = VisitCardView(self._ctx, self._acting)
        self.follow_up = FollowUpCard(self._ctx)
        self._side = QStackedWidget()
        nothing = EmptyState(
            L("Nothing chosen"), L("Choose a line in the list with the arrow keys."), icon="list-checks"
        )
        beside = Pane()
        beside.body.addWidget(nothing)
        for part in (beside, self.card, self.follow_up):
            self._side.addWidget(part)
        left = Pane(margin=2)
        left.body.addWidget(self.list)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(space(2))
        self._splitter.addWidget(left)
        self._splitter.addWidget(self._side)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self._splitter.setSizes([660, 600])
        self._fit()
        theme.theme_changed.connect(self._fit)
        empty = EmptyState(
            L("No visits for you today"),
            L("You have no route today. The coordinator gives out visits in the zone."),
            icon="calendar-check",
        )
        self._loading = Loading(self._splitter, empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(2))
        column.addLayout(self._head())
        column.addWidget(self._loading, 1)
        self.setTabOrder(self.list, self._print)
        self.setFocusProxy(self.list)

    def _fit(self) -> None:
        """Fixed least widths: what the card shows must never push the list about."""
        scale = theme.current().text_scale / 100
        self.list.setMinimumWidth(round(260 * scale))
        self._side.setMinimumWidth(round(600 * scale) if scale < 1.5 else 620)

    def _head(self) -> QHBoxLayout:
        self._title = Label("", size=18, weight=600)
        self._sums = ElidedLabel("", tone="ink_quiet")
        self._age = AgeLabel(self._ctx.record_now, "homecare.my_day.age")
        self._print = Button(L("Day list"), "homecare.my_day.print", kind="quiet", icon="file-pdf")
        row = QHBoxLayout()
        row.setSpacing(theme.current().space(4))
        row.addWidget(self._title)
        row.addWidget(self._sums, 1)
        row.addWidget(self._age)
        row.addWidget(self._print)
        return row

    def _connect(self) -> None:
        self.list.chosen.connect(self._on_chosen)
        self.list.opened.connect(lambda _key: self._open_user())
        self.list.entered.connect(self._enter_card)
        self.list.key_pressed.connect(self._on_key)
        self.card.completed.connect(self._complete)
        self.card.not_home.connect(self._not_home)
        self.card.excepted.connect(lambda reason: self._except(NotDone(reason)))
        self.card.back.connect(self._back)
        self.card.user_wanted.connect(self._open_user)
        self.follow_up.closed.connect(self._complete)
        self.follow_up.user_wanted.connect(self._open_user)
        self.follow_up.back.connect(self._back)
        self.follow_up.handed_over.connect(self._hand_over)
        self._paper = Paper(self._ctx)
        self._came_back = CameBack(self.list, self.card.why, lambda: self._except(NotDone.OTHER))
        self._print.clicked.connect(self._paper.day_list)

    def key_hints(self) -> tuple[tuple[str, str], ...]:
        """The keys of this view, for the status strip."""
        return hint_pairs(self)

    def open_with(self, arguments: dict[str, str]) -> None:
        """Wanted for a visit that was taken back."""
        self._came_back.expect(arguments)
        self._day_live.again()

    def trigger(self, action_id: str) -> bool:
        """Do an action chosen in the palette on the line chosen; False when it is not ours."""
        calls: dict[str, Callable[[], object]] = {
            "complete-visit": self._complete,
            "start-visit": self._start,
            "not-home": self._not_home,
            "write-note": lambda: self._letter("N"),
            "record-measurements": lambda: self._letter("M"),
            "close-follow-up": self._complete,
            "hand-over-follow-up": lambda: self._letter("H"),
            **{f"except-{reason}": partial(self._except, reason) for reason in NotDone},
        }
        call = calls.get(action_id.rpartition(".")[2])
        # What is not on the screen is never signed from the palette.
        if call is None or self.list.current_row() is None or not self.isVisible():
            return False
        call()
        return True

    # -- reading -------------------------------------------------------------------------------------

    def _watch_day(self) -> Ending:
        who, ctx = self._ctx.who, self._ctx
        return ctx.queries.watch(
            my_day,
            self._show_day,
            None,
            practitioner_ref=who.practitioner_ref,
            workplace_ref=who.workplace_ref,
            day=ctx.today(),
            now=ctx.clock.now(),
        )

    def _show_day(self, day: MyDay) -> None:
        self.list.show_day(day)
        done = {row.key for row in day.rows if row.section is Section.DONE}
        self._signed &= {row.key for row in day.rows} - done
        self._title.set_words(headline(long_day_text(self._ctx.today())))
        self._sums.set_words(states.day_sums(day.sums))
        self._age.show_age(day.as_of, day.complete)
        self._loading.show_content(bool(day.rows))
        self._came_back.show(day.rows)
        if not self._chosen_first and day.rows:
            self._chosen_first = True
            self.list.choose(day.next_key or self.list.day_rows()[0].key)
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        row = self.list.current_row()
        if row is not None and row.kind is not ItemKind.VISIT:
            self.follow_up.show_row(row)

    def _on_chosen(self, key: str) -> None:
        if key:
            self._opening.start()

    def _open_current(self) -> None:
        row = self.list.current_row()
        if row is None:
            return
        if row.patient_ref and self.isVisible():  # made anew out of sight, it takes nobody's place
            self._ctx.patients.choose(row.patient_ref)
        if row.kind is ItemKind.VISIT:
            self._card_live.again()
        else:
            self._card_live.end()
            self.follow_up.show_row(row)
            self._side.setCurrentWidget(self.follow_up)

    def _watch_card(self) -> Ending:
        row = self.list.current_row()
        key = row.key if row is not None else ""
        ctx = self._ctx
        return ctx.queries.watch(
            visit_card,
            lambda card: self._show_card(key, card),
            None,
            appointment_ref=key,
            practitioner_ref=ctx.who.practitioner_ref,
            now=ctx.clock.now(),
        )

    def _show_card(self, key: str, card: VisitCard | None) -> None:
        row = self.list.current_row()
        if card is None or row is None or row.key != key:
            return
        self.card.show_card(card)
        self._side.setCurrentWidget(self.card)
        if self.card.why.visit_ref == key and self.list.hasFocus():
            self.card.why.take_cursor()

    # -- signing ---------------------------------------------------------------------------------------

    def _on_key(self, text: str, _key: str) -> None:
        if text == "SPACE":
            self._complete()
        elif text == "I":
            self._not_home()
        elif text == "B":
            self._start()
        elif text in "12345":
            self._except(states.REASONS[int(text) - 1][0])
        else:
            self._letter(text)

    def _letter(self, text: str) -> bool:
        row = self.list.current_row()
        if row is not None and text == "H":
            self._ensure_card()
            return self.follow_up.hand_over() if row.kind is not ItemKind.VISIT else self.card.hand_over()
        if row is None or row.kind is not ItemKind.VISIT or text not in ("N", "M", "K"):
            return False
        self._ensure_card()
        {"N": self.card.write_note, "M": self.card.measure, "K": self.card.show_access}[text]()
        return True

    def _ensure_card(self) -> None:
        """A key pressed before the card has opened opens it now."""
        if self._opening.isActive():
            self._opening.stop()
            self._open_current()

    def _enter_card(self) -> None:
        self._ensure_card()
        row = self.list.current_row()
        if row is not None and row.kind is ItemKind.VISIT:
            self.card.take_tasks()

    def _may_sign(self, row: DayRow | None) -> bool:
        return not (row is None or row.section is Section.DONE or row.key in self._signed)

    def _complete(self) -> None:
        row = self.list.current_row()
        if not self._may_sign(row) or row is None:
            return
        if row.kind is ItemKind.VISIT:
            self._sign(row, CompleteVisit(row.key), _("Done: {name}", name=row.patient_name))
        elif row.kind is ItemKind.REPLY:
            self._sign(row, ReadReply(row.key), _("Read: {title}", title=row.title))
        else:
            self._sign(row, CloseFollowUp(row.key), _("Followed up: {title}", title=row.title))

    def _hand_over(self, owner_ref: str, owner: str) -> None:
        row = self.list.current_row()
        if self._may_sign(row) and row is not None and row.kind is ItemKind.FOLLOW_UP:
            said = _("{title}: {owner} owns it", title=row.title, owner=owner)
            self._sign(row, HandOverFollowUp(row.key, owner_ref), said)

    def _start(self) -> None:
        row = self.list.current_row()
        if row is None or not self._may_sign(row) or row.visit_state is not VisitState.OPEN:
            return
        self._acting.run(StartVisit(row.key), _("Begun: {name}", name=row.patient_name))

    def _not_home(self) -> None:
        row = self.list.current_row()
        if row is None or row.kind is not ItemKind.VISIT or not self._may_sign(row):
            return
        self._ensure_card()
        said = _("Not home: {name}. The follow-up is made.", name=row.patient_name)
        self._sign(row, RecordNotHome(row.key), said, stay=True)

    def _except(self, reason: NotDone) -> None:
        row = self.list.current_row()
        if row is None or row.kind is not ItemKind.VISIT or not self._may_sign(row):
            return
        said = f"{states.reason_words(reason).capitalize()}: {row.patient_name}"
        if reason is NotDone.OTHER:
            self._ensure_card()
            self.card.ask_why(
                row.key,
                row.patient_name,
                lambda text: self._sign(row, ExceptVisit(row.key, reason, text), said),
            )
        elif reason is NotDone.NOT_HOME:
            self._sign(row, RecordNotHome(row.key), said, stay=True)
        else:
            self._sign(row, ExceptVisit(row.key, reason), said)

    def _sign(self, row: DayRow, command: Command, said: str, *, stay: bool = False) -> None:
        """Sign, and stand on the next open visit at once; a refusal brings the person back."""
        self._signed.add(row.key)
        self.list.set_pending(self._signed)
        following = "" if stay else self.list.next_open(row.key, self._signed)

        def settled(*_done: object) -> None:
            self._signed.discard(row.key)
            self.list.set_pending(self._signed)

        def refused(problems: tuple[ClinicianError, ...]) -> None:
            settled()
            self.list.choose(row.key)
            for problem in problems:
                self._ctx.messages.problem(problem)

        if following:
            self.list.choose(following)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        self._acting.run(command, said, settled, refused)

    def _back(self) -> None:
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_user(self) -> None:
        row = self.list.current_row()
        if row is not None and row.patient_ref:
            self._ctx.patients.choose(row.patient_ref)
            self._ctx.places.open("homecare.user", patient=row.patient_ref)

    # -- keys and language -----------------------------------------------------------------------------

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_Z:
            if not event.isAutoRepeat():
                self._acting.undo_last()
        elif event.key() == Qt.Key.Key_Escape:
            self._back()
        elif plain == Qt.KeyboardModifier.NoModifier and self._letter(event.text().upper()):
            event.accept()
        else:
            super().keyPressEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            show_hints(self, HINTS.render())
            self._day_live.again()
            self._opening.start()
        super().changeEvent(event)
