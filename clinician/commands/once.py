"""A double click acts once: the same command instance run again gives what it gave."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from clinician.commands.act import Command, Done

_KEPT: Final = 256


class Once:
    """Remembers the last commands by instance (not by content: doing the same again is a new act)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[Command, Future[Done]]] = OrderedDict()

    def run(self, command: Command, act: Callable[[], Done]) -> Done:
        """Run `act` unless this instance has run or is running; then wait for that."""
        key = id(command)
        with self._lock:
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = (command, Future())
                is_first = True
            else:
                is_first = False
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        if is_first:
            self._settle(key, held[1], act)
        return held[1].result()

    def _settle(self, key: int, future: Future[Done], act: Callable[[], Done]) -> None:
        try:
            future.set_result(act())
        except BaseException as problem:  # noqa: BLE001  # handed to whoever waits; it may be tried again
            with self._lock:
                self._held.pop(key, None)
            future.set_exception(problem)

    def forget(self, done: Done) -> None:
        """A group was taken back; the same command may be run anew."""
        with self._lock:
            gone = [
                key
                for key, (_, future) in self._held.items()
                if future.done() and future.exception() is None and future.result().group == done.group
            ]
            for key in gone:
                del self._held[key]
