"""A sick push is said in the strip, and the engine is told whether anybody can see the lists."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.events import Link, Push, SyncStatus
from tests.ui.conftest import sign_in
from tests.ui.station import NOW, FakeStation
from ui.shell.status_strip import truth

pytestmark = pytest.mark.window


def test_that_a_push_that_can_no_longer_be_trusted_is_said_in_plain_words_until_it_can(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.tell(SyncStatus(Link.FRESH, as_of=NOW, push=Push.SICK))
    qtbot.waitUntil(lambda: "hvert 10. sekund" in shell.work.strip.text)
    station.tell(SyncStatus(Link.FRESH, as_of=NOW, push=Push.LIVE))
    qtbot.waitUntil(lambda: "10. sekund" not in shell.work.strip.text)


def test_that_offline_and_paused_go_before_how_news_come() -> None:
    for worse in (
        SyncStatus(Link.OFFLINE, push=Push.SICK),
        SyncStatus(Link.WAITING, restored=True, push=Push.SICK),
    ):
        assert "10. sekund" not in truth(worse, NOW)


def test_that_the_lists_count_as_seen_only_while_somebody_can_see_them(
    window: Any, station: FakeStation, qtbot: Any
) -> None:
    assert not station.is_watched, "nobody is signed in"
    sign_in(window, qtbot)
    qtbot.waitUntil(lambda: station.is_watched)
    window.showMinimized()
    qtbot.waitUntil(lambda: not station.is_watched)
    window.showNormal()
    qtbot.waitUntil(lambda: station.is_watched)
    window.shell.lock()
    qtbot.waitUntil(lambda: not station.is_watched)
