"""How a Timing reads: 'daily at 08:00 and 20:00', 'every 8 hours', 'every other week on Monday'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from clinician import texts
from clinician.clock import OSLO
from clinician.fhir.reference import Raw
from clinician.fhir.rhythm import DAYS, named_in, rhythm_of
from clinician.fhir.times import earliest_or_none, period_bounds
from clinician.texts import Text

L = texts.lazy("fhir")
_ = texts.translator("fhir")

_DAY_NAMES: Final = (
    L("Monday"),
    L("Tuesday"),
    L("Wednesday"),
    L("Thursday"),
    L("Friday"),
    L("Saturday"),
    L("Sunday"),
)
_WHEN: Final[Mapping[str, Text]] = {
    "WAKE": L("on waking"),
    "MORN.early": L("early in the morning"),
    "MORN": L("in the morning"),
    "MORN.late": L("late in the morning"),
    "NOON": L("at noon"),
    "AFT.early": L("early in the afternoon"),
    "AFT": L("in the afternoon"),
    "AFT.late": L("late in the afternoon"),
    "EVE.early": L("early in the evening"),
    "EVE": L("in the evening"),
    "EVE.late": L("late in the evening"),
    "NIGHT": L("at night"),
    "PHS": L("after falling asleep"),
    "HS": L("at bedtime"),
    "C": L("with meals"),
    "CM": L("with breakfast"),
    "CD": L("with lunch"),
    "CV": L("with dinner"),
    "AC": L("before meals"),
    "ACM": L("before breakfast"),
    "ACD": L("before lunch"),
    "ACV": L("before dinner"),
    "PC": L("after meals"),
    "PCM": L("after breakfast"),
    "PCD": L("after lunch"),
    "PCV": L("after dinner"),
}


def in_words(timing: Raw) -> str:
    """The timing in the language in force, beginning with a lower-case letter; '' when it says nothing."""
    repeat = rhythm_of(timing)
    if repeat is None:
        return _events(timing)
    parts = [_rhythm(repeat), _days(repeat), _times(repeat), _bounds(repeat)]
    return " ".join(part for part in parts if part)


def _events(timing: Raw) -> str:
    found = [w for e in named_in(timing.get("event")) if (w := earliest_or_none(e)) is not None]
    return joined([w.astimezone(OSLO).strftime("%d.%m.%Y %H:%M") for w in sorted(found)])


def joined(words: list[str]) -> str:
    """'a, b and c'."""
    if len(words) < 2:
        return "".join(words)
    return _("{first} and {last}", first=", ".join(words[:-1]), last=words[-1])


def _shown(value: Any) -> str:
    number = float(value) if isinstance(value, int | float) else 1.0
    return f"{number:g}".replace(".", "." if texts.language() == "en" else ",")


_ONE: Final[Mapping[str, Callable[[int], str]]] = {
    "s": lambda n: _.n("every second", "every {n} seconds", n),
    "min": lambda n: _.n("every minute", "every {n} minutes", n),
    "h": lambda n: _.n("every hour", "every {n} hours", n),
    "d": lambda n: _("every other day") if n == 2 else _.n("daily", "every {n} days", n),
    "wk": lambda n: _("every other week") if n == 2 else _.n("weekly", "every {n} weeks", n),
    "mo": lambda n: _("every other month") if n == 2 else _.n("monthly", "every {n} months", n),
    "a": lambda n: _("every other year") if n == 2 else _.n("yearly", "every {n} years", n),
}
_MANY: Final[Mapping[str, Callable[[str], str]]] = {
    "s": lambda n: _("{n} times a second", n=n),
    "min": lambda n: _("{n} times a minute", n=n),
    "h": lambda n: _("{n} times an hour", n=n),
    "d": lambda n: _("{n} times a day", n=n),
    "wk": lambda n: _("{n} times a week", n=n),
    "mo": lambda n: _("{n} times a month", n=n),
    "a": lambda n: _("{n} times a year", n=n),
}
_SPAN: Final[Mapping[str, Callable[[str], str]]] = {
    "s": lambda n: _("{n} seconds", n=n),
    "min": lambda n: _("{n} minutes", n=n),
    "h": lambda n: _("{n} hours", n=n),
    "d": lambda n: _("{n} days", n=n),
    "wk": lambda n: _("{n} weeks", n=n),
    "mo": lambda n: _("{n} months", n=n),
    "a": lambda n: _("{n} years", n=n),
}


def _rhythm(repeat: Raw) -> str:
    unit = str(repeat.get("periodUnit") or "d")
    period, frequency = repeat.get("period", 1), repeat.get("frequency", 1)
    if unit not in _ONE or not isinstance(period, int | float) or not isinstance(frequency, int):
        return ""
    times = len(named_in(repeat.get("timeOfDay"))) + len(named_in(repeat.get("when")))
    if (
        unit == "d"
        and period == 1
        and frequency <= 1
        and len(named_in(repeat.get("dayOfWeek"))) in range(1, 7)
    ):
        return ""
    most = repeat.get("frequencyMax")
    if (frequency > 1 and (frequency != times or unit != "d")) or most:
        shown = f"{frequency}–{most}" if isinstance(most, int) and most > frequency else str(frequency)
        if period == 1:
            return _MANY[unit](shown)
        return _("{n} times in {span}", n=shown, span=_SPAN[unit](_shown(period)))
    if float(period).is_integer():
        return _ONE[unit](int(period))
    return _("every {span}", span=_SPAN[unit](_shown(period)))


def _days(repeat: Raw) -> str:
    days = [d for d in DAYS if d in (named_in(repeat.get("dayOfWeek")))]
    if not days or len(days) == 7:
        return ""
    if days == list(DAYS[:5]):
        return _("on weekdays")
    if days == list(DAYS[5:]):
        return _("at weekends")
    return _("on {days}", days=joined([str(_DAY_NAMES[DAYS.index(d)]) for d in days]))


def _times(repeat: Raw) -> str:
    clocks = [str(t)[:5] for t in named_in(repeat.get("timeOfDay"))]
    if clocks:
        return _("at {times}", times=joined(sorted(clocks)))
    named = [str(_WHEN[w]) for w in named_in(repeat.get("when")) if w in _WHEN]
    offset = repeat.get("offset")
    if named and isinstance(offset, int) and offset > 0:
        return _("{minutes} minutes {when}", minutes=offset, when=joined(named))
    return joined(named)


def _bounds(repeat: Raw) -> str:
    parts = []
    period = repeat.get("boundsPeriod")
    if isinstance(period, dict):
        start, end = _day(period.get("start")), _last_day(period.get("end"))
        if start and end:
            parts.append(_("from {start} to {end}", start=start, end=end))
        elif start:
            parts.append(_("from {start}", start=start))
        elif end:
            parts.append(_("until {end}", end=end))
    length = repeat.get("boundsDuration")
    if isinstance(length, dict) and str(length.get("code") or length.get("unit")) in _SPAN:
        span = _SPAN[str(length.get("code") or length.get("unit"))](_shown(length.get("value")))
        parts.append(_("for {span}", span=span))
    count = repeat.get("count")
    if isinstance(count, int) and not isinstance(count, bool):
        parts.append(_.n("once in all", "{n} times in all", count))
    return ", ".join(parts)


def _written(day: date) -> str:
    return day.strftime("%d.%m.%Y")


def _day(text: object) -> str:
    when = earliest_or_none(text)
    return _written(when.astimezone(OSLO).date()) if when else ""


def _last_day(text: object) -> str:
    if earliest_or_none(text) is None:
        return ""
    last = period_bounds(str(text))[1] - timedelta(microseconds=1)
    return _written(last.astimezone(OSLO).date())
