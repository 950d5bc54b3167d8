"""Medication lists: MedicationRequest by substance, ATC and clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from clinician.fhir.reference import Raw
from clinician.practice.data import table
from clinician.practice.persons import Person
from clinician.practice.world import Named, World, concept, reference

ATC: Final = "http://www.whocc.no/atc"
_GROUP: Final = "urn:oid:2.16.578.1.12.4.1.1.7421"
"""Volven 7421, prescription group"""
_PER_NEED: Final = frozenset({"metoklopramid", "salbutamol", "oksazepam", "zopiklon"})


def for_profile(world: World, person: Person, profile: str, doctor: Named) -> Iterator[Raw]:
    """The list of a home-care user."""
    for key in table("profiles")["profile"][profile]["drugs"]:
        yield request(world, person, key, doctor, per_need=key in _PER_NEED)


def request(
    world: World,
    person: Person,
    key: str,
    doctor: Named,
    *,
    per_need: bool = False,
    times: tuple[str, ...] = (),
    most: str = "",
) -> Raw:
    """One line of a list. times: clocks 'HH:MM:SS'; most: the limit in words for per-need lines."""
    drug: dict[str, Any] = table("drugs")[key]
    dice = world.dice("drug", person.key, key)
    since = world.date(-dice.randrange(20, 900)).isoformat()
    group = drug.get("group", "C")
    clocks = () if per_need else times or _clocks(drug)
    return world.resource(
        "MedicationRequest",
        (person.key, key, "prn" if per_need else ""),
        status="active",
        intent="order",
        category=[concept(_GROUP, group, f"Reseptgruppe {group}")],
        medicationCodeableConcept=concept(ATC, drug["atc"], f"{drug['name']} {drug['form']}", drug["name"]),
        subject=reference(person.ref),
        authoredOn=since,
        requester=reference(*doctor),
        reasonCode=[{"text": drug["why"]}],
        dosageInstruction=[_dosage(drug, clocks, since, most)],
    )


def _dosage(drug: dict[str, Any], clocks: tuple[str, ...], since: str, most: str) -> Raw:
    """On the clock, or per need when there are no clocks."""
    amount, unit = drug["dose"]
    dosage: Raw = {
        "text": _in_words(amount, unit, drug["why"], clocks, most),
        "doseAndRate": [{"doseQuantity": {"value": amount, "unit": unit}}],
    }
    if not clocks:
        return dosage | {"asNeededBoolean": True}
    repeat: Raw = {
        "boundsPeriod": {"start": since},
        "frequency": len(clocks),
        "period": 1,
        "periodUnit": "d",
        "timeOfDay": list(clocks),
    }
    return dosage | {"timing": {"repeat": repeat}}


def _clocks(drug: dict[str, Any]) -> tuple[str, ...]:
    if "times" in drug:
        return tuple(drug["times"])
    return ("08:00:00", "20:00:00") if drug.get("twice") else ("08:00:00",)


def _in_words(amount: float, unit: str, why: str, clocks: tuple[str, ...], most: str) -> str:
    if clocks:
        return f"{amount} {unit} kl. {' og '.join(c[:5] for c in clocks)} ({why})"
    return f"{amount} {unit} ved behov ({why})" + (f", {most}" if most else "")
