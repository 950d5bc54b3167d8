"""Small files that are there whole or not at all, also after a power cut.

SQLite keeps its own promises; these are for what lies beside it: the key, the mark, settings, layouts.
A rename is on the disk only when its folder has been flushed (POSIX promises no more), so it is.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What an OSError says when the disk, or this person's share of it, is full."""
_UNKNOWN_TO_FOLDERS: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF})
"""Some file systems (network, FAT) cannot flush a folder and say so; a true write fault says otherwise."""


def write_whole(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file; after any crash it holds the old content or the new. On the disk when this returns.

    mode: by default readable by this user only (the umask takes its share). Raises OSError; then the old
    content stands.
    """
    make_folder(file.parent)
    fresh = file.with_name(f"{file.name}.new")
    try:
        _write(fresh, content, mode)
        os.replace(fresh, file)  # noqa: PTH105  the call itself, so that a test can stand in for the disk
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def _write(file: Path, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    handle = os.open(file, flags, mode)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, on the disk when this returns. One that is there costs nothing."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_folder(made.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder. Windows has no such call: NTFS keeps its names in a journal."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in _UNKNOWN_TO_FOLDERS:
            raise
    finally:
        os.close(handle)
