"""Two PCs with one disk: each act arrives once, both come to rest, and it is said."""

from __future__ import annotations

import shutil

import pytest

from clinician.cache.acts import ActState
from tests.clinician.sync.test_conflict import Two
from tests.clinician.sync.test_upload import drop_answer, on_transactions
from tests.clinician.sync.world import Station, World, new_id


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def cloned(two: Two) -> tuple[Station, list[str]]:
    """A copy of A's disk in the middle of an offline night, with a chain, a note and a measurement queued."""
    two.a.wire.down = True
    ops = [two.a.change(two.visit, status="arrived"), two.a.change(two.visit, status="fulfilled")]
    for type_, more in (("Communication", {"status": "completed"}), ("Observation", {"status": "final"})):
        raw = {"resourceType": type_, "id": new_id(), "subject": {"reference": two.patient}, **more}
        ops.append(two.a.act(raw | ({"code": {"text": "puls"}} if type_ == "Observation" else {})))
    two.a.step()
    two.a.wire.down = False
    two.a.close()
    shutil.copytree(two.world.folder / "a", two.world.folder / "copy")
    two.a.open()
    return two.world.station("copy"), ops


def at_rest(two: Two, *stations: Station) -> None:
    for _ in range(4):
        two.world.tick(70)
        for station in stations:
            station.step()


def test_that_what_a_copied_disk_holds_twice_arrives_once(two: Two) -> None:
    copy, ops = cloned(two)
    written = {ref for op in ops for ref in two.a.write(lambda w, op=op: w.outbox.get(op)).refs}
    before = two.world.history(two.visit)
    at_rest(two, two.a, copy)
    for op in ops:
        assert two.a.state(op) == copy.state(op) == ActState.APPLIED
        assert two.world.history(f"Provenance/{op}") == 1
    assert two.world.history(two.visit) == before + 2
    assert all(two.world.history(ref) == 1 for ref in written - {two.visit})
    assert two.a.engine.status().all_sent and copy.engine.status().all_sent
    assert two.a.get(two.visit) == copy.get(two.visit) == two.there(two.visit)


def test_that_it_is_said_where_it_is_seen_and_only_there(two: Two) -> None:
    copy, _ops = cloned(two)
    at_rest(two, two.a)
    assert not two.a.engine.status().twin
    at_rest(two, copy)
    assert copy.engine.status().twin and copy.engine.status().all_sent


def test_that_copies_that_send_by_turns_are_both_right(two: Two) -> None:
    copy, _ops = cloned(two)
    at_rest(two, two.a, copy)
    mine, theirs = (
        two.a.change(two.visit, comment="fra den ene"),
        copy.change(two.task, description="fra den andre"),
    )
    at_rest(two, two.a, copy)
    assert (two.a.state(mine), copy.state(theirs)) == ("applied", "applied")
    assert two.a.get(two.task) == copy.get(two.task) and two.a.get(two.visit) == copy.get(two.visit)


def test_that_a_lost_answer_is_not_taken_for_a_copy(two: Two) -> None:
    two.a.wire.fault = on_transactions(drop_answer)
    op = two.a.change(two.visit, status="arrived")
    at_rest(two, two.a)
    assert two.a.state(op) == ActState.APPLIED and not two.a.engine.status().twin
