"""A websocket of the `websockets` library, used from threads: it needs no asyncio."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from typing import Any, Final

import truststore
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from clinician.record.client import AnswerLost, NotSent, RecordClient
from clinician.texts import lazy

L = lazy("record")
_CONNECT: Final = 10.0
_BIND: Final = 10.0
_PONG: Final = 10.0
_LARGEST: Final = 4096
"""Bytes of a message. A ping is some seventy; what is larger is no ping, and the socket is given up."""


def opened(client: RecordClient, url: str, subscription_id: str) -> BoundSocket:
    """See `websocket.open_bound`."""
    logging.getLogger("websockets").setLevel(logging.WARNING)
    held = contextlib.ExitStack()
    try:
        connection = held.enter_context(
            connect(
                url,
                ssl=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("wss:") else None,
                additional_headers=dict(client.authorization),
                user_agent_header="clinician",
                compression=None,
                open_timeout=_CONNECT,
                ping_interval=None,  # `heard` asks by itself: no further thread that does nothing else
                close_timeout=1.0,
                max_size=_LARGEST,
            )
        )
    except (OSError, WebSocketException) as fault:
        raise NotSent(_silent(), detail=type(fault).__name__) from fault
    bound = BoundSocket(connection, held)
    try:
        bound.bind(subscription_id)
    except AnswerLost:
        bound.hang_up()
        raise
    return bound


class BoundSocket:
    """One connection; see `websocket.PushSocket`. held: closes it. pong: seconds until it counts as dead."""

    def __init__(
        self, connection: ClientConnection, held: contextlib.ExitStack, *, pong: float = _PONG
    ) -> None:
        self._connection, self._held = connection, held
        self._pong = pong

    def bind(self, subscription_id: str) -> None:
        """Say which Subscription; anything but 'bound' is a refusal (HAPI FHIR closes the socket)."""
        try:
            self._connection.send(f"bind {subscription_id}")
            answer = self._connection.recv(timeout=_BIND)
        except (WebSocketException, OSError) as fault:
            raise AnswerLost(_silent(), detail=f"bind: {type(fault).__name__}") from fault
        if not str(answer).startswith("bound"):
            raise AnswerLost(_silent(), detail="bind: refused")

    def heard(self, seconds: float) -> bool:
        """Wait for a ping; silence for so long makes us ask whether the other end is there."""
        try:
            said = self._connection.recv(timeout=seconds)
        except TimeoutError:
            self._demand_pong()
            return False
        except (ConnectionClosed, OSError) as fault:
            raise AnswerLost(_silent(), detail=type(fault).__name__) from fault
        return isinstance(said, str) and said.startswith("ping")

    def _demand_pong(self) -> None:
        """A socket whose other end is gone looks like one where nothing happens: ask below the messages."""
        try:
            answered = self._connection.ping(ack_on_close=True)
        except (ConnectionClosed, OSError) as fault:
            raise AnswerLost(_silent(), detail=type(fault).__name__) from fault
        if not answered.wait(self._pong):
            raise AnswerLost(_silent(), detail="half open")

    def hang_up(self) -> None:
        """Cut it at once."""
        with contextlib.suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, WebSocketException):
            self._held.close()


def _silent() -> Any:
    return L("The central record does not tell of changes at the moment. They are asked for instead.")
