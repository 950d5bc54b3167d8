"""Thread-safe publish and subscribe between the rooms of the engine.

Subscribers are called in the publishing thread and must return at once; `ui.bridge` turns events
into queued Qt signals.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CacheChanged:
    """Published once per commit. refs: 'Type/id' of every effective row that changed.

    origin: the op_id of the act on this PC that made the change, or '' for what the record sent.
    """

    refs: frozenset[str]
    types: frozenset[str]
    origin: str = ""


class Link(StrEnum):
    """The three states of the status strip."""

    FRESH = "fresh"
    WAITING = "waiting"
    OFFLINE = "offline"


class Push(StrEnum):
    """Whether the record tells of changes by itself."""

    NONE = "none"
    """It has no such thing: it is asked every half minute."""
    LIVE = "live"
    AWAY = "away"
    """It has, but it is not connected now."""
    SICK = "sick"
    """Changes came that were not told of: it is asked every ten seconds."""


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """What is true of sync now. as_of is by the record's clock; counts are acts in the outbox."""

    link: Link
    as_of: datetime | None = None
    offline_since: datetime | None = None
    waiting: int = 0
    conflicts: int = 0
    refused: int = 0
    oldest_waiting: datetime | None = None
    all_sent: bool = False
    working: str = ""
    """What is being fetched now, as a FHIR type name; '' when idle."""
    done: int = 0
    total: int = 0
    restored: bool = False
    """The record went back in time, as after a restore: nothing is sent until a superuser has looked."""
    disk_full: bool = False
    """This PC could not keep what came or what is to be sent; nothing kept before is lost."""
    lease_over: bool = False
    """Without contact for longer than this PC may be read: reading is locked, sending goes on."""
    overdue: bool = False
    """The oldest act has waited more than 15 minutes although the record answers."""
    twin: bool = False
    """Another PC holds a copy of this cache: what it had queued was sent by that one."""
    clock_ahead: timedelta = timedelta(0)
    """The record's clock minus this PC's, in whole tens of seconds, where they differ by more than ten."""
    push: Push = Push.NONE
    arrived: int = 0
    """Acts that were taken back and that the record was found to have after all; told for a week."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person took this workstation."""

    practitioner_ref: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The person left; drafts and outbox stay."""

    practitioner_ref: str


E = TypeVar("E")


class Events:
    """One bus per workstation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[type[object], list[Callable[[object], None]]] = {}

    def subscribe(self, kind: type[E], call: Callable[[E], None]) -> Callable[[], None]:
        """Call `call` for every event of `kind`; the returned function ends it."""

        def relay(event: object) -> None:
            assert isinstance(event, kind)
            call(event)

        with self._lock:
            self._subscribers.setdefault(kind, []).append(relay)

        def end() -> None:
            with self._lock:
                subscribers = self._subscribers.get(kind, [])
                if relay in subscribers:
                    subscribers.remove(relay)

        return end

    def publish(self, event: object) -> None:
        """Hand `event` to its subscribers; one that fails is logged and stops no other."""
        with self._lock:
            subscribers = tuple(self._subscribers.get(type(event), ()))
        for call in subscribers:
            try:
                call(event)
            except Exception:  # noqa: BLE001  a listener's fault must not undo a commit that has happened
                _log.exception("a subscriber of %s failed", type(event).__name__)
