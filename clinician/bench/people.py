"""Inhabitants in a cache, as many as asked for: names, numbers, phones and addresses of the practice kind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import orjson

from clinician.cache.open import Cache, open_cache
from clinician.cache.reading import Raw
from clinician.cache.synced import SyncedRow
from clinician.cache.writing import Writing
from clinician.clock import SystemClock
from clinician.events import Events
from clinician.fhir import codes
from clinician.fhir.identity import make_fnr
from clinician.practice import names

_SPACE: Final = uuid.UUID("0d1f5f0e-2f0c-4f9a-8c1e-54f1a2d8a6b7")
_STAMP: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BORN: Final = date(1925, 1, 1)
_COMMIT: Final = 500
_STREETS: Final = ("Strandveien", "Kirkegata", "Øvre Bakke", "Åsveien", "Fjordgløtt", "Skolegata", "Nedre Ås")


def patients(number: int, seed: int = 1) -> Iterator[Raw]:
    """`number` Patients, the same for a seed."""
    dice = Random(seed)
    for count in range(number):
        birth = _BORN + timedelta(days=dice.randrange(36_000))
        gender = dice.choice(("female", "male"))
        origin = names.group(dice, birth.year)
        family = names.family_name(dice, origin)
        given = names.given_name(dice, origin, gender, birth.year, family)
        yield {
            "resourceType": "Patient",
            "id": str(uuid.uuid5(_SPACE, str(count))),
            "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"},
            "identifier": [{"system": codes.FNR, "value": make_fnr(dice, birth, gender)}],
            "active": True,
            "name": [
                {"use": "official", "text": f"{given} {family}", "family": family, "given": given.split()}
            ],
            "telecom": [{"system": "phone", "value": f"+47 01 {dice.randrange(10**6):06}"}],
            "gender": gender,
            "birthDate": birth.isoformat(),
            "address": [
                {
                    "line": [f"{dice.choice(_STREETS)} {dice.randrange(1, 90)}"],
                    "postalCode": f"999{dice.randrange(6, 9)}",
                    "city": "Storvik",
                }
            ],
        }


def rows_of(raws: Iterator[Raw]) -> Iterator[SyncedRow]:
    """As sync would hand them over."""
    for raw in raws:
        yield SyncedRow(raw["resourceType"], raw["id"], "1", _STAMP, orjson.dumps(raw))


def register(folder: Path, number: int) -> Cache:
    """A cache with `number` Patients and the planner's statistics. Close it."""
    cache = open_cache(folder, b"\x5a" * 32, clock=SystemClock(), events=Events())
    rows = rows_of(patients(number))
    for part in iter(lambda: list(islice(rows, _COMMIT)), []):
        cache.writer.run(partial(_put, part))
    cache.maintain()
    return cache


def _put(rows: list[SyncedRow], writing: Writing) -> None:
    writing.put_synced(rows)
