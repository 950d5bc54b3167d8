"""Two workstations of one zone, home care's own acts, a bad network and crashes: no visit is ever lost."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from clinician.access.decision import decide
from clinician.access.who import Who
from clinician.cache.acts import ActRow, ActState
from clinician.cache.reading import Cached, Raw
from clinician.clock import oslo
from clinician.commands.act import Command, Done
from clinician.commands.bus import CommandBus
from clinician.errors import Refused, UserProblem
from clinician.fhir import codes, read
from clinician.fhir.reference import ref_of
from clinician.fhir.validation import problems
from clinician.modulekit.manifest import parse
from clinician.sync.plan import Plan, SyncRule, make_plan
from clinician.sync.upload import Uploader
from modules.homecare import commands as c
from modules.homecare import queries as q
from modules.homecare.rows import DaySums, Move, NotDone, VisitState
from modules.homecare.rules.visits import OPEN_STATES, state_of, visit_of
from tests.clinician.sync.network import FAULTS, BadNetwork, Killed
from tests.clinician.sync.ready import scratch
from tests.clinician.sync.world import Station, World
from tests.modules.homecare.memory import DAY, NOW, at, episode, patient, task, visit, zone

NORD = "Organization/nord"
DAYS = (DAY, DAY + timedelta(days=1))
MANIFEST = Path(__file__).parents[2] / "modules/homecare/manifest.toml"
VISITS = 4
UNSENT = frozenset({ActState.WITHDRAWN, ActState.CONFLICT})
ENDED = frozenset({ActState.APPLIED, ActState.WITHDRAWN})


def nurse(key: str, name: str) -> Who:
    functions, holds = frozenset({"coordinator"}), frozenset({"medication", "insulin"})
    return Who(
        f"Practitioner/{key}",
        f"PractitionerRole/{key}",
        name,
        "",
        NORD,
        "Nord",
        frozenset({"SP"}),
        holds,
        functions,
    )


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def setting() -> list[Raw]:
    """Zone Nord with four visits of two users, a task in each; and a visit of another zone."""
    held = zone(*(visit(id_of(n), f"{8 + n:02d}:00", of="eva" if n % 2 else "ola") for n in range(VISITS)))
    for n in range(VISITS):
        held.put(task(id_of(100 + n), id_of(n), of="eva" if n % 2 else "ola"))
    held.put({"resourceType": "HealthcareService", "id": "nord", "providedBy": {"reference": NORD}})
    held.put(patient("sonja", "Sonja Sør"))
    held.put(episode("sonja", "Organization/south"))
    held.put(visit(id_of(99), "10:00", of="sonja", who=("jonas",), route="r-south"))
    return [cached.raw for cached in held.rows.values()]


def rules() -> list[SyncRule]:
    """What home care really asks for."""
    declared = parse(MANIFEST.read_text("utf-8")).sync
    return [SyncRule(one.type, one.search, one.window, one.priority) for one in declared]


def holds(sums: DaySums) -> bool:
    return sums.planned == sums.done + sums.not_done + sums.moved + sums.cancelled + sums.open


Tally = Mapping[str, int]
"""How many of a day are done, not done, moved, cancelled and open."""
_WORDS: Final = {
    VisitState.DONE: "done",
    VisitState.NOT_HOME: "not done",
    VisitState.NOT_DONE: "not done",
    VisitState.MOVED: "moved",
    VisitState.CANCELLED: "cancelled",
}


def tally_of(sums: DaySums) -> Tally:
    held = {
        "done": sums.done,
        "not done": sums.not_done,
        "moved": sums.moved,
        "cancelled": sums.cancelled,
        "open": sums.open,
    }
    return {word: count for word, count in held.items() if count}


def tallied(raws: Iterable[Raw]) -> dict[date, Tally]:
    """Counted from the resources themselves, without the ledger."""
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for raw in raws:
        found[oslo(datetime.fromisoformat(raw["start"])).date()][_WORDS.get(state_of(raw), "open")] += 1
    return {day: dict(count) for day, count in found.items()}


def is_withdrawn(raw: Raw) -> bool:
    return raw.get("status") == "entered-in-error"


class Desk(Station):
    """A workstation with a person at it, whose program can end at any moment."""

    def __init__(self, world: World, name: str, plan: Plan, who: Who, uploader: type[Uploader]) -> None:
        self.who, self.folder_name, self.uploader = who, name, uploader
        self.taken: set[str] = set()
        self.done: list[Done] = []
        self.born: dict[str, str] = {}
        self.seen: set[str] = set()
        super().__init__(world, name, plan)
        self.wire.fault = BadNetwork()

    def open(self) -> None:
        super().open()
        self.bus = CommandBus(self.cache, self.world.clock, problems, decide)
        self.engine.uploader = self.uploader(self.engine.line, frozen=self.engine.uploader.frozen)

    @property
    def network(self) -> BadNetwork:
        assert isinstance(self.wire.fault, BadNetwork)
        return self.wire.fault

    def crash(self) -> None:
        """End without closing: what is on disk at this moment is all that the next program finds."""
        self.write(lambda writing: None)
        old, self.folder_name = self.world.folder / self.name, self.folder_name + "+"
        shutil.copytree(old, self.world.folder / self.folder_name)
        self.close()
        shutil.rmtree(old)
        self.name = self.folder_name
        self.open()

    def run(self, command: Command) -> None:
        """What the person may not do is refused; then nothing is changed."""
        with contextlib.suppress(UserProblem, Refused):
            done = self.bus.run(command, self.who)
            self.done.append(done)
            self.born.update((ref, done.op_ids[0]) for ref in done.refs if self._is_new(ref))

    def _is_new(self, ref: str) -> bool:
        return ref.startswith("Appointment/") and ref not in self.seen

    def undo(self, which: int) -> None:
        with contextlib.suppress(UserProblem, Refused):
            if self.done:
                done = self.done.pop(which % len(self.done))
                self.bus.undo(done, self.who)
                self.taken.add(done.group)

    def conflicts(self) -> list[str]:
        """Acts a person must decide about, oldest first."""
        rows = self.write(lambda w: w.conflicts.rows())
        return [row.op_id for row in rows if self.state(row.op_id) == ActState.CONFLICT]

    def visits(self) -> dict[str, Raw]:
        """Every planned visit of home care as it is shown here."""
        return {ref_of(raw): raw for raw in self.all("Appointment")}

    def ledgers(self) -> dict[date, DaySums]:
        now = self.world.clock.now()
        with self.cache.reading() as reading:
            found = {day: q.ledger(reading, workplace_ref=NORD, day=day, now=now) for day in DAYS}
        for day, one in found.items():
            assert holds(one.sums), f"{self.name}: the sum of {day} does not hold: {one.sums}"
            assert all(holds(sums) for _name, sums in one.per_route)
            assert sum(sums.planned for _name, sums in one.per_route) == one.sums.planned, "per route"
        return {day: one.sums for day, one in found.items()}


class NothingDisappears(RuleBasedStateMachine):
    """planned = done + not done + moved + cancelled + open, per day, everywhere, at every moment."""

    uploader: ClassVar[type[Uploader]] = Uploader
    mover: ClassVar[type[Command]] = c.MoveVisit

    def __init__(self) -> None:
        super().__init__()
        self.folder = scratch()
        self.world = World(self.folder)
        self.world.clock.advance(NOW - self.world.clock.now())
        self.moves = 0
        self.insisted = 0

    @initialize()
    def start(self) -> None:
        self.world.load(setting())
        self.world.tick(300)
        plan = make_plan(rules(), workplace_ref=NORD)
        people = (nurse("me", "Silje Nygård"), nurse("kari", "Kari Lunde"))
        self.desks = [
            Desk(self.world, name, plan, who, self.uploader) for name, who in zip("ab", people, strict=True)
        ]
        self.world.stations += self.desks
        for desk in self.desks:
            desk.step()
            assert len(desk.visits()) == VISITS

    def _act(self, who: int, which: int, make: type[Command], **more: object) -> None:
        desk = self.desks[who]
        desk.seen |= desk.visits().keys()
        desk.run(make(self._visit(desk, which), **more))  # type: ignore[call-arg]  # all take the visit first

    def _visit(self, desk: Desk, which: int) -> str:
        """Mostly an open one; by time and age, so that the same numbers name the same visit in every run."""
        every = sorted(desk.visits().items(), key=lambda one: (one[1]["start"], one[1].get("created", "")))
        waiting = [one for one in every if state_of(one[1]) in OPEN_STATES]
        shown = waiting if waiting and which < 6 else every
        return shown[which % len(shown)][0]

    # what people do ------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), which=st.integers(0, 7))
    def begin(self, who: int, which: int) -> None:
        self._act(who, which, c.StartVisit)

    @rule(who=st.integers(0, 1), which=st.integers(0, 7))
    def complete(self, who: int, which: int) -> None:
        self._act(who, which, c.CompleteVisit)

    @rule(who=st.integers(0, 1), which=st.integers(0, 7))
    def not_home(self, who: int, which: int) -> None:
        self._act(who, which, c.RecordNotHome)

    @rule(who=st.integers(0, 1), which=st.integers(0, 7), reason=st.sampled_from(NotDone))
    def leave_out(self, who: int, which: int, reason: NotDone) -> None:
        self._act(who, which, c.ExceptVisit, reason=reason, text="Rakk ikke")

    @rule(who=st.integers(0, 1), which=st.integers(0, 7), tomorrow=st.booleans())
    def move(self, who: int, which: int, tomorrow: bool) -> None:
        self.moves += 1
        start = at("19:00", DAYS[tomorrow]) + timedelta(minutes=self.moves)
        self._act(who, which, self.mover, start=start, reason="Lege")

    @rule(who=st.integers(0, 1), which=st.integers(0, 7), by=st.sampled_from(["by-user", "hospital"]))
    def cancel(self, who: int, which: int, by: str) -> None:
        self._act(who, which, c.CancelVisit, by=by)

    @rule(who=st.integers(0, 1), which=st.integers(0, 7), to=st.sampled_from(["kari", "haakon"]))
    def hand_over(self, who: int, which: int, to: str) -> None:
        desk = self.desks[who]
        ref = self._visit(desk, which)
        shown = visit_of(self._cached(desk, ref))
        if shown.start is None or shown.end is None:
            return
        people = (f"Practitioner/{to}",)
        moved = Move(ref, "", "", "", f"Schedule/r-{to}", "", people, shown.start, shown.end, 1, 3, "")
        desk.run(c.AssignVisits((moved,), "Syk"))

    def _cached(self, desk: Desk, ref: str) -> Cached:
        with desk.cache.reading() as reading:
            found = reading.get(ref)
        assert found is not None
        return found

    @rule(who=st.integers(0, 1), which=st.integers(0, 3))
    def undo(self, who: int, which: int) -> None:
        self.desks[who].undo(which)

    @rule(who=st.integers(0, 1), choice=st.sampled_from(["mine", "theirs", "merged"]))
    def settle(self, who: int, choice: str) -> None:
        self._settle(self.desks[who], choice)

    def _settle(self, desk: Desk, choice: str) -> None:
        op_id = next(iter(desk.conflicts()), "")
        if op_id:
            self.insisted += choice != "theirs"
            with contextlib.suppress(UserProblem):
                self._outlive(desk, lambda: desk.engine.decide(op_id, choice, desk.who.practitioner_ref))

    # what goes wrong -------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=2))
    def trouble(self, who: int, faults: list[str]) -> None:
        self.desks[who].network.waiting += faults

    @rule(who=st.integers(0, 1), down=st.booleans())
    def partition(self, who: int, down: bool) -> None:
        self.desks[who].wire.down = down

    @rule(who=st.integers(0, 1))
    def crash(self, who: int) -> None:
        self._crash(self.desks[who])

    def _crash(self, desk: Desk) -> None:
        waiting = desk.network.waiting
        before = desk.visits()
        desk.crash()
        desk.network.waiting = waiting
        assert desk.visits() == before, "what was durable is not what was shown"

    def _outlive(self, desk: Desk, work: Callable[[], object]) -> None:
        try:
            work()
        except Killed:
            self._crash(desk)

    @rule(minutes=st.sampled_from([1, 15]))
    def pass_time(self, minutes: int) -> None:
        self.world.tick(60 * minutes)

    @rule(who=st.integers(0, 1))
    def sync(self, who: int) -> None:
        self._outlive(self.desks[who], self.desks[who].step)

    # what must hold at every moment ------------------------------------------------------------------

    @invariant()
    def every_visit_is_counted_once_on_every_screen(self) -> None:
        for desk in getattr(self, "desks", ()):
            shown = desk.visits()
            sums = desk.ledgers()
            assert sum(one.planned for one in sums.values()) == len(shown), "a visit on no day or on two"
            self._accounted(desk, shown)
            desk.seen |= shown.keys()

    def _accounted(self, desk: Desk, shown: Mapping[str, Raw]) -> None:
        """What was ever seen here is still here, unless the person's own unsent act made it and is gone."""
        assert not desk.write(lambda w: w.trail.evidence()), "something was removed from this PC"
        for ref in (desk.seen | desk.born.keys()) - shown.keys():
            assert self.world.there(ref) is None, "a visit of the record is not on this PC any more"
            acts = [act for act in desk.write(lambda w: w.outbox.rows()) if ref in act.refs]
            assert acts, "a visit vanished without a trace"
            assert all(act.state in UNSENT for act in acts), [str(act.state) for act in acts]

    @invariant()
    def every_visit_is_counted_once_in_the_record(self) -> None:
        if hasattr(self, "desks"):
            self._record()

    def _record(self) -> dict[date, Tally]:
        there = self._held("Appointment")
        assert {f"Appointment/{id_of(n)}" for n in range(VISITS)} <= there.keys(), "a visit was deleted"
        self._what_moved_is_somewhere(there)
        return tallied(there.values())

    def _held(self, type_: str) -> dict[str, Raw]:
        """What the record holds of zone Nord."""
        body = orjson.loads(self.world.direct.search(type_, "_count=500").body)
        raws = [entry["resource"] for entry in body.get("entry", ())]
        return {ref_of(raw): raw for raw in raws if read.patient_ref_of(raw) != "Patient/sonja"}

    def _what_moved_is_somewhere(self, there: Mapping[str, Raw]) -> None:
        """A moved visit has another that stands for it: together they arrive at the record or not at all."""
        standing = Counter(_replaces(raw) for raw in there.values() if not is_withdrawn(raw))
        for ref, raw in there.items():
            if state_of(raw) is VisitState.MOVED:
                assert standing[ref], "moved, but nowhere to be found"
                assert standing[ref] == 1 or self.insisted, "two visits for one, and nobody wanted it"

    # when it is quiet -----------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if hasattr(self, "desks"):
                self._calm()
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _calm(self) -> None:
        for desk in self.desks:
            desk.network.waiting.clear()
            desk.wire.down = False
        for turn in range(60):
            self._round()
            if not any(desk.conflicts() for desk in self.desks):
                break
            for desk in self.desks:
                self._settle(desk, "mine" if turn % 2 == 0 and turn < 6 else "theirs")
        self._round()
        self.world.clock.advance(timedelta(minutes=16))
        self._round()
        self._whole()

    def _round(self) -> None:
        for desk in self.desks * 2:
            desk.engine.uploader.hurry()
            desk.step()
        self.world.tick(1)

    def _whole(self) -> None:
        by_day = self._record()
        there = self._held("Appointment")
        for desk in self.desks:
            acts = desk.write(lambda w: w.outbox.rows())
            stuck = [(act.kind, act.state, act.last_issue) for act in acts if act.state not in ENDED]
            assert not stuck, f"{desk.name}: neither at the record nor taken back: {stuck}"
            assert all(self._is_explained(desk, act) for act in acts), "an act vanished"
            assert desk.visits() == there, f"{desk.name} does not show what the record holds"
            assert {day: tally_of(sums) for day, sums in desk.ledgers().items() if sums.planned} == by_day
            self._accounted(desk, there)
        tasks = {f"Task/{id_of(100 + n)}" for n in range(VISITS)}
        assert tasks <= self._held("Task").keys(), "a task was deleted"

    @staticmethod
    def _is_explained(desk: Desk, act: ActRow) -> bool:
        """At the record; or taken back, made anew upon somebody's change, or given up by a person."""
        if act.state is ActState.APPLIED or act.superseded_by or act.group in desk.taken:
            return True
        return bool(desk.write(lambda w: w.conflicts.rows(act.op_id, open_only=False)))


def _replaces(raw: Raw) -> str:
    value = read.extension(raw, codes.EXT_REPLACES)
    return read.ref_at({"held": value}, "held") if isinstance(value, dict) else ""
