"""Every act through the real bus, cache, access rules and FHIR validation; and the ledger's sum throughout."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.access.decision import decide
from clinician.access.who import Who
from clinician.cache.open import Cache, open_cache
from clinician.cache.synced import SyncedRow
from clinician.clock import FrozenClock
from clinician.commands.act import Command, Done
from clinician.commands.bus import CommandBus
from clinician.errors import ClinicianError, UserProblem
from clinician.events import Events
from clinician.fhir.validation import problems
from modules.homecare import commands as c
from modules.homecare import queries as q
from modules.homecare.rows import DaySums, Move, NotDone
from tests.modules.homecare.memory import DAY, NOW, Desk, MemoryReading, at, task, visit, zone

NURSE = Who(
    "Practitioner/me",
    "PractitionerRole/me",
    "Silje Nygård",
    "SN",
    "Organization/nord",
    "Nord",
    frozenset({"SP"}),
    frozenset({"medication", "insulin"}),
    frozenset({"coordinator"}),
)


def uuid_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@dataclass
class Bench:
    """A cache with a small zone and a bus on it."""

    cache: Cache
    bus: CommandBus
    clock: FrozenClock
    done: list[Done] = field(default_factory=list)

    def run(self, command: Command) -> Done:
        self.done.append(self.bus.run(command, NURSE))
        return self.done[-1]

    def sums(self) -> DaySums:
        with self.cache.reading() as reading:
            return q.ledger(reading, workplace_ref="Organization/nord", day=DAY, now=self.clock.now()).sums


def _world() -> MemoryReading:
    held = zone(*(visit(uuid_of(n), f"{8 + n:02d}:00", of="eva" if n % 2 else "ola") for n in range(6)))
    for n in range(6):
        held.put(task(uuid_of(100 + n), uuid_of(n), of="eva" if n % 2 else "ola"))
    return held


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = FrozenClock(NOW)
    cache = open_cache(tmp_path, secrets.token_bytes(32), clock=clock, events=Events())
    rows = [SyncedRow(r.type, r.id, "1", NOW, json.dumps(r.raw).encode()) for r in _world().rows.values()]
    cache.writer.run(lambda writing: writing.put_synced(rows))
    yield Bench(cache, CommandBus(cache, clock, problems, decide), clock)
    cache.close()


def ref(number: int) -> str:
    return f"Appointment/{uuid_of(number)}"


def holds(sums: DaySums) -> bool:
    return sums.planned == sums.done + sums.not_done + sums.moved + sums.cancelled + sums.open


def test_that_every_act_is_valid_fhir_and_allowed_to_a_nurse(bench: Bench) -> None:
    to_kari = Move(
        ref(5), "", "", "", "Schedule/r-kari", "", ("Practitioner/kari",), at("13:00"), at("13:20"), 1, 3, ""
    )
    values = (c.Measured("blood-pressure", (142.0, 88.0)), c.Measured("consciousness", choice="A"))
    for command in (
        c.StartVisit(ref(0)),
        c.CompleteVisit(ref(0)),
        c.RecordNotHome(ref(1)),
        c.ExceptVisit(ref(2), NotDone.POSTPONED),
        c.ExceptTask(f"Task/{uuid_of(103)}", NotDone.POSTPONED),
        c.MoveVisit(ref(3), at("15:00"), "Lege"),
        c.CancelVisit(ref(4), "hospital"),
        c.AssignVisits((to_kari,), "Syk"),
        c.NotifyStaff((to_kari,)),
        c.RecordAbsence("Practitioner/kari", at("14:00"), at("15:00"), "Lege"),
        c.RecordMeasurements("Patient/ola", values, ref(0)),
        c.WriteNote("Patient/ola", "Fin dag", ref(0)),
    ):
        bench.run(command)
        assert holds(bench.sums()), command
    sums = bench.sums()
    assert (sums.planned, sums.done, sums.not_done, sums.moved, sums.cancelled, sums.open) == (
        7,
        1,
        2,
        1,
        1,
        2,
    )


def test_that_my_day_shows_the_chain_and_the_card_its_links(bench: Bench) -> None:
    bench.run(c.RecordNotHome(ref(1)))
    with bench.cache.reading() as reading:
        now = bench.clock.now()
        day = q.my_day(
            reading, practitioner_ref="Practitioner/me", workplace_ref="Organization/nord", day=DAY, now=now
        )
        card = q.visit_card(reading, appointment_ref=ref(1), now=now)
    assert [row.kind.value for row in day.rows].count("follow-up") == 3
    assert card is not None
    assert [row.owner_text for row in card.tasks if row.is_follow_up] == ["Silje Nygård"] * 3


def test_that_one_undo_takes_all_of_it_back(bench: Bench) -> None:
    before = bench.sums()
    done = bench.run(c.RecordNotHome(ref(1)))
    bench.bus.undo(done, NURSE)
    assert bench.sums() == before
    with bench.cache.reading() as reading:
        card = q.visit_card(reading, appointment_ref=ref(1), now=NOW)
    assert card is not None
    assert not [row for row in card.tasks if row.is_follow_up]


_ACTS: list[Callable[[str], Command]] = [
    lambda r: c.StartVisit(r),
    lambda r: c.CompleteVisit(r),
    lambda r: c.RecordNotHome(r),
    lambda r: c.ExceptVisit(r, NotDone.REFUSED),
    lambda r: c.ExceptVisit(r, NotDone.POSTPONED),
    lambda r: c.CancelVisit(r, "by-user"),
    lambda r: c.MoveVisit(r, at("20:00"), "x"),
    lambda r: c.MoveVisit(r, at("20:00") + timedelta(days=1), "x"),
    lambda r: c.AssignVisits(
        (
            Move(
                r,
                "",
                "",
                "",
                "Schedule/r-kari",
                "",
                ("Practitioner/kari",),
                at("09:00"),
                at("09:20"),
                1,
                3,
                "",
            ),
        ),
        "x",
    ),
]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 7), st.integers(0, 30)), max_size=25))
@settings(max_examples=60, deadline=None)
def test_that_planned_is_always_terminal_plus_open(steps: list[tuple[int, int, int]]) -> None:
    """On the model: whatever is done in whatever order, a visit is never lost and never counted twice."""
    desk = Desk(_world())
    for act, which, minutes in steps:
        refs = [row.ref for row in desk.reading.find("Appointment", order="id")]
        with contextlib.suppress(UserProblem):
            desk.do(_ACTS[act](refs[which % len(refs)]))
        desk.now += timedelta(minutes=minutes)
        whole = [
            q.ledger(
                desk.reading, workplace_ref="Organization/nord", day=DAY + timedelta(days=d), now=desk.now
            )
            for d in (0, 1)
        ]
        assert all(holds(one.sums) for one in whole)
        assert sum(one.sums.planned for one in whole) == len(list(desk.reading.find("Appointment")))
        assert all(sum(s.planned for _n, s in one.per_route) == one.sums.planned for one in whole)
        assert all(holds(s) for one in whole for _name, s in one.per_route)


def test_that_a_refusal_is_an_error_of_the_tree(bench: Bench) -> None:
    stranger = Who("Practitioner/me", "", "", "", "", "")
    with pytest.raises(ClinicianError):
        bench.bus.run(c.CompleteVisit(ref(0)), stranger)
