"""A bus on a cache of its own, and a few plain commands to run on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from clinician.access.who import Who
from clinician.cache.acts import ActState, Entry
from clinician.cache.open import Cache, open_cache
from clinician.cache.reading import Cached, Raw, Reading
from clinician.clock import FrozenClock
from clinician.commands.act import Act, Change, Stamp
from clinician.commands.bus import CommandBus
from clinician.errors import UserProblem
from clinician.events import CacheChanged, Events
from clinician.texts import Text, lazy
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row

L = lazy("commands")
WHO = Who(
    "Practitioner/k",
    "PractitionerRole/k",
    "Kari Nygård",
    "KN",
    "Organization/w",
    "Nord",
    frozenset({"SP"}),
)
OTHER = Who("Practitioner/o", "PractitionerRole/o", "Ola", "O", "", "")


@dataclass
class Said:
    """A decision of access."""

    allowed: bool
    reason: Text = field(default_factory=lambda: L("no"))
    way_out: Text | None = None


@dataclass
class Found:
    """A finding of validation."""

    path: str
    level: str = "error"


@dataclass(frozen=True)
class SetStatus:
    """Gives a cached resource another status."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u", "Appointment.u", "Observation.u")

    ref: str
    status: str
    more: tuple[tuple[str, Any], ...] = ()

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        return () if reading.get(self.ref) else (UserProblem(L("gone"), field="ref"),)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        held = reading.get(self.ref)
        assert held is not None
        raw = held.raw | {"status": self.status} | dict(self.more)
        return (Act("set-status", aggregate(held), (Change(raw, held),), L("Status set")),)


def aggregate(held: Cached) -> str:
    return "Patient/p"


@dataclass(frozen=True)
class Make:
    """Makes resources, one act each."""

    needs: ClassVar[tuple[str, ...]] = ("*.cu",)

    raws: tuple[Any, ...]

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        return ()

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        return tuple(Act("make", "Patient/p", (Change(raw),), L("Made")) for raw in self.raws)


@dataclass(frozen=True)
class Any_:  # noqa: N801
    """Whatever a test hands it."""

    build_: Callable[[Reading, Stamp], tuple[Act, ...]]
    problems: tuple[UserProblem, ...] = ()
    needs: tuple[str, ...] = ("Task.cu",)

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        return self.problems

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        return self.build_(reading, stamp)


class Desk:
    """Cache, bus and what they said."""

    def __init__(self, folder: Path) -> None:
        self.clock = FrozenClock(DAY)
        self.events = Events()
        self.heard: list[CacheChanged] = []
        self.events.subscribe(CacheChanged, self.heard.append)
        self.cache: Cache = open_cache(folder, KEY, clock=self.clock, events=self.events)
        self.forbidden: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.findings: list[Found] = []
        self.bus = CommandBus(self.cache, self.clock, lambda raw: self.findings, self.decide)
        self.make = Maker(13)

    def decide(self, who: Who, action: str, ref: str) -> Said:
        self.asked.append((action, ref))
        return Said(action not in self.forbidden)

    def synced(self, raw: Raw, version: str = "1") -> str:
        self.cache.writer.run(lambda w: w.put_synced([row(raw, version)]))
        return f"{raw['resourceType']}/{raw['id']}"

    def get(self, ref: str) -> Cached | None:
        with self.cache.reading() as reading:
            return reading.get(ref)

    def acts(self) -> list[Any]:
        with self.cache.reading() as reading:
            return list(reading.acts())

    def entries(self, op_id: str) -> tuple[Entry, ...]:
        with self.cache.reading() as reading:
            return reading.entries(op_id)

    def audit(self) -> list[Any]:
        import orjson

        return [orjson.loads(r.body) for r in self.cache.writer.run(lambda w: w.audit.waiting())]

    def send(self, op_id: str, *, settle: ActState = ActState.APPLIED, version: str = "2") -> None:
        """As sync would: freeze, send, and settle with what the record answered."""

        def work(writing: Any) -> None:
            writing.outbox.freeze(op_id)
            writing.outbox.transition(op_id, ActState.QUEUED, ActState.SENDING, sent_at=DAY)
            if settle == ActState.APPLIED:
                entries = writing.outbox.entries(op_id)
                writing.put_synced([row(entry.raw, version, DAY) for entry in entries])
                writing.outbox.applied(op_id, {entry.ref: version for entry in entries})
            elif settle != ActState.SENDING:
                writing.outbox.transition(op_id, ActState.SENDING, settle)

        self.cache.writer.run(work)
