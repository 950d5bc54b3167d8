"""A record on a port, a proxy before it, and workstations that know only the proxy's address."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from typing import Any, Final

import orjson

from clinician.cache.acts import TERMINAL, ActState
from clinician.cache.open import open_cache
from clinician.embedded.serve import Server
from clinician.events import SyncStatus
from clinician.record.bodies import LARGEST
from clinician.record.client import RecordClient, Timeouts
from clinician.record.retry import Breaker
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from clinician.sync.upload import Uploader
from tests.clinician.sync.ready import MemoryWorld, ready
from tests.clinician.sync.world import KEY, RULES, WORKPLACE, Station, new_id, reference
from tests.faults.proxy import Exchange, FaultProxy

SHORT: Final = Timeouts(connect=60.0, read=1.5, write=60.0, pool=60.0, whole=3.0)
"""So that a test waits a moment for what a person would wait half a minute for."""
PATIENT: Final = Timeouts(connect=60.0, read=60.0, write=60.0, pool=60.0, whole=120.0)
"""Where nothing is waited for in vain, a busy machine is given the time it takes."""
IN_VAIN: Final = frozenset({"slow", "half-open", "in", "out"})
"""Faults and cuts that only the client's own patience ends."""


def patience(*wrongs: str) -> Timeouts:
    """What to give a client that will meet these faults or cuts."""
    return PATIENT if IN_VAIN.isdisjoint(wrongs) else SHORT


class Scene(MemoryWorld):
    """The filled record of sync's machine, served over HTTP, and workstations that have had their first sync."""

    def __init__(self) -> None:
        self.ready = ready()
        super().__init__(self.ready.copy())
        self.server = Server(self.app, "127.0.0.1", 0, threads=8, patience=1.0).start()
        self.proxy = FaultProxy(self.server.port)
        self.patient, self.visit = self.ready.patients[0], self.ready.visits[0]

    def client(self, timeout: Timeouts = PATIENT, *, largest: int = LARGEST) -> RecordClient:
        return RecordClient(self.proxy.url, timeout=timeout, largest=largest)

    def wired(self, name: str, timeout: Timeouts = PATIENT) -> WiredStation:
        """A workstation; 'a', 'b' and 'c' know the record already, another has everything to fetch."""
        made = WiredStation(self, name, timeout)
        self.stations.append(made)
        return made

    def note(self, text: str) -> dict[str, Any]:
        return {
            "resourceType": "Communication",
            "id": new_id(),
            "status": "completed",
            "subject": reference(self.patient),
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
        shutil.rmtree(self.folder, ignore_errors=True)


class WiredStation(Station):
    """A workstation whose client is the real one, over TCP."""

    def __init__(self, world: Scene, name: str, timeout: Timeouts) -> None:
        self.scene, self._timeout = world, timeout
        super().__init__(world, name, make_plan(RULES, workplace_ref=WORKPLACE))

    def open(self) -> None:
        clock = self.world.clock
        self.cache = open_cache(self.world.folder / self.name, KEY, clock=clock, events=self.events)
        self.client = self.scene.client(self._timeout)
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

    def conflicts_of(self, op_id: str) -> int:
        return len(self.write(lambda w: w.conflicts.rows(op_id)))

    def applied(self) -> set[str]:
        acts = self.write(lambda w: w.outbox.rows(states={ActState.APPLIED}))
        return {act.op_id for act in acts}


def is_act(asked: Exchange) -> bool:
    """An act on its way, and not a question."""
    return b'"transaction"' in asked.body
