"""The offline lease: it runs out by the furthest time the PC has shown, and a contact renews it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinician.access.lease import Contact

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
LENGTH = timedelta(hours=72)
LOOKS = st.lists(st.tuples(st.integers(-200, 200), st.booleans()), max_size=30)


def test_that_it_runs_out_after_its_length_and_not_before() -> None:
    contact = Contact().noted(START, answered=True)
    assert not contact.is_over(START + LENGTH, LENGTH)
    assert contact.is_over(START + LENGTH + timedelta(seconds=1), LENGTH)
    assert contact.ends(LENGTH) == START + LENGTH


def test_that_a_pc_that_was_never_in_contact_holds_nothing_to_lock() -> None:
    contact = Contact().noted(START, answered=False)
    assert contact.ends(LENGTH) is None
    assert not contact.is_over(START + timedelta(days=400), LENGTH)


def test_that_a_clock_set_back_does_not_lengthen_it() -> None:
    contact = Contact().noted(START, answered=True).noted(START + timedelta(hours=80), answered=False)
    assert contact.is_over(START, LENGTH)


@given(LOOKS)
def test_that_time_without_contact_only_brings_the_end_nearer(looks: list[tuple[int, bool]]) -> None:
    contact = Contact().noted(START, answered=True)
    now = START
    for hours, answered in looks:
        now = START + timedelta(hours=hours)
        was_over = contact.is_over(now, LENGTH)
        contact = contact.noted(now, answered=answered)
        if answered:
            assert not contact.is_over(now, LENGTH)
        elif was_over:
            assert contact.is_over(now, LENGTH)
