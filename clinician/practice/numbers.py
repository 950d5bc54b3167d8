"""Numbers that look right and belong to nobody: identity, organization, HPR, telephone."""

from __future__ import annotations

from datetime import date
from random import Random

from clinician.fhir.identity import make_fnr, make_orgnr
from clinician.practice.data import table


class Numbers:
    """Deals numbers that are not dealt twice."""

    def __init__(self) -> None:
        self._dealt: set[str] = set()
        self._hpr = 0

    def fnr(self, dice: Random, birth: date, gender: str) -> str:
        """A synthetic fødselsnummer (Tenor: month + 80), valid by our own checker."""
        while (number := make_fnr(dice, birth, gender, synthetic=True)) in self._dealt:
            pass
        self._dealt.add(number)
        return number

    def orgnr(self, dice: Random) -> str:
        """A synthetic organization number (Tenor)."""
        while (number := make_orgnr(dice)) in self._dealt:
            pass
        self._dealt.add(number)
        return number

    def hpr(self) -> str:
        """An HPR number above the series in use."""
        self._hpr += 1
        return f"999{self._hpr:06}"


def phone(dice: Random) -> str:
    """Eight digits in the reserved series +47 01: no telephone answers there."""
    digits = f"{table('town')['phone_prefix']}{dice.randrange(10**6):06}"
    return " ".join(digits[i : i + 2] for i in range(0, 8, 2))
