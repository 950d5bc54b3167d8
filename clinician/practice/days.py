"""One zone on one day: who visits whom, in what order, and how it went."""

from __future__ import annotations

from random import Random
from typing import Final

from clinician.practice.staff import Staff
from clinician.practice.town import Spot, travel
from clinician.practice.world import PAST, World, clock
from clinician.practice.zones import Event, Slot, Visit, Zone

_STOPPED: Final = frozenset({"noshow", "unfinished", "done"})
"""outcomes where somebody stood at the door"""


def visit_key(zone: Zone, user: str, day: str, start: int) -> tuple[str, ...]:
    """The stable key of a visit's Appointment."""
    return ("visit", zone.unit.key, user, day, clock(start))


def visits(world: World, zone: Zone, offset: int) -> list[Visit]:
    """Every visit of a day in the order of the clock; planned = all of them."""
    weekday = world.date(offset).weekday()
    made = [
        _visit(world, zone, slot, offset)
        for slot in sorted(zone.slots, key=lambda s: (s.start, s.route, s.user.key))
        if _is_made(zone, slot, offset, weekday)
    ]
    _number(zone, made)
    if offset < 0:
        _go(world.dice("day", zone.unit.key, str(offset)), made)
    return made


def _is_made(zone: Zone, slot: Slot, offset: int, weekday: int) -> bool:
    if slot.user.is_new and offset < 0:
        return False
    planted = zone.events.get((offset, slot.user.key, slot.start))
    return slot.falls_on(weekday) or (planted is not None and bool(planted.extra))


def _driver(zone: Zone, route: str, offset: int) -> Staff:
    return zone.routes[route].drivers[offset - PAST]


def _visit(world: World, zone: Zone, slot: Slot, offset: int) -> Visit:
    event = zone.events.get((offset, slot.user.key, slot.start), Event("done" if offset < 0 else "open"))
    route = slot.later if slot.later and offset > 0 else slot.route
    routes = [] if event.outcome == "unassigned" else [r for r in (route, slot.second) if r]
    before = zone.events.get((offset - 1, slot.user.key, slot.start))
    moved_here = before is not None and before.outcome == "moved"
    yesterday = world.date(offset - 1).isoformat()
    return Visit(
        slot=slot,
        offset=offset,
        route=route if routes else "",
        staff=tuple(_driver(zone, r, offset) for r in routes),
        order=0,
        travel=0,
        outcome=event.outcome,
        text=event.text,
        replaces=world.ref("Appointment", *visit_key(zone, slot.user.key, yesterday, slot.start))
        if moved_here
        else "",
        changed=zone.changed.get((slot.user.key, slot.start), "") if offset == 0 else "",
        measures=slot.measures,
    )


def _number(zone: Zone, made: list[Visit]) -> None:
    """Order on the route and minutes to drive, from where each person stood before."""
    at: dict[str, Spot] = {}
    counts: dict[str, int] = {}
    for visit in made:
        if not visit.staff or visit.outcome in ("moved", "by-service"):
            continue
        spot = visit.slot.user.person.address.spot
        visit.travel = travel(at.get(visit.staff[0].key, zone.base), spot)
        visit.order = counts[visit.route] = counts.get(visit.route, 0) + 1
        at.update({who.key: spot for who in visit.staff})


def _go(dice: Random, made: list[Visit]) -> None:
    """When the visits of a past day were really made; nobody is in two places."""
    free: dict[str, int] = {}
    for visit in made:
        if visit.outcome not in _STOPPED:
            continue
        ready = max(free.get(who.key, 0) for who in visit.staff)
        start = max(ready + min(visit.travel, 3), visit.slot.start + dice.randrange(-4, 12))
        length = max(4, visit.slot.length + dice.randrange(-6, 9))
        visit.actual = (start, start + (4 if visit.outcome == "noshow" else length))
        free.update({who.key: visit.actual[1] for who in visit.staff})
