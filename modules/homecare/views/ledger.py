"""Nothing disappears: planned = done + not done + moved + cancelled + open, and what is broken, by name."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSplitter, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.modulekit.context import Ending, ModuleContext
from clinician.texts import Text
from modules.homecare.commands import HandOverFollowUp
from modules.homecare.queries import ledger
from modules.homecare.rows import BrokenLink, BrokenRow, DaySums, Ledger, RemovalRow
from modules.homecare.views import states
from modules.homecare.views.acting import Acting
from modules.homecare.views.hints import hint_pairs, show_hints
from modules.homecare.views.live import Live
from modules.homecare.views.owner_choice import HandOverLine
from modules.homecare.words import headline, minutes_text
from ui.models.rows import Column, RowModel
from ui.widgets import theme
from ui.widgets.checklist import Checklist, CheckRow
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.freshness import AgeLabel
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Pane, Scrolled
from ui.widgets.row_table import RowTable

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_LINKS: Final[dict[BrokenLink, tuple[str, str]]] = {
    BrokenLink.PAST_DUE: ("clock", "danger"),
    BrokenLink.NO_OWNER: ("user-minus", "danger"),
    BrokenLink.FOLLOW_UP_LATE: ("clock-countdown", "danger"),
    BrokenLink.GRANTED_NOT_PLANNED: ("link-break", "warn"),
    BrokenLink.PLANNED_NOT_DOCUMENTED: ("link-break", "warn"),
}

_OWNED: Final = frozenset({BrokenLink.NO_OWNER, BrokenLink.FOLLOW_UP_LATE})


def make(ctx: ModuleContext) -> QWidget:
    """The view factory."""
    return LedgerView(ctx)


class _Line:
    """One route's sums, as a row."""

    __slots__ = ("key", "sums")

    def __init__(self, key: str, sums: DaySums) -> None:
        self.key, self.sums = key, sums

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Line) and (self.key, self.sums) == (other.key, other.sums)

    def __hash__(self) -> int:
        return hash((self.key, self.sums))


class Equation(QWidget):
    """planned = done + not done + moved + cancelled + open, with its words beneath each number."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: list[Label] = []
        names: tuple[tuple[str, Text, str], ...] = (
            ("", L("planned"), "ink"),
            ("=", L("done"), "done"),
            ("+", L("not done"), "warn"),
            ("+", L("moved"), "ink"),
            ("+", L("cancelled"), "ink"),
            ("+", L("open"), "accent"),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.current().space(4))
        grid.setVerticalSpacing(0)
        for place, (sign, words, tone) in enumerate(names):
            if sign:
                grid.addWidget(Label(sign, size=18, tone="ink_quiet"), 0, 2 * place - 1)
            number = Label("", size=24, weight=600, tone=tone)
            self._numbers.append(number)
            grid.addWidget(number, 0, 2 * place)
            grid.addWidget(Label(words, size=12, tone="ink_quiet"), 1, 2 * place)
        grid.setColumnStretch(2 * len(names), 1)

    def show_sums(self, sums: DaySums) -> None:
        """Show them; a reader hears the whole sentence."""
        values = (sums.planned, sums.done, sums.not_done, sums.moved, sums.cancelled, sums.open)
        for label, value in zip(self._numbers, values, strict=True):
            label.set_words(str(value))
        sentence = _(
            "{planned} planned = {done} done + {not_done} not done + {moved} moved "
            "+ {cancelled} cancelled + {open} open",
            planned=sums.planned,
            done=sums.done,
            not_done=sums.not_done,
            moved=sums.moved,
            cancelled=sums.cancelled,
            open=sums.open,
        )
        self.setAccessibleName(sentence)


class LedgerView(QWidget):
    """The page a leader, and whoever doubts, can read."""

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.setObjectName("homecare.ledger")
        self._ctx = ctx
        self._acting = Acting(ctx)
        self._broken_rows: dict[str, BrokenRow] = {}
        self._build()
        self._live = Live(self, self._watch)
        self._hints()
        self.broken.opened.connect(self._open)
        self.broken.key_pressed.connect(lambda _text, key: self._ask_owner(key))
        self.hand_over.handed.connect(self._hand_over)
        self.hand_over.left.connect(self.broken.setFocus)
        self._loading.wait()
        self._live.again()

    def _build(self) -> None:
        space = theme.current().space
        self._title = Label("", size=18, weight=600)
        self._age = AgeLabel(self._ctx.record_now, "homecare.ledger.age")
        self.equation = Equation()
        self._holds = StateLabel("check", "", "done")
        self._minutes = Label("", wrap=True)
        top = Pane(margin=4)
        for part in (self.equation, self._holds, self._minutes):
            top.body.addWidget(part)
        self.broken = Checklist("homecare.ledger.broken", L("Broken links"))
        self.broken.take_keys("H")
        self.hand_over = HandOverLine(self._ctx, "ledger")
        self._broken_title = Pane(L("Broken links"))
        broken_page = Loading(
            self.broken,
            EmptyState(
                L("No broken links"),
                L("What is granted is planned, and what is planned is documented."),
                icon="check-circle",
            ),
        )
        self._broken_page = broken_page
        self._broken_title.body.addWidget(self.hand_over)
        self._broken_title.body.addWidget(broken_page, 1)
        self.routes = RowTable(self._route_model(), "homecare.ledger.routes", L("Sums per route"))
        self.routes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        routes = Pane(L("Per route"))
        routes.body.addWidget(self.routes)
        self.removed = Checklist("homecare.ledger.removed", L("What left the lists, and why"))
        removed = Pane(L("What left the lists, and why"))
        self._removed_page = Loading(
            self.removed, EmptyState(L("Nothing has left the lists today"), icon="tray")
        )
        removed.body.addWidget(self._removed_page)
        right = QSplitter(Qt.Orientation.Vertical)
        left_right = QSplitter(Qt.Orientation.Horizontal)
        for split in (right, left_right):
            split.setChildrenCollapsible(False)
            split.setHandleWidth(space(2))
        right.addWidget(routes)
        right.addWidget(removed)
        left_right.addWidget(self._broken_title)
        left_right.addWidget(right)
        left_right.setSizes([560, 680])
        self._split = left_right
        self._fit()
        theme.theme_changed.connect(self._fit)
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(space(2))
        inner.addWidget(top)
        inner.addWidget(left_right, 1)
        self._loading = Loading(
            Scrolled(content),
            EmptyState(
                L("Nothing planned this day"), L("The sums appear with the first visit."), icon="scales"
            ),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(2))
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._age)
        column.addLayout(head)
        column.addWidget(self._loading, 1)
        self.setFocusProxy(self.broken)

    def _fit(self) -> None:
        """Large text stacks the lists and lets the page scroll, so that no list is a slit."""
        large = theme.current().text_scale >= 150
        self._split.setOrientation(Qt.Orientation.Vertical if large else Qt.Orientation.Horizontal)
        row = theme.current().row_height
        self.broken.setMinimumHeight(row * 5 if large else 0)
        self.routes.setMinimumHeight(row * 5)
        self.removed.setMinimumHeight(row * 3)

    def _route_model(self) -> RowModel[_Line]:
        def number(name: str, title: Text, width: int = 60) -> Column[_Line]:
            return Column[_Line](name, title, lambda row: str(getattr(row.sums, name)), width, right=True)

        self._routes: RowModel[_Line] = RowModel(
            [
                Column[_Line]("route", L("Route"), lambda row: row.key, tip=lambda row: row.key),
                number("planned", L("planned"), 70),
                number("done", L("done")),
                number("not_done", L("not done"), 86),
                number("moved", L("moved")),
                number("cancelled", L("cancelled")),
                number("open", L("open"), 52),
            ]
        )
        return self._routes

    def _watch(self) -> Ending:
        ctx = self._ctx
        return ctx.queries.watch(
            ledger,
            self._show,
            None,
            workplace_ref=ctx.who.workplace_ref,
            day=ctx.today(),
            now=ctx.clock.now(),
        )

    def _show(self, found: Ledger) -> None:
        self._title.set_words(headline(found.day_text))
        self._age.show_age(found.as_of, found.complete)
        self.equation.show_sums(found.sums)
        self._show_holds(found.sums)
        self._minutes.set_words(
            "     ".join(
                (
                    _("Planned time {time}", time=minutes_text(found.planned_minutes)),
                    _("Granted time {time}", time=minutes_text(found.granted_minutes)),
                    _("Actual time {time}", time=minutes_text(found.actual_minutes)),
                )
            )
        )
        self._broken_rows = {row.key + str(row.link): row for row in found.broken}
        self.broken.set_rows([_broken(key, row) for key, row in self._broken_rows.items()])
        self.broken.resizeRowsToContents()
        self._broken_page.show_content(bool(found.broken))
        count = len(found.broken)
        self._broken_title.set_title(_("Broken links ({n})", n=count) if count else L("Broken links"))
        self._routes.set_rows([_Line(name, sums) for name, sums in found.per_route])
        self.removed.set_rows([_removed(row) for row in found.removed])
        self.removed.resizeRowsToContents()
        self._removed_page.show_content(bool(found.removed))
        self._loading.show_content(bool(found.sums.planned or found.broken or found.removed))

    def _show_holds(self, sums: DaySums) -> None:
        total = sums.done + sums.not_done + sums.moved + sums.cancelled + sums.open
        if total == sums.planned:
            self._holds.set_state("check", _("The sum holds. Every planned visit is accounted for."), "done")
        else:
            words = _("The sum does not hold: {n} visits are unaccounted for.", n=abs(sums.planned - total))
            self._holds.set_state("warning", words, "danger")

    def _hints(self) -> None:
        show_hints(self, _("Arrows = walk · Enter = open the user · H = hand over"))

    def trigger(self, action_id: str) -> bool:
        """Do an action chosen in the palette; False when it is not ours."""
        if action_id.rpartition(".")[2] != "hand-over-follow-up" or not self.isVisible():
            return False
        return self._ask_owner(self.broken.current_key())

    def _ask_owner(self, key: str) -> bool:
        """Ask who takes a late or ownerless follow-up; other links are mended where they broke."""
        row = self._broken_rows.get(key)
        if row is None or row.link not in _OWNED or not row.key.startswith("Task/"):
            return False
        self.hand_over.ask(row.key, " · ".join(part for part in (row.patient_name, row.title) if part))
        return True

    def _hand_over(self, task_ref: str, owner_ref: str, owner: str) -> None:
        title = next((row.title for row in self._broken_rows.values() if row.key == task_ref), "")
        said = _("{title}: {owner} owns it", title=title, owner=owner)
        self._acting.run(HandOverFollowUp(task_ref, owner_ref), said)
        self.broken.setFocus()

    def key_hints(self) -> tuple[tuple[str, str], ...]:
        """The keys of this view, for the status strip."""
        return hint_pairs(self)

    def _open(self, key: str) -> None:
        row = self._broken_rows.get(key)
        if row is not None and row.patient_ref:
            self._ctx.patients.choose(row.patient_ref)
            self._ctx.places.open("homecare.user", patient=row.patient_ref)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._hints()
            self._live.again()
        super().changeEvent(event)


def _broken(key: str, row: BrokenRow) -> CheckRow:
    icon, role = _LINKS[row.link]
    title = " · ".join(part for part in (row.patient_name, row.title) if part)
    owner = _("owner {name}", name=row.owner_text) if row.owner_text else _("nobody owns it")
    of_record = states.row_state(row.state)
    detail = " · ".join(p for p in (row.since_text, owner, of_record.words if of_record else "") if p)
    return CheckRow(key, title, detail, row.link_text, icon, role)


def _removed(row: RemovalRow) -> CheckRow:
    detail = " · ".join(part for part in (row.when_text, row.who) if part)
    return CheckRow(row.key, row.text, detail, "", "archive", "ink_quiet", is_open=False)
