"""Made-up resources shaped as docs/record-model.md says. Seeded; nobody in them exists."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from clinician.cache.synced import SyncedRow
from clinician.fhir import codes

Raw = dict[str, Any]
DAY = datetime(2026, 3, 3, tzinfo=UTC)
_GIVEN = [
    "Åse",
    "Per",
    "Kari",
    "Ola",
    "Astrid",
    "Bjørn",
    "Sæbjørg",
    "Áile",
    "Niillas",
    "Solveig",
    "Marit",
    "Øyvind",
    "Tor",
    "Ingrid",
    "Håkon",
    "Eli",
    "Máret",
    "Grete",
    "Knut",
    "Liv",
]
_FAMILY = [
    "Moen",
    "Lund",
    "Nygård",
    "Berg",
    "Sæther",
    "Aasen",
    "Østby",
    "Hætta",
    "Gaup",
    "Lien",
    "Bakken",
    "Dahl",
    "Haugen",
    "Strand",
    "Ødegård",
    "Vik",
    "Solberg",
    "Brekke",
]
_PREFIX = [
    "Ny",
    "Stor",
    "Lille",
    "Øvre",
    "Nedre",
    "Vest",
    "Øst",
    "Nord",
    "Sør",
    "Gam",
    "Over",
    "Inn",
    "Ut",
    "Fram",
    "Bak",
    "Mid",
    "Hal",
    "Ber",
    "Kar",
    "Sol",
]
_STREET = [
    "Kongens gate",
    "Elvegata",
    "Storgata",
    "Skolevegen",
    "Kirkebakken",
    "Åsvegen",
    "Øvre veg",
    "Fjordgata",
]
_MEASURE = [
    "morning-care",
    "insulin",
    "medication",
    "blood-pressure",
    "weight",
    "wound",
    "stockings",
    "meal",
    "shower",
    "eye-drops",
]
_WORDS = [
    "var",
    "i",
    "god",
    "form",
    "i",
    "dag",
    "og",
    "ville",
    "gjerne",
    "opp",
    "spiste",
    "frokost",
    "fikk",
    "hjelp",
    "til",
    "stell",
    "såret",
    "ser",
    "fint",
    "ut",
    "pårørende",
    "ringt",
    "følges",
    "opp",
    "i",
    "morgen",
]


class Maker:
    """Makes a workplace: people, staff, days of visits with tasks, measurements and notes."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.zone = f"Organization/{self.id()}"
        self.staff = [f"Practitioner/{self.id()}" for _ in range(12)]
        self.stamp = DAY

    def id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def base(self, type_: str, **rest: Any) -> Raw:
        self.stamp += timedelta(milliseconds=self.random.randrange(1, 2000))
        stamp = self.stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "resourceType": type_,
            "id": self.id(),
            "meta": {
                "versionId": "1",
                "lastUpdated": stamp,
                "tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}],
            },
        } | rest

    def words(self, count: int) -> str:
        return " ".join(self.random.choice(_WORDS) for _ in range(count)).capitalize() + "."

    def time(self, day: int, hour: int, minute: int = 0) -> str:
        return (DAY + timedelta(days=day, hours=hour, minutes=minute)).isoformat().replace("+00:00", "Z")

    def patient(self) -> Raw:
        r = self.random
        born = datetime(1930 + r.randrange(30), 1 + r.randrange(12), 1 + r.randrange(28), tzinfo=UTC)
        number = (
            born.strftime("%d") + f"{born.month + 80:02}" + born.strftime("%y") + f"{r.randrange(10**5):05}"
        )
        family = r.choice(_FAMILY) if r.random() < 0.4 else r.choice(_PREFIX) + r.choice(_FAMILY).lower()
        street = f"{r.choice(_STREET)} {r.randrange(1, 120)}"
        return self.base(
            "Patient",
            identifier=[{"use": "official", "system": codes.FNR, "value": number}],
            active=True,
            name=[{"use": "official", "family": family, "given": [r.choice(_GIVEN)]}],
            telecom=[{"system": "phone", "value": f"9{r.randrange(10**7):07}", "use": "mobile"}],
            gender=r.choice(["male", "female"]),
            birthDate=born.date().isoformat(),
            address=[
                {
                    "extension": [
                        {
                            "url": codes.EXT_GEO,
                            "extension": [
                                {"url": "latitude", "valueDecimal": round(63 + r.random(), 6)},
                                {"url": "longitude", "valueDecimal": round(10 + r.random(), 6)},
                            ],
                        }
                    ],
                    "use": "home",
                    "line": [street],
                    "postalCode": f"7{r.randrange(1000):03}",
                    "city": "Solvik",
                }
            ],
        )

    def episode(self, patient: str, room: str = "") -> Raw:
        made = self.base(
            "EpisodeOfCare",
            status="active",
            patient={"reference": patient},
            managingOrganization={"reference": self.zone},
            period={"start": "2025-01-01"},
        )
        if room:
            made["extension"] = [{"url": codes.EXT_ROOM, "valueString": room}]
        return made

    def appointment(self, patient: str, day: int, staff: tuple[str, ...] = ()) -> Raw:
        r = self.random
        hour, minute = 6 + r.randrange(14), r.choice([0, 10, 20, 30, 40, 50])
        actors = [patient, *(staff or (r.choice(self.staff),))]
        return self.base(
            "Appointment",
            extension=[
                {"url": codes.EXT_WINDOW_START, "valueDateTime": self.time(day, hour)},
                {"url": codes.EXT_WINDOW_END, "valueDateTime": self.time(day, hour + 1)},
                {
                    "url": codes.EXT_COMPETENCE,
                    "valueCoding": {"system": codes.CODE_COMPETENCE, "code": "medication"},
                },
                {"url": codes.EXT_ROUTE, "valueReference": {"reference": f"Schedule/{self.id()}"}},
                {"url": codes.EXT_ROUTE_ORDER, "valuePositiveInt": r.randrange(1, 20)},
                {"url": codes.EXT_TRAVEL, "valuePositiveInt": r.randrange(1, 15)},
            ],
            status=r.choice(["booked", "fulfilled", "booked", "noshow", "cancelled"]),
            priority=5,
            description=r.choice(
                ["Morgenstell", "Insulin og morgenstell", "Medisiner", "Kveldsstell", "Tilsyn"]
            ),
            start=self.time(day, hour, minute),
            end=self.time(day, hour + 1, minute),
            minutesDuration=r.choice([10, 15, 20, 30, 45]),
            basedOn=[{"reference": f"ServiceRequest/{self.id()}"}],
            participant=[
                {"actor": {"reference": ref}, "required": "required", "status": "accepted"} for ref in actors
            ],
        )

    def task(self, patient: str, day: int, focus: str = "") -> Raw:
        r = self.random
        hour = 6 + r.randrange(14)
        return self.base(
            "Task",
            status=r.choice(["ready", "completed", "completed", "rejected"]),
            intent="order",
            priority="routine",
            code={
                "coding": [
                    {"system": codes.CODE_MEASURE, "code": r.choice(_MEASURE)},
                    {"system": codes.CODE_TASK, "code": r.choice(["measure", "measure", "follow-up"])},
                ]
            },
            description=self.words(4),
            focus={"reference": focus or f"Appointment/{self.id()}"},
            **{"for": {"reference": patient}},
            owner={"reference": r.choice(self.staff)},
            executionPeriod={"start": self.time(day, hour), "end": self.time(day, hour + 1)},
            basedOn=[{"reference": f"CarePlan/{self.id()}"}],
        )

    def encounter(self, patient: str, day: int, appointment: str) -> Raw:
        hour = 6 + self.random.randrange(14)
        return self.base(
            "Encounter",
            status="finished",
            **{"class": {"system": codes.ACT_CODE, "code": "HH", "display": "home health"}},
            subject={"reference": patient},
            participant=[{"individual": {"reference": self.random.choice(self.staff)}}],
            appointment=[{"reference": appointment}],
            period={"start": self.time(day, hour, 2), "end": self.time(day, hour, 17)},
            serviceProvider={"reference": self.zone},
        )

    def observation(self, patient: str, day: int) -> Raw:
        r = self.random
        return self.base(
            "Observation",
            status="final",
            category=[{"coding": [{"system": codes.OBSERVATION_CATEGORY, "code": "vital-signs"}]}],
            code={
                "coding": [{"system": codes.LOINC, "code": "85354-9", "display": "Blodtrykk"}],
                "text": "Blodtrykk",
            },
            subject={"reference": patient},
            encounter={"reference": f"Encounter/{self.id()}"},
            effectiveDateTime=self.time(day, 6 + r.randrange(14), r.randrange(60)),
            performer=[{"reference": r.choice(self.staff)}],
            component=[
                {
                    "code": {"coding": [{"system": codes.LOINC, "code": code}]},
                    "valueQuantity": {"value": value, "unit": "mmHg", "system": codes.UCUM, "code": "mm[Hg]"},
                }
                for code, value in (("8480-6", 100 + r.randrange(80)), ("8462-4", 60 + r.randrange(40)))
            ],
        )

    def note(self, patient: str, day: int) -> Raw:
        import base64

        text = base64.b64encode(self.words(30).encode()).decode()
        return self.base(
            "DocumentReference",
            status="current",
            docStatus="final",
            type={"coding": [{"system": codes.CODE_NOTE, "code": "visit-note"}]},
            subject={"reference": patient},
            date=self.time(day, 12),
            author=[{"reference": self.random.choice(self.staff)}],
            content=[{"attachment": {"contentType": "text/plain;charset=utf-8", "data": text}}],
            context={"encounter": [{"reference": f"Encounter/{self.id()}"}]},
        )

    def workplace(self, patients: int, days: int) -> Iterator[Raw]:
        for number in range(patients):
            person = self.patient()
            ref = f"Patient/{person['id']}"
            yield person
            yield self.episode(ref, str(201 + number) if number % 3 == 0 else "")
            for day in range(days):
                for _ in range(2):
                    visit = self.appointment(ref, day)
                    yield visit
                    for _ in range(2):
                        yield self.task(ref, day, f"Appointment/{visit['id']}")
                    yield self.encounter(ref, day, f"Appointment/{visit['id']}")
                yield self.observation(ref, day)
                yield self.note(ref, day)


def row(raw: Raw, version: str | None = None, stamp: datetime | None = None) -> SyncedRow:
    """A resource as the record would send it."""
    raw = {**raw, "meta": dict(raw.get("meta", {}))}
    if version is not None:
        raw["meta"]["versionId"] = version
    if stamp is not None:
        raw["meta"]["lastUpdated"] = stamp.isoformat()
    meta = raw["meta"]
    return SyncedRow(
        raw["resourceType"],
        raw["id"],
        meta["versionId"],
        datetime.fromisoformat(meta["lastUpdated"]),
        orjson.dumps(raw),
    )
