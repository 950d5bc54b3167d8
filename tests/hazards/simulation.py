"""An hour of a workplace on a hazard record: writes by others, polls by us, crashes, then quiet (SYNC §1.4).

Virtual time only: every exchange takes a while, in which others go on writing. Deterministic from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from clinician.clock import FrozenClock
from clinician.record.client import RecordClient
from clinician.sync.plan import MEMBERSHIP, Plan, SyncRule
from tests.clinician.sync.world import WORKPLACE, episode, new_id, setting
from tests.hazards.hazards import Hazards
from tests.hazards.record import HazardRecord
from tests.hazards.rules import Naive, NaiveWire
from tests.hazards.shelf import Raw
from tests.hazards.ways import Straight, StraightClient

START = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
TYPE = "Observation"
PLAN = Plan(WORKPLACE, (MEMBERSHIP, SyncRule("Patient", "", priority=2), SyncRule(TYPE, "", priority=30)))
PEOPLE = 8
ROWS = 1_500


class Crash(BaseException):
    """The program ended in the middle of an exchange."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the matrix. Shares are per second or per exchange; times in seconds."""

    name: str
    hazards: Hazards = field(default_factory=Hazards)
    bundles: float = 0.2
    crashes: float = 0.0
    jumps: tuple[float, ...] = ()
    """Seconds the record's clock jumps by, one after another, at even distances."""
    restored: bool = False
    """Half way the record goes back to a backup ten minutes old."""
    minutes: int = 60
    page: int = 20
    poll: float = 15.0
    quiet: float = 300.0
    writes: float = 0.3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to. missed, ghosts: rows wrong after quiet; *_compared: after one manifest."""

    rows: int
    missed: int
    ghosts: int
    missed_compared: int
    ghosts_compared: int
    quarantined: int = 0
    restored: int = 0


class Workplace(Protocol):
    """What polls: the light station or the whole engine. Survives `crashed`, as a cache does."""

    def poll(self) -> None: ...
    def compare(self) -> None: ...
    def crashed(self) -> None: ...
    def versions(self, type_: str) -> dict[str, str]: ...


class Simulation:
    """One run. `client` is the way to the record, with the rule's wire in between."""

    def __init__(self, cell: Cell, seed: int, rule: Naive | None = None) -> None:
        self.cell = cell
        self.rng = random.Random(f"{cell.name}/{seed}")
        self.clock = FrozenClock(START)
        hazards = replace(cell.hazards, largest_count=cell.page)
        self.record = HazardRecord(hazards, clock=self.clock, seed=self.rng.getrandbits(32))
        self.ids: list[str] = []
        self.people = [new_id(self.rng) for _ in range(PEOPLE)]
        self.strangers = [new_id(self.rng) for _ in range(3)]
        self._crashes = 0.0
        self._fill()
        self.clock.advance(timedelta(minutes=1))
        self._due = self._schedule()
        self.client: RecordClient = StraightClient(self.record, self._passing)
        if rule is not None:
            wire = NaiveWire(self.wire(), rule, self.clock)
            self.client = RecordClient("http://record.local", transport=wire)

    def _fill(self) -> None:
        self.record.load(setting())
        for id_ in (*self.people, *self.strangers):
            self.record.load([{"resourceType": "Patient", "id": id_, "name": [{"text": id_[:4]}]}])
        self.record.load(episode(id_) for id_ in self.people)
        for _ in range(ROWS):
            self.record.load([self._fresh()])
            self.clock.advance(timedelta(milliseconds=3))

    def _fresh(self) -> Raw:
        id_ = new_id(self.rng)
        self.ids.append(id_)
        return self._observation(id_, self.rng.choice(self.people))

    def _observation(self, id_: str, patient: str) -> Raw:
        return {
            "resourceType": TYPE,
            "id": id_,
            "status": "final",
            "code": {"text": "puls"},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-03-01T08:00:00Z",
            "valueQuantity": {"value": self.rng.randrange(40, 180)},
        }

    # time -----------------------------------------------------------------------------------

    def _schedule(self) -> list[tuple[datetime, str]]:
        """When others write and the clock jumps, latest first."""
        seconds = self.cell.minutes * 60
        begin = self.clock.now()
        due = [
            (begin + timedelta(seconds=second + self.rng.random()), "write")
            for second in range(seconds)
            if self.rng.random() < self.cell.writes
        ]
        for number, by in enumerate(self.cell.jumps, 1):
            at = seconds * number / (len(self.cell.jumps) + 1)
            due.append((begin + timedelta(seconds=at), f"jump {by}"))
        if self.cell.restored:
            due.append((begin + timedelta(seconds=seconds / 2 - 600), "back up"))
            due.append((begin + timedelta(seconds=seconds / 2), "restore"))
        return sorted(due, reverse=True)

    def wire(self) -> Straight:
        """The way to the record for a client that speaks HTTP."""
        return Straight(self.record, self._passing)

    def _passing(self, _request: httpx.Request | None) -> None:
        """Ahead of every exchange: it takes a while, and may be the last of this program."""
        self.pass_until(self.clock.now() + timedelta(seconds=self.rng.uniform(0.05, 0.3)))
        if self._crashes and self.rng.random() < self._crashes:
            raise Crash

    def pass_until(self, moment: datetime) -> None:
        """Let others do what they do until then."""
        while self._due and self._due[-1][0] <= moment:
            at, what = self._due.pop()
            self._to(at)
            self._happen(what)
        self._to(moment)

    def _to(self, moment: datetime) -> None:
        self.clock.advance(max(timedelta(0), moment - self.clock.now()))
        self.record.shelf.land(self.record.now())

    def _happen(self, what: str) -> None:
        kind, _, by = what.partition(" ")
        match kind:
            case "write":
                self._others_write()
            case "jump":
                self.record.jump += float(by)
            case "back":
                self.record.back_up()
            case "restore":
                self.record.restore()

    # others ---------------------------------------------------------------------------------

    def _others_write(self) -> None:
        rng = self.rng
        count = rng.randint(10, 60) if rng.random() < self.cell.bundles else 1
        chosen: dict[str, Raw | None] = {}
        for _ in range(count):
            chance = rng.random()
            if chance < 0.1:
                raw = self._fresh()
                chosen[raw["id"]] = raw
            else:
                id_ = rng.choice(self.ids)
                if (TYPE, id_) not in self.record.shelf.locked:
                    chosen[id_] = self._changed(id_, chance)
        raws = [raw for raw in chosen.values() if raw is not None]
        gone = [
            (TYPE, id_) for id_, raw in chosen.items() if raw is None and self.record.there(f"{TYPE}/{id_}")
        ]
        if raws or gone:
            self.record.write(raws, gone=gone)

    def _changed(self, id_: str, chance: float) -> Raw | None:
        held = self.record.there(f"{TYPE}/{id_}")
        if chance > 0.98:
            return None
        moves = chance > 0.96
        patient = self.rng.choice(self.strangers if moves else self.people)
        if held is not None and not moves:
            patient = held["subject"]["reference"].rpartition("/")[2]
        return self._observation(id_, patient)

    # us -------------------------------------------------------------------------------------

    def run(self, station: Workplace) -> Outcome:
        """Poll through the hour and the quiet after it, then compare once."""
        end = self.clock.now() + timedelta(minutes=self.cell.minutes)
        self._poll(station)
        self._crashes = self.cell.crashes
        while self.clock.now() < end:
            self._poll(station)
        self._crashes = 0.0
        until = self.clock.now() + timedelta(seconds=self.cell.quiet)
        while self.clock.now() < until:
            self._poll(station)
        rows, missed, ghosts = self._judge(station)
        station.compare()
        _, missed_after, ghosts_after = self._judge(station)
        return Outcome(rows, missed, ghosts, missed_after, ghosts_after)

    def _poll(self, station: Workplace) -> None:
        following = self.clock.now() + timedelta(seconds=self.cell.poll)
        try:
            station.poll()
        except Crash:
            station.crashed()
        self.pass_until(following)

    def _judge(self, station: Workplace) -> tuple[int, int, int]:
        here = station.versions(TYPE)
        mine = frozenset(self.people)
        there = {
            version.id: version.vid
            for version in self.record.shelf.of_type(TYPE)
            if not mine.isdisjoint(version.patients)
        }
        missed = sum(here.get(id_) != vid for id_, vid in there.items())
        return len(there), missed, sum(id_ not in there for id_ in here)
