"""What everything in a practice municipality is made with: its seed, its day, its ids, its dice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from clinician.clock import OSLO
from clinician.fhir import codes
from clinician.fhir.reference import Raw

VERSION: Final = 3
"""Raised when the same seed, people and day give other bytes than before."""
PAST: Final = -3
FUTURE: Final = 3
"""Days from the practice day that have visits (NEEDS: three back, three forward)."""


class Named(NamedTuple):
    """A reference with the words that go with it: reference(*named)."""

    ref: str
    name: str


NOBODY: Final = Named("", "")


def concept(system: str, code: str, text: str, display: str | None = None) -> Raw:
    """A CodeableConcept of one coding; without a code only the text."""
    if not code:
        return {"text": text}
    return {"coding": [{"system": system, "code": code, "display": display or text}], "text": text}


def reference(ref: str, display: str = "") -> Raw:
    """A Reference."""
    return {"reference": ref, "display": display} if display else {"reference": ref}


def extension(url: str, **value: Any) -> Raw:
    """A simple extension: extension(url, valueString='…')."""
    return {"url": url, **value}


def stamp(when: datetime) -> str:
    """An instant as FHIR writes it, on the Norwegian wall clock."""
    return when.isoformat(timespec="seconds")


@dataclass(slots=True)
class World:
    """The input of the generator. Equal worlds make equal bytes."""

    seed: int
    people: int
    day: date
    namespace: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.namespace = uuid5(NAMESPACE_URL, f"https://clinician.example/practice/{self.seed}")

    def dice(self, *key: str) -> Random:
        """A generator of its own for one thing, so that nothing else moves when it changes."""
        return Random(f"{self.seed}/{'/'.join(key)}")

    def id(self, *key: str) -> str:
        """A UUIDv5 from the seed and a stable key, lower case."""
        return str(uuid5(self.namespace, "/".join(key)))

    def ref(self, kind: str, *key: str) -> str:
        """'Type/id' of what resource() makes with the same key."""
        return f"{kind}/{self.id(kind, *key)}"

    def resource(self, kind: str, key: tuple[str, ...], /, **elements: Any) -> Raw:
        """A resource marked as practice. Elements that are None or empty are left out."""
        tag = {"system": codes.CODE_PRACTICE, "code": "practice", "display": "Øvelse"}
        raw: Raw = {"resourceType": kind, "id": self.id(kind, *key), "meta": {"tag": [tag]}}
        raw.update((name, value) for name, value in elements.items() if value not in (None, "", [], {}))
        return raw

    def date(self, offset: int) -> date:
        """The day `offset` days from the practice day."""
        return self.day + timedelta(days=offset)

    def at(self, offset: int, minute: int) -> datetime:
        """A minute of the wall clock `offset` days from the practice day (Oslo)."""
        day = self.date(offset) + timedelta(days=minute // 1440)
        return datetime.combine(day, time(minute % 1440 // 60, minute % 60), OSLO)

    def stamp(self, offset: int, minute: int) -> str:
        """at() as FHIR writes it."""
        return stamp(self.at(offset, minute))


def minutes(clock: str) -> int:
    """'07:35' → 455."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest[:2])


def clock(minute: int) -> str:
    """455 → '07:35'."""
    return f"{minute // 60:02}:{minute % 60:02}"
