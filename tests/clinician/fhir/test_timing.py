from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician import texts
from clinician.clock import OSLO
from clinician.fhir.times import day_bounds
from clinician.fhir.timing import expand, in_words, timing_problems, wall_clock

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""The nights the clock is moved."""


def oslo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO).astimezone(UTC)


def repeat(**parts: Any) -> dict[str, Any]:
    return {"repeat": parts}


def shown(found: tuple[datetime, ...]) -> list[str]:
    return [when.astimezone(OSLO).strftime("%m-%d %H:%M") for when in found]


DST_CASES = [  # date, time, exists, first instant (facts/fhir-timing-rules.json)
    ("2026-03-29", "02:30", None),
    ("2026-03-29", "08:00", "2026-03-29T08:00:00+02:00"),
    ("2026-03-29", "22:00", "2026-03-29T22:00:00+02:00"),
    ("2026-10-25", "02:30", "2026-10-25T02:30:00+02:00"),
    ("2026-10-25", "08:00", "2026-10-25T08:00:00+01:00"),
    ("2026-10-25", "22:00", "2026-10-25T22:00:00+01:00"),
    ("2027-03-28", "02:30", None),
    ("2027-03-28", "08:00", "2027-03-28T08:00:00+02:00"),
    ("2027-10-31", "02:30", "2027-10-31T02:30:00+02:00"),
    ("2027-10-31", "08:00", "2027-10-31T08:00:00+01:00"),
    ("2026-12-01", "02:30", "2026-12-01T02:30:00+01:00"),
]


@pytest.mark.parametrize(("day", "clock", "instant"), DST_CASES)
def test_that_a_clock_time_is_the_published_instant(day: str, clock: str, instant: str | None) -> None:
    found = wall_clock(date.fromisoformat(day), time.fromisoformat(clock))
    expected = datetime.fromisoformat(instant) if instant else datetime.fromisoformat(f"{day}T03:00:00+02:00")
    assert found == expected


def test_that_a_clock_time_dose_is_given_once_on_every_night_of_the_year() -> None:
    dose = repeat(frequency=1, period=1, periodUnit="d", timeOfDay=["02:30:00"])
    for day in (SPRING, AUTUMN, date(2026, 6, 1)):
        assert len(expand(dose, *day_bounds(day))) == 1


def test_that_an_interval_in_hours_is_elapsed_time_over_both_nights() -> None:
    every_8 = repeat(
        frequency=1, period=8, periodUnit="h", boundsPeriod={"start": "2026-03-28T22:00:00+01:00"}
    )
    found = expand(every_8, oslo("2026-03-28T00:00"), oslo("2026-03-30T00:00"))
    assert shown(found) == ["03-28 22:00", "03-29 07:00", "03-29 15:00", "03-29 23:00"]
    every_8 = repeat(
        frequency=1, period=8, periodUnit="h", boundsPeriod={"start": "2026-10-24T22:00:00+02:00"}
    )
    found = expand(every_8, oslo("2026-10-24T00:00"), oslo("2026-10-26T00:00"))
    assert shown(found) == ["10-24 22:00", "10-25 05:00", "10-25 13:00", "10-25 21:00"]


def test_that_times_of_day_are_due_on_the_days_named() -> None:
    plan = repeat(frequency=2, period=1, periodUnit="wk", dayOfWeek=["mon", "thu"], timeOfDay=["08:00:00"])
    assert shown(expand(plan, oslo("2026-03-09T00:00"), oslo("2026-03-16T00:00"))) == [
        "03-09 08:00",
        "03-12 08:00",
    ]


def test_that_every_other_week_keeps_its_phase_from_the_beginning() -> None:
    plan = repeat(frequency=1, period=2, periodUnit="wk", dayOfWeek=["wed"], timeOfDay=["10:00:00"])
    begun = oslo("2026-03-02T00:00")
    assert shown(expand(plan, oslo("2026-03-01T00:00"), oslo("2026-04-02T00:00"), anchor=begun)) == [
        "03-04 10:00",
        "03-18 10:00",
        "04-01 10:00",
    ]


def test_that_the_last_day_of_a_short_month_stands_for_the_thirty_first() -> None:
    plan = repeat(frequency=1, period=1, periodUnit="mo", timeOfDay=["09:00:00"])
    found = expand(plan, oslo("2026-01-01T00:00"), oslo("2026-05-01T00:00"), anchor=oslo("2026-01-31T00:00"))
    assert shown(found) == ["01-31 09:00", "02-28 09:00", "03-31 09:00", "04-30 09:00"]
    yearly = repeat(frequency=1, period=1, periodUnit="a", timeOfDay=["09:00:00"])
    assert (
        len(
            expand(
                yearly, oslo("2024-01-01T00:00"), oslo("2028-12-31T00:00"), anchor=oslo("2024-02-29T00:00")
            )
        )
        == 5
    )


def test_that_named_times_follow_the_rounds_of_the_workplace() -> None:
    plan = repeat(frequency=1, period=1, periodUnit="d", when=["HS"])
    day = day_bounds(date(2026, 3, 9))
    assert shown(expand(plan, *day)) == ["03-09 22:00"]
    assert shown(expand(plan, *day, rounds={"HS": (time(21, 30),)})) == ["03-09 21:30"]
    before_meals = repeat(when=["AC"], offset=30)
    assert shown(expand(before_meals, *day)) == ["03-09 07:00", "03-09 11:00", "03-09 15:00"]


def test_that_times_a_day_without_clock_times_follow_the_usual_rounds() -> None:
    day = day_bounds(date(2026, 3, 9))
    assert shown(expand(repeat(frequency=3, period=1, periodUnit="d"), *day)) == [
        "03-09 08:00",
        "03-09 14:00",
        "03-09 20:00",
    ]
    assert len(expand(repeat(frequency=8, period=1, periodUnit="d"), *day)) == 8
    assert shown(expand({"code": {"coding": [{"code": "BID"}]}}, *day)) == ["03-09 08:00", "03-09 20:00"]


def test_that_times_a_week_without_days_are_spread() -> None:
    found = expand(
        repeat(frequency=3, period=1, periodUnit="wk"),
        oslo("2026-03-09T00:00"),
        oslo("2026-03-16T00:00"),
        anchor=oslo("2026-03-09T09:15"),
    )
    assert shown(found) == ["03-09 09:15", "03-11 09:15", "03-13 09:15"]


def test_that_bounds_and_counts_end_the_plan() -> None:
    plan = repeat(
        frequency=1,
        period=1,
        periodUnit="d",
        timeOfDay=["08:00:00"],
        boundsPeriod={"start": "2026-03-10", "end": "2026-03-11"},
    )
    assert shown(expand(plan, oslo("2026-03-01T00:00"), oslo("2026-04-01T00:00"))) == [
        "03-10 08:00",
        "03-11 08:00",
    ]
    counted = repeat(
        frequency=1,
        period=1,
        periodUnit="d",
        timeOfDay=["08:00:00"],
        count=3,
        boundsPeriod={"start": "2026-03-10"},
    )
    assert shown(expand(counted, oslo("2026-03-12T00:00"), oslo("2026-04-01T00:00"))) == ["03-12 08:00"]
    for_days = repeat(
        frequency=1,
        period=1,
        periodUnit="d",
        timeOfDay=["08:00:00"],
        boundsDuration={"value": 2, "code": "d"},
    )
    assert (
        len(
            expand(
                for_days, oslo("2026-03-01T00:00"), oslo("2026-04-01T00:00"), anchor=oslo("2026-03-10T00:00")
            )
        )
        == 2
    )
    assert expand(plan, oslo("2026-05-01T00:00"), oslo("2026-06-01T00:00")) == ()


def test_that_a_timing_without_rhythm_gives_its_events_only() -> None:
    timing = {
        "event": ["2026-03-09T10:00:00+01:00", "2027-01-01"],
        "repeat": {"boundsPeriod": {"start": "2026"}},
    }
    assert shown(expand(timing, oslo("2026-03-01T00:00"), oslo("2026-04-01T00:00"))) == ["03-09 10:00"]
    assert expand({}, oslo("2026-03-01T00:00"), oslo("2026-04-01T00:00")) == ()


def test_that_half_a_day_is_twelve_hours() -> None:
    plan = repeat(
        frequency=1, period=0.5, periodUnit="d", boundsPeriod={"start": "2026-03-28T20:00:00+01:00"}
    )
    assert shown(expand(plan, oslo("2026-03-28T00:00"), oslo("2026-03-29T23:00"))) == [
        "03-28 20:00",
        "03-29 09:00",
        "03-29 21:00",
    ]


def test_that_a_plan_of_seconds_over_a_year_is_refused_and_naive_times_too() -> None:
    with pytest.raises(ValueError):
        expand(
            repeat(frequency=1, period=1, periodUnit="s"), oslo("2026-01-01T00:00"), oslo("2027-01-01T00:00")
        )
    with pytest.raises(ValueError):
        expand({}, datetime(2026, 1, 1), oslo("2027-01-01T00:00"))  # noqa: DTZ001


def test_that_an_interval_can_be_kept_to_some_days() -> None:
    plan = repeat(
        frequency=1,
        period=6,
        periodUnit="h",
        dayOfWeek=["sat"],
        boundsPeriod={"start": "2026-03-01T00:00:00+01:00"},
    )
    found = expand(plan, oslo("2026-03-09T00:00"), oslo("2026-03-16T00:00"))
    assert {w.astimezone(OSLO).weekday() for w in found} == {5} and len(found) == 4


TIMINGS = st.fixed_dictionaries(
    {
        "frequency": st.integers(1, 6),
        "period": st.sampled_from([1, 2, 3, 1.5]),
        "periodUnit": st.sampled_from(["h", "d", "wk", "mo"]),
    },
    optional={
        "dayOfWeek": st.lists(st.sampled_from(["mon", "tue", "sat", "sun"]), min_size=1, unique=True),
        "timeOfDay": st.lists(
            st.sampled_from(["02:00:00", "02:30:00", "03:00:00", "08:00:00", "23:59:00"]),
            min_size=1,
            unique=True,
        ),
        "boundsPeriod": st.sampled_from(
            [{"start": "2026-03-20"}, {"start": "2026-10-01T07:30:00+02:00", "end": "2026-11"}]
        ),
    },
)
NIGHTS = st.sampled_from([SPRING, AUTUMN, date(2027, 3, 28), date(2027, 10, 31), date(2026, 6, 15)])


@given(TIMINGS, NIGHTS, st.integers(-3, 3), st.integers(1, 5), st.integers(0, 47))
@settings(max_examples=200)
def test_that_two_neighbouring_windows_hold_what_one_wide_window_holds(
    plan: dict[str, Any], night: date, back: int, days: int, cut: int
) -> None:
    start = day_bounds(night + timedelta(days=back))[0]
    end = start + timedelta(days=days)
    middle = start + (end - start) * cut / 48
    assert expand(repeat(**plan), start, middle) + expand(repeat(**plan), middle, end) == expand(
        repeat(**plan), start, end
    )


@given(NIGHTS, st.integers(-2, 2), st.lists(st.times(), min_size=1, max_size=5, unique=True))
@settings(max_examples=150)
def test_that_every_clock_time_comes_exactly_once_a_day(night: date, off: int, clocks: list[time]) -> None:
    day = night + timedelta(days=off)
    texts_ = [clock.replace(microsecond=0).isoformat() for clock in clocks]
    found = expand(
        repeat(frequency=len(clocks), period=1, periodUnit="d", timeOfDay=texts_), *day_bounds(day)
    )
    assert len(found) == len(clocks)
    for clock in (time.fromisoformat(text) for text in texts_):
        instant = wall_clock(day, clock)
        assert instant in found
        shown_time = instant.astimezone(OSLO).time()
        assert shown_time == clock or (day.month == 3 and shown_time == time(3, 0) and clock.hour == 2)


@given(st.integers(1, 12), NIGHTS)
@settings(max_examples=60)
def test_that_intervals_in_hours_are_equally_long_always(hours: int, night: date) -> None:
    start = day_bounds(night - timedelta(days=1))[0]
    found = expand(
        repeat(frequency=1, period=hours, periodUnit="h"), start, start + timedelta(days=3), anchor=start
    )
    assert {b - a for a, b in itertools.pairwise(found)} == {timedelta(hours=hours)}


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ({"duration": 1}, 1),
        ({"period": 1}, 1),
        ({"duration": -1, "durationUnit": "h"}, 1),
        ({"period": -1, "periodUnit": "h"}, 1),
        ({"periodMax": 1}, 1),
        ({"durationMax": 1}, 1),
        ({"countMax": 1}, 1),
        ({"offset": 10}, 1),
        ({"offset": 10, "when": ["CM"]}, 1),
        ({"timeOfDay": ["08:00:00"], "when": ["CM"]}, 1),
        ({"frequency": 3, "timeOfDay": ["08:00:00"]}, 1),
        ({"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"]}, 0),
    ],
)
def test_that_each_broken_rule_is_told_in_words(parts: dict[str, Any], count: int) -> None:
    assert len(timing_problems(repeat(**parts))) == count
    assert timing_problems({}) == ()


WORDS = [
    (repeat(frequency=2, period=1, periodUnit="d", timeOfDay=["08:00:00", "20:00:00"]), "daglig kl. 08:00 og 20:00", "dagleg kl. 08:00 og 20:00", "daily at 08:00 and 20:00"),
    (repeat(frequency=1, period=8, periodUnit="h"), "hver 8. time", "kvar 8. time", "every 8 hours"),
    (repeat(frequency=1, period=2, periodUnit="wk", dayOfWeek=["mon"]), "annenhver uke på mandag", "annakvar veke på måndag", "every other week on Monday"),
    (repeat(frequency=3, period=1, periodUnit="d"), "3 ganger daglig", "3 gonger dagleg", "3 times a day"),
    (repeat(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon", "wed", "fri"]), "ukentlig på mandag, onsdag og fredag", "kvar veke på måndag, onsdag og fredag", "weekly on Monday, Wednesday and Friday"),
    (repeat(frequency=1, period=1, periodUnit="d", when=["HS"]), "daglig ved leggetid", "dagleg ved leggjetid", "daily at bedtime"),
    (repeat(frequency=1, period=1.5, periodUnit="h"), "hver 1,5 timer", "kvar 1,5 timar", "every 1.5 hours"),
    (repeat(frequency=2, period=3, periodUnit="d", boundsPeriod={"start": "2026-03-09", "end": "2026-03-20"}), "2 ganger på 3 dager fra 09.03.2026 til 20.03.2026", "2 gonger på 3 dagar frå 09.03.2026 til 20.03.2026", "2 times in 3 days from 09.03.2026 to 20.03.2026"),
    (repeat(frequency=1, period=1, periodUnit="d", dayOfWeek=["mon", "tue", "wed", "thu", "fri"], timeOfDay=["08:00:00"], count=10), "på hverdager kl. 08:00 10 ganger i alt", "på kvardagar kl. 08:00 10 gonger i alt", "on weekdays at 08:00 10 times in all"),
    ({"code": {"coding": [{"code": "Q6H"}]}}, "hver 6. time", "kvar 6. time", "every 6 hours"),
    (repeat(frequency=1, frequencyMax=3, period=1, periodUnit="d"), "1–3 ganger daglig", "1–3 gonger dagleg", "1–3 times a day"),
]  # fmt: skip


@pytest.mark.parametrize(("timing", "nb", "nn", "en"), WORDS)
def test_that_a_timing_reads_well_in_three_languages(
    timing: dict[str, Any], nb: str, nn: str, en: str
) -> None:
    before = texts.language()
    try:
        for language, expected in (("nb", nb), ("nn", nn), ("en", en)):
            texts.set_language(language)
            assert in_words(timing) == expected
    finally:
        texts.set_language(before)


def test_that_words_cover_events_bounds_and_silence() -> None:
    before = texts.language()
    try:
        texts.set_language("en")
        assert in_words({}) == ""
        assert in_words({"event": ["2026-03-09T10:00:00+01:00"]}) == "09.03.2026 10:00"
        assert (
            in_words(repeat(frequency=1, period=1, periodUnit="d", boundsPeriod={"end": "2026-03"}))
            == "daily until 31.03.2026"
        )
        assert (
            in_words(repeat(frequency=1, period=1, periodUnit="d", boundsPeriod={"start": "2026-03-01"}))
            == "daily from 01.03.2026"
        )
        assert (
            in_words(repeat(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 7, "code": "d"}))
            == "daily for 7 days"
        )
        assert in_words(repeat(when=["ACM"], offset=30)) == "daily 30 minutes before breakfast"
        assert in_words(repeat(dayOfWeek=["sat", "sun"])) == "at weekends"
        assert in_words(repeat(dayOfWeek=["mon", "tue", "wed", "thu", "fri", "sat", "sun"])) == "daily"
        assert (
            in_words(repeat(frequency=1, period=1, periodUnit="fortnight", timeOfDay=["08:00:00"]))
            == "at 08:00"
        )
        for unit, text in (
            ("s", "every second"),
            ("min", "every minute"),
            ("mo", "monthly"),
            ("a", "yearly"),
        ):
            assert in_words(repeat(frequency=1, period=1, periodUnit=unit)) == text
            assert in_words(repeat(frequency=2, period=1, periodUnit=unit)).startswith("2 times")
            assert in_words(repeat(frequency=2, period=4, periodUnit=unit)).startswith("2 times in 4")
        assert in_words(repeat(frequency=1, period=2, periodUnit="mo")) == "every other month"
    finally:
        texts.set_language(before)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=3)
    | st.sampled_from(["d", "wk", "HS", "mon", "08:00:00", "2026-03-09"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["start", "end", "value", "code", "high", "coding"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
PARTS = [
    "frequency",
    "frequencyMax",
    "period",
    "periodUnit",
    "timeOfDay",
    "when",
    "dayOfWeek",
    "offset",
    "count",
    "countMax",
    "boundsPeriod",
    "boundsDuration",
    "boundsRange",
]


@given(
    st.dictionaries(st.sampled_from(["event", "code", "repeat"]), ODD, max_size=2),
    st.dictionaries(st.sampled_from(PARTS), ODD, max_size=6),
)
@settings(max_examples=200)
def test_that_no_timing_however_badly_built_raises(timing: dict[str, Any], parts: dict[str, Any]) -> None:
    start, end = day_bounds(date(2026, 3, 9))
    for built in (timing, repeat(**parts)):
        expand(built, start, end)
        in_words(built)
        timing_problems(built)
