"""Reads FHIR resources out of files: Bundles, NDJSON, single resources, gzip. A bad piece is a Refusal.

Takes what others send: an NDJSON line may also be {"file", "module", "resource": {…}} (HL7's examples as
one file). Nothing is unpacked without a bound.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from clinician import texts
from clinician.embedded import body as bodies
from clinician.texts import Text

L = texts.lazy("embedded")
MAX_FILE: Final = 512 * 1024 * 1024
MAX_RESOURCE: Final = 24 * 1024 * 1024
_STEP: Final = 1024 * 1024
_LINES: Final = frozenset({".ndjson", ".jsonl"})
_WHOLE: Final = frozenset({".json"})
_CONTAINERS: Final = frozenset(
    {"transaction", "batch", "collection", "searchset", "document", "message", "transaction-response"}
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One resource as found. where: file name and place in it. full_url: of its Bundle entry, or ''."""

    where: str
    body: bytes
    full_url: str = ""
    group: int = 0
    """Pieces of one Bundle share a group: urn:uuid links are resolved within it"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not taken, and why. ref: 'Type/id' where known; never personal data."""

    where: str
    reason: Text
    ref: str = ""


class _Request(msgspec.Struct):
    method: str | None = None


class _Entry(msgspec.Struct):
    fullUrl: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"")
    request: _Request | None = None


class _Bundle(msgspec.Struct):
    type: str = "?"
    entry: list[msgspec.Raw] = []


def files_in(paths: Iterable[Path]) -> Iterator[Path | Refusal]:
    """Every file meant by `paths`, folders searched through, in a stable order."""
    for path in paths:
        if path.is_dir():
            yield from (inner for inner in sorted(path.rglob("*")) if inner.is_file() and _kind(inner))
        elif path.is_file():
            yield path
        else:
            yield Refusal(path.name, L("there is no such file"))


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    return last if last in _LINES or last in _WHOLE else ""


def read_file(path: Path) -> Iterator[Piece | Refusal]:
    """The resources of one file, and what could not be read of it."""
    try:
        with _opened(path) as source:
            if _kind(path) in _LINES:
                yield from _lines(path.name, source)
            else:
                yield from _document(path.name, _whole(source))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Refusal(path.name, L("the compressed file is torn: the rest of it cannot be read"))
    except _TooLargeError:
        yield Refusal(path.name, L("the file is larger than {size} MB", size=MAX_FILE // 2**20))
    except OSError as fault:
        yield Refusal(path.name, L("the file cannot be opened ({fault})", fault=fault.strerror or "?"))


class _TooLargeError(Exception):
    """More than MAX_FILE after unpacking."""


def _opened(path: Path) -> BinaryIO:
    source = path.open("rb")
    if source.read(2) == b"\x1f\x8b":
        source.close()
        return cast(BinaryIO, gzip.open(path, "rb"))
    source.seek(0)
    return source


def _whole(source: BinaryIO) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := source.read(_STEP):
        size += len(part)
        if size > MAX_FILE:
            raise _TooLargeError
        parts.append(part)
    return b"".join(parts).removeprefix(b"\xef\xbb\xbf")


def _lines(name: str, source: BinaryIO) -> Iterator[Piece | Refusal]:
    number = 0
    while line := source.readline(MAX_RESOURCE + 1):
        number += 1
        where = f"{name}:{number}"
        if len(line) > MAX_RESOURCE:
            yield _too_large(where)
            while line and not line.endswith(b"\n"):
                line = source.readline(_STEP)
        elif line.strip():
            yield from _document(where, line.removeprefix(b"\xef\xbb\xbf"), group=number)


def _too_large(where: str) -> Refusal:
    return Refusal(
        where, L("larger than {size} MB, which the record does not take", size=MAX_RESOURCE // 2**20)
    )


def _unreadable(where: str, problem: Exception) -> Refusal:
    if isinstance(problem, RecursionError):
        return Refusal(where, L("nested too deeply"))
    return Refusal(where, L("not readable as FHIR JSON: {problem}", problem=str(problem)))


def _document(where: str, body: bytes, group: int = 0) -> Iterator[Piece | Refusal]:
    try:
        found = bodies.slices(body)
        type_ = msgspec.json.decode(found.get("resourceType", msgspec.Raw(b"null")))
        bundle = msgspec.json.decode(body, type=_Bundle) if type_ == "Bundle" else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        yield _unreadable(where, problem)
        return
    if bundle is not None:
        yield from _bundle(where, bundle, group)
    elif type_ is None and "resource" in found:
        yield from _document(where, bytes(found["resource"]), group)
    else:
        yield Piece(where, body, group=group) if len(body) <= MAX_RESOURCE else _too_large(where)


def _bundle(where: str, found: _Bundle, group: int) -> Iterator[Piece | Refusal]:
    taken = False
    for at, raw in enumerate(found.entry if found.type in _CONTAINERS else ()):
        for piece in _entry(f"{where}[{at}]", bytes(raw), group):
            taken = True
            yield piece
    if not taken:
        yield Refusal(where, L("a Bundle of type {type} holds nothing to store", type=found.type[:40]))


def _entry(where: str, raw: bytes, group: int) -> Iterator[Piece | Refusal]:
    try:
        entry = msgspec.json.decode(raw, type=_Entry)
    except (msgspec.DecodeError, RecursionError) as problem:
        yield _unreadable(where, problem)
        return
    if entry.request is not None and entry.request.method == "DELETE":
        yield Refusal(where, L("asks for a deletion, which an import does not do"))
    elif not bytes(entry.resource):
        return
    elif len(bytes(entry.resource)) > MAX_RESOURCE:
        yield _too_large(where)
    else:
        yield Piece(where, bytes(entry.resource), entry.fullUrl or "", group)
