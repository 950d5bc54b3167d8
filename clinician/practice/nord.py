"""Zone Nord: the fixture of SCRIPTS §3.2 and the T3 situation of §3.3, from resources/practice/nord.toml."""

from __future__ import annotations

from typing import Any

from clinician.practice.data import table
from clinician.practice.persons import Registry
from clinician.practice.staff import Roster, Staff
from clinician.practice.town import Town
from clinician.practice.units import Unit
from clinician.practice.world import PAST, World, minutes
from clinician.practice.zones import Event, Route, Slot, User, Zone

ABSENT = "kari"
"""Who falls ill in T3"""
DEFAULT = "silje"
"""Who signs in when nobody is chosen"""
NAME = "Nord"


def zone(world: World, unit: Unit, town: Town, roster: Roster, registry: Registry) -> Zone:
    """The zone, before its clinical record is written."""
    data = table("nord")
    staff = [_hire(roster, unit, one) for one in data["staff"]]
    users = {key: _user(registry, key, one) for key, one in data["users"].items()}
    return Zone(
        unit=unit,
        base=town.base(NAME),
        staff=staff,
        users=list(users.values()),
        routes=_routes(data, {s.key.removeprefix("nord-"): s for s in staff}),
        slots=[_slot(world, users, route, row) for route, rows in data["visits"].items() for row in rows],
        events={(e["day"], e["user"], minutes(e["start"])): _event(e) for e in data["event"]},
        changed={(c["user"], minutes(c["start"])): c["text"] for c in data["change"]},
    )


def _hire(roster: Roster, unit: Unit, one: dict[str, Any]) -> Staff:
    return roster.hire(
        f"nord-{one['key']}",
        unit,
        one["profession"],
        competences=tuple(one["competences"]),
        functions=tuple(one.get("functions", ())),
        known=one,
    )


def _user(registry: Registry, key: str, one: dict[str, Any]) -> User:
    ages = table("profiles")["profile"][one["profile"]]["ages"]
    person = registry.person(f"nord-{key}", ages=tuple(ages), zone=NAME, gender=one.get("gender", ""))
    return User(
        key=key,
        person=person,
        profile=one["profile"],
        flags=tuple(one.get("flags", ())),
        access=one.get("access"),
        relation=one.get("kin", ""),
        is_new=one.get("new", False),
        is_unplanned=one.get("unplanned", False),
    )


def _routes(data: dict[str, Any], staff: dict[str, Staff]) -> dict[str, Route]:
    made = {}
    for key, (name, shift) in data["routes"].items():
        begin, end = data[f"shift_{shift}"]
        drivers = tuple(staff[who] for who in data["rota"][key])
        made[key] = Route(key, name, (minutes(begin), minutes(end)), drivers)
    return made


def weekdays(world: World, rule: str) -> frozenset[int] | None:
    """daily, alternate or weekly as weekdays; the practice day always has the visit."""
    today = world.day.weekday()
    steps = {"daily": None, "alternate": (0, 2, 4), "weekly": (0,)}[rule]
    return None if steps is None else frozenset((today + step) % 7 for step in steps)


def needs(measures: tuple[str, ...]) -> tuple[frozenset[str], str]:
    """What measures demand together: competences, and a profession or ''."""
    known = [table("measures")[one] for one in measures]
    competences = frozenset(one["competence"] for one in known if "competence" in one)
    return competences, next((str(one["profession"]) for one in known if "profession" in one), "")


def _slot(world: World, users: dict[str, User], route: str, row: list[Any]) -> Slot:
    user, start, length, measures, rule, more = row
    competences, profession = needs(tuple(measures))
    window = more.get("window")
    return Slot(
        user=users[user],
        route=route,
        start=minutes(start),
        length=length,
        measures=tuple(measures),
        weekdays=weekdays(world, rule),
        competences=competences,
        profession=more.get("profession", profession),
        fixed=more.get("fixed", False),
        window=(minutes(window[0]), minutes(window[1])) if window else None,
        second=more.get("second", ""),
        wish=more.get("wish", ""),
        firm=more.get("firm", False),
        later=more.get("later", ""),
        title=more.get("title", ""),
        comment=more.get("comment", ""),
    )


def _event(one: dict[str, Any]) -> Event:
    if not one["day"] >= PAST:
        raise ValueError("an event before the first day")
    return Event(one["outcome"], one.get("text", ""), tuple(one.get("extra", ())))
