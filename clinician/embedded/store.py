"""The record's file: one writer at a time, readers on snapshots, and waiting for news.

with store.writing() as writing: writing.put(…)      one transaction, all or nothing
with store.reading() as connection: …                one consistent snapshot
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from clinician import texts
from clinician.clock import Clock, SystemClock
from clinician.embedded import body as bodies
from clinician.embedded import schema
from clinician.embedded.indexing import Indexer
from clinician.embedded.seal import Seal
from clinician.embedded.writing import Writing
from clinician.errors import CacheDamaged, DiskFull
from clinician.fhir.reference import Raw

L = texts.lazy("embedded")
_READERS_KEPT: Final = 8


class Store:
    """A record in `path`; None makes one in a folder of its own that vanishes with close().

    durable: an answered write survives a power cut (synchronous=FULL). Records without a path never are.
    """

    def __init__(self, path: Path | None, *, clock: Clock | None = None, durable: bool = True) -> None:
        self.clock: Clock = clock or SystemClock()
        self._own_folder = Path(tempfile.mkdtemp(prefix="record-")) if path is None else None
        self.path = path if path is not None else self._own_folder_path() / "record.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._durable = durable and path is not None
        self._write_lock = threading.Lock()
        self._news = threading.Condition()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._stamping = threading.Lock()
        self._stamp_in_progress: int | None = None
        self._waiters = 0
        self.max_waiters = 4
        self._leaving = False
        self._open = True
        self._writer = self._opened()
        self.indexer = Indexer()
        self.epoch = self._settle_epoch()
        self._seq = self.position()[0]
        self.seal = Seal(self._writer.execute("SELECT secret FROM seal").fetchone()[0])
        if self._writer.execute("SELECT index_version FROM state").fetchone()[0] != schema.INDEX_VERSION:
            self.reindex()

    def _own_folder_path(self) -> Path:
        assert self._own_folder is not None
        return self._own_folder

    def _opened(self) -> sqlite3.Connection:
        """The writing connection. A file that is no record is left as it is and explained."""
        connection = None
        try:
            connection = schema.connect(self.path, durable=self._durable)
            schema.create(connection, str(uuid.uuid4()))
        except sqlite3.DatabaseError as fault:
            if connection is not None:
                connection.close()
            if getattr(fault, "sqlite_errorcode", None) in schema.NO_ROOM:
                raise DiskFull(
                    L(
                        "The disk of this PC is full, so the central record on it cannot be opened. Nothing "
                        "is lost. Make room on the disk and start again."
                    ),
                    detail=f"record: {fault.sqlite_errorname}",
                ) from fault
            raise CacheDamaged(
                L(
                    "The central record on this PC cannot be opened. The file is kept just as it is. "
                    "Check that no other program holds it and that it may be written, or put back a copy."
                ),
                detail=f"record: {fault.sqlite_errorname if hasattr(fault, 'sqlite_errorname') else fault}",
            ) from fault
        return connection

    # ---------------------------------------------------------------- reading
    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A snapshot: nothing written meanwhile is seen."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.execute("ROLLBACK")
            self._give_back(connection)

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            return schema.connect(self.path, durable=self._durable, read_only=True)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if not self._open or self._readers.qsize() >= _READERS_KEPT:
            connection.close()
        else:
            self._readers.put(connection)

    def as_of(self) -> int:
        """The time (ms) a snapshot opened next is complete to: nothing stamped before it can come later."""
        with self._stamping:
            return self._now() if self._stamp_in_progress is None else self._stamp_in_progress

    @property
    def seq(self) -> int:
        """The newest seq this process has committed or found at the start."""
        return self._seq

    def position(self) -> tuple[int, int]:
        """(seq, updated in ms) of the newest committed write."""
        with self.reading() as connection:
            seq, updated = connection.execute("SELECT seq, updated FROM state").fetchone()
            return int(seq), int(updated)

    # ---------------------------------------------------------------- writing
    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        """The write transaction: committed when the block ends, rolled back when it raises."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                with self._stamping:
                    now = self._stamp_in_progress = self._now()
                writing = Writing(self._writer, self.indexer, now, bodies.read_json)
                yield writing
                writing.finish()
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._stamp_in_progress = None
        if writing.seq != writing.first_seq:
            with self._news:
                self._seq = writing.seq
                self._news.notify_all()

    def _now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def load(self, resources: Iterable[Raw], *, when: datetime | None = None, batch: int = 5000) -> int:
        """Write many resources that are known to be good; returns how many were written.

        Each has resourceType and id; nothing is checked. Decimal values keep their digits. Commits every
        `batch`. when: the stamp to give them, by default now; it never goes behind what is written already.
        """
        count = 0
        source = iter(resources)
        while True:
            with self.writing() as writing:
                writing.hold_index()
                if when is not None:
                    writing.stamp_from(int(when.timestamp() * 1000))
                done = self._load_batch(writing, source, batch)
            count += done
            if done < batch:
                return count

    def _load_batch(self, writing: Writing, source: Iterator[Raw], batch: int) -> int:
        done = 0
        for raw in source:
            tail = bodies.tail_of_raw(raw)
            writing.put(raw["resourceType"], raw["id"], tail, bodies.plain(tail))
            done += 1
            if done == batch:
                break
        return done

    def reindex(self) -> int:
        """Throw away every index row and make them anew; returns how many resources were read."""
        with self.writing() as writing:
            return writing.reindex_all()

    def limit_pages(self, pages: int) -> int:
        """Let the file grow to at most `pages` pages, never below what it has; returns the limit before.

        A municipality's administrator may cap a record on a shared disk; tests fill one this way.
        """
        with self._write_lock:
            before = int(self._writer.execute("PRAGMA max_page_count").fetchone()[0])
            now = int(self._writer.execute("PRAGMA page_count").fetchone()[0])
            self._writer.execute(f"PRAGMA max_page_count={max(now, pages)}")
            return before

    def set_patience(self, milliseconds: int) -> None:
        """How long a write waits for another program that holds the file."""
        with self._write_lock:
            self._writer.execute(f"PRAGMA busy_timeout={int(milliseconds)}")

    # ---------------------------------------------------------------- news
    @property
    def waiting(self) -> int:
        """How many requests wait for news just now."""
        return self._waiters

    def wait_beyond(self, seq: int, seconds: float) -> bool | None:
        """Wait until something after `seq` is committed: False when time ran out.

        None, at once, when nothing newer is there and as many wait already as may.
        """
        with self._news:
            if self._waiters >= self.max_waiters:
                return True if self._seq > seq else None
            self._waiters += 1
            try:
                return self._news.wait_for(lambda: self._leaving or self._seq > seq, timeout=seconds)
            finally:
                self._waiters -= 1

    def seq_before(self, updated: int | None) -> int:
        """The last seq stamped at or before a time (ms); the newest one for None."""
        if updated is None:
            return self._seq
        with self.reading() as connection:
            found = connection.execute("SELECT min(seq) FROM tick WHERE updated>?", (updated,)).fetchone()[0]
        return self._seq if found is None else int(found) - 1

    def admit_waiters(self) -> None:
        """Let requests wait (again); called when a server starts."""
        with self._news:
            self._leaving = False

    def release_waiters(self) -> None:
        """Answer everybody who waits, now; used when the server stops."""
        with self._news:
            self._leaving = True
            self._news.notify_all()

    # ---------------------------------------------------------------- epoch and end
    def _settle_epoch(self) -> str:
        """A new epoch when the file is older than the note beside it, that is, restored from a copy."""
        note = self.path.with_suffix(".seen")
        epoch, seq = self._writer.execute("SELECT epoch, seq FROM state").fetchone()
        with contextlib.suppress(OSError, ValueError):
            seen_epoch, _, seen_seq = note.read_text("ascii").partition(" ")
            if seen_epoch == epoch and int(seen_seq) > seq:
                epoch = str(uuid.uuid4())
                self._writer.execute("UPDATE state SET epoch=?", (epoch,))
        return str(epoch)

    def close(self) -> None:
        """Let waiters go, close every connection. Safe to call twice."""
        self.release_waiters()
        with self._write_lock:
            if not self._open:
                return
            self._open = False
            with contextlib.suppress(OSError):
                self.path.with_suffix(".seen").write_text(f"{self.epoch} {self._seq}", "ascii")
            while not self._readers.empty():
                self._readers.get_nowait().close()
            self._writer.close()
        if self._own_folder is not None:
            shutil.rmtree(self._own_folder, ignore_errors=True)
