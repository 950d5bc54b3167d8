"""A real engine over TCP through every fault: a clear state, nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from clinician.cache.acts import ActState
from clinician.events import Link
from tests.faults.proxy import CUTS, FAULTS
from tests.faults.scene import SHORT, Scene, WiredStation, is_act, patience


def told_the_truth(station: WiredStation) -> None:
    for status in station.statuses:
        assert not (status.waiting and status.all_sent), "'all sent' while something waits"
        assert not (status.waiting and status.link is Link.FRESH), "fresh while something waits"


def all_there_once(scene: Scene, station: WiredStation, ops: list[str]) -> None:
    assert station.unfinished() == []
    assert station.applied() >= set(ops)
    assert Counter(scene.notes()) == Counter(f"note {number}" for number in range(len(ops)))
    assert [scene.history(f"Provenance/{op}") for op in ops] == [1] * len(ops)
    told_the_truth(station)


@pytest.mark.parametrize("fault", FAULTS)
def test_that_an_act_through_a_fault_arrives_once(scene: Scene, fault: str) -> None:
    station = scene.wired("a", patience(fault))
    assert station.settle().link is Link.FRESH
    scene.proxy.wants = is_act
    ops = [station.act(scene.note(f"note {number}")) for number in range(3)]
    scene.proxy.plan(fault, fault)
    station.step()
    assert scene.proxy.tally[fault] >= 1
    status = station.settle()
    assert status.all_sent and status.link is Link.FRESH
    all_there_once(scene, station, ops)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("duplicate", "reorder")])
def test_that_questions_through_a_fault_lose_nothing(scene: Scene, fault: str) -> None:
    """The fault meets a question: of the profile, of what changed, of ids."""
    station = scene.wired("a", patience(fault))
    scene.load([scene.note("somebody else's")])
    for _ in range(3):
        scene.proxy.plan(fault)
        station.step()
        scene.tick(61)
    assert scene.proxy.tally[fault] == 3
    assert station.settle().link is Link.FRESH
    assert [raw["payload"][0]["contentString"] for raw in station.all("Communication")] == ["somebody else's"]


def test_that_a_first_sync_through_every_fault_ends_whole(scene: Scene) -> None:
    station = scene.wired("new", SHORT)
    scene.proxy.plan(*FAULTS)
    for _ in FAULTS:
        station.step()
        scene.tick(61)
    scene.proxy.calm()
    status = station.settle()
    assert status.link is Link.FRESH and not status.restored
    for type_ in ("Patient", "Appointment", "Task", "Observation", "CarePlan"):
        there = scene.direct.search(type_, "_count=100").raw()["entry"]
        assert {raw["id"] for raw in station.all(type_)} == {entry["resource"]["id"] for entry in there}


def test_that_a_token_that_runs_out_in_the_middle_of_a_pass_loses_nothing(scene: Scene) -> None:
    station = scene.wired("a")
    station.settle()
    ops = [station.act(scene.note(f"note {number}")) for number in range(3)]
    for _ in range(3):
        scene.proxy.plan("401", "401")
        status = station.step()
        scene.tick(30)
        assert not status.all_sent and status.refused == 0, "an act is held, not refused"
    scene.proxy.calm()
    station.settle()
    all_there_once(scene, station, ops)


@pytest.mark.parametrize("way", [way for way in CUTS if way])
def test_that_acts_of_a_partition_arrive_once_after_it(scene: Scene, way: str) -> None:
    station = scene.wired("a", patience(way))
    station.settle()
    scene.proxy.cut(way)
    ops = [station.act(scene.note(f"note {number}")) for number in range(3)]
    status = station.step()
    assert status.link is Link.OFFLINE and status.waiting == 3
    scene.proxy.cut("")
    assert station.settle().all_sent
    all_there_once(scene, station, ops)


def test_that_two_workstations_see_who_was_first_whatever_is_lost(scene: Scene) -> None:
    """The same visit changed on both, each fault on each one's act: one stands, the other is a visible conflict."""
    a, b = scene.wired("a"), scene.wired("b")
    a.settle(), b.settle()
    for number, (fault, late) in enumerate(product(("commit and drop", "reorder"), (a, b))):
        first, second = (b, a) if late is a else (a, b)
        scene.proxy.wants = is_act
        mine = first.change(scene.visit, comment=f"first {number}")
        yours = second.change(scene.visit, comment=f"second {number}")
        scene.proxy.plan(fault)
        for station in (first, second, first, second):
            scene.tick(61)
            station.step()
        first.settle(), second.settle()
        states = Counter(station.state(op) for station, op in ((first, mine), (second, yours)))
        assert states == {ActState.APPLIED: 1, ActState.CONFLICT: 1}
        for station, op in ((first, mine), (second, yours)):
            if station.state(op) == ActState.CONFLICT:
                assert station.conflicts_of(op)
                station.engine.decide(op, "theirs", "Practitioner/kari")
        first.settle(), second.settle(), first.settle()
        assert a.get(scene.visit) == b.get(scene.visit)
