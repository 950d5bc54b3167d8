"""The other workplaces: physio group, case office, mental-health board, doctors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice.clinical import SERVICES, conditions, episode, kin_of
from clinician.practice.persons import Person
from clinician.practice.staff import Staff
from clinician.practice.units import Unit
from clinician.practice.world import World, concept, extension, minutes, reference
from clinician.practice.zones import User

EXT_GROUP: Final = "http://hl7.no/fhir/StructureDefinition/no-basis-group"
"""no-basis Appointment 2.2.1, valueBoolean: a session for a group"""
EXT_PART_OF: Final = "http://hl7.no/fhir/StructureDefinition/no-basis-partof"
"""no-basis Appointment 2.2.1, valueReference: the session a participant's Appointment belongs to"""
GROUP: Final = "Balanse"
GROUP_SIZE: Final = 8
CASES: Final = 14
THERAPISTS: Final = 5
_GROUP_TIME: Final = (minutes("11:00"), minutes("12:00"))
_CASE_KINDS: Final = (
    ("15", "Søknad om helsetjenester i hjemmet"),
    ("6", "Søknad om trygghetsalarm"),
    ("1", "Søknad om praktisk bistand"),
    ("16", "Søknad om rehabilitering"),
    ("21", "Søknad om langtidsopphold"),
    ("18", "Søknad om korttidsopphold"),
)
_BOARD_CLOCKS: Final = ("08:30", "09:30", "10:30", "12:15", "13:15", "14:15")
_BOARD_WORDS: Final = ("Samtale", "Oppfølging", "Kartleggingssamtale", "Angstmestring", "Nettverksmøte")


def physio(world: World, unit: Unit, therapist: Staff, people: list[Person]) -> Iterator[Raw]:
    """Group Balanse: the Group, the session of the practice day, one Appointment for each participant."""
    yield world.resource(
        "Group",
        (unit.key, GROUP),
        active=True,
        type="person",
        actual=True,
        name=GROUP,
        code={"text": "Fysioterapigruppe"},
        quantity=len(people),
        managingEntity=reference(unit.ref, unit.name),
        member=[{"entity": reference(p.ref, p.name)} for p in people],
    )
    session = world.ref("Appointment", unit.key, GROUP)
    yield _session(world, (unit.key, GROUP), therapist, None, [extension(EXT_GROUP, valueBoolean=True)])
    for person in people:
        part_of = extension(EXT_PART_OF, valueReference=reference(session))
        yield episode(world, person, unit, 60)
        yield from conditions(world, person, [["L90", "Kneartrose"]], _ICPC2)
        yield _session(world, (unit.key, GROUP, person.key), therapist, person, [part_of])


_ICPC2: Final = "urn:oid:2.16.578.1.12.4.1.1.7170"


def _session(
    world: World, key: tuple[str, ...], therapist: Staff, person: Person | None, extensions: list[Raw]
) -> Raw:
    actors = [(person.ref, person.name)] if person else []
    actors.append((therapist.ref, therapist.name))
    return world.resource(
        "Appointment",
        key,
        extension=extensions,
        status="booked",
        serviceType=[concept(codes.CODE_UNIT, "physio", "Fysioterapi")],
        description=f"Gruppe {GROUP}, 60 min",
        start=world.stamp(0, _GROUP_TIME[0]),
        end=world.stamp(0, _GROUP_TIME[1]),
        minutesDuration=_GROUP_TIME[1] - _GROUP_TIME[0],
        participant=[{"actor": reference(*a), "required": "required", "status": "accepted"} for a in actors],
    )


def cases(world: World, unit: Unit, workers: list[Staff], people: list[Person]) -> Iterator[Raw]:
    """The open cases: an application (draft ServiceRequest) and the Task that holds the case."""
    for number, person in enumerate(people):
        dice = world.dice("case", str(number))
        kind, words = _CASE_KINDS[number % len(_CASE_KINDS)]
        age, worker = dice.randrange(1, 24), workers[number % len(workers)]
        applied = world.date(-age).isoformat()
        wished = world.resource(
            "ServiceRequest",
            ("case", str(number)),
            status="draft",
            intent="proposal",
            category=[concept(codes.KPR_SERVICE, kind, SERVICES[kind])],
            code={"text": SERVICES[kind]},
            subject=reference(person.ref),
            authoredOn=applied,
            requester=reference(person.ref, person.name),
            performer=[reference(unit.ref, unit.name)],
        )
        yield episode(world, person, unit, age)
        yield from kin_of(world, User("case", person, "frail"))
        yield wished
        yield _case(world, number, words, person, worker, wished["id"], age)


def _case(world: World, number: int, words: str, person: Person, worker: Staff, wished: str, age: int) -> Raw:
    return world.resource(
        "Task",
        ("case", str(number)),
        identifier=[
            {"system": f"{codes.CODE_TASK}/case-number", "value": f"{world.day.year}/{210 + number}"}
        ],
        status=("requested", "in-progress", "accepted")[number % 3],
        intent="order",
        code=concept(codes.CODE_TASK, "case", "Sak"),
        description=words,
        focus=reference(f"ServiceRequest/{wished}"),
        **{"for": reference(person.ref, person.name)},
        authoredOn=world.stamp(-age, 10 * 60),
        lastModified=world.stamp(-min(age, 2), 14 * 60),
        owner=reference(worker.ref, worker.name),
        restriction={"period": {"end": world.stamp(30 - age, 23 * 60)}},
    )


def board(world: World, unit: Unit, therapists: list[Staff], people: list[Person]) -> Iterator[Raw]:
    """The mental-health board: every therapist's five working days of the week of the practice day."""
    monday = -world.day.weekday()
    for number, person in enumerate(people):
        yield episode(world, person, unit, 30 + number)
    for index, therapist in enumerate(therapists):
        for offset in range(monday, monday + 5):
            yield _working_day(world, unit, therapist, offset)
            dice = world.dice("board", therapist.key, str(offset))
            for clock in sorted(dice.sample(_BOARD_CLOCKS, dice.randrange(3, 6))):
                seen = people[(index * 7 + dice.randrange(5)) % len(people)]
                yield _talk(world, unit, therapist, seen, offset, clock, dice.choice(_BOARD_WORDS))


def _working_day(world: World, unit: Unit, therapist: Staff, offset: int) -> Raw:
    horizon = {
        "start": world.stamp(offset, minutes("08:00")),
        "end": world.stamp(offset, minutes("15:30")),
    }
    return world.resource(
        "Schedule",
        (unit.key, therapist.key, world.date(offset).isoformat()),
        active=True,
        serviceType=[concept(codes.CODE_UNIT, "mental-health", "Psykisk helse")],
        actor=[reference(therapist.ref, therapist.name), reference(*unit.service)],
        planningHorizon=horizon,
        comment=therapist.name,
    )


def _talk(
    world: World, unit: Unit, therapist: Staff, person: Person, offset: int, clock: str, words: str
) -> Raw:
    start = world.at(offset, minutes(clock))
    return world.resource(
        "Appointment",
        (unit.key, therapist.key, str(offset), clock),
        status="fulfilled" if offset < 0 else "booked",
        serviceType=[concept(codes.CODE_UNIT, "mental-health", "Psykisk helse")],
        description=words,
        start=start.isoformat(timespec="seconds"),
        end=(start + timedelta(minutes=45)).isoformat(timespec="seconds"),
        minutesDuration=45,
        participant=[
            {"actor": reference(person.ref, person.name), "required": "required", "status": "accepted"},
            {"actor": reference(therapist.ref, therapist.name), "required": "required", "status": "accepted"},
        ],
    )
