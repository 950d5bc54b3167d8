"""What this PC has written and the record has not yet confirmed, lying over the synced rows.

An overlay in force hides the synced row and any older overlay of the same resource. One that is not
in force is kept as a proposal: the record's version is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from clinician.cache.body import Press
from clinician.cache.indexer import Columns, columns_of
from clinician.cache.packing import Packed
from clinician.cache.reading import Raw

_KEPT: Final = 4096


class Overlay(NamedTuple):
    """The newest overlay in force of one resource."""

    number: int
    type: int
    id: Packed
    op_id: str
    body: bytes


class OverlayColumns:
    """Columns by overlay number. An overlay never changes, so every snapshot may share them."""

    def __init__(self) -> None:
        self._held: dict[int, Columns] = {}
        self._lock = threading.Lock()

    def of(self, overlay: Overlay, press: Press) -> Columns:
        """The columns of an overlay."""
        found = self._held.get(overlay.number)
        if found is None:
            found = columns_of(press.read(overlay.body))
            with self._lock:
                if len(self._held) >= _KEPT:
                    self._held.clear()
                self._held[overlay.number] = found
        return found

    def forget(self) -> None:
        """Drop everything; after a rollback a number may be given out again."""
        with self._lock:
            self._held.clear()


class Overlays:
    """The overlays in force as one snapshot sees them."""

    def __init__(self, connection: Any, press: Press, columns: OverlayColumns) -> None:
        self.press = press
        self._columns = columns
        self._by_type: dict[int, dict[Packed, Overlay]] = {}
        rows = connection.execute(
            "SELECT number, type, id, op_id, body FROM overlay WHERE in_force ORDER BY number"
        )
        for row in rows:
            overlay = Overlay(*row)
            self._by_type.setdefault(overlay.type, {})[overlay.id] = overlay

    def get(self, type_: int, id_: Packed) -> Overlay | None:
        """The overlay of one resource, if there is one."""
        return self._by_type.get(type_, {}).get(id_)

    def of_type(self, type_: int) -> Mapping[Packed, Overlay]:
        """All of one type by packed id."""
        return self._by_type.get(type_, {})

    def by_type(self) -> Mapping[int, Mapping[Packed, Overlay]]:
        """All, by number of the type and packed id."""
        return self._by_type

    def columns(self, overlay: Overlay) -> Columns:
        """What it can be asked for by."""
        return self._columns.of(overlay, self.press)

    def raw(self, overlay: Overlay) -> Raw:
        """Its resource, a fresh copy."""
        return self.press.read(overlay.body)
