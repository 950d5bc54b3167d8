"""Measurements as points, last values, NEWS2 sets and forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import read
from clinician.queries.query import Cached, Raw, Reading, query
from modules.homecare import facts, labels
from modules.homecare.commands.measurements import fault_text
from modules.homecare.queries.loading import flag_code, flags_by_patient, names_of
from modules.homecare.rows import MeasurementField, MeasurementKind, MeasurementPoint, News2Row, ValueRow
from modules.homecare.rules import news2
from modules.homecare.rules.measures import Field, Measure, Measured, doubts
from modules.homecare.words import MINUS, number_text, when_text

_ = texts.translator("homecare")

NEWS2_BACK: Final = timedelta(days=30)
JUMP: Final = {"weight": 3.0}
"""A change since last time worth asking about, by kind."""
_VALID: Final = ("final", "amended", "corrected", "preliminary")
_PARTS: Final = {"blood-pressure": "systolic"}
_UCUM_SAME: Final = {
    "mm[Hg]": {"mm[Hg]", "mmHg", "mm Hg"},
    "/min": {"/min", "{beats}/min", "{Beats}/min", "1/min", "bpm"},
    "Cel": {"Cel", "°C", "C"},
    "mmol/L": {"mmol/L", "mmol/l"},
}


@query(watches=("Observation",), audit="patient_ref")
def measurement_points(
    reading: Reading, *, patient_ref: str, kind: str, since: datetime | None = None
) -> tuple[MeasurementPoint, ...]:
    """Points in time order; blood pressure gives two series. Other units than ours are left out."""
    measure = facts.measures().get(kind)
    if measure is None or measure.choices:
        return ()
    found = tuple(_observations(reading, patient_ref, measure, since=since))
    names = names_of(
        reading, (read.ref_at(one.raw, "performer") for one in found), (one.raw for one in found)
    )
    points = []
    for one in found:
        when = read.start_of(one.raw)
        author = names.get(read.ref_at(one.raw, "performer"), "")
        for field in measure.fields:
            value = number_of(one.raw, measure, field)
            if value is not None and when is not None:
                words = f"{number_text(value, field.decimals)} {field.unit_text}"
                points.append(
                    MeasurementPoint(
                        f"{one.ref}#{field.name}", field.name, when, value, field.unit_text, words, author
                    )
                )
    return tuple(points)


@query(watches=())
def measurement_kinds(reading: Reading) -> tuple[MeasurementKind, ...]:
    """The forms M may open, with units and limits. Fixed; nothing is read."""
    return tuple(kind_row(measure) for measure in facts.measures().values())


def kind_row(measure: Measure) -> MeasurementKind:
    """One form."""
    fields = tuple(
        MeasurementField(
            name=field.name,
            label=labels.label(labels.FIELDS, field.name),
            unit_text=field.unit_text,
            decimals=field.decimals,
            hard_low=field.hard[0],
            hard_high=field.hard[1],
            soft_low=field.soft[0],
            soft_high=field.soft[1],
            choices=tuple((c.key, labels.label(labels.CHOICES, c.key)) for c in measure.choices),
        )
        for field in measure.fields
    )
    return MeasurementKind(measure.kind, labels.label(labels.MEASURES, measure.kind), fields)


@query(watches=("Observation",), audit="patient_ref")
def measurement_doubts(
    reading: Reading, *, patient_ref: str, values: tuple[Measured, ...]
) -> tuple[str, ...]:
    """Questions to ask before signing: unusual, or far from last time. () when nothing is odd."""
    found = []
    for one in values:
        measure = facts.measures().get(one.kind)
        if measure is None:
            continue
        found += [fault_text(measure, fault).render() for fault in doubts(measure, one)]
        found += _jump(reading, patient_ref, measure, one)
    return tuple(found)


def _jump(reading: Reading, patient_ref: str, measure: Measure, one: Measured) -> list[str]:
    limit, field = JUMP.get(one.kind), measure.fields[0]
    if limit is None or not one.values:
        return []
    last = next(_observations(reading, patient_ref, measure, newest=1), None)
    before = number_of(last.raw, measure, field) if last else None
    if before is None or abs(one.values[0] - before) <= limit:
        return []
    shown = number_text(before, field.decimals)
    return [_("Last time it was {before} {unit}. Is it right?", before=shown, unit=field.unit_text)]


def _observations(
    reading: Reading, patient_ref: str, measure: Measure, *, since: datetime | None = None, newest: int = 0
) -> Iterator[Cached]:
    """Valid observations of one kind; oldest first, or the `newest` latest."""
    return reading.find(
        "Observation",
        patient=patient_ref,
        code=measure.codes,
        status=_VALID,
        start_from=since,
        descending=newest > 0,
        limit=newest or None,
    )


def number_of(observation: Raw, measure: Measure, field: Field) -> float | None:
    """The value of a field in our unit; None when it is absent or in a unit we do not know."""
    if measure.panel:
        parts = (p for p in observation.get("component") or () if isinstance(p, dict))
        held = next((p for p in parts if any(c.key in field.accepted for c in read.codings(p, "code"))), {})
    else:
        held = observation
    quantity = held.get("valueQuantity")
    if not isinstance(quantity, dict) or quantity.get("comparator"):
        return None
    value, unit = quantity.get("value"), quantity.get("code") or quantity.get("unit") or field.ucum
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if unit in _UCUM_SAME.get(field.ucum, {field.ucum}):
        return float(value)
    return _converted(float(value), str(unit), field.ucum)


def _converted(value: float, unit: str, wanted: str) -> float | None:
    """Units that can be turned into ours without doubt."""
    if (unit, wanted) == ("g", "kg"):
        return value / 1000
    if (unit, wanted) == ("[lb_av]", "kg"):
        return value * 0.45359237
    if (unit, wanted) == ("[degF]", "Cel"):
        return (value - 32) / 1.8
    return value / 18.0182 if (unit, wanted) == ("mg/dL", "mmol/L") else None


def choice_of(observation: Raw, measure: Measure) -> str:
    """The answer of a chosen measurement: A, C, V, P, U, air or oxygen; '' when unknown."""
    held = {(c.system, c.code) for c in read.codings(observation, "valueCodeableConcept")}
    return next((c.key for c in measure.choices if (c.system, c.code) in held), "")


def last_values(reading: Reading, patient_ref: str, now: datetime) -> tuple[ValueRow, ...]:
    """The last value of each kind with its change since the one before."""
    rows = []
    for measure in facts.measures().values():
        found = tuple(_observations(reading, patient_ref, measure, newest=2))
        if not found:
            continue
        words = value_text(found[0].raw, measure)
        if words:
            rows.append(
                ValueRow(
                    key=f"{patient_ref}#{measure.kind}",
                    label=labels.label(labels.MEASURES, measure.kind),
                    value_text=words,
                    when_text=when_text(read.start_of(found[0].raw), now),
                    change_text=_change(found, measure),
                )
            )
    return tuple(rows)


def value_text(observation: Raw, measure: Measure) -> str:
    """'142/88 mmHg', '37,5 °C', 'Våken'; '' when there is nothing we can read."""
    if measure.choices:
        chosen = choice_of(observation, measure)
        return labels.label(labels.CHOICES, chosen) if chosen else ""
    numbers = [number_of(observation, measure, field) for field in measure.fields]
    if any(number is None for number in numbers):
        return ""
    shown = [number_text(n or 0.0, f.decimals) for n, f in zip(numbers, measure.fields, strict=True)]
    return f"{'/'.join(shown)} {measure.fields[0].unit_text}".strip()


def _change(found: tuple[Cached, ...], measure: Measure) -> str:
    if len(found) < 2 or measure.choices:
        return ""
    parts = []
    for field in measure.fields:
        new, old = (number_of(one.raw, measure, field) for one in found)
        if new is None or old is None:
            return ""
        shown = number_text(abs(new - old), field.decimals)
        is_same = float(f"{new - old:.{field.decimals}f}") == 0
        parts.append("±0" if is_same else f"{'+' if new > old else MINUS}{shown}")
    return "/".join(parts)


def signs_of(reading: Reading, patient_ref: str, since: datetime) -> Iterator[news2.Sign]:
    """What NEWS2 is made of, from single measurements with a clock time; a day alone is no moment."""
    for measure in facts.measures().values():
        part = _PARTS.get(measure.kind, measure.kind)
        if part not in news2.PARTS:
            continue
        for one in _observations(reading, patient_ref, measure, since=since):
            value = choice_of(one.raw, measure) if measure.choices else _first_number(one.raw, measure)
            when, written = read.start_of(one.raw), read.text_at(one.raw, "effectiveDateTime")
            if value not in ("", None) and when is not None and "T" in written:
                assert value is not None
                yield news2.Sign(part, value, when, one.ref)


def _first_number(observation: Raw, measure: Measure) -> float | None:
    return number_of(observation, measure, measure.fields[0])


def news2_rows(reading: Reading, patient_ref: str, now: datetime) -> tuple[tuple[News2Row, ...], str]:
    """Scores of complete sets, newest first; and what the newest incomplete set lacks, in words.

    Scale 2 only where a Flag 'spo2-scale-2' in force says a clinician decided it.
    """
    patient = reading.get(patient_ref)
    born = read.birth_date(patient.raw) if patient else None
    flags = flags_by_patient(reading, [patient_ref], now).get(patient_ref, [])
    scale2 = any(flag_code(flag.raw) == "spo2-scale-2" for flag in flags)
    found = news2.sets(signs_of(reading, patient_ref, now - NEWS2_BACK))
    rows = tuple(
        _news2_row(one, scale2=scale2)
        for one in reversed(found)
        if not one.missing and news2.is_adult(born.exact if born else None, oslo(one.when).date())
    )
    return rows, _lacking(found)


def _news2_row(one: news2.SignSet, *, scale2: bool) -> News2Row:
    score = news2.score(facts.news2_table(), {k: s.value for k, s in one.signs.items()}, scale2=scale2)
    parts = ", ".join(
        f"{labels.label(labels.FIELDS, part).lower()} {points}" for part, points in score.parts if points
    )
    scale = _("SpO₂ scale 2") if scale2 else _("SpO₂ scale 1")
    return News2Row(
        key="news2:" + one.signs["respiration"].ref,
        when=one.when.astimezone(UTC),
        when_text=oslo(one.when).strftime("%d.%m.%Y %H:%M"),
        score=score.total,
        band=score.band,
        band_text=labels.label(labels.NEWS2_BANDS, score.band),
        parts_text="; ".join(part for part in (parts, scale) if part),
    )


def _lacking(found: tuple[news2.SignSet, ...]) -> str:
    """What the newest set lacks, once somebody has begun one (three parts or more)."""
    if not found or not found[-1].missing or len(found[-1].signs) < 3:
        return ""
    names = ", ".join(labels.label(labels.FIELDS, part).lower() for part in found[-1].missing)
    return _("NEWS2 not calculated: {names} not measured", names=names)
