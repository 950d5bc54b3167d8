"""Inhabitants: who they are and where they live; next of kin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice import names
from clinician.practice.data import table
from clinician.practice.numbers import Numbers, phone
from clinician.practice.town import Address, Town
from clinician.practice.world import Named, World, concept, extension, reference, stamp

_ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Person:
    """An inhabitant. key is stable: the same person for a seed whatever the size of the town."""

    key: str
    ref: str
    given: str
    family: str
    gender: str
    birth: date
    fnr: str
    phone: str
    address: Address
    origin: str

    @property
    def name(self) -> str:
        """'Astrid Moen'."""
        return f"{self.given} {self.family}"


class Registry:
    """Makes persons one by one, each with a number of its own."""

    def __init__(self, world: World, town: Town, numbers: Numbers) -> None:
        self.world, self.town, self.numbers = world, town, numbers

    def person(
        self,
        key: str,
        *,
        ages: tuple[int, int],
        zone: str,
        gender: str = "",
        household: Person | None = None,
    ) -> Person:
        """A person of an age between `ages` on the practice day; of a household if one is given."""
        dice = self.world.dice("person", key)
        gender = gender or dice.choice(("female", "male"))
        birth = self._birth(dice, ages)
        origin = household.origin if household else names.group(dice, birth.year)
        family = household.family if household else names.family_name(dice, origin)
        return Person(
            key=key,
            ref=self.world.ref("Patient", key),
            given=names.given_name(dice, origin, gender, birth.year, family),
            family=family,
            gender=gender,
            birth=birth,
            fnr=self.numbers.fnr(dice, birth, gender),
            phone=phone(dice),
            address=household.address if household else self.town.address(dice, zone),
            origin=origin,
        )

    def _birth(self, dice: Random, ages: tuple[int, int]) -> date:
        low, high = ages
        return self.world.day - timedelta(
            days=dice.randrange(int(low * 365.25) + 1, int((high + 1) * 365.25))
        )


def patient(world: World, person: Person, doctor: Named, died: str = "") -> Raw:
    """The Patient of a person."""
    return world.resource(
        "Patient",
        (person.key,),
        extension=[extension(codes.EXT_PHOTO_HUE, valueInteger=int(person.fnr[-3:]) % 360)],
        identifier=[{"use": "official", "system": codes.FNR, "value": person.fnr}],
        active=not died,
        name=[human_name(person.given, person.family)],
        telecom=[{"system": "phone", "value": person.phone, "use": "mobile"}],
        gender=person.gender,
        birthDate=person.birth.isoformat(),
        deceasedDateTime=died,
        address=[person.address.raw()],
        generalPractitioner=[reference(*doctor)],
    )


def human_name(given: str, family: str) -> Raw:
    """A HumanName; 'Anne Marie' is two given names."""
    return {"use": "official", "text": f"{given} {family}", "family": family, "given": given.split()}


@dataclass(frozen=True, slots=True)
class Kin:
    """A next of kin as notes and cards name them."""

    ref: str
    name: str
    relation: str
    phone: str


def next_of_kin(world: World, person: Person, number: int, wanted: str = "") -> tuple[Kin, Raw]:
    """The RelatedPerson of an inhabitant; number 0 is the first to call. wanted: a relation in words."""
    dice = world.dice("kin", person.key, str(number))
    source = table("names")["kin"]
    drawn = dice.choices(source["relations"], source["weights"])[0]
    code, relation, gender = next((r for r in source["relations"] if r[1] == wanted), drawn)
    gender = gender or ("male" if person.gender == "female" else "female")
    year = person.birth.year + {"CHILD": 28, "NIENEPH": 30}.get(code, dice.randrange(-4, 5))
    if year > world.day.year - 18:
        code, relation, year = "SIB", "Søster" if gender == "female" else "Bror", person.birth.year
    family = person.family if code in ("CHILD", "SPS") else names.family_name(dice, person.origin)
    given = names.given_name(dice, person.origin, gender, year, family)
    number_called = person.phone if code == "SPS" else phone(dice)
    raw = world.resource(
        "RelatedPerson",
        (person.key, str(number)),
        active=True,
        patient=reference(person.ref),
        relationship=[concept(_ROLE_CODE, code, relation)],
        name=[human_name(given, family)],
        telecom=[{"system": "phone", "value": number_called, "use": "mobile", "rank": number + 1}],
        gender=gender,
        birthDate=str(year),
    )
    return Kin(f"RelatedPerson/{raw['id']}", f"{given} {family}", relation, number_called), raw


def death(world: World, person: Person) -> str:
    """A time of death in the last half year."""
    dice = world.dice("death", person.key)
    return stamp(world.at(-dice.randrange(5, 180), dice.randrange(1440)))
