"""The whole engine on a record that misbehaves: what must come comes, what cannot is set aside and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from clinician.cache.synced import Evidence, SyncedRow, Why
from clinician.clock import FrozenClock
from clinician.errors import RecordTrouble
from clinician.events import Link
from clinician.fhir.reference import Raw
from clinician.sync import restored
from clinician.sync.by_id import fetch
from clinician.sync.plan import SyncRule
from tests.clinician.sync.world import Station, first, new_id, outside, patient_with_visits
from tests.hazards.hazards import Hazards
from tests.hazards.world import HazardWorld

FHIR = {"content-type": "application/fhir+json"}
RULES = (
    SyncRule("Appointment", "", priority=5),
    SyncRule("Task", "", priority=6),
    SyncRule("Observation", ""),
)
Go = Callable[[], httpx.Response]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HazardWorld]:
    made = HazardWorld(tmp_path)
    yield made
    made.close()


def loaded(world: HazardWorld, visits: int = 4) -> list[Raw]:
    raws = patient_with_visits(visits)
    world.load(raws)
    return raws


def station(world: HazardWorld) -> Station:
    made = world.station(rules=RULES)
    assert isinstance(world.clock, FrozenClock)
    return made


def quarantined(a: Station) -> dict[str, str]:
    return {found.ref: found.reason for found in a.write(lambda w: w.trail.quarantined())}


def manifest_next(a: Station) -> None:
    a.engine.cadence.full = None
    a.step()


def mine(a: Station, raws: list[Raw], type_: str) -> set[str]:
    wanted = {raw["id"] for raw in raws if raw["resourceType"] == type_}
    return wanted - {raw["id"] for raw in a.all(type_)}


# pages that hold something odd -----------------------------------------------------------------


@pytest.mark.parametrize("how", ["types", "no id", "surrogate", "long id", "json"])
@pytest.mark.parametrize("late", [False, True], ids=["first download", "delta"])
def test_that_a_poisoned_resource_is_set_aside_and_the_page_goes_on(
    world: HazardWorld, how: str, late: bool
) -> None:
    raws = loaded(world)
    a = station(world)
    bad = first(raws, "Task")
    if late:
        a.step()
        world.tick(200)
        for raw in raws:
            world.load([{**raw, "language": "nb"}])
    world.record.switch(poisoned={bad: how})
    assert a.step().link is Link.FRESH
    missing = mine(a, raws, "Task")
    assert missing == (set() if late else {bad.partition("/")[2]})
    assert all(raw.get("language") == "nb" for raw in a.all("Appointment")) is late
    assert how in ("no id", "long id") or bad in quarantined(a)
    world.record.switch(poisoned={})
    manifest_next(a)
    assert not mine(a, raws, "Task")


@pytest.mark.parametrize("late", [False, True], ids=["first download", "delta"])
def test_that_a_resource_of_50_megabytes_is_refused_and_named_and_stops_nothing(
    world: HazardWorld, late: bool
) -> None:
    raws = loaded(world)
    a = station(world)
    big = first(raws, "Observation")
    if late:
        a.step()
        world.tick(200)
        for raw in raws:
            world.load([{**raw, "language": "nb"}])
    world.record.switch(huge={big: 50 * 1024 * 1024})
    assert a.step().link is Link.FRESH
    assert "bytes" in quarantined(a)[big]
    assert not mine(a, raws, "Task") and not mine(a, raws, "Appointment")
    assert all(raw.get("language") == "nb" for raw in a.all("Task")) is late


@pytest.mark.parametrize("hazard", ["empty_page_first", "endless_next", "lying_totals", "unknown_elements"])
def test_that_odd_pages_bring_everything_in_download_delta_and_manifest(
    world: HazardWorld, hazard: str
) -> None:
    raws = loaded(world)
    world.record.switch(largest_count=3, **{hazard: True})
    a = station(world)
    assert a.step().link is Link.FRESH
    assert not mine(a, raws, "Task") and not mine(a, raws, "Observation")
    world.tick(200)
    more = loaded(world, visits=7)
    world.load({**raw, "status": "cancelled"} for raw in raws if raw["resourceType"] == "Appointment")
    a.step()
    a.step()
    manifest_next(a)
    assert not mine(a, more, "Task")
    assert {raw["status"] for raw in a.all("Appointment")} == {"cancelled", "booked"}


ODD: list[dict[str, Any]] = [{}, {"empty_page_first": True}, {"empty_page_first": True, "endless_next": True}]


@pytest.mark.parametrize("odd", ODD, ids=["plain", "empty page first", "and without an end"])
def test_that_what_always_comes_cut_short_is_read_one_by_one(world: HazardWorld, odd: dict[str, Any]) -> None:
    world.record.switch(subsetted=1.0, largest_count=3, **odd)
    raws = loaded(world)
    a = station(world)
    a.step()
    a.step()
    assert not mine(a, raws, "Task")
    world.tick(200)
    world.load({**raw, "status": "cancelled"} for raw in raws if raw["resourceType"] == "Appointment")
    a.step()
    assert {raw["status"] for raw in a.all("Appointment")} == {"cancelled"}
    assert all("description" in raw for raw in a.all("Task"))


def gone(request: httpx.Request) -> bool:
    return request.url.path.startswith("/Task/") and not request.url.path.endswith("_search")


def test_that_a_record_that_gives_fewer_than_it_says_is_followed(world: HazardWorld) -> None:
    raws = loaded(world, 9)
    a = station(world)
    a.step()
    world.record.switch(largest_count=2)
    tasks = [f"Task/{raw['id']}" for raw in raws if raw["resourceType"] == "Task"]
    assert len(fetch(a.engine.line, tasks)) == len(tasks) == 9


@pytest.mark.parametrize("odd", ODD, ids=["plain", "empty page first", "and without an end"])
def test_that_a_search_by_ids_ends_also_where_one_of_them_is_gone(
    world: HazardWorld, odd: dict[str, Any]
) -> None:
    raws = loaded(world, 9)
    a = station(world)
    a.step()
    world.record.switch(largest_count=2, **odd)
    tasks = [f"Task/{raw['id']}" for raw in raws if raw["resourceType"] == "Task"]
    assert len(fetch(a.engine.line, [*tasks, f"Task/{new_id()}"])) == len(tasks) == 9


def test_that_what_a_search_by_ids_never_gives_is_read_one_by_one(world: HazardWorld) -> None:
    """Each of its pages is empty and names another: HAPI #7711."""
    raws = loaded(world, 3)
    a = station(world)
    a.step()
    pages = count()

    def nothing(request: httpx.Request, go: Go) -> httpx.Response:
        if b"_id=" not in request.content and "_getpages" not in str(request.url):
            return go()
        link = f'{{"relation":"next","url":"http://record.local?_getpages={next(pages)}"}}'
        return outside(
            200, f'{{"resourceType":"Bundle","type":"searchset","link":[{link}]}}'.encode(), **FHIR
        )

    a.wire.fault = nothing
    tasks = [f"Task/{raw['id']}" for raw in raws if raw["resourceType"] == "Task"]
    assert {f"{row.type}/{row.id}" for row in fetch(a.engine.line, tasks)} == set(tasks)
    assert next(pages) < 10


def test_that_what_vanishes_between_list_and_reading_is_left_out(world: HazardWorld) -> None:
    world.record.switch(subsetted=1.0)
    raws = loaded(world, 1)
    a = station(world)
    a.wire.fault = lambda request, go: outside(404, b"{}", **FHIR) if gone(request) else go()
    a.step()
    assert mine(a, raws, "Task")


# links that lead nowhere -----------------------------------------------------------------------


def one_stamp(world: HazardWorld, count: int) -> list[Raw]:
    raws = loaded(world, 1)
    patient = first(raws, "Patient")
    made = [
        {
            "resourceType": "Observation",
            "id": new_id(),
            "status": "final",
            "code": {"text": "puls"},
            "subject": {"reference": patient},
        }
        for _ in range(count)
    ]
    world.record.write(made, late=0.0)
    return [*raws, *made]


def test_that_a_page_that_expires_is_asked_for_once_more(world: HazardWorld) -> None:
    world.record.switch(largest_count=4, expired_pages=0.5)
    raws = one_stamp(world, 15)
    a = station(world)
    for _ in range(6):
        a.step()
    assert not mine(a, raws, "Observation")


def test_that_links_that_never_lead_anywhere_are_said_and_lose_nothing(world: HazardWorld) -> None:
    world.record.switch(largest_count=4, expired_pages=1.0)
    raws = one_stamp(world, 15)
    a = station(world)
    a.step()
    manifest_next(a)
    assert a.engine.status().link is not Link.FRESH and a.engine.status().as_of is None
    world.record.switch(expired_pages=0.0)
    a.step()
    assert not mine(a, raws, "Observation")
    world.record.switch(expired_pages=1.0)
    world.tick(200)
    manifest_next(a)
    assert not mine(a, raws, "Observation")


def busy_at(a: Station, is_it: Callable[[httpx.Request], bool]) -> None:
    a.wire.fault = lambda request, go: outside(429, b"{}", **FHIR) if is_it(request) else go()


@pytest.mark.parametrize("which", ["follow", "batch", "by id", "manifest's link", "alone"])
def test_that_a_busy_record_is_left_alone_wherever_it_says_so(world: HazardWorld, which: str) -> None:
    world.record.switch(largest_count=4)
    raws = one_stamp(world, 9)
    a = station(world)
    a.step()
    assert a.engine.status().link is Link.FRESH
    world.tick(200)
    world.record.write(
        [{**raw, "language": "nb"} for raw in raws if raw["resourceType"] == "Observation"], late=0.0
    )
    if which == "alone":
        world.record.switch(poisoned={first(raws, "Observation"): "json"})
    refused = {
        "follow": lambda r: "_getpages" in str(r.url),
        "batch": lambda r: r.method == "POST" and r.url.path == "/",
        "by id": lambda r: r.url.path.endswith("_search") and b"_id=" in r.content,
        "manifest's link": lambda r: "_getpages" in str(r.url),
        "alone": lambda r: r.url.path == "/Observation/_search",
    }
    if which == "by id":
        a.step()
        world.tick(200)
        a.write(lambda w: w.remove_synced(first(raws, "Task"), _evidence(world)))
    if which == "manifest's link":
        world.tick(-200)
    busy_at(a, refused[which])
    manifest_next(a)
    assert a.engine.status().link is not Link.FRESH
    a.wire.fault = None
    world.record.switch(poisoned={})
    world.tick(120)
    a.step()
    manifest_next(a)
    assert not mine(a, raws, "Observation") and not mine(a, raws, "Task")


def _evidence(world: HazardWorld) -> Any:
    return Evidence(Why.OUT_OF_SCOPE, world.clock.now())


def test_that_a_record_broken_for_every_key_is_told_as_away(world: HazardWorld) -> None:
    loaded(world)
    a = station(world)
    a.step()
    a.wire.fault = lambda request, go: outside(500, b"{}", **FHIR) if request.method == "POST" else go()
    assert a.step().link is Link.OFFLINE


def test_that_reading_by_id_gives_up_on_a_record_in_trouble(world: HazardWorld) -> None:
    loaded(world)
    a = station(world)
    a.step()
    a.wire.fault = lambda request, go: outside(500, b"{}", **FHIR)
    with pytest.raises(RecordTrouble):
        fetch(a.engine.line, [f"Task/{new_id()}" for _ in range(90)])
    assert len([path for _, path in a.wire.log if path == "/Task/_search"]) < 60


# time ------------------------------------------------------------------------------------------


def test_that_a_clock_set_back_costs_a_comparison_and_loses_nothing(world: HazardWorld) -> None:
    raws = loaded(world)
    world.record.jump = 900.0
    a = station(world)
    a.step()
    world.tick(30)
    a.step()
    world.record.jump = 0.0
    task = first(raws, "Task")
    world.tick(30)
    world.load([{**next(raw for raw in raws if raw["id"] == task[5:]), "status": "completed"}])
    world.tick(30)
    a.step()
    assert (a.get(task) or {})["status"] == "completed"
    assert a.engine.status().as_of is not None and not a.engine.status().restored


def test_that_a_commit_later_than_any_overlap_is_healed_by_the_next_comparison(world: HazardWorld) -> None:
    raws = loaded(world)
    a = station(world)
    a.step()
    observation = next(raw for raw in raws if raw["resourceType"] == "Observation")
    world.record.write([{**observation, "status": "amended"}], late=20 * 3600.0)
    for _ in range(6):
        world.tick(4 * 3600 - 60)
        a.engine.cadence.full = a.engine.cadence.quick = world.clock.monotonic()
        a.step()
    assert (a.get(f"Observation/{observation['id']}") or {})["status"] == "final"
    manifest_next(a)
    assert (a.get(f"Observation/{observation['id']}") or {})["status"] == "amended"


def test_that_nodes_far_apart_widen_the_overlap(world: HazardWorld) -> None:
    loaded(world)
    a = station(world)
    a.step()
    assert a.write(a.engine.line.overlap) == timedelta(seconds=125)
    world.record.switch(node_skew=(-10.0, 10.0))
    world.record.version = "2.0"
    a.restart()
    a.step()
    assert timedelta(seconds=157) <= a.write(a.engine.line.overlap) <= timedelta(seconds=165)


# a record that went back -----------------------------------------------------------------------


def test_that_a_restored_record_freezes_sending_and_is_followed_even_where_versions_come_again(
    world: HazardWorld,
) -> None:
    raws = loaded(world)
    again, later, back = [f"Task/{raw['id']}" for raw in raws if raw["resourceType"] == "Task"][:3]
    body = {f"Task/{raw['id']}": raw for raw in raws if raw["resourceType"] == "Task"}
    a = station(world)
    a.step()
    world.record.back_up()
    world.tick(60)
    for ref in (again, later, back):
        world.load([{**body[ref], "status": "in-progress"}])
    extra = loaded(world, 1)
    a.step()
    assert (a.get(again) or {})["status"] == "in-progress"
    world.tick(300)
    world.record.restore()
    world.load([{**body[again], "status": "cancelled"}])  # version 2 once more, with other content
    world.tick(30)
    a.step()
    assert a.engine.status().restored
    assert (a.get(again) or {})["status"] == "cancelled"
    assert (a.get(back) or {})["status"] == "ready" and (a.get(later) or {})["status"] == "ready"
    assert a.get(first(extra, "Task")) is None
    op = a.change(later, status="accepted")
    a.step()
    assert a.state(op) == "queued"
    world.load(extra)  # the same ids from version 1 again, beyond the tombstones
    a.step()
    a.step()
    a.engine.resume()
    a.step()
    assert a.state(op) == "applied" and not a.engine.status().restored
    manifest_next(a)
    assert a.get(first(extra, "Patient")) is not None


def test_that_following_a_restore_goes_on_where_it_was_cut_off(world: HazardWorld) -> None:
    loaded(world)
    a = station(world)
    a.step()
    restored.begin(a.engine.line, a.engine._ready_marks)
    a.wire.fault = lambda request, go: outside(503, b"{}", **FHIR) if "_search" in request.url.path else go()
    a.step()
    assert a.write(restored.is_under_way)
    a.wire.fault = None
    world.tick(120)
    a.step()
    assert not a.write(restored.is_under_way) and a.engine.status().restored


@pytest.mark.parametrize("case", ["same", "gone here", "deleted", "lower", "vanished", "no stamp"])
def test_that_the_record_is_asked_before_it_is_held_to_be_restored(world: HazardWorld, case: str) -> None:
    raws = loaded(world)
    if case == "no stamp":
        world.record.switch(opaque_versions=True)
        raws = loaded(world)
    a = station(world)
    a.step()
    task = next(raw for raw in raws if raw["resourceType"] == "Task")
    ref = f"Task/{task['id']}"
    match case:
        case "gone here":
            a.write(lambda w: w.remove_synced(ref, _evidence(world)))
        case "deleted":
            world.record.write([], gone=[("Task", task["id"])], late=0.0)
        case "lower":
            row = SyncedRow("Task", task["id"], "9", world.clock.now(), _body(task, "9", world))
            a.write(lambda w: w.put_synced([row]))
        case "vanished":
            ref = f"Task/{new_id()}"
        case "no stamp":
            row = SyncedRow(
                "Task", task["id"], "zz", world.clock.now() + timedelta(seconds=3), _body(task, "zz", world)
            )
            a.write(lambda w: w.put_synced([row]))
    a.engine.line.older.add(ref)
    assert restored.is_true(a.engine.line) is (case in ("lower", "vanished"))
    if case in ("same", "gone here", "no stamp"):
        assert (a.get(ref) or {})["meta"]["versionId"] == world.record.there(ref)["meta"]["versionId"]


def _body(task: Raw, version: str, world: HazardWorld) -> bytes:
    stamp = (world.clock.now() + timedelta(seconds=3)).isoformat()
    return orjson.dumps({**task, "meta": {"versionId": version, "lastUpdated": stamp}})


def test_that_a_row_of_a_stranger_does_not_stay(world: HazardWorld) -> None:
    """A page shows what a resource is by then: it may have moved to somebody who is not of this workplace."""
    raws = loaded(world)
    a = station(world)
    a.step()
    stranger = patient_with_visits(1)
    task = next(raw for raw in stranger if raw["resourceType"] == "Task")
    world.load([raw for raw in stranger if raw["resourceType"] in ("Patient", "Task")])
    row = SyncedRow(
        "Task", task["id"], "1", world.clock.now(), world.record.shelf.current["Task", task["id"]].body
    )
    a.write(lambda w: w.put_synced([row]))
    manifest_next(a)
    assert a.get(f"Task/{task['id']}") is None and not mine(a, raws, "Task")


# acts on such a record -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hazards",
    [
        Hazards(conflict_status=409),
        Hazards(opaque_versions=True),
        Hazards(absolute_references=True),
        Hazards(node_skew=(-1.5, 1.5), opaque_versions=True, unchanged_put_bumps=False, takes_gzip=True),
    ],
    ids=["409", "opaque", "absolute", "nodes"],
)
def test_that_acts_arrive_and_conflicts_are_seen(tmp_path: Path, hazards: Hazards) -> None:
    world = HazardWorld(tmp_path, hazards)
    raws = loaded(world)
    a = station(world)
    a.step()
    task, visit = first(raws, "Task"), first(raws, "Appointment")
    done = a.change(task, status="completed")
    world.tick(10)
    a.step()
    assert a.state(done) == "applied" and (world.there(task) or {})["status"] == "completed"
    world.load([{**next(raw for raw in raws if raw["id"] == visit.partition("/")[2]), "status": "cancelled"}])
    lost = a.change(visit, status="fulfilled")
    world.tick(10)
    a.step()
    assert a.state(lost) == "conflict" and (world.there(visit) or {})["status"] == "cancelled"
    world.tick(10)
    assert not a.step().restored
    world.close()
