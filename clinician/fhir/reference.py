"""References: the 'Type/id' strings that tie the record together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

Raw = dict[str, Any]
"""A FHIR resource as parsed JSON."""

_RELATIVE: Final = re.compile(
    r"([A-Z][A-Za-z]{2,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_ABSOLUTE: Final = re.compile(
    r"https?://[^?#]*?/([A-Z][A-Za-z]{2,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def make_ref(type_: str, id_: str) -> str:
    """'Type/id'. Raises ValueError when the id is not a FHIR id or the type is no type name."""
    if not _ID.fullmatch(id_) or not type_.isalpha() or not type_[0].isupper():
        raise ValueError("not a reference")
    return f"{type_}/{id_}"


def is_id(text: object) -> bool:
    """Whether `text` has the form of a FHIR id (A–Z a–z 0–9 - . , 1–64 characters)."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def relative(ref: str) -> str:
    """'Type/id' of a relative, absolute or versioned reference.

    urn:uuid:…, '#contained' and conditional references are handed back as they are.
    """
    found = _RELATIVE.fullmatch(ref) or _ABSOLUTE.fullmatch(ref)
    return f"{found[1]}/{found[2]}" if found else ref


def split_ref(ref: str) -> tuple[str, str]:
    """(type, id) of a relative, absolute or versioned reference. ValueError for anything else."""
    found = _RELATIVE.fullmatch(ref) or _ABSOLUTE.fullmatch(ref)
    if found is None:
        raise ValueError("not a reference to a resource")
    return found[1], found[2]


def type_of(ref: str) -> str:
    """The type a reference names, '' when it names none (urn:uuid, '#contained', nonsense)."""
    found = _RELATIVE.match(ref) or _ABSOLUTE.match(ref)
    if found:
        return found[1]
    head, mark, _ = ref.partition("?")
    return head if mark and head.isalpha() and head[0].isupper() else ""


def ref_of(raw: Raw) -> str:
    """'Type/id' of a resource; ValueError when it has no type or no id."""
    type_, id_ = raw.get("resourceType"), raw.get("id")
    if not isinstance(type_, str) or not isinstance(id_, str):
        raise ValueError("a resource without type or id has no reference")
    return make_ref(type_, id_)


def displays_in(raw: object) -> Iterator[tuple[str, str]]:
    """('Type/id', display) of every Reference in `raw` that says in words what it names."""
    if isinstance(raw, dict):
        words, reference = raw.get("display"), raw.get("reference")
        if isinstance(words, str) and isinstance(reference, str) and words.strip():
            yield relative(reference), words.strip()
    for inner in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        if isinstance(inner, dict | list):
            yield from displays_in(inner)


def references_in(raw: object, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, reference) of every Reference.reference anywhere in `raw`, contained and extensions too.

    Paths look like 'participant[0].actor'. References come as written.
    """
    if isinstance(raw, dict):
        reference = raw.get("reference")
        if isinstance(reference, str) and "resourceType" not in raw:
            yield path, reference
        for key, inner in raw.items():
            if isinstance(inner, dict | list):
                yield from references_in(inner, f"{path}.{key}" if path else key)
    elif isinstance(raw, list):
        for index, inner in enumerate(raw):
            if isinstance(inner, dict | list):
                yield from references_in(inner, f"{path}[{index}]")
