from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from clinician import texts
from tests.modules.homecare.views.context import context
from ui.widgets import theme

Show = Callable[[Any], QWidget]
Press = Callable[..., None]


@pytest.fixture(autouse=True)
def _norwegian_light(qapp: QApplication) -> Iterator[None]:
    texts.set_language("nb")
    if theme.current() != theme.Theme() or not qapp.styleSheet():
        theme.apply(theme.Theme())
    yield
    texts.set_language("nb")


@pytest.fixture
def ctx() -> Any:
    return context(patient="Patient/3")


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    kept = []

    def go(view: Any) -> Any:
        kept.append(view)
        qtbot.addWidget(view)
        view.resize(1294, 644)
        view.show()
        view.activateWindow()
        view.setFocus()
        qtbot.wait(60)
        return view

    return go


@pytest.fixture
def press(qtbot: QtBot) -> Press:
    """Presses keys in whatever has the keyboard; one call is one action each."""

    def go(*chords: str) -> None:
        for chord in chords:
            combination = QKeySequence(chord, QKeySequence.SequenceFormat.PortableText)[0]
            target = QApplication.focusWidget()
            assert target is not None, f"nothing has the keyboard before {chord}"
            qtbot.keyClick(target, combination.key(), combination.keyboardModifiers())
            qtbot.wait(45)

    return go


@pytest.fixture
def type_text(qtbot: QtBot) -> Callable[[str], None]:
    def go(words: str) -> None:
        target = QApplication.focusWidget()
        assert target is not None
        qtbot.keyClicks(target, words)

    return go


def pressed_and_held(widget: QWidget, key: Qt.Key) -> None:
    """A key that repeats by itself because it is held down."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    text = " " if key == Qt.Key.Key_Space else QKeySequence(key).toString()
    for _repeat in range(3):
        event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text, True)
        QApplication.sendEvent(widget, event)
