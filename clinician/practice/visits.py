"""A visit as the record keeps it: Appointment, its Tasks, and the Encounter when somebody was there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice.data import table
from clinician.practice.days import visit_key
from clinician.practice.world import PAST, World, concept, extension, reference
from clinician.practice.zones import Visit, Zone

_STATUS: Final = {
    "open": "booked",
    "done": "fulfilled",
    "noshow": "noshow",
    "unassigned": "pending",
    "forgotten": "booked",
    "unfinished": "arrived",
}
"""everything else is cancelled"""
_REASON: Final = {  # never of a noshow: app-4 allows a reason on `cancelled` alone
    "refused": (codes.CODE_NOT_DONE, "refused", "Ønsket ikke besøk"),
    "moved": (codes.CODE_CANCEL, "moved", "Flyttet"),
    "by-next-of-kin": (codes.CODE_CANCEL, "by-next-of-kin", "Avbestilt av pårørende"),
    "by-service": (codes.CODE_CANCEL, "by-service", "Avlyst av tjenesten"),
    "hospital": (codes.CODE_CANCEL, "hospital", "På sykehus"),
}
_TASK_EXCEPTIONS: Final = (
    ("rejected", "refused", "Ville ikke i dag"),
    ("cancelled", "not-needed", "Var allerede gjort"),
    ("on-hold", "postponed", "Rakk ikke, tas ved neste besøk"),
)


def appointment_ref(world: World, zone: Zone, visit: Visit) -> str:
    """'Appointment/…' of a visit."""
    return world.ref("Appointment", *_key(world, zone, visit))


def encounter_ref(world: World, zone: Zone, visit: Visit) -> str:
    """'Encounter/…' of a visit somebody made."""
    return world.ref("Encounter", *_key(world, zone, visit))


def _key(world: World, zone: Zone, visit: Visit) -> tuple[str, ...]:
    day = world.date(visit.offset).isoformat()
    return visit_key(zone, visit.slot.user.key, day, visit.slot.start)


def schedule_ref(world: World, zone: Zone, route: str, offset: int) -> str:
    """'Schedule/…' of a route on a day."""
    return world.ref("Schedule", zone.unit.key, route, world.date(offset).isoformat())


def schedules(world: World, zone: Zone, offset: int) -> Iterator[Raw]:
    """The routes of a day."""
    day = world.date(offset).isoformat()
    for route in zone.routes.values():
        who = route.drivers[offset - PAST]
        yield world.resource(
            "Schedule",
            (zone.unit.key, route.key, day),
            active=True,
            serviceType=[concept(codes.CODE_UNIT, "homecare-zone", "Hjemmetjenestesone")],
            actor=[reference(who.ref, who.name), reference(*zone.unit.service)],
            planningHorizon={
                "start": world.stamp(offset, route.shift[0]),
                "end": world.stamp(offset, route.shift[1]),
            },
            comment=route.name,
        )


def title(measures: tuple[str, ...]) -> str:
    """'Morgenstell · Insulin · BT'."""
    return " · ".join(table("measures")[one]["title"] for one in measures)


def resources(world: World, zone: Zone, visit: Visit) -> Iterator[Raw]:
    """Appointment, Tasks and Encounter of a visit."""
    yield _appointment(world, zone, visit)
    yield from _tasks(world, zone, visit)
    if visit.outcome in ("done", "unfinished"):
        yield _encounter(world, zone, visit)


def _appointment(world: World, zone: Zone, visit: Visit) -> Raw:
    slot = visit.slot
    status = _STATUS.get(visit.outcome, "cancelled")
    reason = _REASON.get(visit.outcome)
    made_on = -1 if slot.user.is_new or visit.replaces else visit.offset - 7
    return world.resource(
        "Appointment",
        _key(world, zone, visit),
        extension=_extensions(world, zone, visit),
        status=status,
        cancelationReason=concept(*reason) if reason else None,
        serviceType=[concept(codes.CODE_UNIT, "homecare-zone", "Hjemmetjenestesone")],
        description=slot.title or title(visit.measures),
        start=world.stamp(visit.offset, slot.start),
        end=world.stamp(visit.offset, slot.end),
        minutesDuration=slot.length,
        created=world.stamp(min(made_on, visit.offset - 1), 13 * 60 + 10),
        comment=visit.text or visit.changed or (slot.comment if visit.offset == 0 else ""),
        basedOn=[reference(ref) for ref in _services(visit)],
        participant=_participants(visit, status),
    )


def _services(visit: Visit) -> list[str]:
    kinds = dict.fromkeys(table("measures")[one]["service"] for one in visit.measures)
    held = visit.slot.user.services
    return [held[kind] for kind in kinds if kind in held]


def _participants(visit: Visit, status: str) -> list[Raw]:
    answer = "needs-action" if status == "pending" else "accepted"
    person = visit.slot.user.person
    found: list[Raw] = [
        {"actor": reference(person.ref, person.name), "required": "required", "status": answer}
    ]
    for kind, who in zip(("PPRF", "SPRF"), visit.staff, strict=False):
        words = "primary performer" if kind == "PPRF" else "secondary performer"
        found.append(
            {
                "type": [{"coding": [{"system": codes.PARTICIPANT_TYPE, "code": kind, "display": words}]}],
                "actor": reference(who.ref, who.name),
                "required": "required",
                "status": answer,
            }
        )
    return found


def _extensions(world: World, zone: Zone, visit: Visit) -> list[Raw]:
    slot = visit.slot
    first, last = (slot.start, slot.start) if slot.fixed else slot.window or _usual_window(slot.start)
    found = [
        extension(codes.EXT_WINDOW_START, valueDateTime=world.stamp(visit.offset, first)),
        extension(codes.EXT_WINDOW_END, valueDateTime=world.stamp(visit.offset, last)),
    ]
    if slot.fixed:
        found.append(extension(codes.EXT_FIXED_TIME, valueBoolean=True))
    if slot.second:
        found.append(extension(codes.EXT_STAFF_COUNT, valuePositiveInt=2))
    for code in sorted(slot.competences):
        coding = {"system": codes.CODE_COMPETENCE, "code": code}
        found.append(extension(codes.EXT_COMPETENCE, valueCoding=coding))
    if slot.profession:
        coding = {"system": codes.PROFESSION, "code": slot.profession, "display": "Sykepleier"}
        found.append(extension(codes.EXT_COMPETENCE, valueCoding=coding))
    if slot.wish and visit.offset >= 0:
        found.append(extension(codes.EXT_WISH, valueCode=slot.wish))
        found.append(extension(codes.EXT_WISH_FIRM, valueBoolean=slot.firm))
    return found + _on_route(world, zone, visit)


def _usual_window(start: int) -> tuple[int, int]:
    return start - 30, start + 60


def _on_route(world: World, zone: Zone, visit: Visit) -> list[Raw]:
    found: list[Raw] = []
    if visit.route:
        route = schedule_ref(world, zone, visit.route, visit.offset)
        found.append(extension(codes.EXT_ROUTE, valueReference=reference(route)))
    if visit.order:
        found.append(extension(codes.EXT_ROUTE_ORDER, valuePositiveInt=visit.order))
        found.append(extension(codes.EXT_TRAVEL, valuePositiveInt=visit.travel))
    if visit.replaces:
        found.append(extension(codes.EXT_REPLACES, valueReference=reference(visit.replaces)))
    if visit.changed:
        found.append(extension(codes.EXT_MOVE_REASON, valueString=visit.changed))
    return found


def _encounter(world: World, zone: Zone, visit: Visit) -> Raw:
    done = visit.outcome == "done"
    period = {"start": world.stamp(visit.offset, visit.actual[0])}
    if done:
        period["end"] = world.stamp(visit.offset, visit.actual[1])
    return world.resource(
        "Encounter",
        _key(world, zone, visit),
        status="finished" if done else "in-progress",
        **{"class": {"system": codes.ACT_CODE, "code": "HH", "display": "home health"}},
        subject=reference(visit.slot.user.person.ref),
        participant=[{"individual": reference(who.ref, who.name)} for who in visit.staff],
        appointment=[reference(appointment_ref(world, zone, visit))],
        period=period,
        serviceProvider=reference(zone.unit.ref),
    )


def _tasks(world: World, zone: Zone, visit: Visit) -> Iterator[Raw]:
    dice = world.dice("tasks", *_key(world, zone, visit))
    for number, measure in enumerate(visit.measures):
        odd = dice.random()
        unusual = _TASK_EXCEPTIONS[int(odd * 1000) % 3] if visit.outcome == "done" and odd < 0.03 else None
        if unusual and unusual[0] == "on-hold":
            yield _postponed(world, zone, visit, number, measure)
        yield _task(world, zone, visit, number, measure, unusual)


def _task(
    world: World, zone: Zone, visit: Visit, number: int, measure: str, unusual: tuple[str, str, str] | None
) -> Raw:
    slot, known = visit.slot, table("measures")[measure]
    status, reason = _task_state(visit, unusual)
    planned = world.stamp(visit.offset, slot.start), world.stamp(visit.offset, slot.end)
    actual = tuple(world.stamp(visit.offset, m) for m in visit.actual) if visit.outcome == "done" else planned
    lasting = visit.actual[1] if visit.outcome in ("done", "noshow") else slot.start
    owner = visit.staff[0] if visit.staff else None
    return world.resource(
        "Task",
        (*_key(world, zone, visit), str(number)),
        basedOn=[reference(slot.user.plan)] if slot.user.plan else None,
        status=status,
        statusReason=reason,
        intent="order",
        code=_measure_concept(measure),
        description=known["title"],
        focus=reference(appointment_ref(world, zone, visit)),
        **{"for": reference(slot.user.person.ref)},
        encounter=reference(encounter_ref(world, zone, visit)) if visit.outcome == "done" else None,
        executionPeriod={"start": actual[0], "end": actual[1]},
        authoredOn=world.stamp(min(visit.offset - 1, -1), 13 * 60 + 10),
        lastModified=world.stamp(visit.offset, lasting) if visit.offset < 0 else None,
        owner=reference(owner.ref, owner.name) if owner else None,
        note=[{"text": detail(slot.user.key, zone.unit.key, measure)}],
    )


def detail(user: str, zone: str, measure: str) -> str:
    """What the plan says about a measure for a user: the same words every day."""
    words: list[str] = table("measures")[measure]["detail"]
    return words[sum(map(ord, user + zone)) % len(words)]


def _measure_concept(measure: str) -> Raw:
    words = table("measures")[measure]["title"]
    return {
        "coding": [
            {"system": codes.CODE_MEASURE, "code": measure, "display": words},
            {"system": codes.CODE_TASK, "code": "measure"},
        ],
        "text": words,
    }


def _task_state(visit: Visit, unusual: tuple[str, str, str] | None) -> tuple[str, Raw | None]:
    if unusual:
        return unusual[0], concept(codes.CODE_NOT_DONE, unusual[1], unusual[2])
    if visit.outcome == "done":
        return "completed", None
    if visit.outcome in ("open", "unassigned", "forgotten", "unfinished"):
        return "ready", None
    if visit.outcome == "refused":
        return "rejected", concept(codes.CODE_NOT_DONE, "refused", "Ønsket ikke besøk")
    if visit.outcome == "noshow":
        return "cancelled", concept(codes.CODE_NOT_DONE, "not-home", "Ikke hjemme")
    return "cancelled", concept(codes.CODE_NOT_DONE, "other", _REASON[visit.outcome][2])


def _postponed(world: World, zone: Zone, visit: Visit, number: int, measure: str) -> Raw:
    """A postponed task is owned by a follow-up (record-model); this one was closed the same day."""
    who, words = visit.staff[0], table("measures")[measure]["title"]
    return follow_up(
        world,
        (*_key(world, zone, visit), str(number), "follow-up"),
        code="follow-up",
        text=f"{words} ble utsatt, tas ved neste besøk.",
        status="completed",
        patient=visit.slot.user.person.ref,
        owner=(who.ref, who.name),
        made=world.stamp(visit.offset, visit.actual[1]),
        due=world.stamp(visit.offset, 23 * 60),
        focus=appointment_ref(world, zone, visit),
    )


_FOLLOW_UP_WORDS: Final = {
    "follow-up": "Oppfølging",
    "call-next-of-kin": "Ring pårørende",
    "try-again": "Prøv igjen",
}


def follow_up(world: World, key: tuple[str, ...], **more: Any) -> Raw:
    """A follow-up Task: code, text, status, patient, owner (ref, name), made, due, focus."""
    ref, name = more["owner"]
    return world.resource(
        "Task",
        key,
        status=more["status"],
        intent="order",
        code=concept(codes.CODE_TASK, more["code"], _FOLLOW_UP_WORDS[more["code"]]),
        description=more["text"],
        focus=reference(more["focus"]) if more["focus"] else None,
        **{"for": reference(more["patient"])},
        authoredOn=more["made"],
        lastModified=more["made"],
        owner=reference(ref, name),
        restriction={"period": {"end": more["due"]}},
    )
