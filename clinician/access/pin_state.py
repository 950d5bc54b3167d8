"""What a person meets who wants to sign in at a PC."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

CODE_DIGITS: Final = 6
"""Of the code a superuser hands over"""


class PinState(StrEnum):
    """Of one person at one PC."""

    HAS = "has"
    FIRST = "first"
    """None yet, and they may choose one at once."""
    CODE = "code"
    """None yet; a code from a superuser is needed."""
