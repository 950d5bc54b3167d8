"""A zone's whole record: its users, its six days, its measurements, notes, follow-ups and replies."""

from __future__ import annotations

from collections.abc import Iterator

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice import clinical, measured, notes, visits
from clinician.practice.data import table
from clinician.practice.days import visits as visits_of
from clinician.practice.staff import Staff
from clinician.practice.units import Unit
from clinician.practice.world import FUTURE, PAST, Named, World, reference
from clinician.practice.zones import Visit, Zone

_MEASURED_BY: dict[str, str] = {kind: kind for kind in measured.KINDS}
"""measure of the plan → what is measured when it is done"""


def zone_resources(world: World, zone: Zone, granter: Staff, centre: Unit) -> Iterator[Raw]:
    """Everything of a zone but its organization and staff."""
    for user in zone.users:
        yield from clinical.user_resources(world, zone, user, granter, centre)
        if not user.is_new and not user.is_unplanned:
            yield from _past(world, zone, user.key)
    for offset in range(PAST, FUTURE + 1):
        yield from visits.schedules(world, zone, offset)
        for visit in visits_of(world, zone, offset):
            yield from visits.resources(world, zone, visit)
            if offset < 0:
                yield from _documented(world, zone, visit)


def _past(world: World, zone: Zone, key: str) -> Iterator[Raw]:
    user = next(u for u in zone.users if u.key == key)
    carers = [s for s in zone.staff if s is not zone.coordinator]
    clocks = [slot.start for slot in zone.slots if slot.user is user] or [9 * 60]
    refs = [s.ref for s in carers]
    yield from measured.history(world, user.person, user.profile, refs, clocks)
    theme = table("profiles")["profile"][user.profile]["theme"]
    yield from notes.diary(world, user.person, user.profile, theme, carers, user.kin)


def _documented(world: World, zone: Zone, visit: Visit) -> Iterator[Raw]:
    """What a visit of the past days left behind: measurements and a note."""
    if visit.outcome in ("done", "noshow"):
        yield from _note(world, zone, visit)
    if visit.outcome != "done":
        return
    user, who = visit.slot.user, visit.staff[0]
    for measure in visit.measures:
        if measure in _MEASURED_BY:
            yield from measured.measure(
                world,
                user.person,
                user.profile,
                _MEASURED_BY[measure],
                visit.offset,
                visit.actual[0] + 3,
                who.ref,
                visits.encounter_ref(world, zone, visit),
            )


def _note(world: World, zone: Zone, visit: Visit) -> Iterator[Raw]:
    user, who = visit.slot.user, visit.staff[0]
    day, start = str(visit.offset), str(visit.slot.start)
    dice = world.dice("visit-note", user.person.key, day, start)
    if visit.outcome == "done" and dice.random() > 0.3:
        return
    theme = table("profiles")["profile"][user.profile]["theme"]
    text = visit.text
    if visit.outcome == "done":
        text = notes.words(world, theme, user.person, user.profile, who, user.kin, visit.offset, start)
    yield notes.note(
        world,
        ("visit-note", user.person.key, day, start),
        user.person,
        who,
        world.stamp(visit.offset, visit.actual[1]),
        "visit-note",
        text or "Ringte på, ingen åpnet. Pårørende varslet.",
        visits.encounter_ref(world, zone, visit) if visit.outcome == "done" else "",
        visits.appointment_ref(world, zone, visit),
    )


def reply(world: World, key: tuple[str, ...], sender: Named, recipient: Named, **more: str) -> Raw:
    """A Communication to the team: patient, text, sent, received ('' = not read)."""
    return world.resource(
        "Communication",
        key,
        status="completed",
        subject=reference(more["patient"]),
        sender=reference(*sender),
        recipient=[reference(*recipient)],
        sent=more["sent"],
        received=more["received"],
        category=[{"coding": [{"system": codes.CODE_TASK, "code": "reply"}], "text": "Svar"}],
        payload=[{"contentString": more["text"]}],
    )
