"""What nord.toml plants in zone Nord: follow-ups, replies, and the changes made this morning."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice import visits
from clinician.practice.data import table
from clinician.practice.days import visits as visits_of
from clinician.practice.records import reply
from clinician.practice.staff import Staff
from clinician.practice.world import Named, World, minutes, reference
from clinician.practice.zones import User, Visit, Zone

_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def planted(world: World, zone: Zone) -> Iterator[Raw]:
    """Follow-up Tasks and Communications of zone Nord."""
    users = {user.key: user for user in zone.users}
    staff = {s.key.removeprefix("nord-"): s for s in zone.staff}
    for number, one in enumerate(table("nord")["follow_up"]):
        yield _follow_up(world, zone, users[one["user"]], staff[one["owner"]], number, one)
    for number, one in enumerate(table("nord")["reply"]):
        yield _reply(world, zone, users[one["user"]], staff, number, one)


def _follow_up(world: World, zone: Zone, user: User, owner: Staff, number: int, one: dict[str, Any]) -> Raw:
    made = world.stamp(one["made"][0], minutes(one["made"][1]))
    focus = next(
        (
            visits.appointment_ref(world, zone, v)
            for v in visits_of(world, zone, one["made"][0])
            if v.slot.user is user
        ),
        "",
    )
    return visits.follow_up(
        world,
        ("planted", zone.unit.key, str(number)),
        code=one["code"],
        text=one["text"],
        status="ready",
        patient=user.person.ref,
        owner=(owner.ref, owner.name),
        made=made,
        due=world.stamp(one["due"][0], minutes(one["due"][1])),
        focus=focus,
    )


def _reply(
    world: World, zone: Zone, user: User, staff: dict[str, Staff], number: int, one: dict[str, Any]
) -> Raw:
    kin = Named(user.kin.ref, user.kin.name) if user.kin else user.doctor
    return reply(
        world,
        ("reply", zone.unit.key, str(number)),
        user.doctor if one["sender"] == "gp" else kin,
        zone.unit.named if one["to"] == "zone" else staff[one["to"]].named,
        patient=user.person.ref,
        text=one["text"],
        sent=world.stamp(one["sent"][0], minutes(one["sent"][1])),
        received=world.stamp(one["read"][0], minutes(one["read"][1])) if "read" in one else "",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A change of this morning: when, how the Appointment was before, how it is now, and who did it."""

    when: datetime
    before: Raw
    now: tuple[Raw, ...]


def changes(world: World, zone: Zone) -> tuple[Change, ...]:
    """The changes made before 07:10 on the practice day, in order."""
    today = {(v.slot.user.key, v.slot.start): v for v in visits_of(world, zone, 0)}
    staff = {s.key.removeprefix("nord-"): s for s in zone.staff}
    made = []
    for number, one in enumerate(table("nord")["change"]):
        visit = today[one["user"], minutes(one["start"])]
        appointment = next(visits.resources(world, zone, visit))
        before = _before(world, visit, appointment, one["was"], staff)
        when = world.at(0, minutes(one["at"]))
        made.append(Change(when, before, (appointment, _provenance(world, zone, visit, number, one))))
    return tuple(made)


def _before(world: World, visit: Visit, raw: Raw, was: dict[str, str], staff: dict[str, Staff]) -> Raw:
    before: Raw = copy.deepcopy(raw)
    before["extension"] = [e for e in before["extension"] if e["url"] != codes.EXT_MOVE_REASON]
    del before["comment"]
    if "title" in was:
        before["description"] = was["title"]
    if "staff" in was:
        who = staff[was["staff"]]
        before["participant"][1]["actor"] = reference(who.ref, who.name)
    if "start" in was:
        start = minutes(was["start"])
        before["start"] = world.stamp(0, start)
        before["end"] = world.stamp(0, start + visit.slot.length)
    return before


def _provenance(world: World, zone: Zone, visit: Visit, number: int, one: dict[str, Any]) -> Raw:
    who = zone.coordinator
    return world.resource(
        "Provenance",
        ("change", zone.unit.key, str(number)),
        target=[reference(visits.appointment_ref(world, zone, visit))],
        recorded=world.stamp(0, minutes(one["at"])),
        activity={"text": one["text"]},
        agent=[
            {
                "type": {"coding": [{"system": _AGENT, "code": "author", "display": "Author"}]},
                "who": reference(who.ref, who.name),
                "onBehalfOf": reference(zone.unit.ref, zone.unit.name),
            }
        ],
    )
