"""The walk finds what it is there to find."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget

from tests.ui import walk
from ui.widgets.buttons import Button
from ui.widgets.labels import Label


def test_that_a_nameless_unspoken_control_is_found(dressed: QApplication, qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(QLineEdit())
    column.addWidget(Button("Utført", "room.view.done"))
    column.addWidget(Button("Angre", "room.view.done"))
    window.show()
    found = walk.faults(window)
    assert any("not room.view.control" in fault for fault in found)
    assert any("no accessible name" in fault for fault in found)
    assert any("is there twice" in fault for fault in found)
    assert len(found) == 3


def test_that_a_control_without_a_ring_is_found(dressed: QApplication, qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    bare = QPushButton("Bar")
    bare.setObjectName("room.view.bare")
    bare.setStyleSheet("QPushButton:focus { border: 1px solid gray; margin: 1px; }")
    column.addWidget(bare)
    column.addWidget(Button("Utført", "room.view.done", kind="primary"))
    window.show()
    found = walk.without_ring(window, qtbot)
    assert len(found) == 1
    assert "room.view.bare" in found[0]


def test_that_a_cut_label_is_found(dressed: QApplication, qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    label = Label("Astrid Moen")
    column = QVBoxLayout(window)
    column.addWidget(label)
    window.show()
    assert walk.clipped(window) == []
    label.setFixedWidth(20)
    qtbot.wait(1)
    assert len(walk.clipped(window)) == 1
