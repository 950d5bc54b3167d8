"""What the record holds about a home-care user: services, plan, conditions, allergies, flags, medication."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice import medication
from clinician.practice.data import table
from clinician.practice.persons import Person, next_of_kin
from clinician.practice.staff import Staff
from clinician.practice.units import Unit
from clinician.practice.visits import detail
from clinician.practice.world import World, clock, concept, extension, reference
from clinician.practice.zones import Slot, User, Zone

ICPC2: Final = "urn:oid:2.16.578.1.12.4.1.1.7170"
ICD10: Final = "urn:oid:2.16.578.1.12.4.1.1.7110"
ATC: Final = "http://www.whocc.no/atc"
_ALLERGY_VERIFIED: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_CONDITION_VERIFIED: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SERVICES: Final = {
    "1": "Praktisk bistand - daglige gjøremål",
    "6": "Trygghetsalarm",
    "15": "Helsetjenester i hjemmet",
    "16": "(Re)habilitering utenfor institusjon",
    "21": "Langtidsopphold i institusjon",
    "18": "Tidsbegrenset opphold - utredning/behandling",
}
"""9151 code → the KPR name of the service"""
_GOALS: Final = (
    "Bo hjemme så lenge som mulig og klare mest mulig selv.",
    "Trygg hverdag med riktige legemidler til rett tid.",
    "Ingen fall, og tur til butikken en gang i uken.",
    "Stabil vekt og matlyst.",
    "Kunne dusje uten hjelp til sommeren.",
)


def episode(world: World, person: Person, unit: Unit, since: int, room: str = "") -> Raw:
    """The EpisodeOfCare that makes a person belong to a workplace. since: days before the practice day."""
    return world.resource(
        "EpisodeOfCare",
        (unit.key, person.key),
        extension=[extension(codes.EXT_ROOM, valueString=room)] if room else None,
        status="active",
        patient=reference(person.ref),
        managingOrganization=reference(unit.ref, unit.name),
        period={"start": world.date(-since).isoformat()},
    )


def prepare(world: World, zone: Zone, user: User) -> None:
    """Fill user.services and user.plan: visits refer to them.

    A visit counts for the service of its first measure.
    """
    mine = [slot for slot in zone.slots if slot.user is user]
    kinds = dict.fromkeys(table("measures")[slot.measures[0]]["service"] for slot in mine)
    user.services = {kind: world.ref("ServiceRequest", user.person.key, kind) for kind in kinds or ("15",)}
    user.plan = world.ref("CarePlan", user.person.key) if mine else ""


def user_resources(world: World, zone: Zone, user: User, granter: Staff, centre: Unit) -> Iterator[Raw]:
    """Everything about a user but visits, measurements and notes; after prepare()."""
    dice = world.dice("user", zone.unit.key, user.key)
    since = 1 if user.is_new else dice.randrange(40, 1400)
    mine = [slot for slot in zone.slots if slot.user is user]
    yield episode(world, user.person, zone.unit, since)
    yield from kin_of(world, user)
    yield from granted(world, zone, user, mine, granter, since)
    if user.plan:
        yield _plan(world, zone, user, mine, since, dice)
    if not user.is_new and dice.random() < 0.55:
        yield service(world, user.person, "6", centre, granter, since, None)
    yield from conditions(world, user.person, table("profiles")["profile"][user.profile]["conditions"], ICPC2)
    yield from allergies(world, user.person)
    yield from flags(world, zone, user)
    yield from medication.for_profile(world, user.person, user.profile, user.doctor)


def kin_of(world: World, user: User) -> Iterator[Raw]:
    """One to three next of kin; the first is who is called."""
    dice = world.dice("kin", user.person.key)
    for number in range(dice.choices((1, 2, 3), (50, 38, 12))[0]):
        kin, raw = next_of_kin(world, user.person, number, "" if number else user.relation)
        user.kin = user.kin or kin
        yield raw


def minutes_a_week(slots: list[Slot], kind: str) -> int:
    """Planned minutes a week of a service."""
    return sum(
        slot.length * (2 if slot.second else 1) * (7 if slot.weekdays is None else len(slot.weekdays))
        for slot in slots
        if table("measures")[slot.measures[0]]["service"] == kind
    )


def granted(
    world: World, zone: Zone, user: User, slots: list[Slot], granter: Staff, since: int
) -> Iterator[Raw]:
    """A decision for every service the visits need, with its minutes a week."""
    dice = world.dice("granted", user.person.key)
    for kind in user.services:
        planned = minutes_a_week(slots, kind) or 60
        hours = max(30, round(planned * dice.choice((0.95, 1.0, 1.0, 1.05, 1.15)) / 15) * 15)
        yield service(world, user.person, kind, zone.unit, granter, 9 if user.is_unplanned else since, hours)


def service(
    world: World, person: Person, kind: str, unit: Unit, granter: Staff, since: int, weekly: int | None
) -> Raw:
    """A ServiceRequest (vedtak). weekly: granted minutes a week."""
    return world.resource(
        "ServiceRequest",
        (person.key, kind),
        extension=[extension(codes.EXT_GRANTED, valueDecimal=weekly)] if weekly else None,
        status="active",
        intent="order",
        category=[concept(codes.KPR_SERVICE, kind, SERVICES[kind])],
        code={"text": SERVICES[kind]},
        subject=reference(person.ref),
        occurrencePeriod={"start": world.date(-since).isoformat()},
        authoredOn=world.date(-since - 3).isoformat(),
        requester=reference(granter.ref, granter.name),
        performer=[reference(unit.ref, unit.name)],
    )


def _plan(world: World, zone: Zone, user: User, slots: list[Slot], since: int, dice: Random) -> Raw:
    held: dict[tuple[str, frozenset[int] | None], list[int]] = defaultdict(list)
    for slot in slots:
        for measure in slot.measures:
            held[measure, slot.weekdays].append(slot.start)
    return world.resource(
        "CarePlan",
        (user.person.key,),
        status="active",
        intent="plan",
        title="Tiltaksplan",
        subject=reference(user.person.ref),
        period={"start": world.date(-since).isoformat()},
        author=reference(zone.coordinator.ref, zone.coordinator.name),
        supportingInfo=[reference(ref) for ref in user.services.values()],
        activity=[
            {"detail": _activity(zone, user, measure, days, starts)}
            for (measure, days), starts in held.items()
        ],
        note=[{"text": f"Mål: {dice.choice(_GOALS)}"}],
    )


def _activity(zone: Zone, user: User, measure: str, days: frozenset[int] | None, starts: list[int]) -> Raw:
    repeat: Raw = {
        "frequency": len(starts),
        "period": 1,
        "periodUnit": "d",
        "timeOfDay": [f"{clock(start)}:00" for start in sorted(starts)],
    }
    if days is not None:
        repeat["dayOfWeek"] = [_DAYS[day] for day in sorted(days)]
    return {
        "code": concept(codes.CODE_MEASURE, measure, table("measures")[measure]["title"]),
        "status": "in-progress",
        "scheduledTiming": {"repeat": repeat},
        "description": detail(user.key, zone.unit.key, measure),
    }


def conditions(world: World, person: Person, held: list[list[str]], system: str) -> Iterator[Raw]:
    """Active conditions: [code, text] pairs."""
    dice = world.dice("conditions", person.key)
    for code, text in held:
        since = dice.randrange(200, 5200)
        yield world.resource(
            "Condition",
            (person.key, code),
            clinicalStatus=_coded(codes.CONDITION_CLINICAL, "active", "Active"),
            verificationStatus=_coded(_CONDITION_VERIFIED, "confirmed", "Confirmed"),
            code=concept(system, code, text),
            subject=reference(person.ref),
            onsetDateTime=str(world.date(-since).year),
            recordedDate=world.date(-min(since, 900)).isoformat(),
        )


def _coded(system: str, code: str, display: str) -> Raw:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def allergies(world: World, person: Person, odds: float = 0.3) -> Iterator[Raw]:
    """None, one or two allergies."""
    dice = world.dice("allergies", person.key)
    if dice.random() >= odds:
        return
    source = table("profiles")["allergies"]
    for atc, text, criticality in dice.sample(source["list"], dice.choices((1, 2), (80, 20))[0]):
        yield world.resource(
            "AllergyIntolerance",
            (person.key, text),
            clinicalStatus=_coded(codes.ALLERGY_CLINICAL, "active", "Active"),
            verificationStatus=_coded(_ALLERGY_VERIFIED, "confirmed", "Confirmed"),
            type="allergy",
            category=["medication" if atc else "environment"],
            criticality=criticality,
            code=concept(ATC, atc, text),
            patient=reference(person.ref),
            recordedDate=world.date(-dice.randrange(100, 3000)).isoformat(),
            reaction=[{"manifestation": [{"text": dice.choice(source["reactions"])}]}],
        )


def flags(world: World, zone: Zone, user: User) -> Iterator[Raw]:
    """Warnings, and how to get in."""
    dice = world.dice("flags", user.person.key)
    for kind in user.flags:
        yield _flag(world, user, kind, dice.choice(table("profiles")["flags"][kind]), None)
    access = table("profiles")["access"]
    which = dice.randrange(len(access["hint"])) if user.access is None else user.access
    secret = access["secret"][which].format(
        side=dice.choice(("venstre", "høyre")),
        thing=dice.choice(access["things"]),
        code=f"{dice.randrange(10**4):04}",
        key=dice.randrange(100, 400),
    )
    yield _flag(world, user, "access", access["hint"][which], secret)


def _flag(world: World, user: User, kind: str, text: str, secret: str | None) -> Raw:
    category: dict[str, Any] = {"code": "admin", "display": "Administrative"}
    if kind in ("fall-risk", "infection", "two-persons"):
        category = {"code": "safety", "display": "Safety"}
    return world.resource(
        "Flag",
        (user.person.key, kind),
        extension=[extension(codes.EXT_ACCESS, valueString=secret)] if secret else None,
        status="active",
        category=[{"coding": [{"system": codes.FLAG_CATEGORY, **category}]}],
        code=concept(codes.CODE_FLAG, kind, text),
        subject=reference(user.person.ref),
        period={"start": world.date(-1 if user.is_new or kind == "wish" else -60).isoformat()},
    )
