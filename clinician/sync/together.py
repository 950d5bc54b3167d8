"""Deeds side by side: what a record does when several people come at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from clinician.record.answer import Answer
from clinician.record.probe import Deed


def side_by_side(deeds: Sequence[Deed]) -> list[Answer]:
    """Each in a thread of its own; answers in the order of the deeds. The first trouble is raised."""
    with ThreadPoolExecutor(max(1, len(deeds)), thread_name_prefix="sync-probe") as pool:
        return [future.result() for future in [pool.submit(deed) for deed in deeds]]
