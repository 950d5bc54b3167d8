"""Two people, one resource: merged where the rule allows, else parked in sight until a person decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clinician.cache.acts import ActState, ConflictRow
from clinician.errors import UserProblem
from clinician.sync.notice import task_id
from tests.clinician.sync.world import NURSE, Station, World, first, new_id, patient_with_visits


class Two:
    def __init__(self, world: World) -> None:
        self.world = world
        self.raws = patient_with_visits(1)
        self.patient = first(self.raws, "Patient")
        self.visit = first(self.raws, "Appointment")
        self.task = first(self.raws, "Task")
        plan = {
            "resourceType": "CarePlan",
            "id": new_id(),
            "status": "active",
            "intent": "plan",
            "title": "Plan",
            "subject": {"reference": self.patient},
        }
        self.plan = f"CarePlan/{plan['id']}"
        world.load([*self.raws, plan])
        self.a, self.b = world.station("a"), world.station("b")
        self.a.step(), self.b.step()

    def both(self, ref: str, theirs: dict[str, Any], mine: dict[str, Any]) -> str:
        """B changes and sends first; A, who has not seen it, changes the same thing."""
        mine_op = self.a.change(ref, **mine)
        self.b.change(ref, **theirs)
        self.b.step()
        self.world.tick()
        self.a.step()
        return mine_op

    def settle(self) -> None:
        for _ in range(3):
            self.world.tick(70)
            self.a.step(), self.b.step()

    def there(self, ref: str) -> dict[str, Any]:
        found = self.world.there(ref)
        assert found is not None
        return found


def conflicts(
    station: Station, op_id: str | None = None, *, open_only: bool = True
) -> tuple[ConflictRow, ...]:
    return station.write(lambda w: w.conflicts.rows(op_id, open_only=open_only))  # type: ignore[no-any-return]  # write gives Any


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def test_that_disjoint_changes_of_a_visit_are_put_together(two: Two) -> None:
    op = two.both(two.visit, {"minutesDuration": 45}, {"comment": "ringt"})
    two.settle()
    assert two.a.state(op) == ActState.WITHDRAWN
    there = two.there(two.visit)
    assert (there["minutesDuration"], there["comment"]) == (45, "ringt")
    assert two.a.get(two.visit) == two.b.get(two.visit) == there
    assert two.a.engine.status().all_sent and not conflicts(two.a)


def test_that_a_status_somebody_else_changed_is_for_a_person(two: Two) -> None:
    op = two.both(two.visit, {"status": "cancelled"}, {"status": "fulfilled"})
    assert two.a.state(op) == ActState.CONFLICT
    [row] = conflicts(two.a)
    assert row.kind == "status" and row.theirs_author == "Nora at b" and row.theirs_when is not None
    assert (row.base or {})["status"] == "booked" and row.mine["status"] == "fulfilled"
    assert (row.theirs or {})["status"] == "cancelled"
    assert two.a.engine.status().conflicts == 1


def test_that_a_conflict_is_also_a_task_at_the_record(two: Two) -> None:
    op = two.both(two.visit, {"status": "cancelled"}, {"status": "fulfilled"})
    two.settle()
    told = two.there(f"Task/{task_id(op)}")
    assert told["code"]["coding"][0]["code"] == "sync-conflict" and told["status"] == "requested"
    assert told["for"] == {"reference": two.patient} and "fulfilled" in told["input"][0]["valueString"]
    assert two.b.get(f"Task/{task_id(op)}") is not None
    two.a.engine.decide(op, "theirs", NURSE)
    two.settle()
    assert two.there(f"Task/{task_id(op)}")["status"] == "completed"


def test_that_completed_twice_is_a_double_act_in_sight(two: Two) -> None:
    op = two.both(two.visit, {"status": "fulfilled"}, {"status": "fulfilled"})
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "duplicate"


def test_that_orders_are_never_merged_and_theirs_stay_in_force(two: Two) -> None:
    op = two.both(two.plan, {"title": "Ny plan"}, {"description": "mer"})
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "safety"
    shown = two.a.get(two.plan)
    assert shown is not None and shown["title"] == "Ny plan" and "description" not in shown


def test_that_overlapping_changes_are_for_a_person(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres"}, {"comment": "mitt"})
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "overlap"


def test_that_demographics_merge_item_by_item(two: Two) -> None:
    two.both(
        two.patient,
        {"telecom": [{"system": "phone", "value": "99"}]},
        {"telecom": [{"system": "email", "value": "a@b"}]},
    )
    two.settle()
    assert {item["value"] for item in two.there(two.patient)["telecom"]} == {"99", "a@b"}


def test_that_mine_is_laid_on_the_fresh_version(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres", "minutesDuration": 45}, {"comment": "mitt"})
    two.b.change(two.visit, priority=1)
    two.b.step()
    new = two.a.engine.decide(op, "mine", NURSE)
    two.settle()
    there = two.there(two.visit)
    assert (there["comment"], there["minutesDuration"], there["priority"]) == ("mitt", 45, 1)
    assert (two.a.state(op), two.a.state(new)) == (ActState.WITHDRAWN, ActState.APPLIED)
    [row] = conflicts(two.a, op, open_only=False)
    assert (row.decision, row.decided_by) == ("mine", NURSE) and row.decided is not None


def test_that_theirs_drops_mine_but_not_what_happened(two: Two) -> None:
    visit = two.a.get(two.visit)
    assert visit is not None
    measured = {
        "resourceType": "Observation",
        "id": new_id(),
        "status": "final",
        "code": {"text": "puls"},
        "subject": {"reference": two.patient},
    }
    op = two.a.act({**visit, "status": "fulfilled"}, measured)
    two.b.change(two.visit, status="cancelled")
    two.b.step(), two.a.step()
    assert two.a.state(op) == ActState.CONFLICT
    new = two.a.engine.decide(op, "theirs", NURSE)
    two.settle()
    assert two.a.state(new) == ActState.APPLIED
    assert two.there(two.visit)["status"] == "cancelled"
    assert two.there(f"Observation/{measured['id']}")["status"] == "final"
    assert two.a.get(two.visit) == two.there(two.visit)


def test_that_merged_is_open_only_where_both_can_stand(two: Two) -> None:
    op = two.both(two.plan, {"title": "Ny plan"}, {"description": "mer"})
    two.a.engine.decide(op, "merged", NURSE)
    two.settle()
    there = two.there(two.plan)
    assert (there["title"], there["description"]) == ("Ny plan", "mer")
    clash = two.both(two.plan, {"title": "x"}, {"title": "y"})
    with pytest.raises(UserProblem):
        two.a.engine.decide(clash, "merged", NURSE)


def test_that_a_decision_that_was_taken_cannot_be_taken_again(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres"}, {"comment": "mitt"})
    assert two.a.engine.decide(op, "theirs", NURSE) == ""
    assert two.a.state(op) == ActState.WITHDRAWN
    with pytest.raises(UserProblem):
        two.a.engine.decide(op, "mine", NURSE)


def test_that_a_decision_can_be_taken_offline(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres"}, {"comment": "mitt"})
    two.a.wire.down = True
    two.a.engine.decide(op, "mine", NURSE)
    two.a.wire.down = False
    two.settle()
    assert two.there(two.visit)["comment"] == "mitt"


def test_that_an_older_decision_meets_a_newer_change_as_a_new_conflict(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres"}, {"comment": "mitt"})
    two.a.wire.down = True
    new = two.a.engine.decide(op, "mine", NURSE)
    two.b.change(two.visit, comment="nyest")
    two.b.step()
    two.a.wire.down = False
    two.settle()
    assert two.there(two.visit)["comment"] == "nyest"
    assert two.a.state(new) == ActState.CONFLICT


def test_that_what_was_deleted_meanwhile_is_for_a_person(two: Two) -> None:
    op = two.a.change(two.task, status="completed")
    two.world.direct.delete(two.task)
    two.a.step()
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "deleted"
    assert two.a.engine.decide(op, "theirs", NURSE) == ""
    two.settle()
    assert two.a.engine.status().all_sent


def test_that_two_new_resources_of_one_id_are_in_sight(two: Two) -> None:
    note = {
        "resourceType": "Communication",
        "id": new_id(),
        "status": "completed",
        "subject": {"reference": two.patient},
    }
    two.world.load([{**note, "status": "stopped"}])
    op = two.a.act(note)
    two.a.step()
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "exists"
    new = two.a.engine.decide(op, "mine", NURSE)
    two.settle()
    assert two.a.state(new) == ActState.APPLIED
    assert two.there(f"Communication/{note['id']}")["status"] == "completed"


def test_that_dependants_go_on_when_the_act_beneath_was_given_up(two: Two) -> None:
    op = two.a.change(two.visit, comment="mitt")
    later = two.a.change(two.visit, description="senere")
    two.b.change(two.visit, comment="deres")
    two.b.step(), two.a.step()
    assert (two.a.state(op), two.a.state(later)) == ("conflict", "queued")
    two.a.engine.decide(op, "theirs", NURSE)
    two.settle()
    there = two.there(two.visit)
    assert there["comment"] == "deres" and there["description"] == "senere"
    assert two.a.engine.status().all_sent


def test_that_dependants_follow_an_act_that_was_rebased(two: Two) -> None:
    two.a.change(two.visit, status="arrived")
    two.a.change(two.visit, status="fulfilled")
    two.b.change(two.visit, comment="deres")
    two.b.step()
    two.settle()
    there = two.there(two.visit)
    assert (there["status"], there["comment"]) == ("fulfilled", "deres")
    assert two.a.engine.status().all_sent and not conflicts(two.a)


def test_that_a_person_may_choose_field_by_field(two: Two) -> None:
    theirs = {"comment": "deres", "minutesDuration": 45, "priority": 2}
    op = two.both(two.visit, theirs, {"comment": "mitt", "minutesDuration": 30, "description": "mitt også"})
    two.a.engine.decide(op, "fields", NURSE, {"comment": "mine", "minutesDuration": "theirs"})
    two.settle()
    there = two.there(two.visit)
    assert (there["comment"], there["minutesDuration"]) == ("mitt", 45)
    assert (there["description"], there["priority"]) == ("mitt også", 2), "what one side changed stays"
    [row] = conflicts(two.a, op, open_only=False)
    assert (row.decision, row.decided_by) == ("fields", NURSE)


def test_that_a_field_nobody_marked_is_theirs_where_both_changed_it(two: Two) -> None:
    op = two.both(two.visit, {"comment": "deres"}, {"comment": "mitt", "priority": 1})
    two.a.engine.decide(op, "fields", NURSE, {"Appointment.priority": "mine"})
    two.settle()
    there = two.there(two.visit)
    assert (there["comment"], there["priority"]) == ("deres", 1)


def test_that_orders_and_ended_things_are_not_mixed_field_by_field(two: Two) -> None:
    order = two.both(two.plan, {"title": "x"}, {"title": "y", "description": "z"})
    ended = two.both(two.visit, {"status": "cancelled"}, {"status": "fulfilled", "comment": "z"})
    for op in (order, ended):
        with pytest.raises(UserProblem):
            two.a.engine.decide(op, "fields", NURSE, {"description": "mine"})


def test_that_what_i_wrote_last_is_shown_while_the_act_beneath_is_made_anew(two: Two) -> None:
    """The machine found it: the act made anew was laid on top, and hid what came after it."""
    two.a.change(two.visit, status="arrived")
    two.b.change(two.visit, comment="deres")
    later = two.a.change(two.visit, description="mitt siste")
    two.b.step()
    two.a.wire.fault = once_rebased_then_down(two.a)
    two.a.step()
    assert two.a.state(later) == "queued"
    assert two.a.get(two.visit)["description"] == "mitt siste"
    two.a.wire.fault = None
    two.settle()
    there = two.there(two.visit)
    assert (there["status"], there["comment"], there["description"]) == ("arrived", "deres", "mitt siste")


def once_rebased_then_down(
    station: Station,
) -> Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]:
    """The first act is answered and what stands there is read; then the plug is pulled."""
    sent = []

    def fault(request: httpx.Request, go_on: Callable[[], httpx.Response]) -> httpx.Response:
        if b'"transaction"' in request.content:
            sent.append(request)
        if len(sent) > 1:
            raise httpx.ConnectError("unplugged")
        return go_on()

    return fault
