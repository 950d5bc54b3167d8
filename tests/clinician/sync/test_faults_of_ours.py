"""A fault of the program's own ends a round, never a thread: sync that stands still in silence loses work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.cache.attachments import FileState
from clinician.events import Link
from clinician.sync import restored
from clinician.sync.loop import Loop
from tests.clinician.sync.files import Clinic, attach, binary_of, picture, state
from tests.clinician.sync.test_full_disk import Full
from tests.clinician.sync.test_upload import html
from tests.clinician.sync.world import World, patient_with_visits

Inner = Callable[[], httpx.Response]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.world.close()


def broken(request: httpx.Request, inner: Inner) -> httpx.Response:
    raise KeyError("meta")


def test_that_a_fault_of_ours_is_never_called_fresh_and_is_over_when_it_is_over(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    assert a.step().link is Link.FRESH
    a.wire.fault = broken
    status = a.step()
    assert (status.link, status.disk_full) == (Link.WAITING, False)
    a.engine.loop.acted()
    a.engine.small_round()
    a.wire.fault = None
    assert a.step().link is Link.FRESH


@pytest.mark.parametrize("why", ["fault", "disk"])
def test_that_a_first_round_that_goes_wrong_here_is_followed_by_a_pause(world: World, why: str) -> None:
    a = world.station()
    line: Any = Full(a.engine.line)
    a.engine.line = line
    if why == "disk":
        line.__dict__["is_full"] = True
    else:
        a.wire.fault = broken
    a.step()
    a.step()
    assert a.engine.uploader.breaker.failures
    assert a.engine.pause() > 0


class Hasty(threading.Event):
    """Waits for nobody."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_that_the_loop_goes_on_with_a_whole_round_after_a_fault() -> None:
    called: list[str] = []

    def whole() -> None:
        called.append("whole")
        if len(called) == 1:
            raise KeyError("meta")

    def pause() -> float:
        if len(called) > 1:
            loop.stop()
        return 0.0

    loop = Loop(whole, lambda: called.append("small"), pause, Hasty())
    loop.run()
    assert called == ["whole", "whole"]


# attachments -----------------------------------------------------------------------------------


def test_that_a_full_disk_ends_no_sending_of_documents(clinic: Clinic) -> None:
    station = clinic.station()
    files = station.engine.attachments
    done = attach(station, clinic.patient, picture())
    line: Any = Full(station.engine.line)
    files._line = line
    line.__dict__["is_full"] = True
    files.turn()
    wait = files.next_try()
    assert wait is not None and wait > 1
    line.__dict__["is_full"] = False
    station.world.tick(wait)
    files.turn()
    assert files.next_try() is None
    assert state(station, binary_of(station, done)) is FileState.SENT


def test_that_a_fault_in_one_document_holds_up_no_other(clinic: Clinic) -> None:
    station = clinic.station()
    bad = binary_of(station, attach(station, clinic.patient, picture(seed=2)))
    station.world.tick()
    good = binary_of(station, attach(station, clinic.patient, picture(seed=3)))
    station.wire.fault = lambda request, inner: (broken if bad in request.url.path else onward)(
        request, inner
    )
    station.engine.attachments.turn()
    assert (state(station, bad), state(station, good)) == (FileState.WAITING, FileState.SENT)
    station.wire.fault = None
    station.world.tick(400)
    station.engine.attachments.turn()
    assert state(station, bad) is FileState.SENT


def onward(request: httpx.Request, inner: Inner) -> httpx.Response:
    return inner()


def test_that_a_document_that_may_not_go_now_is_not_tried_twenty_times_a_second(clinic: Clinic) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture())
    station.wire.fault = html(500)
    station.engine.attachments.turn()
    restored.begin(station.engine.line, station.engine._ready_marks)
    station.world.tick(400)
    station.engine.attachments.turn()
    station.engine.attachments.turn()
    assert station.engine.attachments.next_try() is None
    assert state(station, binary_of(station, done)) is FileState.WAITING
    assert station.state(done.op_ids[0]) == ActState.QUEUED
