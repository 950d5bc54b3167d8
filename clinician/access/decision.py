"""Who may do what: a decision with its reason and the way out.

Roles (profession, function, competence) give letters on FHIR types; the workplace gives the patients.
A patient outside the workplace can be opened for reading with a stated reason (break-glass,
"selvautorisering"): marked, limited in time, followed up by a leader (Normen, guide on access v2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clinician import texts
from clinician.access.table import Table, shipped
from clinician.access.who import Who
from clinician.texts import Text

L = texts.lazy("access")

OPEN_FOR: Final = timedelta(hours=4)
"""How long an opening lasts. No time limit is given in the sources: a setting of the municipality."""
_READING: Final = frozenset("rs")


class Reason(StrEnum):
    """Why somebody opens a patient outside the workplace; short and clickable."""

    EMERGENCY = "emergency"
    PHONE = "phone"
    COVER = "cover"
    RECEIVING = "receiving"
    OTHER = "other"


REASONS: Final[Mapping[Reason, Text]] = {
    Reason.EMERGENCY: L("Emergency: help is needed at once"),
    Reason.PHONE: L("The person or next of kin is calling"),
    Reason.COVER: L("I cover for another zone or ward"),
    Reason.RECEIVING: L("We are about to receive the person"),
    Reason.OTHER: L("Other, in my own words"),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """One self-authorised opening. `words` is needed with OTHER. Kept and audited by whoever made it."""

    practitioner_ref: str
    patient_ref: str
    reason: Reason
    since: datetime
    words: str = ""
    lasts: timedelta = OPEN_FOR

    @property
    def until(self) -> datetime:
        """When it closes by itself."""
        return self.since + self.lasts

    def covers(self, who: Who, patient_ref: str, now: datetime) -> bool:
        """Whether it opens this patient for this person now."""
        return (
            self.practitioner_ref == who.practitioner_ref
            and self.patient_ref == patient_ref
            and self.since <= now < self.until
        )

    def problem(self) -> Text | None:
        """What is missing before it may be used."""
        if self.reason is Reason.OTHER and len(self.words.strip()) < 5:
            return L("Say in a few words why. A leader will read it.")
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """allowed, why, and what helps when it is no. grant: id of the rule that said yes, for the audit."""

    allowed: bool
    reason: Text
    way_out: Text | None = None
    grant: str = ""
    by_opening: bool = False


_THINGS: Final[Mapping[str, Text]] = {
    "AllergyIntolerance": L("allergies"),
    "Appointment": L("visits and appointments"),
    "AuditEvent": L("the access log"),
    "CarePlan": L("care plans"),
    "ChargeItem": L("charges"),
    "Claim": L("claims"),
    "Communication": L("messages"),
    "Condition": L("conditions"),
    "DocumentReference": L("notes and documents"),
    "Encounter": L("visits carried out"),
    "EpisodeOfCare": L("who belongs to the service"),
    "Flag": L("warnings and key information"),
    "MedicationAdministration": L("given medication"),
    "MedicationRequest": L("prescriptions"),
    "Observation": L("measurements"),
    "Patient": L("personal data"),
    "PractitionerRole": L("staff and absence"),
    "RelatedPerson": L("next of kin"),
    "Schedule": L("routes"),
    "ServiceRequest": L("decisions on services"),
    "Task": L("tasks"),
}
_DOINGS: Final[Mapping[str, Text]] = {
    "c": L("make new {things}"),
    "r": L("see {things}"),
    "u": L("change {things}"),
    "s": L("search {things}"),
}
_HELPERS: Final[Mapping[str, Text]] = {
    "workplace": L("Anyone with a role at the workplace can do it."),
    "care": L("Ask someone who gives care."),
    "nurse": L("Ask a nurse."),
    "medication": L("Ask someone with medication competence."),
    "doctor": L("Ask the doctor."),
    "therapist": L("Ask a therapist."),
    "coordinator": L("Ask the coordinator."),
    "case-worker": L("Ask the case office."),
    "superuser": L("Ask the superuser."),
}
_ASK: Final = L("Ask the workplace's leader.")
_OPEN: Final = L("Open with a reason")


def decide(
    who: Who,
    action: str,
    ref: str = "",
    *,
    in_scope: bool | None = None,
    opening: Opening | None = None,
    now: datetime | None = None,
    table: Table | None = None,
) -> Decision:
    """Whether `who` may do `action` ('Appointment.u', 'Task.cu') to `ref` ('Patient/…' it is about, or '').

    in_scope: whether the patient belongs to the workplace; None where only what belongs to it can be
    reached (the cache of the workplace). opening: a break-glass opening, judged at `now`. Raises
    ValueError for an action that is none: a mistake in the program, not of the person.
    """
    rules = table or shipped()
    type_, mark, letters = action.partition(".")
    if not mark or not letters or set(letters) - set("cruds"):
        raise ValueError(f"{action!r} is no action")
    if not who.role_ref:
        return Decision(False, L("You have no role at this workplace."), _ASK)
    if "d" in letters:
        return Decision(
            False,
            L("Nothing is deleted from a record. What is wrong is marked as entered in error."),
            L("Mark it as entered in error"),
        )
    decision = _by_role(rules, who, type_, letters)
    if not decision.allowed or in_scope is not False or type_ not in rules.patient_types:
        return decision
    return _outside(decision, who, letters, ref, opening, now)


def _by_role(rules: Table, who: Who, type_: str, letters: str) -> Decision:
    used = ""
    for letter in letters:
        granting = (g for g in rules.grants if g.covers(type_, letter) and g.holds_for(who))
        found = next(granting, None)
        if found is None:
            return _refusal(rules, type_, letter)
        used = found.id
    return Decision(True, L("Your role includes it."), grant=used)


def _refusal(rules: Table, type_: str, letter: str) -> Decision:
    doing = _DOINGS[letter]
    things = _THINGS.get(type_, type_)
    what = Text(doing.domain, doing.msgid, {"things": things})
    helper = next((_HELPERS[g] for g in rules.who_may(type_, letter) if g in _HELPERS), _ASK)
    return Decision(False, L("Your role here does not let you {what}.", what=what), helper)


def _outside(
    by_role: Decision, who: Who, letters: str, ref: str, opening: Opening | None, now: datetime | None
) -> Decision:
    if opening is None or now is None:
        return Decision(False, L("This person does not belong to your workplace."), _OPEN)
    if opening.problem() is not None or not opening.covers(who, ref, now):
        return Decision(False, L("The opening does not hold for this person, or its time is over."), _OPEN)
    if set(letters) - _READING:
        return Decision(
            False,
            L("A person opened with a reason can be read, not changed."),
            L("Ask the person's own workplace."),
        )
    return Decision(True, L("Opened with a reason. A leader follows it up."), None, by_role.grant, True)
