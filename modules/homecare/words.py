"""Times and names as home care writes them: 24-hour clock, Norwegian dates, decimal comma."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from babel.dates import format_date

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import read
from clinician.fhir.times import parse_datetime
from clinician.queries.query import Raw

_ = texts.translator("homecare")

_BABEL: Final = {"nb": "nb_NO", "nn": "nn_NO", "en": "en_GB"}
MINUS: Final = "−"


def clock_text(when: datetime | None) -> str:
    """'08:05' in Norway, '' when unknown."""
    return "" if when is None else oslo(when).strftime("%H:%M")


def day_text(day: date) -> str:
    """'man 3. mars' in the language in force."""
    weekday = format_date(day, "EEE", locale=_BABEL[texts.language()]).rstrip(".")
    return f"{weekday} {_formatted(day, 'd. MMM')}".rstrip(".")


def long_day_text(day: date) -> str:
    """'mandag 3. mars 2025'."""
    return _formatted(day, "EEEE d. MMMM y")


def _formatted(day: date, pattern: str) -> str:
    """By a Norwegian pattern; English has no full stop after the day."""
    if texts.language() == "en":
        pattern = pattern.replace("d.", "d")
    return format_date(day, pattern, locale=_BABEL[texts.language()])


def headline(words: str) -> str:
    """With a capital first; the rest as it is ('Wednesday 18 November')."""
    return words[:1].upper() + words[1:]


def when_text(when: datetime | None, now: datetime) -> str:
    """'08:05' today, 'i går 08:05', else 'man 3. mars 08:05' (with the year when it is another)."""
    if when is None:
        return ""
    local, today = oslo(when), oslo(now).date()
    clock = local.strftime("%H:%M")
    if local.date() == today:
        return clock
    if (today - local.date()).days == 1:
        return _("yesterday {clock}", clock=clock)
    if (local.date() - today).days == 1:
        return _("tomorrow {clock}", clock=clock)
    if local.year != today.year:
        return f"{_formatted(local.date(), 'd. MMM y')} {clock}"
    return f"{day_text(local.date())} {clock}"


def date_text(when: datetime | None) -> str:
    """'3. mars 2025', '' when unknown."""
    if when is None:
        return ""
    return _formatted(oslo(when).date(), "d. MMM y")


def moment_text(written: object, now: datetime) -> str:
    """As when_text for a written FHIR dateTime; a date without a time gets none. '' when unreadable."""
    if not isinstance(written, str) or not written:
        return ""
    try:
        moment = parse_datetime(written)
    except ValueError:
        return ""
    if isinstance(moment, datetime):
        return when_text(moment, now)
    if moment.exact is None:
        return str(moment)
    return _formatted(moment.exact, "d. MMM y")


def span_text(start: datetime | None, end: datetime | None) -> str:
    """'08:00–08:20'; one end alone when the other is unknown."""
    return "–".join(part for part in (clock_text(start), clock_text(end)) if part)


def minutes_text(minutes: int) -> str:
    """'6 t 10 min', '45 min'."""
    hours, rest = divmod(abs(minutes), 60)
    sign = MINUS if minutes < 0 else ""
    if hours and rest:
        return sign + _("{hours} h {minutes} min", hours=hours, minutes=rest)
    if hours:
        return sign + _("{hours} h", hours=hours)
    return sign + _("{minutes} min", minutes=rest)


def number_text(value: float, decimals: int = 0) -> str:
    """'37,5' with a decimal comma (a point in English), a true minus sign, no thousands mark."""
    text = f"{abs(value):.{decimals}f}"
    mark = "." if texts.language() == "en" else ","
    shown = text.replace(".", mark)
    return (MINUS if value < 0 and float(text) != 0 else "") + shown


def birth_text(patient: Raw) -> str:
    """'12.03.1942' at the precision recorded, '' when unknown."""
    born = read.birth_date(patient)
    if born is None:
        return ""
    if born.day:
        return f"{born.day:02}.{born.month:02}.{born.year}"
    return f"{born.month:02}.{born.year}" if born.month else str(born.year)


def initials_of(name: str) -> str:
    """'KL' of 'Kari Lunde'."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()
