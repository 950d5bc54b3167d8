"""Gives imported resources ids of the record's kind, the same at every import, and follows them in links.

A lower-case UUID is kept. Any other id becomes UUIDv5 of 'Type/id', whatever file it stands in, so links
across files and across imports meet. The id it had is kept as an identifier (or meta.source).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from clinician.fhir.reference import Raw
from clinician.fhir.structure import resource_types, shape

IMPORTED_ID: Final = "https://clinician.example/fhir/NamingSystem/imported-id"
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, IMPORTED_ID)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LOCAL: Final = re.compile(r"([A-Z][A-Za-z]+)/([^/?#\s]{1,128})(?:/_history/[^/]+)?")
_number_keeping: Final = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))


def derived_id(name: str) -> str:
    """A lower-case UUID that depends on nothing but `name`."""
    return str(uuid.uuid5(_SPACE, name))


def new_id(type_: str, given: object, full_url: str, body: bytes) -> str:
    """The id a resource gets. Without an id: from its urn:uuid full url, else from its content."""
    if isinstance(given, str) and given:
        return given if _UUID.fullmatch(given) else derived_id(f"{type_}/{given}")
    bare = full_url.removeprefix("urn:uuid:")
    if _UUID.fullmatch(bare):
        return bare
    return derived_id(full_url or hashlib.sha256(body).hexdigest())


def new_ref(reference: str, links: Mapping[str, str]) -> str:
    """Where a link leads now. links: full urls of the same Bundle → 'Type/id'."""
    if reference in links:
        return links[reference]
    found = _LOCAL.fullmatch(reference)
    if found and found[1] in resource_types():
        return f"{found[1]}/{new_id(found[1], found[2], '', b'')}"
    return reference


def relinked(body: bytes, type_: str, id_: str, given: object, links: Mapping[str, str]) -> bytes:
    """The resource under its new id with every link followed; numbers keep their digits."""
    tree: Raw = _number_keeping.decode(body)
    tree = _followed(tree, "", links)
    tree["id"] = id_
    if isinstance(given, str) and given and given != id_:
        _remember(tree, type_, f"{type_}/{given}")
    return msgspec.json.encode(tree)


def _followed(node: Any, key: str, links: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {inner: _followed(value, inner, links) for inner, value in node.items()}
    if isinstance(node, list):
        return [_followed(value, key, links) for value in node]
    if not isinstance(node, str) or key == "value":
        return node
    return new_ref(node, links) if key == "reference" else links.get(node, node)


def _remember(tree: Raw, type_: str, original: str) -> None:
    described = shape(type_)
    element = described.elements.get("identifier") if described else None
    held = tree.get("identifier", [])
    if element is not None and element.is_list and isinstance(held, list):
        mine = {"system": IMPORTED_ID, "value": original}
        if mine not in held:
            tree["identifier"] = [*held, mine]
    else:
        meta = tree.setdefault("meta", {})
        if isinstance(meta, dict):
            meta.setdefault("source", f"{IMPORTED_ID}#{original}")
