"""The time grid: keys, mouse, what readers hear, selection kept, speed."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from clinician.clock import OSLO
from ui.widgets import theme
from ui.widgets.time_grid import Block, Lane, TimeGrid
from ui.widgets.time_grid_rows import TimeGridModel

DAY = date(2026, 3, 3)
Key = Qt.Key


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 3, hour, minute, tzinfo=OSLO)


def lanes(count: int = 3) -> list[Lane]:
    return [Lane(f"l{n}", f"Person {n}", "Sykepleier", start=at(7, 30), end=at(15)) for n in range(count)]


def visits() -> list[Block]:
    return [
        Block("a", "l0", at(8), at(8, 30), "Astrid Moen", description="Astrid Moen, 08:00–08:30"),
        Block("b", "l0", at(9), at(9, 30), "Per Lund", is_fixed=True),
        Block("c", "l1", at(8, 15), at(8, 45), "Kari Nygård", link_key="x"),
        Block("d", "l2", at(8, 15), at(8, 45), "Kari Nygård", link_key="x"),
        Block("p", "", at(10), at(10, 20), "Ola Berg"),
        Block("done", "l1", at(7, 40), at(8), "Torleif Aasen", is_movable=False),
    ]


@pytest.fixture
def grid(qtbot: QtBot) -> TimeGrid:
    theme.apply(theme.Theme())
    made = TimeGrid(object_name="test.grid", name="Ruter")
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.set_pool_words("1 uten noen", "Alle har noen")
    made.show()
    made.show_day(DAY, lanes(), visits(), now=at(9, 12))
    return made


def test_that_the_model_is_a_good_model(qtmodeltester: ModelTester) -> None:
    model = TimeGridModel()
    model.set_blocks(visits())
    qtmodeltester.check(model)
    model.set_blocks(visits()[2:])
    model.set_blocks(visits())


def test_that_arrows_walk_from_block_to_block(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("a")
    walked = []
    for key in (Key.Key_Down, Key.Key_Right, Key.Key_Right, Key.Key_Left):
        qtbot.keyClick(grid, key)
        walked.append(grid.current_key())
    assert walked == ["b", "c", "d", "c"]


def test_that_up_from_the_first_visit_leads_to_the_pool_and_down_leads_back(
    qtbot: QtBot, grid: TimeGrid
) -> None:
    grid.choose("a")
    qtbot.keyClick(grid, Key.Key_Up)
    assert grid.current_key() == "p"
    qtbot.keyClick(grid, Key.Key_Down)
    assert grid.current_key() == "b"


def test_that_standing_in_a_lane_names_the_colleague(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("a")
    with qtbot.waitSignal(grid.lane_chosen) as heard:
        qtbot.keyClick(grid, Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert heard.args == ["l1"] or grid.current_lane() == "l1"


def test_that_an_empty_lane_can_be_stood_in(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.show_day(DAY, lanes(4), visits(), now=None)
    grid.choose_lane("l3")
    assert grid.current_lane() == "l3"


def test_that_alt_arrows_carry_a_block_and_enter_puts_it_down(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("a")
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(grid, Key.Key_Down, alt)
    qtbot.keyClick(grid, Key.Key_Down, alt)
    qtbot.keyClick(grid, Key.Key_Right, alt)
    with qtbot.waitSignal(grid.block_dropped) as dropped:
        qtbot.keyClick(grid, Key.Key_Return)
    assert dropped.args == ["a", "l1", at(8, 10)]


def test_that_escape_takes_the_block_back(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("a")
    qtbot.keyClick(grid, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    with qtbot.assertNotEmitted(grid.block_dropped):
        qtbot.keyClick(grid, Key.Key_Escape)
        qtbot.keyClick(grid, Key.Key_Return)


def test_that_a_fixed_time_cannot_be_moved_in_time_but_may_change_person(
    qtbot: QtBot, grid: TimeGrid
) -> None:
    grid.choose("b")
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(grid, Key.Key_Down, alt)
    qtbot.keyClick(grid, Key.Key_Right, alt)
    with qtbot.waitSignal(grid.block_dropped) as dropped:
        qtbot.keyClick(grid, Key.Key_Return)
    assert dropped.args == ["b", "l1", at(9)]


def test_that_what_is_done_stays_where_it_is(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("done")
    with qtbot.assertNotEmitted(grid.lifted):
        qtbot.keyClick(grid, Key.Key_Down, Qt.KeyboardModifier.AltModifier)


def test_that_closed_lanes_are_stepped_over(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.lifted.connect(lambda _key: grid.set_allowed_lanes({"l0", "l2"}))
    grid.choose("a")
    qtbot.keyClick(grid, Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    with qtbot.waitSignal(grid.block_dropped) as dropped:
        qtbot.keyClick(grid, Key.Key_Return)
    assert dropped.args[1] == "l2"


def test_that_a_drag_moves_a_block_to_another_lane(qtbot: QtBot, grid: TimeGrid) -> None:
    port = grid.viewport()
    start = grid.visualRect(grid.grid_model().index_of("a")).center()
    lane = grid.placed().scale.lane_width
    with qtbot.waitSignal(grid.block_dropped) as dropped:
        qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, 5):
            _drag(grid, start + QPoint(lane * step // 4, 0))
        qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=start + QPoint(lane, 0))
    assert dropped.args[:2] == ["a", "l1"]
    assert dropped.args[2] == at(8)


def _drag(grid: TimeGrid, to: QPoint) -> None:
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    left = Qt.MouseButton.LeftButton
    where = QPointF(to)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        where,
        grid.viewport().mapToGlobal(where),
        left,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    grid.mouseMoveEvent(event)


def test_that_a_drop_on_a_closed_lane_is_refused(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.lifted.connect(lambda _key: grid.set_allowed_lanes({"l0"}))
    start = grid.visualRect(grid.grid_model().index_of("a")).center()
    with qtbot.assertNotEmitted(grid.block_dropped):
        qtbot.mousePress(grid.viewport(), Qt.MouseButton.LeftButton, pos=start)
        _drag(grid, start + QPoint(30, 0))
        _drag(grid, start + QPoint(grid.placed().scale.lane_width, 0))
        qtbot.mouseRelease(grid.viewport(), Qt.MouseButton.LeftButton, pos=start)


def test_that_enter_asks_for_the_block_and_a_held_key_does_not(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("c")
    with qtbot.waitSignal(grid.block_activated) as heard:
        qtbot.keyClick(grid, Key.Key_Return)
    assert heard.args == ["c"]


def test_that_letters_are_left_to_the_pane(qtbot: QtBot, grid: TimeGrid) -> None:
    grid.choose("a")
    qtbot.keyClick(grid, Key.Key_K)
    assert grid.current_key() == "a"


def test_that_a_refresh_keeps_the_current_block_and_the_scroll(grid: TimeGrid) -> None:
    grid.choose("c")
    grid.verticalScrollBar().setValue(77)
    changed = [b if b.key != "c" else Block("c", "l1", at(8, 20), at(8, 50), "Kari Nygård") for b in visits()]
    grid.show_day(DAY, lanes(), [*changed[::-1], Block("new", "l2", at(12), at(12, 30), "Ny")], now=at(9, 13))
    assert grid.current_key() == "c"
    assert grid.verticalScrollBar().value() == 77


def test_that_the_current_block_leaving_leaves_another_current_or_none(grid: TimeGrid) -> None:
    grid.choose("c")
    grid.show_day(DAY, lanes(), [b for b in visits() if b.key != "c"], now=None)
    assert grid.current_key() != "c"


def test_that_a_screen_reader_hears_every_block(grid: TimeGrid) -> None:
    face = QAccessible.queryAccessibleInterface(grid)
    assert face is not None
    assert face.text(QAccessible.Text.Name) == "Ruter"
    index = grid.grid_model().index_of("a")
    assert index.data(int(Qt.ItemDataRole.AccessibleTextRole)) == "Astrid Moen, 08:00–08:30"


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("scale", [100, 200])
def test_that_it_paints_in_every_theme_and_size(qtbot: QtBot, grid: TimeGrid, name: str, scale: int) -> None:
    theme.apply(theme.Theme(name, "normal", scale))
    image = grid.grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).isValid()
    theme.apply(theme.Theme())


def test_that_twenty_lanes_of_fifteen_visits_paint_within_a_frame_or_two(qtbot: QtBot) -> None:
    theme.apply(theme.Theme())
    grid = TimeGrid(object_name="test.grid", name="Ruter")
    qtbot.addWidget(grid)
    grid.resize(1848, 940)
    many = [
        Block(
            f"{lane}|{n}",
            f"l{lane}",
            at(7, 30) + timedelta(minutes=30 * n),
            at(7, 50) + timedelta(minutes=30 * n),
            f"Person {n}",
            "Morgenstell",
            ("users", "push-pin"),
        )
        for lane in range(20)
        for n in range(15)
    ]
    grid.show()
    grid.show_day(DAY, lanes(20), many, now=at(9))
    grid.grab()
    times = []
    for _round in range(5):
        started = time.thread_time()  # of this thread alone: a busy machine takes nothing of it
        grid.viewport().grab()
        times.append(time.thread_time() - started)
    assert min(times) < 0.1
