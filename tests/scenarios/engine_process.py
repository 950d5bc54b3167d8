"""One workstation without a window as a process of its own: `python -m tests.scenarios.engine_process`.

Takes one JSON object a line on stdin, answers one a line on stdout. Sync runs in its thread all the time.
"""

from __future__ import annotations

import json
import os
import random
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from clinician.cache.keep import Draft
from clinician.cache.open import open_cache
from clinician.clock import SystemClock
from clinician.record.client import RecordClient
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from tests.clinician.sync.world import KEY, NURSE, RULES, WORKPLACE, Station


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
