"""Engine events as Qt signals on the GUI thread, at most one refresh per throttle interval.

The first change after a pause is handed on at once, so a person's own act is seen without delay;
what follows within the interval is gathered into one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from clinician.events import CacheChanged, Events, SignedIn, SignedOut, SyncStatus

THROTTLE_MS: Final = 120


class Bridge(QObject):
    """Lives on the GUI thread; `close` ends every subscription."""

    cache_changed = Signal(object)
    """CacheChanged: the union of what was published since the last time."""
    sync_status = Signal(object)
    """SyncStatus: the latest."""
    signed_in = Signal(object)
    signed_out = Signal(object)

    _arrived = Signal(object)

    def __init__(self, events: Events, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._refs: set[str] = set()
        self._types: set[str] = set()
        self._origins: set[str] = set()
        self._status: SyncStatus | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(THROTTLE_MS)
        self._timer.timeout.connect(self._hand_on)
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)
        kinds: tuple[type[object], ...] = (CacheChanged, SyncStatus, SignedIn, SignedOut)
        self._ends: list[Callable[[], None]] = [events.subscribe(kind, self._arrived.emit) for kind in kinds]

    def close(self) -> None:
        """Hear no more."""
        while self._ends:
            self._ends.pop()()
        self._timer.stop()

    @Slot(object)
    def _on_arrived(self, event: object) -> None:
        match event:
            case CacheChanged(refs=refs, types=types, origin=origin):
                self._refs |= refs
                self._types |= types
                self._origins.add(origin)
            case SyncStatus():
                self._status = event
            case SignedIn():
                self.signed_in.emit(event)
                return
            case _:
                self.signed_out.emit(event)
                return
        if self._ends and not self._timer.isActive():
            self._hand_on()

    def _hand_on(self) -> None:
        if not self._types and self._status is None:
            return
        self._timer.start()
        if self._types:
            # An echo is only an echo when nothing else came with it.
            origin = self._origins.pop() if len(self._origins) == 1 else ""
            change = CacheChanged(frozenset(self._refs), frozenset(self._types), origin)
            self._refs, self._types, self._origins = set(), set(), set()
            self.cache_changed.emit(change)
        if self._status is not None:
            status, self._status = self._status, None
            self.sync_status.emit(status)
