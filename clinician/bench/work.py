"""What a person waits for in home care: the lists, a patient, an act. The window's share is not in it.

Read through the module registry, as the shell does, on a cache with years of history behind the day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from clinician.bench.floor import BareStore
from clinician.bench.measure import Measure, middle, seconds, spread, tidy
from clinician.bench.touched import Touched
from clinician.bench.volume import age, everything
from clinician.practice.info import PracticeInfo
from clinician.queries.patients import patient_header
from clinician.workstation import PRACTICE_PIN, Options, Workstation

_HOME: Final = "homecare"
_QUERIES: Final = "modules.homecare.queries"
_COMPLETE: Final = "modules.homecare.commands.visits:CompleteVisit"


@dataclass(frozen=True, slots=True)
class _Case:
    bench: str
    calls: list[Callable[[Any], object]]


class WorkBench:
    """A practice town at `folder` (see volume.town) with a cache of about `resources`."""

    def __init__(self, folder: Path, info: PracticeInfo, *, resources: int, samples: int) -> None:
        self._folder, self._info, self._samples = folder, info, samples
        self._resources = resources

    def run(self) -> Iterator[Measure]:
        """Every row; the acts come last, for they change what is read."""
        with Workstation.open(Options(self._folder)) as station:
            age(station, self._resources)
            bare = self._bare(station)
            try:
                yield from self._reads(station, bare)
                yield from self._acts(station, bare)
            finally:
                bare.close()

    def _bare(self, station: Workstation) -> BareStore:
        bare = BareStore(self._folder / "bare.db")
        bare.put((row.ref, orjson.dumps(row.raw)) for row in everything(station))
        return bare

    # reading ----------------------------------------------------------------------------------

    def _reads(self, station: Workstation, bare: BareStore) -> Iterator[Measure]:
        for case in self._cases(station):
            yield from _timed(case, station, bare)

    def _cases(self, station: Workstation) -> Iterator[_Case]:
        info, day, now = self._info, station.clock.today(), station.clock.now()
        my_day, zone_day, user_card = (
            station.registry.resolve(_HOME, f"{_QUERIES}.{name}:{name}")
            for name in ("my_day", "zone_day", "user_card")
        )
        place = {"workplace_ref": info.workplace_ref, "day": day, "now": now}
        mine = partial(my_day, practitioner_ref=info.practitioner_ref, **place)
        yield _Case("work list, my day", [mine] * self._samples)
        yield _Case("work list, the zone", [partial(zone_day, **place)] * self._samples)
        with station.cache.reading() as reading:
            refs = [found.ref for found in reading.find("Patient", order="id")]

        def opened(ref: str) -> Callable[[Any], object]:
            return lambda reading: (
                patient_header(reading, patient_ref=ref),
                user_card(reading, patient_ref=ref, now=now),
            )

        yield _Case("patient open", [opened(ref) for ref in (refs * self._samples)[: self._samples]])

    # acting -----------------------------------------------------------------------------------

    def _acts(self, station: Workstation, bare: BareStore) -> Iterator[Measure]:
        """Complete the day's visits, each durable before the next; the program is warm, as at work."""
        station.warm_up()
        complete = station.registry.resolve(_HOME, _COMPLETE)
        station.sign_in(self._info.practitioner_ref, self._info.workplace_ref, PRACTICE_PIN)
        visits = self._open_visits(station)[: self._samples]
        spent = [seconds(partial(station.run_command, complete(ref))) for ref in visits]
        body = b"x" * 8000
        floors = [
            seconds(partial(bare.put, [(f"act/{number}", body)], durable=True))
            for number in range(len(spent))
        ]
        yield Measure("act, the first", spent[0] * 1e3, "ms", middle(floors) * 1e3)
        yield from spread("act, durable here", spent[1:], floors)

    def _open_visits(self, station: Workstation) -> list[str]:
        zone_day = station.registry.resolve(_HOME, f"{_QUERIES}.my_day:my_day")
        rows = station.run_query(
            zone_day,
            practitioner_ref=self._info.practitioner_ref,
            workplace_ref=self._info.workplace_ref,
            day=station.clock.today(),
            now=station.clock.now(),
        ).rows
        return [row.key for row in rows if row.kind == "visit" and row.visit_state == "open"]


def _timed(case: _Case, station: Workstation, bare: BareStore) -> tuple[Measure, Measure]:
    tidy()
    spent, floors = [], []
    for call in case.calls[:2]:
        with station.cache.reading() as reading:
            call(reading)
    for call in case.calls:
        with station.cache.reading() as reading:
            touched = Touched(reading)
            call(touched)
        spent.append(seconds(partial(_read, station, call)))
        floors.append(seconds(partial(bare.read, list(touched.refs))))
    return spread(case.bench, spent, floors)


def _read(station: Workstation, call: Callable[[Any], object]) -> None:
    with station.cache.reading() as reading:
        call(reading)
