"""Puts the record on a port, with waitress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from waitress import wasyncore
from waitress.server import create_server

from clinician.embedded.request import MAX_BODY
from clinician.embedded.server import RecordApp

_log: Final = logging.getLogger(__name__)
THREADS: Final = 16
_WAITERS: Final = 10


class Server:
    """A record being served. port: the one it listens on, also when 0 was asked for. patience: seconds that
    `stop` gives a request under way."""

    def __init__(
        self, app: RecordApp, host: str, port: int, *, threads: int = THREADS, patience: float = 5.0
    ) -> None:
        self.app = app
        self._patience = patience
        app.store.max_waiters = max(1, min(_WAITERS, threads - 6))
        self._inner = create_server(
            app,
            host=host,
            port=port,
            threads=threads,
            ident="clinician",
            channel_timeout=180,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=MAX_BODY * 4,
        )
        self.host = host
        self.port = int(self._inner.effective_port)
        self._thread = threading.Thread(target=self._inner.run, name="record-server", daemon=True)

    def start(self) -> Server:
        """Answer requests on a thread of its own."""
        self.app.store.admit_waiters()
        self._thread.start()
        return self

    def run(self) -> None:
        """Answer requests on this thread until interrupted."""
        self._inner.run()

    def stop(self) -> None:
        """Let those who wait go, then hang up. The record's file stays open. Safe to call twice."""
        self.app.store.release_waiters()
        self._on_its_thread(self._close_door)
        self._inner.task_dispatcher.shutdown(timeout=self._patience)
        self._on_its_thread(self._hang_up)
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        if not self._inner.task_dispatcher.threads:
            self._inner.trigger.close()

    def _on_its_thread(self, work: Callable[[], None]) -> None:
        """Closing a socket under select() would end the server's thread with an error."""
        if self._thread.is_alive():
            self._inner.trigger.pull_trigger(work)
        else:
            work()

    def _close_door(self) -> None:
        wasyncore.dispatcher.close(self._inner)

    def _hang_up(self) -> None:
        """Everything but the trigger's pipe: a request that outlasts the stop writes to it at its end."""
        self._inner.trigger.del_channel()
        wasyncore.close_all(self._inner._map)


def serve(app: RecordApp, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve `app` in the background. port 0 takes a free one; see Server.port."""
    return Server(app, host, port).start()


def serve_forever(host: str, port: int, data: Path) -> None:
    """`clinician record serve`: the record in folder `data`, until interrupted."""
    app = RecordApp(data / "record.sqlite")
    try:
        server = Server(app, host, port)
        _log.info("the record listens on port %s", server.port)
        server.run()
    finally:
        app.close()
