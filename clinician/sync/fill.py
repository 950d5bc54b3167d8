"""Fills what is empty: a full pass for every key that has none yet, the most urgent first (SYNC §1.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clinician.cache.synced import Watermark
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
        tell(todo[0].key.rule.type)
        for one in todo:
            if not _fill_key(line, one):
                failed.add(one.key.name)
            board.done += 1
        _settle(line, todo)
        any_filled = True
    board.done = board.total = 0
    board.complete = not failed
    return any_filled


@dataclass(frozen=True, slots=True)
class Empty:
    """A key without a full pass. had: how far an earlier try came."""

    key: Key
    patients: Sequence[str]
    had: Watermark | None


def _next(line: Line, board: StatusBoard, failed: set[str]) -> list[Empty]:
    """The most urgent rule that is not filled, for every chunk: asked anew for each rule, for people come."""
    empty, total = line.write(lambda writing: _empty_keys(line, writing))
    board.done, board.total = total - len(empty), total
    todo = [one for one in empty if one.key.name not in failed]
    return [one for one in todo if one.key.rule == todo[0].key.rule]


def _empty_keys(line: Line, writing: Writing) -> tuple[list[Empty], int]:
    chunks = scope.chunks_of(writing)
    keys = list(line.plan.keys(chunks))
    marks = {mark.key: mark for mark in writing.marks.watermarks()}
    found = [Empty(key, chunks.get(key.chunk, []), marks.get(key.name)) for key in keys]
    return [one for one in found if one.had is None or one.had.mark is None], len(keys)


def _fill_key(line: Line, one: Empty) -> bool:
    try:
        full_pass(line, one.key, one.patients, one.had)
    except (Offline, Busy):
        raise
    except (RecordTrouble, Refused) as trouble:
        _log.warning("%s could not be fetched: %s", one.key.rule.type, trouble.detail)
        return False
    return True


def _settle(line: Line, filled: Sequence[Empty]) -> None:
    """Who belongs here, once that was fetched; a chunk of newcomers goes live with its last list."""
    now = line.clock.now()

    def work(writing: Writing) -> None:
        if filled[0].key.rule == MEMBERSHIP:
            scope.refresh(writing, line.plan, now)
        empty = {one.key.chunk for one in _empty_keys(line, writing)[0]}
        for one in filled:
            if one.key.chunk and one.key.chunk not in empty:
                scope.settle_chunk(writing, line.plan, one.key.chunk, now)

    line.write(work)
