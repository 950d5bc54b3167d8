"""FHIR dates and times.

A FHIR date may stop at the year or the month; nothing here invents what was not written. Days and
times without a zone are Norwegian (Europe/Oslo). Bounds are half open: [from, before).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from clinician.clock import OSLO

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?(Z|[+\- ]\d{2}:\d{2})?"
)


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A FHIR date at the precision it was written with. month 0: only a year; day 0: only a month."""

    year: int
    month: int = 0
    day: int = 0

    def __post_init__(self) -> None:
        date(self.year, self.month or 1, self.day or 1)

    @property
    def first(self) -> date:
        """The first day it may mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """The last day it may mean."""
        if self.day:
            return self.first
        month = self.month or 12
        return date(self.year, month, calendar.monthrange(self.year, month)[1])

    @property
    def exact(self) -> date | None:
        """The day, or None when less was written."""
        return self.first if self.day else None

    def __str__(self) -> str:
        if self.day:
            return f"{self.year:04}-{self.month:02}-{self.day:02}"
        return f"{self.year:04}-{self.month:02}" if self.month else f"{self.year:04}"


def parse_date(text: str) -> PartialDate:
    """A FHIR date (YYYY, YYYY-MM or YYYY-MM-DD). ValueError for an impossible day."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("not a FHIR date")
    month, day = found[2], found[3]
    if month == "00" or day == "00":
        raise ValueError("not a FHIR date")
    return PartialDate(int(found[1]), int(month or 0), int(day or 0))


def parse_instant(text: str) -> datetime:
    """A FHIR instant as an aware UTC datetime. ValueError when seconds or zone are missing."""
    found = _TIME.fullmatch(text)
    if found is None or not found[6] or not found[8] or found[8][0] == " ":
        raise ValueError("not a FHIR instant")
    return _moment(found)


def parse_datetime(text: str) -> datetime | PartialDate:
    """A FHIR dateTime: an aware UTC datetime, or a PartialDate when no time was written."""
    return parse_instant(text) if "T" in text else parse_date(text)


def _moment(found: re.Match[str]) -> datetime:
    second = int(found[6] or 0)
    leap = second == 60
    micro = int((found[7] or "").ljust(6, "0")[:6])
    naive = datetime(  # noqa: DTZ001 - the zone is put on below
        int(found[1]),
        int(found[2]),
        int(found[3]),
        int(found[4]),
        int(found[5]),
        59 if leap else second,
        micro,
    )
    aware = naive.replace(tzinfo=UTC) - _offset(found[8]) if found[8] else naive.replace(tzinfo=OSLO)
    aware = aware.astimezone(UTC)
    return aware.replace(microsecond=0) + timedelta(seconds=1) if leap else aware


@lru_cache(maxsize=64)
def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError("not a zone offset")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if zone[0] == "-" else size


def to_instant(when: datetime) -> str:
    """A FHIR instant in UTC with milliseconds, so that instants sort as text. ValueError if naive."""
    if when.tzinfo is None:
        raise ValueError("a naive time has no instant")
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Start and end (exclusive) of the Norwegian day, in UTC: 23, 24 or 25 hours long."""
    following = day + timedelta(days=1)
    start = datetime(day.year, day.month, day.day, tzinfo=OSLO)
    end = datetime(following.year, following.month, following.day, tzinfo=OSLO)
    return start.astimezone(UTC), end.astimezone(UTC)


def _date_bounds(partial: PartialDate) -> tuple[datetime, datetime]:
    last = partial.last
    start = day_bounds(partial.first)[0]
    if last == date.max:
        return start, datetime.max.replace(tzinfo=UTC)
    return start, day_bounds(last)[1]


def _clock_unit(found: re.Match[str]) -> timedelta:
    if not found[6]:
        return timedelta(minutes=1)
    digits = len(found[7] or "")
    return timedelta(seconds=1) if not digits else timedelta(microseconds=10 ** max(0, 6 - digits))


def period_bounds(text: str) -> tuple[datetime, datetime]:
    """What a written date or time covers, [from, before) in UTC: a year, a day, a minute, a second …

    Takes what a search may hold: times without seconds or zone (then Oslo), and a '+' that a form
    turned into a space. Raises ValueError for anything else, and for impossible days.
    """
    return _bounds(text)


@lru_cache(maxsize=4096)
def _bounds(text: str) -> tuple[datetime, datetime]:
    found = _TIME.fullmatch(text)
    if found is None:
        return _date_bounds(parse_date(text))
    start = _moment(found)
    return start, start + _clock_unit(found)


def earliest(text: str) -> datetime:
    """The first instant a written date or time may mean (UTC). ValueError as period_bounds."""
    return _bounds(text)[0]


def earliest_or_none(text: object) -> datetime | None:
    """As `earliest`, but None for what is absent or cannot be read."""
    if not isinstance(text, str):
        return None
    try:
        return _bounds(text)[0]
    except (ValueError, OverflowError):
        return None
