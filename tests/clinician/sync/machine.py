"""Two or three workstations, one record, a bad network and a scheduler that looks for the worst order of things.

What must hold is in `invariants`, by the names of SYNC §1.15; what goes wrong between two programs in `network`.
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clinician.cache.acts import TERMINAL, ActState
from clinician.errors import UserProblem
from clinician.fhir.reference import Raw
from clinician.sync.upload import Uploader
from tests.clinician.sync import invariants
from tests.clinician.sync.network import CUTS, FAULTS, POISONS, Killed
from tests.clinician.sync.ready import NAMES, MachineStation, MemoryWorld, ready
from tests.clinician.sync.world import NURSE, episode, new_id

ROUNDS: Final = st.none() | st.lists(st.sampled_from(FAULTS), max_size=2)
"""What follows a deed: None, nothing yet; a list, a round at once, with these faults in its exchanges."""
TALLY: Final[Counter[str]] = Counter()
"""What all machines of this process did: examples, acts, each fault, how acts ended."""
WHO: Final = st.integers(0, 2)
EITHER: Final = st.integers(0, 1)
QUIET_ROUNDS: Final = 12
JUMPS: Final = (-7200, 180, 7200, -180, 0)
"""Seconds by which a PC's clock is wrong after one more jump."""
PATIENCE: Final = 1.0
"""Seconds that a poisoned act may delay another patient's (I12)."""


class SyncMachine(RuleBasedStateMachine):
    """Every act ends exactly once; caches equal the record when it is quiet; nothing said is untrue."""

    uploader: ClassVar[type[Uploader]] = Uploader

    def __init__(self) -> None:
        super().__init__()
        self.ready = ready()
        self.folder = self.ready.copy()
        self.world = MemoryWorld(self.folder)
        self.truth = self.world.truth
        self.stations: list[MachineStation] = []
        self.memories: dict[str, invariants.Memory] = {}
        self.tokens: dict[str, tuple[str, str, str]] = {}
        self.notes: dict[str, str] = {}
        self.given_up: set[str] = set()
        """Acts a person let go in favour of somebody else's."""
        self.count = 0
        self.late: list[tuple[MachineStation, str, float]] = []
        self.faults: Counter[str] = Counter()

    @initialize(third=st.sampled_from([False, False, True]))
    def start(self, third: bool) -> None:
        for name in NAMES[: 3 if third else 2]:
            station = MachineStation(self.world, name, type(self).uploader, self.faults)
            self.stations.append(station)
            self.world.stations.append(station)
            self.memories[name] = invariants.Memory()
            self.dress(station)

    def dress(self, station: MachineStation) -> None:
        """Called whenever a workstation was started; a wrong engine puts here what is wrong with it."""

    def _who(self, who: int) -> MachineStation:
        return self.stations[who % len(self.stations)]

    def _token(self) -> str:
        self.count += 1
        return f"token-{self.count}"

    # what people do ---------------------------------------------------------------------------

    @rule(who=WHO, which=EITHER, element=st.sampled_from(["comment", "description"]), faults=ROUNDS)
    def edit(self, who: int, which: int, element: str, faults: list[str] | None) -> None:
        self._change(self._who(who), self.ready.visits[which], element, faults)

    @rule(who=WHO, which=EITHER, status=st.sampled_from(["arrived", "fulfilled", "cancelled"]), faults=ROUNDS)
    def move_on(self, who: int, which: int, status: str, faults: list[str] | None) -> None:
        self._change(self._who(who), self.ready.visits[which], "patientInstruction", faults, status=status)

    @rule(who=WHO, which=EITHER, faults=ROUNDS)
    def do_task(self, who: int, which: int, faults: list[str] | None) -> None:
        self._change(self._who(who), self.ready.tasks[which], "description", faults, status="completed")

    @rule(who=WHO, which=EITHER, faults=ROUNDS)
    def change_plan(self, who: int, which: int, faults: list[str] | None) -> None:
        self._change(self._who(who), self.ready.plans[which], "description", faults)

    def _change(
        self, station: MachineStation, ref: str, element: str, faults: list[str] | None, **more: str
    ) -> None:
        before = station.get(ref)
        if before is None:
            return
        token = self._token()
        op = station.act({**before, **more, element: token})
        self.tokens[op] = (ref, element, token)
        self._memory(station).wrote[ref] = (op, element, token)
        self._then(station, faults)

    @rule(who=WHO, whose=EITHER, faults=ROUNDS)
    def write_note(self, who: int, whose: int, faults: list[str] | None) -> None:
        station = self._who(who)
        self._note(station, self.ready.patients[whose])
        self._then(station, faults)

    def _note(self, station: MachineStation, patient: str, poison: str = "") -> str:
        token = self._token()
        note = {
            "resourceType": "Communication",
            "id": new_id(),
            "status": "completed",
            "subject": {"reference": patient},
            "payload": [{"contentString": token}],
        }
        if poison:
            station.network.poisons[note["id"]] = poison  # type: ignore[index]  # the id is text
        op = station.act(note)
        self.notes[op] = token
        return op

    @rule(who=WHO, choice=st.sampled_from(["mine", "theirs", "merged"]))
    def decide(self, who: int, choice: str) -> None:
        station = self._who(who)
        rows = station.write(lambda w: w.conflicts.rows())
        open_ = [row.op_id for row in rows if station.state(row.op_id) == ActState.CONFLICT]
        if not open_:
            return
        try:
            new = station.engine.decide(open_[0], choice, NURSE)
        except UserProblem:
            return
        except Killed:
            self._restart(station)
            return
        if choice == "theirs":
            self.given_up.add(open_[0])
        if new and open_[0] in self.tokens:
            self.tokens[new] = self.tokens[open_[0]]

    # what others do ------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["new task", "new task", "reading deleted", "leaves", "stays"]), whose=EITHER)
    def others_do(self, what: str, whose: int) -> None:
        """Other programs at the record: a task more, a reading less, the second patient's stay ended or taken up."""
        patient = self.ready.patients[1].partition("/")[2]
        match what:
            case "new task":
                self.world.load([_task(self.ready.patients[whose])])
            case "reading deleted":
                self.world.direct.delete(self.ready.readings[whose])
            case _:
                self.world.load([episode(patient, "active" if what == "stays" else "finished")])

    @rule(which=EITHER, who=WHO, of_task=st.booleans())
    @precondition(lambda self: len(self.late) < 2)
    def commit_late(self, which: int, who: int, of_task: bool) -> None:
        """Somebody else's change whose commit one workstation cannot see yet."""
        ref = (self.ready.tasks if of_task else self.ready.visits)[which]
        station = self._who(who)
        there = self.truth.rows()[ref].raw
        priority = "urgent" if there.get("priority") == "asap" else "asap"
        more = {"priority": priority} if of_task else {"minutesDuration": there.get("minutesDuration", 0) + 1}
        self.world.load([{**there, **more}])
        station.network.hidden.add(ref.partition("/")[2])
        self._memory(station).hidden.add(ref)
        self.late.append((station, ref, self.world.clock.monotonic()))

    @rule()
    @precondition(lambda self: bool(self.late))
    def commit_shows(self) -> None:
        self._show(*self.late.pop(0))

    def _show(self, station: MachineStation, ref: str, since: float) -> None:
        if not any(one is station and other == ref for one, other, _ in self.late):
            station.network.hidden.discard(ref.partition("/")[2])
            in_time = self.world.clock.monotonic() - since < invariants.WITHIN.total_seconds()
            self._memory(station).becomes_visible(ref, self.truth.rows()[ref].version, in_time=in_time)

    # what goes wrong ----------------------------------------------------------------------------

    @rule(who=WHO, faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def trouble(self, who: int, faults: list[str]) -> None:
        self._who(who).network.waiting += faults

    @rule(who=WHO, cut=st.sampled_from(CUTS))
    def partition(self, who: int, cut: str) -> None:
        self._who(who).network.cut = cut

    @rule(who=WHO, what=st.sampled_from(["kill and reopen", "restart", "record restart", "clock jump"]))
    def upheaval(self, who: int, what: str) -> None:
        station = self._who(who)
        self.faults[what] += 1
        match what:
            case "kill and reopen":
                station.crash()
                self.dress(station)
            case "restart":
                self._restart(station)
            case "record restart":
                self.world.restart_record()
            case "clock jump":
                station.clock.wrong = timedelta(seconds=JUMPS[self.faults[what] % len(JUMPS)])

    @rule(seconds=st.sampled_from([0.5, 0.5, 5.0, 5.0, 20.0, 20.0, 20.0, 60.0, 60.0, 960.0, 960.0, 90_000.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.tick(seconds)

    @rule(who=WHO, poison=st.sampled_from(POISONS))
    def poison(self, who: int, poison: str) -> None:
        """An act the record chokes on, and one of another patient right behind it (I12)."""
        station = self._who(who)
        is_clean = station.network.is_clean and not self._waits_for(station, self.ready.patients[2])
        station.engine.uploader.hurry()
        self._note(station, self.ready.patients[0], poison)
        other = self._note(station, self.ready.patients[2])
        if not is_clean:
            return
        started = self.world.clock.monotonic()
        self._step(station)
        while station.state(other) != ActState.APPLIED:
            waited = self.world.clock.monotonic() - started
            assert waited < PATIENCE, "I12: a poisoned act delays another patient"
            self.world.tick(0.25)
            self._step(station)

    def _waits_for(self, station: MachineStation, patient: str) -> bool:
        acts = station.write(lambda w: w.outbox.rows(patient_ref=patient))
        return any(act.state not in TERMINAL for act in acts)

    # rounds -----------------------------------------------------------------------------------

    @rule(who=WHO)
    def step(self, who: int) -> None:
        self._step(self._who(who))

    def _then(self, station: MachineStation, faults: list[str] | None) -> None:
        if faults is not None:
            station.network.waiting += faults
            self._step(station)

    def _step(self, station: MachineStation) -> None:
        memory = self._memory(station)
        try:
            status = station.step()
        except Killed:
            self._restart(station)
            return
        seen = station.write(invariants.look)
        if station.engine.board.complete:
            memory.heard_everything()
        memory.check(seen, self.truth)
        invariants.fresh_means_whole(status, seen, self.truth, memory)
        station.is_checked = True

    def _restart(self, station: MachineStation) -> None:
        station.restart()
        self.dress(station)

    def _memory(self, station: MachineStation) -> invariants.Memory:
        return self.memories[station.label]

    # what must hold at every moment -----------------------------------------------------------------

    @invariant()
    def holds_on_every_workstation(self) -> None:
        for station in self.stations:
            if not station.is_checked:
                self._memory(station).check(station.write(invariants.look), self.truth)
                station.is_checked = True

    # when it is quiet ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if self.stations:
                self._judge()
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _judge(self) -> None:
        while self.late:
            self._show(*self.late.pop())
        for station in self.stations:
            station.network.heal()
            station.clock.wrong = timedelta()
        self._quiet()
        self._notes_stand_once()
        for station in self.stations:
            lagging = set(self._memory(station).lagging)
            invariants.caches_equal_the_record(station, self.truth, lagging, "before any comparison of ids")
        self.world.clock.advance(timedelta(minutes=16))
        for station in self.stations:
            station.engine.cadence.full = None
        self._quiet()
        for station in self.stations:
            invariants.caches_equal_the_record(station, self.truth, set(), "after a manifest")
        self._notes_stand_once()
        self._nothing_was_overwritten()
        self._every_act_ended_once()

    def _quiet(self) -> None:
        """Rounds until one in which nothing moved anywhere: then everybody has seen the last change."""
        before = self._stand()
        for _ in range(QUIET_ROUNDS):
            for station in self.stations:
                station.engine.uploader.hurry()
                self._step(station)
            self.world.tick(1)
            now = self._stand()
            if now == before:
                return
            before = now

    def _stand(self) -> tuple[object, ...]:
        states = (self._memory(station).states for station in self.stations)
        return (self.world.app.store.seq, *(dict(known) for known in states))

    def _notes_stand_once(self) -> None:
        """Told by what they say and not by their ids: a second try must not have made a second note."""
        there = Counter(
            row.raw["payload"][0]["contentString"] for _, row in self.truth.living("Communication")
        )
        doubled = [token for token, count in there.items() if count > 1]
        standing = {op for station in self.stations for op in self._stand_in_sight_on(station)}
        lost = {token for op, token in self.notes.items() if op not in standing} - there.keys()
        self.faults["acts doubled"] += len(doubled)
        self.faults["acts lost"] += len(lost)
        assert not doubled, "a note was recorded twice"
        assert not lost, "a note was lost"

    def _stand_in_sight_on(self, station: MachineStation) -> set[str]:
        """Refused, or set aside after eight tries over half an hour: in the outbox, for a person to decide."""
        states = self._memory(station).states
        return {op for op, state in states.items() if state in (ActState.REJECTED, ActState.PARKED)}

    def _nothing_was_overwritten(self) -> None:
        for ref in {ref for ref, _, _ in self.tokens.values()}:
            for element in {element for one, element, _ in self.tokens.values() if one == ref}:
                invariants.nothing_came_back(self.truth, ref, element)
        for ref, element, token in self.tokens.values():
            assert invariants.entered(self.truth, ref, element, token) <= 1, "an act was applied twice"

    def _every_act_ended_once(self) -> None:
        ends: Counter[str] = Counter()
        for station in self.stations:
            for act, end in invariants.endings(station, self.truth):
                ends[f"acts {end}"] += 1
                if end == "applied" and act.op_id in self.tokens:
                    entered = invariants.entered(self.truth, *self.tokens[act.op_id])
                    assert entered == 1, "I1: applied, but its content never stood there"
        vanished = (self.tokens.keys() | self.notes.keys()) - self._known_ops()
        withdrawn = vanished & self.given_up
        lost = {op for op in vanished - withdrawn - self._at_the_record() if not self._stands(op)}
        assert not lost, "I9: an act is in no outbox and not at the record"
        TALLY.update(self.faults + ends)
        TALLY.update(
            {"examples": 1, "acts": len(self.tokens) + len(self.notes), "acts purged": len(vanished)}
        )

    def _known_ops(self) -> set[str]:
        return {op for memory in self.memories.values() for op in memory.states}

    def _stands(self, op: str) -> bool:
        """Its content is at the record, perhaps by an act made anew upon somebody's change."""
        if op in self.tokens:
            return invariants.entered(self.truth, *self.tokens[op]) == 1
        said = (row.raw["payload"][0]["contentString"] for _, row in self.truth.living("Communication"))
        return self.notes[op] in said

    def _at_the_record(self) -> set[str]:
        return {ref.partition("/")[2] for ref, _ in self.truth.living("Provenance")}


def _task(patient: str) -> Raw:
    return {
        "resourceType": "Task",
        "id": new_id(),
        "status": "ready",
        "intent": "order",
        "for": {"reference": patient},
        "description": "Medisin",
    }
