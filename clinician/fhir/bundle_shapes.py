"""The few elements of a Bundle and of its resources that are read; all else stays the bytes that came.

No collector need look at them (gc=False): a page makes thousands, and none refers back to itself.
"""

from __future__ import annotations

from typing import Final

import msgspec

NOTHING: Final = msgspec.Raw(b"")


class Tag(msgspec.Struct, gc=False):
    """A code of meta.tag."""

    code: str | None = None


class Meta(msgspec.Struct, gc=False):
    """Version, stamp and tags of a resource, or of a page."""

    versionId: str | None = None
    lastUpdated: str | None = None
    tag: list[Tag] | None = None


class Head(msgspec.Struct, gc=False):
    """The few elements read of every resource; all else stays bytes."""

    resourceType: str
    id: str | None = None
    meta: Meta | None = None


class Link(msgspec.Struct, gc=False):
    """A way to another page."""

    relation: str | None = None
    url: str | None = None


class Search(msgspec.Struct, gc=False):
    """Why an entry is in a page."""

    mode: str | None = None


class Request(msgspec.Struct, gc=False):
    """What an entry asked for."""

    method: str | None = None
    url: str | None = None


class RawResponse(msgspec.Struct, gc=False):
    """What became of one part of a batch."""

    status: str = ""
    location: str | None = None
    etag: str | None = None
    lastModified: str | None = None
    outcome: msgspec.Raw = NOTHING


class RawEntry(msgspec.Struct, gc=False):
    """One entry; the resource in it is not read."""

    fullUrl: str | None = None
    resource: msgspec.Raw = NOTHING
    search: Search | None = None
    request: Request | None = None
    response: RawResponse | None = None


class RawBundle(msgspec.Struct):
    """A Bundle whose entries are read one by one, so that a bad one stops nobody."""

    resourceType: str
    type: str | None = None
    total: int | None = None
    meta: Meta | None = None
    link: list[Link] | None = None
    entry: list[msgspec.Raw] | None = None


class PlainBundle(msgspec.Struct):
    """A Bundle whose every entry reads: nearly every page of a search."""

    resourceType: str
    type: str | None = None
    total: int | None = None
    meta: Meta | None = None
    link: list[Link] | None = None
    entry: list[RawEntry] | None = None


PLAIN: Final = msgspec.json.Decoder(PlainBundle)
BUNDLE: Final = msgspec.json.Decoder(RawBundle)
ENTRY: Final = msgspec.json.Decoder(RawEntry)
HEAD: Final = msgspec.json.Decoder(Head)
