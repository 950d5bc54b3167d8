"""A list says as of when it is, by the record's clock, and does not look fresher than it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinician import texts
from clinician.clock import FrozenClock
from tests.ui.station import NOW
from ui.widgets.freshness import Age, AgeLabel, age_of, age_words

pytestmark = pytest.mark.window
SECONDS = st.integers(min_value=-60, max_value=100_000)


@pytest.mark.parametrize(
    ("seconds", "complete", "age"),
    [
        (0, True, Age.FRESH),
        (120, True, Age.FRESH),
        (121, True, Age.AMBER),
        (600, True, Age.AMBER),
        (601, True, Age.RED),
        (0, False, Age.AMBER),
        (601, False, Age.RED),
        (-30, True, Age.FRESH),
    ],
)
def test_that_it_turns_amber_after_two_minutes_and_red_after_ten(
    seconds: int, complete: bool, age: Age
) -> None:
    assert age_of(NOW - timedelta(seconds=seconds), complete, NOW) is age


@given(SECONDS, st.integers(min_value=0, max_value=100_000), st.booleans())
def test_that_time_alone_never_makes_a_list_fresher(seconds: int, later: int, complete: bool) -> None:
    order = list(Age)
    as_of = NOW - timedelta(seconds=seconds)
    before = age_of(as_of, complete, NOW)
    after = age_of(as_of, complete, NOW + timedelta(seconds=later))
    assert order.index(after) >= order.index(before)


def test_that_the_label_ages_while_nothing_comes_and_is_told_in_words(qtbot: Any) -> None:
    clock = FrozenClock(NOW)
    label = AgeLabel(clock.now, "test.age")
    qtbot.addWidget(label)
    assert not label.isVisibleTo(label.parentWidget())
    label.show_age(NOW, complete=True)
    assert (label.age, label.text) == (Age.FRESH, "Per 10:42:07")
    clock.advance(timedelta(minutes=3))
    label.show_age(NOW, complete=True)
    assert (label.age, label.text) == (Age.AMBER, "Per 10:42:07, 3 min gammel")
    clock.advance(timedelta(hours=3))
    label.show_age(NOW, complete=True)
    assert (label.age, label.text) == (Age.RED, "Per 10:42:07, 3 t gammel")


def test_that_another_day_is_named(qtbot: Any) -> None:
    words = age_words(datetime(2026, 3, 1, 9, 0, tzinfo=UTC), True, NOW)
    assert words.render("nb") == "Per 01.03. 10:00, 2 d gammel"


def test_that_what_was_never_whole_is_said(qtbot: Any) -> None:
    assert age_of(None, True, NOW) is Age.RED
    assert age_words(None, True, NOW).render("nb") == "Aldri hentet helt"
    assert age_words(NOW, False, NOW).render("nb") == "Per 10:42:07, ikke helt hentet ennå"


def test_that_it_speaks_another_language_at_once(qtbot: Any) -> None:
    from ui.widgets.words import announce

    label = AgeLabel(FrozenClock(NOW).now, "test.age")
    qtbot.addWidget(label)
    label.show_age(NOW, complete=True)
    texts.set_language("en")
    announce(label)
    assert label.text == "As of 10:42:07"
