"""How old what is shown is, by the record's clock: amber after two minutes, red after ten (SYNC §1.14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from PySide6.QtCore import QEvent, QTimer
from typing_extensions import override

from clinician.clock import oslo
from clinician.texts import Text, lazy
from ui.widgets.labels import StateLabel

L = lazy("ui")
AMBER_AFTER: Final = timedelta(minutes=2)
RED_AFTER: Final = timedelta(minutes=10)
_EVERY_MS: Final = 10_000


class Age(Enum):
    """How far what is shown may be trusted to be the newest; the value is (icon, role)."""

    FRESH = ("check-circle", "ink_quiet")
    AMBER = ("clock-countdown", "warn")
    RED = ("warning", "danger")


def age_of(as_of: datetime | None, complete: bool, now: datetime) -> Age:
    """as_of and now: by the record's clock. What was never fetched whole is red."""
    if as_of is None:
        return Age.RED
    if now - as_of > RED_AFTER:
        return Age.RED
    return Age.FRESH if complete and now - as_of <= AMBER_AFTER else Age.AMBER


def age_words(as_of: datetime | None, complete: bool, now: datetime) -> Text:
    """'As of 10:42:07'; with how old that is once it is no longer fresh."""
    if as_of is None:
        return L("Never fetched whole")
    clock = f"{oslo(as_of):%H:%M:%S}"
    if oslo(as_of).date() != oslo(now).date():
        clock = f"{oslo(as_of):%d.%m. %H:%M}"
    if now - as_of > AMBER_AFTER:
        return L("As of {clock}, {age} old", clock=clock, age=span_words(now - as_of))
    return L("As of {clock}", clock=clock) if complete else L("As of {clock}, not whole yet", clock=clock)


def span_words(span: timedelta) -> Text:
    """'14 min', '3 h' or '2 d': whole units, rounded down."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return L("{n} min", n=minutes)
    return L("{n} h", n=minutes // 60) if minutes < 48 * 60 else L("{n} d", n=minutes // 1440)


class AgeLabel(StateLabel):
    """Beside the heading of a list. Grows older by itself while nothing new comes."""

    def __init__(self, now: Callable[[], datetime], name: str) -> None:
        super().__init__(*_face(Age.RED), size=12)
        self.setObjectName(name)
        self._now = now
        self._shown: tuple[datetime | None, bool] | None = None
        self.hide()
        self._tick = QTimer(self)
        self._tick.setInterval(_EVERY_MS)
        self._tick.timeout.connect(self._show_now)
        self._tick.start()

    def show_age(self, as_of: datetime | None, complete: bool) -> None:
        """As of when the list is, by the record's clock; None: never whole."""
        self._shown = (as_of, complete)
        self._show_now()
        self.show()

    @property
    def text(self) -> str:
        """The words, as shown."""
        return self.label.text()

    @property
    def age(self) -> Age:
        """How far the list may be trusted."""
        return age_of(*(self._shown or (None, False)), self._now())

    def _show_now(self) -> None:
        if self._shown is None:
            return
        icon, _words, role = _face(self.age)
        self.set_state(icon, age_words(*self._shown, self._now()), role)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._show_now()
        super().changeEvent(event)


def _face(age: Age) -> tuple[str, str, str]:
    icon, role = age.value
    return icon, "", role
