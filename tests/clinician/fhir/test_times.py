from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.fhir.times import (
    PartialDate,
    day_bounds,
    earliest,
    earliest_or_none,
    parse_date,
    parse_datetime,
    parse_instant,
    period_bounds,
    to_instant,
)


def test_that_a_date_keeps_the_precision_it_was_written_with() -> None:
    assert str(parse_date("1950")) == "1950"
    assert str(parse_date("1950-02")) == "1950-02"
    assert parse_date("1950-02").exact is None
    assert parse_date("1952-02").last == date(1952, 2, 29)
    assert parse_date("1952").last == date(1952, 12, 31)
    assert parse_datetime("1950-02-03") == PartialDate(1950, 2, 3)


@pytest.mark.parametrize(
    "text",
    ["2025-02-30", "2025-13", "2025-00", "2025-01-00", "25-01-01", "2025-1-1", "", "2025-01-01T10:00", "2025-01-01T10:00:00",
     "2025-01-01T24:00:00Z", "2025-01-01T10:00:00+15:00", "2025-01-01 10:00:00Z", "2025-02-30T10:00:00Z", "2025-01-01T10:00:00 01:00"],
)  # fmt: skip
def test_that_impossible_dates_and_times_without_a_zone_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_datetime(text)


def test_that_an_instant_is_read_in_utc_with_its_fraction() -> None:
    assert parse_instant("2026-03-09T07:30:00.120+01:00") == datetime(
        2026, 3, 9, 6, 30, 0, 120_000, tzinfo=UTC
    )


def test_that_a_leap_second_is_the_next_second() -> None:
    assert parse_instant("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)


def test_that_a_naive_time_is_never_written() -> None:
    with pytest.raises(ValueError):
        to_instant(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
@settings(max_examples=100)
def test_that_instants_come_back_and_sort_as_text(moment: datetime, minutes: int) -> None:
    when = moment.replace(
        microsecond=moment.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(minutes=minutes))
    )
    text = to_instant(when)
    assert parse_instant(text) == when
    assert (to_instant(when + timedelta(milliseconds=1)) > text) and len(text) == 24


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 9), 24)]
)
def test_that_the_norwegian_day_is_as_long_as_the_clock_makes_it(day: date, hours: int) -> None:
    start, end = day_bounds(day)
    assert end - start == timedelta(hours=hours)


def test_that_a_search_date_covers_what_was_written() -> None:
    assert period_bounds("2026-03-09") == (
        datetime(2026, 3, 8, 23, tzinfo=UTC),
        datetime(2026, 3, 9, 23, tzinfo=UTC),
    )
    assert period_bounds("2026")[1] == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert period_bounds("2026-07")[0] == datetime(2026, 6, 30, 22, tzinfo=UTC)
    start, end = period_bounds("2026-03-09T07:30")
    assert (start, end - start) == (datetime(2026, 3, 9, 6, 30, tzinfo=UTC), timedelta(minutes=1))
    assert period_bounds("2026-03-09T07:30:00 01:00") == period_bounds("2026-03-09T06:30:00Z")
    start, end = period_bounds("2026-03-09T06:30:00.120Z")
    assert end - start == timedelta(milliseconds=1)
    assert period_bounds("9999")[1].year == 9999


def test_that_unreadable_times_are_absent_for_tolerant_readers() -> None:
    assert earliest_or_none("yesterday") is None
    assert earliest_or_none(5) is None
    assert earliest_or_none("2026-03-09") == earliest("2026-03-09")
