"""What a curve over time shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One value. `value_text` is what is said: '120/80 mmHg'."""

    key: str
    when: datetime
    value: float
    value_text: str
    detail: str = ""
    """Who, and how it was taken"""


@dataclass(frozen=True, slots=True)
class Series:
    """One curve, points in time order."""

    key: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A reference range drawn behind the curves."""

    low: float
    high: float
    words: str
