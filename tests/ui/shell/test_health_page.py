"""Contact and data: every fact in plain words, the worst first in sight, reached and used by keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt

from clinician.health import HealthLine, Mood
from tests.ui.station import FakeStation

pytestmark = pytest.mark.window
LINES = (
    HealthLine("contact", "Kontakt", "Journalen", "Svarer"),
    HealthLine("clock", "Kontakt", "Klokken", "6 min for sent", Mood.NOTE, "Still den."),
    HealthLine("decide", "Utboks", "Må avgjøres", "2", Mood.BAD, "Se utboksen."),
)


@pytest.fixture
def page(shell: Any, station: FakeStation, qtbot: Any) -> Any:
    station.healthy = LINES
    shell.desk.open_page("health")
    qtbot.waitUntil(lambda: shell.own.health.table.model().rowCount() == 3)
    return shell.own.health


def test_that_what_needs_a_person_is_chosen_and_explained(page: Any) -> None:
    assert page.table.current_key() == "decide"
    assert page._title.text() == "Utboks: Må avgjøres"
    assert page._help.text() == "Se utboksen."
    assert page._sum.label.text() == "1 ting må ses på"


def test_that_a_group_is_named_where_it_begins(page: Any) -> None:
    model = page.table.model()
    assert [model.index(at, 0).data() for at in range(3)] == ["Kontakt", "", "Utboks"]


def test_that_keys_examine_everything_and_save_a_report(
    shell: Any, page: Any, station: FakeStation, qtbot: Any
) -> None:
    qtbot.waitUntil(page.table.hasFocus)
    qtbot.keyClick(page.table, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: ("examine_all",) in station.calls)
    qtbot.keyClick(page.table, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: (shell.desk.documents / "clinician-tilstand.txt").exists())
    assert (shell.desk.documents / "clinician-tilstand.txt").read_bytes() == b"rapport"


def test_that_what_is_mended_is_shown_when_looked_at_again(
    shell: Any, page: Any, station: FakeStation, qtbot: Any
) -> None:
    station.healthy = tuple(replace(line, mood=Mood.GOOD, help_text="") for line in LINES)
    shell.desk.open_page("health")
    qtbot.waitUntil(lambda: page._sum.label.text() == "Alt er i orden")
    assert not page._help.isVisible()


def test_that_the_page_is_found_from_the_search_field_and_from_settings(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.healthy = LINES
    shell.go("page:settings")
    shell.settings_page.findChild(object, "shell.settings.health").click()
    qtbot.waitUntil(lambda: shell.own.health.isVisible())
    assert shell.place == "page:health"
