"""Fills what is empty: a full pass for every key that has none yet, the most urgent first (SYNC §1.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clinician.cache.writing import Writing
from clinician.sync import scope
from clinician.sync.crew import Crew, Empty
from clinician.sync.line import Line
from clinician.sync.plan import MEMBERSHIP
from clinician.sync.status import StatusBoard

WIDTH: Final = 4
"""Searches at once over a network (SYNC §1.2). In this very process one: there is nothing to wait for."""
LAST: Final = 100
"""The lowest priority there is."""


def fill(line: Line, board: StatusBoard, tell: Callable[[str], object], *, until: int = LAST) -> bool:
    """Until no key is empty. True when there was something; board.complete is False when a key failed.

    tell: called with the type that is fetched next. until: the last priority that is fetched.
    Raises Offline or Busy where the record is away.
    """
    with Crew(line, WIDTH if line.client.is_remote else 1) as crew:
        while todo := _next(line, board, crew, until):
            rule = todo[0].key.rule
            tell(rule.type)
            if rule.repeats:
                crew.rest()
            for one in todo:
                crew.give(one)
                board.done += 1
            if rule == MEMBERSHIP:
                crew.rest()
                line.write(lambda writing: scope.refresh(writing, line.plan, line.clock.now()))
    board.done = board.total = 0
    board.complete = not crew.failed
    return bool(crew.taken)


def is_untouched(writing: Writing) -> bool:
    """Nothing was ever fetched: only then is a fill as good as a comparison of ids."""
    return all(mark.mark is None and mark.cursor is None for mark in writing.marks.watermarks())


def _next(line: Line, board: StatusBoard, crew: Crew, until: int) -> list[Empty]:
    """The most urgent rule that is not filled, for every chunk: asked anew for each rule, for people come."""
    crew.flush()
    empty, total = line.write(lambda writing: _empty_keys(line, writing))
    todo = [one for one in empty if one.key.name not in crew.taken]
    board.done, board.total = total - len(todo), total
    todo = [one for one in todo if one.key.rule.priority <= until]
    if not todo and crew.taken:
        crew.rest()
        line.write(lambda writing: _settle(line, writing))
    return [one for one in todo if one.key.rule == todo[0].key.rule]


def _empty_keys(line: Line, writing: Writing) -> tuple[list[Empty], int]:
    chunks = scope.chunks_of(writing)
    keys = list(line.plan.keys(chunks))
    marks = {mark.key: mark for mark in writing.marks.watermarks()}
    found = [Empty(key, chunks.get(key.chunk, []), marks.get(key.name)) for key in keys]
    return [one for one in found if one.had is None or one.had.mark is None], len(keys)


def _settle(line: Line, writing: Writing) -> None:
    """A chunk of newcomers goes live with its last list."""
    for chunk in scope.chunks_of(writing):
        scope.settle_chunk(writing, line.plan, chunk, line.clock.now())
