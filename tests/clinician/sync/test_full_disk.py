"""A full disk here is told as a full disk, never as a record that is silent; and it heals by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinician.cache.acts import ActState
from clinician.cache.writing import Writing
from clinician.errors import DiskFull
from clinician.events import Link
from clinician.texts import lazy
from tests.clinician.sync.world import Station, World, first, patient_with_visits

L = lazy("sync")


def room_for(station: Station, pages: int) -> None:
    """So many more pages fit on the disk; 0 is none."""

    def work(writing: Writing) -> None:
        connection: Any = writing._connection
        held = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
        connection.exec_driver_sql(f"PRAGMA max_page_count = {held + pages}")

    station.write(work)


@pytest.fixture
def a(world: World) -> Station:
    world.load(patient_with_visits(1))
    station = world.station()
    station.step()
    return station


def test_that_what_cannot_be_kept_is_told_and_comes_when_there_is_room(a: Station) -> None:
    more = [raw for _ in range(30) for raw in patient_with_visits(6)]
    a.world.load(more)
    room_for(a, 1)
    status = a.step()
    assert status.disk_full
    assert status.link is Link.WAITING, "the record answered"
    assert status.offline_since is None
    room_for(a, 100_000)
    status = a.step()
    assert not status.disk_full
    assert a.get(first(more, "Appointment")) is not None
    assert a.step().link is Link.FRESH


class Full:
    """A line whose writes meet a full disk while `is_full`; everything else is the line at hand."""

    def __init__(self, line: Any) -> None:
        self.__dict__["_line"], self.__dict__["is_full"] = line, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._line, name, value)

    def write(self, work: Callable[[Writing], Any], *, durable: bool = False) -> Any:
        if self.is_full:
            raise DiskFull(L("{words}", words="full"))
        return self._line.write(work, durable=durable)


def test_that_a_disk_where_nothing_at_all_can_be_written_ends_no_thread_and_tells_it(a: Station) -> None:
    op = a.change(next(iter(f"Appointment/{raw['id']}" for raw in a.all("Appointment"))), status="arrived")
    line: Any = Full(a.engine.line)
    a.engine.line = line
    line.__dict__["is_full"] = True
    status = a.step()
    assert status.disk_full
    assert status.link is not Link.FRESH
    a.engine.loop.acted()
    a.engine.send_only()
    assert a.engine.status().disk_full
    line.__dict__["is_full"] = False
    a.step()
    assert a.state(op) == ActState.APPLIED
    assert not a.engine.status().disk_full
