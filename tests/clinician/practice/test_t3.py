"""The T3 situation: six visits of Kari, and that others on duty can take them all without a clash."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product

import pytest

from clinician.fhir import codes, read
from clinician.fhir.reference import Raw
from clinician.practice.municipality import FEWEST, municipality
from tests.clinician.practice.reading import TownRead, minutes_between, needs, patient, span, staff

SEEDS = (1, 2, 3, 17, 2026)


def kari(town: TownRead) -> str:
    unit = town.unit("Nord")
    found = [
        r["practitioner"]["reference"]
        for r in town.roles(unit)
        if town.by_ref[r["practitioner"]["reference"]]["name"][0]["given"] == ["Kari"]
    ]
    assert len(found) == 1
    return str(found[0])


def remaining(town: TownRead) -> list[Raw]:
    me = kari(town)
    return sorted((v for v in town.visits(town.unit("Nord")) if me in staff(v)), key=lambda v: v["start"])


def flag_codes(town: TownRead, ref: str) -> set[str]:
    flags = [f for f in town.by_type["Flag"] if f["subject"]["reference"] == ref]
    return {read.code_in(f, "code", codes.CODE_FLAG) for f in flags}


def hint(town: TownRead, ref: str) -> str:
    flags = [f for f in town.by_type["Flag"] if f["subject"]["reference"] == ref]
    return next(f["code"]["text"] for f in flags if read.has_code(f, "code", codes.CODE_FLAG, "access"))


def test_that_kari_is_a_nurse_with_six_visits_left_after_0710(town: TownRead) -> None:
    assert "SP" in town.holds(kari(town), town.unit("Nord"))
    left = remaining(town)
    assert len(left) == 6
    assert all(v["status"] == "booked" and v["start"] > f"{town.day}T07:10" for v in left)


def test_that_each_of_the_six_is_one_of_the_six_kinds(town: TownRead) -> None:
    left = remaining(town)
    assert ["SP" in needs(v) for v in left] == [True, False, False, False, False, False]
    assert "Insulin" in left[0]["description"]
    assert [bool(read.extension(v, codes.EXT_FIXED_TIME)) for v in left] == [
        v["start"][11:16] == "08:00" for v in left
    ]
    assert [v["start"][11:16] == "08:00" for v in left].count(True) == 1
    assert [read.extension(v, codes.EXT_STAFF_COUNT) for v in left] == [None, None, 2, None, None, None]
    assert [hint(town, patient(v)) == "Nøkkelboks" for v in left] == [False, False, False, True, False, False]
    assert ["new-user" in flag_codes(town, patient(v)) for v in left] == [False] * 4 + [True, False]
    assert [read.extension(v, codes.EXT_WISH) for v in left] == [None] * 5 + ["male"]
    assert read.extension(left[5], codes.EXT_WISH_FIRM) is True


class Duty:
    """Those on duty without Kari, and what their day already holds."""

    def __init__(self, town: TownRead) -> None:
        self.town, self.unit = town, town.unit("Nord")
        self.visits = [v for v in town.visits(self.unit) if kari(town) not in staff(v) or len(staff(v)) > 1]
        self.people = {
            r["actor"][0]["reference"]: r
            for r in town.routes(self.unit, town.day).values()
            if r["actor"][0]["reference"] != kari(town)
        }

    def may(self, who: str, visit: Raw) -> bool:
        shift = [datetime.fromisoformat(self.people[who]["planningHorizon"][k]) for k in ("start", "end")]
        wish = read.extension(visit, codes.EXT_WISH)
        return (
            needs(visit) <= self.town.holds(who, self.unit)
            and wish in (None, self.town.by_ref[who]["gender"])
            and who not in staff(visit)
            and shift[0] <= span(visit)[0]
            and span(visit)[1] <= shift[1]
            and all(self.apart(visit, other) for other in self.visits if who in staff(other))
        )

    def apart(self, one: Raw, other: Raw) -> bool:
        travel = timedelta(
            minutes=minutes_between(self.town.position(patient(one)), self.town.position(patient(other)))
        )
        (a, b), (c, d) = span(one), span(other)
        return b + travel <= c or d + travel <= a


def solutions(town: TownRead) -> list[tuple[str, ...]]:
    """Every way to give the six away at their planned times: brute force."""
    duty, left = Duty(town), remaining(town)
    able = [[who for who in duty.people if duty.may(who, visit)] for visit in left]
    return [
        choice
        for choice in product(*able)
        if all(duty.apart(left[i], left[j]) for i in range(6) for j in range(i) if choice[i] == choice[j])
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_that_all_six_can_be_given_away_without_moving_one_minute(seed: int) -> None:
    day = date(2026, 3, 3) + timedelta(days=seed % 7)
    assert solutions(TownRead(list(municipality(seed, FEWEST, day)), day))


def test_that_only_the_right_people_can_take_the_special_ones(town: TownRead) -> None:
    duty, left = Duty(town), remaining(town)
    insulin = {who for who in duty.people if duty.may(who, left[0])}
    assert {"SP"} <= set.intersection(*(town.holds(who, duty.unit) for who in insulin))
    shower = {who for who in duty.people if duty.may(who, left[5])}
    assert {town.by_ref[who]["gender"] for who in shower} == {"male"}


def test_that_the_default_nurse_has_ten_visits_or_more_today(town: TownRead) -> None:
    unit = town.unit("Nord")
    per_nurse = [
        sum(r["practitioner"]["reference"] == staff(v)[0] for v in town.visits(unit))
        for r in town.roles(unit)
        if town.by_ref[r["practitioner"]["reference"]]["name"][0]["text"] == "Silje Nygård"
    ]
    assert per_nurse == [11]
