"""NEWS2 from one complete set of measurements (Royal College of Physicians 2017; resources/codes/news2.json).

For adults from 16 years, not pregnant. Scale 2 for oxygen saturation is a documented clinical
decision and is never chosen here. Nothing is scored from a partial set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

PARTS: Final = ("respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature")
"""The seven parameters of a complete set, in the order of the chart."""
SET_WITHIN: Final = timedelta(minutes=60)
"""Measurements belong to one set when they lie within this of its first."""
ADULT: Final = 16

Value = float | str


@dataclass(frozen=True, slots=True)
class Band:
    """Points for low..high, both included; None is open."""

    low: float | None
    high: float | None
    points: int

    def holds(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Table:
    """The score table as data."""

    respiration: tuple[Band, ...]
    spo2_scale1: tuple[Band, ...]
    spo2_scale2_air: tuple[Band, ...]
    spo2_scale2_oxygen: tuple[Band, ...]
    oxygen: Mapping[str, int]
    systolic: tuple[Band, ...]
    pulse: tuple[Band, ...]
    consciousness: Mapping[str, int]
    temperature: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """total 0–20; band low, low-medium, medium or high; points by part in the order of PARTS."""

    total: int
    band: str
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """One measured parameter: a number, or a code of ACVPU, or 'air'/'oxygen'."""

    part: str
    value: Value
    when: datetime
    ref: str = ""


@dataclass(frozen=True, slots=True)
class SignSet:
    """Measurements taken together. `signs` holds the last of each part."""

    when: datetime
    signs: Mapping[str, Sign]

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts without which there is no score."""
        return tuple(part for part in PARTS if part not in self.signs)


def table_from(raw: Mapping[str, Any]) -> Table:
    """The table of resources/codes/news2.json. KeyError when a part is missing."""
    parts = raw["parameters"]
    scale2 = parts["spo2_scale2"]
    return Table(
        respiration=_bands(parts["respiration_rate"]["bands"]),
        spo2_scale1=_bands(parts["spo2_scale1"]["bands"]),
        spo2_scale2_air=_bands([*scale2["bands_any"], *scale2["bands_on_air"]]),
        spo2_scale2_oxygen=_bands([*scale2["bands_any"], *scale2["bands_on_oxygen"]]),
        oxygen=dict(parts["oxygen"]),
        systolic=_bands(parts["systolic_bp"]["bands"]),
        pulse=_bands(parts["pulse"]["bands"]),
        consciousness=dict(parts["consciousness"]),
        temperature=_bands(parts["temperature"]["bands"]),
    )


def _bands(rows: Iterable[Sequence[Any]]) -> tuple[Band, ...]:
    return tuple(Band(low, high, int(points)) for low, high, points in rows)


def score(table: Table, values: Mapping[str, Value], *, scale2: bool) -> Score:
    """The score of one complete set. ValueError when a part is missing or cannot be read."""
    missing = [part for part in PARTS if part not in values]
    if missing:
        raise ValueError(f"no score without {', '.join(missing)}")
    parts = tuple((part, _points(table, part, values, scale2=scale2)) for part in PARTS)
    total = sum(points for _, points in parts)
    return Score(total, _band(total, worst=max(points for _, points in parts)), parts)


def _points(table: Table, part: str, values: Mapping[str, Value], *, scale2: bool) -> int:
    value = values[part]
    if part in ("oxygen", "consciousness"):
        choices: Mapping[str, int] = getattr(table, part)
        if value not in choices:
            raise ValueError(f"{part} is not one of {', '.join(choices)}")
        return choices[str(value)]
    bands = _spo2(table, values["oxygen"], scale2=scale2) if part == "spo2" else getattr(table, part)
    return _in_bands(bands, rounded(float(value), 1 if part == "temperature" else 0))


def _spo2(table: Table, oxygen: Value, *, scale2: bool) -> tuple[Band, ...]:
    if not scale2:
        return table.spo2_scale1
    return table.spo2_scale2_oxygen if oxygen == "oxygen" else table.spo2_scale2_air


def _in_bands(bands: tuple[Band, ...], value: float) -> int:
    for band in bands:
        if band.holds(value):
            return band.points
    raise ValueError("the value lies in no band")


def rounded(value: float, decimals: int) -> float:
    """Half up, as a person rounds: 35.05 is 35.1."""
    step = Decimal(1).scaleb(-decimals)
    return float(Decimal(str(value)).quantize(step, ROUND_HALF_UP))


def _band(total: int, *, worst: int) -> str:
    if total >= 7:
        return "high"
    if total >= 5:
        return "medium"
    return "low-medium" if worst == 3 else "low"


def is_adult(birth: date | None, day: date) -> bool:
    """Whether NEWS2 applies by age. An unknown birth date is no adult."""
    if birth is None:
        return False
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)) >= ADULT


def sets(signs: Iterable[Sign]) -> tuple[SignSet, ...]:
    """Measurements grouped into sets, oldest first. Complete or not: see SignSet.missing."""
    found: list[SignSet] = []
    first: datetime | None = None
    current: dict[str, Sign] = {}
    for sign in sorted(signs, key=lambda s: (s.when, s.part, s.ref)):
        if first is None or sign.when - first > SET_WITHIN:
            if current:
                found.append(_set_of(current))
            first, current = sign.when, {}
        current[sign.part] = sign
    if current:
        found.append(_set_of(current))
    return tuple(found)


def _set_of(signs: dict[str, Sign]) -> SignSet:
    return SignSet(max(sign.when for sign in signs.values()), dict(signs))
