"""A query kept fresh for one widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from clinician.modulekit.context import Ending

EVERY_MS: Final = 30_000
"""'Now' and 'late' move with the clock, not with the record"""


class Live(QObject):
    """Watches through `start` from first call of `again`, asks anew each half minute, ends with its owner."""

    def __init__(self, owner: QWidget, start: Callable[[], Ending], *, every_ms: int = EVERY_MS) -> None:
        super().__init__(owner)
        self._start = start
        self._held: list[Ending] = []
        self._is_old = False
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._tick)
        # The list outlives this object: a slot of a dying object is never called.
        owner.destroyed.connect(partial(_end_all, self._held))

    def again(self) -> None:
        """Ask anew now, with what `start` reads at this moment; old content stays until the answer."""
        self.end()
        self._is_old = False
        self._held.append(self._start())
        self._timer.start()

    def _tick(self) -> None:
        owner = self.parent()
        self._is_old = True
        if isinstance(owner, QWidget) and owner.isVisible():
            self.again()

    @property
    def is_fresh(self) -> bool:
        """Whether what is shown, or on its way, was asked for less than the interval ago."""
        return bool(self._held) and not self._is_old

    def end(self) -> None:
        """Stop watching."""
        _end_all(self._held)


def _end_all(held: list[Ending], *_destroyed: object) -> None:
    while held:
        held.pop().end()
