"""The zones beside Nord: users, staff and routes drawn and packed so that every route can be driven."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random
from typing import Any, Final

from clinician.practice.data import table
from clinician.practice.nord import needs, weekdays
from clinician.practice.persons import Registry
from clinician.practice.staff import NURSE_SKILLS, Roster, Staff
from clinician.practice.town import Spot, Town, travel
from clinician.practice.units import Unit
from clinician.practice.world import FUTURE, PAST, World, minutes
from clinician.practice.zones import Event, Route, Slot, User, Zone

_DAY: Final = (minutes("07:15"), minutes("15:00"))
_EVENING: Final = (minutes("15:00"), minutes("22:30"))
_PAUSE: Final = ((minutes("11:00"), minutes("11:30")), (minutes("18:00"), minutes("18:25")))
_PER_ROUTE: Final = 9
_CARER_SKILLS: Final = ("medication", "insulin")
_REACH: Final = tuple(sorted(range(-90, 125, 5), key=lambda m: (abs(m), m)))
"""Minutes a visit may be pushed from the time wished, nearest first"""
_APART: Final = 90
"""Minutes between the starts of two visits to the same user"""
_OUTCOMES: Final = (
    ("noshow", 12),
    ("refused", 10),
    ("by-next-of-kin", 8),
    ("hospital", 6),
    ("forgotten", 4),
    ("", 960),
)


@dataclass(slots=True)
class _Lane:
    """A route while it is packed."""

    key: str
    shift: tuple[int, int]
    skills: frozenset[str]
    profession: str
    base: Spot
    stops: list[tuple[int, int, Spot]] = field(default_factory=list)

    def room(self, slot: Slot, others: list[Slot]) -> int | None:
        """A start near the one wished that leaves time to drive, away from the user's other visits."""
        spot = slot.user.person.address.spot
        for start in (slot.start + moved for moved in _REACH):
            apart = all(abs(start - other.start) >= _APART for other in others)
            if apart and self._fits(start, slot.length, spot):
                return start
        return None

    def _fits(self, start: int, length: int, spot: Spot) -> bool:
        end = start + length
        if start < self.shift[0] + travel(self.base, spot) or end > self.shift[1]:
            return False
        return all(
            stop_end + travel(at, spot) <= start or end + travel(spot, at) <= stop_start
            for stop_start, stop_end, at in self.stops
        )


def zone(
    world: World, unit: Unit, name: str, town: Town, roster: Roster, registry: Registry, count: int
) -> Zone:
    """A zone with `count` users; every slot has a place on a route."""
    users, wished = _users(world, unit, name, registry, count)
    lanes = _lanes(wished, town.base(name))
    slots: list[Slot] = []
    for slot in _hardest_first(wished):
        placed = _place(slot, lanes, [other for other in slots if other.user is slot.user])
        slots += [placed] if placed else []
    staff, routes = _staffed(roster, unit, name, lanes)
    made = Zone(unit, town.base(name), staff, users, routes, slots, {})
    made.events.update(_events(world, made))
    return made


def _users(
    world: World, unit: Unit, name: str, registry: Registry, count: int
) -> tuple[list[User], list[Slot]]:
    users, slots = [], []
    for number in range(count):
        key = f"u{number + 1:02}"
        dice = world.dice("zone", unit.key, key)
        pattern: dict[str, Any] = dice.choice(table("profiles")["pattern"])
        profile = dice.choice(pattern["profiles"])
        ages = tuple(table("profiles")["profile"][profile]["ages"])
        person = registry.person(f"{unit.key}-{key}", ages=ages, zone=name)
        user = User(key, person, profile, flags=_flags(dice), is_new=dice.random() < 0.02)
        users.append(user)
        slots += [_wish(world, dice, user, row) for row in pattern["visits"]]
    return users, slots


def _flags(dice: Random) -> tuple[str, ...]:
    odds = (("fall-risk", 0.25), ("pet", 0.1), ("smoker", 0.06), ("infection", 0.03))
    return tuple(flag for flag, odd in odds if dice.random() < odd)


def _wish(world: World, dice: Random, user: User, row: list[Any]) -> Slot:
    start, length, measures, rule = row
    competences, profession = needs(tuple(measures))
    moved = minutes(start) + 5 * dice.randrange(-8, 9)
    return Slot(
        user=user,
        route="",
        start=moved,
        length=length,
        measures=tuple(measures),
        weekdays=weekdays(world, rule),
        competences=competences,
        profession=profession,
    )


def _hardest_first(slots: list[Slot]) -> list[Slot]:
    return sorted(slots, key=lambda s: (s.competences <= set(_CARER_SKILLS), s.start, s.user.key))


def _lanes(slots: list[Slot], base: Spot) -> list[_Lane]:
    nursed = Counter(s.start >= _EVENING[0] - 60 for s in slots if not s.competences <= set(_CARER_SKILLS))
    all_of = Counter(s.start >= _EVENING[0] - 60 for s in slots)
    lanes = []
    for late, shift, pause in ((False, _DAY, _PAUSE[0]), (True, _EVENING, _PAUSE[1])):
        nurses = max(1, ceil(nursed[late] / 7))
        count = max(2, nurses, ceil(all_of[late] / _PER_ROUTE))
        for number in range(count):
            nurse = number < nurses
            lanes.append(
                _Lane(
                    key=f"{'e' if late else 'd'}{number + 1}",
                    shift=shift,
                    skills=frozenset(NURSE_SKILLS if nurse else _CARER_SKILLS),
                    profession="SP" if nurse else "HF",
                    base=base,
                    stops=[(*pause, base)],
                )
            )
    return lanes


def _place(slot: Slot, lanes: list[_Lane], others: list[Slot]) -> Slot | None:
    able = [
        lane for lane in lanes if slot.competences <= lane.skills and slot.profession in ("", lane.profession)
    ]
    for lane in sorted(able, key=lambda lane: (len(lane.stops), lane.key)):
        start = lane.room(slot, others)
        if start is not None:
            lane.stops.append((start, start + slot.length, slot.user.person.address.spot))
            return replace(slot, start=start, route=lane.key)
    return None


def _staffed(
    roster: Roster, unit: Unit, name: str, lanes: list[_Lane]
) -> tuple[list[Staff], dict[str, Route]]:
    lead = roster.hire(f"{unit.key}-lead", unit, "SP", competences=NURSE_SKILLS, functions=("coordinator",))
    spares = [roster.hire(f"{unit.key}-spare{n}", unit, "HF", competences=_CARER_SKILLS) for n in range(2)]
    drivers = {
        lane.key: roster.hire(
            f"{unit.key}-{lane.key}", unit, lane.profession, competences=_ordered(lane.skills)
        )
        for lane in lanes
    }
    carers = [lane.key for lane in lanes if lane.profession == "HF"]
    routes = {
        lane.key: Route(
            lane.key,
            f"{name} {number} {_shift_words(lane)}",
            lane.shift,
            tuple(_driver(drivers, spares, carers, lane.key, o) for o in range(PAST, FUTURE + 1)),
        )
        for number, lane in enumerate(lanes, 1)
    }
    return [lead, *drivers.values(), *spares], routes


def _ordered(skills: frozenset[str]) -> tuple[str, ...]:
    return tuple(skill for skill in NURSE_SKILLS if skill in skills)


def _shift_words(lane: _Lane) -> str:
    words = "kveld" if lane.shift == _EVENING else "dag"
    return f"sykepleier {words}" if lane.profession == "SP" else words


def _driver(
    drivers: dict[str, Staff], spares: list[Staff], carers: list[str], key: str, offset: int
) -> Staff:
    """Up to two carers are off each day and the spares drive for them."""
    for number, spare in enumerate(spares[: len(carers) // 2]):
        if carers[(offset * 2 + number) % len(carers)] == key:
            return spare
    return drivers[key]


def _events(world: World, made: Zone) -> dict[tuple[int, str, int], Event]:
    events = {}
    names, weights = zip(*_OUTCOMES, strict=True)
    for offset in range(PAST, 0):
        dice = world.dice("events", made.unit.key, str(offset))
        for slot in made.slots:
            if slot.falls_on(world.date(offset).weekday()):
                outcome = dice.choices(names, weights)[0]
                if outcome:
                    events[offset, slot.user.key, slot.start] = Event(outcome)
    loose = next((s for s in made.slots if s.falls_on(world.day.weekday())), None)
    if loose is not None:
        events[0, loose.user.key, loose.start] = Event("unassigned")
    return events
