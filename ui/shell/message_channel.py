"""The one non-modal channel: messages wait in line, the gravest first, until read or done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from clinician.errors import Bug, ClinicianError, Environment, Refused
from clinician.modulekit.context import Kind
from ui.widgets.words import Words

_RANK = {Kind.DANGER: 0, Kind.WARN: 1, Kind.INFO: 2, Kind.DONE: 3}


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One line. `action` is the label of its way out. What is done gives way to the next."""

    words: Words
    kind: Kind = Kind.INFO
    action: Words = ""
    on_action: Callable[[], object] | None = field(default=None, repr=False)


class MessageChannel(QObject):
    """Implements `modulekit.context.Messages`."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[Message] = []
        self.on_bug: Callable[[Bug], None] = lambda _bug: None
        self.on_environment: Callable[[Environment], None] = lambda _problem: None

    @property
    def current(self) -> Message | None:
        """The message shown."""
        return self._waiting[0] if self._waiting else None

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that is to be read, the gravest first."""
        return tuple(self._waiting)

    @property
    def waiting(self) -> int:
        """How many more wait behind it."""
        return max(0, len(self._waiting) - 1)

    def say(
        self,
        text: Words,
        kind: Kind = Kind.INFO,
        *,
        action: Words = "",
        on_action: Callable[[], object] | None = None,
    ) -> None:
        """Show a line. A second line of the same words, and an older 'done', give way to it."""
        new = Message(text, kind, action, on_action)
        kept = [m for m in self._waiting if m.kind is not Kind.DONE and str(m.words) != str(text)]
        self._waiting = sorted([new, *kept], key=lambda message: _RANK[message.kind])
        self.changed.emit()

    def problem(self, problem: ClinicianError) -> None:
        """Show a problem in its own words, with its way out."""
        if isinstance(problem, Bug):
            self.say(
                problem.text,
                Kind.DANGER,
                action=problem.way_out or "",
                on_action=lambda: self.on_bug(problem),
            )
        elif isinstance(problem, Environment):
            self.say(
                problem.text,
                Kind.WARN,
                action=problem.way_out or "",
                on_action=lambda: self.on_environment(problem),
            )
        else:
            self.say(problem.text, Kind.WARN if isinstance(problem, Refused) else Kind.DANGER)

    def act(self, shown: Message | None = None) -> None:
        """Take the way out of a message, by default the one shown; it is then done."""
        message = shown or self.current
        if message is not None:
            self.dismiss(message)
            if message.on_action is not None:
                message.on_action()

    def dismiss(self, shown: Message | None = None) -> None:
        """A message, by default the one shown, has been read."""
        message = shown or self.current
        if message in self._waiting:
            self._waiting.remove(message)
            self.changed.emit()

    def clear(self) -> None:
        """Another person signs in."""
        self._waiting.clear()
        self.changed.emit()
