"""The window: puts the rail, the bars and the pages together and moves between them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.access.who import Who
from clinician.errors import Bug, ClinicianError
from clinician.events import SyncStatus
from clinician.modulekit.context import Kind
from clinician.texts import lazy
from ui.jobs import Pool
from ui.shell import offers
from ui.shell.answers import Catalogue
from ui.shell.bug_report import BugSheet
from ui.shell.chords import Chords
from ui.shell.cover import Cover, IdleWatch
from ui.shell.desk import Desk
from ui.shell.help_sheet import HelpSheet
from ui.shell.layout_plan import Plans, load_plans
from ui.shell.message_line import MessageLine
from ui.shell.own_pages import OwnPages
from ui.shell.palette import SearchField
from ui.shell.rail_places import module_places, own_places
from ui.shell.rooms import Rooms
from ui.shell.running import Running
from ui.shell.session import SESSION, Stood, read
from ui.shell.sign_in_page import SignInPage
from ui.shell.station import DraftLine, Station, WorkplaceLine
from ui.shell.work import Work
from ui.widgets.panes import Ground
from ui.widgets.words import announce

L = lazy("ui")
_log = logging.getLogger(__name__)
FRAME: Final = 4


class Shell(Ground):
    """The content of the window once a station is there."""

    def __init__(self, station: Station) -> None:
        super().__init__("practice" if station.practice else "surface")
        self.setObjectName("shell")
        self.desk = Desk(station)
        self.running = Running(self.desk.threads, self)
        self._catalogue = Catalogue(self)
        self.search = SearchField(self.desk, self._catalogue.answers, self)
        self.work = Work(self.desk, self.running, self.search)
        self.rooms = Rooms(self.desk, self.running, self.work.pages)
        self.place = ""
        self._who: Who | None = None
        self._has_begun = False
        self._build_front()
        self._build_pages()
        self._build_sheets()
        self._connect()
        self._chords = Chords(self)
        self.idle = IdleWatch(self, 1000 * self.desk.face.idle_seconds())
        self.idle.idle.connect(self.lock)

    def show_first(self) -> None:
        """The shell is in its window: begin to fetch, and ask who is there."""
        self.idle.watch(self.window().windowHandle())
        for problem in self.desk.station.settings.problems:
            self.desk.messages.problem(problem)
        self.sign_in_page.looked_up.connect(self._begin_the_rest)
        self.sign_in_page.begin()

    def _begin_the_rest(self) -> None:
        """One can choose who one is: now there is time for what that does not need."""
        if self._has_begun:
            return
        self._has_begun = True
        self.desk.act(self.desk.station.start_sync)
        # What the first module page needs of ours is read from disk while the person types a PIN.
        self.desk.threads.run(lambda: import_module("ui.shell.docks"), lambda _docks: None, pool=Pool.JOB)

    # -- building --------------------------------------------------------------------------------

    def _build_front(self) -> None:
        self.sign_in_page = SignInPage(self.desk)
        self.cover = Cover(self.desk)
        front = QWidget()
        self._fronts = QStackedWidget()
        self._fronts.addWidget(self.sign_in_page)
        self._fronts.addWidget(self.cover)
        column = QVBoxLayout(front)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._fronts, 1)
        self._front_line = MessageLine(self.desk.messages, "shell.front.message")
        column.addWidget(self._front_line)
        self._front = front
        self._stack = QStackedWidget()
        self._stack.addWidget(front)
        self._stack.addWidget(self.work)
        frame = FRAME if self.desk.station.practice else 0
        outer = QVBoxLayout(self)
        outer.setContentsMargins(frame, frame, frame, frame)
        outer.addWidget(self._stack)

    def _build_pages(self) -> None:
        self.own = OwnPages(self.desk, self.work.pages)
        self.outbox, self.conflict = self.own.outbox, self.own.conflict
        self.settings_page, self.modules_page = self.own.settings, self.own.modules

    def _build_sheets(self) -> None:
        self.help = HelpSheet(self)
        self.bug = BugSheet(self)
        self.help.left.connect(lambda: self._leave_sheet(self.help))
        self.bug.left.connect(lambda: self._leave_sheet(self.bug))
        self.bug.save_wanted.connect(
            lambda text: self.desk.save_file("clinician-rapport.txt", text.encode("utf-8"))
        )

    def _connect(self) -> None:
        desk, work = self.desk, self.work
        self.sign_in_page.signed_in.connect(self._on_signed_in)
        self.cover.opened.connect(self._on_uncovered)
        self.cover.other_wanted.connect(self.sign_out)
        work.rail.wanted.connect(self.go)
        work.strip.outbox_wanted.connect(lambda: self.go("page:outbox"))
        work.top.lock_wanted.connect(self.lock)
        work.top.sign_out_wanted.connect(self.sign_out)
        work.top.workplace_wanted.connect(self._on_workplace)
        self.conflict.left.connect(lambda: self.go("page:outbox"))
        self.modules_page.switched.connect(self._on_switched)
        desk.view_wanted.connect(self._on_view_wanted)
        desk.page_wanted.connect(self._on_page_wanted)
        desk.bug_wanted.connect(self._on_bug_wanted)
        desk.language_changed.connect(self._on_language)
        desk.bridge.sync_status.connect(self._on_status)
        desk.patient.changed_to.connect(lambda _ref: self._keep_session())
        self.search.person_taken.connect(self._on_person)

    # -- who is here -----------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """True while somebody works: signed in and not covered."""
        return self._stack.currentWidget() is self.work

    def _on_signed_in(self, who: Who, drafts: Sequence[DraftLine]) -> None:
        self._who = who
        self.desk.face.remember(workplace=who.workplace_ref)
        self.desk.dress(who.practitioner_ref)
        self.desk.drafts.open_for_person(drafts)
        self.work.top.show_person(who)
        self._open_modules()
        self._stack.setCurrentWidget(self.work)
        self._restore_session()
        self._on_status(self.desk.station.status())
        # What the first signature needs is read while the person looks at the first page.
        self.desk.threads.run(self.desk.station.warm_up, lambda _none: None, pool=Pool.JOB)

    def lock(self) -> None:
        """Cover everything; what is loaded and typed stays."""
        if self.is_open and self._who is not None:
            self._keep_all()
            self.desk.drafts.flush()
            self.search.sheet.hide()
            self._front_line.hide_present()
            self._fronts.setCurrentWidget(self.cover)
            self._stack.setCurrentWidget(self._front)
            self.cover.begin(self._who)

    def _on_workplace(self, workplace_ref: str) -> None:
        if self._who is None or workplace_ref == self._who.workplace_ref:
            return
        who = self._who

        def ask(places: Sequence[WorkplaceLine]) -> None:
            names = {place.key: place.name for place in places}
            self.lock()
            self.cover.begin(who, workplace_ref, names.get(workplace_ref, ""))

        self.desk.threads.run(self.desk.station.workplaces, ask)

    def _on_uncovered(self, who: Who) -> None:
        before, self._who = self._who, who
        self._stack.setCurrentWidget(self.work)
        if before is not None and before.workplace_ref != who.workplace_ref:
            self._move_to(who)
        else:
            self.rooms.take_focus(self.place)

    def _move_to(self, who: Who) -> None:
        """Another workplace: the same person, patient and drafts; the views are made for the new place."""
        self.work.top.show_person(who)
        self._make_anew()
        self.go(self.place)

    def _make_anew(self) -> None:
        states = self.rooms.states()
        self.rooms.keep_arrangements()
        self.rooms.end()
        self._open_modules()
        self.rooms.keep_states(states)

    def sign_out(self) -> None:
        """The person leaves: drafts and outbox stay, nothing of theirs stays on the screen."""
        if self._who is None:
            return
        self._keep_all()
        self.search.central.forget()
        self.desk.drafts.close_for_person()
        self.rooms.end()
        self.outbox.end()
        self.desk.patient.clear()
        self.desk.messages.clear()
        self.desk.writes.forget()
        self._who, self.place = None, ""
        self.desk.act(self.desk.station.sign_out)
        self.desk.dress("")
        self._fronts.setCurrentWidget(self.sign_in_page)
        self._stack.setCurrentWidget(self._front)
        self.sign_in_page.begin()

    # -- modules and places ----------------------------------------------------------------------

    def _open_modules(self) -> None:
        found = offers.collect(self.desk.station.registry)
        plans: Plans = {}
        if self._who is not None:
            plans, problems = load_plans(self.desk.station.folder, self._who, found)
            for problem in problems:
                self.desk.messages.problem(problem)
        self.rooms.set_offers(found, plans)
        self.modules_page.show_offers(found)
        self.work.rail.set_entries(module_places(found), own_places())

    def _on_switched(self, module: str, on: bool) -> None:
        try:
            self.desk.station.registry.switch(module, on)
        except ClinicianError as problem:
            self.desk.messages.problem(problem)
        self._make_anew()
        self.work.rail.mark(self.place)

    def go_number(self, number: int) -> None:
        """Go to the n-th module of the rail."""
        modules = [key for key in self.work.rail.keys if key.startswith("module:")]
        if number <= len(modules):
            self.go(modules[number - 1])

    def go_page(self, number: int) -> None:
        """Bring the n-th page of the module to the front."""
        self.rooms.open_page(self.place, number)

    def go(self, place: str) -> None:
        """Go to 'module:…' or 'page:…'. Patient, drafts, selection and scroll stay."""
        kind, _, name = place.partition(":")
        if kind == "module":
            if not self.rooms.show(name):
                place = "page:modules"
                self._show_page("modules", {})
        elif kind == "page":
            self._show_page(name, {})
        else:
            return
        self.place = place
        self.work.rail.mark(place)
        self._keep_session()

    def _show_page(self, name: str, arguments: Mapping[str, str]) -> None:
        self.own.show(name, arguments)

    def _on_page_wanted(self, page: str, arguments: Mapping[str, str]) -> None:
        if page == "help":
            self.show_keys()
            return
        self._show_page(page, arguments)
        self.place = f"page:{page}"
        self.work.rail.mark(self.own.rail_place(page))

    def _on_view_wanted(self, view_id: str, arguments: Mapping[str, str]) -> None:
        module = view_id.partition(".")[0]
        if not self.rooms.open_view(view_id, arguments):
            self.desk.messages.say(L("“{name}” is not on this PC", name=view_id), Kind.WARN)
            return
        self.place = f"module:{module}"
        self.work.rail.mark(self.place)
        self._keep_session()

    def _on_person(self, patient_ref: str) -> None:
        """Somebody was searched for and taken: the banner and, where the module has one, their page."""
        self.desk.patient.choose(patient_ref)
        view = self.rooms.patient_view(self.place)
        if view:
            self.desk.open_view(view, {"patient": patient_ref})

    def step_pane(self, by: int) -> None:
        """Give the keyboard to the next pane, or the one before."""
        stops: list[QWidget] = [self.search, *self.rooms.visible(self.place)]
        page = self.work.pages.currentWidget()
        if self.place.startswith("page:") and page is not None:
            stops.append(page)
        focus: QWidget | None = self.focusWidget()
        held = (n for n, stop in enumerate(stops) if focus and (stop is focus or stop.isAncestorOf(focus)))
        at = next(held, 0)
        stop: Any = stops[(at + by) % len(stops)]
        if stop is self.search:
            self.search.begin()
        elif hasattr(stop, "take_focus"):
            stop.take_focus()
        else:
            self._show_page(self.place.partition(":")[2], {})

    # -- what is shown over the page -------------------------------------------------------------

    def show_keys(self) -> None:
        """Every key, those of the focused pane first; F1 again takes it away."""
        if self.help.isVisible():
            self._leave_sheet(self.help)
            return
        self._back_to = self.focusWidget()
        self.help.show_keys(self.work.strip.pane_keys())

    def _on_bug_wanted(self, bug: Bug) -> None:
        self._back_to = self.focusWidget()
        self.bug.show_bug(bug)

    def _leave_sheet(self, sheet: QWidget) -> None:
        sheet.hide()
        back = getattr(self, "_back_to", None)
        if back is not None and back.isVisible():
            back.setFocus()

    def _on_status(self, status: SyncStatus) -> None:
        self.work.show_status(status, self._who)
        if status.lease_over:
            self.lock()

    def _on_language(self) -> None:
        announce(self.window())
        self.rooms.retranslate()
        self.desk.reads.refresh()
        if self._who is not None:
            self.modules_page.show_offers(offers.collect(self.desk.station.registry))

    # -- where the person stood ------------------------------------------------------------------

    def _keep_session(self) -> None:
        if self._who is not None and self.place:
            patient = self.desk.patient
            stood = Stood(self.place, patient.current, tuple(patient.recent), self.rooms.states())
            self.desk.drafts.save(SESSION, "", stood.written())

    def _keep_all(self) -> None:
        self._keep_session()
        self.rooms.keep_arrangements()

    def _restore_session(self) -> None:
        stood = read(self.desk.drafts.load(SESSION, ""))
        self.desk.patient.recent = list(stood.recent)
        self.rooms.keep_states(stood.views)
        self.desk.patient.choose(stood.patient)
        known = self.work.rail.keys
        self.go(stood.place if stood.place in known else next(iter(known), "page:outbox"))

    # -- Qt --------------------------------------------------------------------------------------

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.desk.messages.dismiss()
            return
        super().keyPressEvent(event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for sheet in (self.help, self.bug):
            if sheet.isVisible():
                sheet.move((self.width() - sheet.width()) // 2, (self.height() - sheet.height()) // 2)

    def shut(self) -> None:
        """Keep what is typed, end every view, stop every thread."""
        self.idle.stop()
        self.work.strip.stop()
        self.work.stale.stop()
        self._keep_all()
        if self._who is not None:
            self.desk.drafts.close_for_person()
        self.rooms.end()
        self.desk.close()
