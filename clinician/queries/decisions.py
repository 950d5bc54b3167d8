"""Conflicts that were decided: what stood against what, who decided, and when."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from clinician import texts
from clinician.cache.acts import ConflictRow
from clinician.clock import oslo
from clinician.fhir import times
from clinician.queries.differences import field_diffs
from clinician.queries.patients import name_of, patient_names
from clinician.queries.query import Reading
from clinician.queries.wording import moment_text

if TYPE_CHECKING:
    from clinician.queries.outbox import OutboxRow

_ = texts.translator("queries")
DECIDED = "decided"
_MOST = 3
"""Fields told in one row; the rest are counted"""


def decided_on(reading: Reading, day: date) -> tuple[OutboxRow, ...]:
    """One row a decision of that Norwegian day, the last first."""
    from clinician.queries.outbox import OutboxRow

    start, end = times.day_bounds(day)
    rows = [
        row
        for row in reading.conflicts(open_only=False)
        if row.decided is not None and start <= row.decided < end
    ]
    rows.sort(key=lambda row: (row.decided, row.op_id), reverse=True)
    found = []
    for op_id, held in groupby(rows, key=lambda row: row.op_id):
        act, parts = reading.act(op_id), list(held)
        if act is None or parts[0].decided is None:
            continue
        names = patient_names(reading, (act.patient_ref,) if act.patient_ref else ())
        who = reading.get(parts[0].decided_by)
        decider = name_of(who.raw) if who is not None else _("somebody else")
        found.append(
            OutboxRow(
                key=f"{DECIDED} {op_id}",
                when_text=moment_text(act.created),
                label=str(act.label),
                who=decider,
                patient_name=names.get(act.patient_ref, ""),
                state=DECIDED,
                state_text=_("decided {time}", time=f"{oslo(parts[0].decided):%H:%M}"),
                help_text=_told(reading, decider, parts),
                attempts=0,
                can_retry=False,
                can_withdraw=False,
                can_export=False,
                group=act.group,
                conflict_ref="",
            )
        )
    return tuple(found)


def _told(reading: Reading, decider: str, rows: list[ConflictRow]) -> str:
    diffs = [diff for row in rows for diff in field_diffs(reading, row, several=len(rows) > 1)]
    clash = [diff for diff in diffs if not diff.same]
    lines = [
        _("{name} decided: {choice}.", name=decider, choice=_choice_text(rows[0].decision)),
        *(
            _(
                "{field}: mine {mine}, theirs {theirs}",
                field=diff.label,
                mine=_shown(diff.mine),
                theirs=_shown(diff.theirs),
            )
            for diff in clash[:_MOST]
        ),
    ]
    if len(clash) > _MOST:
        lines.append(_.n("and {n} more", "and {n} more", len(clash) - _MOST))
    return "\n".join(lines)


def _shown(value: str) -> str:
    return value or "—"


def _choice_text(choice: str) -> str:
    return {
        "mine": _("mine was kept"),
        "theirs": _("theirs was kept"),
        "merged": _("both were kept"),
        "fields": _("field by field"),
    }.get(choice, choice)
