"""The zone: every route of the day side by side, what nobody has on top.

Arrows walk the visits · Alt+arrows carry one · M who can take it · A the focused colleague is absent ·
S suggest again · R build the routes · Enter accepts · Ctrl+Z undo.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.modulekit.context import Ending, ModuleContext
from modules.homecare.commands import AssignVisits, MoveVisit, NotifyStaff, RecordAbsence
from modules.homecare.queries import candidates, zone_day, zone_sheet
from modules.homecare.reports import zone_list_pdf
from modules.homecare.rows import Candidate, DaySums, Move, Suggestion, ZoneDay, ZoneRoute, ZoneVisit
from modules.homecare.views.acting import Acting
from modules.homecare.views.candidates_panel import CandidatesPanel
from modules.homecare.views.live import Live, age_text
from modules.homecare.views.paper import Paper
from modules.homecare.views.planner import Planner
from modules.homecare.views.suggestion_panel import SuggestionPanel, Tally, moved_to
from modules.homecare.views.work_line import WorkLine
from modules.homecare.views.zone_blocks import appointment_of, blocks, lanes
from modules.homecare.words import long_day_text
from ui.widgets import theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.labels import ElidedLabel, Label, StateLabel
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
        self._head()
        column.addLayout(self._head_grid)
        column.addWidget(self.work)
        column.addWidget(self._carrying)
        column.addWidget(self._loading, 1)
        self.setFocusProxy(self.grid)

    def _head(self) -> None:
        self._title = Label("", size=18, weight=600)
        self._earlier = IconButton("caret-left", L("The day before"), "homecare.zone.earlier")
        self._later = IconButton("caret-right", L("The day after"), "homecare.zone.later")
        self._sums = ElidedLabel("", tone="ink_quiet")
        self._age = Label("", size=12, tone="ink_quiet")
        self.absent_button = Button(
            L("Report absence (A)"), "homecare.zone.absent", icon="user-minus", signs=True
        )
        self.routes_button = Button(L("Build routes (R)"), "homecare.zone.build", icon="magic-wand")
        self._print = Button(L("Zone list"), "homecare.zone.print", kind="quiet", icon="file-pdf")
        self._words, self._tools = QWidget(), QWidget()
        self._head_grid = QGridLayout()
        self._head_grid.setSpacing(theme.current().space(2))
        self._head_grid.setColumnStretch(0, 1)
        row, tools = QHBoxLayout(self._words), QHBoxLayout(self._tools)
        for line in (row, tools):
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(theme.current().space(2))
        before: tuple[QWidget, ...] = (self._title, self._earlier, self._later)
        after: tuple[QWidget, ...] = (self.absent_button, self.routes_button, self._print)
        for part in before:
            row.addWidget(part)
        row.addWidget(self._sums, 1)
        row.addWidget(self._age)
        for part in after:
            tools.addWidget(part)
        tools.addStretch(1)
        self._arrange_head()
        theme.theme_changed.connect(self._arrange_head)

    def _arrange_head(self) -> None:
        """One line; two where the text is large."""
        large = theme.current().text_scale >= 150
        self._head_grid.addWidget(self._words, 0, 0)
        self._head_grid.addWidget(self._tools, 1 if large else 0, 0 if large else 1)

    def _connect(self) -> None:
        self.grid.lane_chosen.connect(lambda _key: self._name_absent())
        self.grid.block_activated.connect(self._ask_candidates)
        self.grid.block_dropped.connect(self._on_dropped)
        self.grid.lifted.connect(self._on_lifted)
        self.grid.carried.connect(self._on_carried)
        self.absent_button.clicked.connect(self.report_absence)
        self.routes_button.clicked.connect(self.build_routes)
        self._print.clicked.connect(self._on_print)
        self._earlier.clicked.connect(lambda: self._turn(-1))
        self._later.clicked.connect(lambda: self._turn(1))
        self.panel.accepted.connect(self._accept)
        self.panel.adjust_wanted.connect(self._ask_candidates)
        self.panel.changed.connect(self._show_blocks)
        self.panel.notify_wanted.connect(self._notify)
        self.panel.closed.connect(self._close_side)
        self.candidates.chosen.connect(self._give)
        self.candidates.closed.connect(self._close_candidates)

    def _hints(self) -> None:
        words = _("Arrows = visits · Alt+arrows = move · M = who can · A = absent · R = build routes")
        self.setProperty("keyHints", words)
        self.grid.setAccessibleDescription(words)

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
        self._title.set_words(f"{self._ctx.who.workplace_name} · {long_day_text(self._day)}")
        self._sums.set_words(sums_text(zone.sums))
        self._age.set_words(age_text(zone.as_of, zone.complete))
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

    def _route(self, key: str) -> ZoneRoute | None:
        zone = self._zone
        return next((r for r in zone.routes if r.key == key), None) if zone else None

    def _visit(self, appointment_ref: str) -> ZoneVisit | None:
        zone = self._zone
        if zone is None:
            return None
        everyone = [*(v for r in zone.routes for v in r.visits), *zone.unassigned]
        return next((v for v in everyone if v.key == appointment_ref), None)

    def _name_absent(self) -> None:
        route = self._route(self.grid.current_lane())
        self.absent_button.setEnabled(route is not None and not route.is_absent)
        words = _("Report absence: {name} (A)", name=route.name) if route else L("Report absence (A)")
        self.absent_button.set_words(words)

    # -- absence and suggestion --------------------------------------------------------------------------

    def report_absence(self) -> None:
        """The focused colleague is away for the rest of the shift; a suggestion follows by itself."""
        route = self._route(self.grid.current_lane())
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
        route = self._route(self.grid.current_lane())
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
        self.panel.show_suggestion(suggestion, self._tally(suggestion))
        self._show_blocks()

    def _tally(self, suggestion: Suggestion) -> Tally:
        """Visits before and after, counted one by one: a suggestion neither makes nor removes any."""
        zone = self._zone
        routes = zone.routes if zone else ()
        before = {v.key for route in routes for v in route.visits}
        before |= {v.key for v in zone.unassigned} if zone else set()
        moved = [m.appointment_ref for m in (*suggestion.moves, *suggestion.unplaced)]
        return Tally(len(before), len(before - set(moved)) + len(moved))

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
        visit = self._visit(appointment_ref)
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
            route = self._route(move.to_route_key) if move else None
            self.side.setCurrentWidget(self.panel)
            self.panel.adjust(key, candidate, route.practitioner_ref if route else "")
            self.panel.moves.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        move = self._move(key)
        route = self._route(key.rpartition("|")[0])
        if move is not None:
            given = moved_to(move, candidate, _("given by hand"), route.practitioner_ref if route else "")
            said = _("{patient} is given to {name}.", patient=given.patient_name, name=given.to_name)
            self._acting.run(AssignVisits((given,), given.reason), said, lambda _done: self._close_side())

    def _move(self, key: str) -> Move | None:
        """The block as it lies, as a move that changes nothing yet."""
        visit = self._visit(appointment_of(key))
        if visit is None or self._zone is None:
            return None
        holders = [r for r in self._zone.routes if any(v.key == visit.key for v in r.visits)]
        here = self._route(key.rpartition("|")[0])
        return Move(
            appointment_ref=visit.key,
            patient_name=visit.patient_name,
            title=visit.title,
            from_name=here.name if here else "",
            to_route_key=here.key if here else "",
            to_name=here.name if here else "",
            to_practitioner_refs=tuple(route.practitioner_ref for route in holders),
            start=visit.start,
            end=visit.end,
            order=visit.order,
            travel_minutes=visit.travel_minutes,
            reason="",
        )

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
            lambda found: self.grid.set_allowed_lanes({own, *(c.route_key for c in found)}),
            None,
            appointment_ref=appointment_of(key),
            now=self._ctx.clock.now(),
        )

    def _on_carried(self, words: str) -> None:
        self._carrying.setVisible(bool(words))
        shown = _("{what}   Enter puts it down, Esc takes it back", what=words) if words else ""
        self._carrying.set_state("arrows-left-right", shown, "accent")
        if not words:
            self.grid.set_allowed_lanes(None)

    def _on_dropped(self, key: str, lane_key: str, start: datetime) -> None:
        move = self._move(key)
        if move is None:
            return
        own, route = key.rpartition("|")[0], self._route(lane_key)
        if lane_key == own:
            said = _("{patient} is moved to {clock}.", patient=move.patient_name, clock=f"{start:%H:%M}")
            self._acting.run(MoveVisit(move.appointment_ref, start, _("Moved by hand in the zone")), said)
            return
        name = route.name if route else _("nobody")
        to = Candidate(lane_key, route.practitioner_ref if route else "", name, "", start)
        here = self._route(own)
        given = moved_to(move, to, _("given by hand"), here.practitioner_ref if here else "")
        said = _("{patient} is given to {name}.", patient=given.patient_name, name=name)
        self._acting.run(AssignVisits((given,), given.reason), said)

    # -- paper, keys, language -----------------------------------------------------------------------------

    def _on_print(self) -> None:
        ctx = self._ctx
        ctx.queries.run(
            zone_sheet,
            lambda sheet: self._paper.make(
                lambda: zone_list_pdf(sheet, printed_at=ctx.clock.now(), printed_by=ctx.who.name),
                _("zone-list-{day}.pdf", day=self._day.isoformat()),
                _("Making the zone list"),
            ),
            None,
            workplace_ref=ctx.who.workplace_ref,
            day=self._day,
            now=ctx.clock.now(),
        )

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


def sums_text(sums: DaySums) -> str:
    """'62 besøk · 24 utført · 2 ikke utført · 1 flyttet · 1 avlyst · 34 åpne'."""
    parts = [_.n("{n} visit", "{n} visits", sums.planned), _.n("{n} done", "{n} done", sums.done)]
    if sums.not_done:
        parts.append(_.n("{n} not done", "{n} not done", sums.not_done))
    if sums.moved:
        parts.append(_.n("{n} moved", "{n} moved", sums.moved))
    if sums.cancelled:
        parts.append(_.n("{n} cancelled", "{n} cancelled", sums.cancelled))
    parts.append(_.n("{n} open", "{n} open", sums.open))
    return " · ".join(parts)
