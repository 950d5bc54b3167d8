"""Notes about the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clinician.cache.reading import Reading
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Sign a note; kind is a code of CODE_NOTE."""

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.c",)

    patient_ref: str
    text: str
    appointment_ref: str = ""
    kind: str = "visit-note"

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class WithdrawNote:
    """Mark a note as entered in error; it stays readable as withdrawn."""

    needs: ClassVar[tuple[str, ...]] = ("DocumentReference.u",)

    note_ref: str
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
