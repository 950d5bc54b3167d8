"""Why the record refused something, in plain words: which field, what it said, what to do now."""

from __future__ import annotations

import re
from typing import Final

from clinician import texts
from clinician.cache.acts import ActRow, ActState
from clinician.queries.differences import field_label

_ = texts.translator("queries")
_PLACE: Final = re.compile(r"^([A-Z][\w.\[\]()]*): (.+)$")
_WRAPPED: Final = re.compile(r"^Bundle\.entry\[\d+\]\.resource(?:\.ofType\(\w+\))?\.?")
_INDEX: Final = re.compile(r"\[\d+\]|\.ofType\(\w+\)|\.where\([^)]*\)")


def explained(act: ActRow) -> str:
    """Everything a person needs to go on with an act that stands still, as sentences."""
    said = tuple(part for part in act.last_issue.split("; ") if part) if act.last_issue else ()
    parts = [_happened(act), *(_reason(one) for one in said), _way(act)]
    return " ".join(part for part in parts if part)


def _happened(act: ActRow) -> str:
    if act.state is ActState.PARKED:
        return _(
            "This failed many times while other things went through, so it was set aside. It is kept here "
            "and holds up nothing else. The record never said whether it got it: it may be there already."
        )
    match act.last_status:
        case 401 | 403:
            return _("The record does not let you write this. It is kept here.")
        case 404 | 410:
            return _("What this is about is no longer at the record. It is kept here.")
        case 409 | 412:
            return _("Somebody else has changed the same thing at the record. It is kept here.")
        case 413:
            return _("This is larger than the record takes. It is kept here.")
        case _:
            return _("The record did not accept what was written. It is kept here.")


def _reason(said: str) -> str:
    place, words = where_and_what(said)
    if not place:
        return _("The record says: {words}", words=_sentence(words))
    return _("{field} – the record says: {words}", field=place, words=_sentence(words))


def where_and_what(said: str) -> tuple[str, str]:
    """'Observation.status: not known' → ('Status', 'not known'); no field where the record named none."""
    found = _PLACE.match(said)
    if found is None:
        return "", said
    steps = _INDEX.sub("", _WRAPPED.sub("", found[1])).strip(".").split(".")
    elements = steps[1:] if steps and steps[0][:1].isupper() else steps
    return (field_label(elements[0]) if elements and elements[0] else ""), found[2]


def _sentence(words: str) -> str:
    clean = words.strip()
    return clean if clean.endswith((".", "!", "?")) else f"{clean}."


def _way(act: ActRow) -> str:
    if act.state is ActState.PARKED:
        return _(
            "Try again: it counts only once. If it fails once more, save it as a file and ask the superuser. "
            "If you take it back and the record has it after all, the outbox tells you."
        )
    match act.last_status:
        case 401 | 403:
            return _("Ask the superuser for access and try again, or take it back.")
        case 404 | 410:
            return _("Take it back, and write it anew where it belongs.")
        case 409 | 412:
            return _("Try again; then you can compare the two.")
        case 413:
            return _("Take it back and divide it in two.")
        case _:
            return _("Take it back and put it right: what you typed is there again.")
