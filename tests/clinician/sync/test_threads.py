"""The engine in its threads, the hint, and when what is due."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import orjson
import pytest

from clinician.clock import FrozenClock, SystemClock
from clinician.events import Link, SyncStatus
from clinician.record.client import RecordClient
from clinician.record.retry import LONGEST, LONGEST_AWAY, QUICK, Breaker, jittered, pause
from clinician.sync.engine import SyncEngine
from clinician.sync.push import Hint
from clinician.sync.rounds import Cadence
from tests.clinician.sync.test_sockets import until
from tests.clinician.sync.world import Station, World, first, outside, patient_with_visits
from tests.scenarios.processes import Child

FHIR = {"content-type": "application/fhir+json"}


class Reached:
    """Waits for a status, without sleeping."""

    def __init__(self, station: Station, wanted: Callable[[SyncStatus], bool]) -> None:
        self._event = threading.Event()
        self._end = station.events.subscribe(SyncStatus, lambda s: self._event.set() if wanted(s) else None)
        if wanted(station.engine.status()):
            self._event.set()

    def wait(self) -> None:
        assert self._event.wait(90), "not reached"
        self._end()


@pytest.fixture
def running(world: World) -> Iterator[Station]:
    world.clock = SystemClock()  # type: ignore[assignment]  # threads need a clock that runs
    world.app.store.clock = world.clock
    world.load(patient_with_visits(2))
    station = world.station("a")
    station.engine.stop()
    hint = RecordClient("http://record.local", transport=httpx.WSGITransport(app=world.app))  # type: ignore[arg-type]  # httpx wants the typeshed protocol
    station.engine = SyncEngine(
        station.cache,
        station.client,
        station.plan,
        clock=world.clock,
        events=station.events,
        hint_client=hint,
        rng=random.Random(1),
    )
    yield station
    station.engine.stop()


def test_that_a_started_engine_fetches_sends_and_hears(running: Station) -> None:
    fresh = Reached(running, lambda s: s.link is Link.FRESH and s.all_sent)
    running.engine.start()
    running.engine.start()
    fresh.wait()
    visit = first(running.all("Appointment"), "Appointment")
    sent = Reached(running, lambda s: s.waiting == 1)
    op = running.change(visit, status="arrived")
    sent.wait()
    Reached(running, lambda s: s.waiting == 0 and s.all_sent).wait()
    assert running.state(op) == "applied"
    seen = threading.Event()
    from clinician.events import CacheChanged

    running.events.subscribe(CacheChanged, lambda e: seen.set() if visit in e.refs else None)
    theirs = running.world.there(visit)
    assert theirs is not None
    running.world.load([{**theirs, "comment": "fra en annen"}])
    assert seen.wait(90), "the hint brought the change"
    running.engine.sync_now()


def test_that_a_record_that_goes_away_and_comes_back_is_told_and_healed(running: Station) -> None:
    running.engine.start()
    Reached(running, lambda s: s.link is Link.FRESH).wait()
    offline = Reached(running, lambda s: s.link is Link.OFFLINE)
    running.wire.down = True
    op = running.change(first(running.all("Appointment"), "Appointment"), status="arrived")
    offline.wait()
    fresh = Reached(running, lambda s: s.link is Link.FRESH and s.all_sent)
    running.wire.down = False
    running.engine.hinted()
    fresh.wait()
    assert running.state(op) == "applied"


def test_that_an_engine_without_a_hint_asks_again_after_sending(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.engine.send_only()
    assert a.engine.loop.due.is_set()
    a.step()
    a.change(first(raws, "Appointment"), status="arrived")
    a.engine.loop.due.clear()
    a.engine.send_only()
    assert a.engine.loop.due.is_set() and a.engine.status().waiting == 0
    a.wire.down = True
    a.change(first(raws, "Appointment"), status="fulfilled")
    a.engine.send_only()
    assert a.engine.status().link is Link.OFFLINE
    assert 0.05 <= a.engine.pause() <= LONGEST
    a.wire.down = False
    a.engine.sync_now()
    a.step()
    assert 20 < a.engine.pause() < 40


# the hint ------------------------------------------------------------------------------------------


def test_that_a_held_request_over_http_is_cut_off_when_the_engine_stops(tmp_path: Path) -> None:
    record = Child("tests.scenarios.record_process", str(tmp_path / "record"), "0", log=tmp_path / "log")
    url = f"http://127.0.0.1:{record.first['port']}"
    client, other = RecordClient(url), RecordClient(url)
    heard = threading.Event()
    hint = Hint(client, heard.set, SystemClock().monotonic)
    hint.path = "_history"
    hint.start()
    assert heard.wait(90), "the first answer counts as news"
    heard.clear()
    raw = patient_with_visits(0)[0]
    assert other.put(f"Patient/{raw['id']}", orjson.dumps(raw)).status == 201
    assert heard.wait(90), "a change is news"
    hint.stop()
    hint.stop()
    other.close()
    record.end()
    until(lambda: not any(thread.name == "sync-hint" for thread in threading.enumerate()))


def test_that_a_hint_that_breaks_off_counts_as_news_when_it_is_back(world: World) -> None:
    answers: list[httpx.Response | Exception] = [
        outside(200, b"{}", **FHIR, **{"x-change-sequence": "7"}),
        outside(200, b"{}", **FHIR, **{"x-change-sequence": "7"}),
        httpx.ReadError("cut"),
        outside(200, b"{}", **FHIR, **{"x-change-sequence": "7"}),
        outside(503, b"{}", **FHIR, **{"retry-after": "3"}),
        outside(200, b"{}", **FHIR),
    ]

    class Wire(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    news: list[int] = []
    hint = Hint(
        RecordClient("http://record.local", transport=Wire()), lambda: news.append(1), world.clock.monotonic
    )
    hint.path = "_history"
    assert [hint.listen() for _ in range(6)] == [True, False, False, True, False, False]
    assert len(news) == 2 and not hint.is_alive


# when what is due -------------------------------------------------------------------------------------


def test_that_long_absence_asks_for_a_full_comparison_and_the_night_for_a_probe() -> None:
    clock = FrozenClock(datetime(2026, 3, 3, tzinfo=UTC))
    cadence = Cadence(clock)
    types = frozenset({"Task", "Observation"})
    assert cadence.manifest_types(types, filled=True) == frozenset()
    assert cadence.manifest_types(types, filled=False) == frozenset()
    clock.ticks += 901
    assert cadence.manifest_types(types, filled=False) == {"Task"}
    cadence.compared(frozenset({"Task"}), types)
    cadence.lost(), cadence.lost()
    clock.ticks += 601
    cadence.back_online()
    assert cadence.manifest_types(types, filled=False) == types
    cadence.compared(types, types)
    cadence.probed()
    assert not cadence.probe_due()
    clock.ticks += 86_401
    assert cadence.probe_due() and cadence.manifest_types(types, filled=False) == types


def test_that_the_probe_is_made_again_at_night(world: World) -> None:
    a = world.station()
    a.step()
    world.tick(90_000)
    before = a.client.requests
    a.step()
    assert a.client.requests - before > 20


# back-off ----------------------------------------------------------------------------------------------


def test_that_back_off_is_full_jitter_with_a_cap_and_a_floor() -> None:
    rng = random.Random(3)
    drawn = [pause(n, rng) for n in range(1, 40) for _ in range(20)]
    assert max(drawn) <= LONGEST and min(drawn) < 1.0 and max(drawn) > 50
    assert all(30 <= pause(9, rng, 30.0) <= 36 for _ in range(50))
    assert all(24 <= jittered(30, rng) <= 36 for _ in range(50))
    breaker = Breaker(rng)
    assert breaker.may_try(0.0)
    breaker.failed(0.0, 10.0)
    assert not breaker.may_try(9.9) and breaker.remaining(0.0) >= 10.0 and breaker.asked_until == 10.0
    breaker.worked()
    assert breaker.may_try(0.0)


def test_that_a_cable_put_back_is_noticed_within_seconds_and_a_record_is_never_hammered() -> None:
    for seed in range(50):
        breaker, now, tries = Breaker(random.Random(seed)), 0.0, []
        while now < 600:
            breaker.failed(now, away=True)
            now += breaker.remaining(now)
            tries.append(now)
        waits = [after - before for before, after in pairwise([0.0, *tries])]
        assert all(1.0 <= wait <= 2.0 for wait in waits[:QUICK])
        assert all(1.0 <= wait <= LONGEST_AWAY for wait in waits)
        assert len(tries) < 600 / 4, "on the whole a try every four seconds at the most"


def test_that_tries_under_way_together_fail_as_one_and_keep_the_longest_pause_asked_for() -> None:
    breaker = Breaker(random.Random(1))
    for _ in range(4):
        breaker.failed(100.0, away=True)
    assert breaker.failures == 1
    breaker.failed(100.0, 30.0)
    breaker.failed(100.0, 5.0)
    assert breaker.remaining(100.0) >= 30.0 and breaker.asked_until == 130.0


def test_that_an_engine_asks_again_soon_after_a_lost_connection_and_resets_when_answered(
    world: World,
) -> None:
    a = world.station()
    a.wire.down = True
    for _ in range(QUICK):
        a.step()
        assert 1.0 <= a.engine.pause() <= 2.0
        world.tick(a.engine.pause() + 0.01)
    a.wire.down = False
    assert a.step().link is Link.FRESH and a.engine.uploader.breaker.failures == 0


def test_that_an_engine_without_a_hint_runs_too(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    fresh = Reached(a, lambda s: s.link is Link.FRESH)
    a.engine.start()
    fresh.wait()
    a.engine.stop()
    until(lambda: not any(thread.name == "sync" for thread in threading.enumerate()))


def test_that_a_live_hint_spares_the_question_after_sending(running: Station) -> None:
    running.step()
    hint = running.engine.listening.hint
    assert hint is not None and hint.listen()
    running.engine.loop.due.clear()
    running.change(first(running.all("Appointment"), "Appointment"), status="arrived")
    running.engine.send_only()
    assert not running.engine.loop.due.is_set()


@pytest.mark.parametrize("hangs", ["transaction", "batch"])
def test_that_closing_waits_for_no_answer_and_the_act_is_settled_after_the_next_start(
    running: Station, hangs: str
) -> None:
    """transaction: the act is under way. batch: a question is, and the act may be or not."""
    running.engine.start()
    Reached(running, lambda s: s.link is Link.FRESH and s.all_sent).wait()
    visit = first(running.all("Appointment"), "Appointment")
    asked, release = threading.Event(), threading.Event()

    def hang(request: httpx.Request, go_on: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST" and f'"{hangs}"'.encode() in request.content:
            asked.set()
            assert release.wait(90)
            raise httpx.ReadError("cut")
        return go_on()

    class Line(RecordClient):
        """Over a cable a wait is cut by hanging up; here there is no cable to cut."""

        def hang_up(self) -> None:
            super().hang_up()
            release.set()

    running.wire.fault = hang
    running.engine.line.client = Line("http://record.local", transport=running.wire)
    op = running.change(visit, status="arrived")
    running.engine.sync_now()
    assert asked.wait(90)
    running.engine.stop()
    assert release.is_set(), "closing the window never waits for a record"
    running.wire.fault = None
    running.restart()
    running.engine.step()
    running.engine.step()
    assert running.state(op) == "applied"
    assert running.world.history(f"Provenance/{op}") == 1
