"""Norwegian identity numbers: what a number is, and synthetic ones for practice.

Both check rules are always accepted: the classic one, and the one in force from 2032, where the first
remainder may be 0–3 (Skatteetaten, Nytt fødselsnummer fra 2032). Under the latter neither century nor
gender can be read from a number, so birth date and gender come from the Patient, never from here.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from typing import Final

from clinician import texts
from clinician.fhir import codes
from clinician.texts import Text

L = texts.lazy("fhir")

_K1: Final = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_K2: Final = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_ORG: Final = (3, 2, 7, 6, 5, 4, 3, 2, 1)
_TENOR, _NHN, _LOCAL, _NPID = 80, 65, 40, 20
_CENTURIES: Final = (
    (0, 499, 0, 99, 1900),
    (500, 749, 54, 99, 1800),
    (500, 999, 0, 39, 2000),
    (900, 999, 40, 99, 1900),
)
"""Individual number from–to, two-digit year from–to, century (ehelse.no, identifikatorer for personer)."""


class IdentityKind(StrEnum):
    """What kind of number it is (Volven 8116)."""

    FNR = "FNR"
    DNR = "DNR"
    FHN = "FHN"
    HNR = "HNR"
    NPID = "NPID"


_SYSTEMS: Final = {codes.FNR: IdentityKind.FNR, codes.DNR: IdentityKind.DNR, codes.FHN: IdentityKind.FHN}
_NAMES: Final = {
    IdentityKind.FNR: L("fødselsnummer"),
    IdentityKind.DNR: L("D-number"),
    IdentityKind.FHN: L("common help number (FH number)"),
    IdentityKind.HNR: L("local help number (H number)"),
    IdentityKind.NPID: L("NPID number"),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A number that holds. classic: also under the rule before 2032. synthetic: nobody's number."""

    number: str
    kind: IdentityKind
    synthetic: bool
    classic: bool


def _digits(number: str) -> str:
    return re.sub(r"[\s\u00a0.-]", "", number)


def _remainder(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11


def remainders(number: str) -> tuple[int, int]:
    """(first, second) remainder of the two check sums over 11 digits."""
    return _remainder(number[:10], _K1), _remainder(number, _K2)


def _month_offset(month: int) -> int | None:
    return next((o for o in (0, _NPID, _LOCAL, _NHN, _TENOR) if 1 <= month - o <= 12), None)


def _is_day(day: int, month: int, year: int) -> bool:
    longest = 29 if month == 2 and year % 4 == 0 else calendar.monthrange(2001, month)[1]
    return 1 <= day <= longest


def examine(number: str, system: str = "") -> Identity | Text:
    """What a number is, or in words why it is none. system: of the Identifier, when it is known.

    The pattern month + 40 is both the H number of an organisation and a synthetic number of NAV; the
    system decides: under the national systems it is synthetic, under any other a H number.
    """
    plain = _digits(number)
    if not re.fullmatch(r"[0-9]{11}", plain):
        return L("An identity number has 11 digits. Check what was typed.")
    first, second = remainders(plain)
    if second or first > 3:
        return L("The check digits do not fit: a digit is wrong or two have changed places.")
    found = _by_pattern(plain, first == 0, system)
    if isinstance(found, Text):
        return found
    wanted = _SYSTEMS.get(system)
    if wanted is not None and found.kind is not wanted:
        return L("This is a {found}, not a {wanted}.", found=_NAMES[found.kind], wanted=_NAMES[wanted])
    return found


def _by_pattern(plain: str, classic: bool, system: str) -> Identity | Text:
    if plain[0] in "89":
        if not classic:
            return L("The check digits do not fit: a digit is wrong or two have changed places.")
        return Identity(plain, IdentityKind.FHN, False, True)
    day, month, year = int(plain[:2]), int(plain[2:4]), int(plain[4:6])
    offset = _month_offset(month)
    is_d_number = day > 40
    if offset is None or not _is_day(day - 40 * is_d_number, month - offset, year):
        return L("The first six digits are no date. Check what was typed.")
    kind = IdentityKind.DNR if is_d_number else IdentityKind.FNR
    if offset == _LOCAL and system not in _SYSTEMS:
        return Identity(plain, IdentityKind.HNR, False, classic)
    if offset == _NPID:
        return Identity(plain, IdentityKind.NPID, False, classic)
    return Identity(plain, kind, offset in (_LOCAL, _NHN, _TENOR), classic)


def check(number: str, *, synthetic: bool, system: str = "") -> IdentityKind | Text:
    """The kind of a number that may be used here, or in words why it may not.

    synthetic False (production) refuses synthetic numbers: a synthetic person among real ones is a
    mix of data. True (practice, tests) refuses every number that may belong to somebody.
    """
    found = examine(number, system)
    if isinstance(found, Text):
        return found
    if found.synthetic and not synthetic:
        return L("This is a synthetic number for practice. It must not be used for a real person.")
    if synthetic and not found.synthetic and found.kind is not IdentityKind.HNR:
        return L("This number may belong to a real person. Practice takes synthetic numbers only.")
    return found.kind


def classic_birth_date(number: str) -> date | None:
    """The birth date a classic number tells, None when it tells none. For matching, never for showing."""
    found = examine(number, codes.FNR if number[:1] in "0123" else codes.DNR)
    if isinstance(found, Text) or not found.classic or found.kind is IdentityKind.FHN:
        return None
    plain = found.number
    day, month, year = int(plain[:2]) % 40, int(plain[2:4]), int(plain[4:6])
    offset = _month_offset(month) or 0
    individual = int(plain[6:9])
    for low, high, from_year, to_year, century in _CENTURIES:
        if low <= individual <= high and from_year <= year <= to_year:
            try:
                return date(century + year, month - offset, day)
            except ValueError:
                return None
    return None


def _check_digit(body: str, weights: tuple[int, ...], target: int = 0) -> int | None:
    digit = (target - _remainder(body, weights)) % 11
    return digit if digit < 10 else None


def _complete(body: str, first_remainder: int = 0) -> str | None:
    k1 = _check_digit(body, _K1, first_remainder)
    k2 = None if k1 is None else _check_digit(f"{body}{k1}", _K2)
    return None if k2 is None else f"{body}{k1}{k2}"


def make_fnr(
    rng: Random,
    birth: date,
    gender: str = "",
    synthetic: bool = True,
    *,
    d_number: bool = False,
    rule_2032: bool = False,
) -> str:
    """A number for a birth date. gender: 'female', 'male' (classic numbers only), else either.

    synthetic: month + 80 (Tenor). rule_2032: one that holds only under the rule of 2032. Raises
    ValueError for a birth year no classic series covers (before 1854, after 2039).
    """
    day = birth.day + 40 * d_number
    month = birth.month + _TENOR * synthetic
    series = [
        range(low, high + 1)
        for low, high, from_year, to_year, century in _CENTURIES
        if century <= birth.year < century + 100 and from_year <= birth.year % 100 <= to_year
    ]
    if rule_2032:
        series = [range(1000)]
    if not series:
        raise ValueError("no classic series covers this birth year")
    while True:
        individual = rng.choice(rng.choice(series))
        if not rule_2032 and gender in ("female", "male") and individual % 2 != (gender == "male"):
            continue
        body = f"{day:02}{month:02}{birth.year % 100:02}{individual:03}"
        made = _complete(body, rng.choice((1, 2, 3)) if rule_2032 else 0)
        if made is not None:
            return made


def check_orgnr(number: str) -> Text | None:
    """None when an organisation number holds; otherwise why not."""
    plain = _digits(number)
    if not re.fullmatch(r"[0-9]{9}", plain):
        return L("An organisation number has 9 digits. Check what was typed.")
    if _remainder(plain, _ORG):
        return L("The check digits do not fit: a digit is wrong or two have changed places.")
    return None


def make_orgnr(rng: Random) -> str:
    """A synthetic organisation number (series 310, Tenor)."""
    while True:
        body = f"310{rng.randrange(100_000):05}"
        digit = _check_digit(body, _ORG)
        if digit is not None:
            return f"{body}{digit}"


def shown(number: str) -> str:
    """'018150 16536'."""
    plain = _digits(number)
    return f"{plain[:6]} {plain[6:]}" if len(plain) == 11 else number


def masked(number: str) -> str:
    """'018150 •••••': the first six digits only."""
    plain = _digits(number)
    return f"{plain[:6]} •••••" if len(plain) == 11 else "•" * len(number)
