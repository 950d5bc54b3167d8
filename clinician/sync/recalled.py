"""Asks after acts that were taken back although the record may have them, and tells when it has them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clinician.cache.acts import TERMINAL, ActState
from clinician.cache.recalled import doubtful, set_doubtful
from clinician.cache.writing import Writing
from clinician.errors import Environment
from clinician.sync.line import Line
from clinician.sync.upload import ASK_WITHIN, STALE_AFTER

TOLD_FOR: Final = timedelta(days=7)
"""So long it stands in the outbox that something taken back is at the record."""


def is_there(line: Line, op_id: str) -> bool | None:
    """Whether the record has an act, by its Provenance; None where it does not say. Never raises for it."""
    try:
        answer = line.client.request("GET", f"Provenance/{op_id}", read_timeout=ASK_WITHIN)
    except Environment:
        return None
    if answer.status in (200, 304, 410):
        return True
    return False if answer.status == 404 and answer.is_json else None


def look_after(line: Line) -> None:
    """One question for each act that was taken back in doubt; nothing is asked where there is none."""
    held = line.write(lambda writing: {op_id: _asks(writing, op_id) for op_id in doubtful(writing.keep)})
    told = {op_id: is_there(line, op_id) for op_id, asks in held.items() if asks}
    if held:
        line.write(lambda writing: _note(writing, told, line.clock.now()))


def _asks(writing: Writing, op_id: str) -> bool:
    act = writing.outbox.get(op_id)
    return act is not None and act.state is ActState.WITHDRAWN and doubtful(writing.keep)[op_id] is None


def _note(writing: Writing, told: dict[str, bool | None], now: datetime) -> None:
    before = doubtful(writing.keep)
    found = {op_id: when or (now if told.get(op_id) else None) for op_id, when in before.items()}
    left = {
        op_id: when
        for op_id, when in found.items()
        if not (now - when > TOLD_FOR if when else _is_settled(writing, op_id, told.get(op_id), now))
    }
    if left != before:
        set_doubtful(writing.keep, left)
        for op_id in before:
            writing.act_moved(op_id, ())


def _is_settled(writing: Writing, op_id: str, told: bool | None, now: datetime) -> bool:
    """Nothing is left to be asked: the act counts as sent, or its last try cannot be on its way any more."""
    act = writing.outbox.get(op_id)
    if act is None or act.superseded_by or act.state in TERMINAL - {ActState.WITHDRAWN}:
        return True
    return told is False and (act.last_sent is None or now - act.last_sent > STALE_AFTER)
