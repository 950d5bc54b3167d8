"""The record as a WSGI application."""

from __future__ import annotations

from pathlib import Path

from clinician.clock import Clock
from clinician.embedded.store import Store


class RecordApp:
    """A FHIR R4 record. path: its database file; None makes one that vanishes with close()."""

    def __init__(self, path: Path | None, *, clock: Clock | None = None, durable: bool = True) -> None:
        self.store = Store(path, clock=clock, durable=durable)

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self.store.close()
