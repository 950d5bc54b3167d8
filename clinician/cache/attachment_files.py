"""Where the content of attachments lies: small ones in the database, large ones as sealed files beside it.

The row is the truth. A file is written under a name of its own, flushed, renamed and the folder flushed
before any row names it; a file that no row names is swept. A name is a keyed hash (HMAC) of the content's
SHA-256, so that whoever sees the folder cannot ask it whether a document known to him is there.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import BinaryIO, Final

from clinician import texts
from clinician.cache import sealed
from clinician.cache.driver import room
from clinician.cache.kinds import Kind
from clinician.durable import make_folder, sync_folder
from clinician.errors import UserProblem

L = texts.lazy("cache")
INLINE: Final = 64 * 1024
"""Bytes up to which content lies in its row."""
_STEP: Final = 1024 * 1024
_NEW: Final = "new-"
_PART: Final = "part-"


@dataclass(frozen=True, slots=True)
class Taken:
    """Content that lies here. content: the whole of a small one; else the sealed file `name` under `key`.

    sha1: base64, as FHIR R4 wants it in Attachment.hash; sha256: hex.
    """

    size: int
    sha256: str
    sha1: str
    content_type: str = ""
    content: bytes | None = None
    name: str = ""
    key: bytes = b""


class Intake:
    """Takes content piece by piece: measures and hashes it, seals it once it is too large for a row."""

    def __init__(self, path: Path, key: bytes, limit: int) -> None:
        self.path = path
        self.size = 0
        self._key, self._limit = key, limit
        self._sha256, self._sha1 = sha256(), sha1(usedforsecurity=False)
        self._small = bytearray()
        self._out: BinaryIO | None = None
        self._sealer: sealed.Sealer | None = None

    def resume(self) -> int:
        """Go on with what an earlier try left behind; how many bytes of content are here already."""
        with suppress(FileNotFoundError, sealed.Unsealable):
            with self.path.open("rb") as source:
                header, chunks = sealed.resume(source, self._key, self._note)
            if chunks:
                self._out = self.path.open("r+b")
                self._out.truncate(sealed.place_of(chunks))
                self._out.seek(0, os.SEEK_END)
                self._sealer = sealed.Sealer(self._out.write, self._key, resumed=(header, chunks))
        return self.size

    def feed(self, content: bytes) -> None:
        """Take some. Raises UserProblem beyond the limit, OSError when the disk is full."""
        self._note(content)
        if self.size > self._limit:
            raise too_large(self._limit)
        if self._sealer is not None:
            self._sealer.feed(content)
            return
        self._small += content
        if len(self._small) > INLINE:
            make_folder(self.path.parent)
            self._out = open_new(self.path)
            self._sealer = sealed.Sealer(self._out.write, self._key)
            self._sealer.feed(bytes(self._small))
            self._small.clear()

    def _note(self, content: bytes) -> None:
        self.size += len(content)
        self._sha256.update(content)
        self._sha1.update(content)

    def finish(self) -> Taken:
        """All is here; a large one is on the disk when this returns, under its first name."""
        digest, old = self._sha256.hexdigest(), b64encode(self._sha1.digest()).decode("ascii")
        if self._sealer is None or self._out is None:
            return Taken(self.size, digest, old, content=bytes(self._small))
        self._sealer.finish()
        self._out.flush()
        os.fsync(self._out.fileno())
        self.leave()
        return Taken(self.size, digest, old, name=self.path.name, key=self._key)

    def restart(self) -> None:
        """Begin anew: what came before counts for nothing."""
        self.drop()
        self.size = 0
        self._sha256, self._sha1 = sha256(), sha1(usedforsecurity=False)
        self._small.clear()

    def leave(self) -> None:
        """Close; what is written stays for `resume`."""
        if self._out is not None:
            self._out.close()
            self._out = self._sealer = None

    def drop(self) -> None:
        """Close and forget what is written."""
        self.leave()
        self.path.unlink(missing_ok=True)


class AttachmentFiles:
    """The folder of sealed files. Any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._held: set[str] = set()

    # taking in

    def stage(self, pieces: Iterable[bytes], *, limit: int, name_key: bytes) -> Taken:
        """Take a new document in, before any act names it; `release` it when its act is written or not.

        limit: bytes. Raises UserProblem (too large, empty, a kind not taken) or DiskFull; then nothing is
        left.
        """
        first = f"{_NEW}{secrets.token_hex(16)}"
        with self._lock:
            self._held.add(first)
        intake = Intake(self.folder / first, sealed.new_key(), limit)
        try:
            with room():
                return self._stage(intake, pieces, name_key)
        except BaseException:
            intake.drop()
            raise
        finally:
            self.release(first)

    def _stage(self, intake: Intake, pieces: Iterable[bytes], name_key: bytes) -> Taken:
        kind = Kind()
        for piece in pieces:
            kind.feed(piece)
            intake.feed(piece)
        content_type = kind.finish()
        taken = intake.finish()
        return self.settle(taken, name_key, content_type)

    def settle(self, taken: Taken, name_key: bytes, content_type: str) -> Taken:
        """Give a whole file its lasting name, on the disk when this returns; held until `release`."""
        if not taken.name:
            return Taken(taken.size, taken.sha256, taken.sha1, content_type, taken.content)
        name = name_of(name_key, taken.sha256, taken.key)
        with self._lock:
            self._held.add(name)
        os.replace(self.folder / taken.name, self.folder / name)  # noqa: PTH105  so that a test can stand in
        sync_folder(self.folder)
        return Taken(taken.size, taken.sha256, taken.sha1, content_type, None, name, taken.key)

    def part(self, ref: str, key: bytes, *, limit: int, name_key: bytes) -> Intake:
        """Where the download of a Binary goes, now or after an interruption."""
        return Intake(self.folder / part_name(name_key, ref), key, limit)

    def release(self, name: str) -> None:
        """A row names it now, or nothing ever will."""
        with self._lock:
            self._held.discard(name)

    # reading

    def pieces(self, name: str, key: bytes) -> Iterator[bytes]:
        """The content of a file. Raises Unsealable, also where it is gone."""
        try:
            source = (self.folder / name).open("rb")
        except FileNotFoundError:
            raise sealed.Unsealable("the file is gone") from None
        with source:
            yield from sealed.unseal(source, key)

    # sweeping

    def sweep(self, named: Callable[[], Collection[str]]) -> int:
        """Remove files that no row names and nobody is making; how many went.

        named: reads the names in the rows. It is asked last: a file whose row was written meanwhile, and
        which is then let go of, must not be taken for a stray one.
        """
        with self._lock:
            held = frozenset(self._held)
        found = list(self.folder.iterdir()) if self.folder.exists() else []
        kept = held | set(named()) if found else held
        stray = [path for path in found if path.name not in kept]
        for path in stray:
            with suppress(OSError):  # still open somewhere (Windows): the next sweep takes it
                path.unlink(missing_ok=True)
        return len(stray)


def open_new(path: Path) -> BinaryIO:
    """A fresh file, readable by this user only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def name_of(name_key: bytes, digest: str, key: bytes) -> str:
    """The lasting name of content; it says nothing to whoever has not the database."""
    return hmac.new(name_key, f"{digest} ".encode() + key, sha256).hexdigest()


def part_name(name_key: bytes, ref: str) -> str:
    """The name while it is being fetched."""
    return _PART + hmac.new(name_key, ref.encode(), sha256).hexdigest()


def read_file(path: Path) -> Iterator[bytes]:
    """A file of the person's, piece by piece. Raises UserProblem when it cannot be read."""
    try:
        with path.open("rb") as source:
            while piece := source.read(_STEP):
                yield piece
    except OSError as problem:
        raise UserProblem(
            L(
                "This file cannot be read; nothing was added. See that it is still there and not held by "
                "another program."
            ),
            field="file",
            detail=type(problem).__name__,
        ) from problem


def too_large(limit: int) -> UserProblem:
    """Over the limit of this workplace."""
    return UserProblem(
        L(
            "This file is too large: at most {limit} MB can be added. Nothing was added. Make it smaller, or "
            "divide it.",
            limit=limit // (1024 * 1024),
        ),
        field="file",
    )
