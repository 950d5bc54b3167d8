"""Measurements: forms, curves, NEWS2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MeasurementPoint:
    """One value on a curve. `series` tells systolic from diastolic."""

    key: str
    series: str
    when: datetime
    value: float
    unit: str
    value_text: str
    author: str


@dataclass(frozen=True, slots=True)
class News2Row:
    """A score from one complete set of measurements; never from a partial one."""

    key: str
    when: datetime
    when_text: str
    score: int
    band: str
    """low, low-medium, medium, high"""
    band_text: str
    parts_text: str


@dataclass(frozen=True, slots=True)
class MeasurementField:
    """One number or one choice of a measurement form."""

    name: str
    """systolic, diastolic, pulse …"""
    label: str
    unit_text: str
    """'mmHg', '/min', '°C', '%', 'kg', 'mmol/l', '' for a choice"""
    decimals: int
    hard_low: float
    hard_high: float
    """Outside these nothing is recorded: it is a slip of the hand"""
    soft_low: float
    soft_high: float
    """Outside these the person is asked once more (rules.plausibility.doubts)"""
    choices: tuple[tuple[str, str], ...] = ()
    """(code, words) where a choice is made instead of a number typed"""


@dataclass(frozen=True, slots=True)
class MeasurementKind:
    """A measurement that can be recorded; the order of fields is the order of Measured.values."""

    key: str
    """blood-pressure, pulse, temperature, respiration, spo2, weight, glucose, consciousness, oxygen"""
    label: str
    fields: tuple[MeasurementField, ...]
