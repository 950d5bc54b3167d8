"""Whole rounds against the embedded record."""

from __future__ import annotations

from clinician.events import Link
from tests.clinician.sync.world import World, first, patient_with_visits


def test_that_a_first_round_fetches_the_workplace_and_says_fresh(world: World) -> None:
    people = [patient_with_visits(2) for _ in range(3)]
    for raws in people:
        world.load(raws)
    stranger = patient_with_visits(1, status="finished")
    world.load(stranger)
    a = world.station()
    status = a.step()
    assert status.link is Link.FRESH and status.all_sent and status.as_of is not None
    assert len(a.all("Patient")) == 3 and len(a.all("Appointment")) == 6 and len(a.all("Task")) == 6
    assert len(a.all("Practitioner")) == 1
    assert a.get(first(stranger, "Appointment")) is None


def test_that_a_round_without_news_is_one_request(world: World) -> None:
    world.load(patient_with_visits(1))
    a = world.station()
    a.step()
    world.tick(300)
    a.step()
    a.wire.log.clear()
    world.tick(30)
    before = a.client.bytes_out
    a.step()
    assert a.wire.log == [("POST", "/")]
    assert a.client.bytes_out - before < 5000


def test_that_a_visit_signed_on_one_pc_is_on_the_other(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a, b = world.station("a"), world.station("b")
    a.step(), b.step()
    visit = first(raws, "Appointment")
    op = a.change(visit, status="fulfilled")
    world.tick()
    assert a.step().all_sent
    assert a.state(op) == "applied"
    b.step()
    assert b.get(visit)["status"] == "fulfilled"  # type: ignore[index]  # a KeyError is the failure
