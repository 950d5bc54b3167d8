"""Facts about a user, each with who said it and when; warnings first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinician import texts
from clinician.texts import Text
from modules.homecare.rows import FactRow, ValueRow
from modules.homecare.views import states
from ui.widgets import theme
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Scrolled
from ui.widgets.words import Words

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


@dataclass(frozen=True, slots=True)
class _Line:
    """One line. kind: head, strong, plain, quiet or state; icon and role where there is a glyph."""

    kind: str
    words: Words
    icon: str = ""
    role: str = "ink"


class FactList(QWidget):
    """Changed only when the facts changed, so that scroll and reading are left in peace. The lines of the
    user before are written over: making a widget costs more than all it will ever show."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._made: dict[str, list[Label | StateLabel]] = {}
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, theme.current().space(2), 0)
        self._column.setSpacing(theme.current().space(1))
        self._column.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(Scrolled(inner))

    def show_facts(self, facts: tuple[FactRow, ...], values: tuple[ValueRow, ...]) -> None:
        """Show these, in groups."""
        if self._shown == (facts, values):
            return
        self._shown = (facts, values)
        free = {kind: iter(made) for kind, made in self._made.items()}
        for place, line in enumerate((*_fact_lines(facts), *_value_lines(values))):
            widget = next(free.get(line.kind, iter(())), None) or self._new(line.kind)
            if self._column.indexOf(widget) != place:
                self._column.insertWidget(place, widget)
            _write(widget, line, is_first=not place)
            widget.show()
        for rest in free.values():
            for widget in rest:
                widget.hide()

    def _new(self, kind: str) -> Label | StateLabel:
        widget: Label | StateLabel
        if kind in ("head", "state"):
            widget = StateLabel("", "", weight=600 if kind == "head" else 400)
        elif kind == "quiet":
            widget = Label(size=12, tone="ink_quiet", wrap=True)
        else:
            widget = Label(weight=600 if kind == "strong" else 400, wrap=True)
        self._made.setdefault(kind, []).append(widget)
        return widget


def _write(widget: Label | StateLabel, line: _Line, *, is_first: bool) -> None:
    if isinstance(widget, Label):
        widget.set_words(line.words)
        return
    widget.set_state(line.icon, line.words, line.role)
    row = widget.layout()
    if row is not None and line.kind == "head":
        row.setContentsMargins(0, 0 if is_first else theme.current().space(3), 0, 0)


def _fact_lines(facts: tuple[FactRow, ...]) -> Iterator[_Line]:
    for group, (icon, title) in GROUPS.items():
        mine = [fact for fact in facts if fact.group == group]
        if mine:
            role = "danger" if any(fact.is_warning for fact in mine) else "ink_quiet"
            yield _Line("head", title, icon, role)
        for fact in mine:
            yield from _lines_of(fact)
    for fact in facts:
        if fact.group not in GROUPS:
            yield from _lines_of(fact)


def _lines_of(fact: FactRow) -> Iterator[_Line]:
    yield _Line("strong" if fact.is_warning else "plain", fact.title)
    quiet = " · ".join(part for part in (fact.detail, fact.source_text) if part)
    if quiet:
        yield _Line("quiet", quiet)
    shown = states.row_state(fact.state)
    if shown is not None:
        yield _Line("state", shown.words, shown.icon, shown.role)


def _value_lines(values: tuple[ValueRow, ...]) -> Iterator[_Line]:
    if values:
        yield _Line("head", L("Last values"), "heartbeat", "ink_quiet")
    for value in values:
        yield _Line("plain", f"{value.label}  {value.value_text}")
        yield _Line("quiet", " · ".join(part for part in (value.when_text, value.change_text) if part))
