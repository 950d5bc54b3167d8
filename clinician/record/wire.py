"""The wire between a client and its record, as something that can be slow or cut.

Scripts, benchmarks and tests swap it in; nothing of ours is patched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx

from clinician.record.in_process import InProcess


class Wire(httpx.BaseTransport):
    """Passes requests on, after `delay_s` seconds, or refuses the connection while `is_cut`."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self._closed = threading.Event()
        self.delay_s = 0.0
        self.is_cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.delay_s:
            self._closed.wait(self.delay_s)
        if self.is_cut:
            raise httpx.ConnectError("the wire is cut", request=request)
        return self.inner.handle_request(request)

    def close(self) -> None:
        self._closed.set()
        self.inner.close()


def wire_to(app: Callable[..., Any]) -> Wire:
    """A wire to a WSGI record in this process."""
    return Wire(InProcess(app))
