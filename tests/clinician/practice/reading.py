"""Reads a generated municipality the way a stranger would: from its resources alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import asin, ceil, cos, radians, sin, sqrt

from clinician.fhir import codes, read
from clinician.fhir.reference import Raw

Span = tuple[datetime, datetime]


@dataclass
class TownRead:
    resources: list[Raw]
    day: date
    by_ref: dict[str, Raw] = field(init=False)
    by_type: dict[str, list[Raw]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_ref = {f"{r['resourceType']}/{r['id']}": r for r in self.resources}
        self.by_type = defaultdict(list)
        for raw in self.resources:
            self.by_type[raw["resourceType"]].append(raw)

    def unit(self, name: str) -> str:
        return next(f"Organization/{o['id']}" for o in self.by_type["Organization"] if o["name"] == name)

    def roles(self, unit: str) -> list[Raw]:
        return [r for r in self.by_type["PractitionerRole"] if r["organization"]["reference"] == unit]

    def members(self, unit: str) -> list[str]:
        found = [e for e in self.by_type["EpisodeOfCare"] if e["managingOrganization"]["reference"] == unit]
        return [e["patient"]["reference"] for e in found]

    def routes(self, unit: str, day: date) -> dict[str, Raw]:
        return {
            f"Schedule/{s['id']}": s
            for s in self.by_type["Schedule"]
            if s["actor"][1]["reference"] == service(unit)
            and s["planningHorizon"]["start"].startswith(day.isoformat())
        }

    def visits(self, unit: str, offset: int = 0) -> list[Raw]:
        """Home-care visits of a zone on a day, also those on no route."""
        members = set(self.members(unit))
        day = (self.day + timedelta(days=offset)).isoformat()
        return [
            a
            for a in self.by_type["Appointment"]
            if a["start"].startswith(day) and patient(a) in members and is_homecare(a)
        ]

    def position(self, ref: str) -> tuple[float, float]:
        found = read.position(self.by_ref[ref])
        assert found is not None
        return found

    def holds(self, practitioner: str, unit: str) -> set[str]:
        role = next(r for r in self.roles(unit) if r["practitioner"]["reference"] == practitioner)
        return {c.code for c in read.codings(role, "code")}


def service(unit: str) -> str:
    """The HealthcareService of a unit has the unit's own id (docs/record-model.md)."""
    return unit.replace("Organization/", "HealthcareService/")


def is_homecare(appointment: Raw) -> bool:
    return read.has_code(appointment, "serviceType", codes.CODE_UNIT, "homecare-zone")


def patient(appointment: Raw) -> str:
    return read.patient_ref_of(appointment)


def staff(appointment: Raw) -> list[str]:
    return list(read.refs(appointment, "participant.actor"))[1:]


def span(appointment: Raw) -> Span:
    return datetime.fromisoformat(appointment["start"]), datetime.fromisoformat(appointment["end"])


def needs(appointment: Raw) -> set[str]:
    return {v["code"] for v in read.extensions(appointment, codes.EXT_COMPETENCE)}


def minutes_between(a: tuple[float, float], b: tuple[float, float]) -> int:
    """As the home-care module estimates travel."""
    (lat1, lon1), (lat2, lon2) = (map(radians, a), map(radians, b))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    km = 2 * 6371.0 * asin(min(1.0, sqrt(h)))
    return 0 if km <= 0.04 else 2 + ceil(km * 1.3 / 35 * 60)
