"""A record, a forge, and one workstation after another that is killed at random and looked at afterwards."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from clinician.cache.keys import open_key, system_key_store
from clinician.cache.open import Cache, integrity_problems, open_cache
from clinician.clock import SystemClock, oslo
from clinician.events import Events
from clinician.fhir.bundles import slices
from clinician.fhir.times import to_instant
from clinician.modulekit.registry import Registry
from clinician.opening import cache_folder, sync_rules
from clinician.practice.create import create
from clinician.record.client import RecordClient
from clinician.sync.plan import Plan, encoded, make_plan
from clinician.sync.scope import chunks_of
from tests.crash.forge import Job
from tests.crash.left import Left, look_at
from tests.scenarios.processes import Child, until

SECRET = "test"
PER_FOLDER = 10


@dataclass
class Tally:
    """What a siege came to."""

    kills: int = 0
    acts: int = 0
    drafts: int = 0
    applied: int = 0
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    where: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        found = f"lost {len(self.lost)}, torn {len(self.torn)}, broken {len(self.broken)}"
        met = ", ".join(f"{place} {count}" for place, count in sorted(self.where.items()))
        left = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
        return (
            f"kills {self.kills}, acts acknowledged {self.acts}, drafts {self.drafts}, {found}; "
            f"confirmed at the record exactly once {self.applied}\nkilled in: {met}\nacts found as: {left}"
        )


class Siege:
    """Everything of one test; close it."""

    def __init__(self, home: Path, seed: int) -> None:
        self._home, self._dice, self.tally = home, random.Random(seed), Tally()
        self._day = datetime.now(UTC).date() - timedelta(days=1)
        self._info = create(home / "practice", seed=4, people=240, day=self._day)
        file = home / "practice" / "record.sqlite"
        self._record = Child("tests.scenarios.record_process", str(file), "0", log=home / "record.log")
        self._url = f"http://127.0.0.1:{self._record.first['port']}"
        self._client = RecordClient(self._url)
        self._forge = Child("tests.crash.forge", log=home / "forge.log")
        self._lives = 0
        self._patients: list[str] = []
        self._keys: dict[Path, bytes] = {}
        registry = Registry()
        registry.discover()
        self._plan: Plan = make_plan(sync_rules(registry), workplace_ref=self._info.workplace_ref)

    def close(self) -> None:
        self._client.close()
        self._forge.end()
        self._record.end()

    def kill(self, times: int) -> Tally:
        """So many kills, a new workstation after every ten; what came of it."""
        for first in range(0, times, PER_FOLDER):
            folder = self._home / f"pc{first}"
            told: list[list[str]] = []
            for number in range(min(PER_FOLDER, times - first)):
                told += self._one(folder, early=number < 3)
                self._examine(folder, told)
            self._finish(folder, told)
            if self.tally.kills % 100 == 0 or self.tally.kills == times:
                print(f"\n{self.tally}", flush=True)
        return self.tally

    # one life

    def _one(self, folder: Path, *, early: bool) -> list[list[str]]:
        job = self._job(folder, early=early)
        self._forge.ask("start", job=asdict(job))
        lines = self._until_dead(job, early=early)
        self.tally.kills += 1
        self.tally.where[_place(lines)] += 1
        self.tally.acts += sum(line[0] == "act" for line in lines)
        self.tally.drafts += sum(line[0] == "draft" for line in lines)
        failed = [line for line in lines if line[0] == "failed"]
        self.tally.broken += [f"a workstation did not start: {line[1]}" for line in failed]
        return lines

    def _job(self, folder: Path, *, early: bool, dies: str = "") -> Job:
        self._lives += 1
        kind = dies or self._dice.choices(("time", "write", "sending"), (5, 3, 0 if early else 2))[0]
        most = {"time": 1, "write": 500 if early else 700, "sending": 25, "never": 1}[kind]
        return Job(
            str(folder),
            self._url,
            self._info.workplace_ref,
            self._info.practitioner_ref,
            self._day.isoformat(),
            str(self._home / f"told{self._lives}"),
            self._dice.getrandbits(32),
            kind,
            self._dice.randint(1, most),
        )

    def _until_dead(self, job: Job, *, early: bool) -> list[list[str]]:
        told = Path(job.told)
        until(told.exists, 120, "the child begins")
        if job.dies == "time":
            if not (early and self._dice.random() < 0.7):
                acts = self._dice.randint(0, 12)
                until(lambda: self._is_at_work(told, acts), 180, "work begins")
            self._others_work(self._dice.uniform(0.0, 0.6 if early else 0.1))
        else:
            self._others_work(0.3)
            if self._dies_by_itself(told, early=early):
                return _lines(told)
        self._forge.ask("kill")
        return _lines(told)

    def _dies_by_itself(self, told: Path, *, early: bool) -> bool:
        """Within a moment; one that is to die at work first gets there, however busy the machine is."""
        end = time.monotonic() + 180
        while not early and not self._is_at_work(told, 1) and time.monotonic() < end:
            if self._forge.ask("wait", seconds=0.02)["died"] is not None:
                return True
        return self._forge.ask("wait", seconds=1.5)["died"] is not None

    def _is_at_work(self, told: Path, acts: int) -> bool:
        self._others_work(0.02)
        words = [line[0] for line in _lines(told)]
        return "failed" in words or ("signed-in" in words and words.count("act") >= acts)

    def _others_work(self, seconds: float) -> None:
        """Colleagues write meanwhile, so that pages come down."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(3 if self._patients else 0):
                id_ = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
                raw = _measurement(id_, self._dice.choice(self._patients), self._dice.randint(50, 110))
                self._client.put(f"Observation/{id_}", orjson.dumps(raw))
            time.sleep(self._dice.uniform(0.0, 0.05))

    # looking

    def _open(self, folder: Path) -> Cache | None:
        home = cache_folder(folder, self._info.workplace_ref)
        file = home / "cache.db"
        if not file.exists() or not file.stat().st_size:
            return None
        return open_cache(home, self._key(folder), clock=SystemClock(), events=Events())

    def _key(self, folder: Path) -> bytes:
        """Asked for once a workstation: making it from the secret costs more than the rest of a look."""
        if folder not in self._keys:
            self._keys[folder] = open_key(folder, keyring=system_key_store(), secret=SECRET)
        return self._keys[folder]

    def _examine(self, folder: Path, told: list[list[str]]) -> Left | None:
        cache = self._open(folder)
        if cache is None:
            if any(line[0] == "open" for line in told):
                self.tally.broken.append("an opened cache is gone")
            return None
        try:
            left = look_at(cache, told, self._info.practitioner_ref)
            left.torn += self._ahead(cache)
        finally:
            cache.close()
        left.broken += integrity_problems(cache.folder, self._key(folder))
        self.tally.lost += left.lost
        self.tally.torn += left.torn
        self.tally.broken += left.broken
        self.tally.states.update(left.states.values())
        self._patients = self._patients or left.patients
        return left

    def _ahead(self, cache: Cache) -> Iterator[str]:
        """Marks that stand past what is committed: the record has older rows that are not here (I10)."""
        marks = cache.writer.run(lambda writing: writing.marks.watermarks())
        chunks = cache.writer.run(chunks_of)
        held = {mark.key: mark.mark for mark in marks if mark.mark is not None}
        today = oslo(SystemClock().now()).date()
        for key in self._plan.keys(chunks):
            mark = held.get(key.name)
            if mark is None:
                continue
            query = self._plan.query(key, chunks.get(key.chunk, []), today)
            asked = encoded([*query, ("_lastUpdated", f"le{to_instant(mark)}"), ("_count", "1000")])
            here = cache.writer.run(lambda writing, type_=key.rule.type: writing.versions(type_))
            for entry in slices(self._client.search(key.rule.type, asked).body).entries:
                if entry.type == key.rule.type and int(here.get(entry.id, "0")) < int(entry.version):
                    yield f"the mark of {key.rule.name} stands past a row that is not here"

    # the end

    def _finish(self, folder: Path, told: list[list[str]]) -> None:
        """Let it run to the end: everything told is at the record, once."""
        job = self._job(folder, early=False, dies="never")
        self._forge.ask("start", job=asdict(job))
        if self._forge.ask("wait", seconds=180)["died"] is None:
            self._forge.ask("kill")
            self.tally.broken.append("not everything was sent within three minutes")
            return
        left = self._examine(folder, told + _lines(Path(job.told)))
        if left is None:
            return
        self.tally.lost += [f"told and then {state}" for state in left.states.values() if state != "applied"]
        self.tally.applied += self._once(left)

    def _once(self, left: Left) -> int:
        """How many acts have their Provenance and their resources at the record, each stored once."""
        found = 0
        ops = list(left.states)
        for start in range(0, len(ops), 50):
            some = ops[start : start + 50]
            versions = self._versions("Provenance", some)
            self.tally.lost += [f"no Provenance of an act told: {op}" for op in set(some) - set(versions)]
            self.tally.torn += [
                "a Provenance stored twice" for version in versions.values() if version != "1"
            ]
            found += len(versions)
        notes = [ref.partition("/")[2] for ref in left.created if ref.startswith("DocumentReference/")]
        for start in range(0, len(notes), 50):
            some = notes[start : start + 50]
            versions = self._versions("DocumentReference", some)
            self.tally.lost += ["a note is not at the record"] * (len(some) - len(versions))
            self.tally.torn += ["a note was written twice" for version in versions.values() if version != "1"]
        return found

    def _versions(self, type_: str, ids: list[str]) -> dict[str, str]:
        page = slices(self._client.search(type_, encoded([("_id", ",".join(ids)), ("_count", "100")])).body)
        return {entry.id: entry.version for entry in page.entries if entry.type == type_}


def _lines(file: Path) -> list[list[str]]:
    """What was told; a line is one write, so none is torn."""
    return [line.split() for line in file.read_text().splitlines()]


def _place(lines: list[list[str]]) -> str:
    words = {line[0] for line in lines}
    if "signed-in" in words:
        return "work"
    return "first fill" if "open" in words else "opening"


def _measurement(id_: str, patient: str, value: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "puls"},
        "subject": {"reference": patient},
        "effectiveDateTime": to_instant(SystemClock().now()),
        "valueQuantity": {"value": value},
    }
