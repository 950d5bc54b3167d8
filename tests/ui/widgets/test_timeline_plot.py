"""The curve: a keyboard cursor with words, a table with the same values, drawn once it is seen."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from clinician import texts
from clinician.clock import OSLO
from ui.widgets import theme
from ui.widgets.timeline_plot import Band, Point, Series, TimelinePlot

Key = Qt.Key
START = datetime(2026, 3, 3, 8, 12, tzinfo=OSLO)


def pressure(count: int = 5) -> tuple[Series, Series]:
    def points(name: str, base: int) -> tuple[Point, ...]:
        return tuple(
            Point(f"{name}{n}", START + timedelta(days=n), base + n, f"{130 + n}/{80 + n} mmHg", "Kari Lunde")
            for n in range(count)
        )

    return Series("systolic", "Overtrykk", points("s", 130)), Series(
        "diastolic", "Undertrykk", points("d", 80)
    )


@pytest.fixture
def plot(qtbot: QtBot) -> TimelinePlot:
    texts.set_language("nb")
    theme.apply(theme.Theme())
    made = TimelinePlot("test.plot", "Kurve")
    qtbot.addWidget(made)
    made.resize(600, 320)
    made.show()
    made.show_series(pressure(), (Band(90, 140, "90–140"),), unit="mmHg")
    return made


def test_that_the_newest_value_is_read_first(plot: TimelinePlot) -> None:
    assert plot.reading == "134/84 mmHg · Overtrykk · lør 7. mars 08:12 · Kari Lunde"
    assert plot.accessibleDescription() == plot.reading


def test_that_arrow_keys_walk_the_points(qtbot: QtBot, plot: TimelinePlot) -> None:
    keys = []
    for key in (Key.Key_Left, Key.Key_Left, Key.Key_Down, Key.Key_Home, Key.Key_Left, Key.Key_End):
        qtbot.keyClick(plot, key)
        point = plot.current_point()
        keys.append(point.key if point else "")
    assert keys == ["s3", "s2", "d2", "d0", "d0", "d4"]


def test_that_the_cursor_stays_on_its_point_when_new_values_come(qtbot: QtBot, plot: TimelinePlot) -> None:
    qtbot.keyClick(plot, Key.Key_Home)
    plot.show_series(pressure(9))
    point = plot.current_point()
    assert point is not None
    assert point.key == "s0"


def test_that_the_table_says_the_same_newest_first_and_once(plot: TimelinePlot) -> None:
    plot.show_table(True)
    assert plot.is_table
    rows = plot.table.model().rowCount()
    assert rows == 5
    assert plot.table.model().index(0, 1).data() == "134/84 mmHg"


def test_that_no_values_are_no_curve_and_no_words(plot: TimelinePlot) -> None:
    plot.show_series(())
    assert plot.reading == ""
    assert plot.current_point() is None


@pytest.mark.parametrize("name", theme.THEMES)
def test_that_it_draws_in_every_theme(plot: TimelinePlot, name: str) -> None:
    theme.apply(theme.Theme(name, "normal", 200))
    assert not plot.grab().isNull()
    theme.apply(theme.Theme())


def test_that_pyqtgraph_is_not_loaded_before_a_curve_is_seen() -> None:
    code = "import sys, ui.widgets.timeline_plot; sys.exit('pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
