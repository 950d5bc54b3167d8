"""Notes about the user."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar, Final

from clinician import texts
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes
from clinician.fhir.times import to_instant
from clinician.queries.query import Reading
from modules.homecare.commands.making import concept, created, edited, encounter_of, reference, visit_at

L = texts.lazy("homecare")
_ = texts.translator("homecare")
LONGEST: Final = 100_000
"""Characters of one note."""
NOTE_KINDS: Final = {
    "visit-note": L("Visit note"),
    "daily-note": L("Daily note"),
    "handover": L("Handover"),
}
NOT_HERE: Final = L("This user is no longer on this PC. Nothing was changed. Synchronise and try again.")
_NOTE_GONE: Final = L("This note is no longer on this PC. Nothing was changed. Synchronise and try again.")


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Sign a note; kind is a code of CODE_NOTE."""

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.c",)

    patient_ref: str
    text: str
    appointment_ref: str = ""
    kind: str = "visit-note"

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = []
        if reading.get(self.patient_ref) is None:
            problems.append(UserProblem(NOT_HERE))
        if not self.text.strip():
            problems.append(
                UserProblem(L("The note is empty. Write something before you sign."), field="text")
            )
        if len(self.text) > LONGEST:
            problems.append(
                UserProblem(L("The note is too long. Divide it in two; nothing is lost."), field="text")
            )
        if self.kind not in NOTE_KINDS:
            problems.append(UserProblem(L("This kind of note is not known."), field="kind"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        patient = reading.get(self.patient_ref)
        when = to_instant(stamp.when)
        attachment = {
            "contentType": "text/plain;charset=utf-8",
            "data": base64.b64encode(self.text.strip().encode()).decode("ascii"),
            "title": NOTE_KINDS[self.kind].render(),
            "creation": when,
        }
        change = created(
            stamp,
            "DocumentReference",
            patient.raw if patient else None,
            status="current",
            docStatus="final",
            type=concept(codes.CODE_NOTE, self.kind, NOTE_KINDS[self.kind].render()),
            subject=reference(self.patient_ref),
            date=when,
            author=[reference(stamp.who.practitioner_ref)],
            custodian=reference(stamp.who.workplace_ref) if stamp.who.workplace_ref else None,
            content=[{"attachment": attachment}],
            context=self._context(reading),
        )
        return (Act("write-note", self.patient_ref, (change,), L("Note signed")),)

    def _context(self, reading: Reading) -> dict[str, object] | None:
        found = visit_at(reading, self.appointment_ref) if self.appointment_ref else None
        if found is None:
            return None
        encounter = encounter_of(reading, found[1], ("in-progress", "finished"))
        seen = {"encounter": [reference(encounter.ref)]} if encounter else {}
        return {**seen, "related": [reference(self.appointment_ref)]}


@dataclass(frozen=True, slots=True)
class WithdrawNote:
    """Mark a note as entered in error; it stays readable as withdrawn."""

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.u",)

    note_ref: str
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        cached = reading.get(self.note_ref)
        if cached is None:
            return (UserProblem(_NOTE_GONE),)
        problems = []
        if cached.raw.get("status") == "entered-in-error":
            problems.append(UserProblem(L("This note is already withdrawn. Nothing was changed.")))
        if not self.reason.strip():
            problems.append(UserProblem(L("Write why the note is withdrawn."), field="reason"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        cached = reading.get(self.note_ref)
        if cached is None:
            raise UserProblem(_NOTE_GONE)
        change = edited(
            cached,
            status="entered-in-error",
            docStatus="entered-in-error",
            description=_("Withdrawn: {reason}", reason=self.reason.strip()),
        )
        about = cached.raw.get("subject", {}).get("reference", cached.ref)
        return (Act("withdraw-note", about, (change,), L("Note withdrawn")),)
