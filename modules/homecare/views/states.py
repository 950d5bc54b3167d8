"""Glyph + word + colour for every state these views show, in that order of trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clinician import texts
from clinician.queries.query import RowState
from clinician.texts import Text
from modules.homecare import labels
from modules.homecare.rows import DayRow, DaySums, ItemKind, NotDone, Section, TaskRow, VisitState

_ = texts.translator("homecare")
L = texts.lazy("homecare")


@dataclass(frozen=True, slots=True)
class Shown:
    """How a state looks and is called."""

    icon: str
    words: str
    role: str


SIGNING: Final = Shown("circle-notch", "", "offline")
"""Between the key and the disk"""
_ROW: Final[dict[RowState, tuple[str, Text, str]]] = {
    RowState.QUEUED: ("cloud", L("waiting to be sent"), "offline"),
    RowState.CONFLICT: ("git-diff", L("conflict"), "danger"),
    RowState.REFUSED: ("x-circle", L("refused by the record"), "danger"),
}
_VISIT: Final[dict[VisitState, tuple[str, str]]] = {
    VisitState.UNASSIGNED: ("warning", "danger"),
    VisitState.OPEN: ("circle", "ink_quiet"),
    VisitState.IN_PROGRESS: ("circle-half", "now"),
    VisitState.DONE: ("check", "done"),
    VisitState.NOT_HOME: ("house-line", "warn"),
    VisitState.NOT_DONE: ("x", "warn"),
    VisitState.MOVED: ("arrow-right", "ink_quiet"),
    VisitState.CANCELLED: ("prohibit", "ink_quiet"),
}
REASONS: Final[tuple[tuple[NotDone, Text], ...]] = tuple(
    (reason, labels.NOT_DONE[str(reason)]) for reason in NotDone
)
"""The number keys 1–5 in order."""
SECTIONS: Final[dict[Section, Text]] = {
    Section.OVERDUE: L("Past due"),
    Section.NOW: L("Now"),
    Section.NEXT: L("Next"),
    Section.LATER: L("Later"),
    Section.DONE: L("Done"),
}


def row_state(state: RowState) -> Shown | None:
    """What the record knows of a row; None when it has confirmed it (no news is good news)."""
    found = _ROW.get(state)
    return None if found is None else Shown(found[0], found[1].render(), found[2])


def visit_state(state: VisitState) -> Shown:
    """A visit's state."""
    icon, role = _VISIT[state]
    return Shown(icon, labels.label(labels.VISIT_STATES, str(state)), role)


def day_row(row: DayRow) -> Shown:
    """The mark at the head of a line of my day."""
    if row.section is Section.OVERDUE:
        return Shown("warning", SECTIONS[Section.OVERDUE].render(), "danger")
    if row.kind is ItemKind.REPLY:
        return Shown("chat-text", _("reply"), "accent")
    if row.kind is ItemKind.FOLLOW_UP:
        return Shown("phone-call", _("follow-up"), "accent")
    found = visit_state(row.visit_state or VisitState.OPEN)
    if row.section is Section.NOW and row.visit_state is VisitState.OPEN:
        return Shown("circle-half-tilt", found.words, "now")
    return found


_TASK: Final[dict[str, tuple[str, str]]] = {
    "completed": ("check", "done"),
    "rejected": ("hand", "warn"),
    "cancelled": ("x", "warn"),
    "on-hold": ("clock", "warn"),
    "in-progress": ("circle-half", "now"),
}


def task(row: TaskRow) -> Shown:
    """A task's mark and words: status with its reason, or what the record has against it."""
    icon, role = _TASK.get(row.status, ("circle", "ink_quiet"))
    words = "" if row.is_open else " · ".join(p for p in (row.status_text, row.reason_text) if p)
    of_record = row_state(row.state)
    if of_record is not None and row.state is not RowState.QUEUED:
        return Shown(of_record.icon, of_record.words, of_record.role)
    return Shown(icon, words, role)


def reason_words(reason: NotDone) -> str:
    """'refused', 'not home' …"""
    return labels.label(labels.NOT_DONE, str(reason))


def day_sums(sums: DaySums) -> str:
    """'4 utført · 1 ikke utført · 6 igjen · 1 over tiden'."""
    parts = [_.n("{n} done", "{n} done", sums.done)]
    if sums.not_done:
        parts.append(_.n("{n} not done", "{n} not done", sums.not_done))
    parts.append(_.n("{n} left", "{n} left", sums.open))
    if sums.overdue:
        parts.append(_.n("{n} past due", "{n} past due", sums.overdue))
    return " · ".join(parts)
