"""The zone: T3 in four actions, moves by key and mouse, only those who can, undo whole."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from modules.homecare.commands import AssignVisits, MoveVisit, NotifyStaff, RecordAbsence
from modules.homecare.rows import Suggestion
from modules.homecare.views.zone import make
from modules.homecare.views.zone_blocks import block_key, blocks
from modules.homecare.views.zone_moves import tally
from tests.modules.homecare.views.conftest import Press, Show
from tests.modules.homecare.views.test_my_day import assert_named
from tests.modules.homecare.views.world import World, at


def click_lane(qtbot: QtBot, view: Any, number: int) -> None:
    frame, width = view.grid.frame_now(), view.grid.placed().scale.lane_width
    point = QPoint(frame.header.left() + number * width + width // 2, frame.header.center().y())
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=point)


def plan(ctx: Any) -> dict[str, set[str]]:
    zone = ctx.queries.world.zone_day()
    found: dict[str, set[str]] = {v.key: set() for v in zone.unassigned}
    for route in zone.routes:
        for visit in route.visits:
            found.setdefault(visit.key, set()).add(route.key)
    return found


def test_that_absence_is_four_actions_from_sick_to_told(
    ctx: Any, show: Show, press: Press, qtbot: QtBot
) -> None:
    """T3: absent · suggest · accept · notify; the sum of visits is the same before and after."""
    view: Any = show(make(ctx))
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    before = plan(ctx)
    click_lane(qtbot, view, 2)
    press("A", "Return", "Return")
    assert [type(c) for c in ctx.commands.ran] == [RecordAbsence, AssignVisits, NotifyStaff]
    assert ctx.commands.ran[0].practitioner_ref == "Practitioner/2"
    assert plan(ctx).keys() == before.keys()
    assert ctx.queries.world.notified
    assert view.side.isHidden()


def test_that_a_visit_nobody_can_take_stays_red_on_top(
    ctx: Any, show: Show, press: Press, qtbot: QtBot
) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = suggestion = ctx.queries.world.suggestion("Practitioner/2")
    click_lane(qtbot, view, 2)
    press("A")
    assert view.panel.moves.checks.rows[0].key == suggestion.unplaced[0].appointment_ref
    assert view.panel.moves.checks.rows[0].icon == "warning"
    assert view.panel.moves.checks.rows[0].role == "danger"
    assert not view.panel._unplaced.isHidden()
    press("Return")
    loose = {key for key, routes in plan(ctx).items() if not routes or routes == {""}}
    assert suggestion.unplaced[0].appointment_ref in loose


def test_that_one_undo_restores_the_plan_exactly(ctx: Any, show: Show, press: Press, qtbot: QtBot) -> None:
    view: Any = show(make(ctx))
    before = plan(ctx)
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    click_lane(qtbot, view, 2)
    press("A", "Return")
    assert plan(ctx) != before
    press("Ctrl+Z")
    assert plan(ctx) == before
    assert "Practitioner/2" in ctx.queries.world.absent


def test_that_nothing_is_written_before_it_is_accepted(
    ctx: Any, show: Show, press: Press, qtbot: QtBot
) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    click_lane(qtbot, view, 2)
    press("A")
    previews = [b for b in view.grid.grid_model().blocks() if b.is_preview]
    assert previews
    press("Escape")
    assert [type(c) for c in ctx.commands.ran] == [RecordAbsence]
    assert not [b for b in view.grid.grid_model().blocks() if b.is_preview]


def test_that_one_move_can_be_taken_out_and_another_given_to_somebody_else(
    ctx: Any, show: Show, press: Press, qtbot: QtBot
) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = suggestion = ctx.queries.world.suggestion("Practitioner/2")
    click_lane(qtbot, view, 2)
    press("A")
    out, other = suggestion.moves[0].appointment_ref, suggestion.moves[1].appointment_ref
    view.panel.moves.setFocus()
    view.panel.moves.choose(out)
    press("Space")
    view.panel.moves.choose(other)
    press("M")
    assert view.side.currentWidget() is view.candidates
    press("Return")
    view.panel.accept_button.click()
    made = {m.appointment_ref: m for m in ctx.commands.ran[-1].moves}
    assert out not in made
    assert made[other].to_name == "Kari Lunde"


def test_that_the_sums_before_and_after_are_shown(ctx: Any, show: Show, press: Press, qtbot: QtBot) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    click_lane(qtbot, view, 2)
    press("A")
    assert view.panel._sums.label.text() == "64 besøk før = 64 etter"


def test_that_a_suggestion_that_loses_a_visit_is_shown_as_wrong(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    good: Suggestion = ctx.queries.world.suggestion("Practitioner/2")
    stranger = dataclasses.replace(good.moves[0], appointment_ref="Appointment/unknown")
    counted = tally(view._zone, dataclasses.replace(good, moves=(*good.moves, stranger)))
    assert counted.before != counted.after


def test_that_the_button_names_the_colleague_one_stands_on(ctx: Any, show: Show, qtbot: QtBot) -> None:
    view: Any = show(make(ctx))
    click_lane(qtbot, view, 7)
    assert view.head.absent.accessibleName() == "Meld fravær: Siv Bakke (A)"


def test_that_routes_are_built_with_one_key_and_a_progress_line(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.hold = True
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    press("R")
    assert not view.work.isHidden()
    assert ctx.jobs.titles == ["Lager rutene for dagen"]
    ctx.jobs.held[0]()
    assert view.work.isHidden()
    assert not view.side.isHidden()


def test_that_a_stopped_search_suggests_nothing(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.hold = True
    ctx.jobs.answer = ctx.queries.world.suggestion("Practitioner/2")
    press("R")
    view.work.stop()
    ctx.jobs.held[0]()
    assert view.side.isHidden()
    assert view.work.isHidden()


def test_that_m_lists_only_those_who_can_and_enter_gives_it(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    view.grid.choose(block_key("", "Appointment/z99"))
    press("M")
    assert [row.title for row in view.candidates.list.checks.rows] == [
        "Kari Lunde",
        "Mette Hauge",
        "Siv Bakke",
    ]
    press("Down", "Return")
    (command,) = ctx.commands.ran
    assert command.moves[0].to_practitioner_refs == ("Practitioner/2",)
    assert command.moves[0].start == at("12:30")
    assert view.side.isHidden()


def test_that_when_nobody_can_it_says_so(ctx: Any, show: Show, press: Press) -> None:
    ctx.queries.world.candidates = lambda **_kw: ()
    view: Any = show(make(ctx))
    view.grid.choose(block_key("", "Appointment/z99"))
    press("M")
    assert not view.candidates._nobody.isHidden()


def test_that_alt_arrows_move_in_time_and_one_act_is_written(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    key = next(
        b.key
        for b in blocks(ctx.queries.world.zone_day())
        if b.lane_key == "Schedule/4" and b.is_movable and not b.is_fixed
    )
    view.grid.choose(key)
    press("Alt+Down", "Alt+Down", "Alt+Down")
    assert ctx.commands.ran == []
    assert not view._carrying.isHidden()
    press("Return")
    (command,) = ctx.commands.ran
    assert isinstance(command, MoveVisit)
    assert view._carrying.isHidden()


def test_that_the_other_person_of_a_double_visit_stays(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(make(ctx))
    view.grid.choose(block_key("Schedule/1", "Appointment/z3"))
    press("Alt+Right", "Return")
    (command,) = ctx.commands.ran
    assert set(command.moves[0].to_practitioner_refs) == {"Practitioner/0", "Practitioner/2"}


def test_that_lanes_of_those_who_cannot_are_closed_while_a_visit_is_carried(
    ctx: Any, show: Show, press: Press
) -> None:
    view: Any = show(make(ctx))
    view.grid.choose(
        next(
            b.key for b in blocks(ctx.queries.world.zone_day()) if b.lane_key == "Schedule/2" and b.is_movable
        )
    )
    press("Alt+Right", "Return")
    assert ctx.commands.ran[0].moves[0].to_route_key == "Schedule/7"


def test_that_a_visit_may_be_laid_on_top_unassigned(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    block = next(
        b for b in blocks(ctx.queries.world.zone_day()) if b.lane_key == "Schedule/4" and b.is_movable
    )
    view._on_dropped(block.key, "", block.start)
    (command,) = ctx.commands.ran
    assert command.moves[0].to_route_key == ""
    assert command.moves[0].to_practitioner_refs == ()


def test_that_another_day_is_a_key_away(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    view.head.later.click()
    assert [kw["day"].day for name, kw in ctx.queries.ran if name == "zone_day"][-1] == 4


def test_that_the_zone_list_is_made_and_kept(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    ctx.jobs.answer = b"%PDF"
    view.head.paper.click()
    assert ctx.places.saved == [("soneliste-2026-03-03.pdf", b"%PDF")]


def test_that_every_control_of_the_zone_is_named(ctx: Any, show: Show) -> None:
    assert_named(show(make(ctx)))


def test_that_a_refresh_keeps_the_current_visit(ctx: Any, show: Show) -> None:
    view: Any = show(make(ctx))
    key = block_key("Schedule/5", "Appointment/z38")
    view.grid.choose(key)
    ctx.queries.changed()
    assert view.grid.current_key() == key


@pytest.mark.parametrize("number", [0, 3, 8])
def test_that_blocks_say_everything_a_sighted_person_sees(number: int) -> None:
    zone = World().zone_day()
    for block in blocks(zone):
        assert block.title in block.description
        assert f"{block.start:%H:%M}" in block.description
    assert QApplication.instance() is not None
    assert number < len(zone.routes)
