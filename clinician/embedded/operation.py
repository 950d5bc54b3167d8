"""One entry of a batch or transaction Bundle, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from clinician.embedded import body as bodies
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.parameters import served_types
from clinician.fhir.reference import Raw, is_id

MAX_ENTRIES: Final = 5000
METHODS: Final = ("DELETE", "POST", "PUT", "GET", "HEAD")
"""In the order a transaction processes them (R4 3.1.0.11.2)."""


@dataclass(slots=True)
class Operation:
    """What one entry asks. path: 'Type', 'Type/id', … without the base; query: after '?'."""

    index: int
    method: str
    path: str
    query: str
    full_url: str
    if_match: str
    if_none_match: str
    if_none_exist: str
    raw: Raw | None
    body: bytes

    @property
    def type(self) -> str:
        """The resource type in the path."""
        return self.path.partition("/")[0]

    @property
    def id(self) -> str:
        """The id in the path, '' for a whole type."""
        return self.path.partition("/")[2]

    @property
    def is_write(self) -> bool:
        """Whether it changes the record."""
        return self.method in ("DELETE", "POST", "PUT") and not self.path.endswith("_search")


class _Slices(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Bundle(msgspec.Struct):
    entry: list[_Slices] = []


def read_bundle(body: bytes) -> tuple[str, list[Raw], list[bytes]]:
    """(type, entries as parsed, bytes of each entry's resource). RequestError for no sound Bundle."""
    raw = bodies.read_json(body)
    if raw.get("resourceType") != "Bundle":
        raise bad("the body is not a Bundle")
    entries = raw.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad("Bundle.entry is a list of objects", "structure")
    if len(entries) > MAX_ENTRIES:
        raise RequestError(413, "too-costly", f"a Bundle takes at most {MAX_ENTRIES} entries")
    held = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=_Bundle)
    return str(raw.get("type")), entries, [bytes(slice_.resource) for slice_ in held.entry]


def read_operation(index: int, entry: Raw, body: bytes, base: str) -> Operation:
    """One entry. RequestError names it by its place."""
    request = entry.get("request")
    if not isinstance(request, dict):
        raise bad(f"entry {index} has no request", "required")
    method = _text(request, "method")
    if method not in METHODS:
        raise RequestError(400, "not-supported", f"entry {index}: the method is not supported")
    path, query = _path(index, _text(request, "url"), base)
    resource = entry.get("resource")
    operation = Operation(
        index,
        method,
        path,
        query,
        _text(entry, "fullUrl"),
        _text(request, "ifMatch"),
        _text(request, "ifNoneMatch"),
        _text(request, "ifNoneExist"),
        resource if isinstance(resource, dict) else None,
        body,
    )
    if operation.is_write:
        _check_write(operation)
    return operation


def _text(raw: Raw, key: str) -> str:
    value: Any = raw.get(key)
    return value if isinstance(value, str) else ""


def _path(index: int, url: str, base: str) -> tuple[str, str]:
    local = url.removeprefix(base).lstrip("/") if url.startswith(base) else url.lstrip("/")
    parts = urlsplit(local)
    if not url or parts.scheme or parts.netloc:
        raise bad(f"entry {index}: the request has no local url")
    return unquote(parts.path).rstrip("/"), parts.query


def _check_write(operation: Operation) -> None:
    at = f"entry {operation.index}"
    type_, id_ = operation.type, operation.id
    if type_ not in served_types():
        raise RequestError(404, "not-supported", f"{at}: the url names no resource type")
    if operation.method == "POST":
        if id_:
            raise bad(f"{at}: POST takes a type, not an id")
    elif id_ and not is_id(id_):
        raise bad(f"{at}: the url holds no FHIR id", "value")
    elif not id_ and not operation.query:
        raise bad(f"{at}: {operation.method} needs an id or criteria", "required")
    if operation.method != "DELETE" and operation.raw is None:
        raise bad(f"{at} has no resource", "required")
