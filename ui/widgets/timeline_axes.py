"""Readable axes for curves over time: round instants, Norwegian words, decimal comma. No widget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from babel.dates import format_date

from clinician import texts
from clinician.clock import OSLO, oslo

_BABEL: Final = {"nb": "nb_NO", "nn": "nn_NO", "en": "en_GB"}
_HOURS: Final = (1, 2, 3, 6, 12)
_DAYS: Final = (1, 2, 7, 14)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60)


def day_words(day: date) -> str:
    """'man 3. mars' in the language in force."""
    locale = _BABEL[texts.language()]
    weekday = format_date(day, "EEE", locale=locale).rstrip(".")
    return (
        f"{weekday} {format_date(day, 'd. MMM' if locale != 'en_GB' else 'd MMM', locale=locale).rstrip('.')}"
    )


def moment_words(when: datetime) -> str:
    """'man 3. mars 08:12'."""
    local = oslo(when)
    return f"{day_words(local.date())} {local:%H:%M}"


def number_words(value: float, decimals: int) -> str:
    """'37,5' with a decimal comma (a point in English) and a true minus sign."""
    text = f"{abs(value):.{decimals}f}".replace(".", "." if texts.language() == "en" else ",")
    return f"−{text}" if value < 0 and float(f"{value:.{decimals}f}") != 0 else text


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=OSLO)


def _hour_ticks(low: datetime, high: datetime, hours: int) -> list[datetime]:
    at, out = _midnight(low.date()), []
    while at <= high:
        if at >= low:
            out.append(at)
        at += timedelta(hours=hours)  # wall clock: ticks stand at round Norwegian hours
    return out


def _day_ticks(low: datetime, high: datetime, days: int) -> list[datetime]:
    first = low.date()
    if days >= 7:
        first -= timedelta(days=first.weekday())  # weeks begin on Mondays
    out: list[datetime] = []
    while _midnight(first) <= high:
        if _midnight(first) >= low:
            out.append(_midnight(first))
        first += timedelta(days=days)
    return out


def _month_ticks(low: datetime, high: datetime, months: int) -> list[datetime]:
    number = (low.year * 12 + low.month - 1) // months * months
    out: list[datetime] = []
    while True:
        at = _midnight(date(number // 12, number % 12 + 1, 1))
        if at > high:
            return out
        if at >= low:
            out.append(at)
        number += months


def date_ticks(low: datetime, high: datetime, most: int) -> tuple[tuple[datetime, str], ...]:
    """At most `most` (≥ 2) round instants between two, each with its words."""
    low, high, most = oslo(low), oslo(high), max(2, most)
    span = max((high - low).total_seconds(), 1.0)
    for hours in _HOURS:
        if span / 3600 / hours <= most - 1 and span <= 2 * 86_400:
            ticks = _hour_ticks(low, high, hours)
            return tuple((at, day_words(at.date()) if at.hour == 0 else f"{at:%H:%M}") for at in ticks)
    for days in _DAYS:
        if span / 86_400 / days <= most:
            return tuple((at, day_words(at.date())) for at in _day_ticks(low, high, days))
    locale = _BABEL[texts.language()]
    for months in _MONTHS:
        if span / 86_400 / 30 / months <= most - 1 or months == _MONTHS[-1]:
            ticks = _month_ticks(low, high, months)
            pattern = "y" if months >= 12 else "MMM y"
            return tuple((at, format_date(at.date(), pattern, locale=locale)) for at in ticks)
    return ()


def value_ticks(low: float, high: float, most: int) -> tuple[tuple[float, ...], int]:
    """Round values between two, and the decimals they need."""
    span = max(high - low, 1e-9)
    raw = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= raw)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(number * step for number in range(first, last + 1)), decimals


def padded(values: Sequence[float]) -> tuple[float, float]:
    """A little room above and below the values."""
    low, high = min(values), max(values)
    room = max((high - low) * 0.12, abs(high) * 0.02, 0.5)
    return low - room, high + room
