"""Texts that follow the language while the program runs.

A widget of this room takes `Words`: a `Text` from `L(...)` follows the language by itself (Qt hands
LanguageChange down the tree, see `announce`); a plain str stays as it is (a name, a number).
"""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from clinician.texts import Text

Words = str | Text


def shown(words: Words) -> str:
    """The words in the language in force."""
    return words if isinstance(words, str) else words.render()


def announce(window: QWidget) -> None:
    """Tell a window and everything in it that the language has changed."""
    QApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))
