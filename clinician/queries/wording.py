"""Dates, ages and numbers as people here write them, in the language in force."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from babel.dates import format_date, format_datetime

from clinician import texts
from clinician.cache.reading import Raw
from clinician.clock import OSLO, oslo
from clinician.fhir import read
from clinician.fhir.times import PartialDate, parse_datetime

_ = texts.translator("queries")
_LOCALES: Final = {"nb": "nb_NO", "nn": "nn_NO", "en": "en_GB"}
_MASK: Final = "•••••"
_DIGITS: Final = 11
_INFANT_MONTHS: Final = 24


def locale() -> str:
    """Babel's name of the language in force."""
    return _LOCALES[texts.language()]


def day_text(day: date) -> str:
    """'12.03.1942'."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def partial_text(partial: PartialDate) -> str:
    """'12.03.1942', 'mars 1942' or '1942', as precise as it was written."""
    if partial.exact is not None:
        return day_text(partial.exact)
    return format_date(partial.first, "MMMM y", locale()) if partial.month else str(partial.year)


def moment_text(when: datetime) -> str:
    """'3. mars 10:42'."""
    pattern = "d MMM HH:mm" if texts.language() == "en" else "d. MMM HH:mm"
    return format_datetime(oslo(when), pattern, tzinfo=OSLO, locale=locale())


def birth_text(raw: Raw) -> str:
    """'f. 12.03.1942', '' when it is not known."""
    born = read.birth_date(raw)
    return _("b. {date}", date=partial_text(born)) if born is not None else ""


def age_text(raw: Raw, day: date) -> str:
    """'84 år'; months under two years; for the dead the age they reached."""
    born = read.birth_date(raw)
    if born is None:
        return ""
    last = _last_day(raw, day)
    months = (last.year - born.first.year) * 12 + last.month - born.first.month - (last.day < born.first.day)
    if months < 0:
        return ""
    if months < _INFANT_MONTHS and born.exact is not None:
        return _.n("{n} month", "{n} months", months)
    return _.n("{n} year", "{n} years", months // 12)


def _last_day(raw: Raw, day: date) -> date:
    text = raw.get("deceasedDateTime")
    try:
        died = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return day
    if died is None:
        return day
    return died.first if isinstance(died, PartialDate) else oslo(died).date()


def number_text(number: str) -> str:
    """'120342 12345'."""
    return f"{number[:6]} {number[6:]}" if len(number) == _DIGITS else number


def masked(number: str) -> str:
    """'120342 •••••': enough to tell two people of one name apart, not to be read over a shoulder."""
    if len(number) == _DIGITS:
        return f"{number[:6]} {_MASK}"
    return _MASK if number else ""


def gender_text(raw: Raw) -> str:
    """'kvinne'."""
    match raw.get("gender"):
        case "female":
            return _("woman")
        case "male":
            return _("man")
        case "other":
            return _("other gender")
        case _:
            return _("gender unknown")
