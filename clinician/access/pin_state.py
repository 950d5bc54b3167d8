"""What a person meets who wants to sign in at a PC."""

from __future__ import annotations

from enum import StrEnum


class PinState(StrEnum):
    """Of one person at one PC."""

    HAS = "has"
    FIRST = "first"
    """None yet, and they may choose one at once."""
    CODE = "code"
    """None yet; a code from a superuser is needed."""
