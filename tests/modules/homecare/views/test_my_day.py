"""My day by keyboard: H1, undo, not home, exceptions, refresh, texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from clinician import texts
from clinician.access.who import Who
from clinician.errors import Refused
from clinician.modulekit.context import Outcome
from clinician.texts import Text
from modules.homecare.commands import (
    CloseFollowUp,
    CompleteTask,
    CompleteVisit,
    ExceptTask,
    ExceptVisit,
    HandOverFollowUp,
    ReadReply,
    RecordNotHome,
    StartVisit,
)
from modules.homecare.rows import ItemKind, NotDone, Section, VisitState
from modules.homecare.views.day_list import (
    DayModel,
    SectionLine,
    clock_of,
    day_part,
    late_text,
    lines_of,
    marks_of,
    spoken,
)
from modules.homecare.views.my_day import make
from tests.modules.homecare.views.conftest import Press, Show, pressed_and_held
from tests.modules.homecare.views.context import context
from tests.modules.homecare.views.world import NOW, World
from ui.models.rows import Column
from ui.widgets.words import announce


def kinds(ctx: Any) -> list[str]:
    return [type(command).__name__ for command in ctx.commands.ran]


@pytest.fixture
def fresh() -> Any:
    """A day where nothing is done yet: ten visits, none late."""
    world = World()
    world.states.clear()
    world.overdue.clear()
    for n in range(10):
        world.tasks[f"Appointment/{n}"] = world._tasks(n)
    return context(world)


def test_that_a_whole_day_is_signed_with_the_keyboard_in_few_actions(
    fresh: Any, show: Show, press: Press
) -> None:
    """H1: ten visits, two with an exception, one not home; at most 20 actions (goal 14)."""
    view: Any = show(make(fresh))
    actions = 0

    def do(*keys: str) -> None:
        nonlocal actions
        actions += len(keys)
        press(*keys)

    do("Space", "Space", "Space")
    do("Right", "1", "Ctrl+Space")
    do("Space", "Space")
    do("I", "Down")
    do("Right", "3", "Ctrl+Space")
    do("Space", "Space")
    states = fresh.queries.world.states
    assert sum(state is VisitState.DONE for state, _words in states.values()) == 9
    assert sum(state is VisitState.NOT_HOME for state, _words in states.values()) == 1
    assert len(states) == 10
    assert kinds(fresh).count("ExceptTask") == 2
    assert actions <= 15
    assert view.isVisible()


def test_that_space_signs_and_stands_on_the_next_open_visit(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    assert view.list.current_key() == "Appointment/3"
    press("Space")
    assert ctx.commands.ran == [CompleteVisit("Appointment/3")]
    assert view.list.current_key() == "Appointment/4"
    assert ctx.messages.said[-1].text == "Utført: Astrid Moen"
    assert ctx.messages.said[-1].action == "Angre"


def test_that_a_key_held_down_signs_nothing_more(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    for key in (Qt.Key.Key_Space, Qt.Key.Key_I, Qt.Key.Key_1):
        pressed_and_held(view.list, key)
    assert ctx.commands.ran == []


def test_that_a_double_press_signs_two_visits_never_one_twice(ctx: Any, show: Show, qtbot: QtBot) -> None:
    view: Any = show(make(ctx))
    ctx.queries.deferred = True
    for _press in range(3):
        qtbot.keyClick(view.list, Qt.Key.Key_Space)
    refs = [command.appointment_ref for command in ctx.commands.ran]
    assert len(refs) == len(set(refs)) == 3


def test_that_ctrl_z_takes_the_last_act_back(ctx: Any, show: Show, press: Press) -> None:
    show(make(ctx))
    press("Space", "Ctrl+Z")
    assert len(ctx.commands.undone) == 1
    assert "Appointment/3" not in ctx.queries.world.states


def test_that_undo_in_the_message_takes_back_once(ctx: Any, show: Show, press: Press) -> None:
    show(make(ctx))
    press("Space")
    undo = ctx.messages.said[-1].on_action
    undo()
    undo()
    assert len(ctx.commands.undone) == 1


def test_that_ctrl_z_with_nothing_done_says_so(ctx: Any, show: Show, press: Press) -> None:
    show(make(ctx))
    press("Ctrl+Z")
    assert ctx.messages.said[-1].text == "Ingenting å angre her."


def test_that_not_home_shows_its_chain_with_an_owner_a_time_and_a_number(
    ctx: Any, show: Show, press: Press
) -> None:
    view: Any = show(make(ctx))
    press("I")
    assert ctx.commands.ran == [RecordNotHome("Appointment/3")]
    assert not view.card.chain.isHidden()
    lines = list(view.card.chain._lines.values())
    assert len(lines) == 2
    assert all(line.owner.value for line in lines)
    assert "911 22 333" in lines[0]._detail.text()
    assert lines[0].due.text == "09:42"


def test_that_the_chain_can_be_handed_over_and_closed(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("I")
    line = next(iter(view.card.chain._lines.values()))
    line.owner.handed.emit("Practitioner/2")
    line.due.set_text("1015")
    line.due.entered.emit()
    line.done.click()
    assert [type(c) for c in ctx.commands.ran[1:]] == [HandOverFollowUp, HandOverFollowUp, CloseFollowUp]
    assert ctx.commands.ran[1].owner_ref == "Practitioner/2"
    assert (ctx.commands.ran[2].due.hour, ctx.commands.ran[2].due.minute) == (10, 15)


def test_that_a_bad_time_in_the_chain_is_said_and_not_sent(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("I")
    line = next(iter(view.card.chain._lines.values()))
    line.due.set_text("kl ti")
    line.due.entered.emit()
    assert len(ctx.commands.ran) == 1
    assert line.due.problem


def test_that_after_not_home_one_goes_on_with_down(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("I")
    row = view.list.current_row()
    assert row is not None and row.section is Section.DONE
    press("Down")
    assert view.list.current_row().section is not Section.DONE


@pytest.mark.parametrize(
    ("key", "reason"),
    [("1", NotDone.REFUSED), ("3", NotDone.POSTPONED), ("4", NotDone.NOT_NEEDED)],
)
def test_that_a_number_key_excepts_the_visit_with_its_reason(
    ctx: Any, show: Show, press: Press, key: str, reason: NotDone
) -> None:
    show(make(ctx))
    press(key)
    assert ctx.commands.ran == [ExceptVisit("Appointment/3", reason)]


def test_that_another_reason_asks_for_its_words_where_one_works_and_enter_signs(
    ctx: Any, show: Show, press: Press, type_text: Callable[[str], None]
) -> None:
    view: Any = show(make(ctx))
    press("5")
    assert ctx.commands.ran == [] and not view.card.why.isHidden()
    press("Return")
    assert ctx.commands.ran == [] and view.card.why.field.problem
    type_text("Nabo 5 I huset")
    press("Return")
    assert ctx.commands.ran == [ExceptVisit("Appointment/3", NotDone.OTHER, "Nabo 5 I huset")]
    assert view.card.why.isHidden()
    assert QApplication.focusWidget() is view.list


def test_that_escape_leaves_the_reason_and_another_visit_never_inherits_it(
    ctx: Any, show: Show, press: Press, type_text: Callable[[str], None], qtbot: QtBot
) -> None:
    view: Any = show(make(ctx))
    press("5")
    type_text("halv")
    press("Escape")
    assert view.card.why.isHidden() and QApplication.focusWidget() is view.list
    press("5")
    assert view.card.why.field.text == ""
    view.list.choose("Appointment/4")
    qtbot.waitUntil(lambda: view.card.card.key == "Appointment/4")
    assert view.card.why.isHidden()
    assert ctx.commands.ran == []


def test_that_a_task_asks_for_the_words_of_another_reason(
    ctx: Any, show: Show, press: Press, type_text: Callable[[str], None]
) -> None:
    view: Any = show(make(ctx))
    press("Right", "5")
    type_text("fikk det av datteren")
    press("Return")
    assert ctx.commands.ran == [ExceptTask("Task/3-0", NotDone.OTHER, "fikk det av datteren")]
    assert QApplication.focusWidget() is view.card.tasks


def test_that_h_hands_a_link_of_the_chain_over_and_only_enter_writes(
    ctx: Any, show: Show, press: Press
) -> None:
    view: Any = show(make(ctx))
    press("I", "H")
    line = next(iter(view.card.chain._lines.values()))
    assert QApplication.focusWidget() is line.owner.box
    before = line.owner.value
    press("Down")
    wanted = line.owner.value
    assert wanted != before and len(ctx.commands.ran) == 1
    press("Return")
    assert ctx.commands.ran[1] == HandOverFollowUp(line.row.key, wanted, line.row.due)


def test_that_escape_puts_the_owner_back(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("I", "H")
    owner = next(iter(view.card.chain._lines.values())).owner
    before = owner.value
    press("Down", "Down", "Escape")
    assert owner.value == before and len(ctx.commands.ran) == 1
    assert QApplication.focusWidget() is view.list


def test_that_h_hands_over_the_follow_up_chosen_in_the_list(ctx: Any, show: Show, press: Press) -> None:
    row = replace(
        next(r for r in ctx.queries.world.my_day().rows if r.key == "Communication/1"),
        key="Task/late",
        kind=ItemKind.FOLLOW_UP,
    )
    ctx.queries.world.follow_ups.append(row)
    view: Any = show(make(ctx))
    view.list.choose("Task/late")
    press("H", "Down", "Return")
    assert [type(c) for c in ctx.commands.ran] == [HandOverFollowUp]
    assert ctx.commands.ran[0].task_ref == "Task/late"
    assert ctx.commands.ran[0].owner_ref.startswith("Practitioner/")


def test_that_two_is_not_home_with_its_chain(ctx: Any, show: Show, press: Press) -> None:
    show(make(ctx))
    press("2")
    assert ctx.commands.ran == [RecordNotHome("Appointment/3")]


def test_that_tasks_are_ticked_and_excepted_in_the_card(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    press("Right", "Space", "1", "Space")
    assert [type(c) for c in ctx.commands.ran] == [CompleteTask, ExceptTask, CompleteTask]
    assert ctx.commands.ran[1] == ExceptTask("Task/3-1", NotDone.REFUSED)
    assert QApplication.focusWidget() is view.list


def test_that_a_reply_is_read_with_the_same_key(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    view.list.choose("Communication/1")
    press("Space")
    assert ctx.commands.ran == [ReadReply("Communication/1")]


def test_that_enter_opens_the_user_and_the_banner_follows(ctx: Any, show: Show, press: Press) -> None:
    show(make(ctx))
    press("Down", "Return")
    assert ctx.patients.current == "Patient/4"
    assert ctx.places.opened == [("homecare.user", {"patient": "Patient/4"})]


def test_that_a_refusal_is_told_and_the_person_is_back_on_the_visit(
    ctx: Any, show: Show, press: Press
) -> None:
    view: Any = show(make(ctx))
    ctx.commands.refuse = Refused(Text("homecare", "not yours"))
    press("Space")
    assert len(ctx.messages.problems) == 1
    assert view.list.current_key() == "Appointment/3"
    ctx.commands.refuse = None
    press("Space")
    assert ctx.commands.ran == [CompleteVisit("Appointment/3")]


def test_that_a_refresh_keeps_selection_and_scroll(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    view.list.choose("Appointment/7")
    view.list.verticalScrollBar().setValue(40)
    at = view.list.verticalScrollBar().value()
    ctx.queries.world.states["Appointment/9"] = (VisitState.CANCELLED, "avlyst")
    ctx.queries.changed()
    assert view.list.current_key() == "Appointment/7"
    assert view.list.verticalScrollBar().value() == at


def test_that_headings_cannot_be_chosen(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    view.list.choose(view.list.day_rows()[0].key)
    for _step in range(14):
        press("Down")
        assert view.list.current_row() is not None


def test_that_key_information_is_hidden_until_asked_for_and_hides_again(
    ctx: Any, show: Show, press: Press, qtbot: QtBot
) -> None:
    view: Any = show(make(ctx))
    access = view.card._access
    assert not access.is_shown
    assert not any(name == "access_detail" for name, _kw in ctx.queries.ran)
    press("K")
    assert access.is_shown
    assert "4711" in access._secret.text()
    assert sum(name == "access_detail" for name, _kw in ctx.queries.ran) == 1
    access._left = 1
    access._count_down()
    assert not access.is_shown
    press("K")
    press("Down")
    assert not access.is_shown


def test_that_an_empty_day_says_why(show: Show) -> None:
    world = World()
    world.is_empty = True
    view: Any = show(make(context(world)))
    assert view._loading._stack.currentWidget() is view._loading._empty


def test_that_the_day_list_is_made_in_a_job_and_handed_over(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = b"%PDF-1.7"
    view._print.click()
    assert ctx.places.saved == [("dagsliste-2026-03-03.pdf", b"%PDF-1.7")]


def test_that_the_age_of_the_data_is_always_shown(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    assert view._age.text == "Per 09:12:07"


def test_that_the_language_can_change_while_the_day_is_open(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    texts.set_language("nn")
    announce(view)
    assert "ikkje heime" in view.property("keyHints")
    assert view.card.not_home_button.accessibleName() == "Ikkje heime"


def test_that_every_control_has_a_name_of_its_own_and_says_what_it_is(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    assert_named(view)


def assert_named(view: QWidget) -> None:
    from PySide6.QtWidgets import (
        QAbstractButton,
        QAbstractItemView,
        QComboBox,
        QLineEdit,
        QPlainTextEdit,
        QTabBar,
    )

    wanted = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit)
    controls = [
        w for kind in wanted for w in view.findChildren(kind) if w.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    inner = [
        w
        for w in controls
        if isinstance(w.parent(), QComboBox | QTabBar) or "Container" in type(w.parent()).__name__
    ]
    mine = [w for w in controls if w not in inner and not w.objectName().startswith("qt_") and w.objectName()]
    nameless = [w for w in controls if w not in inner and not w.objectName() and w.accessibleName()]
    assert not nameless
    assert mine
    for control in mine:
        assert control.objectName().startswith("homecare."), control.objectName()
        assert control.accessibleName() or getattr(control, "text", lambda: "")(), control.objectName()
    names = [w.objectName() for w in mine]
    assert len(names) == len(set(names))


def test_that_the_list_is_a_good_model(qtmodeltester: ModelTester) -> None:
    world = World()
    model = DayModel([Column("line", "", spoken)])
    model.set_rows(lines_of(world.my_day()))
    qtmodeltester.check(model)
    world.states["Appointment/3"] = (VisitState.DONE, "utført")
    model.set_rows(lines_of(world.my_day()))
    assert all(isinstance(row, SectionLine) or row.key for row in model.rows)


def test_that_a_screen_reader_hears_a_whole_line() -> None:
    day = World().my_day()
    late = next(row for row in day.rows if row.section is Section.OVERDUE)
    assert spoken(late).startswith("08:30, Torleif Aasen, Over tiden, 27 minutter forsinket")


def test_that_a_view_thrown_away_watches_no_more(ctx: Any, qtbot: QtBot) -> None:
    view = make(ctx)
    assert ctx.queries.watching
    view.deleteLater()
    qtbot.wait(20)
    QApplication.sendPostedEvents(None, 52)
    assert ctx.queries.watching == []


def test_that_the_clock_moves_the_day_on(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    before = sum(name == "my_day" for name, _kw in ctx.queries.ran)
    ctx.clock.advance(timedelta(minutes=1))
    view._day_live._tick()
    asked = [kw for name, kw in ctx.queries.ran if name == "my_day"]
    assert len(asked) == before + 1
    assert asked[-1]["now"] == NOW + timedelta(minutes=1)


def test_that_lateness_is_said_in_words_one_can_grasp() -> None:
    assert [late_text(n) for n in (27, 300, 2880)] == [
        "27 min forsinket",
        "5 timer forsinket",
        "2 dager forsinket",
    ]


def test_that_a_line_of_another_day_shows_its_clock_and_says_which_day() -> None:
    row = World().my_day().rows[2]
    old = replace(row, time_text="i går 08:30", section=Section.OVERDUE)
    assert clock_of(old) == "08:30"
    assert day_part(old) == "i går"
    assert ("calendar-blank", "i går", "danger") in marks_of(old)
    assert day_part(row) == ""


def test_that_an_act_is_seen_before_it_is_durable(ctx: Any, show: Show, qtbot: QtBot) -> None:
    view: Any = show(make(ctx))
    held: list[Any] = []
    ctx.commands.run = lambda command, on_outcome=None: held.append(on_outcome)
    qtbot.keyClick(view.list, Qt.Key.Key_I)
    assert view.list.pending == {"Appointment/3"}
    held[0](Outcome(None, (Refused(Text("homecare", "no")),)))
    assert view.list.pending == frozenset()


def test_that_nothing_moves_when_another_visit_is_opened(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    before = view._splitter.sizes()
    press("I")
    assert view._splitter.sizes() == before
    view.list.choose("Communication/1")
    press("M")
    assert view._splitter.sizes() == before


def test_that_the_palette_can_do_what_the_keys_do(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    assert view.trigger("homecare.start-visit")
    assert view.trigger("except-refused")
    assert not view.trigger("open-zone")
    assert [type(c) for c in ctx.commands.ran] == [StartVisit, ExceptVisit]
    assert view.key_hints()[0] == ("Mellomrom", "utført")


def test_that_who_signs_stands_by_the_sign_button(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    assert isinstance(ctx.who, Who)
    assert (
        view.card.done_button.accessibleDescription()
        == "Signeres av Kari Lunde om Astrid Moen, født 12.03.1942"
    )


Typing = Callable[[str], None]
