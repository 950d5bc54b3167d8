"""The downloading half of a round, in the order of the engine, on a cache in memory.

Every function called here is the one the engine calls; what is left out is sending and the status.
"""

from __future__ import annotations

from contextlib import suppress

from clinician.clock import Clock
from clinician.errors import Environment, Refused
from clinician.events import Events
from clinician.record.client import RecordClient
from clinician.record.profile import ServerProfile
from clinician.sync import restored, scope
from clinician.sync.delta import delta
from clinician.sync.fill import fill
from clinician.sync.line import Line
from clinician.sync.manifest import manifest
from clinician.sync.plan import Plan
from clinician.sync.status import StatusBoard
from tests.hazards.memory import MemoryCache


class LightStation:
    """Polls as the engine does. The cache outlives a crash, nothing else does."""

    def __init__(self, client: RecordClient, plan: Plan, clock: Clock, page: int) -> None:
        self.cache = MemoryCache()
        self._client, self._plan, self._clock, self._page = client, plan, clock, page
        self.restorations = 0
        self.crashed()

    def crashed(self) -> None:
        profile = ServerProfile(largest_count=self._page)
        self.line = Line(self.cache, self._client, self._plan, self._clock, profile=profile)  # type: ignore[arg-type]  # the memory cache has the face, not the type
        self.board = StatusBoard(Events())

    def poll(self) -> None:
        with suppress(Environment, Refused):
            self._round()

    def _round(self) -> None:
        line = self.line
        line.write(self._ready)
        fill(line, self.board, lambda working: None)
        chunks, keys = line.write(lambda w: (c := scope.chunks_of(w), list(self._plan.keys(c))))
        found = delta(line, chunks, keys)
        moved = any(ref.startswith("EpisodeOfCare/") for ref in found.returned)
        if moved and line.write(lambda w: scope.refresh(w, self._plan, self._clock.now())):
            fill(line, self.board, lambda working: None)
        if line.is_set_back:
            line.is_set_back = False
            self._manifest()
        self._watch_restored()

    def _watch_restored(self) -> None:
        if self.line.older and restored.is_true(self.line):
            self.restorations += 1
            restored.begin(self.line, self._ready)
        self.line.older.clear()
        if self.line.write(restored.is_under_way):
            fill(self.line, self.board, lambda working: None)
            self._manifest()
            self.line.write(restored.end)
            self.line.older.clear()

    def _ready(self, writing: object) -> None:
        scope.ensure_marks(writing, self._plan, scope.chunks_of(writing))  # type: ignore[arg-type]  # as above

    def compare(self) -> None:
        self._manifest()
        self._watch_restored()

    def _manifest(self) -> None:
        chunks, keys = self.line.write(lambda w: (c := scope.chunks_of(w), list(self._plan.keys(c))))
        manifest(self.line, chunks, keys)

    def versions(self, type_: str) -> dict[str, str]:
        return self.cache.writing.versions(type_)
