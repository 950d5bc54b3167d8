"""What came back is offered until it is signed: one after the other, and after another sign-in."""

from __future__ import annotations

import pytest

from modules.homecare.views.reopened import Reopened


def test_that_of_several_the_latest_is_first_and_the_one_before_is_next() -> None:
    back = Reopened()
    for visit in ("Appointment/1", "Appointment/2", "Appointment/1", ""):
        back.came("Patient/1", "note", visit)
    assert back.visit("Patient/1", "note") == ""
    back.done("Patient/1", "note")
    assert back.visit("Patient/1", "note") == "Appointment/1"
    back.done("Patient/1", "note")
    assert back.visit("Patient/1", "note") == "Appointment/2"
    back.done("Patient/1", "note")
    back.done("Patient/1", "note")
    assert back.visit("Patient/1", "note") == ""


def test_that_a_note_and_a_measurement_and_two_users_are_kept_apart() -> None:
    back = Reopened()
    back.came("Patient/1", "note", "Appointment/1")
    back.came("Patient/1", "measurements", "")
    assert back.visit("Patient/1", "note") == "Appointment/1"
    assert back.visit("Patient/2", "note") == ""
    assert (back.cursor(), back.cursor()) == ("measurements", "")


def test_that_it_is_carried_over_to_another_view() -> None:
    back, anew = Reopened(), Reopened()
    back.came("Patient/1", "note", "Appointment/1")
    assert anew.restore(back.state())
    assert (anew.visit("Patient/1", "note"), anew.cursor()) == ("Appointment/1", "")


@pytest.mark.parametrize("written", ["{", "[]", '{"a": 1}'])
def test_that_what_does_not_read_is_nothing(written: str) -> None:
    back = Reopened()
    assert not back.restore({"reopened": written}) and back.state() == {}
