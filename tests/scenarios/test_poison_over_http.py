"""Bad acts over a real wire: the good ones of everybody else arrive while the bad still hang (I12)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from clinician.cache.acts import ActState
from clinician.cache.open import open_cache
from clinician.clock import SystemClock
from clinician.events import CacheChanged, Events
from clinician.record.client import RecordClient
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from tests.clinician.sync.world import (
    KEY,
    RULES,
    WORKPLACE,
    Station,
    World,
    first,
    patient_with_visits,
    setting,
)

LONG = 120.0
GOOD = 12


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Nothing."""


class Swamp:
    """A record behind a server that swallows, refuses or garbles the acts it is told to."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._one = threading.Lock()
        self.bad: dict[str, str] = {}
        self.arrived: dict[str, float] = {}
        self.let_go = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        import io

        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if b'"transaction"' in body:
            now = time.monotonic()
            for op_id in [op for op in self.arrived if op.encode() in body]:
                self.arrived[op_id] = min(self.arrived[op_id], now)
            how = next((how for op, how in self.bad.items() if op.encode() in body), "")
            if how == "hang":
                self.let_go.wait(LONG)
            elif how:
                start(how, [("Content-Type", "text/html"), ("Content-Length", "6")])
                return [b"<html>"]
        with self._one:
            return list(self._app(environ, start))


@pytest.fixture
def swamp(tmp_path: Path) -> Iterator[tuple[Swamp, Station, list[str]]]:
    world = World(tmp_path)
    world.clock = SystemClock()  # type: ignore[assignment]  # threads need a clock that runs
    world.app.store.clock = world.clock
    visits = []
    world.load(setting())
    for _ in range(GOOD + 7):
        raws = patient_with_visits(1)
        world.load(raws)
        visits.append(first(raws, "Appointment"))
    swamp = Swamp(world.app)
    server = make_server("127.0.0.1", 0, swamp, server_class=Threads, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    station = Station.__new__(Station)
    station.world, station.name, station.plan = world, "a", make_plan(RULES, workplace_ref=WORKPLACE)
    station.events = Events()
    station.cache = open_cache(tmp_path / "a", KEY, clock=world.clock, events=station.events)
    station.client = RecordClient(f"http://127.0.0.1:{server.server_port}")
    station.engine = SyncEngine(
        station.cache, station.client, station.plan, clock=world.clock, events=station.events
    )
    station.engine.step()
    yield swamp, station, visits
    swamp.let_go.set()
    station.close()
    server.shutdown()
    server.server_close()
    world.close()


def applied(station: Station, ops: list[str]) -> bool:
    through = threading.Event()

    def look(_event: CacheChanged | None = None) -> None:
        if all(station.state(op) == ActState.APPLIED for op in ops):
            through.set()

    end = station.events.subscribe(CacheChanged, look)
    look()
    came = through.wait(LONG)
    end()
    return came


def send(
    swamp: Swamp, station: Station, visits: list[str], comment: str
) -> tuple[list[str], dict[str, float]]:
    """Change one visit of each person; gives the acts and when each was done."""
    done: dict[str, float] = {}
    for visit in visits:
        op_id = station.change(visit, comment=comment)
        done[op_id] = time.monotonic()
        swamp.arrived[op_id] = float("inf")
    return list(done), done


def test_that_bad_acts_over_a_real_wire_delay_nobody_else(
    swamp: tuple[Swamp, Station, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    server, station, visits = swamp
    kinds = ("hang", "hang", "hang", "hang", "502 Bad Gateway", "500 Error", "200 OK")
    bad, _ = send(server, station, visits[: len(kinds)], "giftig")
    server.bad = dict(zip(bad, kinds, strict=True))
    station.engine.start()
    good, done = send(server, station, visits[len(kinds) :], "god")
    try:
        assert applied(station, good), "all the good are through, and the bad still hang"
        hanging = {station.state(op) for op, kind in server.bad.items() if kind == "hang"}
        assert hanging == {ActState.SENDING}
        late, when = send(server, station, visits[-3:], "og en gang til")
        assert applied(station, late)
        delays = sorted(server.arrived[op] - at for op, at in (done | when).items())
        with capsys.disabled():
            print(
                f"\n  good acts arrived after {delays[len(delays) // 2]:.2f} s p50, {delays[-1]:.2f} s at most"
            )
    finally:
        server.bad = {}
        server.let_go.set()
    station.engine.sync_now()
    assert applied(station, bad), "what was bad only for a while arrives as well"
    for op_id in (*bad, *good, *late):
        assert station.world.history(f"Provenance/{op_id}") == 1
