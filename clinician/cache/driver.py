"""The only door to SQLCipher: opening connections, and what its errors mean.

Everything else in this room speaks SQLAlchemy Core, or DB-API on a connection made here where a
profile showed the need (bulk rows down, hot reads up).
"""

from __future__ import annotations

import errno
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from clinician import texts
from clinician.durable import NO_ROOM, write_whole
from clinician.errors import Bug, CacheDamaged, ClinicianError, DiskFull, WrongKey

L = texts.lazy("cache")

KEY_BYTES: Final = 32
CACHE_KIB: Final = 64 * 1024
READER_CACHE_KIB: Final = 32 * 1024
PAGE_BYTES: Final = 8192
"""8 KiB pages: a fifth smaller file and faster bulk inserts for bodies of about 1 kB (measured)."""

_FULL: Final = 13
_IO_ERROR: Final = 10
_CORRUPT: Final = 11
_NOT_A_DATABASE: Final = 26
"""The driver does not give the extended codes, so a write that failed and a read that failed look alike."""


def connect(file: Path, key: bytes, *, cache_kib: int, read_only: bool = False) -> Any:
    """A DB-API connection with the key set. Raises what the driver raises when the key does not open it."""
    if len(key) != KEY_BYTES:
        raise ValueError("a cache key has 32 bytes")
    mode = "ro" if read_only else "rwc"
    connection = dbapi2.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
        timeout=10.0,
    )
    try:
        _prepare(connection.execute, key, cache_kib)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(run: Any, key: bytes, cache_kib: int) -> None:
    run(f"PRAGMA key=\"x'{key.hex()}'\"")
    run("PRAGMA cipher_log_level=NONE").fetchall()
    run(f"PRAGMA cipher_page_size={PAGE_BYTES}").fetchall()
    run(f"PRAGMA cache_size=-{cache_kib}")
    run("PRAGMA temp_store=MEMORY")


def engine_of(file: Path, key: bytes, *, cache_kib: int, size: int, query_only: bool) -> sa.Engine:
    """An engine whose connections are keyed and hold no transaction of their own accord."""

    def make() -> Any:
        connection = connect(file, key, cache_kib=cache_kib)
        if query_only:
            connection.execute("PRAGMA query_only=ON")
        return connection

    return sa.create_engine(
        "sqlite://", module=dbapi2, creator=make, poolclass=QueuePool, pool_size=size, max_overflow=4
    )


@contextmanager
def translated(knows_key: bool = True) -> Iterator[None]:
    """Turn what SQLCipher says into the error tree. knows_key: this key has opened this file before."""
    try:
        yield
    except sa.exc.DBAPIError as problem:
        if isinstance(problem.orig, dbapi2.Error):
            raise _error_of(problem.orig, knows_key=knows_key) from problem
        raise
    except dbapi2.Error as problem:
        raise _error_of(problem, knows_key=knows_key) from problem


@contextmanager
def room() -> Iterator[None]:
    """The same for files beside the database: a full disk is said in a person's words."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in NO_ROOM:
            raise
        raise disk_full(errno.errorcode[problem.errno]) from problem


def keep_file(file: Path, content: bytes) -> None:
    """Replace a small file of this PC, whole or not at all. Raises DiskFull; then the old content stands."""
    with room():
        write_whole(file, content)


def _error_of(problem: Exception, *, knows_key: bool) -> ClinicianError:
    code = getattr(problem, "sqlite_errorcode", None) or 0
    name = getattr(problem, "sqlite_errorname", None) or type(problem).__name__
    plain = code & 0xFF
    if plain == _FULL:
        return disk_full(name)
    if plain == _IO_ERROR:
        return disk_trouble(name)
    if plain == _NOT_A_DATABASE and not knows_key:
        return wrong_key()
    if plain in (_CORRUPT, _NOT_A_DATABASE):
        return damaged(name)
    return Bug(L("Something went wrong in Clinician. What was saved before is safe."), detail=name)


def disk_full(detail: str) -> DiskFull:
    """The disk takes no more."""
    return DiskFull(
        L(
            "The disk of this PC is full. What you just did was not saved; everything saved before is "
            "safe. Make room on the disk and do it once more."
        ),
        detail=detail,
    )


def disk_trouble(detail: str) -> DiskFull:
    """The disk failed a call: most often a full one (shared memory, a flush), else one that is failing.

    Nothing says that what is stored is damaged: a page that does not read whole is told as such.
    """
    return DiskFull(
        L(
            "The disk of this PC is full or does not work as it should. What you just did was not saved; "
            "everything saved before is kept. Make room on the disk and do it once more. If it happens "
            "again, ask your superuser."
        ),
        detail=detail,
    )


def wrong_key() -> WrongKey:
    """The key does not open the file."""
    return WrongKey(
        L(
            "The key on this PC does not open its stored data. The file is untouched and nothing is "
            "deleted. Sign in with your usual secret, or ask your superuser to bring back the key."
        ),
        detail="key does not open the cache",
    )


def damaged(detail: str) -> CacheDamaged:
    """The file does not read whole."""
    return CacheDamaged(
        L(
            "The stored data on this PC are damaged. The file is kept as it is. What the central record "
            "has confirmed is safe there; ask your superuser to rescue what was not yet sent."
        ),
        detail=detail,
    )


def key_mark(key: bytes) -> bytes:
    """A value that tells whether a key is the right one and nothing else about it."""
    return hmac.new(key, b"clinician cache", sha256).hexdigest()[:32].encode("ascii")
