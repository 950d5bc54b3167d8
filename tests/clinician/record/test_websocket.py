"""Where a record rings, how one binds, and how a dead socket is told from a quiet one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clinician.embedded.serve import serve
from clinician.embedded.server import RecordApp
from clinician.record.bound_socket import BoundSocket
from clinician.record.client import AnswerLost, NotSent, RecordClient
from clinician.record.probe import probe
from clinician.record.websocket import EXTENSION, open_bound, websocket_of
from clinician.record.websocket_probe import PATIENCE, ping_seconds
from tests.clinician.sync.ringing import Bell
from tests.record.peers import UnavailableError, sekmet


def statement(value: object, key: str = "valueUri") -> dict[str, object]:
    return {"rest": [{"mode": "server", "extension": [{"url": "other"}, {"url": EXTENSION, key: value}]}]}


@pytest.mark.parametrize(
    ("said", "base", "found"),
    [
        ("/websocket", "http://host/fhir", "ws://host/websocket"),
        ("ws://host:9000/ws", "http://host:8080/fhir", "ws://host:9000/ws"),
        ("https://host/ws", "https://host/fhir", "wss://host/ws"),
        ("wss://host/ws", "http://host/fhir", "wss://host/ws"),
        ("ws://host/ws", "https://host/fhir", ""),
        ("ws://elsewhere/ws", "http://host/fhir", ""),
        ("gopher://host/ws", "http://host/fhir", ""),
        ("http://[half", "http://host/fhir", ""),
        ("", "http://host/fhir", ""),
    ],
)
def test_that_the_websocket_is_at_the_records_own_host_and_never_less_safe(
    said: str, base: str, found: str
) -> None:
    assert websocket_of(statement(said), base) == found
    assert websocket_of(statement(said, "valueUrl"), base) == found


@pytest.mark.parametrize(
    "raw", [{}, {"rest": 7}, {"rest": [7, {"extension": 7}, {"extension": [7, {"url": EXTENSION}]}]}]
)
def test_that_a_statement_that_names_no_websocket_is_read_as_none(raw: dict[str, object]) -> None:
    assert websocket_of(raw, "http://host/fhir") == ""


@pytest.fixture
def app() -> Iterator[RecordApp]:
    made = RecordApp(None)
    yield made
    made.close()


@contextlib.contextmanager
def ringing(app: RecordApp, manner: str = "well") -> Iterator[tuple[Bell, RecordClient]]:
    bell = Bell(app, manner)
    server = serve(bell.app, "127.0.0.1", 0)  # type: ignore[arg-type]  # it asks for an app and its store
    with RecordClient(
        f"http://127.0.0.1:{server.port}", headers={"Authorization": "Bearer of tidings"}
    ) as client:
        yield bell, client
    server.stop()
    bell.stop()


def test_that_a_bound_socket_hears_its_ping_and_can_be_cut_from_another_thread(app: RecordApp) -> None:
    with ringing(app) as (bell, client):
        bell.app.subscriptions["ws-1-Task"] = {"criteria": "Task?"}
        held = open_bound(client, bell.app.websocket, "ws-1-Task")
        assert bell.bound.wait(60)
        bell.ring("Task")
        assert held.heard(60)
        assert not held.heard(0.01), "quiet, and the other end shows that it is there"
        cutter = threading.Timer(0.05, held.hang_up)
        cutter.start()
        with pytest.raises(AnswerLost):
            while True:
                held.heard(60)
        cutter.join()
        with pytest.raises(AnswerLost):
            held._demand_pong()  # type: ignore[attr-defined]  # the protocol has no need of it


@pytest.mark.parametrize("manner", ["refuses", "chatters"])
def test_that_a_refused_bind_and_a_message_larger_than_any_ping_end_the_socket(
    app: RecordApp, manner: str
) -> None:
    with ringing(app, manner) as (bell, client), pytest.raises(AnswerLost):
        bell.app.subscriptions["x"] = {}
        open_bound(client, bell.app.websocket, "x").heard(60)


def test_that_nobody_there_is_an_error_of_its_own(app: RecordApp) -> None:
    with RecordClient("http://127.0.0.1:9") as client, pytest.raises(NotSent):
        open_bound(client, "ws://127.0.0.1:9/ws", "x")


class RawServer:
    """Speaks the first bytes of a websocket by hand, then falls silent without closing."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}/ws"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        held, _ = self._listening.accept()
        with held:
            asked = held.recv(4096).decode()
            key = next(
                line.split(": ")[1] for line in asked.split("\r\n") if line.startswith("Sec-WebSocket-Key")
            )
            digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
            head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            held.sendall(f"{head}Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n".encode())
            held.sendall(bytes([0x81, len(self._answer)]) + self._answer)
            self._over.wait(120)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=60)
        self._listening.close()


def test_that_a_half_open_socket_is_found_out_by_its_silence() -> None:
    """The record's machine lost its power: no close, no answer, nothing."""
    server = RawServer(b"bound x")
    with RecordClient("http://127.0.0.1") as client:
        held = open_bound(client, server.url, "x")
        assert isinstance(held, BoundSocket)
        held._pong = 0.1
        with pytest.raises(AnswerLost) as raised:
            held.heard(0.01)
        assert raised.value.detail == "half open"
        held.hang_up()
    server.stop()


def test_that_anything_but_bound_is_a_refusal() -> None:
    server = RawServer(b"who are you")
    with RecordClient("http://127.0.0.1") as client, pytest.raises(AnswerLost):
        open_bound(client, server.url, "x")
    server.stop()


# the probe -------------------------------------------------------------------------------------------


def test_that_the_probe_hears_its_own_write_and_leaves_nothing_behind(app: RecordApp) -> None:
    with ringing(app) as (bell, client):
        found = probe(client, listen=ping_seconds)
        assert found.websocket and 0 < found.ping_seconds <= PATIENCE
        assert bell.app.subscriptions == {}
        assert client.request("GET", "Basic?_summary=count").raw().get("total") == 0


@pytest.mark.parametrize("manner", ["mute", "refuses", "closes"])
def test_that_a_websocket_that_does_not_ring_is_found_out_within_the_patience(
    app: RecordApp, manner: str
) -> None:
    with ringing(app, manner) as (bell, client):
        assert ping_seconds(client, client.capability(), patience=0.6) is None
        assert bell.app.subscriptions == {}


def test_that_a_record_that_takes_no_subscription_has_no_websocket_for_us(app: RecordApp) -> None:
    with ringing(app) as (bell, client):
        bell.app.refuses = 405
        assert ping_seconds(client, client.capability(), patience=60) is None and bell.binds == 0


def test_that_a_record_without_a_websocket_is_not_asked_for_one(app: RecordApp) -> None:
    with RecordClient("http://record.local", transport=httpx.WSGITransport(app=app)) as client:  # type: ignore[arg-type]  # httpx wants the typeshed protocol
        before = client.requests
        assert ping_seconds(client, {"rest": []}) is None and client.requests == before


def test_that_sekmet_names_no_websocket(tmp_path: Path) -> None:
    """If it does one day, this test says so, and it becomes a peer of the others."""
    try:
        with sekmet(tmp_path) as peer, RecordClient(peer.base.rstrip("/")) as client:
            assert websocket_of(client.capability(), client.base_url) == ""
    except UnavailableError as missing:
        pytest.skip(str(missing))
