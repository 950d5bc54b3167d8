"""The world of the sync tests with a hazard record in the middle instead of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clinician.clock import FrozenClock
from clinician.fhir.reference import Raw
from tests.clinician.sync.world import START, World, setting
from tests.hazards.hazards import Hazards
from tests.hazards.record import HazardRecord


class HazardWorld(World):
    """`record` and its hazards can be switched while workstations run."""

    def __init__(self, folder: Path, hazards: Hazards | None = None) -> None:
        self.folder = folder
        self.clock = FrozenClock(START)
        self.record = HazardRecord(hazards, clock=self.clock, seed=1)
        self.app: Any = self.record
        self.stations = []
        self.load(setting())

    def load(self, resources: Any) -> None:
        self.record.load(resources)

    def there(self, ref: str) -> Raw | None:
        return self.record.there(ref)

    def close(self) -> None:
        for station in self.stations:
            station.close()
