"""A visit that is moved lives on in a new one: what somebody did to the old must not be lost on the way.

Two people's moves of one visit must not leave two visits either. The link is the extension visit-replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from clinician.cache.acts import Entry
from clinician.cache.reading import Cached, Raw
from clinician.cache.writing import Writing
from clinician.fhir.codes import EXT_REPLACES
from clinician.fhir.read import extension
from clinician.fhir.reference import relative
from clinician.sync.merge import apply_changes, changed_paths, value_at

_OLD_ONES_OWN: Final = frozenset({"status", "cancelationReason"})
_NOT_BEGUN: Final = frozenset({"proposed", "pending", "booked", "waitlist"})


def replaced_by(raw: Raw) -> str:
    """The reference a resource replaces; '' when it stands for itself."""
    link = extension(raw, EXT_REPLACES)
    return relative(str(link.get("reference", ""))) if isinstance(link, dict) else ""


def successors(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Reference of what is replaced → the new resource of the same act that replaces it."""
    return {ref: entry for entry in entries if entry.is_create and (ref := replaced_by(entry.raw))}


def carried(new: Raw, base: Raw, theirs: Raw) -> Raw | None:
    """The new resource with what they changed on the old one; None where it says something else already.

    A handing over goes with the visit to its new time; a change of what the move changed too needs a person.
    """
    paths = changed_paths(base, theirs) - _OLD_ONES_OWN
    if any(value_at(new, path) not in (value_at(base, path), value_at(theirs, path)) for path in paths):
        return None
    return apply_changes(new, theirs, paths)


def also_moved(writing: Writing, entries: Sequence[Entry], mine: Mapping[str, Raw]) -> tuple[Cached, ...]:
    """What stands for the same old resources by somebody else's move: two would stand where one should.

    mine: reference of the old resource → how it ends by my act.
    """
    known = {entry.ref for entry in entries}
    replaced = successors(entries).keys() & mine.keys()
    if not replaced:
        return ()
    found = writing.reading.find("Appointment")
    return tuple(
        one
        for one in found
        if one.ref not in known and replaced_by(one.raw) in replaced and one.raw.get("status") != "cancelled"
    )


def has_begun(raw: Raw) -> bool:
    """Whether somebody has already gone there, or ended it."""
    return raw.get("status") not in _NOT_BEGUN
