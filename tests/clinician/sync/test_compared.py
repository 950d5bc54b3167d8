"""What was only partly fetched is no comparison of ids."""

from __future__ import annotations

import httpx

from clinician.events import Link
from tests.clinician.sync.test_download import Answer, small_pages
from tests.clinician.sync.world import World, first, patient_with_visits


def test_that_a_start_compares_everything_although_somebody_new_was_filled(world: World) -> None:
    world.load(patient_with_visits(2))
    a = world.station()
    a.step()
    gone = f"Task/{a.all('Task')[0]['id']}"
    a.restart()
    answer = world.direct.request("DELETE", gone)
    assert answer.status in (200, 204)
    more = patient_with_visits(1)
    world.load(more)
    a.engine.bring([first(more, "Patient")])
    a.step()
    assert a.get(gone) is None
    assert a.get(first(more, "Task")) is not None
    assert a.step().link is Link.FRESH


def test_that_a_first_download_that_was_cut_off_is_compared_when_it_is_whole(world: World) -> None:
    raws = [raw for _ in range(8) for raw in patient_with_visits(1)]
    for raw in raws:
        world.load([raw])
        world.tick(0.01)
    world.tick(5)
    gone = first(raws, "Task")
    a = world.station()
    narrow = small_pages(3)

    def cut(request: httpx.Request, go_on: Answer) -> httpx.Response:
        if a.wire.log.count(("POST", "/Task/_search")) > 2:
            raise httpx.ReadError("cut")
        return narrow(request, go_on)

    a.wire.fault = cut
    assert a.step().link is Link.OFFLINE
    assert a.get(gone) is not None
    a.restart()
    assert world.direct.request("DELETE", gone).status in (200, 204)
    world.tick(3600)
    a.wire.fault = None
    assert a.step().link is Link.FRESH
    assert a.get(gone) is None
