"""Record measurements: one Observation per kind, blood pressure as a panel with components."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from clinician import texts
from clinician.commands.act import Act, Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes
from clinician.fhir.times import to_instant
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare import facts, labels
from modules.homecare.commands.making import created, encounter_of, reference, visit_at
from modules.homecare.commands.notes import NOT_HERE
from modules.homecare.rules.measures import Fault, Field, Measure, Measured, faults
from modules.homecare.words import number_text

__all__ = ["Measured", "RecordMeasurements"]

L = texts.lazy("homecare")
SLIP: Final = timedelta(minutes=5)
_VITAL: Final = [
    {"coding": [{"system": codes.OBSERVATION_CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]}
]


@dataclass(frozen=True, slots=True)
class RecordMeasurements:
    """Sign one or more measurements taken together; `when` None is now.

    Hard limits refuse (UserProblem.field is 'kind.field'); for soft limits ask first with
    rules.measures.doubts or queries.measurement_doubts.
    """

    needs: ClassVar[tuple[str, ...]] = ("Observation.c",)

    patient_ref: str
    values: tuple[Measured, ...]
    appointment_ref: str = ""
    when: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = []
        if reading.get(self.patient_ref) is None:
            problems.append(UserProblem(NOT_HERE))
        if not self.values:
            problems.append(UserProblem(L("No value is filled in.")))
        if len({one.kind for one in self.values}) < len(self.values):
            problems.append(UserProblem(L("The same measurement is filled in twice.")))
        if self.when is not None and self.when > stamp.when + SLIP:
            problems.append(UserProblem(L("A measurement cannot lie in the future."), field="when"))
        for one in self.values:
            problems += _problems(one)
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        patient = reading.get(self.patient_ref)
        encounter = self._encounter(reading)
        changes = tuple(self._observation(one, stamp, patient, encounter) for one in self.values)
        label = L("{kinds} measured", kinds=_Kinds(tuple(one.kind for one in self.values)))
        return (Act("measure", self.patient_ref, changes, label),)

    def _encounter(self, reading: Reading) -> Raw | None:
        found = visit_at(reading, self.appointment_ref) if self.appointment_ref else None
        encounter = encounter_of(reading, found[1], ("in-progress", "finished")) if found else None
        return reference(encounter.ref) if encounter else None

    def _observation(
        self, one: Measured, stamp: Stamp, patient: Cached | None, encounter: Raw | None
    ) -> Change:
        measure = facts.measures()[one.kind]
        return created(
            stamp,
            "Observation",
            patient.raw if patient else None,
            status="final",
            category=_VITAL,
            code=_code(measure.panel or measure.fields[0].written, labels.MEASURES[one.kind].render()),
            subject=reference(self.patient_ref),
            encounter=encounter,
            effectiveDateTime=to_instant(self.when or stamp.when),
            issued=to_instant(stamp.when),
            performer=[reference(stamp.who.practitioner_ref)],
            **_value(measure, one),
        )


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Names of measurements, in the language in force when shown."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(labels.MEASURES[key].render() for key in self.keys)


def _problems(one: Measured) -> list[UserProblem]:
    measure = facts.measures().get(one.kind)
    if measure is None:
        return [UserProblem(L("This measurement is not known."), field=one.kind)]
    return [
        UserProblem(fault_text(measure, fault), field=f"{one.kind}.{fault.field}")
        for fault in faults(measure, one)
    ]


def fault_text(measure: Measure, fault: Fault) -> texts.Text:
    """What is wrong with a value and what to do."""
    if fault.why == "choice":
        return L("Choose one of the answers.")
    if fault.why == "count":
        return L("Fill in every field of this measurement.")
    if fault.why == "order":
        return L("The upper pressure must be higher than the lower.")
    field = next(f for f in measure.fields if f.name == fault.field)
    limits = {
        "low": number_text(fault.low, field.decimals),
        "high": number_text(fault.high, field.decimals),
        "unit": field.unit_text,
    }
    if fault.why == "soft":
        value = number_text(fault.value, field.decimals)
        return L("{value} {unit} is unusual (usual {low}–{high}). Is it right?", value=value, **limits)
    return L("This cannot be right: it must lie between {low} and {high} {unit}. Measure again.", **limits)


def _code(written: tuple[tuple[str, str], ...], text: str) -> Raw:
    return {"coding": [{"system": system, "code": code} for system, code in written], "text": text}


def _quantity(field: Field, value: float) -> Raw:
    number: Any = round(value, field.decimals) if field.decimals else round(value)
    return {"value": number, "unit": field.unit_text, "system": codes.UCUM, "code": field.ucum}


def _value(measure: Measure, one: Measured) -> dict[str, Any]:
    if measure.choices:
        answer = next(choice for choice in measure.choices if choice.key == one.choice)
        coding = {"system": answer.system, "code": answer.code, "display": answer.display}
        return {"valueCodeableConcept": {"coding": [coding], "text": labels.CHOICES[answer.key].render()}}
    quantities = [_quantity(field, value) for field, value in zip(measure.fields, one.values, strict=True)]
    if not measure.panel:
        return {"valueQuantity": quantities[0]}
    return {
        "component": [
            {"code": _code(field.written, labels.FIELDS[field.name].render()), "valueQuantity": quantity}
            for field, quantity in zip(measure.fields, quantities, strict=True)
        ]
    }
