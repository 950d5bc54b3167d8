"""Where a view lies on its page: always over its dock, and never taken out of the window by a tab."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.station import FakeStation

pytestmark = pytest.mark.window


class Counted(QObject):
    """How often Qt laid the stylesheet anew on anything inside a widget."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.inside, self.count = inside, 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # Qt's name
        if event.type() == QEvent.Type.StyleChange and isinstance(watched, QWidget):
            self.count += self.inside is watched or self.inside.isAncestorOf(watched)
        return False


def page_of(shell: Any) -> Any:
    return shell.rooms.page("homecare")


def lies_over_its_dock(page: Any, view: str) -> bool:
    holder, dock = page.holders[view], page._docks[view]
    within = QRect(dock.mapToGlobal(QPoint()), dock.size())
    return within == QRect(holder.mapToGlobal(QPoint()), holder.size())


def test_that_a_switch_of_tabs_styles_no_view_anew(shell: Any, qtbot: Any) -> None:
    page = page_of(shell)
    for number in (2, 1):
        page.open_page(number)
        qtbot.wait(20)
    counted = [Counted(page.holders[key]) for key in ("homecare.my-day", "homecare.zone")]
    app: Any = QApplication.instance()
    for one in counted:
        app.installEventFilter(one)
    page.open_page(2)
    page.open_page(1)
    qtbot.wait(20)
    for one in counted:
        app.removeEventFilter(one)
    assert [one.count for one in counted] == [0, 0]


def test_that_only_the_view_of_the_front_tab_is_seen_and_it_fills_its_dock(shell: Any, qtbot: Any) -> None:
    page = page_of(shell)
    for number, view in ((2, "homecare.zone"), (1, "homecare.my-day")):
        page.open_page(number)
        qtbot.waitUntil(lambda view=view: lies_over_its_dock(page, view))
        seen = {holder.offer.key for holder in page.visible_holders()}
        assert seen == {view, "homecare.visit"}


def test_that_a_view_goes_along_when_a_border_is_moved_or_the_window_grows(shell: Any, qtbot: Any) -> None:
    page = page_of(shell)
    qtbot.waitUntil(lambda: page._is_shared)
    qtbot.wait(30)
    area = page._areas["right"]
    sizes = page._manager.splitterSizes(area)
    page._manager.setSplitterSizes(area, [sum(sizes) - 320, 320])
    qtbot.waitUntil(lambda: lies_over_its_dock(page, "homecare.visit"))
    window = shell.window()
    window.resize(window.width() + 140, window.height() + 60)
    for view in ("homecare.my-day", "homecare.visit"):
        qtbot.waitUntil(lambda view=view: lies_over_its_dock(page, view))


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_that_a_view_goes_along_into_a_window_of_its_own_and_back(shell: Any, qtbot: Any) -> None:
    page = page_of(shell)
    holder, dock = page.holders["homecare.visit"], page._docks["homecare.visit"]
    kept = page.arrangement()
    dock.setFloating()
    qtbot.waitUntil(lambda: holder.isVisible() and holder.window() is not shell.window())
    qtbot.waitUntil(lambda: lies_over_its_dock(page, "homecare.visit"))
    assert page.arrange(kept)
    qtbot.waitUntil(lambda: holder.isVisible() and holder.window() is shell.window())
    qtbot.waitUntil(lambda: lies_over_its_dock(page, "homecare.visit"))
    holder.view.field.set_text("er her ennå")
    assert holder.view.field.text == "er her ennå"


def test_that_a_dock_asks_for_the_room_its_view_needs(shell: Any, qtbot: Any) -> None:
    page = page_of(shell)
    holder, dock = page.holders["homecare.visit"], page._docks["homecare.visit"]
    qtbot.waitUntil(lambda: holder.view is not None)
    holder.view.setMinimumWidth(700)
    qtbot.waitUntil(lambda: dock.minimumSizeHint().width() >= 700)
    assert dock.sizeHint().height() >= holder.minimumSizeHint().height()


def test_that_panes_that_were_moved_are_kept_without_anybody_leaving(
    shell: Any, station: FakeStation, qtbot: Any
) -> None:
    """The program may be killed the next moment."""
    page = page_of(shell)
    qtbot.waitUntil(lambda: page._is_shared)
    qtbot.wait(30)
    area = page._areas["right"]
    sizes = page._manager.splitterSizes(area)
    page._manager.setSplitterSizes(area, [sum(sizes) - 320, 320])
    moved = page._manager.splitterSizes(area)

    def kept() -> str:
        return station.drafts.kept.get(("Practitioner/kari", "shell.docks.homecare", ""), "")

    qtbot.waitUntil(lambda: bool(kept()))
    page._manager.setSplitterSizes(area, sizes)
    assert page.arrange_as(kept())
    assert abs(page._manager.splitterSizes(page._docks["homecare.visit"].dockAreaWidget())[1] - moved[1]) <= 4
