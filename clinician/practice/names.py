"""Believable names. Given and family names are drawn apart; pairs of known persons are refused."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any, Final

from clinician.practice.data import table

_GROUPS: Final = ("norwegian", "sami", "european", "africa-asia")


@cache
def _refused() -> frozenset[tuple[str, str]]:
    pairs = (full.casefold().split() for full in table("names")["known"]["refused"])
    return frozenset((parts[0], parts[-1]) for parts in pairs)


@cache
def _cohort(year: int) -> dict[str, Any]:
    return next(c for c in table("names")["cohort"] if year <= c["upto"])


def is_refused(given: str, family: str) -> bool:
    """Whether a reader would take the name for a known person."""
    return (given.split()[0].casefold(), family.casefold()) in _refused()


def group(dice: Random, year: int) -> str:
    """Where the family came from; the old are less mixed than the young."""
    weights = [table("names")[name]["weight"] for name in _GROUPS]
    if year < 1955:
        weights = [94, 2, 2, 2]
    return dice.choices(_GROUPS, weights)[0]


def family_name(dice: Random, origin: str) -> str:
    """A family name."""
    return str(dice.choice(table("names")[origin]["family"]))


def given_name(dice: Random, origin: str, gender: str, year: int, family: str) -> str:
    """A given name of the cohort that does not make a known person of `family`."""
    source = _cohort(year) if origin == "norwegian" else table("names")[origin]
    while is_refused(name := str(dice.choice(source[gender])), family):
        pass
    return name
