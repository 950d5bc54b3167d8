"""One workstation without a window as a process of its own: `python -m tests.scenarios.engine_process`.

Takes one JSON object a line on stdin, answers one a line on stdout. Sync runs in its thread all the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson

from clinician.cache.acts import ActState
from clinician.cache.keep import Draft
from clinician.cache.open import open_cache
from clinician.cache.writing import Writing
from clinician.clock import SystemClock
from clinician.errors import UserProblem
from clinician.record.client import RecordClient
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from tests.clinician.sync.world import KEY, NURSE, RULES, WORKPLACE, Station

COMPARED = ("EpisodeOfCare", "Patient", "Appointment", "Task", "Observation", "CarePlan", "Communication")


class RunningStation(Station):
    """The same station as in the tests of sync, on a record over HTTP and a running clock."""

    def __init__(self, folder: Path, url: str) -> None:
        self._url = url
        world = SimpleNamespace(folder=folder, clock=SystemClock(), app=None)
        super().__init__(world, "cache", make_plan(RULES, workplace_ref=WORKPLACE))  # type: ignore[arg-type]  # only these three are used

    def open(self) -> None:
        clock = self.world.clock
        self.cache = open_cache(self.world.folder / self.name, KEY, clock=clock, events=self.events)
        self.client, hint = RecordClient(self._url), RecordClient(self._url)
        self.engine = SyncEngine(
            self.cache,
            self.client,
            self.plan,
            clock=clock,
            events=self.events,
            hint_client=hint,
            rng=random.Random(),
        )
        self.engine.start()


def answer(station: RunningStation, asked: dict[str, Any]) -> Any:
    match asked["do"]:
        case "get":
            return station.get(asked["ref"])
        case "change":
            return station.change(asked["ref"], **asked["elements"])
        case "note":
            note = {
                "resourceType": "Communication",
                "id": str(uuid.uuid4()),
                "status": "completed",
                "subject": {"reference": asked["patient"]},
                "payload": [{"contentString": asked["text"]}],
            }
            return [station.act(note), f"Communication/{note['id']}"]
        case "status":
            now = station.engine.status()
            return {
                "link": now.link,
                "waiting": now.waiting,
                "conflicts": now.conflicts,
                "refused": now.refused,
                "all_sent": now.all_sent,
                "as_of": now.as_of.isoformat() if now.as_of else None,
            }
        case "cached":
            return station.write(cached)
        case "compare":
            station.engine.cadence.full = None
            station.engine.sync_now()
            return True
        case "compared":
            return station.engine.cadence.full is not None
        case "hurry":
            station.engine.sync_now()
            return True
        case "decide":
            return decide(station, asked["choice"])
        case "acts":
            return [[act.op_id, act.state] for act in station.write(lambda w: w.outbox.rows())]
        case "draft":
            draft = Draft(NURSE, asked["patient"], "note", asked["text"], station.world.clock.now())
            station.write(lambda writing: writing.keep.set_draft(draft))
            return True
        case "drafts":
            return [draft.content for draft in station.write(lambda writing: writing.keep.drafts(NURSE))]
        case "states":
            return [station.state(op) for op in asked["ops"]]
        case "truth":
            return [[s.link, s.waiting, s.all_sent] for s in station.statuses]
    raise ValueError(asked["do"])


def cached(writing: Writing) -> dict[str, list[str]]:
    """What the record sent of every type of the plan: reference → version and hash of the body."""
    refs = [f"{type_}/{id_}" for type_ in COMPARED for id_ in writing.versions(type_)]
    found = [(ref, writing.synced(ref)) for ref in refs]
    return {ref: [one.version_id or "", hash_of(one.raw)] for ref, one in found if one is not None}


def hash_of(raw: Any) -> str:
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()


def decide(station: RunningStation, choice: str) -> int:
    """Settle what is open here; how many conflicts there were."""
    acts = station.write(lambda writing: writing.outbox.rows(states={ActState.CONFLICT}))
    for act in acts:
        with contextlib.suppress(UserProblem):
            station.engine.decide(act.op_id, choice, NURSE)
    return len(acts)


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    station = RunningStation(folder, url)
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "quit":
            station.close()
            print(json.dumps("closed"), flush=True)
            return
        print(json.dumps(answer(station, asked)), flush=True)


if __name__ == "__main__":
    main()
