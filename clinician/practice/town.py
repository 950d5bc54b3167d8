"""The map: zones, invented streets, addresses with a place on the map, and travel between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice.data import table
from clinician.practice.world import World, extension

_DETOUR: Final = 1.3
"""Road to straight line; detour, speed and parking as the home-care module estimates them"""
_SPEED: Final = 35 / 60
"""Kilometres a minute in a small town"""
_PARKING: Final = 2
"""Minutes from the car to the door"""
_SAME_HOUSE: Final = 0.04
_KM_PER_DEGREE: Final = 111.2


@dataclass(frozen=True, slots=True)
class Spot:
    """Kilometres east and north of the quay."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Street:
    """A street of a zone: it starts at a spot and runs `bearing` (radians)."""

    name: str
    start: Spot
    bearing: float
    houses: int


@dataclass(frozen=True, slots=True)
class Address:
    """A home."""

    line: str
    detail: str
    post_code: str
    place: str
    spot: Spot

    def raw(self, use: str = "home") -> Raw:
        """The FHIR Address with its geolocation."""
        lines = [self.line, self.detail] if self.detail else [self.line]
        return {
            "extension": [_geolocation(self.spot)],
            "use": use,
            "type": "physical",
            "text": f"{', '.join(lines)}, {self.post_code} {self.place}",
            "line": lines,
            "city": self.place,
            "postalCode": self.post_code,
            "country": "NO",
        }


def _geolocation(spot: Spot) -> Raw:
    town = table("town")
    latitude = town["latitude"] + spot.y / _KM_PER_DEGREE
    longitude = town["longitude"] + spot.x / (_KM_PER_DEGREE * math.cos(math.radians(town["latitude"])))
    return {
        "url": codes.EXT_GEO,
        "extension": [
            extension("latitude", valueDecimal=round(latitude, 5)),
            extension("longitude", valueDecimal=round(longitude, 5)),
        ],
    }


def travel(here: Spot, there: Spot) -> int:
    """Whole minutes by car from door to door; at least one."""
    far = math.hypot(here.x - there.x, here.y - there.y)
    if far <= _SAME_HOUSE:
        return 1
    return _PARKING + math.ceil(far * _DETOUR / _SPEED)


class Town:
    """The streets of every zone, the same for a seed whatever the number of people."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.zones: tuple[str, ...] = tuple(zone["name"] for zone in table("town")["zone"])
        names = self._names()
        self.streets = {zone: self._streets(i, names) for i, zone in enumerate(self.zones)}

    def _names(self) -> list[str]:
        parts = table("town")["streets"]
        names = [first + last for first in parts["first"] for last in parts["last"]]
        self.world.dice("streets").shuffle(names)
        return names

    def _streets(self, index: int, names: list[str]) -> tuple[Street, ...]:
        parts, zone = table("town")["streets"], table("town")["zone"][index]
        dice = self.world.dice("streets", zone["name"])
        mine = names[index * parts["per_zone"] : (index + 1) * parts["per_zone"]]
        return tuple(self._street(dice, name, zone, parts["radius_km"]) for name in mine)

    @staticmethod
    def _street(dice: Random, name: str, zone: Raw, radius: float) -> Street:
        far, around = radius * 0.72 * math.sqrt(dice.random()), dice.uniform(0, 2 * math.pi)
        start = Spot(zone["x"] + far * math.cos(around), zone["y"] + far * math.sin(around))
        return Street(name, start, dice.uniform(0, 2 * math.pi), dice.randrange(14, 40))

    def base(self, zone: str) -> Spot:
        """Where the staff of a zone start: the zone's middle."""
        found = next(z for z in table("town")["zone"] if z["name"] == zone)
        return Spot(float(found["x"]), float(found["y"]))

    def office(self, dice: Random, zone: str) -> Address:
        """The address of a unit that stands in a zone's middle."""
        street = dice.choice(self.streets[zone])
        code, place = table("town")["post_codes"][self._post(zone)]
        return Address(f"{street.name} {dice.randrange(1, 9)}", "", code, place, self.base(zone))

    def address(self, dice: Random, zone: str) -> Address:
        """A home in a zone."""
        street = dice.choice(self.streets[zone])
        house = dice.randrange(1, street.houses + 1)
        along = house * 0.010
        spot = Spot(
            round(street.start.x + along * math.cos(street.bearing), 4),
            round(street.start.y + along * math.sin(street.bearing), 4),
        )
        letter = dice.choice(("", "", "", "A", "B"))
        detail = dice.choice(("", "", "", "", "1. etg", "2. etg", "3. etg", "sokkel"))
        code, place = table("town")["post_codes"][self._post(zone)]
        return Address(f"{street.name} {house}{letter}", detail, code, place, spot)

    @staticmethod
    def _post(zone: str) -> int:
        return next(int(z["post"]) for z in table("town")["zone"] if z["name"] == zone)
