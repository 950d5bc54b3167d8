"""How the record tells of changes: by websocket where it has one, else by its long-poll, else not at all."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

from clinician.events import Push
from clinician.record.client import RecordClient
from clinician.record.profile import ServerProfile
from clinician.record.websocket import Open, open_bound
from clinician.sync.announced import ALL
from clinician.sync.plan import Plan
from clinician.sync.push import Hint
from clinician.sync.sockets import PUSHED, Listener, Sockets, subscription

_NONE: Final[frozenset[str]] = frozenset()
_ALL: Final = frozenset({ALL})


class Listening:
    """Listens in its own threads between `start` and `stop`. client: for them alone; None: do not listen."""

    def __init__(
        self,
        client: RecordClient | None,
        plan: Plan,
        on_news: Callable[[str], None],
        now: Callable[[], float],
        rng: random.Random,
        open_socket: Open = open_bound,
    ) -> None:
        self._client, self._plan, self._on_news = client, plan, on_news
        self._now, self._rng, self.open_socket = now, rng, open_socket
        self.hint = Hint(client, lambda: on_news(ALL), now) if client is not None else None
        self._sockets: Sockets | None = None
        self._url = ""
        self._is_running = False
        self._lock = threading.RLock()

    def start(self) -> None:
        """Listen until `stop`."""
        if self.hint is not None:
            self.hint.start()
        with self._lock:
            self._is_running = True
            self._open_sockets()

    def stop(self) -> None:
        """Hang up. Safe to call twice."""
        with self._lock:
            self._is_running = False
            self._close_sockets()
        if self.hint is not None:
            self.hint.stop()

    def follow(self, profile: ServerProfile) -> bool:
        """Listen as this record allows; True when that is another way than before."""
        url = profile.websocket_url if self._client is not None else ""
        if self.hint is not None:
            self.hint.path = "" if url else profile.change_hint
        with self._lock:
            is_new = url != self._url
            if is_new:
                self._close_sockets()
                self._url = url
            if self._is_running:
                self._open_sockets()
        return is_new

    def hurry(self) -> None:
        """The record is back after it was away: bind again now."""
        if self._sockets is not None:
            self._sockets.hurry()

    def _open_sockets(self) -> None:
        if self._url and self._sockets is None and self._client is not None:
            client = self._client
            self._sockets = Sockets(
                Listener(
                    client,
                    subscription(self._plan.workplace_ref, type_),
                    self._on_news,
                    self._now,
                    rng=self._rng,
                    open_socket=self.open_socket,
                )
                for type_ in PUSHED
                if type_ in self._plan.types
            )
            self._sockets.start(self._url)

    def _close_sockets(self) -> None:
        if self._sockets is not None:
            self._sockets.stop()
            self._sockets = None

    @property
    def covered(self) -> frozenset[str]:
        """Types whose changes should be announced now; ALL where every change is."""
        if self._sockets is not None:
            return self._sockets.bound
        return _ALL if self.hint is not None and self.hint.is_alive and self.hint.path else _NONE

    def state(self, *, is_sick: bool) -> Push:
        """What to say of it."""
        is_offered = bool(self._url) or (self.hint is not None and bool(self.hint.path))
        if not is_offered:
            return Push.NONE
        if is_sick:
            return Push.SICK
        is_whole = self._sockets.is_whole if self._sockets is not None else bool(self.covered)
        return Push.LIVE if is_whole else Push.AWAY
