"""A bad act delays nobody else's: not by its refusal, not by its silence, not by its number (I12)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.errors import DiskFull
from clinician.events import Link
from clinician.sync.lanes import AHEAD, WIDTH
from clinician.sync.upload import THREADS
from clinician.texts import lazy
from tests.clinician.sync.test_upload import (
    Answer,
    Fault,
    half,
    html,
    is_transaction,
    lost_before,
    status,
)
from tests.clinician.sync.world import Station, World, first, outside, patient_with_visits

L = lazy("sync")
LONG = 90.0


@pytest.fixture
def visits(world: World) -> list[str]:
    """One visit each of fifteen people."""
    found = []
    for _ in range(15):
        raws = patient_with_visits(1)
        world.load(raws)
        found.append(first(raws, "Appointment"))
    return found


@pytest.fixture
def a(world: World, visits: list[str]) -> Station:
    station = world.station("a")
    station.step()
    return station


def for_acts(ops: set[str], chosen: Fault) -> Fault:
    """The fault for transactions of these acts, for ever."""

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request) and any(op.encode() in request.content for op in ops):
            return chosen(request, go_on)
        return go_on()

    return fault


@contextmanager
def pool_of(a: Station) -> Iterator[None]:
    with ThreadPoolExecutor(THREADS) as pool:
        a.engine.uploader.pool, a.engine.uploader.lanes.patience = pool, 0.05
        yield
    a.engine.uploader.pool = None


@pytest.mark.parametrize(
    "bad",
    [status(400), status(422), status(500), status(503), html(502), html(504), html(200), lost_before, half],
    ids=["400", "422", "500", "503", "html-502", "html-504", "html-200", "reset", "half an answer"],
)
def test_that_one_bad_act_holds_up_no_other_person_for_a_second_of_the_clock(
    a: Station, visits: list[str], bad: Fault
) -> None:
    a.wire.fault = for_acts({a.change(visits[0], status="arrived")}, bad)
    for number in range(1, 12):
        good = a.change(visits[number], status="arrived")
        told = a.step()  # the clock stands: whatever is sent now is sent without any delay
        assert a.state(good) == ActState.APPLIED
        assert told.link is not Link.OFFLINE
        a.world.tick(37)


def test_that_a_bad_act_that_only_gets_silence_is_set_aside_in_sight(a: Station, visits: list[str]) -> None:
    bad = a.change(visits[0], status="arrived")
    later = a.change(visits[0], comment="etterpå")
    a.wire.fault = for_acts({bad}, lost_before)
    for number in range(1, 14):
        a.change(visits[number], status="arrived")
        a.world.tick(300)
        a.step()
    assert (a.state(bad), a.state(later)) == (ActState.PARKED, ActState.QUEUED)
    told = a.engine.status()
    assert (told.refused, told.waiting, told.all_sent) == (1, 1, False)


def test_that_a_record_that_says_nothing_at_all_is_not_taken_for_a_bad_act(
    a: Station, visits: list[str]
) -> None:
    ops = [a.change(visit, status="arrived") for visit in visits[:3]]

    def nothing(request: httpx.Request, go_on: Answer) -> httpx.Response:
        raise httpx.ReadTimeout("half open")

    a.wire.fault = nothing
    for _ in range(40):
        a.world.tick(300)
        assert a.step().link is Link.OFFLINE
    assert ActState.PARKED not in {a.state(op) for op in ops}
    a.wire.fault = None
    a.world.tick(300)
    a.step()
    a.world.tick(70)
    a.step()
    assert {a.state(op) for op in ops} == {ActState.APPLIED}


@pytest.mark.parametrize("hanging", [1, 4, 5, 10])
def test_that_acts_whose_answer_never_comes_give_their_lane_away(
    a: Station, visits: list[str], hanging: int
) -> None:
    """The good are through while the bad still hang: no time is measured, only the order of things."""
    let_go, late = threading.Event(), threading.Semaphore(0)

    def hang(request: httpx.Request, go_on: Answer) -> httpx.Response:
        assert let_go.wait(LONG)
        return go_on()

    def drain_until(ops: list[str]) -> None:
        a.step()
        while {a.state(op) for op in ops} != {ActState.APPLIED}:
            assert late.acquire(timeout=LONG)  # a good one was slow on a busy machine, and is home now
            a.engine.send_only()

    bad = [a.change(visit, status="arrived") for visit in visits[:hanging]]
    good = [a.change(visit, status="arrived") for visit in visits[hanging:]]
    a.wire.fault = for_acts(set(bad), hang)
    a.engine.uploader.lanes.late = late.release
    with pool_of(a):
        try:
            drain_until(good)
            assert {a.state(op) for op in bad} == {ActState.SENDING}
            assert (told := a.step()).waiting == hanging and told.link is Link.WAITING
            drain_until([a.change(visits[-1], comment="og en til")])
            a.world.tick(600)
            a.engine.uploader.watch()
            assert {a.state(op) for op in bad} == {ActState.SENDING}, "somebody is sending them"
        finally:
            let_go.set()
        drain_until(bad)
    assert all(a.world.history(f"Provenance/{op}") == 1 for op in bad + good)


def test_that_acts_that_failed_before_share_a_lane_of_their_own(a: Station, visits: list[str]) -> None:
    let_go, met = threading.Event(), threading.Semaphore(0)
    bad = {a.change(visit, status="arrived") for visit in visits[:6]}
    a.wire.fault = for_acts(bad, html(502))
    with pool_of(a):
        a.step()
        assert {a.state(op) for op in bad} == {ActState.UNKNOWN}
        a.engine.uploader.lanes.patience = LONG

        def hang(request: httpx.Request, go_on: Answer) -> httpx.Response:
            met.release()
            assert let_go.wait(LONG)
            return go_on()

        a.wire.fault = for_acts(bad, hang)
        a.world.tick(70)
        good = [a.change(visit, status="arrived") for visit in visits[6:12]]
        round_ = threading.Thread(target=a.engine.uploader.drain)
        round_.start()
        try:
            assert met.acquire(timeout=LONG)
            applied = _waits_for(a, good)
            assert not met.acquire(blocking=False), "one of the doubtful at a time"
        finally:
            let_go.set()
            round_.join(LONG)
    assert applied
    assert {a.state(op) for op in bad} == {ActState.APPLIED}


def test_that_two_are_made_ready_while_four_are_at_the_record(a: Station, visits: list[str]) -> None:
    """A lane is not empty while an act is written down; nobody is made ready by the dozen either."""
    let_go, met = threading.Event(), threading.Semaphore(0)
    ops = [a.change(visit, status="arrived") for visit in visits[:9]]

    def hang(request: httpx.Request, go_on: Answer) -> httpx.Response:
        met.release()
        assert let_go.wait(LONG)
        return go_on()

    a.wire.fault = for_acts(set(ops), hang)
    with pool_of(a):
        a.engine.uploader.lanes.patience = LONG
        round_ = threading.Thread(target=a.engine.uploader.drain)
        round_.start()
        try:
            assert all(met.acquire(timeout=LONG) for _ in range(WIDTH))
            assert _waits_for(a, ops[: WIDTH + AHEAD], ActState.SENDING)
            assert not met.acquire(blocking=False), "only as many at the record as there are lanes"
            assert {a.state(op) for op in ops[WIDTH + AHEAD :]} == {ActState.QUEUED}
        finally:
            let_go.set()
            round_.join(LONG)
    assert {a.state(op) for op in ops} == {ActState.APPLIED}
    assert all(a.world.history(f"Provenance/{op}") == 1 for op in ops)


def _waits_for(a: Station, ops: list[str], state: ActState = ActState.APPLIED) -> bool:
    """Whether all are there, woken by what the cache tells."""
    from clinician.events import CacheChanged

    through = threading.Event()

    def look(_event: CacheChanged | None = None) -> None:
        if {a.state(op) for op in ops} == {state}:
            through.set()

    end = a.events.subscribe(CacheChanged, look)
    look()
    came = through.wait(LONG)
    end()
    return came


def test_that_a_pause_the_record_asks_for_holds_for_everybody(a: Station, visits: list[str]) -> None:
    bad = a.change(visits[0], status="arrived")
    a.wire.fault = for_acts({bad}, status(503, **{"retry-after": "120"}))
    a.step()
    good = a.change(visits[1], status="arrived")
    a.step()
    assert a.state(good) == ActState.QUEUED
    a.world.tick(150)
    a.step()
    assert (a.state(good), a.state(bad)) == (ActState.APPLIED, ActState.UNKNOWN)
    for visit in visits[2:6]:
        a.world.tick(200)
        good = a.change(visit, status="arrived")
        a.step()
        assert a.state(good) == ActState.APPLIED, "a pause asked for the same act again is that act's"


def test_that_a_full_disk_here_is_told_and_no_answer_is_lost(a: Station, visits: list[str]) -> None:
    """The answer came, but could not be written down: the row stands until the watchdog finds it."""
    op = a.change(visits[0], status="arrived")
    put = a.engine.line.put
    full = True

    class Line(type(a.engine.line)):  # type: ignore[misc]  # the class of the line at hand
        __slots__ = ()

        def put(self, writing, rows):  # type: ignore[no-untyped-def]  # as the original
            if full and any(row.id == visits[0].partition("/")[2] for row in rows):
                raise DiskFull(L("The disk is full."))
            return put(writing, rows)

    a.engine.uploader.line = Line(a.cache, a.client, a.plan, a.world.clock, profile=a.engine.line.profile)
    sent = a.engine.uploader.drain()
    assert isinstance(sent.trouble, DiskFull) and a.state(op) == ActState.SENDING
    assert a.engine.uploader.next_try() == 5.0
    full = False
    a.world.tick(600)
    a.engine.uploader.watch()
    a.step()
    assert a.state(op) == ActState.APPLIED and a.world.history(f"Provenance/{op}") == 1


def test_that_a_fault_of_ours_in_one_act_is_that_acts_alone(a: Station, visits: list[str]) -> None:
    bad = a.change(visits[0], status="arrived")
    good = a.change(visits[1], status="arrived")

    def bug(request: httpx.Request, go_on: Answer) -> httpx.Response:
        raise RuntimeError("ours")

    a.wire.fault = for_acts({bad}, bug)
    told = a.step()
    assert (a.state(bad), a.state(good)) == (ActState.UNKNOWN, ActState.APPLIED)
    assert told.link is not Link.OFFLINE
    a.wire.fault = None
    a.world.tick(70)
    a.step()
    assert a.state(bad) == ActState.APPLIED


def test_that_nothing_is_sent_once_the_program_is_to_end(a: Station, visits: list[str]) -> None:
    op = a.change(visits[0], status="arrived")
    a.engine.line.stopped.set()
    a.engine.uploader.drain()
    assert a.state(op) == ActState.QUEUED


def test_that_a_first_try_that_lands_during_the_second_is_no_copied_disk(
    a: Station, visits: list[str]
) -> None:
    op, tries = a.change(visits[0], status="arrived"), []

    def late(request: httpx.Request, go_on: Answer) -> httpx.Response:
        tries.append(request)
        if len(tries) == 1:
            raise httpx.ReadTimeout("still under way")
        go_on().read()
        return go_on()

    a.wire.fault = for_acts({op}, late)
    for _ in range(3):
        a.world.tick(70)
        told = a.step()
    assert a.state(op) == ActState.APPLIED and a.world.history(f"Provenance/{op}") == 1
    assert len(tries) == 2 and not told.twin


def test_that_a_damaged_answer_of_a_record_that_then_falls_silent_is_tried_again(
    a: Station, visits: list[str]
) -> None:
    op = a.change(visits[0], status="arrived")

    def broken(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if is_transaction(request):
            damaged = {"content-type": "application/fhir+json", "content-encoding": "gzip"}
            return outside(200, b"no gzip at all", **damaged)
        raise httpx.ReadTimeout("silent")

    a.wire.fault = broken
    assert a.step().link is Link.OFFLINE and a.state(op) == ActState.UNKNOWN
    a.wire.fault = None
    for _ in range(2):
        a.world.tick(70)
        a.step()
    assert a.state(op) == ActState.APPLIED
