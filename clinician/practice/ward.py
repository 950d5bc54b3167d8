"""Nursing-home wards: residents with rooms, illness and a medication round at eight."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from clinician.fhir.reference import Raw
from clinician.practice import measured, medication, notes
from clinician.practice.clinical import ICD10, allergies, conditions, episode, service
from clinician.practice.data import table
from clinician.practice.persons import Kin, Person, Registry, next_of_kin
from clinician.practice.staff import NURSE_SKILLS, Roster, Staff
from clinician.practice.units import Unit
from clinician.practice.world import Named, World

EIGHT: Final = ("08:00:00",)
_ROUND: Final = 5
"""drugs at 08:00 for every resident of a ward"""
_CARER_SKILLS: Final = ("medication",)


class Ward:
    """A ward with its residents and staff. floor makes the room numbers."""

    def __init__(
        self, world: World, unit: Unit, floor: int, beds: int, roster: Roster, registry: Registry
    ) -> None:
        self.world, self.unit, self.floor = world, unit, floor
        self.nurses = self._staff(roster, beds)
        self.residents = [
            registry.person(
                f"{unit.key}-{bed:02}",
                ages=(74, 99),
                zone="Sentrum",
                gender="female" if bed % 3 else "male",
            )
            for bed in range(1, beds + 1)
        ]

    def _staff(self, roster: Roster, beds: int) -> list[Staff]:
        nurses = [
            roster.hire(
                f"{self.unit.key}-n{n}",
                self.unit,
                "SP",
                competences=NURSE_SKILLS,
                functions=("superuser",) if n == 1 else (),
            )
            for n in range(max(2, beds // 5))
        ]
        carers = [
            roster.hire(f"{self.unit.key}-c{n}", self.unit, "HF", competences=_CARER_SKILLS)
            for n in range(max(3, beds // 3))
        ]
        return nurses + carers

    def resources(self, doctor: Named, granter: Staff) -> Iterator[Raw]:
        """Everything about the residents but Patient."""
        for bed, person in enumerate(self.residents, 1):
            dice = self.world.dice("ward", person.key)
            since = dice.randrange(20, 1300)
            yield episode(self.world, person, self.unit, since, f"{self.floor}{bed:02}")
            yield service(self.world, person, "21", self.unit, granter, since, None)
            yield from self._record(bed, person, doctor, dice)

    def _record(self, bed: int, person: Person, doctor: Named, dice: Random) -> Iterator[Raw]:
        kin: Kin | None = None
        for number in range(dice.choice((1, 1, 2))):
            found, raw = next_of_kin(self.world, person, number)
            kin = kin or found
            yield raw
        illnesses = dice.sample(table("ward")["illness"], 2)
        yield from conditions(self.world, person, [[i["code"], i["text"]] for i in illnesses], ICD10)
        yield from allergies(self.world, person)
        yield from self._round(bed, person, doctor, illnesses, dice)
        yield from self._per_need(bed, person, doctor)
        refs = [nurse.ref for nurse in self.nurses]
        yield from measured.history(self.world, person, "frail", refs, [8 * 60 + 30])
        if bed % 4 == 0:
            for offset in (-20, -9, -2):
                yield from measured.measure(
                    self.world, person, "frail", "news2", offset, 10 * 60, dice.choice(refs)
                )
        yield from notes.diary(self.world, person, "frail", "ward", self.nurses, kin)

    def _round(
        self, bed: int, person: Person, doctor: Named, illnesses: list[dict[str, Any]], dice: Random
    ) -> Iterator[Raw]:
        """Exactly five drugs at 08:00."""
        for key in self._drugs(bed, illnesses, dice):
            clocks: tuple[str, ...] = () if key == "levodopa" else EIGHT
            if table("drugs")[key].get("twice"):
                clocks = ("08:00:00", "20:00:00")
            yield medication.request(self.world, person, key, doctor, times=clocks)

    def _drugs(self, bed: int, illnesses: list[dict[str, Any]], dice: Random) -> list[str]:
        held = _special(bed)
        drugs = table("ward")["filling"]["drugs"]
        clashing = {"apiksaban", "acetylsalisylsyre", "klopidogrel"} if "warfarin" in held else set()
        wished = [drug for illness in illnesses for drug in illness["drugs"]]
        wished += dice.sample(drugs, len(drugs))
        if bed in table("ward")["fixture"]["per_need"]:
            clashing.add("paracetamol")
        for drug in wished:
            if drug not in held and drug not in clashing and len(held) < _ROUND:
                held.append(drug)
        return held

    def _per_need(self, bed: int, person: Person, doctor: Named) -> Iterator[Raw]:
        """Six residents have drugs per need; resident 5 has paracetamol alone and in a combination (T2)."""
        if bed not in table("ward")["fixture"]["per_need"]:
            return
        yield medication.request(
            self.world, person, "paracetamol", doctor, per_need=True, most="høyst 4 g paracetamol i døgnet"
        )
        second = {5: "kodein-paracetamol", 8: "oksazepam", 12: "metoklopramid"}.get(bed, "")
        if second:
            yield medication.request(self.world, person, second, doctor, per_need=True)


def _special(bed: int) -> list[str]:
    fixture = table("ward")["fixture"]
    planted = (
        ("insulin", ["insulin-glargin"]),
        ("warfarin", ["warfarin"]),
        ("controlled", ["oksykodon" if bed % 2 else "morfin"]),
        ("metoprolol", ["metoprolol"]),
    )
    return [drug for kind, drugs in planted if bed in fixture[kind] for drug in drugs]
