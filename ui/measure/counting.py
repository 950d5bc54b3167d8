"""Counts what a hand does, by the rules of the task scripts.

An action is a click, drag, command key or chord; characters typed into a text field are counted
apart; Tab is half an action; auto-repeat and bare modifiers are nothing. Keystroke-level times:
K 0.28 s, P 1.1, B 0.1, H 0.4, M 1.2 (mean typist; the operators of Card, Moran and Newell).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QShortcutEvent, QWindow
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

K, P, B, H, M = 0.28, 1.1, 0.1, 0.4, 1.2
_MODIFIERS = {
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock,
}


class Device(StrEnum):
    """Which hand position; changing it costs H."""

    KEYBOARD = "keyboard"
    MOUSE = "mouse"


@dataclass(slots=True)
class Count:
    """What was done since the count was started. klm_s includes measured waits."""

    actions: float = 0.0
    chars: int = 0
    clicks: int = 0
    modals: int = 0
    klm_s: float = 0.0
    wait_s: float = 0.0
    longest_wait_s: float = 0.0
    log: list[str] = field(default_factory=list)


class Counter(QObject):
    """An event filter on the whole application. `start()` begins a count, `stop()` ends and returns it."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._count = Count()
        self._device: Device | None = None
        self._last = ""
        self._pane: QWidget | None = None
        self._counting = False

    def start(self) -> None:
        """Begin anew."""
        self._count, self._device, self._last, self._pane = Count(), None, "", None
        self._counting = True
        self._application.installEventFilter(self)

    def stop(self) -> Count:
        """End the count."""
        self._application.removeEventFilter(self)
        self._counting = False
        return self._count

    def typed(self) -> None:
        """A letter that could not come through the native window."""
        self._count.chars += 1
        self._count.klm_s += K

    def waited(self, seconds: float) -> None:
        """A measured wait: input ready to next paint."""
        self._count.wait_s += seconds
        self._count.klm_s += seconds
        self._count.longest_wait_s = max(self._count.longest_wait_s, seconds)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # Qt's name
        """Only what reaches a native window counts, so one stroke is one event."""
        kind = event.type()
        if kind == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            if watched.isModal():
                self._count.modals += 1
        elif kind == QEvent.Type.Shortcut and isinstance(event, QShortcutEvent):
            self._chord(event)
        elif isinstance(watched, QWindow) and event.spontaneous():
            if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                self._key(event)
            elif kind == QEvent.Type.MouseButtonPress:
                self._click()
        return False

    def _chord(self, event: QShortcutEvent) -> None:
        """A chord the window takes before any widget sees the key."""
        self._hand_to(Device.KEYBOARD)
        self._count.klm_s += K
        name = event.key().toString()
        self._think(name)
        self._count.actions += 1
        self._count.log.append(name)

    def _hand_to(self, device: Device) -> None:
        if self._device is not None and self._device is not device:
            self._count.klm_s += H
        self._device = device

    def _think(self, what: str) -> None:
        """M before the first action, before a choice and on a new pane; none for an expected next step."""
        focus = self._application.focusWidget()
        pane = focus.window() if focus is not None else None
        if not self._last or what != self._last or pane is not self._pane:
            self._count.klm_s += M
        self._last, self._pane = what, pane

    def _key(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat() or event.key() in _MODIFIERS:
            return
        self._hand_to(Device.KEYBOARD)
        self._count.klm_s += K
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._count.actions += 0.5
            self._count.log.append("Tab")
            return
        if self._is_typing(event):
            self._count.chars += 1
            self._last = "typing"
            return
        name = event.keyCombination().key().name.removeprefix("Key_")
        self._think(name)
        self._count.actions += 1
        self._count.log.append(name)

    def _is_typing(self, event: QKeyEvent) -> bool:
        chord = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        focus = self._application.focusWidget()
        field_types = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)
        if not isinstance(focus, field_types) or chord:
            return False
        return (bool(event.text()) and event.text().isprintable()) or event.key() == Qt.Key.Key_Backspace

    def _click(self) -> None:
        self._hand_to(Device.MOUSE)
        self._think("click")
        self._count.klm_s += P + 2 * B
        self._count.actions += 1
        self._count.clicks += 1
        self._count.log.append("click")
