"""The engine and a record that rings: what is announced is asked for, and what is not is noticed and said."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from clinician.clock import SystemClock
from clinician.embedded.serve import serve
from clinician.events import CacheChanged, Link, Push
from clinician.record.client import RecordClient
from clinician.sync.announced import DEBOUNCE, WIDEST
from clinician.sync.engine import SyncEngine
from clinician.sync.rounds import SICK_POLL
from tests.clinician.sync.ringing import Bell, RingingApp, Switchboard
from tests.clinician.sync.test_sockets import URL, until
from tests.clinician.sync.world import Station, World, first, patient_with_visits

PATIENCE = 40.0
"""Less than any pause between polls takes where nobody looks: what comes within it came by push."""


class Asked:
    """The batches a station sent: types in each."""

    def __init__(self, station: Station) -> None:
        self.batches: list[set[str]] = []
        station.wire.fault = self._note

    def _note(self, request: httpx.Request, go_on: Any) -> httpx.Response:
        if request.url.path == "/" and request.method == "POST":
            body = orjson.loads(request.read())
            urls = [entry["request"]["url"] for entry in body["entry"] if entry["request"]["method"] == "GET"]
            self.batches.append({urlsplit(url).path for url in urls})
        answer: httpx.Response = go_on()
        return answer


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def a(world: World, board: Switchboard) -> Iterator[Station]:
    """A station on a ringing record, step by step, its sockets bound and quiet."""
    world.load(patient_with_visits(2))
    station = world.station()
    app = RingingApp(world.app, URL)
    station.wire.inner = httpx.WSGITransport(app=app)  # type: ignore[arg-type]  # httpx wants the typeshed protocol
    station.engine.stop()
    hint = RecordClient("http://record.local", transport=httpx.WSGITransport(app=app))  # type: ignore[arg-type]  # as above
    station.engine = SyncEngine(
        station.cache,
        station.client,
        station.plan,
        clock=world.clock,
        events=station.events,
        hint_client=hint,
        rng=random.Random(1),
        open_socket=board.open,
    )
    station.engine.listening.start()
    station.engine.line.client.packs = False
    station.step()
    until(lambda: station.engine.listening.covered == {"Task", "Appointment", "EpisodeOfCare"})
    until(lambda: station.engine.announced.next_due() is not None)
    _settle(world, station)
    assert station.step().push is Push.LIVE
    yield station
    station.engine.stop()


def _settle(world: World, station: Station) -> None:
    """Until nothing announced is left to ask for."""
    while station.engine.announced.next_due() is not None:
        world.tick(3)
        station.engine.small_round()


def test_that_a_ping_brings_the_change_in_one_request_for_that_type_and_once_more(
    world: World, a: Station
) -> None:
    visit = first(a.all("Appointment"), "Appointment")
    raw = world.there(visit)
    assert raw is not None
    world.tick(2)
    world.load([raw | {"comment": "nøkkel hos naboen"}])
    asked = Asked(a)
    a.engine.hinted("Appointment")
    a.engine.hinted("Appointment")
    assert DEBOUNCE <= a.engine.pause() <= 2 * DEBOUNCE + 0.001
    a.engine.small_round()
    assert asked.batches == [], "not before the flock has come"
    world.tick(0.3)
    a.engine.small_round()
    found = a.get(visit)
    assert found is not None and found["comment"] == "nøkkel hos naboen"
    assert asked.batches == [{"Appointment"}]
    assert a.engine.pause() <= 2.0
    world.tick(2)
    a.engine.small_round()
    assert asked.batches == [{"Appointment"}] * 2
    world.tick(2)
    a.engine.small_round()
    assert len(asked.batches) == 2 and a.engine.status().push is Push.LIVE


def test_that_a_newcomer_announced_is_fetched_with_everything(world: World, a: Station) -> None:
    raws = patient_with_visits(1)
    world.tick(2)
    world.load(raws)
    a.engine.hinted("EpisodeOfCare")
    world.tick(0.3)
    a.engine.small_round()
    assert a.get(first(raws, "Patient")) is not None and a.get(first(raws, "Appointment")) is not None


def test_that_pings_for_ever_are_no_storm_and_polls_go_on_beside_them(world: World, a: Station) -> None:
    asked, began, times = Asked(a), world.clock.ticks, []
    while world.clock.ticks < began + 90:
        world.tick(0.02)
        a.engine.hinted("Task")
        before = len(asked.batches)
        if a.engine._is_poll_due():
            a.step()
        else:
            a.engine.small_round()
        times += [world.clock.ticks] * (len(asked.batches) - before)
    small = [types for types in asked.batches if types == {"Task"}]
    assert len(small) <= 90 / WIDEST + 8
    assert 2 <= len(asked.batches) - len(small) <= 5, "whole polls are not put off by pings"
    assert all(later - earlier >= DEBOUNCE for earlier, later in pairwise(times))


def test_that_a_record_that_no_longer_rings_is_noticed_said_and_polled_every_ten_seconds(
    world: World, a: Station, board: Switchboard
) -> None:
    visit = first(a.all("Appointment"), "Appointment")
    for number in range(2):
        assert a.engine.status().push is Push.LIVE and a.engine.pause() > SICK_POLL * 1.2
        raw = world.there(visit)
        assert raw is not None
        world.tick(40)
        world.load([raw | {"comment": str(number)}])
        status = a.step()
    assert status.push is Push.SICK and status.link is Link.FRESH
    assert a.engine.pause() <= SICK_POLL * 1.2
    a.engine.watched(False)
    assert a.engine.pause() <= SICK_POLL * 1.2, "nobody looking does not make a sick push well"
    board.ping("Appointment")
    until(lambda: not a.engine.health.is_sick)
    _settle(world, a)
    assert a.step().push is Push.LIVE


def test_that_nobody_looking_makes_polls_half_as_frequent(world: World, a: Station) -> None:
    seen = a.engine.pause()
    a.engine.watched(False)
    assert a.engine.pause() == pytest.approx(2 * seen)
    a.engine.watched(True)
    assert a.engine.pause() == pytest.approx(seen)


def test_that_a_ping_of_a_record_that_did_not_answer_ends_the_pause_but_not_again_and_again(
    world: World, a: Station
) -> None:
    world.tick(40)
    a.wire.down = True
    for _ in range(8):
        a.step()
        world.tick(a.engine.pause() + 0.01)
    a.step()
    assert a.engine.pause() > 0.0
    a.engine.hinted("Task")
    assert a.engine.pause() == 0.0
    a.step()
    waiting = a.engine.pause()
    a.engine.hinted("Task")
    assert a.engine.pause() == waiting > 0.0
    a.wire.down = False
    assert a.step().link is Link.FRESH


def test_that_news_that_meet_no_record_are_told_as_offline(world: World, a: Station) -> None:
    a.engine.hinted("Task")
    world.tick(2)
    a.wire.down = True
    a.engine.small_round()
    assert a.engine.status().link is Link.OFFLINE


def test_that_news_before_the_first_round_wait_for_it(world: World) -> None:
    world.load(patient_with_visits(1))
    fresh = world.station("b")
    fresh.engine.hinted("Task")
    world.tick(0.3)
    fresh.engine.small_round()
    assert fresh.engine.status().link is Link.FRESH


# two workstations, real sockets ----------------------------------------------------------------------


class Ward:
    """A ringing record on a port, and stations on it that run."""

    def __init__(self, world: World, manner: str) -> None:
        self.world, self.bell = world, Bell(world.app, manner)
        self._server = serve(self.bell.app, "127.0.0.1", 0)  # type: ignore[arg-type]  # it asks for an app and its store
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._stations: list[tuple[Station, RecordClient]] = []

    def station(self, name: str) -> Station:
        made = self.world.station(name)
        made.engine.stop()
        client = RecordClient(self.url)
        made.engine = SyncEngine(
            made.cache,
            client,
            made.plan,
            clock=self.world.clock,
            events=made.events,
            hint_client=RecordClient(self.url),
        )
        self._stations.append((made, client))
        return made

    def stop(self) -> None:
        for station, client in self._stations:
            station.engine.stop()
            client.close()
        self._server.stop()
        self.bell.stop()


@pytest.fixture
def ward(tmp_path: Path, request: pytest.FixtureRequest, world: World) -> Iterator[Ward]:
    world.clock = SystemClock()  # type: ignore[assignment]  # threads need a clock that runs
    world.app.store.clock = world.clock
    world.load(patient_with_visits(2))
    made = Ward(world, getattr(request, "param", "well"))
    yield made
    made.stop()


def expect_no_poll(station: Station) -> None:
    """From now on none is due for as long as a test waits for push."""
    station.engine.watched(False)
    station.engine.sync_now()
    until(lambda: station.engine.cadence.until_poll(covered=frozenset(), is_sick=False) > PATIENCE)


def test_that_a_visit_signed_on_one_pc_comes_to_the_other_by_websocket(ward: Ward) -> None:
    a, b = ward.station("a"), ward.station("b")
    for station in (a, b):
        station.engine.start()
        until(lambda station=station: station.engine.listening.state(is_sick=False) is Push.LIVE)  # type: ignore[misc]  # mypy cannot infer a defaulted lambda
        until(lambda station=station: station.engine.status().all_sent and bool(station.all("Appointment")))  # type: ignore[misc]  # as above
    visit = first(a.all("Appointment"), "Appointment")
    expect_no_poll(b)
    arrived = threading.Event()
    b.events.subscribe(CacheChanged, lambda e: arrived.set() if visit in e.refs else None)
    a.change(visit, status="arrived")
    assert arrived.wait(PATIENCE), "no poll comes so soon"
    found = b.get(visit)
    assert found is not None and found["status"] == "arrived"
    assert len(ward.bell.app.subscriptions) == 3, "one a type for the whole workplace; the probe's are gone"
    until(lambda: a.engine.status().all_sent)


def test_that_a_record_started_again_is_bound_again_and_what_was_missed_is_asked_for(ward: Ward) -> None:
    b = ward.station("b")
    b.engine.start()
    until(lambda: b.engine.listening.state(is_sick=False) is Push.LIVE)
    until(lambda: bool(b.all("Appointment")))
    visit = first(b.all("Appointment"), "Appointment")
    raw = ward.world.there(visit)
    assert raw is not None
    expect_no_poll(b)
    arrived = threading.Event()
    b.events.subscribe(CacheChanged, lambda e: arrived.set() if visit in e.refs else None)
    ward.bell.hang_up()
    ward.world.load([raw | {"comment": "mens ingen var bundet"}])
    assert arrived.wait(PATIENCE)
    until(lambda: b.engine.listening.state(is_sick=False) is Push.LIVE)


@pytest.mark.parametrize("ward", ["for ever"], indirect=True)
def test_that_a_flood_over_a_real_socket_leaves_the_engine_able_to_work_and_to_stop(ward: Ward) -> None:
    a = ward.station("a")
    a.engine.start()
    until(lambda: a.engine.status().all_sent and bool(a.all("Appointment")))
    op = a.change(first(a.all("Appointment"), "Appointment"), status="arrived")
    until(lambda: a.state(op) == "applied")
    a.engine.stop()
    until(lambda: not any(thread.name.startswith("sync") for thread in threading.enumerate()))


@pytest.mark.parametrize("ward", ["refuses", "closes", "chatters"], indirect=True)
def test_that_a_websocket_that_does_not_work_costs_nothing_but_the_push(ward: Ward) -> None:
    a = ward.station("a")
    a.engine.start()
    until(lambda: a.engine.status().all_sent and bool(a.all("Appointment")))
    until(lambda: ward.bell.binds >= 3)
    op = a.change(first(a.all("Appointment"), "Appointment"), status="arrived")
    until(lambda: a.state(op) == "applied")
    until(lambda: a.engine.listening.state(is_sick=False) is Push.AWAY)
