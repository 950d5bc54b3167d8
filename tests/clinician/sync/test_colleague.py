"""A conflict does not hang on one PC: a colleague decides it elsewhere, once, and the first PC lets go."""

from __future__ import annotations

import shutil

import pytest

from clinician.cache.acts import ActState
from clinician.errors import UserProblem
from clinician.sync.notice import task_id
from tests.clinician.sync.test_conflict import Two, conflicts
from tests.clinician.sync.world import NURSE, World, new_id

OTHER = "Practitioner/00000000-0000-4000-8000-0000000000aa"


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def parked(two: Two) -> tuple[str, str, str]:
    """A ended a visit that B had cancelled, and measured: (act, its Task, the measurement)."""
    visit = two.a.get(two.visit)
    assert visit is not None
    pulse = {
        "resourceType": "Observation",
        "id": new_id(),
        "status": "final",
        "code": {"text": "puls"},
        "subject": {"reference": two.patient},
    }
    op = two.a.act({**visit, "status": "fulfilled"}, pulse)
    two.b.change(two.visit, status="cancelled")
    two.b.step(), two.a.step()
    two.settle()
    assert two.a.state(op) == ActState.CONFLICT
    return op, f"Task/{task_id(op)}", f"Observation/{pulse['id']}"


@pytest.mark.parametrize(("choice", "status"), [("mine", "fulfilled"), ("theirs", "cancelled")])
def test_that_a_colleagues_decision_settles_it_for_the_first_pc_as_well(
    two: Two, choice: str, status: str
) -> None:
    op, task, pulse = parked(two)
    here = two.b.engine.take_over(task)
    assert two.b.engine.take_over(task) == here, "opened again, not taken over twice"
    assert two.b.engine.status().conflicts == 1
    [row] = conflicts(two.b, here)
    assert (row.mine["status"], (row.theirs or {})["status"]) == ("fulfilled", "cancelled")
    two.b.engine.decide(here, choice, OTHER)
    two.settle()
    assert two.there(two.visit)["status"] == status
    assert two.world.history(pulse) == 1, "what happened is kept, once"
    assert two.a.state(op) == ActState.WITHDRAWN and two.a.get(two.visit) == two.there(two.visit)
    [row] = conflicts(two.a, op, open_only=False)
    assert (row.decision, row.decided_by) == (choice, OTHER) and row.decided is not None
    assert two.there(task)["status"] == "completed" and two.world.history(task) == 2
    assert two.a.engine.status().all_sent and two.b.engine.status().all_sent


def test_that_the_deciders_name_stands_beside_the_authors(two: Two) -> None:
    _op, task, _pulse = parked(two)
    new = two.b.engine.decide(two.b.engine.take_over(task), "mine", OTHER)
    two.settle()
    agents = two.there(f"Provenance/{new}")["agent"]
    assert [agent["who"]["reference"] for agent in agents] == [NURSE, OTHER]
    assert agents[1]["type"]["coding"][0]["code"] == "verifier"


def test_that_a_conflict_outlives_the_pc_it_began_on(two: Two) -> None:
    _op, task, pulse = parked(two)
    two.a.close()
    shutil.rmtree(two.world.folder / "a")
    two.a.open()
    two.b.engine.decide(two.b.engine.take_over(task), "mine", OTHER)
    two.settle()
    assert two.there(two.visit)["status"] == "fulfilled" and two.there(pulse)["status"] == "final"


@pytest.mark.parametrize("first", ["a", "b"])
def test_that_of_two_decisions_at_once_one_holds(two: Two, first: str) -> None:
    op, task, pulse = parked(two)
    here = two.b.engine.take_over(task)
    two.a.wire.down = two.b.wire.down = True
    two.a.engine.decide(op, "mine", NURSE)
    two.b.engine.decide(here, "theirs", OTHER)
    two.a.wire.down = two.b.wire.down = False
    one, other = (two.a, two.b) if first == "a" else (two.b, two.a)
    one.step(), other.step()
    two.settle(), two.settle()
    assert two.there(two.visit)["status"] == ("fulfilled" if first == "a" else "cancelled")
    assert two.world.history(pulse) == 1 and two.world.history(task) == 2
    for station in (two.a, two.b):
        assert not conflicts(station) and station.engine.status().all_sent
        assert station.get(two.visit) == two.there(two.visit)


def test_that_what_was_decided_cannot_be_taken_over(two: Two) -> None:
    op, task, _pulse = parked(two)
    other = two.both(two.task, {"description": "deres"}, {"description": "mitt"})
    assert two.a.engine.take_over(f"Task/{task_id(other)}") == other
    assert two.a.engine.take_over(task) == op, "it is open here already"
    two.a.engine.decide(op, "theirs", NURSE)
    two.settle()
    with pytest.raises(UserProblem):
        two.b.engine.take_over(task)
    with pytest.raises(UserProblem):
        two.b.engine.take_over(two.task)


def test_that_a_task_ended_by_another_program_without_a_word_lets_theirs_stand(two: Two) -> None:
    op, task, pulse = parked(two)
    two.world.load([{**two.there(task), "status": "completed"}])
    two.settle()
    assert two.there(pulse)["status"] == "final", "what happened is kept, though nobody else has sent it"
    assert two.a.state(op) == ActState.WITHDRAWN and two.there(two.visit)["status"] == "cancelled"
    [row] = conflicts(two.a, op, open_only=False)
    assert (row.decision, row.decided_by) == ("theirs", "")
