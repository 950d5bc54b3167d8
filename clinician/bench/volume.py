"""A practice municipality made larger: more people in the record, or more history in the cache.

What is added are copies of what the generator made, so the mix of types and the size of bodies stay.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from clinician.cache.reading import Cached
from clinician.cache.synced import SyncedRow
from clinician.cache.writing import Writing
from clinician.embedded.server import RecordApp
from clinician.practice.create import create
from clinician.practice.info import PracticeInfo
from clinician.workstation import Options, Workstation

_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DAY: Final = re.compile(rb'"(20\d\d-\d\d-\d\d)')
_SPACE: Final = uuid.UUID("6f1d7c6e-5d1b-4d0e-9d55-0f6a6f1c9f10")
_FIXED: Final = frozenset(
    {"Organization", "HealthcareService", "Practitioner", "PractitionerRole", "Schedule", "Location"}
)
_STAFF: Final = frozenset({"Practitioner", "PractitionerRole"})
_ENDED: Final = frozenset({"fulfilled", "cancelled", "noshow", "completed", "finished", "final", "current"})
_AGED: Final = ("Appointment", "Encounter", "Task", "Observation", "DocumentReference")
_COMMIT: Final = 500
_BUNDLE: Final = 50
"""Resources of one stamp, as a transaction bundle leaves them."""
_TICK: Final = timedelta(milliseconds=250)
_MORE: Final = 1000
"""Copies of measurements are numbered from here, so that none takes the id of a person's copy."""
_LOADED_BEFORE: Final = timedelta(hours=2)
T = TypeVar("T")


def town(folder: Path, *, people: int, day: date) -> PracticeInfo:
    """A practice municipality and a cache that has seen all of it."""
    info = create(folder, seed=1, people=people, day=day)
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
        station.cache.maintain()
    return info


def everything(station: Workstation) -> list[Cached]:
    """Every effective resource of the workplace."""
    with station.cache.reading() as reading:
        return [found for type_ in sorted(station.engine.line.plan.types) for found in reading.find(type_)]


# more people in the record -------------------------------------------------------------------------


def crowd(folder: Path, copies: int) -> PracticeInfo:
    """A town whose default workplace has `copies` times more people; the last change is two hours old.

    The practice day is yesterday: stamps of this morning may lie ahead of the clock, and a delta would
    ask for them again and again.
    """
    info = town(folder, people=720, day=datetime.now(UTC).date() - timedelta(days=1))
    with Workstation.open(Options(folder)) as station:
        rows = everything(station)
    owned = [row for row in rows if row.type not in _FIXED]
    staff = frozenset(row.id.encode() for row in rows if row.type in _STAFF)
    _load(folder, _copied(owned, staff, copies))
    return info


def _copied(rows: list[Cached], staff: frozenset[bytes], copies: int) -> Iterator[dict[str, Any]]:
    """`staff`: ids that are renamed too, so that nobody's own day grows."""
    ids = frozenset(row.id.encode() for row in rows) | staff
    bodies = [orjson.dumps(row.raw) for row in rows]
    for copy in range(1, copies + 1):
        for body in bodies:
            yield orjson.loads(_renamed(body, ids, copy))


def _renamed(body: bytes, ids: frozenset[bytes], copy: int) -> bytes:
    def name(found: re.Match[bytes]) -> bytes:
        return _other(found[0], copy) if found[0] in ids else found[0]

    return _UUID.sub(name, body)


def _other(id_: bytes, copy: int) -> bytes:
    return str(uuid.uuid5(_SPACE, f"{copy}:{id_.decode()}")).encode()


def fill_up(folder: Path, resources: int) -> None:
    """Measurements of the same people, until their workplace keeps about `resources`."""
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
        rows = everything(station)
    measured = [row for row in rows if row.type == "Observation"]
    ids = frozenset(row.id.encode() for row in measured)
    bodies = [orjson.dumps(row.raw) for row in measured]
    copies = max(0, resources - len(rows)) // max(1, len(measured))
    made = (orjson.loads(_renamed(body, ids, _MORE + copy)) for copy in range(copies) for body in bodies)
    _load(folder, made)


def _load(folder: Path, resources: Iterator[dict[str, Any]]) -> None:
    app = RecordApp(folder / "record.sqlite")
    try:
        when = datetime.now(UTC) - _LOADED_BEFORE
        for number, part in enumerate(_parts(resources, _BUNDLE)):
            app.store.load(part, when=when + number * _TICK)
    finally:
        app.close()


# more history in the cache -------------------------------------------------------------------------


def age(station: Workstation, resources: int) -> int:
    """Fill the cache to about `resources` with earlier weeks of the same people; how many were added."""
    rows = everything(station)
    ended = [row for row in rows if row.type in _AGED and row.raw.get("status") in _ENDED]
    weeks = max(0, resources - len(rows)) // max(1, len(ended))
    added = 0
    for part in _parts(_earlier(ended, weeks), _COMMIT):
        station.cache.writer.run(partial(_put, part))
        added += len(part)
    station.cache.maintain()
    return added


def _put(rows: list[SyncedRow], writing: Writing) -> None:
    writing.put_synced(rows)


def _earlier(rows: list[Cached], weeks: int) -> Iterator[SyncedRow]:
    ids = frozenset(row.id.encode() for row in rows)
    stamp = datetime(2020, 1, 1, tzinfo=UTC)
    bodies = [(row.type, row.id, orjson.dumps(row.raw)) for row in rows]
    for week in range(1, weeks + 1):
        for type_, id_, body in bodies:
            moved = _DAY.sub(partial(_moved, week), _renamed(body, ids, week))
            yield SyncedRow(type_, _other(id_.encode(), week).decode(), "1", stamp, moved)


def _moved(weeks: int, found: re.Match[bytes]) -> bytes:
    return b'"' + (date.fromisoformat(found[1].decode()) - timedelta(weeks=weeks)).isoformat().encode()


def _parts(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    return iter(lambda: list(islice(rows, size)), [])
