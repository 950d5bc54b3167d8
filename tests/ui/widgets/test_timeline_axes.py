"""Axes: round places, readable words, never too many."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician import texts
from ui.widgets.timeline_axes import date_ticks, day_words, moment_words, number_words, padded, value_ticks


@pytest.fixture(autouse=True)
def _bokmaal() -> None:
    texts.set_language("nb")


def test_that_days_are_written_the_norwegian_way() -> None:
    assert day_words(date(2026, 3, 3)) == "tir 3. mars"
    assert moment_words(datetime(2026, 3, 3, 8, 12, tzinfo=UTC)) == "tir 3. mars 09:12"


def test_that_days_follow_the_language() -> None:
    texts.set_language("nn")
    assert day_words(date(2026, 3, 2)).startswith("må")
    texts.set_language("nb")


def test_that_numbers_have_a_decimal_comma_and_a_true_minus() -> None:
    assert number_words(37.5, 1) == "37,5"
    assert number_words(-0.4, 1) == "−0,4"
    assert number_words(-0.01, 1) == "0,0"


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 1_900_000_000),
    st.integers(1, 20 * 365 * 24 * 60),
    st.integers(2, 12),
)
def test_that_ticks_lie_between_the_ends_in_order_and_are_few(
    start: datetime, minutes: int, most: int
) -> None:
    low = datetime.fromtimestamp(start, UTC)
    high = low + timedelta(minutes=minutes)
    ticks = date_ticks(low, high, most)
    places = [at for at, _words in ticks]
    assert places == sorted(set(places))
    assert all(low <= at <= high for at in places)
    assert len(ticks) <= most + 2
    assert all(words for _at, words in ticks)


@settings(max_examples=150, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e4), st.integers(2, 12))
def test_that_value_ticks_are_round_and_inside(low: float, span: float, most: int) -> None:
    ticks, decimals = value_ticks(low, low + span, most)
    assert 0 <= decimals <= 6
    assert len(ticks) <= most + 1
    assert all(low - span * 1e-6 <= tick <= low + span * 1.000001 for tick in ticks)


def test_that_one_value_still_gets_room() -> None:
    low, high = padded([120.0])
    assert low < 120.0 < high
