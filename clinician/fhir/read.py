"""Tolerant readers over raw resources: what they are about, whose they are, when, in what state.

They never raise on a resource that is wrongly built: what cannot be read is absent. The readers of
elements and of people are handed on from here, so that one import is enough.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from clinician.fhir import codes
from clinician.fhir.bundles import text_of
from clinician.fhir.elements import (
    Coded,
    code_in,
    codes_in,
    codings,
    day_at,
    extension,
    extensions,
    has_code,
    ref_at,
    refs,
    text_at,
    value_at,
    values_at,
    when_at,
    with_extension,
)
from clinician.fhir.persons import (
    address_text,
    age_on,
    birth_date,
    identifier,
    initials,
    is_deceased,
    name_parts,
    name_sorted,
    name_text,
    national_number,
    phone,
    position,
    street_text,
    telecom,
)
from clinician.fhir.reference import Raw, type_of
from clinician.fhir.times import earliest_or_none

__all__ = [
    "Coded",
    "address_text",
    "age_on",
    "birth_date",
    "code_in",
    "code_of",
    "codes_in",
    "codings",
    "day_at",
    "due_of",
    "end_of",
    "extension",
    "extensions",
    "has_code",
    "identifier",
    "initials",
    "is_deceased",
    "is_practice",
    "last_updated_of",
    "name_parts",
    "name_sorted",
    "name_text",
    "national_number",
    "owner_of",
    "owners_of",
    "patient_ref_of",
    "phone",
    "position",
    "ref_at",
    "refs",
    "start_of",
    "status_of",
    "street_text",
    "telecom",
    "text_at",
    "text_of",
    "title_of",
    "value_at",
    "values_at",
    "version_of",
    "when_at",
    "with_extension",
    "without_meta",
]

_PATIENT_PATHS: Final = ("subject", "patient", "for", "beneficiary", "entity.what", "target")


_OWNER_PATHS: Final = {
    "Task": ("owner",),
    "Appointment": ("participant.actor",),
    "Schedule": ("actor",),
    "Encounter": ("participant.individual",),
    "PractitionerRole": ("practitioner",),
    "EpisodeOfCare": ("careManager",),
    "DocumentReference": ("author",),
    "Observation": ("performer",),
    "Communication": ("sender",),
    "ServiceRequest": ("performer",),
}


_START_PATHS: Final = (
    "start",
    "period.start",
    "executionPeriod.start",
    "effectiveDateTime",
    "effectivePeriod.start",
    "effectiveInstant",
    "occurrenceDateTime",
    "occurrencePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "planningHorizon.start",
    "onsetDateTime",
    "sent",
    "recorded",
    "date",
    "authoredOn",
    "issued",
)


_END_PATHS: Final = (
    "end",
    "period.end",
    "executionPeriod.end",
    "effectivePeriod.end",
    "occurrencePeriod.end",
    "performedPeriod.end",
    "planningHorizon.end",
    "abatementDateTime",
)


_CODE_PATHS: Final = ("code", "type", "medicationCodeableConcept", "vaccineCode", "category", "class")


def patient_ref_of(raw: Raw) -> str:
    """'Patient/…' a resource is about, or ''. A Patient is about itself; an Appointment by participant."""
    kind = raw.get("resourceType")
    if kind == "Patient":
        return f"Patient/{raw.get('id', '')}" if raw.get("id") else ""
    if kind in ("Appointment", "AppointmentResponse"):
        path = "participant.actor" if kind == "Appointment" else "actor"
        return ref_at(raw, path, "Patient")
    return next((r for p in _PATIENT_PATHS if (r := ref_at(raw, p, "Patient"))), "")


def owner_of(raw: Raw) -> str:
    """'Practitioner/…' (or a role or organization) that has the thing in hand, or ''."""
    return next(iter(owners_of(raw)), "")


def owners_of(raw: Raw) -> tuple[str, ...]:
    """All who have the thing in hand: two for a double-staffed visit. Patients and places left out."""
    kinds = ("Practitioner", "PractitionerRole", "Organization", "CareTeam")
    paths = _OWNER_PATHS.get(str(raw.get("resourceType")), ())
    return tuple(r for p in paths for r in refs(raw, p) if type_of(r) in kinds)


def status_of(raw: Raw) -> str:
    """`status`, or the clinical status of a condition or allergy, or ''."""
    status = raw.get("status")
    if isinstance(status, str):
        return status
    return next((c.code for c in codings(raw, "clinicalStatus")), "")


def code_of(raw: Raw) -> Coded | None:
    """The first coding that says what the resource is about."""
    return next((c for p in _CODE_PATHS for c in codings(raw, p)), None)


def title_of(raw: Raw) -> str:
    """What the resource is about, in words: description, title, or the text of its code; or ''."""
    plain = text_at(raw, "description") or text_at(raw, "title")
    return plain or next((t for p in _CODE_PATHS if (t := text_of(value_at(raw, p)))), "")


def _first_time(raw: Raw, paths: tuple[str, ...]) -> datetime | None:
    return next((w for p in paths if (w := earliest_or_none(value_at(raw, p))) is not None), None)


def start_of(raw: Raw) -> datetime | None:
    """When it begins or was done (UTC); the first instant of a date without a time."""
    return _first_time(raw, _START_PATHS)


def end_of(raw: Raw) -> datetime | None:
    """When it ends (UTC), if written."""
    return _first_time(raw, _END_PATHS)


def due_of(raw: Raw) -> datetime | None:
    """A Task's due time: restriction.period.end."""
    return earliest_or_none(value_at(raw, "restriction.period.end"))


def version_of(raw: Raw) -> str | None:
    """meta.versionId."""
    version = value_at(raw, "meta.versionId")
    return version if isinstance(version, str) else None


def last_updated_of(raw: Raw) -> datetime | None:
    """meta.lastUpdated."""
    return earliest_or_none(value_at(raw, "meta.lastUpdated"))


def is_practice(raw: Raw) -> bool:
    """Tagged as synthetic (meta.tag CODE_PRACTICE)."""
    return any(c.system == codes.CODE_PRACTICE for c in codings(raw, "meta.tag"))


def without_meta(raw: Raw) -> Raw:
    """The resource without what the record adds (meta, generated narrative): for comparing content."""
    text = raw.get("text")
    generated = isinstance(text, dict) and text.get("status") == "generated"
    return {k: v for k, v in raw.items() if k != "meta" and not (k == "text" and generated)}
