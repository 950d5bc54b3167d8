"""A commit that failed takes everything after it along: no mark without its rows (I10)."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from clinician.errors import DiskFull
from clinician.sync.gather import Gather
from clinician.sync.line import Line
from clinician.texts import lazy
from tests.clinician.sync.test_fill import mark, rows_of
from tests.clinician.sync.world import World

L = lazy("sync")


def full() -> DiskFull:
    return DiskFull(L("{words}", words="full"))


class Tight:
    """A line whose first commit meets a full disk, at once or after a while; there is room for the next."""

    def __init__(self, line: Line, how: str) -> None:
        self._line, self._how = line, how

    def store_pages(self, pages: Any) -> Future[None]:
        how, self._how = self._how, ""
        if how == "at once":
            raise full()
        if not how:
            return self._line.store_pages(pages)
        failed: Future[None] = Future()
        failed.set_exception(full())
        return failed


@pytest.mark.parametrize("how", ["later", "at once"])
def test_that_nothing_that_came_after_a_commit_that_failed_is_committed(world: World, how: str) -> None:
    a = world.station()
    tight: Any = Tight(a.engine.line, how)
    gather = Gather(tight)
    gather.put(rows_of(400, "a"), mark("cursor"))
    with suppress(DiskFull):
        gather.put(rows_of(200, "b"), mark("other"))
    for _ in range(2):
        with pytest.raises(DiskFull):
            gather.put(rows_of(3, "c"), mark("a"))
            gather.flush()
    assert a.all("Basic") == []
    assert not a.write(lambda w: w.marks.watermarks("Basic"))
