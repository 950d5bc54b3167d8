"""Documents about a patient: a picture, a PDF or a text with its content lying apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from clinician import texts
from clinician.cache.attachment_files import Taken
from clinician.cache.attachments import NewFile
from clinician.cache.reading import Cached, Raw, Reading
from clinician.commands.act import Act, Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.documents import CODE_DOCUMENT, EXT_SHA256
from clinician.fhir.times import to_instant

L = texts.lazy("commands")
_ = texts.translator("commands")
LONGEST_TITLE: Final = 200
"""Characters."""
DOCUMENT_KINDS: Final = {
    "wound-photo": L("Wound photo"),
    "letter": L("Letter"),
    "drawing": L("Drawing or plan"),
    "consent": L("Consent"),
    "other": L("Other document"),
}
_NOT_HERE: Final = L("This person is no longer on this PC. Nothing was added. Synchronise and try again.")
_GONE: Final = L("This document is no longer on this PC. Nothing was changed. Synchronise and try again.")


@dataclass(frozen=True, slots=True)
class AttachDocument:
    """Add content taken in before (`Documents.stage`). kind: a key of DOCUMENT_KINDS.

    about_ref: 'DocumentReference/…' of the note it belongs to, or 'Appointment/…' of the visit, or ''.
    """

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.c",)

    patient_ref: str
    title: str
    kind: str
    taken: Taken
    about_ref: str = ""

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = []
        if reading.get(self.patient_ref) is None:
            problems.append(UserProblem(_NOT_HERE))
        if self.about_ref and reading.get(self.about_ref) is None:
            problems.append(UserProblem(L("What this belongs to is no longer here. Nothing was added.")))
        if not self.title.strip():
            problems.append(UserProblem(L("Give the document a name."), field="title"))
        if len(self.title) > LONGEST_TITLE:
            problems.append(UserProblem(L("The name is too long. Shorten it."), field="title"))
        if self.kind not in DOCUMENT_KINDS:
            problems.append(UserProblem(L("This kind of document is not known."), field="kind"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        binary_ref = f"Binary/{stamp.new_id()}"
        raw: Raw = {"resourceType": "DocumentReference", "id": stamp.new_id()}
        patient = reading.get(self.patient_ref)
        if patient is not None and read.is_practice(patient.raw):
            raw["meta"] = {"tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}]}
        raw |= self._elements(binary_ref, stamp)
        file = NewFile(binary_ref, f"DocumentReference/{raw['id']}", self.taken)
        return (Act("attach-document", self.patient_ref, (Change(raw),), L("Document added"), (file,)),)

    def _elements(self, binary_ref: str, stamp: Stamp) -> Raw:
        words = DOCUMENT_KINDS[self.kind].render()
        elements: Raw = {
            "status": "current",
            "docStatus": "final",
            "type": {"coding": [{"system": CODE_DOCUMENT, "code": self.kind}], "text": words},
            "subject": {"reference": self.patient_ref},
            "date": to_instant(stamp.when),
            "author": [{"reference": stamp.who.practitioner_ref}],
            "content": [{"attachment": self._attachment(binary_ref, stamp)}],
        }
        if stamp.who.workplace_ref:
            elements["custodian"] = {"reference": stamp.who.workplace_ref}
        return elements | self._about()

    def _attachment(self, binary_ref: str, stamp: Stamp) -> Raw:
        return {
            "extension": [{"url": EXT_SHA256, "valueString": self.taken.sha256}],
            "contentType": self.taken.content_type,
            "url": binary_ref,
            "size": self.taken.size,
            "hash": self.taken.sha1,
            "title": self.title.strip(),
            "creation": to_instant(stamp.when),
        }

    def _about(self) -> dict[str, Any]:
        """To a note as what is appended to it; to a visit as what it is related to."""
        if self.about_ref.startswith("DocumentReference/"):
            return {"relatesTo": [{"code": "appends", "target": {"reference": self.about_ref}}]}
        return {"context": {"related": [{"reference": self.about_ref}]}} if self.about_ref else {}


@dataclass(frozen=True, slots=True)
class WithdrawDocument:
    """Mark a document as entered in error; it stays in the list as withdrawn and is no longer shown."""

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.u",)

    document_ref: str
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        held = reading.get(self.document_ref)
        if held is None:
            return (UserProblem(_GONE),)
        problems = []
        if held.raw.get("status") == "entered-in-error":
            problems.append(UserProblem(L("This document is already withdrawn. Nothing was changed.")))
        if not self.reason.strip():
            problems.append(UserProblem(L("Write why the document is withdrawn."), field="reason"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        held: Cached | None = reading.get(self.document_ref)
        if held is None:
            raise UserProblem(_GONE)
        raw = held.raw | {
            "status": "entered-in-error",
            "docStatus": "entered-in-error",
            "description": _("Withdrawn: {reason}", reason=self.reason.strip()),
        }
        about = read.patient_ref_of(held.raw) or held.ref
        return (Act("withdraw-document", about, (Change(raw, held),), L("Document withdrawn")),)
