"""The zone: every route of the day side by side, what nobody has on top.

Arrows walk the visits · Alt+arrows carry one · M who can take it · A the focused colleague is absent ·
S suggest again · R build the routes · Enter accepts · Ctrl+Z undo.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.modulekit.context import Ending, ModuleContext
from modules.homecare.commands import AssignVisits, MoveVisit, NotifyStaff, RecordAbsence
from modules.homecare.queries import candidates, zone_day
from modules.homecare.rows import Candidate, Move, Suggestion, ZoneDay, ZoneRoute, ZoneVisit
from modules.homecare.views.acting import Acting
from modules.homecare.views.candidates_panel import CandidatesPanel
from modules.homecare.views.hints import hint_pairs, show_hints
from modules.homecare.views.live import Live
from modules.homecare.views.paper import Paper
from modules.homecare.views.planner import Planner
from modules.homecare.views.suggestion_panel import SuggestionPanel, moved_to
from modules.homecare.views.work_line import WorkLine
from modules.homecare.views.zone_blocks import appointment_of, blocks, lanes
from modules.homecare.views.zone_head import ZoneHead
from modules.homecare.views.zone_moves import as_move, route_of, sums_text, tally, visit_of
from modules.homecare.words import long_day_text
from ui.widgets import theme
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.labels import StateLabel
from ui.widgets.panes import Pane
from ui.widgets.time_grid import TimeGrid

_ = texts.translator("homecare")
L = texts.lazy("homecare")


def make(ctx: ModuleContext) -> QWidget:
    """The view factory."""
    return ZoneView(ctx)


class ZoneView(QWidget):
    """The coordinator's screen."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.setObjectName("homecare.zone")
        self._ctx = ctx
        self._acting = Acting(ctx)
        self._planner = Planner(ctx)
        self._paper = Paper(ctx)
        self._zone: ZoneDay | None = None
        self._day: date = ctx.today()
        self._absent_ref = ""
        self._made: tuple[Move, ...] = ()
        self._asking = ""
        self._build()
        self._connect()
        self._live = Live(self, self._watch)
        self._hints()
        self._loading.wait()
        self._live.again()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        space = theme.current().space
        self.grid = TimeGrid(object_name="homecare.zone.grid", name=_("Routes of the day"))
        self.panel = SuggestionPanel()
        self.candidates = CandidatesPanel()
        self.side = QStackedWidget()
        self.side.addWidget(self.panel)
        self.side.addWidget(self.candidates)
        self.side.hide()
        self.work = WorkLine(self._ctx, "zone")
        self._carrying = StateLabel("arrows-left-right", "", "accent", weight=600)
        self._carrying.hide()
        left = Pane(margin=1)
        left.body.addWidget(self.grid)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(space(2))
        split.addWidget(left)
        split.addWidget(self.side)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([900, 400])
        empty = EmptyState(
            L("No routes this day"),
            L("Nobody is on the rota for this zone, or the rota has not arrived yet."),
            icon="path",
        )
        self._loading = Loading(split, empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(2))
        self.head = ZoneHead(self._ctx.record_now)
        self.absent_button = self.head.absent
        column.addWidget(self.head)
        column.addWidget(self.work)
        column.addWidget(self._carrying)
        column.addWidget(self._loading, 1)
        self.setFocusProxy(self.grid)

    def _connect(self) -> None:
        self.grid.lane_chosen.connect(lambda _key: self._name_absent())
        self.grid.block_activated.connect(self._ask_candidates)
        self.grid.block_dropped.connect(self._on_dropped)
        self.grid.lifted.connect(self._on_lifted)
        self.grid.carried.connect(self._on_carried)
        self.head.absent.clicked.connect(self.report_absence)
        self.head.routes.clicked.connect(self.build_routes)
        self.head.paper.clicked.connect(lambda: self._paper.zone_list(self._day))
        self.head.earlier.clicked.connect(lambda: self._turn(-1))
        self.head.later.clicked.connect(lambda: self._turn(1))
        self.panel.accepted.connect(self._accept)
        self.panel.adjust_wanted.connect(self._ask_candidates)
        self.panel.changed.connect(self._show_blocks)
        self.panel.notify_wanted.connect(self._notify)
        self.panel.closed.connect(self._close_side)
        self.candidates.chosen.connect(self._give)
        self.candidates.closed.connect(self._close_candidates)

    def _hints(self) -> None:
        words = _("Arrows = visits · Alt+arrows = move · M = who can · A = absent · R = build routes")
        show_hints(self, words)
        self.grid.setAccessibleDescription(words)

    def key_hints(self) -> tuple[tuple[str, str], ...]:
        """The keys of this view, for the status strip."""
        return hint_pairs(self)

    # -- reading ---------------------------------------------------------------------------------------

    def _watch(self) -> Ending:
        ctx = self._ctx
        return ctx.queries.watch(
            zone_day,
            self._show,
            None,
            workplace_ref=ctx.who.workplace_ref,
            day=self._day,
            now=ctx.clock.now(),
        )

    def _turn(self, days: int) -> None:
        self._day += timedelta(days=days)
        self._close_side()
        self._live.again()

    def _show(self, zone: ZoneDay) -> None:
        self._zone = zone
        self.head.title.set_words(f"{self._ctx.who.workplace_name} · {long_day_text(self._day)}")
        self.head.sums.set_words(sums_text(zone.sums))
        self.head.age.show_age(zone.as_of, zone.complete)
        count = len(zone.unassigned)
        some = _.n("{n} visit without anyone", "{n} visits without anyone", count)
        self.grid.set_pool_words(some, _("Every visit has someone"))
        self._show_blocks()
        self._name_absent()
        self._loading.show_content(bool(zone.routes or zone.unassigned))

    def _show_blocks(self) -> None:
        zone = self._zone
        if zone is None:
            return
        is_today = self._day == self._ctx.today()
        suggested = self.panel.chosen_moves() if self._is_suggesting() else ()
        now = self._ctx.clock.now() if is_today else None
        self.grid.show_day(self._day, lanes(zone), blocks(zone, suggested), now=now)

    def _is_suggesting(self) -> bool:
        return not self.side.isHidden() and not self.panel.accept_button.isHidden()

    def _name_absent(self) -> None:
        route = route_of(self._zone, self.grid.current_lane())
        self.head.absent.setEnabled(route is not None and not route.is_absent)
        words = _("Report absence: {name} (A)", name=route.name) if route else L("Report absence (A)")
        self.head.absent.set_words(words)

    # -- absence and suggestion --------------------------------------------------------------------------

    def report_absence(self) -> None:
        """The focused colleague is away for the rest of the shift; a suggestion follows by itself."""
        route = route_of(self._zone, self.grid.current_lane())
        if route is None or route.is_absent:
            return
        start = max(self._ctx.clock.now(), route.shift_start)
        if start >= route.shift_end:
            self._ctx.messages.say(_("{name} has no working hours left this day.", name=route.name))
            return
        command = RecordAbsence(route.practitioner_ref, start, route.shift_end, _("Sick"))
        said = _("{name} is reported absent.", name=route.name)
        self._acting.run(command, said, lambda _done: self._suggest_for(route))

    def suggest_again(self) -> None:
        """A suggestion for the focused colleague, when that colleague is away."""
        route = route_of(self._zone, self.grid.current_lane())
        if route is not None and route.is_absent:
            self._suggest_for(route)

    def _suggest_for(self, route: ZoneRoute) -> None:
        self._absent_ref = route.practitioner_ref
        self._planner.substitute(self.work, route.practitioner_ref, self._day, self._on_suggestion)

    def build_routes(self) -> None:
        """Plan the whole day anew; what is begun or done stays."""
        self._absent_ref = ""
        self._planner.routes(self.work, self._day, self._on_suggestion)

    def _on_suggestion(self, suggestion: Suggestion) -> None:
        self.side.setCurrentWidget(self.panel)
        self.side.show()
        self.panel.show_suggestion(suggestion, tally(self._zone, suggestion))
        self._show_blocks()

    def _accept(self, moves: tuple[Move, ...]) -> None:
        if not moves:
            self._close_side()
            return
        title = self.panel.suggestion.title if self.panel.suggestion else ""
        said = _.n("{n} visit given out.", "{n} visits given out.", len(moves))
        reason = title or _("Changed in the zone")
        self._acting.run(AssignVisits(moves, reason), said, lambda _done: self._on_accepted(moves))

    def _on_accepted(self, moves: tuple[Move, ...]) -> None:
        self._made = moves
        people = {ref for move in moves for ref in move.to_practitioner_refs}
        self.panel.show_accepted(len(people))
        self._show_blocks()

    def _notify(self) -> None:
        moves = self._made
        if moves:
            said = _("The staff are told of the changes.")
            self._acting.run(NotifyStaff(moves), said, lambda _done: self._close_side())

    def _close_side(self) -> None:
        self._made = ()
        self.side.hide()
        self._show_blocks()
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- one visit -----------------------------------------------------------------------------------------

    def _ask_candidates(self, key: str) -> None:
        appointment_ref = appointment_of(key) if "|" in key else key
        visit = visit_of(self._zone, appointment_ref)
        if visit is None:
            return
        self._asking = key
        self._ctx.queries.run(
            candidates,
            lambda found: self._show_candidates(key, visit, found),
            None,
            appointment_ref=appointment_ref,
            now=self._ctx.clock.now(),
        )

    def _show_candidates(self, key: str, visit: ZoneVisit, found: tuple[Candidate, ...]) -> None:
        if key != self._asking:
            return
        self.side.setCurrentWidget(self.candidates)
        self.side.show()
        self.candidates.show_candidates(visit, found)

    def _give(self, candidate: Candidate) -> None:
        key = self._asking
        if "|" not in key:  # one line of a suggestion is adjusted, nothing is written
            suggestion = self.panel.suggestion
            moves = (*suggestion.moves, *suggestion.unplaced) if suggestion else ()
            move = next((m for m in moves if m.appointment_ref == key), None)
            route = route_of(self._zone, move.to_route_key) if move else None
            self.side.setCurrentWidget(self.panel)
            self.panel.adjust(key, candidate, route.practitioner_ref if route else "")
            self.panel.moves.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        move = as_move(self._zone, key)
        route = route_of(self._zone, key.rpartition("|")[0])
        if move is not None:
            given = moved_to(move, candidate, _("given by hand"), route.practitioner_ref if route else "")
            said = _("{patient} is given to {name}.", patient=given.patient_name, name=given.to_name)
            self._acting.run(AssignVisits((given,), given.reason), said, lambda _done: self._close_side())

    def _close_candidates(self) -> None:
        if "|" not in self._asking and self.panel.suggestion is not None:
            self.side.setCurrentWidget(self.panel)
            self.panel.moves.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._close_side()

    # -- carrying --------------------------------------------------------------------------------------------

    def _on_lifted(self, key: str) -> None:
        """Only lanes that can take the visit are open; until the answer is here, only its own."""
        own = key.rpartition("|")[0]
        self.grid.set_allowed_lanes({own})
        self._ctx.queries.run(
            candidates,
            lambda found: self._open_lanes({own, *(c.route_key for c in found)}),
            None,
            appointment_ref=appointment_of(key),
            now=self._ctx.clock.now(),
        )

    def _open_lanes(self, keys: set[str]) -> None:
        if self.grid.is_carrying:  # an answer that comes after the block is down is too late
            self.grid.set_allowed_lanes(keys)

    def _on_carried(self, words: str) -> None:
        self._carrying.setVisible(bool(words))
        shown = _("{what}   Enter puts it down, Esc takes it back", what=words) if words else ""
        self._carrying.set_state("arrows-left-right", shown, "accent")
        if not words:
            self.grid.set_allowed_lanes(None)

    def _on_dropped(self, key: str, lane_key: str, start: datetime) -> None:
        move = as_move(self._zone, key)
        if move is None:
            return
        own, route = key.rpartition("|")[0], route_of(self._zone, lane_key)
        if lane_key == own:
            said = _("{patient} is moved to {clock}.", patient=move.patient_name, clock=f"{start:%H:%M}")
            self._acting.run(MoveVisit(move.appointment_ref, start, _("Moved by hand in the zone")), said)
            return
        name = route.name if route else _("nobody")
        to = Candidate(lane_key, route.practitioner_ref if route else "", name, "", start)
        here = route_of(self._zone, own)
        given = moved_to(move, to, _("given by hand"), here.practitioner_ref if here else "")
        said = _("{patient} is given to {name}.", patient=given.patient_name, name=name)
        self._acting.run(AssignVisits((given,), given.reason), said)

    # -- keys, language -----------------------------------------------------------------------------

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.isAutoRepeat():
            super().keyPressEvent(event)
        elif plain == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_Z:
            self._acting.undo_last()
        elif event.key() == Qt.Key.Key_Escape:
            self._on_escape()
        elif plain == Qt.KeyboardModifier.NoModifier and self._letter(event.text().upper()):
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_escape(self) -> None:
        if self.side.currentWidget() is self.candidates and not self.side.isHidden():
            self._close_candidates()
        else:
            self._close_side()

    def _letter(self, text: str) -> bool:
        calls = {"A": self.report_absence, "S": self.suggest_again, "R": self.build_routes}
        if text == "M" and self.grid.current_key():
            self._ask_candidates(self.grid.current_key())
        elif text in calls:
            calls[text]()
        else:
            return False
        return True

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._hints()
            self._live.again()
        super().changeEvent(event)
