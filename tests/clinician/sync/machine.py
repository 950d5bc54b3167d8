"""Two workstations, one record, a bad network and a scheduler that looks for the worst order of things."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clinician.cache.acts import ActState
from clinician.sync.upload import Uploader
from tests.clinician.sync.world import (
    NURSE,
    Station,
    World,
    first,
    new_id,
    outside,
    patient_with_visits,
    setting,
)

Answer = Callable[[], httpx.Response]
FHIR = {"content-type": "application/fhir+json"}
FAULTS = (
    "no connection",
    "lost request",
    "lost answer",
    "half answer",
    "html 502",
    "503",
    "429",
    "500 before",
    "twice",
    "kill before",
    "kill after",
)
MEMORY = Path("/dev/shm")
ROUNDS = st.none() | st.lists(st.sampled_from(FAULTS), max_size=2)
"""What follows a deed: None, nothing yet; a list, a round at once, with these faults in its exchanges."""


class Killed(BaseException):
    """The program ended in the middle of an exchange."""


class BadNetwork:
    """Does the next faults to the next exchanges, one each."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.hidden: set[str] = set()

    def __call__(self, request: httpx.Request, go_on: Answer) -> httpx.Response:
        fault = self.waiting.pop(0) if self.waiting else ""
        match fault:
            case "no connection":
                raise httpx.ConnectError("no")
            case "lost request":
                raise httpx.ReadTimeout("lost")
            case "kill before":
                raise Killed
            case "html 502":
                return outside(502, b"<html>", **{"content-type": "text/html"})
            case "503" | "429":
                return outside(int(fault), b"{}", **FHIR, **{"retry-after": "1"})
            case "500 before":
                return outside(500, b'{"resourceType":"OperationOutcome"}', **FHIR)
        answer = go_on()
        if fault == "twice":
            answer.read()
            answer = go_on()
        if not fault and not self.hidden:
            return answer
        body = answer.read()
        if fault == "lost answer":
            raise httpx.ReadTimeout("lost")
        if fault == "kill after":
            raise Killed
        if fault == "half answer":
            return outside(answer.status_code, body[: len(body) // 2], **FHIR)
        return outside(answer.status_code, _without(body, self.hidden), **_headers(answer))


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {key: value for key, value in answer.headers.items() if key != "content-length"}


def _without(body: bytes, hidden: set[str]) -> bytes:
    """The page as a record gives it whose commit is not visible yet: the newest version is not there."""
    if not any(id_.encode() in body for id_ in hidden) or b'"searchset"' not in body:
        return body
    bundle = orjson.loads(body)
    pages = [bundle, *(entry.get("resource", {}) for entry in bundle.get("entry", []))]
    for page in pages:
        if page.get("type") == "searchset":
            page["entry"] = [e for e in page.get("entry", []) if e["resource"]["id"] not in hidden]
    return orjson.dumps(bundle)


class SyncMachine(RuleBasedStateMachine):
    """Every act ends exactly once; caches equal the record when it is quiet; nothing said is untrue."""

    uploader: ClassVar[type[Uploader]] = Uploader
    prepare: ClassVar[Callable[[Station], None] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.exists() else None))
        self.world = World(self.folder)
        self.tokens: dict[str, tuple[str, str, str]] = {}
        self.notes: dict[str, str] = {}
        self.shas: dict[str, str] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.count = 0
        self.late: list[tuple[BadNetwork, str]] = []

    @initialize()
    def start(self) -> None:
        self.world.load(setting())
        raws = patient_with_visits(2)
        self.world.load(raws)
        self.patient = first(raws, "Patient")
        self.visits = [f"Appointment/{raw['id']}" for raw in raws if raw["resourceType"] == "Appointment"]
        self.world.tick(300)
        self.stations = [self.world.station("a"), self.world.station("b")]
        for station in self.stations:
            self._dress(station)
            station.step()

    def _dress(self, station: Station) -> None:
        network = BadNetwork()
        station.wire.fault = network
        station.engine.uploader = type(self).uploader(
            station.engine.line, frozen=station.engine.uploader.frozen
        )
        if self.prepare is not None:
            type(self).prepare(station)  # type: ignore[misc]  # a plain function of the class

    def _network(self, station: Station) -> BadNetwork:
        assert isinstance(station.wire.fault, BadNetwork)
        return station.wire.fault

    def _token(self) -> str:
        self.count += 1
        return f"token-{self.count}"

    # what people do ---------------------------------------------------------------------------

    @rule(
        who=st.integers(0, 1),
        which=st.integers(0, 1),
        element=st.sampled_from(["comment", "description"]),
        faults=ROUNDS,
    )
    def edit(self, who: int, which: int, element: str, faults: list[str] | None) -> None:
        station, visit, token = self.stations[who], self.visits[which], self._token()
        op = station.change(visit, **{element: token})
        self.tokens[op] = (visit, element, token)
        shown = station.get(visit)
        assert shown is not None and shown[element] == token, "I6: what I wrote is what I see"
        self._then(station, faults)

    @rule(
        who=st.integers(0, 1),
        which=st.integers(0, 1),
        status=st.sampled_from(["arrived", "fulfilled", "cancelled"]),
        faults=ROUNDS,
    )
    def move_on(self, who: int, which: int, status: str, faults: list[str] | None) -> None:
        station, visit, token = self.stations[who], self.visits[which], self._token()
        before = station.get(visit)
        assert before is not None
        op = station.act({**before, "status": status, "patientInstruction": token})
        self.tokens[op] = (visit, "patientInstruction", token)
        self._then(station, faults)

    @rule(who=st.integers(0, 1), faults=ROUNDS)
    def write_note(self, who: int, faults: list[str] | None) -> None:
        token = self._token()
        note = {
            "resourceType": "Communication",
            "id": new_id(),
            "status": "completed",
            "subject": {"reference": self.patient},
            "payload": [{"contentString": token}],
        }
        self.notes[self.stations[who].act(note)] = token
        self._then(self.stations[who], faults)

    @rule(who=st.integers(0, 1), choice=st.sampled_from(["mine", "theirs"]))
    def decide(self, who: int, choice: str) -> None:
        station = self.stations[who]
        rows = station.write(lambda w: w.conflicts.rows())
        if rows and station.state(rows[0].op_id) == ActState.CONFLICT:
            op = rows[0].op_id
            try:
                new = station.engine.decide(op, choice, NURSE)
            except Killed:
                self._reopen(station)
                return
            if new and op in self.tokens:
                self.tokens[new] = self.tokens[op]

    @rule(which=st.integers(0, 1), who=st.integers(0, 1))
    @precondition(lambda self: len(self.late) < 2)
    def commit_late(self, which: int, who: int) -> None:
        """Somebody else's change whose commit one workstation cannot see yet."""
        visit = self.visits[which]
        network = self._network(self.stations[who])
        there = self.world.there(visit)
        assert there is not None
        self.world.load([{**there, "minutesDuration": there.get("minutesDuration", 0) + 1}])
        network.hidden.add(visit.partition("/")[2])
        self.late.append((network, visit.partition("/")[2]))

    @rule()
    @precondition(lambda self: bool(self.late))
    def commit_shows(self) -> None:
        network, id_ = self.late.pop(0)
        network.hidden.discard(id_)

    # what goes wrong ----------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def trouble(self, who: int, faults: list[str]) -> None:
        self._network(self.stations[who]).waiting += faults

    @rule(who=st.integers(0, 1), down=st.booleans())
    def partition(self, who: int, down: bool) -> None:
        self.stations[who].wire.down = down

    @rule(who=st.integers(0, 1))
    def restart(self, who: int) -> None:
        self._reopen(self.stations[who])

    @rule(seconds=st.sampled_from([0.5, 5.0, 20.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.tick(seconds)

    # rounds -----------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1))
    def step(self, who: int) -> None:
        self._step(self.stations[who])

    def _then(self, station: Station, faults: list[str] | None) -> None:
        if faults is not None:
            self._network(station).waiting += faults
            self._step(station)

    def _step(self, station: Station) -> None:
        try:
            status = station.step()
        except Killed:
            self._reopen(station)
            return
        if status.all_sent:
            self._nothing_waits(station)

    def _reopen(self, station: Station) -> None:
        hidden = self._network(station).hidden
        station.restart()
        self._dress(station)
        network = self._network(station)
        network.hidden = hidden
        self.late = [(network if old.hidden is hidden else old, id_) for old, id_ in self.late]

    def _nothing_waits(self, station: Station) -> None:
        for act in station.write(lambda w: w.outbox.rows()):
            assert act.state in (ActState.APPLIED, ActState.WITHDRAWN), "'all sent' while something waits"
            if act.state is ActState.APPLIED:
                assert self.world.history(f"Provenance/{act.op_id}") == 1, "I13: confirmed, but not there"

    # what must hold at every moment -----------------------------------------------------------------

    @invariant()
    def bytes_never_change_and_versions_never_fall(self) -> None:
        for station in getattr(self, "stations", []):
            for act in station.write(lambda w: w.outbox.rows()):
                if act.first_sent is not None:
                    assert self.shas.setdefault(act.op_id, act.sha256) == act.sha256, "I11"
            for visit in self.visits:
                found = station.write(lambda w, visit=visit: w.version_of(visit))
                version = int(found or 0)
                assert version >= self.versions.get((station.name, visit), 0), "I5"
                self.versions[station.name, visit] = version

    # when it is quiet ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if hasattr(self, "stations"):
                self._heal()
                self._quiet()
                self._notes_stand_once()
                self._caches_equal_the_record("before any comparison of ids")
                self.world.clock.advance(timedelta(minutes=16))
                self._quiet()
                self._caches_equal_the_record("after a manifest")
                self._every_act_ended_once()
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _heal(self) -> None:
        for station in self.stations:
            self._network(station).waiting.clear()
            self._network(station).hidden.clear()
            station.wire.down = False

    def _quiet(self) -> None:
        for _ in range(6):
            for station in self.stations:
                station.engine.uploader.hurry()
                self._step(station)
            self.world.tick(1)

    def _caches_equal_the_record(self, when: str) -> None:
        notes = {raw["id"]: raw for raw in self._notes_there()}
        for station in self.stations:
            for ref in self.visits:
                here = station.write(lambda w, ref=ref: w.synced(ref))
                assert (here.raw if here else None) == self.world.there(ref), f"I7 {when}"
            assert {raw["id"]: raw for raw in station.all("Communication")} == notes, f"I7 {when}"
            assert not station.write(lambda w: w.trail.evidence()), "I4: a removal nobody asked for"

    def _notes_there(self) -> list[Any]:
        bundle = self.world.direct.search("Communication", "_count=500").raw()
        return [entry["resource"] for entry in bundle.get("entry", [])]

    def _notes_stand_once(self) -> None:
        """Told by what they say and not by their ids: a second try must not have made a second note."""
        there = Counter(raw["payload"][0]["contentString"] for raw in self._notes_there())
        assert all(count == 1 for count in there.values()), "a note was recorded twice"
        assert there.keys() == set(self.notes.values()), "a note was lost"

    def _every_act_ended_once(self) -> None:
        for station in self.stations:
            acts = station.write(lambda w: w.outbox.rows())
            for act in acts:
                self._ended(station, act)
            assert {op for op in self.tokens if self._is_of(station, op)} <= {act.op_id for act in acts}
        self._notes_stand_once()
        for op in self.notes:
            assert self.world.history(f"Provenance/{op}") == 1
        for visit in self.visits:
            for element in ("comment", "description", "patientInstruction"):
                self._nothing_came_back(visit, element)
        for op, (ref, element, token) in self.tokens.items():
            entered = self._entered(ref, element, token)
            sent = self.world.history(f"Provenance/{op}")
            assert sent <= 1, "I2"
            assert entered <= 1, "an act was applied twice"

    def _is_of(self, station: Station, op: str) -> bool:
        return bool(station.write(lambda w: w.outbox.get(op)))

    def _ended(self, station: Station, act: Any) -> None:
        match act.state:
            case ActState.APPLIED:
                assert self.world.history(f"Provenance/{act.op_id}") == 1, "applied, but not at the record"
                if act.op_id in self.tokens:
                    ref, element, token = self.tokens[act.op_id]
                    assert self._entered(ref, element, token) == 1, (
                        "applied, but its content never stood there"
                    )
            case ActState.CONFLICT:
                assert station.write(lambda w: w.conflicts.rows(act.op_id)), "a conflict nobody can see"
            case ActState.WITHDRAWN:
                decided = station.write(lambda w: w.conflicts.rows(act.op_id, open_only=False))
                assert act.superseded_by or decided, "an act that vanished"
            case ActState.REJECTED | ActState.PARKED:
                assert act.last_issue, "refused without a reason"
            case ActState.QUEUED:
                assert self._is_held(station, act), "waits for nothing"
            case _:
                raise AssertionError(f"still {act.state} when it is quiet")

    def _is_held(self, station: Station, act: Any) -> bool:
        """It was made upon an act that a person must decide about first."""
        beneath = [station.write(lambda w, op=op: w.outbox.get(op)) for op in act.depends_on]
        standing = (ActState.CONFLICT, ActState.REJECTED, ActState.PARKED)
        return any(
            b.state in standing or (b.state == "queued" and self._is_held(station, b)) for b in beneath
        )

    def _values(self, ref: str, element: str) -> list[Any]:
        """The values an element has had at the record, in order."""
        answer = self.world.direct.request("GET", f"{ref}/_history?_count=500")
        return [entry["resource"].get(element) for entry in answer.raw().get("entry", [])][::-1]

    def _nothing_came_back(self, ref: str, element: str) -> None:
        """Every value is new: one that returns means that somebody's change was overwritten unseen."""
        changes = [None]
        for value in self._values(ref, element):
            if value != changes[-1]:
                assert value not in changes, "a lost update"
                changes.append(value)

    def _entered(self, ref: str, element: str, token: str) -> int:
        """How often a version with the token followed one without it."""
        held = [value == token for value in self._values(ref, element)]
        return sum(now and not before for before, now in zip([False, *held], held, strict=False))
