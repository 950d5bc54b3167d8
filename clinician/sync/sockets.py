"""The record's pings: one Subscription and one bound websocket for each type that cannot wait (SYNC §1.6)."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from clinician.errors import ClinicianError
from clinician.fhir.reference import is_id
from clinician.record.answer import broken_answer
from clinician.record.client import RecordClient
from clinician.record.retry import Breaker
from clinician.record.websocket import Open, PushSocket, open_bound

_log = logging.getLogger(__name__)
PUSHED: Final = ("Task", "MedicationRequest", "MedicationAdministration", "Appointment", "EpisodeOfCare")
QUIET: Final = 20.0
"""Seconds without a word after which the other end must show that it is there."""
BREATH: Final = 0.05
"""Seconds between two pings that are listened to: a flood waits in the socket, where it costs nothing."""
REFUSED: Final = 600.0
"""Seconds before a record that does not take the Subscription is asked once more."""
_PATIENCE: Final = 2.0
_SPACE: Final = uuid.UUID("5f0b52b9-6b53-4a0e-8a7e-0a5a1f2b6c11")


def subscription(workplace_ref: str, type_: str) -> dict[str, Any]:
    """The Subscription all PCs of a workplace share. Its id says whose it is, so no PC makes a second one."""
    workplace = workplace_ref.partition("/")[2]
    id_ = f"ws-{workplace}-{type_}"
    if not is_id(id_):
        id_ = f"ws-{uuid.uuid5(_SPACE, workplace)}-{type_}"
    criteria = f"{type_}?organization={workplace_ref}" if type_ == "EpisodeOfCare" else f"{type_}?"
    return {
        "resourceType": "Subscription",
        "id": id_,
        "status": "requested",
        "reason": "Clinician workstations ask for what changed",
        "criteria": criteria,
        "channel": {"type": "websocket"},
    }


class Listener:
    """Keeps one Subscription bound, in a thread of its own. Trouble is waited out, never raised."""

    def __init__(
        self,
        client: RecordClient,
        wanted: dict[str, Any],
        on_ping: Callable[[str], None],
        now: Callable[[], float],
        *,
        rng: random.Random,
        open_socket: Open = open_bound,
    ) -> None:
        self.type = str(wanted["criteria"]).partition("?")[0]
        self.url = ""
        self.is_bound = False
        self._client, self._wanted, self._on_ping, self._now = client, wanted, on_ping, now
        self._open = open_socket
        self._socket: PushSocket | None = None
        self._breaker = Breaker(rng)
        self._nudged = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sync-{self.type}", daemon=True)

    def start(self, url: str) -> None:
        """Listen at this websocket until `stop`."""
        self.url = url
        self._thread.start()

    def stop(self) -> None:
        """Hang up. `join` waits for the thread."""
        self._stopped.set()
        self._nudged.set()
        held = self._socket
        if held is not None:
            held.hang_up()

    def join(self, seconds: float) -> None:
        """Wait for the thread to have ended, so long at most: it holds nothing that must be kept."""
        self._thread.join(timeout=seconds)

    def hurry(self) -> None:
        """The record is back: no pause stands."""
        self._breaker.worked()
        self._nudged.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.listen()
            self._nudged.wait(self._breaker.remaining(self._now()))
            self._nudged.clear()

    def listen(self) -> None:
        """Bind, and hear pings until the socket is gone."""
        try:
            self._demand_subscription()
            self._socket = held = self._open(self._client, self.url, self._wanted["id"])
        except (ClinicianError, RuntimeError) as trouble:
            self._failed(trouble)
            return
        try:
            self._hear(held)
        except ClinicianError as trouble:
            self._failed(trouble)
        finally:
            self.is_bound, self._socket = False, None
            held.hang_up()

    def _hear(self, held: PushSocket) -> None:
        """What happened before the bind was not announced to us: being bound is news."""
        self.is_bound = True
        self._on_ping(self.type)
        while not self._stopped.is_set():
            if held.heard(QUIET):
                self._on_ping(self.type)
                self._stopped.wait(BREATH)
            self._breaker.worked()

    def _demand_subscription(self) -> None:
        """See to it that the Subscription is there and asks for what we want; another PC may have made it."""
        ref = f"Subscription/{self._wanted['id']}"
        found = self._client.read(ref)
        if found.status == 200 and self._is_as_wanted(found.raw()):
            return
        answer = self._client.put(ref, orjson.dumps(self._wanted))
        if not answer.is_ok:
            refused = REFUSED if 400 <= answer.status < 500 else None
            self._breaker.failed(self._now(), answer.retry_after or refused)
            raise broken_answer(f"Subscription: {answer.status}")

    def _is_as_wanted(self, found: dict[str, Any]) -> bool:
        """A server may add elements of its own; status 'error' or 'off' means it has given up on it."""
        channel = found.get("channel")
        return (
            found.get("status") in ("active", "requested")
            and found.get("criteria") == self._wanted["criteria"]
            and isinstance(channel, dict)
            and channel.get("type") == "websocket"
        )

    def _failed(self, trouble: Exception) -> None:
        _log.debug("no pings of %s: %s", self.type, type(trouble).__name__)
        if self._breaker.may_try(self._now()):
            self._breaker.failed(self._now())


class Sockets:
    """A listener for each type of the plan that cannot wait."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = tuple(listeners)

    def start(self, url: str) -> None:
        """Listen until `stop`."""
        for listener in self._listeners:
            listener.start(url)

    def stop(self) -> None:
        """Hang up all of them, then wait for their threads."""
        for listener in self._listeners:
            listener.stop()
        until = time.monotonic() + _PATIENCE
        for listener in self._listeners:
            listener.join(max(0.0, until - time.monotonic()))

    def hurry(self) -> None:
        """The record is back."""
        for listener in self._listeners:
            listener.hurry()

    @property
    def bound(self) -> frozenset[str]:
        """Types whose changes are announced now."""
        return frozenset(listener.type for listener in self._listeners if listener.is_bound)

    @property
    def is_whole(self) -> bool:
        """Every one of them is bound."""
        return all(listener.is_bound for listener in self._listeners)
