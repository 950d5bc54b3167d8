"""One field for people, commands and places: answers while one types, one Enter, no picker."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinician.errors import Offline
from clinician.texts import lazy
from tests.ui import walk
from tests.ui.station import FakeStation, Hit
from ui.shell.palette import Answer, fold, matching
from ui.widgets import theme

L = lazy("ui")
pytestmark = pytest.mark.window


def ask(shell: Any, text: str, qtbot: Any) -> None:
    """Ctrl+K and type."""
    QTest.keyClick(QApplication.focusWidget() or shell, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), text)
    qtbot.waitUntil(lambda: shell.desk.threads.busy == 0)


def titles(shell: Any) -> list[str]:
    return [answer.title for answer in shell.search.sheet.answers]


def enter() -> None:
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)


def test_that_a_name_and_enter_bring_one_to_the_patients_page(shell: Any, qtbot: Any) -> None:
    ask(shell, "per l", qtbot)
    assert titles(shell)[0] == "Per Lund"
    enter()
    qtbot.waitUntil(lambda: shell.work.banner.header is not None)
    assert shell.desk.patient.current == "Patient/per"
    assert not shell.search.sheet.isVisible()
    holder = shell.rooms.page("homecare").holders["homecare.user"]
    qtbot.waitUntil(holder.isVisible)
    assert holder.isAncestorOf(QApplication.focusWidget())
    assert holder.arguments["patient"] == "Patient/per"


def test_that_a_module_without_a_page_for_patients_keeps_the_keyboard_where_it_was(
    shell: Any, qtbot: Any
) -> None:
    shell.go("module:physio")
    before = QApplication.focusWidget()
    ask(shell, "per l", qtbot)
    enter()
    qtbot.waitUntil(lambda: shell.desk.patient.current == "Patient/per")
    assert shell.place == "module:physio"
    assert QApplication.focusWidget() is before


def test_that_a_search_from_the_outbox_leads_to_the_patient(shell: Any, qtbot: Any) -> None:
    shell.go("page:outbox")
    ask(shell, "per l", qtbot)
    enter()
    qtbot.waitUntil(lambda: shell.place == "module:homecare")
    assert shell.desk.patient.current == "Patient/per"


def test_that_arrows_choose_among_people_of_one_name(shell: Any, qtbot: Any) -> None:
    ask(shell, "moen", qtbot)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    enter()
    assert shell.desk.patient.current == "Patient/arne"


def test_that_a_whole_identity_number_takes_the_patient_without_enter(shell: Any, qtbot: Any) -> None:
    ask(shell, "12034250042", qtbot)
    qtbot.waitUntil(lambda: shell.desk.patient.current == "Patient/astrid")
    assert not shell.search.sheet.isVisible()


def test_that_enter_waits_for_the_answers_to_what_was_typed(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    station.hold.clear()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), "per")
    enter()
    assert shell.desk.patient.current == ""
    station.hold.set()
    qtbot.waitUntil(lambda: shell.desk.patient.current == "Patient/per")


def test_that_a_place_is_found_by_its_name(shell: Any, qtbot: Any) -> None:
    ask(shell, "sonen", qtbot)
    enter()
    page = shell.rooms.page("homecare")
    qtbot.waitUntil(page.holders["homecare.zone"].isVisible)


def test_that_a_command_of_the_shell_is_found_and_done(shell: Any, qtbot: Any) -> None:
    ask(shell, "send og", qtbot)
    enter()
    qtbot.waitUntil(lambda: ("sync_now",) in shell.desk.station.calls)


def test_that_a_command_of_a_module_is_done_by_its_view(shell: Any, station: FakeStation, qtbot: Any) -> None:
    ask(shell, "utført", qtbot)
    assert shell.search.sheet.answers[0].hint == "Space"
    enter()
    qtbot.waitUntil(lambda: any(call[0] == "command" for call in station.calls))


def test_that_nothing_found_is_said_in_words(shell: Any, qtbot: Any) -> None:
    ask(shell, "xy", qtbot)
    assert titles(shell) == []
    assert "xy" in shell.search.sheet.none.text()


def test_that_somebody_not_on_this_pc_is_looked_up_and_told_about_on_arrival(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    ask(shell, "berit", qtbot)
    assert titles(shell) == ["Søk i sentral journal"]
    assert ("look_up", "berit") not in station.calls, "the record is asked when a person wants it"
    enter()
    qtbot.waitUntil(lambda: titles(shell) == ["Berit Solheim"])
    assert "02.05.1950" in shell.search.sheet.answers[0].detail
    enter()
    qtbot.waitUntil(lambda: ("request_patients", ("Patient/berit",)) in station.calls)
    assert "Berit Solheim hentes fra sentral journal" in shell.desk.messages.current.words.render()
    qtbot.waitUntil(lambda: shell.desk.threads.busy == 0)
    station.arrived = (Hit("Patient/berit", "Berit Solheim", "f. 02.05.1950"),)
    station.change("Patient")
    qtbot.waitUntil(lambda: bool(shell.desk.messages.current.action))
    shell.desk.messages.act()
    assert shell.desk.patient.current == "Patient/berit"


def test_that_nobody_at_the_record_either_is_said(shell: Any, station: FakeStation, qtbot: Any) -> None:
    station.central = ()
    ask(shell, "xyzzy", qtbot)
    enter()
    qtbot.waitUntil(lambda: titles(shell) == ["Fant ingen"])
    enter()
    assert shell.search.sheet.isVisible()


def test_that_a_record_out_of_reach_is_said_and_the_keyboard_given_back(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    before = QApplication.focusWidget()
    station.refuse = Offline(L("{words}", words="Journalen svarer ikke nå."))
    ask(shell, "berit", qtbot)
    enter()
    qtbot.waitUntil(lambda: shell.desk.messages.current is not None)
    assert "svarer ikke" in str(shell.desk.messages.current.words)
    assert QApplication.focusWidget() is before


def test_that_the_birth_date_is_seen_at_double_text(shell: Any, qtbot: Any) -> None:
    theme.apply(theme.Theme(text_scale=200))
    ask(shell, "per l", qtbot)
    sheet = shell.search.sheet
    assert sheet.width() > 1000 or sheet.width() >= shell.width() - sheet.x() - 12


def test_that_escape_leaves_everything_as_it_was(shell: Any, qtbot: Any) -> None:
    before = QApplication.focusWidget()
    ask(shell, "per", qtbot)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert (QApplication.focusWidget(), shell.desk.patient.current) == (before, "")
    assert shell.search.text() == ""


def test_that_the_palette_keeps_the_promises_about_controls(shell: Any, qtbot: Any) -> None:
    ask(shell, "m", qtbot)
    assert walk.faults(shell) == []


def test_that_other_colours_are_a_command_and_are_remembered(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    ask(shell, "andre farger", qtbot)
    enter()
    assert theme.current().name == "dark"
    assert station.settings.values["ui.theme"] == "dark"


WORDS = st.lists(st.text("abcåæø", min_size=1, max_size=5), min_size=1, max_size=3).map(" ".join)


@given(st.lists(WORDS, max_size=8), st.text("abcåæø ", max_size=6))
def test_that_an_answer_is_shown_exactly_when_every_word_typed_begins_one_of_its_words(
    names: list[str], typed: str
) -> None:
    answers = [Answer(f"{at}", name) for at, name in enumerate(names)]
    found = {answer.key for answer in matching(answers, typed)}
    for answer in answers:
        have = fold(answer.title).split()
        fits = all(any(w.startswith(piece) for w in have) for piece in fold(typed).split())
        assert (answer.key in found) == fits
