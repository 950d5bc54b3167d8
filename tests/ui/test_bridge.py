"""Engine events become Qt signals: the first at once, the rest gathered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clinician.events import CacheChanged, Events, Link, SignedIn, SyncStatus
from ui.bridge import Bridge


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def bridge(qapp: Any, events: Events) -> Iterator[Bridge]:
    found = Bridge(events)
    yield found
    found.close()


def test_that_many_changes_become_two_signals_and_lose_nothing(
    bridge: Bridge, events: Events, qtbot: Any
) -> None:
    got: list[CacheChanged] = []
    here = threading.get_ident()
    on_gui: list[bool] = []
    bridge.cache_changed.connect(
        lambda change: (got.append(change), on_gui.append(threading.get_ident() == here))
    )

    def publish() -> None:
        for number in range(100):
            events.publish(CacheChanged(frozenset({f"Task/{number}"}), frozenset({"Task"})))

    worker = threading.Thread(target=publish)
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: len(frozenset().union(*(change.refs for change in got))) == 100)
    assert len(got) <= 3
    assert all(on_gui)


def test_that_an_echo_is_only_an_echo_when_nothing_else_came(
    bridge: Bridge, events: Events, qtbot: Any
) -> None:
    with qtbot.waitSignal(bridge.cache_changed) as first:
        events.publish(CacheChanged(frozenset({"Task/1"}), frozenset({"Task"}), "op-1"))
    assert first.args[0].origin == "op-1"
    with qtbot.waitSignal(bridge.cache_changed) as second:
        events.publish(CacheChanged(frozenset({"Task/1"}), frozenset({"Task"}), "op-2"))
        events.publish(CacheChanged(frozenset({"Task/2"}), frozenset({"Task"})))
    assert second.args[0].origin == ""


def test_that_the_latest_status_wins(bridge: Bridge, events: Events, qtbot: Any) -> None:
    got: list[SyncStatus] = []
    bridge.sync_status.connect(got.append)
    for waiting in range(30):
        events.publish(SyncStatus(Link.WAITING, waiting=waiting))
    qtbot.waitUntil(lambda: bool(got) and got[-1].waiting == 29)
    assert len(got) <= 3


def test_that_a_sign_in_is_told_at_once_and_a_closed_bridge_hears_nothing(
    bridge: Bridge, events: Events, qtbot: Any
) -> None:
    with qtbot.waitSignal(bridge.signed_in):
        events.publish(SignedIn("Practitioner/1"))
    bridge.close()
    with qtbot.assertNotEmitted(bridge.cache_changed, wait=200):
        events.publish(CacheChanged(frozenset({"Task/1"}), frozenset({"Task"})))
