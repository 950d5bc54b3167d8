"""The in-memory Reading of the tests must answer as the real cache does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinician.cache.open import open_cache
from clinician.cache.synced import SyncedRow
from clinician.clock import FrozenClock
from clinician.events import Events
from clinician.queries.query import Reading
from tests.modules.homecare.memory import DAY, NOW, MemoryReading, task, visit, zone

ASKED = (
    ("Appointment", {"start_from": DAY, "start_before": DAY.replace(day=4)}),
    ("Appointment", {"status": ("booked", "arrived")}),
    ("Appointment", {"owner": "Practitioner/kari"}),
    ("Appointment", {"patient": "Patient/eva"}),
    ("Appointment", {"patient": ["Patient/eva", "Patient/ola"], "status": "fulfilled"}),
    ("Appointment", {"token": ("route", "Schedule/r-me")}),
    ("Task", {"token": ("focus", "Appointment/v1")}),
    ("Task", {"patient": "Patient/ola", "status": ("ready",), "descending": True}),
    ("Task", {"code": "https://clinician.example/fhir/CodeSystem/measure|insulin"}),
    ("Task", {"code": "https://clinician.example/fhir/CodeSystem/task-kind|measure", "limit": 1}),
    ("Schedule", {"owner": "HealthcareService/nord", "start_from": DAY}),
    ("PractitionerRole", {"owner": ["Practitioner/me", "Practitioner/kari"], "order": "id"}),
    ("EpisodeOfCare", {"token": ("organization", "Organization/nord"), "status": "active"}),
)


@pytest.fixture
def memory() -> MemoryReading:
    held = zone(
        visit("v1"),
        visit("v2", "09:00", who=("me", "kari"), of="eva", staff=2),
        visit("v3", "10:00", who=(), status="pending"),
        visit("v4", "07:30", status="fulfilled", of="eva"),
    )
    held.put(task("t1"))
    held.put(task("t2", status="completed", measure="wound"))
    return held


@pytest.fixture
def cached(memory: MemoryReading, tmp_path: Path) -> Iterator[Reading]:
    cache = open_cache(tmp_path, secrets.token_bytes(32), clock=FrozenClock(NOW), events=Events())
    rows = [
        SyncedRow(row.type, row.id, "1", NOW, json.dumps(row.raw).encode()) for row in memory.rows.values()
    ]
    cache.writer.run(lambda writing: writing.put_synced(rows))
    with cache.reading() as reading:
        yield reading
    cache.close()


@pytest.mark.parametrize(("type_", "asked"), ASKED, ids=range(len(ASKED)))
def test_that_memory_and_cache_find_the_same(
    memory: MemoryReading, cached: Reading, type_: str, asked: dict
) -> None:
    wanted = [row.ref for row in memory.find(type_, **asked)]
    assert [row.ref for row in cached.find(type_, **asked)] == wanted
    assert wanted
