"""Notes and measurements: nothing typed is lost, nothing odd is signed unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clinician.errors import UserProblem
from clinician.texts import Text
from modules.homecare.commands import Measured, RecordMeasurements, WriteNote
from modules.homecare.views import measurement_parse
from modules.homecare.views.my_day import make
from modules.homecare.views.note_editor import expanded, shortest
from tests.modules.homecare.views.conftest import Press, Show
from tests.modules.homecare.views.context import FakeDrafts, context
from tests.modules.homecare.views.world import World

Typing = Callable[[str], None]
KINDS = {kind.key: kind for kind in World().measurement_kinds()}


def test_that_n_puts_the_cursor_in_the_note_and_ctrl_enter_signs(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("N")
    type_text("Alt vel. Space er bare et mellomrom her.")
    press("Ctrl+Return")
    assert ctx.commands.ran == [
        WriteNote("Patient/3", "Alt vel. Space er bare et mellomrom her.", appointment_ref="Appointment/3")
    ]
    assert QApplication.focusWidget() is view.list
    assert ctx.drafts.kept == {}


def test_that_an_empty_note_is_not_signed_and_says_why(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("N", "Ctrl+Return")
    assert ctx.commands.ran == []
    assert "tomt" in view.card.note.field.problem


def test_that_what_is_typed_is_kept_and_announced_in_a_new_window(
    show: Show, press: Press, type_text: Typing, qtbot: QtBot
) -> None:
    drafts = FakeDrafts()
    first = context(drafts=drafts)
    show(make(first))
    press("N")
    type_text("Halvferdig setning om")
    qtbot.waitUntil(lambda: bool(drafts.kept))
    second: Any = show(make(context(drafts=drafts)))
    assert second.card.note.field.text == "Halvferdig setning om"
    assert not second.card.note._restored.isHidden()
    second.card.note._restored.thrown_away.emit()
    assert drafts.kept == {}


def test_that_moving_to_another_visit_keeps_each_draft_with_its_own(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("N")
    type_text("Om Astrid")
    press("Escape", "Down")
    assert view.card.card.key == "Appointment/4"
    assert view.card.note.field.text == ""
    press("Up")
    assert view.card.note.field.text == "Om Astrid"
    assert list(ctx.drafts.kept) == [("homecare.note:Appointment/3", "Patient/3")]


def test_that_a_refused_note_stays_in_the_field(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    ctx.commands.refuse = UserProblem(Text("homecare", "too long"))
    press("N")
    type_text("Tekst")
    press("Ctrl+Return")
    assert view.card.note.field.text == "Tekst"
    assert len(ctx.messages.problems) == 1


def test_that_an_abbreviation_becomes_its_text(ctx: Any, show: Show, press: Press, type_text: Typing) -> None:
    view: Any = show(make(ctx))
    press("N")
    type_text("I dag: .hud ")
    assert view.card.note.field.text == "I dag: Hud hel og fin. "


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (".hud ", "Hel. "),
        ("Sov godt .hu\n", "Sov godt Hel.\n"),
        (".h ", None),
        ("12.hud ", None),
        (".ukjent ", None),
        (".hud", None),
    ],
)
def test_that_only_a_whole_abbreviation_is_replaced(before: str, after: str | None) -> None:
    assert expanded(before, {"hud": "Hel.", "ernæring": "Godt."}) == after


def test_that_an_ambiguous_beginning_is_left_alone() -> None:
    texts = {"spistegodt": "a", "spistelite": "b"}
    assert expanded(".spiste ", texts) is None
    assert expanded(".spisteg ", texts) == "a "
    assert shortest(tuple(texts), "spistegodt") == "spisteg"


def test_that_m_opens_the_form_at_what_is_to_be_measured_and_enter_signs(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("M")
    assert QApplication.focusWidget().objectName() == "homecare.visit.measure_blood_pressure"
    type_text("120/80")
    view.card.form._kinds["temperature"].set_text("37,5")
    press("Return")
    (command,) = ctx.commands.ran
    assert command == RecordMeasurements(
        "Patient/3",
        (Measured("blood-pressure", (120.0, 80.0)), Measured("temperature", (37.5,))),
        appointment_ref="Appointment/3",
    )
    assert view.card.form.isHidden()
    assert ctx.drafts.kept == {}


def test_that_an_impossible_value_is_refused_beside_its_field(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("M")
    type_text("1200/80")
    press("Return")
    assert ctx.commands.ran == []
    assert "50–300 mmHg" in view.card.form._kinds["blood-pressure"].field.problem


def test_that_an_unusual_value_is_asked_about_once_without_a_dialog(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("M")
    type_text("210/95")
    assert not view.card.form._kinds["blood-pressure"]._doubt.isHidden()
    press("Return")
    assert ctx.commands.ran == []
    assert "Stemmer det?" in view.card.form._question.label.text()
    press("Return")
    assert len(ctx.commands.ran) == 1


def test_that_a_changed_value_is_asked_about_anew(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    press("M")
    type_text("210/95")
    press("Return")
    view.card.form._kinds["blood-pressure"].set_text("220/95")
    press("Return")
    assert ctx.commands.ran == []


def test_that_a_half_filled_form_survives(show: Show, press: Press, type_text: Typing, qtbot: QtBot) -> None:
    drafts = FakeDrafts()
    show(make(context(drafts=drafts)))
    press("M")
    type_text("120/")
    qtbot.waitUntil(lambda: bool(drafts.kept))
    again: Any = show(make(context(drafts=drafts)))
    assert not again.card.form.isHidden()
    assert again.card.form._kinds["blood-pressure"].text == "120/"
    assert not again.card.form._restored.isHidden()


def test_that_the_commands_own_judgement_lands_beside_its_field(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(make(ctx))
    ctx.commands.refuse = UserProblem(Text("homecare", "No value is filled in."), field="pulse.pulse")
    press("M")
    view.card.form._kinds["pulse"].set_text("72")
    press("Return")
    assert view.card.form._kinds["pulse"].field.problem


@pytest.mark.parametrize(
    ("kind", "text", "values", "fault", "doubt"),
    [
        ("blood-pressure", "120/80", (120.0, 80.0), False, False),
        ("blood-pressure", "120 80", (120.0, 80.0), False, False),
        ("blood-pressure", "80/120", None, True, False),
        ("blood-pressure", "120", None, True, False),
        ("blood-pressure", "200/80", (200.0, 80.0), False, True),
        ("temperature", "37,5", (37.5,), False, False),
        ("temperature", "37.5", (37.5,), False, False),
        ("temperature", "39,9", (39.9,), False, True),
        ("temperature", "375", None, True, False),
        ("pulse", "sytti", None, True, False),
        ("pulse", "", None, False, False),
        ("weight", "67,25", (67.25,), False, False),
    ],
)
def test_that_measurements_are_read_as_they_are_written(
    kind: str, text: str, values: tuple[float, ...] | None, fault: bool, doubt: bool
) -> None:
    found = measurement_parse.read(KINDS[kind], text)
    assert (found.values, bool(found.fault), bool(found.doubt)) == (values, fault, doubt)
