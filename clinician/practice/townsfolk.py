"""The rest of the town: households of all ages, most of them with nothing in the record but a doctor."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from clinician.fhir.reference import Raw
from clinician.practice.clinical import ICPC2, allergies, conditions
from clinician.practice.data import table
from clinician.practice.persons import Person, Registry, death, next_of_kin, patient
from clinician.practice.world import Named, World

_SIZES: Final = ((1, 2, 3, 4, 5), (40, 30, 11, 13, 6))


def households(world: World, registry: Registry, zones: tuple[str, ...], count: int) -> Iterator[Person]:
    """`count` inhabitants, household by household."""
    made = 0
    number = 0
    while made < count:
        dice = world.dice("household", str(number))
        size = min(count - made, dice.choices(*_SIZES)[0])
        yield from _household(dice, registry, f"h{number:05}", dice.choice(zones), size)
        made, number = made + size, number + 1


def _household(dice: Random, registry: Registry, key: str, zone: str, size: int) -> Iterator[Person]:
    oldest = dice.choices((26, 38, 52, 66, 78), (18, 24, 26, 18, 14))[0] + dice.randrange(-6, 10)
    if size > 2:
        oldest = min(oldest, 50)
    head = registry.person(f"{key}-0", ages=(oldest, oldest), zone=zone)
    yield head
    for member in range(1, size):
        if member == 1:
            other = "male" if head.gender == "female" else "female"
            low, high, gender = max(18, oldest - 5), oldest + 4, other
        else:
            low, high, gender = max(0, oldest - 38), max(1, oldest - 22), ""
        yield registry.person(f"{key}-{member}", ages=(low, high), zone=zone, gender=gender, household=head)


def resources(world: World, person: Person, doctor: Named) -> Iterator[Raw]:
    """The Patient and the little the municipality knows."""
    dice = world.dice("folk", person.key)
    age = (world.day - person.birth).days // 365
    yield patient(world, person, doctor, death(world, person) if age > 70 and dice.random() < 0.03 else "")
    held = [
        [code, text]
        for code, text, from_age, share in table("profiles")["population"]["list"]
        if age >= from_age and dice.randrange(100) < share
    ]
    yield from conditions(world, person, held, ICPC2)
    yield from allergies(world, person, odds=0.08)
    if age >= 70 and dice.random() < 0.5:
        yield next_of_kin(world, person, 0)[1]
