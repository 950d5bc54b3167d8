"""A SQLite VFS over the usual one, in ctypes: it logs every write and sync, and can run out of disk.

The library bundled with sqlcipher3 exports SQLite's own functions. While `FaultVfs` is installed it is
the default VFS, so the program opens its files through it unchanged. Only writes, cuts, syncs, opens
and deletes go through Python; shared memory, locks and reads are the usual VFS's own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import _sqlite3

from tests.crash.disk import Disk

OK, FULL = 0, 13
IO_WRITE, IO_FSYNC = 10 | 3 << 8, 10 | 4 << 8
_CREATE: Final = 0x4
_JOURNALS: Final = 0x00000800 | 0x00004000 | 0x00080000
"""MAIN_JOURNAL, SUPER_JOURNAL, WAL: on Unix the first sync of a new one flushes its folder too
(os_unix.c, UNIXFILE_DIRSYNC)."""

_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Cut = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
# names are passed on as the pointers they are: SQLite reads a file's URI parameters before and after them


class _Methods(Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("rest", c_void_p * 13),
    )


class _File(Structure):
    """sqlite3_file."""

    _fields_ = (("methods", POINTER(_Methods)),)


class _Vfs(Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = (
        ("version", c_int),
        ("file_bytes", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        ("rest", c_void_p * 15),
    )


_ALIVE: Final = list["FaultVfs"]()
"""A connection that is closed late (by the garbage collector) still calls into its VFS; they are small."""

_sqlite = ctypes.CDLL(_sqlite3.__file__)
_sqlite.sqlite3_vfs_find.restype = POINTER(_Vfs)
_sqlite.sqlite3_vfs_find.argtypes = [c_char_p]
_sqlite.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
_sqlite.sqlite3_vfs_unregister.argtypes = [c_void_p]

Fault = Callable[[str, str], int]
"""(what: write, cut or sync; path) → a SQLite code, OK to go on."""


class FaultVfs:
    """Logs to `disk` what happens under its folder; asks `fault` first."""

    def __init__(self, disk: Disk | None = None, fault: Fault | None = None, *, logs: bool = True) -> None:
        self.disk = disk or Disk()
        self.fault = fault
        self.logs = logs
        self.lies = False
        """Syncs are answered and not done: what PRAGMA synchronous=OFF and some cheap disks do."""
        self._files: dict[int, tuple[str, int]] = {}
        self._new_journals: set[int] = set()
        self._methods: dict[int, _Methods] = {}
        self._addresses: tuple[int, ...] = ()
        self._kept: list[Any] = []
        self._usual = _sqlite.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(self._usual.contents)
        self._vfs.name = b"clinician-fault"
        self._vfs.open = self._hold(_Open(self._open))
        self._vfs.delete = self._hold(_Delete(self._delete))
        self._own = (
            self._hold(_Write(self._write)),
            self._hold(_Cut(self._cut)),
            self._hold(_Sync(self._sync)),
        )
        usual = self._usual.contents
        self._open_usually = _Open(usual.open)
        self._delete_usually = _Delete(usual.delete)

    def _hold(self, function: Any) -> int | None:
        """The address of a callback that must outlive this call."""
        self._kept.append(function)
        return ctypes.cast(function, c_void_p).value

    @contextmanager
    def installed(self) -> Iterator[FaultVfs]:
        """The default VFS of the process until the block ends; every file must be closed by then."""
        _ALIVE.append(self)
        _sqlite.sqlite3_vfs_register(ctypes.addressof(self._vfs), 1)
        try:
            yield self
        finally:
            _sqlite.sqlite3_vfs_register(self._usual, 1)
            _sqlite.sqlite3_vfs_unregister(ctypes.addressof(self._vfs))
            self.logs, self.fault, self.disk = False, None, Disk()

    # files

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        path = "" if name is None else ctypes.string_at(name).decode()
        is_new = bool(path) and bool(flags & _CREATE) and not Path(path).exists()
        code = int(self._open_usually(ctypes.addressof(self._usual.contents), name, file, flags, out))
        if code != OK or not path:
            return code
        self._wrap(file)
        self._files[file] = (path, self.disk.inode(path) if self.logs else 0)
        self._new_journals.discard(file)
        if is_new and flags & _JOURNALS:
            self._new_journals.add(file)
        return code

    def _wrap(self, file: int) -> None:
        held = _File.from_address(file)
        usual = ctypes.addressof(held.methods.contents)
        if usual not in self._methods:
            copy = _Methods.from_buffer_copy(held.methods.contents)
            calls = (copy.write, copy.truncate, copy.sync)
            assert self._addresses in ((), calls), "files that lock and files that do not write alike"
            self._addresses = calls
            self._calls = _Write(copy.write), _Cut(copy.truncate), _Sync(copy.sync)
            copy.write, copy.truncate, copy.sync = self._own
            self._methods[usual] = copy
        held.methods = ctypes.pointer(self._methods[usual])

    def _delete(self, _vfs: int, name: int, sync_folder: int) -> int:
        code = int(self._delete_usually(ctypes.addressof(self._usual.contents), name, sync_folder))
        path = ctypes.string_at(name).decode()
        if code == OK and self.logs and path in self.disk.names:
            self.disk.name({path: None})
            if sync_folder:
                self.disk.sync_names(str(Path(path).parent))
        return code

    # bytes

    def _asked(self, what: str, file: int) -> int:
        return OK if self.fault is None else self.fault(what, self._files[file][0])

    def _write(self, file: int, body: int, size: int, at: int) -> int:
        code = self._asked("write", file) or int(self._calls[0](file, body, size, at))
        if code == OK and self.logs:
            self.disk.write(self._files[file][1], at, ctypes.string_at(body, size))
        return code

    def _cut(self, file: int, size: int) -> int:
        code = self._asked("cut", file) or int(self._calls[1](file, size))
        if code == OK and self.logs:
            self.disk.cut(self._files[file][1], size)
        return code

    def _sync(self, file: int, _flags: int) -> int:
        """Logged and not done: the real disk has no part in this, and the tests need not wait for it."""
        code = self._asked("sync", file)
        if code != OK or not self.logs:
            return code
        if self.lies:
            return OK
        path, inode = self._files[file]
        self.disk.sync(inode)
        if file in self._new_journals:
            self._new_journals.discard(file)
            self.disk.sync_names(str(Path(path).parent))
        return code
