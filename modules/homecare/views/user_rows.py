"""What the user page shows of each thing, as lines of its lists."""

from __future__ import annotations

from clinician import texts
from modules.homecare.rows import PlanRow, TaskRow, UserCard
from modules.homecare.views import states
from ui.widgets.checklist import CheckRow

_ = texts.translator("homecare")


def note_choices(card: UserCard) -> tuple[tuple[str, str], ...]:
    """The newest notes a document may belong to."""
    standing = [note for note in card.notes if not note.is_withdrawn][:10]
    return tuple((note.key, " · ".join(w for w in (note.when_text, note.author) if w)) for note in standing)


def plan_row(row: PlanRow) -> CheckRow:
    """A line of the plan; what is not planned for stands out."""
    detail = " · ".join(part for part in (row.recurrence_text, row.service_text, row.last_text) if part)
    following = _("next {when}", when=row.next_text) if row.next_text else ""
    if row.is_broken:
        words = following or _("not planned")
        return CheckRow(row.key, row.title, detail, words, "warning", "warn")
    return CheckRow(row.key, row.title, detail, following, "calendar-check", "ink_quiet")


def task_row(row: TaskRow) -> CheckRow:
    """A task with its owner, its time and its history."""
    shown = states.task(row)
    owner = _("owner {name}", name=row.owner_text) if row.is_follow_up and row.owner_text else ""
    due = _("by {when}", when=row.due_text) if row.due_text else ""
    detail = " · ".join(part for part in (row.detail, owner, due, row.phone, row.history_text) if part)
    return CheckRow(row.key, row.title, detail, shown.words, shown.icon, shown.role, row.is_open)
