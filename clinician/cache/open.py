"""Opening the cache. A file that does not open is kept and explained, never made anew."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from clinician.cache import declared, driver
from clinician.cache.attachment_files import AttachmentFiles
from clinician.cache.body import Press, shipped_dictionary
from clinician.cache.lock import CacheLock
from clinician.cache.migrations import migrate, version_of
from clinician.cache.overlays import OverlayColumns
from clinician.cache.reading import Reading
from clinician.cache.snapshot import Snapshot
from clinician.cache.writer import Writer
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.durable import make_folder
from clinician.errors import CacheDamaged, DiskFull
from clinician.events import Events

FILE: Final = "cache.db"
MARK: Final = "cache.mark"
READERS: Final = 3
_INDEX: Final = "index_version"
_log: Final = logging.getLogger(__name__)


class Cache:
    """The open cache: snapshots for any thread, one writer. Close it when done."""

    def __init__(
        self,
        folder: Path,
        key: bytes,
        lock: CacheLock,
        press_of: dict[int, bytes],
        clock: Clock,
        events: Events,
    ) -> None:
        self.folder = folder
        self._lock = lock
        self.files = AttachmentFiles(folder / "files")
        self._dictionaries = press_of
        self._columns = OverlayColumns()
        file = folder / FILE
        self._readers = driver.engine_of(
            file, key, cache_kib=driver.READER_CACHE_KIB, size=READERS, query_only=True
        )
        self._writers = driver.engine_of(file, key, cache_kib=driver.CACHE_KIB, size=1, query_only=False)
        self.writer = Writer(self._writers, Press(press_of), self._columns, clock, events, self._gather)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A snapshot of this moment, for the calling thread, until the block ends."""
        with driver.translated(), self._readers.connect() as connection:
            press = self._press_of(connection)
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT 1 FROM schema_version").close()
            try:
                yield Snapshot(connection, press, self._columns)
            finally:
                connection.rollback()

    def _press_of(self, connection: sa.Connection) -> Press:
        """Each connection has its own press, for presses are not shared between threads."""
        held = connection.info.get("press")
        if not isinstance(held, Press):
            held = connection.info["press"] = Press(self._dictionaries)
        return held

    def maintain(self) -> None:
        """When idle: statistics for the planner, and a short log file. The first sync does so by itself."""
        self._gather().result()
        with driver.translated(), self._readers.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()

    def _gather(self) -> Future[None]:
        """Gather statistics; readers connect anew to see them."""
        done = self.writer.submit(_analyze)
        done.add_done_callback(lambda _: self._readers.dispose())
        return done

    def close(self) -> None:
        """Finish what is queued, fold the log into the file, let go of the lock."""
        self.writer.close()
        try:
            with driver.translated(), self._writers.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        except DiskFull as problem:  # the log stays beside the file, whole, and is read at the next start
            _log.warning("the log could not be folded into the file: %s", problem.detail)
        finally:
            self._readers.dispose()
            self._writers.dispose()
            self._lock.release()


def _analyze(writing: Writing) -> None:
    writing.analyze()


def open_cache(folder: Path, key: bytes, *, clock: Clock, events: Events) -> Cache:
    """Open the cache of a folder, made if there is none yet.

    key: 32 random bytes (`keys.open_key`). Raises CacheInUse, WrongKey, CacheDamaged, DiskFull or
    CacheTooNew; in each case the file is as it was.
    """
    with driver.room():
        make_folder(folder)
        lock = CacheLock(folder)
    try:
        with driver.translated():
            dictionaries = _prepare(folder, key, clock)
        cache = Cache(folder, key, lock, dictionaries, clock, events)
    except BaseException:
        lock.release()
        raise
    try:
        if cache.writer.run(_needs_index):
            cache.writer.run(_make_index)
    except BaseException:
        cache.close()
        raise
    return cache


def _needs_index(writing: Writing) -> bool:
    return writing.keep.get(_INDEX) != declared.INDEX_VERSION


def _make_index(writing: Writing) -> None:
    writing.rebuild_index()
    writing.keep.set(_INDEX, declared.INDEX_VERSION)


def _prepare(folder: Path, key: bytes, clock: Clock) -> dict[int, bytes]:
    """Prove the key, bring the schema up to date, read the dictionaries."""
    file, mark = folder / FILE, folder / MARK
    knows_key = _check_key(mark, key)
    if mark.exists() and not (file.exists() and file.stat().st_size):
        raise driver.damaged("the file is gone or empty")
    with (
        driver.translated(knows_key=knows_key),
        closing(driver.connect(file, key, cache_kib=driver.CACHE_KIB)) as connection,
    ):
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        migrate(connection, clock.now())
        connection.execute("INSERT OR IGNORE INTO dictionary VALUES (?, ?)", shipped_dictionary())
        found = dict(connection.execute("SELECT number, body FROM dictionary"))
    if not knows_key:
        driver.keep_file(mark, driver.key_mark(key))
    return found


def _check_key(mark: Path, key: bytes) -> bool:
    """True: this key has opened this cache. False: nothing is known. WrongKey: another key has."""
    held = mark.read_bytes() if mark.exists() else b""
    if not held:  # none yet, or one whose writing an older Clinician did not survive
        return False
    if not hmac.compare_digest(held, driver.key_mark(key)):
        raise driver.wrong_key()
    return True


def integrity_problems(folder: Path, key: bytes) -> tuple[str, ...]:
    """What SQLCipher and SQLite find wrong with a closed cache; () when whole. For the doctor."""
    lock = CacheLock(folder)
    try:
        with (
            driver.translated(),
            closing(driver.connect(folder / FILE, key, cache_kib=driver.CACHE_KIB)) as connection,
        ):
            return _problems(connection)
    except CacheDamaged as problem:
        return (problem.detail,)
    finally:
        lock.release()


def _problems(connection: Any) -> tuple[str, ...]:
    if not version_of(connection):
        return ("no schema",)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # else page 1 is reported falsely
    sealed = [str(row[0]) for row in connection.execute("PRAGMA cipher_integrity_check")]
    whole = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return tuple(line for line in [*sealed, *whole] if line != "ok")
