"""Two versions of a resource, field by field, in words a person decides by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from clinician import texts
from clinician.cache.acts import ConflictRow
from clinician.fhir import read
from clinician.fhir.bundles import text_of
from clinician.fhir.times import parse_datetime
from clinician.queries.patients import name_of
from clinician.queries.query import Raw, Reading
from clinician.queries.wording import moment_text, partial_text

_ = texts.translator("queries")
_LEFT_OUT: Final = frozenset({"meta", "text", "id", "resourceType"})
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One element. path: FHIR element (with the type before it where an act has several resources).

    base, mine, theirs: in words, '' where absent. same: mine and theirs agree.
    """

    path: str
    label: str
    base: str
    mine: str
    theirs: str
    same: bool


def field_diffs(reading: Reading, row: ConflictRow, *, several: bool) -> tuple[FieldDiff, ...]:
    """Every element either side has changed, what they disagree on first."""
    base, theirs = row.base or {}, row.theirs or {}
    names = sorted((base.keys() | row.mine.keys() | theirs.keys()) - _LEFT_OUT)
    type_ = row.mine["resourceType"]
    found = [
        FieldDiff(
            f"{type_}.{name}" if several else name,
            field_label(name),
            in_words(reading, base.get(name)),
            in_words(reading, row.mine.get(name)),
            in_words(reading, theirs.get(name)),
            row.mine.get(name) == theirs.get(name),
        )
        for name in names
        if not base.get(name) == row.mine.get(name) == theirs.get(name)
    ]
    return tuple(sorted(found, key=lambda diff: diff.same))


def in_words(reading: Reading, value: Any) -> str:
    """A FHIR element as a person reads it; what has no words is shown as it is written."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(part for one in value if (part := in_words(reading, one)))[:_LONGEST]
    if isinstance(value, dict):
        return _of_object(reading, value)[:_LONGEST]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _of_string(value) if isinstance(value, str) else str(value).replace(".", ",")


def _of_string(value: str) -> str:
    if value in (known := _codes()):
        return known[value]
    if len(value) < len("2026-03-03") or not value[:4].isdigit():
        return value
    try:
        when = parse_datetime(value)
    except ValueError:
        return value
    return moment_text(when) if isinstance(when, datetime) else partial_text(when)


def _of_object(reading: Reading, value: Raw) -> str:
    if isinstance(reference := value.get("reference"), str):
        found = reading.get(reference)
        return (
            (name_of(found.raw) if found is not None else "") or read.text_at(value, "display") or reference
        )
    if "actor" in value or "individual" in value:
        return in_words(reading, value.get("actor") or value.get("individual"))
    if "start" in value or "end" in value:
        return " – ".join(in_words(reading, value.get(key)) for key in ("start", "end")).strip(" –")
    if "value" in value:
        unit = read.text_at(value, "unit") or read.text_at(value, "system")
        return f"{in_words(reading, value['value'])} {unit}".strip()
    if "url" in value:
        held = next((inner for key, inner in value.items() if key.startswith("value")), None)
        return f"{str(value['url']).rpartition('/')[2]}: {in_words(reading, held)}"
    for key in ("text", "contentString", "family"):
        if isinstance(value.get(key), str):
            return read.name_text({"name": [value]}) if key == "family" else str(value[key])
    return text_of(value) or orjson.dumps(value).decode("utf-8")


def field_label(name: str) -> str:
    """A FHIR element as a person calls it; what has no word keeps its name."""
    known = {
        "status": _("Status"),
        "start": _("Start"),
        "end": _("End"),
        "minutesDuration": _("Minutes"),
        "participant": _("Who"),
        "description": _("Description"),
        "comment": _("Comment"),
        "note": _("Note"),
        "owner": _("Responsible"),
        "statusReason": _("Reason"),
        "cancelationReason": _("Reason"),
        "executionPeriod": _("Time"),
        "period": _("Time"),
        "restriction": _("Due"),
        "priority": _("Priority"),
        "extension": _("Planning details"),
        "telecom": _("Phone and e-mail"),
        "address": _("Address"),
        "name": _("Name"),
        "dosageInstruction": _("Dosage"),
        "medicationCodeableConcept": _("Medication"),
        "code": _("What"),
        "criticality": _("Danger"),
        "activity": _("Measures"),
        "lastModified": _("Last changed"),
        "valueQuantity": _("Value"),
        "valueCodeableConcept": _("Answer"),
        "component": _("Values"),
        "effectiveDateTime": _("Time"),
        "content": _("Text"),
        "subject": _("User"),
        "for": _("User"),
        "focus": _("About"),
        "identifier": _("Number"),
        "birthDate": _("Date of birth"),
        "output": _("Decision"),
    }
    return known.get(name, name)


def _codes() -> dict[str, str]:
    """Status codes a person meets."""
    return {
        "booked": _("planned"),
        "pending": _("nobody on it"),
        "arrived": _("in progress"),
        "fulfilled": _("done"),
        "noshow": _("not at home"),
        "cancelled": _("cancelled"),
        "entered-in-error": _("entered in error"),
        "ready": _("to do"),
        "requested": _("requested"),
        "accepted": _("accepted"),
        "in-progress": _("in progress"),
        "completed": _("done"),
        "rejected": _("refused"),
        "on-hold": _("postponed"),
        "finished": _("done"),
        "active": _("in force"),
        "stopped": _("stopped"),
    }
