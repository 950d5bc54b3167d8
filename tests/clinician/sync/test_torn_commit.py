"""A commit that failed takes everything after it along: no mark without its rows (I10)."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from clinician.errors import DiskFull
from clinician.sync.gather import Gather
from clinician.texts import lazy
from tests.clinician.sync.test_fill import mark, rows_of
from tests.clinician.sync.world import World

L = lazy("sync")


def full() -> DiskFull:
    return DiskFull(L("{words}", words="full"))


@pytest.mark.parametrize("how", ["later", "at once"])
def test_that_nothing_that_came_after_a_commit_that_failed_is_committed(world: World, how: str) -> None:
    a = world.station()
    line = a.engine.line
    gather = Gather(line)
    gather.put(rows_of(400, "a"), mark("cursor"))
    whole = type(line).store_pages

    class Full(type(line)):  # type: ignore[misc]  # a line whose next commit meets a full disk
        __slots__ = ("is_full",)

        def store_pages(self, pages: Any) -> Future[None]:
            if not self.is_full:
                return whole(self, pages)
            self.is_full = False
            if how == "at once":
                raise full()
            failed: Future[None] = Future()
            failed.set_exception(full())
            return failed

    tight = Full(line.cache, line.client, line.plan, line.clock)
    tight.is_full = True
    gather._line = tight
    with suppress(DiskFull):
        gather.put(rows_of(200, "b"), mark("other"))
    for _ in range(2):
        with pytest.raises(DiskFull):
            gather.put(rows_of(3, "c"), mark("a"))
            gather.flush()
    assert a.all("Basic") == []
    assert not a.write(lambda w: w.marks.watermarks("Basic"))
