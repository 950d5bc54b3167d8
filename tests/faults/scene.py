"""A record on a port, a proxy before it, and workstations that know only the proxy's address."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from clinician.cache.acts import TERMINAL, ActState
from clinician.cache.open import open_cache
from clinician.embedded.serve import Server
from clinician.events import SyncStatus
from clinician.record.client import RecordClient, Timeouts
from clinician.record.retry import Breaker
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from clinician.sync.upload import Uploader
from tests.clinician.sync.world import (
    KEY,
    RULES,
    WORKPLACE,
    Station,
    World,
    first,
    new_id,
    patient_with_visits,
    setting,
)
from tests.faults.proxy import Exchange, FaultProxy

SHORT: Final = Timeouts(connect=1.0, read=0.4, write=1.0, pool=1.0, whole=0.8)
"""So that a test waits a moment for what a person would wait half a minute for."""


class Scene(World):
    """The world of sync's own tests, with its record served over HTTP."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = Server(self.app, "127.0.0.1", 0, threads=8, patience=1.0).start()
        self.proxy = FaultProxy(self.server.port)
        self.raws = patient_with_visits(1)
        self.load([*setting(), *self.raws])
        self.patient, self.visit = first(self.raws, "Patient"), first(self.raws, "Appointment")
        self.tick(300)

    def client(self, *, largest: int | None = None) -> RecordClient:
        bound = {} if largest is None else {"largest": largest}
        return RecordClient(self.proxy.url, timeout=SHORT, **bound)

    def wired(self, name: str) -> WiredStation:
        made = WiredStation(self, name)
        self.stations.append(made)
        return made

    def note(self, text: str) -> dict[str, Any]:
        return {
            "resourceType": "Communication",
            "id": new_id(),
            "status": "completed",
            "subject": {"reference": self.patient},
            "payload": [{"contentString": text}],
        }

    def notes(self) -> list[str]:
        """What the notes at the record say."""
        bundle = orjson.loads(self.direct.search("Communication", "_count=500").body)
        return [entry["resource"]["payload"][0]["contentString"] for entry in bundle.get("entry", [])]

    def close(self) -> None:
        self.proxy.close()
        for station in self.stations:
            station.close()
        self.stations.clear()
        self.server.stop()
        super().close()


class WiredStation(Station):
    """A workstation whose client is the real one, over TCP."""

    def __init__(self, world: Scene, name: str) -> None:
        self.scene = world
        super().__init__(world, name, make_plan(RULES, workplace_ref=WORKPLACE))

    def open(self) -> None:
        clock = self.world.clock
        self.cache = open_cache(self.world.folder / self.name, KEY, clock=clock, events=self.events)
        self.client = self.scene.client()
        self.engine = SyncEngine(
            self.cache, self.client, self.plan, clock=clock, events=self.events, rng=random.Random(7)
        )
        frozen = self.engine.uploader.frozen
        self.engine.uploader = Uploader(
            self.engine.line, frozen=frozen, breaker=Breaker(rng=random.Random(7))
        )

    def settle(self, rounds: int = 12) -> SyncStatus:
        """Rounds until everything is sent and confirmed, with nobody hurrying the engine."""
        status = self.step()
        for _ in range(rounds):
            if status.all_sent and status.link == "fresh":
                break
            self.world.clock.advance(timedelta(seconds=61))
            status = self.step()
        return status

    def unfinished(self) -> list[str]:
        acts = self.write(lambda w: w.outbox.rows())
        return [str(act.state) for act in acts if act.state not in TERMINAL]

    def applied(self) -> set[str]:
        acts = self.write(lambda w: w.outbox.rows(states={ActState.APPLIED}))
        return {act.op_id for act in acts}


def is_act(asked: Exchange) -> bool:
    """An act on its way, and not a question."""
    return b'"transaction"' in asked.body
