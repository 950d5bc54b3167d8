"""One program per cache: an advisory lock the operating system lets go of when a program dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from clinician import texts
from clinician.errors import CacheInUse

L = texts.lazy("cache")

if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class CacheLock:
    """Held from construction to release(). Raises CacheInUse when another program holds it."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "cache.lock").open("ab+")
        try:
            _take(self._file)
        except OSError as problem:
            self._file.close()
            raise CacheInUse(
                L(
                    "Clinician is already open on this PC with the same data. Nothing is lost. "
                    "Use the window that is open, or close it and start again."
                ),
                detail="cache.lock is held",
            ) from problem
        self._file.seek(1)
        self._file.truncate(1)
        self._file.write(str(os.getpid()).encode("ascii"))
        self._file.flush()

    def release(self) -> None:
        """Let go; releasing twice is harmless."""
        if not self._file.closed:
            self._file.close()
