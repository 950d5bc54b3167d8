"""Fields read what people type and say beneath what is wrong."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from clinician import texts
from clinician.texts import lazy
from tests.ui.station import NOW
from ui.shell.status_strip import clock_text
from ui.widgets.fields import ChoiceField, LineField, NumberField, TextField, TimeField, read_time
from ui.widgets.words import announce

L = lazy("ui")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("8", time(8)), ("812", time(8, 12)), ("0812", time(8, 12)), ("8:12", time(8, 12)), ("08.12", time(8, 12)),
     ("23 59", time(23, 59)), ("24:00", None), ("8:60", None), ("", None), ("åtte", None), ("99", None)],
)  # fmt: skip
def test_that_a_time_is_read_however_it_is_typed(typed: str, meant: time | None) -> None:
    assert read_time(typed) == meant


@given(st.times())
def test_that_every_time_shown_is_read_back(when: time) -> None:
    assert read_time(f"{when:%H:%M}") == when.replace(second=0, microsecond=0)


def test_that_a_number_takes_a_decimal_comma_and_a_true_minus(dressed: QApplication, qtbot: Any) -> None:
    field = NumberField("Temperatur", "room.view.temp", unit="°C")
    qtbot.addWidget(field)
    field.set_text("37,5")
    assert field.value == 37.5
    field.set_value(-1.25)
    assert field.text == "−1,2"
    assert field.value == -1.2
    field.set_text("varm")
    assert field.value is None


def test_that_a_problem_stands_beneath_and_goes_when_one_types(dressed: QApplication, qtbot: Any) -> None:
    field = LineField("Navn", "room.view.name")
    qtbot.addWidget(field)
    field.show()
    field.set_problem("For kort")
    assert field.problem == "For kort"
    assert field.line.property("problem") == "true"
    field.set_text("Astrid")
    assert field.problem == ""


def test_that_a_time_that_is_none_is_said_and_a_good_one_is_tidied(dressed: QApplication, qtbot: Any) -> None:
    field = TimeField("Klokken", "room.view.time")
    qtbot.addWidget(field)
    field.set_text("25:00")
    field.line.editingFinished.emit()
    assert "08:30" in field.problem
    field.set_text("812")
    field.line.editingFinished.emit()
    assert field.text == "08:12"


def test_that_choices_keep_the_value_when_they_change_and_follow_the_language(
    dressed: QApplication, qtbot: Any
) -> None:
    field = ChoiceField(L("Language"), "room.view.choice", (("a", L("On")), ("b", L("Off"))))
    qtbot.addWidget(field)
    field.set_value("b")
    field.set_choices((("b", L("Off")), ("c", L("Normal"))))
    assert (field.value, field.box.currentText()) == ("b", "Av")
    texts.set_language("en")
    announce(field)
    assert (field.box.currentText(), field.box.accessibleName()) == ("Off", "Language")


def test_that_filling_a_note_with_the_same_text_leaves_the_cursor(dressed: QApplication, qtbot: Any) -> None:
    field = TextField("Notat", "room.view.note")
    qtbot.addWidget(field)
    field.set_text("Sår på hælen")
    cursor = field.edit.textCursor()
    cursor.setPosition(3)
    field.edit.setTextCursor(cursor)
    field.set_text("Sår på hælen")
    assert field.edit.textCursor().position() == 3


def test_that_the_clock_is_the_norwegian_one_and_names_another_day() -> None:
    from datetime import timedelta

    assert clock_text(NOW, NOW, seconds=True) == "10:42:07"
    assert clock_text(NOW - timedelta(days=1), NOW) == "man 2.3. 10:42"
    assert clock_text(None, NOW) == ""
