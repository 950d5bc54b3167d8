"""Logs what Python itself does below a folder: files written whole, renamed, folders made and flushed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.crash.disk import FOLDER, Disk


class OsCalls:
    """Stands between the program and `os`; everything is still done."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self._disk = disk
        self._root = root
        self._files: dict[int, int] = {}
        self._folders: dict[int, str] = {}
        self._paths: dict[int, Path] = {}
        self._logged: dict[int, int] = {}
        self._usual = {name: getattr(os, name) for name in _NAMES}
        self.is_full = False
        """No byte more fits."""

    def _is_ours(self, path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).is_relative_to(self._root)

    def open(self, path: Any, flags: int, *rest: Any, **more: Any) -> int:
        handle: int = self._usual["open"](path, flags, *rest, **more)
        self._files.pop(handle, None)  # a buffered file closes its handle past us
        self._folders.pop(handle, None)
        if Path(path).is_dir():
            self._folders[handle] = str(path)
        elif self._is_ours(path) and flags & (os.O_WRONLY | os.O_RDWR):
            self._files[handle] = self._disk.inode(str(path))
            self._paths[handle], self._logged[handle] = Path(path), 0
            if flags & os.O_TRUNC:
                self._disk.cut(self._files[handle], 0)
        return handle

    def write(self, handle: int, body: Any) -> int:
        if self.is_full and handle in self._files:
            raise OSError(errno.ENOSPC, "no room")
        at = os.lseek(handle, 0, os.SEEK_CUR) if handle in self._files else 0
        done: int = self._usual["write"](handle, body)
        if handle in self._files:
            self._disk.write(self._files[handle], at, bytes(body)[:done])
            self._logged[handle] = at + done
        return done

    def fsync(self, handle: int) -> None:
        """Logged and not done, as in the VFS."""
        if handle in self._files:
            self._catch_up(handle)
            self._disk.sync(self._files[handle])
        elif handle in self._folders:
            self._disk.sync_names(self._folders[handle])

    def _catch_up(self, handle: int) -> None:
        """What a buffered file wrote past us (its C code calls no `os.write`)."""
        logged, path = self._logged.get(handle, 0), self._paths[handle]
        body = path.read_bytes()
        if len(body) > logged:
            self._disk.write(self._files[handle], logged, body[logged:])
            self._logged[handle] = len(body)

    def close(self, handle: int) -> None:
        self._files.pop(handle, None)
        self._folders.pop(handle, None)
        self._usual["close"](handle)

    def replace(self, old: Any, new: Any, **more: Any) -> None:
        self._usual["replace"](old, new, **more)
        if self._is_ours(new):
            self._disk.name({str(old): None, str(new): self._disk.inode(str(old))})

    def unlink(self, path: Any, **more: Any) -> None:
        self._usual["unlink"](path, **more)
        if self._is_ours(path) and str(path) in self._disk.names:
            self._disk.name({str(path): None})

    def mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        self._usual["mkdir"](path, *rest, **more)
        if self._is_ours(path):
            self._disk.name({str(path): FOLDER})

    @contextmanager
    def logged(self) -> Iterator[OsCalls]:
        """Until the block ends."""
        with mock.patch.multiple(os, **{name: getattr(self, name) for name in _NAMES}):
            yield self


_NAMES = ("open", "write", "fsync", "close", "replace", "unlink", "mkdir")
