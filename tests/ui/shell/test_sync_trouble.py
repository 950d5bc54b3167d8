"""What sync cannot mend by itself is said to the person who can do something, once, with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.events import Link, SyncStatus
from clinician.modulekit.context import Kind
from tests.ui.conftest import sign_in
from tests.ui.station import NOW, FakeStation

pytestmark = pytest.mark.window
RESTORED = SyncStatus(Link.WAITING, as_of=NOW, waiting=2, restored=True)
OVERDUE = SyncStatus(Link.WAITING, as_of=NOW, waiting=2, overdue=True)
WELL = SyncStatus(Link.FRESH, as_of=NOW, all_sent=True)


def said(shell: Any) -> list[str]:
    return [str(message.words) for message in shell.desk.messages.messages]


def test_that_a_restored_record_tells_whom_to_ask(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.tell(RESTORED)
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    assert "Jonas Hauge" in said(shell)[0]
    message = shell.desk.messages.current
    assert message.kind is Kind.DANGER
    shell.desk.messages.act()
    assert shell.place == "page:outbox"
    assert ("resume_sync",) not in station.calls


def test_that_a_superuser_lets_sending_go_on(window: Any, station: FakeStation, qtbot: Any) -> None:
    sign_in(window, qtbot, "jonas")
    station.tell(RESTORED)
    qtbot.waitUntil(lambda: len(said(window.shell)) == 1)
    window.shell.desk.messages.act()
    qtbot.waitUntil(lambda: ("resume_sync",) in station.calls)
    assert not said(window.shell)


def test_that_it_is_said_once_to_each_person_and_goes_when_mended(
    window: Any, station: FakeStation, qtbot: Any
) -> None:
    station.state = RESTORED
    sign_in(window, qtbot)
    shell = window.shell
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    shell.desk.messages.dismiss()
    station.tell(SyncStatus(Link.WAITING, as_of=NOW, waiting=3, restored=True))
    qtbot.waitUntil(lambda: "3" in shell.work.strip.text)
    assert not said(shell)
    shell.sign_out()
    sign_in(window, qtbot, "grete")
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    station.tell(WELL)
    qtbot.waitUntil(lambda: not said(shell))


def test_that_sending_overdue_leads_to_the_outbox(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.tell(OVERDUE)
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    assert shell.desk.messages.current.kind is Kind.WARN
    shell.desk.messages.act()
    assert shell.place == "page:outbox"
    station.tell(RESTORED)
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    assert "15" not in said(shell)[0], "what is paused on purpose is not late"


def test_that_a_pc_too_long_without_contact_covers_itself(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    assert shell.is_open
    station.tell(SyncStatus(Link.OFFLINE, as_of=NOW, offline_since=NOW, lease_over=True))
    qtbot.waitUntil(lambda: not shell.is_open)
    assert shell.cover.isVisible()


def test_that_a_full_disk_is_said_as_such_and_not_as_a_missing_network(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.tell(SyncStatus(Link.WAITING, as_of=NOW, waiting=1, disk_full=True))
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    assert "Disken på denne PC-en er full" in said(shell)[0]
    assert "Disken på denne PC-en er full" in shell.work.strip.text
    station.tell(WELL)
    qtbot.waitUntil(lambda: not said(shell))


def test_that_what_was_taken_back_too_late_is_told_and_the_outbox_says_what(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.tell(SyncStatus(Link.FRESH, as_of=NOW, arrived=1))
    qtbot.waitUntil(lambda: len(said(shell)) == 1)
    assert "tatt tilbake" in said(shell)[0]
    shell.desk.messages.act()
    assert shell.place == "page:outbox"
    station.tell(SyncStatus(Link.FRESH, as_of=NOW, arrived=1, waiting=3))
    station.tell(WELL)
    qtbot.waitUntil(lambda: not said(shell))
