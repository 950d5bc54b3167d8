"""What can be measured: fields, codes, units and the limits of what can be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement as typed. values in the order of the kind's fields; choice for a choice."""

    kind: str
    values: tuple[float, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a measurement that is chosen, not typed."""

    key: str
    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Field:
    """One number of a measurement. Hard limits refuse, soft limits ask."""

    name: str
    written: tuple[tuple[str, str], ...]
    """(system, code) written; the first is the primary"""
    accepted: frozenset[str]
    """'system|code' read"""
    ucum: str
    unit_text: str
    decimals: int
    hard: tuple[float, float]
    soft: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of measurement. More than one field makes a panel with components."""

    kind: str
    fields: tuple[Field, ...]
    panel: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """'system|code' an Observation of this kind may carry on top."""
        own = {code for field in self.fields for code in field.accepted}
        panel = {f"{system}|{code}" for system, code in self.panel}
        return tuple(sorted(panel or own))


@dataclass(frozen=True, slots=True)
class Fault:
    """A value outside a limit. field '' is the whole measurement. why: count, hard, soft, order, choice."""

    kind: str
    field: str
    why: str
    low: float = 0.0
    high: float = 0.0
    value: float = 0.0


def measures_from(
    rows: Iterable[Mapping[str, str]], choices: Iterable[Mapping[str, str]]
) -> dict[str, Measure]:
    """The table of resources/codes/vitals.csv and acvpu.csv, by kind, in the order of the file."""
    fields: dict[str, list[Field]] = {}
    panels: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in rows:
        fields.setdefault(row["kind"], []).append(_field(row))
        panels[row["kind"]] = _codes(row["panel_loinc"], row["panel_snomed"])
    answers: dict[str, list[Choice]] = {}
    for row in choices:
        answer = Choice(row["choice"], row["system"], row["code"], row["display"])
        answers.setdefault(row["kind"], []).append(answer)
    return {
        kind: Measure(kind, tuple(found), panels[kind], tuple(answers.get(kind, ())))
        for kind, found in fields.items()
    }


def _codes(loinc: str, snomed: str) -> tuple[tuple[str, str], ...]:
    return tuple((system, code) for system, code in ((LOINC, loinc), (SNOMED, snomed)) if code)


def _field(row: Mapping[str, str]) -> Field:
    written = _codes(row["loinc"], row["snomed"])
    return Field(
        name=row["field"],
        written=written,
        accepted=frozenset(f"{system}|{code}" for system, code in written) | frozenset(row["also"].split()),
        ucum=row["ucum"],
        unit_text=row["unit_text"],
        decimals=int(row["decimals"]),
        hard=(float(row["hard_low"]), float(row["hard_high"])),
        soft=(float(row["soft_low"]), float(row["soft_high"])),
    )


def faults(measure: Measure, measured: Measured) -> tuple[Fault, ...]:
    """Everything that cannot be true of the values: nothing is recorded before it is mended."""
    if measure.choices:
        known = {choice.key for choice in measure.choices}
        return () if measured.choice in known else (Fault(measure.kind, measure.fields[0].name, "choice"),)
    if len(measured.values) != len(measure.fields):
        return (Fault(measure.kind, "", "count"),)
    outside = tuple(
        Fault(measure.kind, field.name, "hard", *field.hard, value)
        for field, value in zip(measure.fields, measured.values, strict=True)
        if not field.hard[0] <= value <= field.hard[1]
    )
    falling = all(first > second for first, second in pairwise(measured.values))
    return outside if outside or falling else (Fault(measure.kind, measure.fields[-1].name, "order"),)


def doubts(measure: Measure, measured: Measured) -> tuple[Fault, ...]:
    """What is possible but unusual: worth asking about before it is signed."""
    if measure.choices or faults(measure, measured):
        return ()
    return tuple(
        Fault(measure.kind, field.name, "soft", *field.soft, value)
        for field, value in zip(measure.fields, measured.values, strict=True)
        if not field.soft[0] <= value <= field.soft[1]
    )
