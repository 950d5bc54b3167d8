"""A proxy that stands between a workstation and a record and does to exchanges what networks do.

    proxy = FaultProxy(record_port)
    proxy.plan("commit and drop", "html 502")     what becomes of the next two exchanges
    proxy.cut("out")                              from now on: requests arrive, answers do not
    proxy.cut("")                                 healed; whoever still waited is cut off

One thread a connection. Nothing is patched: programs are given the proxy's address.
"""

from __future__ import annotations

import functools
import http.client
import socket
import struct
import threading
import zlib
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.ports import free_port

FAULTS: Final = (
    "drop",
    "commit and drop",
    "truncate",
    "duplicate",
    "reorder",
    "html 502",
    "429",
    "reset",
    "slow",
    "half-open",
    "bomb",
    "401",
)
CUTS: Final = ("", "in", "out", "both")
"""in: requests do not arrive. out: answers do not arrive. both: nobody listens."""
BOMB_BYTES: Final = 128 * 1024 * 1024
_OUTCOME: Final = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"expired"}]}'
_FHIR: Final = "application/fhir+json"
_HELD_BACK: Final = frozenset({"transfer-encoding", "connection", "keep-alive", "content-length"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it goes on."""

    status: int
    headers: dict[str, str]
    body: bytes


class FaultProxy:
    """Listens on `port` and passes on to `target` on this machine, until closed. wants: which requests a planned
    fault may meet; the others pass untouched (all by default)."""

    def __init__(self, target: int, wants: Callable[[Exchange], bool] = lambda _: True) -> None:
        self.target = target
        self.wants = wants
        self.tally: Counter[str] = Counter()
        self._plan: deque[str] = deque()
        self._late: list[Exchange] = []
        self._lock = threading.Lock()
        self._way = ""
        self._healed = threading.Event()
        self._open: set[socket.socket] = set()
        self._server: _Listener | None = _Listener(self, free_port())  # the same one after a cut
        self.port = int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plan(self, *faults: str) -> None:
        """What becomes of the next exchanges, one fault each."""
        assert set(faults) <= set(FAULTS), faults
        if "bomb" in faults:
            bomb()  # made before somebody waits for it
        with self._lock:
            self._plan.extend(faults)

    @property
    def planned(self) -> int:
        """Faults that have met no exchange yet."""
        return len(self._plan)

    def calm(self) -> None:
        """Nothing more goes wrong; what was under way arrives."""
        with self._lock:
            self._plan.clear()
        self.cut("")
        self._deliver_late()

    def cut(self, way: str) -> None:
        """Part the two, or heal. Whoever waits at that moment is cut off."""
        assert way in CUTS, way
        self._way = way
        if way:
            self.tally[f"cut {way}"] += 1
        self._healed.set()
        self._healed = threading.Event()
        if way == "both":
            self._shut()
        elif self._server is None:
            self._server = _Listener(self, self.port)

    def close(self) -> None:
        """End; everybody is cut off."""
        self._healed.set()
        self._shut()

    def _shut(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        with self._lock:
            waiting = list(self._open)
        for held in waiting:
            hang_up(held)

    # one exchange -------------------------------------------------------------------------

    def fault_for(self, asked: Exchange) -> str:
        with self._lock:
            if not self._plan or not self.wants(asked):
                return ""
            fault = self._plan.popleft()
        self.tally[fault] += 1
        return fault

    def pass_on(self, asked: Exchange) -> Reply:
        """To the record and back. Raises OSError or HTTPException when the record does not answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        try:
            link.request(asked.method, asked.path, body=asked.body or None, headers=asked.headers)
            answer = link.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())
        finally:
            link.close()

    def keep_for_later(self, asked: Exchange) -> None:
        with self._lock:
            self._late.append(asked)

    def _deliver_late(self) -> None:
        with self._lock:
            late, self._late = self._late, []
        for asked in late:
            with suppress(OSError, http.client.HTTPException):
                self.pass_on(asked)

    def after_one(self) -> None:
        """Something got through: what was overtaken arrives now."""
        self._deliver_late()

    def hold(self, seconds: float = 60.0) -> None:
        """Until healed, cut anew or closed."""
        self._healed.wait(seconds)

    @property
    def way(self) -> str:
        return self._way

    def opened(self, held: socket.socket, is_open: bool) -> None:
        with self._lock:
            (self._open.add if is_open else self._open.discard)(held)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), name="fault-proxy", daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.proxy.opened(self.connection, True)

    def finish(self) -> None:
        self.server.proxy.opened(self.connection, False)
        with suppress(OSError):
            super().finish()

    def log_message(self, *args: object) -> None:
        """Says nothing: paths may name people."""

    def _handle(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HELD_BACK}
        asked = Exchange(self.command, self.path, headers, body)
        proxy = self.server.proxy
        try:
            if proxy.way:
                self._cut_off(asked)
            else:
                self._exchange(proxy.fault_for(asked), asked)
        except (OSError, http.client.HTTPException):
            self._gone()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle

    def _cut_off(self, asked: Exchange) -> None:
        proxy = self.server.proxy
        if proxy.way == "out":
            proxy.pass_on(asked)
        proxy.hold()
        self._gone()

    def _exchange(self, fault: str, asked: Exchange) -> None:
        proxy = self.server.proxy
        match fault:
            case "drop":
                self._gone()
            case "reorder":
                proxy.keep_for_later(asked)
                self._gone()
            case "half-open":
                proxy.hold()
                self._gone()
            case "html 502":
                self._send(
                    Reply(502, {"content-type": "text/html"}, b"<html><body>Bad Gateway</body></html>")
                )
            case "429":
                self._send(Reply(429, {"content-type": _FHIR, "retry-after": "1"}, b"{}"))
            case "401":
                self._send(Reply(401, {"content-type": _FHIR, "www-authenticate": "Bearer"}, _OUTCOME))
            case "bomb":
                self._send(Reply(200, {"content-type": _FHIR, "content-encoding": "gzip"}, bomb()))
            case _:
                self._answer(fault, asked)

    def _answer(self, fault: str, asked: Exchange) -> None:
        proxy = self.server.proxy
        if fault == "duplicate":
            proxy.pass_on(asked)
        reply = proxy.pass_on(asked)
        proxy.after_one()
        if proxy.way:  # parted while the record worked
            proxy.hold()
            self._gone()
        elif fault == "commit and drop":
            self._gone()
        elif fault in ("truncate", "reset"):
            self._send(reply, len(reply.body) // 2)
            self._gone(quietly=fault == "truncate")
        elif fault == "slow":
            self._drip(reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply, until: int | None = None) -> None:
        self._head(reply)
        self.wfile.write(reply.body[:until])
        self.wfile.flush()

    def _head(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name not in _HELD_BACK:
                self.send_header(name, value)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _drip(self, reply: Reply) -> None:
        """A byte now and then, so that no single read ever times out."""
        self._head(reply)
        for place in range(len(reply.body)):
            self.wfile.write(reply.body[place : place + 1])
            self.wfile.flush()
            self.server.proxy.hold(0.02)
        self.server.proxy.tally["dripped to the end"] += 1

    def _gone(self, *, quietly: bool = False) -> None:
        """Close: with a reset, or as if that had been all."""
        self.close_connection = True
        if quietly:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        else:
            hang_up(self.connection)


def hang_up(held: socket.socket) -> None:
    """Close with a reset (RST), as a router that forgot the connection."""
    with suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        held.close()


@functools.cache
def bomb() -> bytes:
    """A gzip stream of BOMB_BYTES spaces, a thousandth of that long."""
    packer = zlib.compressobj(9, wbits=31)
    step = b" " * (4 * 1024 * 1024)
    packed = [packer.compress(step) for _ in range(BOMB_BYTES // len(step))]
    return b"".join([*packed, packer.flush()])
