"""Make a practice municipality in a folder: its record and its description."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

from clinician.clock import FrozenClock, SystemClock
from clinician.embedded.server import RecordApp
from clinician.errors import DiskFull, UserProblem
from clinician.fhir.reference import Raw
from clinician.practice.info import FILE, RECORD, PracticeInfo, write
from clinician.practice.municipality import FEWEST, MOST, Municipality
from clinician.practice.planted import Change
from clinician.practice.units import municipality_name
from clinician.practice.world import VERSION, minutes
from clinician.texts import lazy

L = lazy("practice")

Progress = Callable[[int, int, str], None]
"""(done, expected, words): called now and then; expected is an estimate that never falls below done"""
PEOPLE: Final = 720
_MAKING: Final = ".making"
_EVENING_BEFORE: Final = minutes("22:45")
_TICK: Final = 500


def create(
    folder: Path,
    *,
    seed: int = 1,
    people: int = PEOPLE,
    day: date | None = None,
    progress: Progress | None = None,
) -> PracticeInfo:
    """Write folder/record.sqlite and folder/practice.toml; whole or not at all.

    day: the practice day, by default today. The record stands as it was at 07:10 that day; open it with
    practice.clock.PracticeClock, whatever the hour is. Raises UserProblem when the folder holds a record
    already or the number of people is out of range, DiskFull when there is no room.
    """
    _check(folder, people)
    making = folder / _MAKING
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        info = _fill(making, seed, people, day or SystemClock().today(), progress)
        for made in sorted(making.iterdir()):
            made.replace(folder / made.name)
        write(folder, info)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFull(
            L(
                "The disk is full. The practice municipality was not made; nothing else was touched."
                " Make room and try again."
            )
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return info


def _check(folder: Path, people: int) -> None:
    if not FEWEST <= people <= MOST:
        words = L(
            "A practice municipality has between {fewest} and {most} inhabitants.", fewest=FEWEST, most=MOST
        )
        raise UserProblem(words, field="people")
    if (folder / RECORD).exists() or (folder / FILE).exists():
        words = L("There is a record in this folder already. It was not touched. Choose another folder.")
        raise UserProblem(words, field="folder")


def _fill(making: Path, seed: int, people: int, day: date, progress: Progress | None) -> PracticeInfo:
    whole = Municipality(seed, people, day)
    evening = whole.world.at(-1, _EVENING_BEFORE)
    app = RecordApp(making / RECORD, clock=FrozenClock(evening), durable=False)
    try:
        count = _load(app, whole, evening, progress)
    finally:
        app.close()
    return PracticeInfo(
        version=VERSION,
        seed=seed,
        people=people,
        day=day,
        municipality=municipality_name(),
        resources=count,
        workplace_ref=whole.zones[0].unit.ref,
        workplace_name=whole.zones[0].unit.name,
        practitioner_ref=whole.default.ref,
        practitioner_name=whole.default.name,
        coordinator_ref=whole.zones[0].coordinator.ref,
        absent_ref=whole.absent.ref,
    )


def _load(app: RecordApp, whole: Municipality, evening: datetime, progress: Progress | None) -> int:
    """The evening before, then this morning's changes one by one, so that they show as changes."""
    source = _watched(whole.resources(), whole.expected, progress) if progress else whole.resources()
    changes = whole.changes()
    count = app.store.load(_as_before(source, changes), when=evening)
    for change in changes:
        count += app.store.load(change.now, when=change.when) - 1
    return count


def _as_before(resources: Iterable[Raw], changes: tuple[Change, ...]) -> Iterator[Raw]:
    before = {change.before["id"]: change.before for change in changes}
    for raw in resources:
        yield before.get(raw["id"], raw) if raw["resourceType"] == "Appointment" else raw


def _watched(resources: Iterable[Raw], expected: int, progress: Progress) -> Iterator[Raw]:
    done = 0
    words = str(L("Making a practice municipality"))
    for raw in resources:
        if done % _TICK == 0:
            progress(done, max(expected, done + 1), words)
        done += 1
        yield raw
    progress(done, done, words)
