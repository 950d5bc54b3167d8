"""Acts of which the record never said whether it got them, and that a person may take back all the same.

An act that was set aside is doubtful; taken back it is asked after until the record has told what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clinician.cache.keep import Keep
from clinician.cache.tables import moment_text

KEY: Final = "sync.recalled"


def doubtful(keep: Keep) -> dict[str, datetime | None]:
    """op_id → when the record was found to have it; None while that is not known."""
    return parsed(keep.get(KEY))


def parsed(stored: Any) -> dict[str, datetime | None]:
    """What is kept, as read from the table of settings."""
    held: dict[str, str] = json.loads(stored) if stored else {}
    return {op_id: datetime.fromisoformat(when) if when else None for op_id, when in held.items()}


def note_doubtful(keep: Keep, op_id: str) -> None:
    """The fate of this act is not known; in the transaction that sends it again or takes it back."""
    set_doubtful(keep, doubtful(keep) | {op_id: None})


def set_doubtful(keep: Keep, found: Mapping[str, datetime | None]) -> None:
    """Keep what is known of each; those left out are settled."""
    keep.set(KEY, json.dumps({op_id: moment_text(when) if when else "" for op_id, when in found.items()}))
