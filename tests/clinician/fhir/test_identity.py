from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.fhir import codes
from clinician.fhir.identity import (
    Identity,
    IdentityKind,
    check,
    check_orgnr,
    classic_birth_date,
    examine,
    make_fnr,
    make_orgnr,
    masked,
    remainders,
    shown,
)
from clinician.texts import Text

VECTORS = Path(__file__).parent / "vectors"
PEOPLE = list(csv.DictReader((VECTORS / "identity-testvectors.csv").read_text("utf-8").splitlines()))
UNITS = list(csv.DictReader((VECTORS / "orgnr-testvectors.csv").read_text("utf-8").splitlines()))


def system_of(row: dict[str, str]) -> str:
    return (
        {"D": codes.DNR, "H": "", "9": codes.FHN}.get(row["kind"][0], codes.FNR)
        if row["number"][0] != "9"
        else codes.FHN
    )


@pytest.mark.parametrize("row", PEOPLE, ids=lambda row: row["number"])
def test_that_the_published_vectors_are_judged_as_published(row: dict[str, str]) -> None:
    number = row["number"]
    found = examine(number)
    assert remainders(number) == (int(row["rest1"]), int(row["rest2"]))
    if row["kind"].startswith("FHN"):
        assert isinstance(found, Identity) and found.kind is IdentityKind.FHN
        return
    assert isinstance(found, Identity) == (row["rule_2032"] == "valid")
    if isinstance(found, Identity):
        assert found.classic == (row["classic_rule"] == "valid")
    if row["birth_date"][:2] in ("19", "20"):
        assert classic_birth_date(number) == date.fromisoformat(row["birth_date"])


@pytest.mark.parametrize("row", UNITS, ids=lambda row: row["orgnr"])
def test_that_organisation_numbers_are_judged_as_published(row: dict[str, str]) -> None:
    assert (check_orgnr(row["orgnr"]) is None) == row["expected"].startswith("valid")


def test_that_production_refuses_a_synthetic_person() -> None:
    for number in ("01815016536", "01775048618"):
        assert isinstance(check(number, synthetic=False), Text)
        assert check(number, synthetic=True) is IdentityKind.FNR


def test_that_practice_refuses_a_number_that_may_be_somebodys() -> None:
    real = make_fnr(Random(1), date(1950, 3, 10), "female", synthetic=False)
    assert check(real, synthetic=False) is IdentityKind.FNR
    assert isinstance(check(real, synthetic=True), Text)
    assert isinstance(check("96688419023", synthetic=True), Text)
    assert check("96688419023", synthetic=False) is IdentityKind.FHN


def test_that_the_h_number_is_told_by_its_system_never_by_its_pattern() -> None:
    own_system = "urn:oid:1.2.3"
    assert check("01495017024", synthetic=False, system=own_system) is IdentityKind.HNR
    assert check("01495017024", synthetic=True, system=own_system) is IdentityKind.HNR
    assert isinstance(check("01495017024", synthetic=False, system=codes.FNR), Text)
    assert check("01495017024", synthetic=True, system=codes.FNR) is IdentityKind.FNR


def test_that_a_number_under_the_wrong_system_is_named_for_what_it_is() -> None:
    problem = check("71880182328", synthetic=True, system=codes.FNR)
    assert isinstance(problem, Text)
    assert "D-number" in problem.render("en")
    assert check("71880182328", synthetic=True, system=codes.DNR) is IdentityKind.DNR


@pytest.mark.parametrize(
    "typed",
    ["", "123", "0181501653", "018150165366", "0181501653a", "٠١٨١٥٠١٦٥٣٦", "11111111111", "00000000000"],
)
def test_that_what_is_no_number_is_refused_in_words(typed: str) -> None:
    assert isinstance(examine(typed), Text)
    assert classic_birth_date(typed) is None


def test_that_blanks_and_dots_in_a_typed_number_do_no_harm() -> None:
    assert check("018150 16536", synthetic=True) is IdentityKind.FNR
    assert (shown("01815016536"), masked("01815016536")) == ("018150 16536", "018150 •••••")
    assert (shown("7"), masked("77")) == ("7", "••")


BIRTHS = st.dates(date(1854, 1, 1), date(2039, 12, 31))


@given(BIRTHS, st.sampled_from(["female", "male", "other"]), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=150)
def test_that_a_made_number_holds_and_tells_the_birth_date(
    birth: date, gender: str, d_number: bool, seed: int
) -> None:
    number = make_fnr(Random(seed), birth, gender, d_number=d_number)
    found = examine(number)
    assert isinstance(found, Identity) and found.synthetic and found.classic
    assert classic_birth_date(number) == birth
    if gender in ("female", "male"):
        assert int(number[8]) % 2 == (gender == "male")


@given(BIRTHS, st.integers(0, 2**32))
@settings(max_examples=100)
def test_that_a_number_of_2032_holds_but_tells_no_birth_date(birth: date, seed: int) -> None:
    number = make_fnr(Random(seed), birth, rule_2032=True)
    found = examine(number)
    assert isinstance(found, Identity) and not found.classic
    assert classic_birth_date(number) is None
    assert check(number, synthetic=True) is IdentityKind.FNR


@given(BIRTHS, st.integers(0, 2**32), st.integers(0, 9), st.integers(1, 9))
@settings(max_examples=100)
def test_that_any_single_wrong_digit_among_the_last_is_found_by_the_second_check(
    birth: date, seed: int, place: int, by: int
) -> None:
    number = make_fnr(Random(seed), birth)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert isinstance(examine(wrong), Text)


def test_that_a_year_outside_every_series_is_refused() -> None:
    with pytest.raises(ValueError):
        make_fnr(Random(1), date(2045, 1, 1))
    assert isinstance(examine(make_fnr(Random(1), date(2045, 1, 1), rule_2032=True)), Identity)


@given(st.integers(0, 2**32))
@settings(max_examples=50)
def test_that_made_organisation_numbers_hold(seed: int) -> None:
    assert check_orgnr(make_orgnr(Random(seed))) is None


def test_that_the_same_seed_gives_the_same_number() -> None:
    assert make_fnr(Random(7), date(1942, 3, 12), "female") == make_fnr(
        Random(7), date(1942, 3, 12), "female"
    )
