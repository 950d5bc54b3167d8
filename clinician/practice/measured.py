"""Measurements over months: a level, a drift and a daily scatter for each person and kind."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice.data import table, vital_codes
from clinician.practice.persons import Person
from clinician.practice.world import World, reference

MONTHS_BACK: Final = 120
"""Days of history"""
_USUAL: Final = {
    "blood-pressure": 136.0,
    "pulse": 74.0,
    "temperature": 36.8,
    "respiration": 16.0,
    "spo2": 96.0,
    "weight": 72.0,
    "glucose": 7.2,
    "news2": 1.0,
}
_SCATTER: Final = {
    "blood-pressure": 7.0,
    "pulse": 5.0,
    "temperature": 0.18,
    "respiration": 1.4,
    "spo2": 1.1,
    "weight": 0.5,
    "glucose": 1.5,
    "news2": 0.7,
}
_LIMITS: Final = {
    "blood-pressure": (92, 206),
    "pulse": (46, 128),
    "temperature": (35.4, 38.9),
    "respiration": (11, 27),
    "spo2": (84, 100),
    "weight": (38, 140),
    "glucose": (3.4, 18.5),
    "news2": (0, 7),
}
_UNITS: Final = {
    "blood-pressure": ("mmHg", "mm[Hg]"),
    "pulse": ("/min", "/min"),
    "temperature": ("°C", "Cel"),
    "respiration": ("/min", "/min"),
    "spo2": ("%", "%"),
    "weight": ("kg", "kg"),
    "glucose": ("mmol/L", "mmol/L"),
}
_DISPLAY: Final = {
    "blood-pressure": "Blodtrykk",
    "systolic": "Systolisk blodtrykk",
    "diastolic": "Diastolisk blodtrykk",
    "pulse": "Puls",
    "temperature": "Kroppstemperatur",
    "respiration": "Respirasjonsfrekvens",
    "spo2": "Oksygenmetning",
    "weight": "Vekt",
    "glucose": "Blodsukker",
    "consciousness": "Bevissthet (ACVPU)",
    "oxygen": "Luft eller oksygen",
}
_CATEGORY: Final = {
    "coding": [{"system": codes.OBSERVATION_CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]
}
NEWS2_PARTS: Final = (
    "respiration",
    "spo2",
    "oxygen",
    "blood-pressure",
    "pulse",
    "consciousness",
    "temperature",
)
KINDS: Final = frozenset(_UNITS) | {"news2"}


def _watched(profile: str, kind: str) -> tuple[float, float]:
    for name, _days, start, drift in table("profiles")["profile"].get(profile, {}).get("watch", ()):
        if name == kind:
            return float(start), float(drift)
    return _USUAL[kind], 0.0


def level(world: World, person: Person, profile: str, kind: str, offset: int, clock: str = "") -> float:
    """The value a kind has for a person on a day: the same whoever asks."""
    start, drift = _watched(profile, kind)
    own = world.dice("level", person.key, kind).uniform(-1, 1) * _SCATTER[kind] * 1.5
    dice = world.dice("value", person.key, kind, str(offset), clock)
    scatter = dice.uniform(-1, 1) + dice.uniform(-1, 1)
    value = start + own + drift * (MONTHS_BACK + offset) / 30 + scatter * _SCATTER[kind]
    low, high = _LIMITS[kind]
    return min(high, max(low, value))


def history(
    world: World, person: Person, profile: str, performers: list[str], clocks: list[int]
) -> Iterator[Raw]:
    """The series of a person before the days that have visits."""
    for kind, days, _start, _drift in table("profiles")["profile"][profile]["watch"]:
        dice = world.dice("series", person.key, kind)
        for offset in range(-MONTHS_BACK + dice.randrange(days), -3, days):
            minute = dice.choice(clocks) + dice.randrange(-10, 25)
            yield from measure(world, person, profile, kind, offset, minute, dice.choice(performers))


def measure(
    world: World,
    person: Person,
    profile: str,
    kind: str,
    offset: int,
    minute: int,
    performer: str,
    encounter: str = "",
) -> Iterator[Raw]:
    """The Observation(s) of one measuring; news2 is the whole set at the same minute."""
    about = _About(world, person, offset, minute, performer, encounter)
    if kind != "news2":
        yield about.observation(kind, level(world, person, profile, kind, offset, str(minute // 240)))
        return
    risk = level(world, person, profile, "news2", offset)
    for part, value in _set(world.dice("news2", person.key, str(offset)), risk, profile):
        yield about.observation(part, value, "news2")


def _set(dice: Random, risk: float, profile: str) -> Iterator[tuple[str, Any]]:
    """A complete set that fits a risk between 0 (well) and 7 (ill)."""
    lungs = 3.5 if profile == "copd" else 0.0
    yield "respiration", 15 + risk * 1.3 + dice.uniform(-1.5, 2)
    yield "spo2", 97.5 - risk * 0.7 - lungs + dice.uniform(-1, 1)
    yield "oxygen", "oxygen" if risk > 5.5 else "air"
    yield "blood-pressure", 134 - risk * 4 + dice.uniform(-9, 9)
    yield "pulse", 70 + risk * 6 + dice.uniform(-6, 6)
    yield "consciousness", "C" if risk > 6.2 else "A"
    yield "temperature", 36.6 + risk * 0.22 + dice.uniform(-0.2, 0.3)


_ANSWERS: Final = {
    "A": ("248234008", "Mentally alert"),
    "C": ("130987000", "Acute confusion"),
    "air": ("722742002", "Breathing room air"),
    "oxygen": ("371825009", "Patient on oxygen"),
}
"""resources/codes/acvpu.csv"""


class _About:
    """Whom, when and by whom something was measured."""

    def __init__(
        self, world: World, person: Person, offset: int, minute: int, performer: str, encounter: str
    ) -> None:
        self.world, self.person = world, person
        self.when = world.stamp(offset, minute)
        self.performer, self.encounter = performer, encounter

    def observation(self, kind: str, value: float | str, group: str = "") -> Raw:
        """One Observation. group: the set it is a part of."""
        return self.world.resource(
            "Observation",
            (self.person.key, group, kind, self.when),
            status="final",
            category=[_CATEGORY],
            code=_code(kind),
            subject=reference(self.person.ref),
            encounter=reference(self.encounter) if self.encounter else None,
            effectiveDateTime=self.when,
            performer=[reference(self.performer)],
            **_value(kind, value),
        )


def _code(kind: str) -> Raw:
    words = _DISPLAY[kind]
    coding = [{"system": system, "code": code} for system, code in vital_codes()[kind]]
    return {"coding": coding, "text": words}


def _quantity(kind: str, value: float) -> Raw:
    unit, ucum = _UNITS[kind]
    shown = round(value, 1) if kind in ("temperature", "weight", "glucose") else round(value)
    return {"value": shown, "unit": unit, "system": codes.UCUM, "code": ucum}


def _value(kind: str, value: float | str) -> Raw:
    if isinstance(value, str):
        code, display = _ANSWERS[value]
        coding = {"system": codes.SNOMED, "code": code, "display": display}
        return {"valueCodeableConcept": {"coding": [coding]}}
    if kind == "blood-pressure":
        upper, lower = round(value), round(value * 0.42 + 22)
        return {
            "component": [
                {"code": _code("systolic"), "valueQuantity": _quantity(kind, upper)},
                {"code": _code("diastolic"), "valueQuantity": _quantity(kind, lower)},
            ]
        }
    return {"valueQuantity": _quantity(kind, value)}
