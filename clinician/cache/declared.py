"""What of each type can be asked for by index. Anything not declared here is found by reading.

Paths are dotted; lists on the way are walked. `link` is the one reference of a type that is asked for
so often that it has a column of its own; `tokens` are the rarer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clinician.fhir import codes

INDEX_VERSION: Final = "1"
"""Raise it when anything here or in `indexer` changes what is indexed; caches then rebuild theirs."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """Where the columns of one type come from. Empty: the column stays empty.

    link: (parameter name of find(token=…), path). extensions: parameter -> extension with a reference.
    """

    patient: tuple[Path, ...] = ()
    status: tuple[Path, ...] = (("status",),)
    start: tuple[Path, ...] = ()
    end: tuple[Path, ...] = ()
    owners: tuple[Path, ...] = ()
    codes: tuple[Path, ...] = (("code",),)
    link: tuple[str, Path] | None = None
    link_extension: tuple[str, str] | None = None
    tokens: tuple[tuple[str, Path], ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    named: bool = False


def _p(*paths: str) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in paths)


_BEGUN: Final = _p("period.start")
_ENDED: Final = _p("period.end")
_CLINICAL = _p("clinicalStatus.coding.code", "verificationStatus.coding.code")
_ACTIVE = _p("active")

DECLARED: Final[dict[str, Declared]] = {
    "AllergyIntolerance": Declared(
        patient=_p("patient"), status=_CLINICAL, start=_p("onsetDateTime", "recordedDate")
    ),
    "Appointment": Declared(
        patient=_p("participant.actor"),
        start=_p("start"),
        end=_p("end"),
        owners=_p("participant.actor"),
        codes=_p("serviceType", "appointmentType", "cancelationReason"),
        link_extension=("route", codes.EXT_ROUTE),
        extensions=(("replaces", codes.EXT_REPLACES),),
    ),
    "CarePlan": Declared(
        patient=_p("subject"),
        start=_BEGUN,
        end=_ENDED,
        owners=_p("author", "contributor"),
        codes=_p("category"),
        link=("supporting", ("supportingInfo",)),
    ),
    "ChargeItem": Declared(
        patient=_p("subject"),
        start=_p("occurrenceDateTime", "occurrencePeriod.start", "enteredDate"),
        owners=_p("performer.actor"),
        link=("encounter", ("context",)),
    ),
    "Communication": Declared(
        patient=_p("subject"),
        start=_p("sent", "received"),
        owners=_p("sender", "recipient"),
        codes=_p("category", "topic"),
        link=("about", ("about",)),
    ),
    "Condition": Declared(patient=_p("subject"), status=_CLINICAL, start=_p("onsetDateTime", "recordedDate")),
    "Consent": Declared(patient=_p("patient"), start=_p("dateTime"), codes=_p("scope", "category")),
    "DocumentReference": Declared(
        patient=_p("subject"),
        start=_p("date"),
        owners=_p("author"),
        codes=_p("type", "category"),
        link=("encounter", ("context", "encounter")),
        tokens=(("related", ("context", "related")),),
    ),
    "Encounter": Declared(
        patient=_p("subject"),
        start=_BEGUN,
        end=_ENDED,
        owners=_p("participant.individual"),
        codes=_p("class", "type"),
        link=("appointment", ("appointment",)),
    ),
    "EpisodeOfCare": Declared(
        patient=_p("patient"),
        start=_BEGUN,
        end=_ENDED,
        owners=_p("careManager", "managingOrganization"),
        codes=_p("type"),
        link=("organization", ("managingOrganization",)),
    ),
    "Flag": Declared(patient=_p("subject"), start=_BEGUN, end=_ENDED, owners=_p("author")),
    "Goal": Declared(
        patient=_p("subject"), status=_p("lifecycleStatus"), start=_p("startDate"), codes=_p("description")
    ),
    "MedicationAdministration": Declared(
        patient=_p("subject"),
        start=_p("effectiveDateTime", "effectivePeriod.start"),
        end=_p("effectivePeriod.end"),
        owners=_p("performer.actor"),
        codes=_p("medicationCodeableConcept"),
        link=("request", ("request",)),
    ),
    "MedicationRequest": Declared(
        patient=_p("subject"),
        start=_p("authoredOn"),
        owners=_p("requester"),
        codes=_p("medicationCodeableConcept"),
    ),
    "Observation": Declared(
        patient=_p("subject"),
        start=_p("effectiveDateTime", "effectivePeriod.start", "effectiveInstant", "issued"),
        end=_p("effectivePeriod.end"),
        owners=_p("performer"),
        link=("encounter", ("encounter",)),
    ),
    "Organization": Declared(status=_ACTIVE, codes=_p("type"), link=("partof", ("partOf",)), named=True),
    "Location": Declared(codes=_p("type"), link=("organization", ("managingOrganization",)), named=True),
    "Patient": Declared(status=_ACTIVE, start=_p("birthDate"), codes=(), named=True),
    "Practitioner": Declared(status=_ACTIVE, codes=_p("qualification.code"), named=True),
    "PractitionerRole": Declared(
        status=_ACTIVE,
        start=_BEGUN,
        end=_ENDED,
        owners=_p("practitioner", "organization"),
        link=("organization", ("organization",)),
    ),
    "Procedure": Declared(
        patient=_p("subject"),
        start=_p("performedDateTime", "performedPeriod.start"),
        end=_p("performedPeriod.end"),
        owners=_p("performer.actor"),
        link=("encounter", ("encounter",)),
    ),
    "Provenance": Declared(
        patient=_p("target"),
        start=_p("recorded"),
        owners=_p("agent.who"),
        codes=_p("activity"),
        link=("target", ("target",)),
    ),
    "QuestionnaireResponse": Declared(
        patient=_p("subject"), start=_p("authored"), owners=_p("author"), codes=()
    ),
    "RelatedPerson": Declared(patient=_p("patient"), status=_ACTIVE, codes=_p("relationship"), named=True),
    "Schedule": Declared(
        status=_ACTIVE,
        start=_p("planningHorizon.start"),
        end=_p("planningHorizon.end"),
        owners=_p("actor"),
        codes=_p("serviceType"),
        named=False,
    ),
    "ServiceRequest": Declared(
        patient=_p("subject"),
        start=_p("occurrenceDateTime", "occurrencePeriod.start", "authoredOn"),
        end=_p("occurrencePeriod.end"),
        owners=_p("performer"),
        codes=_p("category", "code"),
        link=("based-on", ("basedOn",)),
    ),
    "Task": Declared(
        patient=_p("for"),
        start=_p("executionPeriod.start", "restriction.period.end", "authoredOn"),
        end=_p("restriction.period.end", "executionPeriod.end"),
        owners=_p("owner"),
        link=("focus", ("focus",)),
    ),
}
OTHER: Final = Declared(
    patient=_p("subject", "patient", "for", "beneficiary"),
    start=_p("period.start", "effectiveDateTime", "occurrenceDateTime", "date", "authoredOn", "recorded"),
    end=_p("period.end"),
    owners=_p("author", "performer"),
    codes=_p("code", "type", "category"),
)
"""A type no module has declared more about."""

OWNER_TYPES: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "CareTeam", "HealthcareService"}
)


def of(type_: str) -> Declared:
    """The declaration of a type."""
    return DECLARED.get(type_, OTHER)


def parameters_of(type_: str) -> dict[str, str]:
    """Parameter of find(token=…) -> 'link', 'ident' or 'token', where it is kept."""
    declared = of(type_)
    found = {"identifier": "ident"} | {name: "token" for name, _ in (*declared.tokens, *declared.extensions)}
    for held in (declared.link, declared.link_extension):
        if held is not None:
            found[held[0]] = "link"
    return found
