"""Ways to a hazard record: as a transport, as a client without HTTP, and over a port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import httpx
from waitress import wasyncore
from waitress.server import create_server

from clinician.record.answer import Answer, answer_from
from clinician.record.client import RecordClient
from tests.hazards.record import BASE, HazardRecord


class Straight(httpx.BaseTransport):
    """The shortest way to a hazard record: no WSGI in between. before: called ahead of every exchange."""

    def __init__(self, record: HazardRecord, before: Callable[[httpx.Request], None] | None = None) -> None:
        self._record = record
        self._before = before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._before is not None:
            self._before(request)
        headers = {key.lower(): value for key, value in request.headers.items()}
        url = request.url
        reply = self._record.answer(request.method, url.path, url.query.decode(), headers, request.read())
        return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.body))


class StraightClient(RecordClient):
    """The client without HTTP: what it asks goes to the record as a call. For thousands of runs."""

    def __init__(self, record: HazardRecord, before: Callable[[Any], None]) -> None:
        super().__init__(BASE, transport=httpx.MockTransport(lambda request: httpx.Response(500)))
        self._record, self._before = record, before

    def request(self, method: str, path: str, **given: Any) -> Answer:
        self._before(None)
        self.requests += 1
        headers = {key.lower(): value for key, value in (given.get("headers") or {}).items()}
        address, _, query = path.partition("?")
        headers.setdefault("cache-control", "no-cache")
        reply = self._record.answer(method, address, query, headers, given.get("content") or b"")
        return answer_from(reply.status, reply.headers, reply.body)


@contextmanager
def serve(record: HazardRecord) -> Any:
    """On a free port of loopback, by waitress; yields the address."""
    server = create_server(record, host="127.0.0.1", port=0, threads=12)
    record.searches.base = f"http://127.0.0.1:{server.effective_port}"
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield record.searches.base
    finally:
        _stop(server, thread)


def _stop(server: Any, thread: threading.Thread) -> None:
    """On the server's own thread: closing a socket under select() ends it with an error."""
    server.trigger.pull_trigger(lambda: wasyncore.dispatcher.close(server))
    server.task_dispatcher.shutdown(timeout=60)

    def hang_up() -> None:
        server.trigger.del_channel()
        wasyncore.close_all(server._map)

    server.trigger.pull_trigger(hang_up)
    thread.join(timeout=60)
    server.trigger.close()
