"""A page that may be old says so over itself; one that is fresh has nothing over it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinician.events import Link, SyncStatus
from tests.ui.station import NOW, FakeStation

pytestmark = pytest.mark.window
FRESH = SyncStatus(Link.FRESH, as_of=NOW, all_sent=True)


def offline(minutes: float, **more: Any) -> SyncStatus:
    since = NOW - timedelta(minutes=minutes)
    return SyncStatus(Link.OFFLINE, as_of=since, offline_since=since, **more)


def test_that_a_short_break_shows_no_band(shell: Any, station: FakeStation, qtbot: Any) -> None:
    band = shell.work.stale
    station.tell(offline(1, waiting=1))
    qtbot.waitUntil(lambda: "Uten nett" in shell.work.strip.text or "1 venter" in shell.work.strip.text)
    assert not band.isVisible()


def test_that_a_long_break_says_since_when_what_is_known_and_how_many_wait(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    band = shell.work.stale
    station.tell(offline(3, waiting=4))
    qtbot.waitUntil(band.isVisible)
    assert "10:39" in band.text
    assert "4" in band.text
    assert band.state.label.property("tone") == "warn"
    station.tell(offline(14))
    qtbot.waitUntil(lambda: band.state.label.property("tone") == "danger")
    station.tell(FRESH)
    qtbot.waitUntil(lambda: not band.isVisible())


def test_that_nothing_is_said_before_the_first_try(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.tell(SyncStatus(Link.OFFLINE, waiting=7))
    qtbot.waitUntil(lambda: "7" in shell.work.strip.text)
    assert not shell.work.stale.isVisible()
    station.tell(SyncStatus(Link.OFFLINE, offline_since=NOW))
    qtbot.waitUntil(shell.work.stale.isVisible)
    assert "aldri" in shell.work.stale.text


def test_that_a_record_that_answers_but_gives_nothing_whole_is_not_shown_as_fresh(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.tell(SyncStatus(Link.WAITING, as_of=NOW - timedelta(minutes=20)))
    qtbot.waitUntil(shell.work.stale.isVisible)
    assert "10:22" in shell.work.stale.text


def test_that_a_pc_whose_clock_is_behind_does_not_hide_the_age(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    """The PC shows 10:42, the record 11:42; what is an hour old by the record is not fresh."""
    station.tell(SyncStatus(Link.WAITING, as_of=NOW, clock_ahead=timedelta(hours=1)))
    qtbot.waitUntil(shell.work.stale.isVisible)


def test_that_the_way_to_the_outbox_is_a_button(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.tell(offline(3, waiting=4))
    qtbot.waitUntil(shell.work.stale.isVisible)
    shell.work.stale.findChild(object, "shell.stale.outbox").click()
    assert shell.place == "page:outbox"
