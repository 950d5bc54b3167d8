"""The person behind a role at a workplace."""

from __future__ import annotations

from clinician.access.who import Who
from clinician.fhir.codes import CODE_COMPETENCE, CODE_FUNCTION, PROFESSION
from clinician.fhir.read import codes_in, initials, name_text, ref_at, text_at
from clinician.queries.query import Cached, Reading


def who_at(reading: Reading, *, practitioner_ref: str, workplace_ref: str) -> Who | None:
    """The person as they act at this workplace; None without an active role there."""
    role = _role(reading, practitioner_ref, workplace_ref)
    person = reading.get(practitioner_ref)
    if role is None or person is None:
        return None
    workplace = reading.get(workplace_ref)
    return Who(
        practitioner_ref=practitioner_ref,
        role_ref=role.ref,
        name=name_text(person.raw),
        initials=initials(person.raw),
        workplace_ref=workplace_ref,
        workplace_name=text_at(workplace.raw, "name") if workplace is not None else "",
        professions=frozenset(codes_in(role.raw, "code", PROFESSION)),
        competences=frozenset(codes_in(role.raw, "code", CODE_COMPETENCE)),
        functions=frozenset(codes_in(role.raw, "code", CODE_FUNCTION)),
    )


def _role(reading: Reading, practitioner_ref: str, workplace_ref: str) -> Cached | None:
    for found in reading.find("PractitionerRole"):
        same_person = ref_at(found.raw, "practitioner") == practitioner_ref
        if same_person and ref_at(found.raw, "organization") == workplace_ref:
            if found.raw.get("active") is not False:
                return found
    return None
