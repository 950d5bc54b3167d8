"""The form of a reference, and the rules of contained resources (dom-2 … dom-5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from clinician import texts
from clinician.fhir.reference import Raw
from clinician.fhir.structure import resource_types
from clinician.texts import Text

L = texts.lazy("fhir")
_RELATIVE: Final = re.compile(
    r"([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?(#[A-Za-z0-9\-.]+)?"
)
_ANY_URI: Final = re.compile(r"[a-z][a-z0-9+.\-]*:\S+")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?\S+")

_NESTED: Final = L("a contained resource holds no contained resources")
_UNUSED: Final = L("a contained resource is not referred to")
_VERSIONED: Final = L("a contained resource has no version and no time of change")
_LABELLED: Final = L("a contained resource has no security labels")


def is_reference(text: str) -> bool:
    """Whether a Reference.reference has one of FHIR's forms; '#…' is asked about elsewhere."""
    found = _RELATIVE.fullmatch(text) or _CONDITIONAL.fullmatch(text)
    if found is not None:
        return found[1] in resource_types()
    return _ANY_URI.fullmatch(text) is not None


def contained_problems(raw: Raw) -> Iterator[tuple[str, str, Text]]:
    """(place, key, words) of dom-2 … dom-5."""
    held = raw.get("contained")
    inside = [c for c in held if isinstance(c, dict)] if isinstance(held, list) else []
    used: set[str] | None = None
    for index, one in enumerate(inside):
        place = f"contained[{index}]"
        meta = one.get("meta")
        if "contained" in one:
            yield place, "dom-2", _NESTED
        if isinstance(meta, dict) and ("versionId" in meta or "lastUpdated" in meta):
            yield place, "dom-4", _VERSIONED
        if isinstance(meta, dict) and "security" in meta:
            yield place, "dom-5", _LABELLED
        used = set(_local(raw)) if used is None else used
        if f"#{one.get('id')}" not in used and "#" not in set(_local(one)):
            yield place, "dom-3", _UNUSED


def _local(node: Any) -> Iterator[str]:
    """Every string that begins with '#', but not those of narrative."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key != "div":
                yield from _local(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _local(inner)
    elif isinstance(node, str) and node.startswith("#"):
        yield node
