"""Asks many things in one batch, and in halves where the record takes no request of that size (413)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from clinician.fhir.bundles import Response, slices
from clinician.record.answer import Answer
from clinician.record.client import TooLarge

T = TypeVar("T")
TOO_LARGE: Final = Response(413, "", "", "", b"", b"")


def in_halves(parts: Sequence[T], ask: Callable[[Sequence[T]], Answer]) -> list[Response | None]:
    """One response for each part, in their order; None where the record answered fewer than it was asked.

    A part that is too large even alone has a response of its own, 413. Raises what a batch raises else.
    """
    try:
        found: list[Response | None] = [*slices(ask(parts).body).responses[: len(parts)]]
    except TooLarge:
        if len(parts) == 1:
            return [TOO_LARGE]
        half = len(parts) // 2
        return in_halves(parts[:half], ask) + in_halves(parts[half:], ask)
    return found + [None] * (len(parts) - len(found))
