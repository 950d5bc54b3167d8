"""The whole municipality as a stream of resources: the same seed, people and day give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Final

from clinician.fhir.reference import Raw
from clinician.practice import drawn, nord, offices, planted, townsfolk
from clinician.practice.clinical import ICPC2, conditions, prepare
from clinician.practice.data import table
from clinician.practice.numbers import Numbers
from clinician.practice.persons import Person, Registry, patient
from clinician.practice.records import zone_resources
from clinician.practice.staff import NURSE_SKILLS, Roster, Staff
from clinician.practice.town import Town
from clinician.practice.units import Unit, Units, municipality_name
from clinician.practice.ward import Ward
from clinician.practice.world import Named, World
from clinician.practice.zones import Zone

FEWEST: Final = 200
"""The fixture's own people and a street of neighbours"""
MOST: Final = 100_000
_USER_SHARE: Final = 0.035
_ZONE_USERS: Final = 60
_BOARD_PEOPLE: Final = 35


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many of what a municipality of a size has."""

    zone_users: tuple[int, ...]
    """users of the zones beside Nord"""
    wards: tuple[tuple[str, int], ...]
    doctors: int
    board: int


def _plan(people: int) -> _Plan:
    users = max(30, round(people * _USER_SHARE) - 38) if people >= 500 else 0
    zones = min(len(table("town")["zone"]) - 1, ceil(users / _ZONE_USERS))
    shares = [users // zones + (i < users % zones) for i in range(zones)] if zones else []
    wards: list[tuple[str, int]] = []
    if people >= 500:
        wards.append(("Solbakken 1. etg", 12))
    floors = min(12, max(0, round(people * 0.008 / 24) - 1))
    wards += [(f"{'Solbakken' if n < 1 else 'Lyngheim'} {3 if n < 1 else n}. etg", 24) for n in range(floors)]
    return _Plan(tuple(shares), tuple(wards), max(3, people // 1100), min(_BOARD_PEOPLE, people // 10))


class Municipality:
    """Everybody and everything, made in a fixed order; resources() streams it.

    ValueError below FEWEST or above MOST people.
    """

    def __init__(self, seed: int, people: int, day: date) -> None:
        if not FEWEST <= people <= MOST:
            raise ValueError(f"people must be between {FEWEST} and {MOST}")
        self.world = World(seed, people, day)
        self.plan = _plan(people)
        self.town = Town(self.world)
        self.numbers = Numbers()
        self.units = Units(self.world, self.numbers, self.town)
        self.roster = Roster(self.world, self.numbers)
        self.registry = Registry(self.world, self.town, self.numbers)
        self._organize()
        self._populate(people)

    def _organize(self) -> None:
        root = self.units.unit("municipality", "municipality", municipality_name())
        care = self.units.unit("homecare", "homecare", "Hjemmetjenesten", root)
        home = self.units.unit("solbakken", "nursing-home", "Solbakken sykehjem", root)
        self.centre = self.units.unit("centre", "response-centre", "Trygghetssenteret", root)
        self.gp = self.units.unit("gp", "gp-office", "Brygga legesenter", root)
        self.office = self.units.unit("case-office", "case-office", "Tildelingskontoret", root)
        self.physio = self.units.unit("physio", "physio", "Fjordvik fysioterapi", root)
        self.mind = self.units.unit("mental-health", "mental-health", "Psykisk helse og rus", root)
        self.doctors = self._hire(self.gp, "LE", self.plan.doctors)
        self.granters = self._hire(self.office, "SP", 4, ("case-worker",))
        self.physios = self._hire(self.physio, "FT", 3)
        self.therapists = self._hire(self.mind, "VP", offices.THERAPISTS, ("therapist",))
        self.zones = [self._nord(care)] + [
            self._zone(care, index, count) for index, count in enumerate(self.plan.zone_users, 1)
        ]
        self.wards = [self._ward(home, "ward-2", 2, table("ward")["fixture"]["name"], 24)] + [
            self._ward(home, f"ward-x{n}", int(name.split()[1][0]), name, beds)
            for n, (name, beds) in enumerate(self.plan.wards)
        ]

    def _hire(self, unit: Unit, profession: str, count: int, functions: tuple[str, ...] = ()) -> list[Staff]:
        skills = NURSE_SKILLS if profession == "SP" else ()
        return [
            self.roster.hire(f"{unit.key}-{n}", unit, profession, competences=skills, functions=functions)
            for n in range(count)
        ]

    def _nord(self, care: Unit) -> Zone:
        unit = self.units.unit("zone-nord", "homecare-zone", nord.NAME, care, nord.NAME)
        return nord.zone(self.world, unit, self.town, self.roster, self.registry)

    def _zone(self, care: Unit, index: int, count: int) -> Zone:
        name = self.town.zones[index]
        unit = self.units.unit(f"zone-{index:02}", "homecare-zone", name, care, name)
        return drawn.zone(self.world, unit, name, self.town, self.roster, self.registry, count)

    def _ward(self, home: Unit, key: str, floor: int, name: str, beds: int) -> Ward:
        unit = self.units.unit(key, "ward", name, home)
        return Ward(self.world, unit, floor, beds, self.roster, self.registry)

    def _populate(self, people: int) -> None:
        self.known = [user.person for zone in self.zones for user in zone.users]
        self.known += [person for ward in self.wards for person in ward.residents]
        self.group = self._persons("balanse", offices.GROUP_SIZE, (62, 84))
        self.applicants = self._persons("case", offices.CASES, (68, 93))
        self.talkers = self._persons("board", self.plan.board, (19, 64))
        self.known += self.group + self.applicants + self.talkers
        self.rest = max(0, people - len(self.known))
        for zone in self.zones:
            for user in zone.users:
                user.doctor = self.doctor(user.person)
                prepare(self.world, zone, user)

    def _persons(self, key: str, count: int, ages: tuple[int, int]) -> list[Person]:
        zones = self.town.zones[1:5]
        return [
            self.registry.person(f"{key}-{n:02}", ages=ages, zone=zones[n % len(zones)]) for n in range(count)
        ]

    def doctor(self, person: Person) -> Named:
        """A person's GP."""
        return self.doctors[int(person.fnr[:6]) % len(self.doctors)].named

    def resources(self) -> Iterator[Raw]:
        """Every resource; what is referred to comes first."""
        yield from self.units.raws
        yield from self.roster.raws
        for person in self.known:
            yield patient(self.world, person, self.doctor(person))
        for zone in self.zones:
            yield from zone_resources(self.world, zone, self.granters[0], self.centre)
        yield from planted.planted(self.world, self.zones[0])
        for ward in self.wards:
            yield from ward.resources(self.doctors[0].named, self.granters[1])
        yield from self._offices()
        for person in townsfolk.households(self.world, self.registry, self.town.zones, self.rest):
            yield from townsfolk.resources(self.world, person, self.doctor(person))

    @property
    def default(self) -> Staff:
        """Who signs in when nobody is chosen."""
        return self._nord_staff(nord.DEFAULT)

    @property
    def absent(self) -> Staff:
        """Who falls ill in T3."""
        return self._nord_staff(nord.ABSENT)

    def _nord_staff(self, key: str) -> Staff:
        return next(one for one in self.zones[0].staff if one.key == f"nord-{key}")

    @property
    def expected(self) -> int:
        """About how many resources there will be."""
        served = sum(len(zone.users) for zone in self.zones)
        living_in = sum(len(ward.residents) for ward in self.wards)
        return 600 + 95 * served + 50 * living_in + round(1.75 * self.rest)

    def changes(self) -> tuple[planted.Change, ...]:
        """What was changed in zone Nord this morning."""
        return planted.changes(self.world, self.zones[0])

    def _offices(self) -> Iterator[Raw]:
        yield from offices.physio(self.world, self.physio, self.physios[0], self.group)
        yield from offices.cases(self.world, self.office, self.granters, self.applicants)
        yield from offices.board(self.world, self.mind, self.therapists, self.talkers)
        for person in self.talkers:
            yield from conditions(self.world, person, [["P76", "Depressiv lidelse"]], ICPC2)


def municipality(seed: int, people: int, day: date) -> Iterator[Raw]:
    """Every resource of a practice municipality as it stands at 07:10 on the practice day."""
    whole = Municipality(seed, people, day)
    yield from whole.resources()
    for change in whole.changes():
        yield change.now[1]
