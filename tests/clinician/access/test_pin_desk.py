"""Who may choose a PIN here: the first superuser at once, everybody else with a code handed to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from argon2 import PasswordHasher

from clinician.access.pins import Pins
from clinician.access.who import Who
from clinician.clock import FrozenClock
from clinician.errors import Refused
from clinician.pin_desk import PinDesk, PinState
from tests.clinician.access.test_pins import Kept

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
JONAS, KARI = "Practitioner/jonas", "Practitioner/kari"
TRUSTED = frozenset({"superuser"})


@dataclass(frozen=True)
class Row:
    key: str
    functions: frozenset[str] = frozenset()


@dataclass
class Log:
    """What would be logged."""

    decisions: list[str] = field(default_factory=list)

    def record_decision(self, _who: Who, name: str) -> None:
        self.decisions.append(name)


class Place:
    """A workplace with its staff, its desk and whoever is signed in."""

    def __init__(self, *staff: Row, everybody_has: bool = False) -> None:
        self.staff = staff or (Row(JONAS, TRUSTED), Row(KARI))
        self.who: Who | None = None
        self.pins = Pins(Kept(), FrozenClock(datetime(2026, 3, 9, 6, tzinfo=UTC)), CHEAP)
        self.log = Log()
        seats: Any = (self.pins, lambda: self.staff, self.log, self._person)
        self.desk = PinDesk(*seats, everybody_has=everybody_has)

    def _person(self) -> Who:
        assert self.who is not None
        return self.who

    def sign_in(self, ref: str) -> None:
        functions = next(row.functions for row in self.staff if row.key == ref)
        self.who = Who(ref, f"{ref}/role", "Navn", "NN", "Organization/o", "Sone", functions=functions)


def test_that_the_first_superuser_chooses_at_once_and_nobody_else() -> None:
    place = Place()
    assert place.desk.state(JONAS) is PinState.FIRST
    assert place.desk.state(KARI) is PinState.CODE
    with pytest.raises(Refused):
        place.desk.choose(KARI, "9153")
    place.desk.choose(JONAS, "9153")
    place.pins.verify(JONAS, "9153")
    assert place.desk.state(JONAS) is PinState.HAS


def test_that_a_workplace_without_a_superuser_lets_the_first_person_in() -> None:
    place = Place(Row(KARI), Row("Practitioner/ali"))
    place.desk.choose(KARI, "9153")
    assert place.desk.state("Practitioner/ali") is PinState.CODE


def test_that_a_second_superuser_needs_a_code_too() -> None:
    place = Place(Row(JONAS, TRUSTED), Row(KARI, TRUSTED))
    place.desk.choose(JONAS, "9153")
    assert place.desk.state(KARI) is PinState.CODE


def test_that_a_superuser_hands_out_a_code_and_it_is_logged() -> None:
    place = Place()
    place.desk.choose(JONAS, "9153")
    place.sign_in(JONAS)
    code = place.desk.issue_code(KARI)
    assert place.log.decisions == ["issue_pin_code"]
    place.desk.choose(KARI, "8264", code)
    place.pins.verify(KARI, "8264")


def test_that_nobody_else_hands_out_codes_and_none_to_strangers() -> None:
    place = Place()
    place.sign_in(KARI)
    with pytest.raises(Refused):
        place.desk.issue_code(KARI)
    place.sign_in(JONAS)
    with pytest.raises(Refused):
        place.desk.issue_code("Practitioner/stranger")
    assert place.log.decisions == []


def test_that_in_practice_everybody_has_a_pin() -> None:
    assert Place(everybody_has=True).desk.state(KARI) is PinState.HAS
