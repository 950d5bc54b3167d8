"""Facts about a user, each with who said it and when; warnings first."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinician import texts
from clinician.texts import Text
from modules.homecare.rows import FactRow, ValueRow
from modules.homecare.views import states
from ui.widgets import theme
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Scrolled

L = texts.lazy("homecare")
GROUPS: Final[dict[str, tuple[str, Text]]] = {
    "allergy": ("warning", L("Allergies")),
    "flag": ("flag", L("Take care")),
    "condition": ("stethoscope", L("Conditions")),
    "medication": ("pill", L("Medicines")),
    "service": ("seal-check", L("Granted services")),
    "kin": ("users", L("Next of kin")),
    "doctor": ("first-aid", L("Doctor")),
}


class FactList(QWidget):
    """Rebuilt only when the facts changed, so that scroll and reading are left in peace."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, theme.current().space(2), 0)
        self._column.setSpacing(theme.current().space(1))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(Scrolled(inner))

    def show_facts(self, facts: tuple[FactRow, ...], values: tuple[ValueRow, ...]) -> None:
        """Show these, in groups."""
        if self._shown == (facts, values):
            return
        self._shown = (facts, values)
        while self._column.count():
            item = self._column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for group, (icon, title) in GROUPS.items():
            mine = [fact for fact in facts if fact.group == group]
            if mine:
                self._heading(icon, title, any(fact.is_warning for fact in mine))
                for fact in mine:
                    self._fact(fact)
        others = [fact for fact in facts if fact.group not in GROUPS]
        for fact in others:
            self._fact(fact)
        self._values(values)
        self._column.addStretch(1)

    def _heading(self, icon: str, title: Text, is_warning: bool) -> None:
        if self._column.count():
            self._column.addSpacing(theme.current().space(2))
        role = "danger" if is_warning else "ink_quiet"
        self._column.addWidget(StateLabel(icon, title, role, weight=600))

    def _fact(self, fact: FactRow) -> None:
        self._column.addWidget(Label(fact.title, weight=600 if fact.is_warning else 400, wrap=True))
        quiet = " · ".join(part for part in (fact.detail, fact.source_text) if part)
        if quiet:
            self._column.addWidget(Label(quiet, size=12, tone="ink_quiet", wrap=True))
        shown = states.row_state(fact.state)
        if shown is not None:
            self._column.addWidget(StateLabel(shown.icon, shown.words, shown.role))

    def _values(self, values: tuple[ValueRow, ...]) -> None:
        if not values:
            return
        self._heading("heartbeat", L("Last values"), False)
        for value in values:
            self._column.addWidget(Label(f"{value.label}  {value.value_text}", wrap=True))
            quiet = " · ".join(part for part in (value.when_text, value.change_text) if part)
            self._column.addWidget(Label(quiet, size=12, tone="ink_quiet", wrap=True))
