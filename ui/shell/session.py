"""Where a person stood, kept among that person's drafts: encrypted, and it survives a kill."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Final

_log = logging.getLogger(__name__)
SESSION: Final = "shell.session"
"""Key of the draft that holds it."""


@dataclass(frozen=True, slots=True)
class Stood:
    """place: 'module:…' or 'page:…'. recent: patients, newest first. views: view → what it carries over."""

    place: str = ""
    patient: str = ""
    recent: tuple[str, ...] = ()
    views: dict[str, dict[str, str]] = field(default_factory=dict)

    def written(self) -> str:
        """As text for the draft."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read(text: str) -> Stood:
    """What was written; an empty one when that does not read."""
    if not text:
        return Stood()
    try:
        raw = json.loads(text)
        views = {
            str(key): {str(k): str(v) for k, v in dict(state).items()} for key, state in raw["views"].items()
        }
        return Stood(str(raw["place"]), str(raw["patient"]), tuple(str(ref) for ref in raw["recent"]), views)
    except (ValueError, TypeError, AttributeError, KeyError):
        _log.warning("the last session does not read; starting afresh")
        return Stood()
