"""Bundles: pages from the record cut into byte slices, and transactions to send.

A page is never parsed as a whole: each entry.resource stays the bytes the record sent, so 72.50 stays
72.50, and one bad entry is set aside without stopping the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from clinician import texts
from clinician.errors import RecordTrouble
from clinician.fhir.bundle_shapes import (
    BUNDLE,
    ENTRY,
    HEAD,
    PLAIN,
    Head,
    Meta,
    PlainBundle,
    RawBundle,
    RawEntry,
    RawResponse,
    Search,
)
from clinician.fhir.reference import Raw, is_id, relative

L = texts.lazy("fhir")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_TYPE_IN_URL: Final = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


class Entry(NamedTuple):
    """One resource of a page. body: exactly the bytes received. mode: match, include or ''."""

    type: str
    id: str
    version: str
    last_updated: str
    body: bytes
    mode: str
    subsetted: bool = False
    """The record sent only some elements; must never replace a whole row."""

    @property
    def ref(self) -> str:
        """'Type/id'."""
        return f"{self.type}/{self.id}"


class Deleted(NamedTuple):
    """A deletion in a history page."""

    type: str
    id: str
    version: str
    last_updated: str


class Response(NamedTuple):
    """One answer of a batch or transaction, in request order. status 0: none could be read."""

    status: int
    location: str
    version: str
    last_modified: str
    body: bytes
    outcome: bytes


class RefusedEntry(NamedTuple):
    """An entry that could not be read: where it stood, what it was if that shows, and why (for the log)."""

    position: int
    type: str
    id: str
    why: str
    body: bytes


@dataclass(slots=True)
class Page:
    """A searchset, history, batch-response or transaction-response, cut up.

    total: Bundle.total as the record claims it; never trust it. outcomes: OperationOutcomes.
    """

    type: str
    next_url: str | None
    total: int | None
    last_updated: str
    entries: list[Entry] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    outcomes: list[bytes] = field(default_factory=list)
    refused: list[RefusedEntry] = field(default_factory=list)
    self_url: str | None = None
    mended: bool = False
    """The page held half characters; entries that may hold one are refused."""


_BROKEN: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def head(body: bytes) -> Head:
    """Type, id and meta of a resource without parsing the rest. RecordTrouble when it is none."""
    try:
        return HEAD.decode(body)
    except _BROKEN as problem:
        raise _not_fhir(body) from problem


def slices(page: bytes) -> Page:
    """Cut a Bundle into entries.

    Raises RecordTrouble when the whole is not a Bundle (HTML, half a page, another type); an
    OperationOutcome in its place raises RecordTrouble too. One bad entry goes to `refused`.
    """
    plain = _plain(page)
    if plain is not None:
        return plain
    mended = False
    try:
        bundle = _decode_bundle(page)
    except RecordTrouble:
        whole = _LONE_SURROGATE.sub(rb"\\ufffd", page)
        if whole == page:
            raise
        bundle, mended = _decode_bundle(whole), True
    cut = _empty(bundle, mended=mended)
    for index, raw_entry in enumerate(bundle.entry or ()):
        _take(cut, index, raw_entry)
    return cut


def _empty(bundle: RawBundle | PlainBundle, *, mended: bool = False) -> Page:
    links = {link.relation: link.url for link in bundle.link or ()}
    return Page(
        type=bundle.type or "",
        next_url=links.get("next"),
        total=bundle.total,
        last_updated=(bundle.meta.lastUpdated if bundle.meta else None) or "",
        self_url=links.get("self"),
        mended=mended,
    )


def _plain(page: bytes) -> Page | None:
    """A page of nothing but whole resources, cut in one pass; None when anything needs a closer look."""
    try:
        if not page.isascii():
            page.decode("utf-8")
        bundle = PLAIN.decode(page)
        if bundle.resourceType != "Bundle":
            return None
        cut = _empty(bundle)
        for entry in bundle.entry or ():
            if entry.request is not None or entry.response is not None:
                return None
            found = _plain_entry(bytes(entry.resource), entry.search)
            if found is None:
                return None
            cut.entries.append(found)
    except _BROKEN:
        return None
    return cut


def _plain_entry(body: bytes, search: Search | None) -> Entry | None:
    found = HEAD.decode(body)
    type_, id_, meta = found.resourceType, found.id, found.meta
    if type_ == "OperationOutcome" or not type_.isalpha() or id_ is None or not is_id(id_):
        return None
    mode = (search.mode if search is not None else None) or ""
    if meta is None:
        return Entry(type_, id_, "", "", body, mode)
    subsetted = bool(meta.tag) and _is_subsetted(meta)
    return Entry(type_, id_, meta.versionId or "", meta.lastUpdated or "", body, mode, subsetted)


def _is_subsetted(meta: Meta) -> bool:
    return any(tag.code == "SUBSETTED" for tag in meta.tag or ())


def _decode_bundle(page: bytes) -> RawBundle:
    try:
        bundle = BUNDLE.decode(page)
    except _BROKEN as problem:
        raise _not_fhir(page) from problem
    if bundle.resourceType != "Bundle":
        raise RecordTrouble(
            L(
                "The record answered with something else than a list. What this PC holds is safe; "
                "it will ask again."
            ),
            detail=f"expected Bundle, got {bundle.resourceType[:40]}",
        )
    return bundle


def _not_fhir(body: bytes) -> RecordTrouble:
    start = body[:200].lstrip()
    if start[:1] == b"<":
        text = L(
            "The record answered with a web page instead of health data. A sign-in page or a proxy may "
            "stand between. What this PC holds is safe; it will ask again."
        )
        return RecordTrouble(text, detail="markup instead of JSON")
    if not start:
        text = L("The record gave an empty answer. What this PC holds is safe; it will ask again.")
        return RecordTrouble(text, detail="empty body")
    text = L(
        "The record's answer was cut off or garbled. Nothing of it was used. What this PC holds is safe; "
        "it will ask again."
    )
    return RecordTrouble(text, detail="JSON does not read")


def _take(cut: Page, index: int, raw_entry: msgspec.Raw) -> None:
    try:
        entry = ENTRY.decode(raw_entry)
        if entry.response is not None and cut.type.endswith("-response"):
            cut.responses.append(_response(entry))
        elif not bytes(entry.resource):
            _take_bare(cut, index, entry, raw_entry)
        else:
            _take_resource(cut, index, entry)
    except _BROKEN as problem:
        _refuse(cut, index, bytes(raw_entry), f"{type(problem).__name__}: entry does not read")


def _take_resource(cut: Page, index: int, entry: RawEntry) -> None:
    body = bytes(entry.resource)
    if not body.isascii():
        body.decode("utf-8")
    if cut.mended and b"\\ufffd" in body:
        _refuse(cut, index, body, "half a character (lone surrogate)")
        return
    found = HEAD.decode(body)
    mode = (entry.search.mode if entry.search else None) or ""
    if found.resourceType == "OperationOutcome" and (mode == "outcome" or not found.id):
        cut.outcomes.append(body)
        return
    if not is_id(found.id) or not found.resourceType.isalpha():
        _refuse(cut, index, body, "no usable id or type")
        return
    meta = found.meta or Meta()
    subsetted = _is_subsetted(meta)
    cut.entries.append(
        Entry(
            found.resourceType,
            found.id or "",
            meta.versionId or "",
            meta.lastUpdated or "",
            body,
            mode,
            subsetted,
        )
    )


def _take_bare(cut: Page, index: int, entry: RawEntry, raw_entry: msgspec.Raw) -> None:
    request = entry.request
    gone = request is not None and (request.method or "").upper() == "DELETE"
    if not gone:
        _refuse(cut, index, bytes(raw_entry), "entry without resource")
        return
    assert request is not None
    ref = relative(request.url or "") if "/" in (request.url or "") else ""
    found = _TYPE_IN_URL.match(ref) or _TYPE_IN_URL.match(relative(entry.fullUrl or ""))
    if found is None:
        _refuse(cut, index, bytes(raw_entry), "deletion without a reference")
        return
    response = entry.response or RawResponse()
    cut.deleted.append(
        Deleted(found[1], found[2], version_of_etag(response.etag), response.lastModified or "")
    )


def _response(entry: RawEntry) -> Response:
    assert entry.response is not None
    given = entry.response
    code = given.status[:3]
    return Response(
        int(code) if code.isdigit() else 0,
        given.location or "",
        version_of_etag(given.etag) or _version_in(given.location),
        given.lastModified or "",
        bytes(entry.resource),
        bytes(given.outcome),
    )


def _version_in(location: str | None) -> str:
    _, mark, version = (location or "").partition("/_history/")
    return version if mark else ""


def version_of_etag(etag: str | None) -> str:
    """'3' of 'W/"3"'; '' when there is none. Versions are opaque, never compared by size."""
    return (etag or "").removeprefix("W/").strip('"')


def etag_of_version(version: str) -> str:
    """'W/"3"' of '3'."""
    return f'W/"{version}"'


def _refuse(cut: Page, index: int, body: bytes, why: str) -> None:
    type_ = re.search(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"', body)
    id_ = re.search(rb'"id"\s*:\s*"([A-Za-z0-9\-.]{1,64})"', body)
    cut.refused.append(
        RefusedEntry(
            index,
            type_[1].decode("ascii") if type_ else "",
            id_[1].decode("ascii") if id_ else "",
            why,
            body,
        )
    )


def entries(bundle: Raw) -> list[Raw]:
    """The resources of a parsed Bundle; entries without one are left out."""
    found = bundle.get("entry")
    held = found if isinstance(found, list) else []
    return [e["resource"] for e in held if isinstance(e, dict) and isinstance(e.get("resource"), dict)]


def transaction(parts: list[Raw]) -> Raw:
    """A transaction Bundle: all or nothing."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": parts}


def batch(parts: list[Raw]) -> Raw:
    """A batch Bundle: each part for itself."""
    return {"resourceType": "Bundle", "type": "batch", "entry": parts}


def put_entry(raw: Raw, if_match: str | None = None) -> Raw:
    """An update (or create with our id). if_match: the version it was made from, without W/""."""
    ref = f"{raw['resourceType']}/{raw['id']}"
    request: dict[str, Any] = {"method": "PUT", "url": ref}
    if if_match is not None:
        request["ifMatch"] = etag_of_version(if_match)
    made: Raw = {"fullUrl": f"urn:uuid:{raw['id']}"} if _UUID.fullmatch(raw["id"]) else {}
    return made | {"resource": raw, "request": request}


def post_entry(raw: Raw, *, full_url: str = "", if_none_exist: str | None = None) -> Raw:
    """A create where the record gives the id. full_url: 'urn:uuid:…' other entries refer to."""
    request: dict[str, Any] = {"method": "POST", "url": raw["resourceType"]}
    if if_none_exist is not None:
        request["ifNoneExist"] = if_none_exist
    return ({"fullUrl": full_url} if full_url else {}) | {"resource": raw, "request": request}


def get_entry(url: str) -> Raw:
    """A read or search inside a batch."""
    return {"request": {"method": "GET", "url": url}}


def delete_entry(ref: str) -> Raw:
    """A deletion; acts never use it (a wrong entry becomes entered-in-error)."""
    return {"request": {"method": "DELETE", "url": ref}}


def text_of(concept: object) -> str:
    """What a person reads of a CodeableConcept (or Coding): text, else a display, else a code, else ''."""
    if not isinstance(concept, dict):
        return ""
    text = concept.get("text") or concept.get("display")
    if isinstance(text, str) and text:
        return text
    coding = concept.get("coding")
    found = [c for c in coding if isinstance(c, dict)] if isinstance(coding, list) else []
    for key in ("display", "code"):
        for one in found:
            if isinstance(one.get(key), str) and one[key]:
                return str(one[key])
    code = concept.get("code")
    return code if isinstance(code, str) else ""
