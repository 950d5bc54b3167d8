"""Staff of a workplace, and what a person may be there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clinician import texts
from clinician.access.who import Who
from clinician.fhir import codes, read
from clinician.queries.patients import hue_of, name_of
from clinician.queries.query import Cached, Raw, Reading, query

_ = texts.translator("queries")


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One person with a role at the workplace. role_ref: 'PractitionerRole/…'."""

    key: str
    name: str
    initials: str
    hue: int
    profession_text: str
    role_ref: str
    functions: frozenset[str]
    competences: frozenset[str]


@query(watches=("Practitioner", "PractitionerRole"))
def staff_of(reading: Reading, *, workplace_ref: str) -> tuple[StaffRow, ...]:
    """Everybody with an active role at the workplace, by name as the alphabet has it."""
    roles: dict[str, list[Cached]] = {}
    for role in _roles(reading, workplace_ref):
        roles.setdefault(read.ref_at(role.raw, "practitioner"), []).append(role)
    people = reading.get_many(roles)
    ranked = sorted(people.items(), key=lambda item: _alphabet(read.name_sorted(item[1].raw)))
    return tuple(_row(ref, person.raw, roles[ref]) for ref, person in ranked)


def who_at(reading: Reading, *, practitioner_ref: str, workplace_ref: str) -> Who | None:
    """What a person is at a workplace; None without an active role there. Roles there are put together."""
    roles = [
        role
        for role in _roles(reading, workplace_ref)
        if read.ref_at(role.raw, "practitioner") == practitioner_ref
    ]
    person = reading.get(practitioner_ref)
    if person is None or not roles:
        return None
    place = reading.get(workplace_ref)
    return Who(
        practitioner_ref=practitioner_ref,
        role_ref=roles[0].ref,
        name=name_of(person.raw),
        initials=read.initials(person.raw),
        workplace_ref=workplace_ref,
        workplace_name=read.name_text(place.raw) if place is not None else "",
        professions=_held(roles, codes.PROFESSION),
        competences=_held(roles, codes.CODE_COMPETENCE),
        functions=_held(roles, codes.CODE_FUNCTION),
    )


def _roles(reading: Reading, workplace_ref: str) -> list[Cached]:
    found = reading.find("PractitionerRole", token=("organization", workplace_ref), order="id")
    return [role for role in found if role.raw.get("active") is not False]


def _held(roles: Iterable[Cached], system: str) -> frozenset[str]:
    return frozenset(code for role in roles for code in read.codes_in(role.raw, "code", system))


def _row(ref: str, person: Raw, roles: list[Cached]) -> StaffRow:
    return StaffRow(
        ref,
        name_of(person),
        read.initials(person),
        hue_of(person),
        _profession(roles),
        roles[0].ref,
        _held(roles, codes.CODE_FUNCTION),
        _held(roles, codes.CODE_COMPETENCE),
    )


def _profession(roles: list[Cached]) -> str:
    """In words; the display the record gives for a profession not known here."""
    found = [c for role in roles for c in read.codings(role.raw, "code") if c.system == codes.PROFESSION]
    known = profession_texts()
    return ", ".join(dict.fromkeys(known.get(c.code) or c.display or c.code for c in found)) or _("Assistant")


def profession_texts() -> dict[str, str]:
    """Code of 9060 -> words (source: Volven 9060, categories of health personnel)."""
    return {
        "SP": _("Nurse"),
        "HF": _("Health care worker"),
        "HP": _("Auxiliary nurse"),
        "OA": _("Care worker"),
        "VP": _("Social educator"),
        "LE": _("Doctor"),
        "FT": _("Physiotherapist"),
        "ET": _("Occupational therapist"),
        "JO": _("Midwife"),
        "PS": _("Psychologist"),
    }


def _alphabet(name: str) -> str:
    """Norwegian order: æ, ø and å (and aa) after z."""
    order = str.maketrans({"æ": "{", "ä": "{", "ø": "|", "ö": "|", "å": "}"})
    return name.casefold().replace("aa", "å").translate(order)
