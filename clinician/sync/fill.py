"""Fills what is empty: a full pass for every key that has none yet, the most urgent first (SYNC §1.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from clinician.cache.writing import Writing
from clinician.errors import Offline, RecordTrouble, Refused
from clinician.record.client import Busy
from clinician.sync import scope
from clinician.sync.download import full_pass
from clinician.sync.line import Line
from clinician.sync.plan import MEMBERSHIP, Key
from clinician.sync.status import StatusBoard

_log = logging.getLogger(__name__)


def fill(line: Line, board: StatusBoard, tell: Callable[[str], object]) -> bool:
    """Until no key is empty. True when there was something; board.complete is False when a key failed.

    tell: called with the type that is fetched next. Raises Offline or Busy where the record is away.
    """
    failed: set[str] = set()
    any_filled = False
    while todo := _next(line, board, failed):
        key, patients = todo
        tell(key.rule.type)
        if not _fill_key(line, key, patients):
            failed.add(key.name)
        any_filled = True
    board.done = board.total = 0
    board.complete = not failed
    return any_filled


def _next(line: Line, board: StatusBoard, failed: set[str]) -> tuple[Key, list[str]] | None:
    empty, total = line.write(lambda writing: _empty_keys(line, writing))
    board.done, board.total = total - len(empty), total
    return next(((key, patients) for key, patients in empty if key.name not in failed), None)


def _empty_keys(line: Line, writing: Writing) -> tuple[list[tuple[Key, list[str]]], int]:
    chunks = scope.chunks_of(writing)
    keys = list(line.plan.keys(chunks))
    marks = {mark.key: mark.mark for mark in writing.marks.watermarks()}
    empty = [(key, chunks.get(key.chunk, [])) for key in keys if marks.get(key.name) is None]
    return empty, len(keys)


def _fill_key(line: Line, key: Key, patients: Sequence[str]) -> bool:
    try:
        full_pass(line, key, patients)
    except (Offline, Busy):
        raise
    except (RecordTrouble, Refused) as trouble:
        _log.warning("%s could not be fetched: %s", key.rule.type, trouble.detail)
        return False
    now = line.clock.now()
    if key.rule == MEMBERSHIP:
        line.write(lambda writing: scope.refresh(writing, line.plan, now))
    elif key.chunk:
        line.write(lambda writing: scope.settle_chunk(writing, line.plan, key.chunk, now))
    return True
