"""Binary as raw content (R4 §2.35): in and out as it is, in parts, so that 50 MB need no 50 MB of memory.

The content lies in `binary_part`; the resource's stored body tells its size and SHA-256 in an extension of
`data`. A reader who asks for FHIR JSON gets `data` in base64 instead. Inside a Bundle and in history the
extension is all there is. A Binary that came as JSON lies in its body, as every resource does.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from typing import IO, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import http_date

from clinician.embedded import body as bodies
from clinician.embedded import interactions
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.request import JSON_TYPES, Reply, Request
from clinician.embedded.store import Store
from clinician.embedded.writing import current
from clinician.fhir.reference import is_id
from clinician.fhir.times import parse_instant

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one content; somewhat more than a workstation lets anybody add."""
_EXT: Final = "https://clinician.example/fhir/StructureDefinition/content-lies-apart"
_PART: Final = 768 * 1024
"""A multiple of three, so that base64 of the parts is the base64 of the whole."""
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_TYPE: Final = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,100}(?:\s*;[\x20-\x7e]{0,100})?", re.ASCII)


def is_raw(request: Request) -> bool:
    """Whether this asks for, or sends, the content itself."""
    if len(request.segments) != 2 or request.segments[0] != "Binary":
        return False
    if request.method == "PUT":
        return bool(request.mimetype) and request.mimetype not in JSON_TYPES
    return request.method in ("GET", "HEAD") and not request.wants_json


def answer(store: Store, request: Request) -> Reply:
    """The answer to such a request. RequestError for every refusal."""
    id_ = request.segments[1]
    if not is_id(id_):
        raise bad("the id in the URL is not a FHIR id", "value")
    return _put(store, request, id_) if request.method == "PUT" else _get(store, request, id_)


# writing ------------------------------------------------------------------------------------


def _put(store: Store, request: Request, id_: str) -> Reply:
    content_type = request.header("Content-Type")
    if not _TYPE.fullmatch(content_type):
        raise RequestError(415, "not-supported", "the content type cannot be read")
    with tempfile.SpooledTemporaryFile(max_size=_PART) as kept:
        size, digest = _receive(request, kept)
        about = {"url": _EXT, "valueString": f"{digest} {size}"}
        raw = {"resourceType": "Binary", "contentType": content_type, "_data": {"extension": [about]}}
        with store.writing() as writing:
            interactions.check_preconditions(
                current(writing.connection, "Binary", id_),
                f"Binary/{id_}",
                request.header("If-Match"),
                request.header("If-None-Match"),
            )
            written = writing.put("Binary", id_, bodies.tail_of_raw(raw), raw)
            if written.changed:
                _keep(writing.connection, id_, written.version, kept)
    headers = {
        "ETag": f'W/"{written.version}"',
        "Last-Modified": http_date(parse_instant(written.last_updated)),
        "Location": f"{request.base}/Binary/{id_}/_history/{written.version}",
    }
    body = b"" if request.prefer.get("return") == "minimal" else written.body
    return Reply(201 if written.created else 200, body, headers)


def _receive(request: Request, kept: IO[bytes]) -> tuple[int, str]:
    """Take the content aside. 413 when it is too large, 400 when it ends too early."""
    told = request.content_length
    if request.header("Content-Encoding").strip().lower() not in ("", "identity"):
        raise RequestError(415, "not-supported", "content comes as it is, not packed")
    if (told or 0) > LARGEST:
        raise _too_large()
    digest, size = sha256(), 0
    try:
        while piece := request.body_stream.read(_PART):
            size += len(piece)
            if size > LARGEST:
                raise _too_large()
            digest.update(piece)
            kept.write(piece)
    except ClientDisconnected:
        raise bad("the content ends too early") from None
    return size, digest.hexdigest()


def _keep(connection: sqlite3.Connection, id_: str, version: int, kept: IO[bytes]) -> None:
    kept.seek(0)
    number = 0
    while piece := kept.read(_PART):
        connection.execute(
            "INSERT INTO binary_part(id, version, number, content) VALUES (?,?,?,?)",
            (id_, version, number, piece),
        )
        number += 1


def _too_large() -> RequestError:
    return RequestError(413, "too-long", f"content takes at most {LARGEST} bytes")


# reading ------------------------------------------------------------------------------------


def _get(store: Store, request: Request, id_: str) -> Reply:
    with store.reading() as connection:
        found = interactions.read(connection, "Binary", id_, request.header("If-None-Match"))
    headers = {"ETag": found.etag, "Last-Modified": http_date(parse_instant(found.last_updated))}
    if found.status == 304:
        return Reply(304, b"", headers)
    raw = bodies.read_json(found.body)
    headers |= {"Content-Type": str(raw.get("contentType", "application/octet-stream"))}
    headers |= {"Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    inside = None if "_data" in raw else _decoded(raw.get("data", ""))
    size = _told_size(raw) if inside is None else len(inside)
    first, last = _range(request.header("Range"), size)
    status = 200
    if (first, last) != (0, size - 1):
        status = 206
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if inside is not None:
        return Reply(status, inside[first : last + 1], headers, packable=False)
    headers["Content-Length"] = str(last - first + 1)
    return Reply(status, b"", headers, stream=_cut(_parts(store, id_, found.version), first, last + 1))


def as_json(store: Store, id_: str, version: int, body: bytes) -> Iterator[bytes] | None:
    """A stored Binary with its content in base64; None when it lies in its body already."""
    head, mark, about = body.rpartition(b',"_data":')
    if not mark or _EXT.encode() not in about:
        return None

    def pieces() -> Iterator[bytes]:
        yield head + b',"data":"'
        for part in _parts(store, id_, version):
            yield base64.b64encode(part)
        yield b'"}'

    return pieces()


def _parts(store: Store, id_: str, version: int) -> Iterator[bytes]:
    """One part at a time, each by a short read of its own: a slow asker holds no snapshot."""
    number = 0
    while True:
        with store.reading() as connection:
            row = connection.execute(
                "SELECT content FROM binary_part WHERE id=? AND version=? AND number=?",
                (id_, version, number),
            ).fetchone()
        if row is None:
            return
        yield row[0]
        number += 1


def _cut(parts: Iterator[bytes], first: int, end: int) -> Iterator[bytes]:
    place = 0
    for part in parts:
        piece = part[max(0, first - place) : max(0, end - place)]
        place += len(part)
        if piece:
            yield piece
        if place >= end:
            return


def _range(header: str, size: int) -> tuple[int, int]:
    """(first, last) byte; everything where no single range is asked for (RFC 9110 §14.2), 416 beyond it."""
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        return 0, size - 1
    first = int(found[1])
    last = min(int(found[2]) if found[2] else size - 1, size - 1)
    if first >= size or last < first:
        problem = RequestError(416, "value", "there is nothing in this range")
        problem.headers = {"Content-Range": f"bytes */{size}"}
        raise problem
    return first, last


def _told_size(raw: dict[str, object]) -> int:
    told = raw["_data"]
    assert isinstance(told, dict)
    return int(told["extension"][0]["valueString"].partition(" ")[2])


def _decoded(data: object) -> bytes:
    with contextlib.suppress(binascii.Error):
        return base64.b64decode(str(data))
    return b""
