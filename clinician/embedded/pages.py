"""Bundles as bytes: stored bodies are joined, never parsed and written again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from clinician.embedded import body as bodies
from clinician.embedded.search import Hit
from clinician.embedded.writing import instant

_SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_SUBSETTED_TAG: Final = b',"tag":[' + msgspec.json.encode(_SUBSETTED) + b"]}"
_REASON: Final = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified"}
_ALWAYS: Final = ("resourceType", "id", "meta")

Links = Sequence[tuple[str, str]]


def _bundle(
    kind: str, entries: Iterable[bytes], *, links: Links = (), total: int | None, as_of: str
) -> bytes:
    joined = b",".join(entries)
    head: dict[str, Any] = {"resourceType": "Bundle"}
    if joined:  # nobody names an empty page, and ids of chance were half of what a quiet poll brings
        head["id"] = str(uuid.uuid4())
    head |= {"meta": {"lastUpdated": as_of}, "type": kind}
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    ending = b',"entry":[' + joined + b"]}" if joined else b"}"
    return msgspec.json.encode(head)[:-1] + ending


def _full_url(base: str, hit: Hit) -> bytes:
    return f'{{"fullUrl":"{base}/{hit.type}/{hit.id}","resource":'.encode()


def searchset(
    base: str,
    hits: Iterable[Hit],
    included: Iterable[Hit],
    *,
    elements: Sequence[str] = (),
    summary: str = "",
    links: Links,
    total: int | None,
    as_of: str,
) -> bytes:
    """A searchset. as_of: the record's time of the snapshot; nothing stamped before it can come later."""
    cut = subset(elements, summary)
    entries = [_full_url(base, hit) + cut(hit) + b',"search":{"mode":"match"}}' for hit in hits]
    entries += [_full_url(base, hit) + cut(hit) + b',"search":{"mode":"include"}}' for hit in included]
    return _bundle("searchset", entries, links=links, total=total, as_of=as_of)


def subset(elements: Sequence[str], summary: str = "") -> Callable[[Hit], bytes]:
    """How each resource is cut down for _elements or _summary."""
    if elements:
        wanted = frozenset(elements)
        if wanted <= frozenset(_ALWAYS):
            return _head_only
        return lambda hit: _kept(hit, lambda key: key in wanted or key in _ALWAYS)
    if summary == "data":
        return lambda hit: _kept(hit, lambda key: key != "text")
    if summary == "text":
        return lambda hit: _kept(hit, lambda key: key == "text" or key in _ALWAYS)
    return lambda hit: hit.body


def _head_only(hit: Hit) -> bytes:
    """Id and meta: cut off after meta, whose end was noted when the body was written."""
    head = hit.body[: hit.head]
    if b'"tag"' in head:
        return _kept(hit, lambda key: key in _ALWAYS)
    return head[:-1] + _SUBSETTED_TAG + b"}"


def _kept(hit: Hit, keep: Callable[[str], bool]) -> bytes:
    parts: dict[str, Any] = {key: value for key, value in bodies.slices(hit.body).items() if keep(key)}
    meta: dict[str, Any] = dict(bodies.slices(bytes(parts["meta"])))
    tags = msgspec.json.decode(bytes(meta["tag"])) if "tag" in meta else []
    meta["tag"] = [*(tags if isinstance(tags, list) else []), _SUBSETTED]
    parts["meta"] = meta
    return msgspec.json.encode(parts)


def history_entry(base: str, row: Sequence[Any]) -> bytes:
    """row: type, id, version, updated, deleted, method, body."""
    type_, id_, version, updated, deleted, method, body = row
    resource = b"" if deleted else b'"resource":' + body + b","
    url = type_ if method == "POST" else f"{type_}/{id_}"
    status = "204" if deleted else "201" if version == 1 else "200"
    return (
        f'{{"fullUrl":"{base}/{type_}/{id_}",'.encode()
        + resource
        + (
            f'"request":{{"method":"{method}","url":"{url}"}},'
            f'"response":{{"status":"{status}","etag":"W/\\"{version}\\"","lastModified":"{instant(updated)}"}}}}'
        ).encode()
    )


def history(entries: Iterable[bytes], *, links: Links, total: int | None, as_of: str) -> bytes:
    """A history Bundle."""
    return _bundle("history", entries, links=links, total=total, as_of=as_of)


def response_entry(
    status: int,
    *,
    location: str = "",
    etag: str = "",
    last_modified: str = "",
    resource: bytes = b"",
    outcome: bytes = b"",
) -> bytes:
    """An entry of a transaction-response or batch-response."""
    response: dict[str, Any] = {"status": f"{status} {_REASON.get(status, '')}".rstrip()}
    given = {"location": location, "etag": etag, "lastModified": last_modified}
    response |= {name: value for name, value in given.items() if value}
    if outcome:
        response["outcome"] = msgspec.Raw(outcome)
    held: dict[str, Any] = {"resource": msgspec.Raw(resource)} if resource else {}
    return msgspec.json.encode(held | {"response": response})


def response_bundle(kind: str, entries: Iterable[bytes], *, as_of: str) -> bytes:
    """kind: transaction-response or batch-response."""
    return _bundle(kind, entries, total=None, as_of=as_of)
