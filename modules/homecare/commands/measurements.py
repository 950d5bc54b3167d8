"""Record measurements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician.cache.reading import Reading
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement as typed. values in the order of MeasurementKind.fields; choice for a choice."""

    kind: str
    values: tuple[float, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True)
class RecordMeasurements:
    """Sign one or more measurements taken together; `when` None is now."""

    needs: ClassVar[tuple[str, ...]] = ("Observation.c",)

    patient_ref: str
    values: tuple[Measured, ...]
    appointment_ref: str = ""
    when: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
