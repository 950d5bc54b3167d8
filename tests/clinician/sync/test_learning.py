"""What a record can do is asked at first, each night, when it changes, and when a person doubts."""

from __future__ import annotations

from datetime import timedelta

from clinician.sync.rounds import NIGHTLY
from tests.clinician.sync.world import Station, World, first, patient_with_visits


def probes(station: Station) -> int:
    """How many times scratch resources were put since the last look."""
    made = sum(method == "PUT" and path.startswith("/Basic/") for method, path in station.wire.log)
    station.wire.log.clear()
    return made


def test_that_a_pc_started_every_morning_asks_again_after_a_day(world: World) -> None:
    a = world.station()
    a.step()
    assert probes(a)
    a.restart()
    a.step()
    a.step()
    assert not probes(a)
    world.clock.advance(timedelta(seconds=NIGHTLY + 1))
    a.restart()
    a.step()
    a.step()
    assert probes(a)


def test_that_a_profile_without_a_time_is_made_anew(world: World) -> None:
    a = world.station()
    a.step()
    stored = a.write(lambda writing: writing.marks.profile())
    a.write(lambda writing: writing.marks.set_profile(stored | {"checked_at": ""}))
    probes(a)
    a.restart()
    a.step()
    a.step()
    assert probes(a)


def test_that_a_person_who_doubts_has_the_record_asked_and_every_id_compared(world: World) -> None:
    raws = patient_with_visits(1)
    world.load(raws)
    a = world.station()
    a.step()
    a.step()
    probes(a)
    visit = first(raws, "Appointment")
    gone = world.direct.request("DELETE", visit)
    assert gone.status in (200, 204)
    a.step()
    assert a.get(visit) is not None, "a delta cannot show what was deleted"
    a.engine.look_closely()
    a.step()
    assert probes(a)
    assert a.get(visit) is None
