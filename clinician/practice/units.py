"""The municipality's units: zones, wards, offices; each an Organization, a workplace for its staff.

A workplace has a HealthcareService with the Organization's own id: the one R4 lets a Schedule name as actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw, make_ref, split_ref
from clinician.practice.data import table
from clinician.practice.numbers import Numbers, phone
from clinician.practice.town import Town
from clinician.practice.world import Named, World, concept, reference

KINDS: Final = {
    "municipality": "Kommune",
    "homecare": "Hjemmetjeneste",
    "homecare-zone": "Hjemmetjenestesone",
    "nursing-home": "Sykehjem",
    "ward": "Avdeling",
    "physio": "Fysioterapi",
    "case-office": "Tildelingskontor",
    "mental-health": "Psykisk helse",
    "gp-office": "Legekontor",
    "response-centre": "Responssenter",
}
"""CODE_UNIT code → Norwegian word"""


@dataclass(frozen=True, slots=True)
class Unit:
    """An organization of the municipality."""

    key: str
    kind: str
    name: str
    ref: str

    @property
    def named(self) -> Named:
        """For reference(*named)."""
        return Named(self.ref, self.name)

    @property
    def service(self) -> Named:
        """The HealthcareService of the unit, for reference(*service)."""
        return Named(make_ref("HealthcareService", split_ref(self.ref)[1]), self.name)


class Units:
    """Makes units; raws() are their resources in the order made."""

    def __init__(self, world: World, numbers: Numbers, town: Town) -> None:
        self.world, self.numbers, self.town = world, numbers, town
        self.raws: list[Raw] = []

    def unit(self, key: str, kind: str, name: str, parent: Unit | None = None, zone: str = "Sentrum") -> Unit:
        """A unit below `parent` that stands in a zone of the town."""
        dice = self.world.dice("unit", key)
        address = self.town.office(dice, zone).raw("work")
        made = Unit(key, kind, name, self.world.ref("Organization", key))
        self.raws.append(
            self.world.resource(
                "Organization",
                (key,),
                identifier=[{"system": codes.ORGNR, "value": self.numbers.orgnr(dice)}],
                active=True,
                type=[concept(codes.CODE_UNIT, kind, KINDS[kind])],
                name=name,
                telecom=[{"system": "phone", "value": phone(dice), "use": "work"}],
                address=[address],
                partOf=reference(parent.ref) if parent else None,
            )
        )
        if kind != "municipality":
            self.raws.append(self._service(made))
        return made

    def _service(self, unit: Unit) -> Raw:
        raw = self.world.resource(
            "HealthcareService",
            (unit.key,),
            active=True,
            providedBy=reference(*unit.named),
            type=[concept(codes.CODE_UNIT, unit.kind, KINDS[unit.kind])],
            name=unit.name,
        )
        return raw | {"id": split_ref(unit.ref)[1]}


def municipality_name() -> str:
    """'Fjordvik kommune'."""
    return f"{table('town')['municipality']} kommune"
