"""The message line above the strip, and the line of long work above that. Neither takes the focus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QWidget
from typing_extensions import override

from clinician.modulekit.context import Kind
from clinician.texts import lazy
from ui.shell.message_channel import Message, MessageChannel
from ui.shell.running import Running
from ui.widgets import theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.labels import Glyph, Label
from ui.widgets.panes import Ground
from ui.widgets.words import shown

L = lazy("ui")
LATE_MS = 300

_FACES = {
    Kind.INFO: ("info", "accent", "offline_soft"),
    Kind.DONE: ("check-circle", "done", "done_soft"),
    Kind.WARN: ("warning", "warn", "warn_soft"),
    Kind.DANGER: ("warning-octagon", "danger", "danger_soft"),
}


class MessageLine(Ground):
    """One message at a time; it stays until read (×, Escape) or done (its button, F8)."""

    def __init__(self, channel: MessageChannel, name: str) -> None:
        super().__init__("surface_raised")
        self.setObjectName(name)
        self._channel = channel
        self._glyph = Glyph("info", "accent")
        self._text = Label(wrap=True)
        self._more = Label(size=12, tone="ink_quiet")
        self._act = Button("", f"{name}.act", hint="F8")
        self._close = IconButton("x", L("Close the message"), f"{name}.close", role="ink_quiet")
        self._unseen: frozenset[Message] = frozenset()
        self._act.clicked.connect(lambda: channel.act(self._current()))
        self._close.clicked.connect(lambda: channel.dismiss(self._current()))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(theme.current().space(2))
        for part, stretch in ((self._glyph, 0), (self._text, 1), (self._more, 0), (self._act, 0)):
            row.addWidget(part, stretch)
        row.addWidget(self._close)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        channel.changed.connect(self._show_current)
        self._show_current()

    @property
    def text(self) -> str:
        """What is said, '' when nothing is."""
        message = self._current()
        return "" if message is None else shown(message.words)

    def hide_present(self) -> None:
        """What has been said until now may name a patient: on a cover only what comes later is shown."""
        self._unseen = frozenset(self._channel.messages)
        self._show_current()

    def _shown(self) -> list[Message]:
        return [message for message in self._channel.messages if message not in self._unseen]

    def _current(self) -> Message | None:
        return next(iter(self._shown()), None)

    def _show_current(self) -> None:
        message = self._current()
        self.setVisible(message is not None)
        if message is None:
            return
        icon, role, ground = _FACES[message.kind]
        self._glyph.set_icon(icon, role)
        self.set_ground(ground)
        self._text.set_words(message.words)
        self.setAccessibleName(shown(message.words))
        self._act.setVisible(bool(message.action))
        self._act.set_words(message.action)
        behind = len(self._shown()) - 1
        self._more.set_words(L("{count} more", count=behind) if behind else "")

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and hasattr(self, "_close"):
            self._show_current()
        super().changeEvent(event)


class WorkLine(Ground):
    """What long work does, how far it is, and how to stop it; shown after 300 ms."""

    def __init__(self, running: Running) -> None:
        super().__init__("surface_raised")
        self.setObjectName("shell.work")
        self._running = running
        self._title = Label()
        self._words = Label(tone="ink_quiet")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMinimumWidth(160)
        self._stop = Button(L("Stop"), "shell.work.stop", icon="x-circle")
        self._stop.clicked.connect(running.stop_current)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(theme.current().space(3))
        parts: tuple[tuple[QWidget, int], ...] = (
            (self._title, 0),
            (self._words, 1),
            (self._bar, 0),
            (self._stop, 0),
        )
        for part, stretch in parts:
            row.addWidget(part, stretch)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(LATE_MS)
        self._late.timeout.connect(self.show)
        running.changed.connect(self._show_current)
        self.hide()

    def _show_current(self) -> None:
        work = self._running.current
        if work is None:
            self._late.stop()
            self.hide()
            return
        self._title.set_words(work.title or L("Working …"))
        self._words.set_words(work.words)
        self._bar.setRange(0, work.total)
        self._bar.setValue(work.done)
        if not self.isVisible() and not self._late.isActive():
            self._late.start()
