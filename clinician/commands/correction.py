"""Taking back what the record may already have: a new act that puts things right, never a deletion.

What was changed gets its old body back; what was made becomes entered-in-error (or inactive, where
FHIR has no such status). Neither is done when somebody has changed the resource since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from clinician import texts
from clinician.cache.acts import ActRow, Entry
from clinician.cache.reading import Cached, Raw, Reading, RowState
from clinician.commands.act import Act, Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir.read import without_meta

L = texts.lazy("commands")
ANY_TYPE: Final = "*"
_IN_ERROR: Final = "entered-in-error"
_STATUS: Final = frozenset(
    {
        "Appointment",
        "CarePlan",
        "ChargeItem",
        "ClinicalImpression",
        "Communication",
        "Composition",
        "Consent",
        "DetectedIssue",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "Flag",
        "Immunization",
        "MedicationAdministration",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Procedure",
        "QuestionnaireResponse",
        "ServiceRequest",
        "Slot",
        "Task",
    }
)
"""Types whose `status` has the code entered-in-error (FHIR R4)."""
_ACTIVE: Final = frozenset(
    {"Location", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Schedule"}
)
_VERIFIED: Final = {
    "Condition": "condition-ver-status",
    "AllergyIntolerance": "allergyintolerance-verification",
}


def taken_back(raw: Raw) -> Raw | None:
    """A resource that should not have been made, as FHIR says so; None where it has no way to."""
    type_ = raw["resourceType"]
    if type_ in _STATUS:
        rest = {key: value for key, value in raw.items() if key not in ("statusReason", "cancelationReason")}
        return rest | {"status": _IN_ERROR}
    if type_ in _ACTIVE:
        return raw | {"status": "inactive"} if type_ == "Location" else raw | {"active": False}
    if type_ == "Goal":
        return raw | {"lifecycleStatus": _IN_ERROR}
    if type_ in _VERIFIED:
        system = f"http://terminology.hl7.org/CodeSystem/{_VERIFIED[type_]}"
        rest = {key: value for key, value in raw.items() if key != "clinicalStatus"}  # con-5, ait-2
        return rest | {"verificationStatus": {"coding": [{"system": system, "code": _IN_ERROR}]}}
    return None


def is_unchanged(current: Cached, entry: Entry) -> bool:
    """Whether nobody has touched a resource since the act: same version, or same content."""
    same_version = current.state == RowState.CONFIRMED and current.version_id == entry.version_after
    return (same_version and current.version_id is not None) or (
        without_meta(current.raw) == without_meta(entry.raw)
    )


@dataclass(frozen=True, slots=True)
class CorrectAct:
    """Take an act back that has been sent, or is on its way."""

    needs: ClassVar[tuple[str, ...]] = (f"{ANY_TYPE}.u",)

    op_id: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        """Every resource must be here, as the act left it, and of a type that can be taken back."""
        found = (self._problem(reading, entry) for entry in reading.entries(self.op_id))
        return tuple(problem for problem in found if problem is not None)

    def _problem(self, reading: Reading, entry: Entry) -> UserProblem | None:
        current = reading.get(entry.ref)
        if current is None:
            return UserProblem(
                L("This is no longer on this PC and cannot be taken back from here. Nothing was changed."),
                detail=entry.ref.partition("/")[0],
            )
        if not is_unchanged(current, entry):
            return UserProblem(
                L(
                    "Somebody has changed this since, so it is not taken back by itself. Nothing was "
                    "changed. Open it and write what is right."
                ),
                detail=entry.ref.partition("/")[0],
            )
        if entry.is_create and taken_back(current.raw) is None:
            return UserProblem(
                L("This kind of entry cannot be taken back. Nothing was changed."),
                detail=entry.ref.partition("/")[0],
            )
        return None

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        """One act that undoes the other, in reverse."""
        act = reading.act(self.op_id)
        assert act is not None
        entries = reversed(reading.entries(self.op_id))
        changes = tuple(_change(reading, entry) for entry in entries)
        return (Act("correct", act.aggregate, changes, correction_label(act)),)


def _change(reading: Reading, entry: Entry) -> Change:
    current = reading.get(entry.ref)
    assert current is not None
    if entry.base is None:
        raw = taken_back(current.raw)
        assert raw is not None
        return Change(raw, current)
    meta = {"meta": current.raw["meta"]} if "meta" in current.raw else {}
    return Change(without_meta(entry.base) | meta, current)


def correction_label(act: ActRow) -> texts.Text:
    """'Taken back: Visit done', in the language of whoever looks."""
    return L("Taken back: {what}", what=act.label)
