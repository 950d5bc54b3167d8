"""A record that rings as HAPI FHIR does: the embedded one with Subscriptions and websockets, and bad manners."""

from __future__ import annotations

import gzip
import io
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from clinician.embedded.server import RecordApp
from clinician.record.client import AnswerLost, RecordClient
from clinician.record.websocket import EXTENSION
from clinician.texts import lazy

L = lazy("sync")


class RingingApp:
    """WSGI: no long-poll, but a websocket's address and a Subscription table. on_write hears changed types."""

    def __init__(self, inner: RecordApp, websocket: str) -> None:
        self.inner, self.websocket = inner, websocket
        self.store = inner.store
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.puts = 0
        self.refuses = 0
        """Status with which a Subscription is refused; 0: it is taken."""
        self.on_write: Callable[[str], None] = lambda type_: None

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/")
        if path.startswith("Subscription/"):
            return self._subscription(method, path.partition("/")[2], environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if path == "metadata":
            environ["HTTP_ACCEPT_ENCODING"] = "identity"
        said: list[Any] = []
        answer = b"".join(self.inner(environ, lambda *given: said.extend(given)))
        if path == "metadata":
            answer = self._with_websocket(answer)
        start(said[0], [(name, value) for name, value in said[1] if name.lower() != "content-length"])
        if said[0].startswith("2") and not path.endswith("_search"):
            packed = environ.get("HTTP_CONTENT_ENCODING") == "gzip"
            for type_ in _written(method, path, gzip.decompress(body) if packed else body):
                self.on_write(type_)
        return [answer]

    def _subscription(self, method: str, id_: str, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        found, status = self.subscriptions.get(id_), "404 Not Found"
        if method == "PUT" and self.refuses:
            status = f"{self.refuses} No"
        elif method == "PUT":
            raw = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            found = self.subscriptions[id_] = raw | {"status": "active"}
            self.puts, status = self.puts + 1, "200 OK"
        elif method == "DELETE":
            self.subscriptions.pop(id_, None)
            found, status = {}, "200 OK"
        elif found is not None:
            status = "200 OK"
        start(status, [("Content-Type", "application/fhir+json")])
        return [orjson.dumps(found or {"resourceType": "OperationOutcome"})]

    def _with_websocket(self, answer: bytes) -> bytes:
        raw = orjson.loads(answer)
        rest = raw["rest"][0]
        rest.pop("documentation")
        if self.websocket:
            rest["extension"] = [{"url": EXTENSION, "valueUri": self.websocket}]
        return orjson.dumps(raw)


def _written(method: str, path: str, body: bytes) -> list[str]:
    if method in ("PUT", "DELETE"):
        return [path.partition("/")[0]]
    if method != "POST" or path:
        return []
    entries = [entry["request"] for entry in orjson.loads(body).get("entry", ())]
    return [str(r["url"]).partition("/")[0].partition("?")[0] for r in entries if r["method"] != "GET"]


class Bell:
    """The websocket end. manner: 'well', 'mute', 'closes', 'refuses', 'for ever', 'chatters'."""

    def __init__(self, app: RecordApp, manner: str = "well") -> None:
        self.manner = manner
        self.binds = 0
        self.bound = threading.Event()
        self._held: dict[str, list[ServerConnection]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server: Server = serve(self._speak, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.port = self._server.socket.getsockname()[1]
        self.app = RingingApp(app, f"ws://127.0.0.1:{self.port}/websocket")
        self.app.on_write = self.ring

    def _speak(self, connection: ServerConnection) -> None:
        try:
            id_ = str(connection.recv()).removeprefix("bind ")
            self.binds += 1
            if self.manner == "refuses" or id_ not in self.app.subscriptions:
                connection.close(1002, "no such subscription")
                return
            connection.send(f"bound {id_}")
            with self._lock:
                self._held.setdefault(id_, []).append(connection)
            self.bound.set()
            if self.manner == "closes":
                connection.close(1001)
            while self.manner == "for ever" and not self._ended.wait(0.002):
                connection.send(f"ping {id_}")
            if self.manner == "chatters":
                connection.send("x" * 9000)
            connection.recv()
        except ConnectionClosed:
            return

    def ring(self, type_: str) -> None:
        """Ping everybody whose Subscription asks for this type."""
        if self.manner == "mute":
            return
        with self._lock:
            held = [
                (id_, c)
                for id_, cs in self._held.items()
                for c in cs
                if self.app.subscriptions.get(id_, {}).get("criteria", "").startswith(f"{type_}?")
            ]
        for id_, connection in held:
            try:
                connection.send(f"ping {id_}")
            except ConnectionClosed:
                continue

    def hang_up(self) -> None:
        """Close every socket, as a record that is started again does."""
        with self._lock:
            held, self._held = [c for cs in self._held.values() for c in cs], {}
        for connection in held:
            connection.close(1001)

    def stop(self) -> None:
        self._ended.set()
        self.hang_up()
        self._server.shutdown()
        self._thread.join(timeout=60)


class FakeSocket:
    """The far edge: says what the test puts in."""

    def __init__(self) -> None:
        self._said: queue.Queue[bool | None] = queue.Queue()
        self.is_cut = False

    def ping(self) -> None:
        self._said.put(True)

    def quiet(self) -> None:
        self._said.put(False)

    def cut(self) -> None:
        self._said.put(None)

    def heard(self, seconds: float) -> bool:
        try:
            said = self._said.get(timeout=seconds)
        except queue.Empty:
            return False
        if said is None:
            raise AnswerLost(L("cut"))
        return said

    def hang_up(self) -> None:
        self.is_cut = True
        self.cut()


class Switchboard:
    """Hands out fake sockets by Subscription. trouble: raised instead of a bind."""

    def __init__(self) -> None:
        self.sockets: dict[str, FakeSocket] = {}
        self.opened: list[str] = []
        self.trouble: Exception | None = None

    def open(self, client: RecordClient, url: str, id_: str) -> FakeSocket:
        self.opened.append(id_)
        if self.trouble is not None:
            raise self.trouble
        held = self.sockets.get(id_)
        if held is None or held.is_cut:
            held = self.sockets[id_] = FakeSocket()
        if id_.startswith("ws-probe-"):
            held.ping()
        return held

    def ping(self, type_: str) -> None:
        next(held for id_, held in self.sockets.items() if id_.endswith(f"-{type_}")).ping()
