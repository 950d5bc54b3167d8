"""How a job tells of itself and is told to stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """As clinician.modulekit.context.Progress; kept here so that a job needs no context."""

    @property
    def stopped(self) -> bool: ...
    def step(self, done: int, total: int, words: str = "") -> None: ...


class NoProgress:
    """Never stopped, says nothing: for tests and the command line."""

    @property
    def stopped(self) -> bool:
        return False

    def step(self, done: int, total: int, words: str = "") -> None:
        """Nobody listens."""
