"""Pings become questions: once for a flock, once more after two seconds, and never a storm."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from clinician.clock import FrozenClock
from clinician.sync.announced import AGAIN, ALL, DEBOUNCE, WIDEST, Announced
from clinician.sync.health import PushHealth
from clinician.sync.rounds import POLL, SICK_POLL, Cadence

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def test_that_a_flock_of_pings_is_one_question_and_one_more_after_two_seconds() -> None:
    announced = Announced(random.Random(1))
    assert announced.next_due() is None and announced.take(0.0) == frozenset()
    for tenth in range(5):
        announced.heard("Task", 10.0 + tenth / 100)
    due = announced.next_due()
    assert due is not None and 10.0 + DEBOUNCE <= due <= 10.0 + 2 * DEBOUNCE
    assert announced.take(due - 0.001) == frozenset()
    assert announced.take(due) == {"Task"} and announced.take(due) == frozenset()
    assert announced.next_due() == due + AGAIN
    assert announced.take(due + AGAIN) == {"Task"} and announced.next_due() is None


def test_that_types_that_ring_together_are_asked_for_together() -> None:
    announced = Announced(random.Random(1))
    announced.heard("Task", 0.0), announced.heard("Appointment", 0.0)
    assert announced.take(2 * DEBOUNCE) == {"Task", "Appointment"}


def test_that_a_stream_of_every_change_is_not_asked_twice() -> None:
    announced = Announced(random.Random(1))
    announced.heard(ALL, 0.0)
    assert announced.take(1.0) == {ALL} and announced.next_due() is None


def test_that_a_whole_round_answers_what_was_announced_but_for_the_second_look() -> None:
    announced = Announced(random.Random(1))
    announced.heard("Task", 0.0), announced.heard(ALL, 0.0)
    announced.take_all(0.05)
    assert announced.take(1.0) == frozenset() and announced.take(0.05 + AGAIN) == {"Task"}


def test_that_the_pcs_of_a_ward_do_not_ask_in_the_same_instant() -> None:
    dues = set()
    for seed in range(20):
        announced = Announced(random.Random(seed))
        announced.heard("Task", 0.0)
        dues.add(announced.next_due())
    assert len(dues) == 20


@given(gaps=st.lists(st.floats(0.0, 0.05), min_size=50, max_size=300), fruitful=st.booleans())
def test_that_pings_for_ever_are_no_storm(gaps: list[float], fruitful: bool) -> None:
    """At most one question a debounce; where nothing is found, soon one in one and a half seconds."""
    announced, now, asked = Announced(random.Random(2)), 0.0, []
    for gap in gaps * 8:
        now += gap
        announced.heard("Task", now)
        if announced.take(now):
            asked.append(now)
            announced.asked(now, fruitful=fruitful)
    assert all(later - earlier >= DEBOUNCE for earlier, later in pairwise(asked))
    if not fruitful:
        assert len(asked) <= 5 + now / WIDEST


def test_that_one_fruitful_answer_ends_the_wide_pauses() -> None:
    announced = Announced(random.Random(1))
    for _ in range(8):
        announced.asked(0.0, fruitful=False)
    announced.heard("Task", 0.0)
    due = announced.next_due()
    assert due is not None and due == WIDEST
    announced.take(due)
    announced.asked(due, fruitful=True)
    announced.heard("Task", due)
    assert announced.take(due + 2 * DEBOUNCE) == {"Task"}


# health --------------------------------------------------------------------------------------------


def test_that_two_polls_with_changes_nobody_announced_make_the_announcing_sick_until_it_rings() -> None:
    health = PushHealth()
    for changed in (set(), {"Task"}, set()):
        health.polled(changed, {"Task"})
        assert not health.is_sick
    health.polled({"Task"}, {"Task"})
    assert health.is_sick
    health.heard("Appointment")
    assert health.is_sick, "another type's ping says nothing of this one"
    health.heard("Task")
    assert not health.is_sick


def test_that_what_was_announced_and_what_is_not_covered_speaks_against_nobody() -> None:
    health = PushHealth()
    for _ in range(5):
        health.heard("Task")
        health.polled({"Task", "Observation"}, {"Task"})
        health.polled({"Observation"}, {"Task"})
        health.polled({"Task"}, set())
    assert not health.is_sick


def test_that_a_stream_of_every_change_is_judged_by_every_change() -> None:
    health = PushHealth()
    health.polled({"Observation"}, {ALL}), health.polled(set(), {ALL}), health.polled({"Flag"}, {ALL})
    assert health.is_sick
    health.forget()
    assert not health.is_sick


# when to poll --------------------------------------------------------------------------------------


def test_that_polls_come_every_30_s_seen_60_s_unseen_10_s_sick_and_spread_by_a_fifth() -> None:
    clock = FrozenClock(NOW)
    cadence = Cadence(clock, random.Random(1))
    assert cadence.until_poll(covered=set(), is_sick=False) == 0.0
    waits = []
    for _ in range(200):
        cadence.polled()
        waits.append(cadence.until_poll(covered={"Task"}, is_sick=False))
        assert cadence.until_poll(covered={"Task"}, is_sick=True) == approx(waits[-1] / 3)
        assert cadence.until_poll(covered={ALL}, is_sick=False) == approx(waits[-1] * 2)
    assert min(waits) >= POLL * 0.8 and max(waits) <= POLL * 1.2 and max(waits) - min(waits) > POLL * 0.3
    cadence.is_visible = False
    assert cadence.until_poll(covered=set(), is_sick=False) == approx(waits[-1] * 2)
    assert cadence.until_poll(covered=set(), is_sick=True) == approx(waits[-1] / 3)
    clock.ticks += 200
    assert cadence.until_poll(covered=set(), is_sick=False) == 0.0


def test_that_a_ping_ends_the_pause_of_a_silent_record_not_more_than_every_ten_seconds() -> None:
    clock = FrozenClock(NOW)
    cadence = Cadence(clock)
    assert [cadence.may_hurry() for _ in range(3)] == [True, False, False]
    clock.ticks += SICK_POLL
    assert cadence.may_hurry()
