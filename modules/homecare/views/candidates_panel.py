"""Who can take a visit: only those who can, best first, one key to give it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal

from clinician import texts
from modules.homecare.rows import Candidate, ZoneVisit
from modules.homecare.words import clock_text, span_text
from ui.widgets.buttons import Button
from ui.widgets.checklist import Checklist, CheckRow
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Pane

_ = texts.translator("homecare")
L = texts.lazy("homecare")


class CandidatesPanel(Pane):
    """Candidates for one visit. `chosen` carries the candidate."""

    chosen = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__(L("Who can take it"))
        self.setObjectName("homecare.zone.candidates_panel")
        self._found: dict[str, Candidate] = {}
        self._visit = Label("", weight=600, wrap=True)
        self._what = Label("", tone="ink_quiet", wrap=True)
        self._nobody = StateLabel("warning", "", "danger", weight=600, wrap=True)
        self.list = Checklist("homecare.zone.candidates", L("Those who can take the visit"))
        self.list.take_keys("Space")
        self._hint = Label(
            L("Enter gives the visit. Those who cannot are not listed."), size=12, tone="ink_quiet", wrap=True
        )
        self._close = Button(
            L("Close"), "homecare.zone.candidates_close", kind="quiet", icon="x", hint=L("Esc")
        )
        for part in (self._visit, self._what, self._nobody):
            self.body.addWidget(part)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self._hint)
        self.body.addWidget(self._close, 0, Qt.AlignmentFlag.AlignLeft)
        self.list.opened.connect(self._choose)
        self.list.key_pressed.connect(lambda _text, key: self._choose(key))
        self._close.clicked.connect(self.closed)

    def show_candidates(self, visit: ZoneVisit, found: tuple[Candidate, ...]) -> None:
        """Show them, keyboard on the best."""
        self._found = {candidate.route_key: candidate for candidate in found}
        self._visit.set_words(f"{visit.patient_name}  {span_text(visit.start, visit.end)}")
        needs = _("needs {competence}", competence=visit.competence_text) if visit.competence_text else ""
        self._what.set_words(" · ".join(part for part in (visit.title, needs) if part))
        why = visit.why_text or _("Nobody at work has the competence and the time.")
        self._nobody.set_state("warning", why, "danger")
        self._nobody.setVisible(not found)
        self.list.setVisible(bool(found))
        self._hint.setVisible(bool(found))
        self.list.set_rows([_row(candidate, visit) for candidate in found])
        self.list.resizeRowsToContents()
        if found:
            self.list.choose(found[0].route_key)
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose(self, route_key: str) -> None:
        candidate = self._found.get(route_key)
        if candidate is not None:
            self.chosen.emit(candidate)


def _row(candidate: Candidate, visit: ZoneVisit) -> CheckRow:
    at = clock_text(candidate.start) if candidate.start != visit.start else ""
    return CheckRow(candidate.route_key, candidate.name, candidate.note, at, "user", "accent")
