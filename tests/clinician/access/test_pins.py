from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from clinician.access.pins import CODE_DIGITS, CODE_LASTS, LONGEST_LOCK, TRIES, Pins, weakness
from clinician.clock import FrozenClock
from clinician.errors import Refused, UserProblem

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
KARI = "Practitioner/k"


class Kept:
    """A store that keeps what it is given."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}

    def load(self, user_ref: str) -> str | None:
        return self.bodies.get(user_ref)

    def save(self, user_ref: str, body: str) -> None:
        self.bodies[user_ref] = body


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 3, 9, 6, tzinfo=UTC))


@pytest.fixture
def store() -> Kept:
    return Kept()


@pytest.fixture
def pins(store: Kept, clock: FrozenClock) -> Pins:
    made = Pins(store, clock, CHEAP)
    made.set_pin(KARI, "7402")
    return made


def fail(pins: Pins, times: int) -> list[str]:
    said = []
    for _ in range(times):
        with pytest.raises(Refused) as caught:
            pins.verify(KARI, "0000")
        said.append(caught.value.detail)
    return said


def test_that_the_right_pin_opens_and_the_store_never_holds_it(pins: Pins, store: Kept) -> None:
    pins.verify(KARI, "7402")
    assert "7402" not in store.bodies[KARI]
    assert "$argon2id$" in store.bodies[KARI]


def test_that_the_fifth_wrong_pin_locks_for_five_minutes(pins: Pins, clock: FrozenClock) -> None:
    assert fail(pins, TRIES) == ["wrong pin"] * (TRIES - 1) + ["pin locked"]
    with pytest.raises(Refused):
        pins.verify(KARI, "7402")
    assert pins.locked_until(KARI) == clock.now() + timedelta(minutes=5)
    clock.advance(timedelta(minutes=5))
    pins.verify(KARI, "7402")
    assert pins.locked_until(KARI) is None


def test_that_the_lock_and_the_count_survive_a_restart(pins: Pins, store: Kept, clock: FrozenClock) -> None:
    fail(pins, TRIES - 1)
    again = Pins(store, clock, CHEAP)
    assert fail(again, 1) == ["pin locked"]
    with pytest.raises(Refused):
        Pins(store, clock, CHEAP).verify(KARI, "7402")


def test_that_a_try_is_kept_before_it_is_judged(store: Kept, clock: FrozenClock) -> None:
    class Unplugged(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            raise KeyboardInterrupt

    Pins(store, clock, CHEAP).set_pin(KARI, "7402")
    with pytest.raises(KeyboardInterrupt):
        Pins(store, clock, Unplugged(time_cost=1, memory_cost=8, parallelism=1)).verify(KARI, "0000")
    assert json.loads(store.bodies[KARI])["wrong"] == 1


def test_that_each_lock_is_longer_until_an_hour_and_a_right_pin_ends_it(
    pins: Pins, clock: FrozenClock
) -> None:
    waits = []
    for _ in range(6):
        fail(pins, TRIES)
        until = pins.locked_until(KARI)
        assert until is not None
        waits.append((until - clock.now()).total_seconds() / 60)
        clock.advance(until - clock.now())
    assert waits == [5, 10, 20, 40, 60, 60]
    pins.verify(KARI, "7402")
    fail(pins, TRIES)
    assert pins.locked_until(KARI) == clock.now() + timedelta(minutes=5)


def test_that_a_clock_set_back_does_not_lock_for_a_year(pins: Pins, clock: FrozenClock) -> None:
    fail(pins, TRIES)
    clock.at -= timedelta(days=400)
    until = pins.locked_until(KARI)
    assert until is not None and until - clock.now() <= LONGEST_LOCK


def test_that_one_persons_lock_is_not_anothers(pins: Pins) -> None:
    pins.set_pin("Practitioner/o", "8315")
    fail(pins, TRIES)
    pins.verify("Practitioner/o", "8315")


def test_that_a_right_pin_forgets_the_wrong_ones(pins: Pins) -> None:
    fail(pins, TRIES - 1)
    pins.verify(KARI, "7402")
    assert fail(pins, 1) == ["wrong pin"]


def test_that_without_a_pin_the_way_out_is_to_choose_one(store: Kept, clock: FrozenClock) -> None:
    pins = Pins(store, clock, CHEAP)
    assert not pins.has_pin(KARI)
    with pytest.raises(Refused) as caught:
        pins.verify(KARI, "1234")
    assert caught.value.way_out is not None


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "٤٣٢١", "12 4"])
def test_that_a_pin_is_four_to_twelve_digits(pins: Pins, pin: str) -> None:
    with pytest.raises(UserProblem) as caught:
        pins.set_pin(KARI, pin)
    assert caught.value.field == "pin"
    pins.verify(KARI, "7402")


def test_that_a_new_pin_needs_the_old_one(pins: Pins) -> None:
    with pytest.raises(Refused):
        pins.change_pin(KARI, "0000", "8315")
    pins.change_pin(KARI, "7402", "8315")
    pins.verify(KARI, "8315")
    assert pins.has_pin(KARI)


def test_that_an_old_hash_is_made_stronger_when_the_pin_is_shown(
    pins: Pins, store: Kept, clock: FrozenClock
) -> None:
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    before = store.bodies[KARI]
    Pins(store, clock, stronger).verify(KARI, "7402")
    assert store.bodies[KARI] != before
    Pins(store, clock, stronger).verify(KARI, "7402")


def test_that_a_damaged_hash_opens_nothing(store: Kept, clock: FrozenClock) -> None:
    store.save(KARI, json.dumps({"hash": "damaged"}))
    with pytest.raises(Refused):
        Pins(store, clock).verify(KARI, "1234")


@pytest.mark.parametrize(
    ("pin", "weak"),
    [("1111", True), ("1234", True), ("6789", True), ("9876", True), ("7402", False), ("2580", True)],
)
def test_that_an_easy_pin_is_told_where_it_is_chosen(pin: str, weak: bool) -> None:
    assert (weakness(pin) is not None) is weak


def test_that_a_code_lets_a_person_choose_once_and_the_old_pin_holds_until_then(pins: Pins) -> None:
    assert len(pins.issue_code(KARI)) == CODE_DIGITS
    pins.verify(KARI, "7402")
    code = pins.issue_code(KARI)
    pins.redeem(KARI, code, "9153")
    pins.verify(KARI, "9153")
    with pytest.raises(Refused):
        pins.verify(KARI, "7402")
    with pytest.raises(Refused):
        pins.redeem(KARI, code, "8264")


def test_that_a_code_is_good_for_half_an_hour(pins: Pins, clock: FrozenClock) -> None:
    code = pins.issue_code(KARI)
    clock.advance(CODE_LASTS + timedelta(seconds=1))
    with pytest.raises(Refused):
        pins.redeem(KARI, code, "9153")
    pins.verify(KARI, "7402")


def test_that_guessing_a_code_meets_the_same_lock_as_guessing_a_pin(pins: Pins) -> None:
    code = pins.issue_code(KARI)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(TRIES):
        with pytest.raises(Refused):
            pins.redeem(KARI, wrong, "9153")
    with pytest.raises(Refused):
        pins.redeem(KARI, code, "9153")
    assert pins.locked_until(KARI) is not None


def test_that_a_new_code_opens_the_lock_a_forgotten_pin_made(pins: Pins) -> None:
    fail(pins, TRIES)
    pins.redeem(KARI, pins.issue_code(KARI), "9153")
    pins.verify(KARI, "9153")


@pytest.mark.parametrize("weak", ["1111", "1234", "9876"])
def test_that_a_pin_people_guess_first_is_not_taken(pins: Pins, weak: str) -> None:
    code = pins.issue_code(KARI)
    with pytest.raises(UserProblem):
        pins.redeem(KARI, code, weak)
    with pytest.raises(UserProblem):
        pins.choose_first("Practitioner/new", weak)
    pins.redeem(KARI, code, "9153")


def test_that_a_first_pin_is_chosen_once(pins: Pins) -> None:
    pins.choose_first("Practitioner/new", "9153")
    pins.verify("Practitioner/new", "9153")
    with pytest.raises(Refused):
        pins.choose_first("Practitioner/new", "8264")


def test_that_neither_code_nor_pin_is_kept_as_it_is(pins: Pins, store: Kept) -> None:
    code = pins.issue_code(KARI)
    assert code not in store.bodies[KARI]
    assert "7402" not in store.bodies[KARI]
