"""What can begin before the engine is imported. Called by the window while the start page is shown."""

from __future__ import annotations

from pathlib import Path

from clinician.cache.keys import stretch_ahead
from clinician.practice.secret import PRACTICE_SECRET


def begin(folder: Path) -> None:
    """Stretch the key of a data folder in a thread of the cache; the interpreter lock is free meanwhile."""
    stretch_ahead(folder, PRACTICE_SECRET)
