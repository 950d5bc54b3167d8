"""FHIR Timing: when something is due, what is wrong with a timing, and how it reads.

Clock times (timeOfDay, when, n a day) are the wall clock in Norway; intervals in hours, minutes and
seconds are elapsed time. A clock time that does not exist (spring) moves to the first minute that
does; one that comes twice (autumn) is planned once, the first time (facts/fhir-timing-rules.json, 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from clinician import texts
from clinician.clock import OSLO
from clinician.fhir.reference import Raw
from clinician.fhir.rhythm import DAYS, named_in, rhythm_of
from clinician.fhir.times import day_bounds, earliest_or_none, period_bounds
from clinician.fhir.timing_words import in_words
from clinician.texts import Text

L = texts.lazy("fhir")
__all__ = ["expand", "in_words", "timing_problems", "wall_clock"]

MOST_TIMES: Final = 20_000
"""More than this in one window is no plan; expand raises ValueError."""
_ELAPSED: Final = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1)}
_DAYS_IN: Final = {"d": 1.0, "wk": 7.0, "mo": 30.0, "a": 365.0}
_EPOCH: Final = date(2001, 1, 1)
"""A Monday: the phase of 'every second week' where nothing says when it began."""

ROUND_TIMES: Final[Mapping[str, tuple[time, ...]]] = {
    "WAKE": (time(7),),
    "MORN.early": (time(7),),
    "MORN": (time(8),),
    "MORN.late": (time(11),),
    "NOON": (time(12),),
    "AFT.early": (time(13),),
    "AFT": (time(15),),
    "AFT.late": (time(17),),
    "EVE.early": (time(18),),
    "EVE": (time(20),),
    "EVE.late": (time(21),),
    "NIGHT": (time(23),),
    "PHS": (time(23),),
    "HS": (time(22),),
    "CM": (time(8),),
    "CD": (time(12),),
    "CV": (time(16),),
    "C": (time(8), time(12), time(16)),
    "ACM": (time(7, 30),),
    "ACD": (time(11, 30),),
    "ACV": (time(15, 30),),
    "AC": (time(7, 30), time(11, 30), time(15, 30)),
    "PCM": (time(8, 30),),
    "PCD": (time(12, 30),),
    "PCV": (time(16, 30),),
    "PC": (time(8, 30), time(12, 30), time(16, 30)),
}
"""Named times → clock times, until a workplace sets its own rounds."""
A_DAY: Final[Mapping[int, tuple[time, ...]]] = {
    1: (time(8),),
    2: (time(8), time(20)),
    3: (time(8), time(14), time(20)),
    4: (time(8), time(12), time(17), time(22)),
    5: (time(8), time(11), time(14), time(18), time(22)),
    6: (time(6), time(10), time(14), time(18), time(22), time(2)),
}
"""n a day without clock times → the usual rounds."""


def wall_clock(day: date, at: time) -> datetime:
    """The instant (UTC) of a Norwegian clock time: the first of two, or the first minute after a gap."""
    naive = datetime.combine(day, at)
    for minute in range(181):
        moved = naive + timedelta(minutes=minute)
        instant = moved.replace(tzinfo=OSLO).astimezone(UTC)
        if instant.astimezone(OSLO).replace(tzinfo=None) == moved:
            return instant
        naive = naive.replace(second=0, microsecond=0)
    raise AssertionError("no clock in Norway has been moved by three hours")


@dataclass(frozen=True, slots=True)
class _Plan:
    """A repeat read into numbers. opens/closes: bounds, closes exclusive; None where open."""

    repeat: Mapping[str, Any]
    frequency: int
    period: float
    unit: str
    opens: datetime | None
    closes: datetime | None
    begins: datetime | None
    """What phases and counts are reckoned from, None when nothing says so"""
    rounds: Mapping[str, tuple[time, ...]]

    @property
    def first_day(self) -> date:
        return self.begins.astimezone(OSLO).date() if self.begins else _EPOCH


def _number(value: object, otherwise: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    return float(otherwise)


def _span(amount: object) -> timedelta | None:
    """A Duration (or the high end of a Range) as elapsed time."""
    if not isinstance(amount, dict):
        return None
    unit = str(amount.get("code") or amount.get("unit") or "")
    value = _number(amount.get("value"), 0)
    if unit in _ELAPSED:
        return value * _ELAPSED[unit]
    return timedelta(days=value * _DAYS_IN[unit]) if unit in _DAYS_IN and value else None


def _plan(repeat: Raw, anchor: datetime | None, rounds: Mapping[str, tuple[time, ...]]) -> _Plan:
    opens = closes = None
    bounds = repeat.get("boundsPeriod")
    if isinstance(bounds, dict):
        opens = earliest_or_none(bounds.get("start"))
        end = bounds.get("end")
        closes = period_bounds(str(end))[1] if earliest_or_none(end) is not None else None
    begins = opens or anchor
    high = repeat.get("boundsRange")
    length = _span(repeat.get("boundsDuration")) or _span(
        high.get("high") if isinstance(high, dict) else None
    )
    if length is not None and begins is not None:
        opens, closes = begins, begins + length
    frequency = int(_number(repeat.get("frequency"), 1))
    period, unit = _number(repeat.get("period"), 1), str(repeat.get("periodUnit") or "d")
    if unit in _DAYS_IN and not period.is_integer():
        period, unit = period * _DAYS_IN[unit] * 24, "h"
    return _Plan(repeat, frequency, period, unit, opens, closes, begins, rounds)


def expand(
    timing: Raw,
    start: datetime,
    end: datetime,
    *,
    anchor: datetime | None = None,
    rounds: Mapping[str, tuple[time, ...]] = ROUND_TIMES,
) -> tuple[datetime, ...]:
    """Every due instant (UTC) in [start, end), in order.

    timing: a FHIR Timing. anchor: when the order began, for phases, counts and durations that the
    timing leaves open (authoredOn, or the plan's start). rounds: clock times of named times at this
    workplace. A timing without a rhythm gives its events only. Raises ValueError for naive times and
    for more than MOST_TIMES.
    """
    if start.tzinfo is None or end.tzinfo is None or (anchor is not None and anchor.tzinfo is None):
        raise ValueError("a naive time has no instant")
    events = [w for e in named_in(timing.get("event")) if (w := earliest_or_none(e)) is not None]
    due = [w for w in events if start <= w < end]
    repeat = rhythm_of(timing)
    if repeat is not None:
        plan = _plan(repeat, anchor or min(events, default=None), rounds)
        due += _due(plan, start.astimezone(UTC), end.astimezone(UTC))
    if len(due) > MOST_TIMES:
        raise ValueError("the timing gives too many times for one window")
    return tuple(sorted(due))


def _due(plan: _Plan, start: datetime, end: datetime) -> list[datetime]:
    low = max(start, plan.opens) if plan.opens else start
    high = min(end, plan.closes) if plan.closes else end
    if low >= high:
        return []
    count = int(max(_number(plan.repeat.get("countMax"), 0), _number(plan.repeat.get("count"), 0)))
    if count:
        first = plan.begins or low
        counted = islice(_times(plan, first, high), count)
        return [when for when in counted if when >= low]
    return list(islice(_times(plan, max(low, plan.begins) if plan.begins else low, high), MOST_TIMES + 1))


def _times(plan: _Plan, low: datetime, high: datetime) -> Iterator[datetime]:
    clocks = _clocks(plan)
    if plan.unit in _ELAPSED and not clocks:
        return _elapsed(plan, low, high)
    return _on_days(plan, clocks or _rounds_of(plan), low, high)


def _elapsed(plan: _Plan, low: datetime, high: datetime) -> Iterator[datetime]:
    step = plan.period * _ELAPSED[plan.unit] / plan.frequency
    origin = plan.begins or day_bounds(_EPOCH)[0]
    when = origin + max(0, -((origin - low) // step)) * step
    days = _week_days(plan)
    while when < high:
        if when >= low and (not days or when.astimezone(OSLO).weekday() in days):
            yield when
        when += step


def _clocks(plan: _Plan) -> tuple[time, ...]:
    found: list[time] = []
    for text in named_in(plan.repeat.get("timeOfDay")):
        try:
            found.append(time.fromisoformat(text))
        except (ValueError, TypeError):
            continue
    offset = timedelta(minutes=_number(plan.repeat.get("offset"), 0))
    for code in named_in(plan.repeat.get("when")):
        sign = -1 if str(code).startswith("AC") else 1
        at_named = (datetime.combine(_EPOCH, at) for at in plan.rounds.get(str(code), ()))
        found.extend((at + sign * offset).time() for at in at_named)
    return tuple(sorted(found))


def _rounds_of(plan: _Plan) -> tuple[time, ...]:
    """Clock times where none are written: the usual rounds, or the time of day it began."""
    if plan.unit == "d" and plan.period == 1 and plan.frequency > 1:
        usual = A_DAY.get(plan.frequency)
        if usual is None:
            gap = timedelta(hours=24) / plan.frequency
            usual = tuple((datetime.combine(_EPOCH, time()) + n * gap).time() for n in range(plan.frequency))
        return tuple(sorted(usual))
    if plan.begins is not None:
        at = plan.begins.astimezone(OSLO).time()
        if at != time():
            return (at,)
    return A_DAY[1]


def _week_days(plan: _Plan) -> frozenset[int]:
    return frozenset(DAYS.index(d) for d in named_in(plan.repeat.get("dayOfWeek")) if d in DAYS)


def _on_days(plan: _Plan, clocks: tuple[time, ...], low: datetime, high: datetime) -> Iterator[datetime]:
    is_due = _day_rule(plan)
    day = low.astimezone(OSLO).date()
    last = high.astimezone(OSLO).date()
    while day <= last:
        if is_due(day):
            for when in sorted(wall_clock(day, at) for at in clocks):
                if low <= when < high:
                    yield when
        day += timedelta(days=1)


def _day_rule(plan: _Plan) -> Callable[[date], bool]:
    days = _week_days(plan)
    first = plan.first_day
    period = max(1, int(plan.period))
    if plan.unit in ("mo", "a"):
        return _month_rule(plan, first, period * (12 if plan.unit == "a" else 1), days)
    if plan.unit == "wk" and days:
        monday = first - timedelta(days=first.weekday())
        return lambda day: day.weekday() in days and (day - monday).days // 7 % period == 0
    if plan.unit in _ELAPSED or (plan.unit == "d" and period == 1):
        return lambda day: not days or day.weekday() in days
    length = period * (7 if plan.unit == "wk" else 1)
    offsets = _spread(plan.frequency, length, bool(_clocks(plan)))
    return lambda day: (day - first).days % length in offsets and (not days or day.weekday() in days)


def _spread(frequency: int, length: int, has_clocks: bool) -> frozenset[int]:
    """Days of a stretch that `frequency` times fall on; with clock times they fill one day."""
    if has_clocks:
        return frozenset((0,))
    return frozenset(n * length // frequency for n in range(min(frequency, length)))


def _month_rule(plan: _Plan, first: date, months: int, days: frozenset[int]) -> Callable[[date], bool]:
    offsets = _spread(plan.frequency, 30 * months, bool(_clocks(plan)))

    def is_due(day: date) -> bool:
        if days and day.weekday() not in days:
            return False
        passed = (day.year - first.year) * 12 + day.month - first.month
        start_month = passed - passed % months
        for back in (start_month, start_month - months):
            begun = _month_later(first, back)
            if (day - begun).days in offsets and (back == start_month or len(offsets) > 1):
                return begun <= day < _month_later(first, back + months)
        return False

    return is_due


def _month_later(first: date, months: int) -> date:
    """The same day of the month later; the last day of a month that is too short."""
    index = first.year * 12 + first.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=first.day - 1), following - timedelta(days=1))


TIM_WORDS: Final[Mapping[str, Text]] = {
    "tim-1": L("a duration needs its unit"),
    "tim-2": L("a period needs its unit"),
    "tim-4": L("a duration is not negative"),
    "tim-5": L("a period is not negative"),
    "tim-6": L("a longest period needs a period"),
    "tim-7": L("a longest duration needs a duration"),
    "tim-8": L("a highest count needs a count"),
    "tim-9": L("an offset needs a meal or waking time to count from"),
    "tim-10": L("times of day and named times exclude each other"),
}


def broken_rules(repeat: Mapping[str, Any]) -> Iterator[str]:
    """Keys of the R4 invariants tim-1 … tim-10 a Timing.repeat breaks."""
    for key, needs, rule in (
        ("duration", "durationUnit", "tim-1"),
        ("period", "periodUnit", "tim-2"),
        ("periodMax", "period", "tim-6"),
        ("durationMax", "duration", "tim-7"),
        ("countMax", "count", "tim-8"),
    ):
        if key in repeat and needs not in repeat:
            yield rule
    for key, rule in (("duration", "tim-4"), ("period", "tim-5")):
        value = repeat.get(key)
        if isinstance(value, int | float) and value < 0:
            yield rule
    named = named_in(repeat.get("when"))
    if "offset" in repeat and (not named or any(code in ("C", "CM", "CD", "CV") for code in named)):
        yield "tim-9"
    if repeat.get("timeOfDay") and named:
        yield "tim-10"


def timing_problems(timing: Raw) -> tuple[Text, ...]:
    """What is wrong with a Timing: tim-1 … tim-10, and a frequency that is not the number of times."""
    repeat = timing.get("repeat")
    if not isinstance(repeat, dict):
        return ()
    found = [TIM_WORDS[key] for key in broken_rules(repeat)]
    times = repeat.get("timeOfDay") or repeat.get("when")
    frequency = repeat.get("frequency")
    if isinstance(times, list) and isinstance(frequency, int) and frequency != len(times):
        found.append(
            L(
                "{frequency} times are asked for, but {times} are named.",
                frequency=frequency,
                times=len(times),
            )
        )
    return tuple(found)
