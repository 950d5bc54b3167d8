"""JSON in and out: read once and strictly, stored as the bytes that came.

Numbers are never rewritten (72.50 comes back as 72.50): a stored body is the received text with only
`resourceType`, `id` and `meta` moved to the front and `meta.versionId`/`lastUpdated` put in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from clinician.embedded.outcome import bad
from clinician.fhir.reference import Raw

MAX_DEPTH: Final = 100
_split: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder: Final = msgspec.json.Encoder(decimal_format="number")
_STAMPS: Final = ("versionId", "lastUpdated")


class Stamped(NamedTuple):
    """A body ready to store; head is the length of its part through `meta`."""

    body: bytes
    head: int


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _whole_number(text: str) -> int | float:
    return int(text) if len(text) < 19 else float(text)


_reader: Final = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=_whole_number
)


def _depth_over(value: object, limit: int) -> bool:
    layer = [value]
    for _ in range(limit):
        layer = [inner for outer in layer for inner in _children(outer) if isinstance(inner, dict | list)]
        if not layer:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def read_json(body: bytes) -> Raw:
    """The object in `body`. RequestError 400 for anything but one whole, sanely nested JSON object."""
    try:
        found = _reader.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise bad("the JSON is nested too deeply", "too-long") from None
    except UnicodeDecodeError:
        raise bad("the body is not UTF-8") from None
    except ValueError as problem:
        raise bad(f"the body is not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise bad("the body is not a JSON object", "structure")
    if b"\\u" in body:
        _refuse_odd_signs(found)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth_over(found, MAX_DEPTH):
        raise bad("the JSON is nested too deeply", "too-long")
    return found


def _refuse_odd_signs(found: Raw) -> None:
    """Escapes can smuggle in half a character or a NUL, which no text may hold."""
    try:
        text = json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise bad("a text holds half a character") from None
    if b"\\u0000" in text:
        raise bad("a text holds a NUL character", "value")


def slices(body: bytes) -> dict[str, msgspec.Raw]:
    """The top level of an object that read_json has accepted, values as bytes."""
    return _split.decode(body.removeprefix(b"\xef\xbb\xbf"))


def encode(raw: Any) -> bytes:
    """Compact JSON; Decimal and msgspec.Raw values keep their digits."""
    return _encoder.encode(raw)


def _quoted(text: str) -> bytes:
    return msgspec.json.encode(text)


def tail_of(parts: dict[str, msgspec.Raw], meta: dict[str, msgspec.Raw] | None) -> tuple[bytes, bytes]:
    """(what follows the stamps in meta, what follows meta), closing braces included."""
    kept = b"".join(
        b"," + _quoted(key) + b":" + bytes(value) for key, value in (meta or {}).items() if key not in _STAMPS
    )
    rest = b"".join(
        b"," + _quoted(key) + b":" + bytes(value)
        for key, value in parts.items()
        if key not in ("resourceType", "id", "meta")
    )
    return kept + b"}", rest + b"}"


def tail_of_bytes(body: bytes) -> tuple[bytes, bytes]:
    """The tail of a received resource."""
    parts = slices(body)
    meta = parts.get("meta")
    return tail_of(parts, slices(bytes(meta)) if meta is not None else None)


def tail_of_raw(raw: Raw) -> tuple[bytes, bytes]:
    """The tail of a resource given as parsed JSON."""
    meta = {key: value for key, value in (raw.get("meta") or {}).items() if key not in _STAMPS}
    rest = {key: value for key, value in raw.items() if key not in ("resourceType", "id", "meta")}
    kept = b"," + encode(meta)[1:] if meta else b"}"
    return kept, (b"," + encode(rest)[1:] if rest else b"}")


def plain(tail: tuple[bytes, bytes]) -> Raw:
    """The content of a tail with ordinary numbers, for the index (id and type are not in it)."""
    found: Raw = msgspec.json.decode(b'{"meta":{"versionId":""' + tail[0] + tail[1])
    return found


def stamp(type_: str, id_: str, version: int, last_updated: str, tail: tuple[bytes, bytes]) -> Stamped:
    """The body to store. last_updated: FHIR instant with milliseconds and Z."""
    front = (
        f'{{"resourceType":"{type_}","id":"{id_}",'
        f'"meta":{{"versionId":"{version}","lastUpdated":"{last_updated}"'
    ).encode()
    head = front + tail[0]
    return Stamped(head + tail[1], len(head))


def same_content(old: bytes, type_: str, id_: str, version: int, tail: tuple[bytes, bytes]) -> bool:
    """Whether `old` (a stored body of `version`) differs from `tail` in nothing but its stamps."""
    front = len(f'{{"resourceType":"{type_}","id":"{id_}","meta":{{"versionId":"{version}","lastUpdated":"')
    return old[front + 25 :] == tail[0] + tail[1]
