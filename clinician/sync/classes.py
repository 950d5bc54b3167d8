"""How each type may be merged when two people changed it (SYNC §1.8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Class(StrEnum):
    """The rule a type follows."""

    APPEND = "append-only"
    STATE = "state machine"
    SAFETY = "orders and safety"
    PEOPLE = "demographics"
    SETUP = "layouts and set-up"


_TYPES: Final[dict[Class, tuple[str, ...]]] = {
    Class.APPEND: (
        "Observation",
        "MedicationAdministration",
        "DocumentReference",
        "Communication",
        "Provenance",
        "AuditEvent",
        "DetectedIssue",
        "ChargeItem",
    ),
    Class.STATE: ("Task", "Appointment", "ServiceRequest", "EpisodeOfCare", "Encounter", "Schedule"),
    Class.PEOPLE: ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization"),
    Class.SETUP: ("Basic", "Questionnaire"),
}
_CLASS: Final = {type_: class_ for class_, types in _TYPES.items() for type_ in types}

FACTS: Final = frozenset(_TYPES[Class.APPEND]) | {"Encounter"}
"""What has happened: still sent when somebody lets the record's version of the rest stand."""

ENDED: Final = frozenset(
    {"completed", "fulfilled", "finished", "noshow", "cancelled", "rejected", "failed", "entered-in-error"}
)
"""Statuses after which nothing more is expected."""


def class_of(type_: str) -> Class:
    """The rule of a type. What is unknown is never merged by a machine."""
    return _CLASS.get(type_, Class.SAFETY)
