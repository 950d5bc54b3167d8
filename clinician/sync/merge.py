"""Three-way merge of one resource: base, mine, theirs. No rule uses a timestamp (SYNC §1.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from clinician.fhir.reference import Raw
from clinician.sync.classes import ENDED, Class, class_of

_ABSENT: Final = object()
_IGNORED: Final = frozenset({"meta", "text"})
"""The record's own, and what is written from the rest."""
_KEYED: Final[Mapping[str, Callable[[dict[str, Any]], object]]] = {
    "identifier": lambda item: (item.get("system"), item.get("value")),
    "telecom": lambda item: (item.get("system"), item.get("value")),
    "extension": lambda item: item.get("url"),
}


_UNITS: Final[Mapping[str, frozenset[str]]] = {
    "Appointment": frozenset({"status", "cancelationReason"}),
    "Task": frozenset({"status", "statusReason"}),
}
"""Elements that say one thing together: what became of it and why. Taken whole from one side (app-4)."""


class Kind(StrEnum):
    """Why a person must decide; CLEAN: nobody must."""

    CLEAN = "clean"
    OVERLAP = "overlap"
    STATUS = "status"
    DUPLICATE = "duplicate"
    SAFETY = "safety"
    DELETED = "deleted"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Merge:
    """merged: both sides' changes; None where they cannot stand together. Paths are top-level elements."""

    kind: Kind
    merged: Raw | None
    mine: frozenset[str] = frozenset()
    theirs: frozenset[str] = frozenset()
    clashes: frozenset[str] = field(default_factory=frozenset)


def content(raw: Raw) -> Raw:
    """The resource without what the record writes itself; equal contents mean the same thing."""
    return {key: value for key, value in raw.items() if key not in _IGNORED}


def changed_paths(base: Raw, other: Raw) -> frozenset[str]:
    """Top-level elements that differ; of keyed arrays each item by itself ('telecom[phone 99]').

    A status and its reason are one: when either differs, both are named.
    """
    paths: set[str] = set()
    for key in (base.keys() | other.keys()) - _IGNORED:
        before, after = base.get(key, _ABSENT), other.get(key, _ABSENT)
        if before != after:
            paths |= _paths(key, before, after)
    unit = _UNITS.get(str(other.get("resourceType")), frozenset())
    return frozenset(paths | unit if paths & unit else paths)


def _paths(key: str, before: object, after: object) -> set[str]:
    one, two = _by_key(key, before), _by_key(key, after)
    if one is None or two is None:
        return {key}
    return {f"{key}[{name}]" for name in one.keys() | two.keys() if one.get(name) != two.get(name)} or {key}


def _by_key(key: str, value: object) -> dict[str, Any] | None:
    """The items of a keyed array by their key; None where it has no keys or two items share one."""
    if value is _ABSENT:
        value = []
    if key not in _KEYED or not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        return None
    named = {str(_KEYED[key](item)): item for item in value}
    return named if len(named) == len(value) else None


def three_way(base: Raw, mine: Raw, theirs: Raw) -> Merge:
    """Merge by the rule of the type; the kind says whether a person must look."""
    my_paths, their_paths = changed_paths(base, mine), changed_paths(base, theirs)
    if not their_paths:
        return Merge(Kind.CLEAN, _onto(theirs, mine), my_paths, their_paths)
    if content(mine) == content(theirs) and class_of(mine["resourceType"]) is not Class.STATE:
        return Merge(Kind.CLEAN, theirs, my_paths, their_paths)
    clashes = _clashes(my_paths, their_paths, mine, theirs)
    merged = None if clashes else apply_changes(theirs, mine, my_paths)
    kind = _kind(base, mine, theirs, clashes)
    return Merge(kind, merged, my_paths, their_paths, clashes)


def _onto(theirs: Raw, mine: Raw) -> Raw:
    return {**mine, "meta": theirs["meta"]} if "meta" in theirs else mine


def _clashes(my_paths: frozenset[str], their_paths: frozenset[str], mine: Raw, theirs: Raw) -> frozenset[str]:
    both = {path for path in my_paths & their_paths if value_at(mine, path) != value_at(theirs, path)}
    my_tops, their_tops = {_top(p): p for p in my_paths}, {_top(p): p for p in their_paths}
    mixed = {
        top for top in my_tops.keys() & their_tops.keys() if (my_tops[top] == top) != (their_tops[top] == top)
    }
    return frozenset(both | mixed)


def _top(path: str) -> str:
    return path.partition("[")[0]


def value_at(raw: Raw, path: str) -> object:
    """What stands at a path of `changed_paths`; a marker where nothing does."""
    top = _top(path)
    value = raw.get(top, _ABSENT)
    if path == top:
        return value
    named = _by_key(top, value) or {}
    return named.get(path[len(top) + 1 : -1], _ABSENT)


def _kind(base: Raw, mine: Raw, theirs: Raw, clashes: frozenset[str]) -> Kind:
    class_ = class_of(mine["resourceType"])
    if class_ in (Class.SAFETY, Class.APPEND, Class.SETUP):
        return Kind.SAFETY
    if class_ is Class.STATE and theirs.get("status") != base.get("status"):
        same_end = mine.get("status") == theirs.get("status") and mine.get("status") in ENDED
        return Kind.DUPLICATE if same_end else Kind.STATUS
    return Kind.OVERLAP if clashes else Kind.CLEAN


def apply_changes(onto: Raw, source: Raw, paths: frozenset[str]) -> Raw:
    """`onto` with the elements `paths` as they are in `source`."""
    result = dict(onto)
    for path in sorted(paths):
        top = _top(path)
        if path != top:
            _apply_item(result, source, top, path[len(top) + 1 : -1])
        elif top in source:
            result[top] = source[top]
        else:
            result.pop(top, None)
    return result


def _apply_item(result: Raw, source: Raw, top: str, name: str) -> None:
    named = dict(_by_key(top, result.get(top, _ABSENT)) or {})
    wanted = (_by_key(top, source.get(top, _ABSENT)) or {}).get(name)
    if wanted is None:
        named.pop(name, None)
    else:
        named[name] = wanted
    if named:
        result[top] = list(named.values())
    else:
        result.pop(top, None)
