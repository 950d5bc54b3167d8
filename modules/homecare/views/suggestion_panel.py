"""A suggestion to read, adjust, accept whole, and tell the staff about. Nothing is written before that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from modules.homecare.rows import Candidate, Move, Suggestion
from modules.homecare.words import clock_text
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.checklist import Checklist, CheckRow
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Pane, Scrolled

_ = texts.translator("homecare")
L = texts.lazy("homecare")


@dataclass(frozen=True, slots=True)
class Tally:
    """Visits before and after: the two must be one number."""

    before: int
    after: int


class MoveList(Checklist):
    """The moves. Space takes one out or in, M or Enter asks who else could take it."""

    def __init__(self) -> None:
        super().__init__("homecare.zone.moves", L("Suggested moves"))
        self.take_keys("Space", "M")

    @override
    def set_rows(self, rows: Sequence[CheckRow]) -> None:
        super().set_rows(rows)
        self.resizeRowsToContents()


class SuggestionPanel(Pane):
    """Beside the grid while there is a suggestion, or moves just made that the staff may be told of."""

    accepted = Signal(tuple)
    adjust_wanted = Signal(str)
    changed = Signal()
    notify_wanted = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__(L("Suggestion"))
        self.setObjectName("homecare.zone.suggestion")
        self._suggestion: Suggestion | None = None
        self._out: set[str] = set()
        self._tally = Tally(0, 0)
        self._lead = Label("", wrap=True)
        self._sums = StateLabel("check", "", "done", wrap=True)
        self._unplaced = StateLabel("warning", "", "danger", weight=600, wrap=True)
        self.moves = MoveList()
        self.accept_button = Button(
            L("Accept all"), "homecare.zone.accept", icon="check", kind="primary", signs=True, hint=L("Enter")
        )
        self.notify_button = Button(
            L("Tell the staff"), "homecare.zone.notify", icon="paper-plane-tilt", kind="primary", signs=True
        )
        self.close_button = Button(
            L("Leave it"), "homecare.zone.refuse", kind="quiet", icon="x", hint=L("Esc")
        )
        self._hint = Label(
            L("Space takes one out or in. M shows who else can."), size=12, tone="ink_quiet", wrap=True
        )
        self._whole = Label("", wrap=True)
        self._build()

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.current().space(2))
        row.addWidget(self.accept_button, 2)
        row.addWidget(self.notify_button, 2)
        row.addWidget(self.close_button, 1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(2, 2, theme.current().space(1), 2)
        column.setSpacing(theme.current().space(2))
        for part in (self._lead, self._sums, self._unplaced):
            column.addWidget(part)
        column.addLayout(row)
        column.addWidget(self.moves, 1)
        column.addWidget(self._whole)
        column.addWidget(self._hint)
        # Large text: the panel scrolls, nothing lies upon anything.
        self._scroll = Scrolled(inner)
        self.body.addWidget(self._scroll)
        self._fit()
        theme.theme_changed.connect(self._fit)
        self.moves.key_pressed.connect(self._on_key)
        self.moves.opened.connect(self.adjust_wanted)
        self.moves.chosen.connect(self._read_out)
        self.accept_button.clicked.connect(self.accept)
        self.notify_button.clicked.connect(self.notify_wanted)
        self.close_button.clicked.connect(self.closed)

    def _fit(self) -> None:
        self.moves.setMinimumHeight(3 * theme.current().row_height)

    # -- showing -----------------------------------------------------------------------------------

    @property
    def suggestion(self) -> Suggestion | None:
        """What is suggested, with the person's own adjustments."""
        return self._suggestion

    def chosen_moves(self) -> tuple[Move, ...]:
        """The moves that would be made, those nobody can take among them as unassigned."""
        found = self._suggestion
        if found is None:
            return ()
        return tuple(m for m in (*found.moves, *found.unplaced) if m.appointment_ref not in self._out)

    def show_suggestion(self, suggestion: Suggestion, tally: Tally) -> None:
        """A new suggestion: everything in it is taken until a person takes it out."""
        self._suggestion, self._out, self._tally = suggestion, set(), tally
        self.set_title(suggestion.title or L("Suggestion"))
        self._fill()
        self.accept_button.show()
        self.notify_button.hide()
        self.close_button.set_words(L("Leave it"))
        self.accept_button.setEnabled(bool(suggestion.moves or suggestion.unplaced))
        self.accept_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(self.accept_button)

    def show_accepted(self, staff: int) -> None:
        """The moves are made; what is left is to tell those they concern."""
        self.set_title(L("The plan is changed"))
        self.accept_button.hide()
        self.notify_button.show()
        self.notify_button.set_words(_.n("Tell {n} colleague", "Tell {n} colleagues", staff))
        self.close_button.set_words(L("Close"))
        self._hint.hide()
        self.notify_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self) -> None:
        found = self._suggestion
        if found is None:
            return
        taken = self.chosen_moves()
        placed = [move for move in taken if move.to_route_key]
        loose = [move for move in taken if not move.to_route_key]
        words = [_.n("{n} visit to others", "{n} visits to others", len(placed))]
        if found.travel_before or found.travel_after:
            travel = _("travel {before} → {after} min", before=found.travel_before, after=found.travel_after)
            words.append(travel)
        self._lead.set_words(" · ".join(words))
        same = self._tally.before == self._tally.after
        sums = _("{before} visits before = {after} after", before=self._tally.before, after=self._tally.after)
        wrong = _("{before} visits before, {after} after", before=self._tally.before, after=self._tally.after)
        self._sums.set_state(
            "check" if same else "warning", sums if same else wrong, "done" if same else "danger"
        )
        self._unplaced.setVisible(bool(loose))
        nobody = _.n("{n} visit nobody can take", "{n} visits nobody can take", len(loose))
        self._unplaced.set_state("warning", nobody, "danger")
        self._hint.show()
        self.moves.set_rows([self._row(move) for move in (*found.unplaced, *found.moves)])

    def _row(self, move: Move) -> CheckRow:
        title = f"{clock_text(move.start)}  {move.patient_name}"
        detail = " · ".join(part for part in (move.title, move.reason) if part)
        if move.appointment_ref in self._out:
            left = _("stays with {name}", name=move.from_name) if move.from_name else _("stays as it is")
            return CheckRow(move.appointment_ref, title, detail, left, "minus", "ink_quiet", False)
        if not move.to_route_key:
            return CheckRow(move.appointment_ref, title, detail, _("nobody can"), "warning", "danger")
        return CheckRow(move.appointment_ref, title, detail, f"→ {move.to_name}", "arrow-right", "accent")

    def _read_out(self, key: str) -> None:
        """The chosen line whole: a reason that was cut in the list is never lost."""
        row = self.moves.checks.row_of(key) if key else None
        self._whole.set_words(row.detail if row is not None else "")

    # -- adjusting ---------------------------------------------------------------------------------

    def _on_key(self, text: str, key: str) -> None:
        if self._suggestion is None or self.accept_button.isHidden():
            return
        if text == "M":
            self.adjust_wanted.emit(key)
            return
        self._out.symmetric_difference_update({key})
        self._fill()
        self.changed.emit()

    def adjust(self, appointment_ref: str, candidate: Candidate, instead_of: str) -> None:
        """Give one suggested visit to another who can, instead of the person suggested ('' none)."""
        found = self._suggestion
        if found is None:
            return
        both = (*found.moves, *found.unplaced)
        move = next((m for m in both if m.appointment_ref == appointment_ref), None)
        if move is None:
            return
        mine = moved_to(move, candidate, _("chosen by you"), instead_of)
        rest = tuple(m for m in found.moves if m.appointment_ref != appointment_ref)
        loose = tuple(m for m in found.unplaced if m.appointment_ref != appointment_ref)
        self._suggestion = replace(found, moves=(*rest, mine), unplaced=loose)
        self._out.discard(appointment_ref)
        self._fill()
        self.moves.choose(appointment_ref)
        self.changed.emit()

    def accept(self) -> None:
        """Ask the zone to write the moves."""
        if self._suggestion is not None and not self.accept_button.isHidden():
            self.accepted.emit(self.chosen_moves())


def moved_to(move: Move, candidate: Candidate, reason: str, instead_of: str) -> Move:
    """A move turned to another person; it keeps its length and, by two persons, the other one."""
    stay = tuple(
        ref for ref in move.to_practitioner_refs if ref not in (instead_of, candidate.practitioner_ref)
    )
    return replace(
        move,
        to_route_key=candidate.route_key,
        to_name=candidate.name,
        to_practitioner_refs=(*stay, candidate.practitioner_ref) if candidate.practitioner_ref else stay,
        start=candidate.start,
        end=candidate.start + (move.end - move.start),
        reason=reason,
    )
