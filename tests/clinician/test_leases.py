"""Who may read this PC, for how long without contact; and whose acts they are, whoever's session sends them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clinician.access.who import Who
from clinician.errors import Refused
from clinician.events import Link
from clinician.practice.clock import PracticeClock
from clinician.workstation import PRACTICE_PIN, Options, Workstation


@pytest.fixture
def station(folder: Path) -> Iterator[Workstation]:
    with Workstation.open(Options(folder)) as opened:
        opened.sync_once()
        yield opened


def sign_in(station: Workstation, at: int = 0) -> Who:
    assert station.info is not None
    others = sorted(row.key for row in station.staff() if row.key != station.info.practitioner_ref)
    person = [station.info.practitioner_ref, *others][at]
    return station.sign_in(person, station.workplace_ref, PRACTICE_PIN)


def complete_next(station: Workstation, who: Who) -> Any:
    query = station.registry.resolve("homecare", "modules.homecare.queries:my_day")
    day = station.run_query(
        query,
        practitioner_ref=who.practitioner_ref,
        workplace_ref=who.workplace_ref,
        day=station.clock.today(),
        now=station.clock.now(),
    )
    command = station.registry.resolve("homecare", "modules.homecare.commands:CompleteVisit")
    return station.run_command(command(day.next_key))


def cut(station: Workstation, is_cut: bool = True) -> None:
    for wire in station.wires:
        wire.is_cut = is_cut


def later(station: Workstation, **span: float) -> None:
    assert isinstance(station.clock, PracticeClock)
    station.clock.skip(timedelta(**span))


def agents(station: Workstation, op_id: str) -> list[str]:
    answer = station.engine.line.client.read(f"Provenance/{op_id}")
    return [agent["who"]["reference"] for agent in answer.raw()["agent"]]


def test_that_reading_locks_when_the_lease_is_over_and_sending_goes_on(station: Workstation) -> None:
    who = sign_in(station)
    cut(station)
    done = complete_next(station, who)
    later(station, hours=71)
    assert not station.sync_once().lease_over
    sign_in(station)
    later(station, hours=2)
    status = station.sync_once()
    assert status.lease_over
    assert status.waiting == 1
    with pytest.raises(Refused) as told:
        sign_in(station)
    assert "72 timer" in str(told.value.text)
    cut(station, is_cut=False)
    station.sync_now()
    status = station.sync_once()
    assert (status.link, status.waiting, status.lease_over) == (Link.FRESH, 0, False)
    assert agents(station, done.op_ids[0])
    sign_in(station)


def test_that_a_clock_set_back_and_a_restart_do_not_open_it(station: Workstation, folder: Path) -> None:
    cut(station)
    later(station, hours=73)
    assert station.sync_once().lease_over
    later(station, hours=-73)
    with pytest.raises(Refused):
        sign_in(station)
    station.close()
    with Workstation.open(Options(folder)) as again:
        cut(again)
        with pytest.raises(Refused):
            sign_in(again)


def test_that_the_municipality_may_shorten_it(folder: Path) -> None:
    (folder / "settings").mkdir(exist_ok=True)
    (folder / "settings" / "municipality.toml").write_text('[values]\n"access.offline_hours" = 12\n', "utf-8")
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
        cut(station)
        later(station, hours=13)
        with pytest.raises(Refused) as told:
            sign_in(station)
        assert "12 timer" in str(told.value.text)


def test_that_an_act_is_its_authors_whoevers_session_sends_it_and_signing_out_clears_nothing(
    station: Workstation,
) -> None:
    first = sign_in(station)
    cut(station)
    done = complete_next(station, first)
    station.sign_out()
    assert station.sync_once().waiting == 1
    second = sign_in(station, 1)
    assert second.practitioner_ref != first.practitioner_ref
    cut(station, is_cut=False)
    station.sync_now()
    assert station.sync_once().waiting == 0
    assert first.practitioner_ref in agents(station, done.op_ids[0])
    assert second.practitioner_ref not in agents(station, done.op_ids[0])
