"""A band over the page while it may be old: since when, what is shown, and that what was done is kept."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QHBoxLayout
from typing_extensions import override

from clinician.events import Link, SyncStatus
from clinician.texts import Text, lazy
from ui.shell.desk import Desk
from ui.shell.status_strip import clock_text
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.freshness import Age, age_of
from ui.widgets.labels import StateLabel
from ui.widgets.panes import Ground

L = lazy("ui")
_EVERY_MS = 10_000


def is_stale(status: SyncStatus, now: datetime) -> bool:
    """Whether the band is there: away and older than two minutes, or in contact and older than ten.

    offline_since is None until the first try has failed: at the start nothing is known yet.
    """
    if status.link is not Link.OFFLINE:
        return status.as_of is not None and _age(status, now) is Age.RED
    return status.offline_since is not None and _age(status, now) is not Age.FRESH


def stale_words(status: SyncStatus, now: datetime) -> Text:
    """What a person must know before trusting the page."""
    known = clock_text(status.as_of, now) or "—"
    if status.link is not Link.OFFLINE:
        return L(
            "The central record answers, but not all of it has arrived since {known}. Ask somebody before "
            "you act on what is missing here.",
            known=known,
        )
    since = clock_text(status.offline_since, now)
    if status.as_of is None:
        return L("No contact with the central record. This PC has never had all of its data.")
    if not status.waiting:
        return L(
            "No contact with the central record since {since}. You see what was known at {known}. "
            "Go on working: what you do is kept on this PC.",
            since=since or known,
            known=known,
        )
    return L(
        "No contact with the central record since {since}. You see what was known at {known}. "
        "Waiting on this PC: {waiting}. It is sent by itself.",
        since=since or known,
        known=known,
        waiting=status.waiting,
    )


def _age(status: SyncStatus, now: datetime) -> Age:
    return age_of(status.as_of, True, now + status.clock_ahead)


class StaleBanner(Ground):
    """Not there while everything is fresh."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface_sunken")
        self.setObjectName("shell.stale")
        self._desk = desk
        self._status: SyncStatus | None = None
        self.state = StateLabel("cloud-slash", "", "offline", weight=600, wrap=True)
        outbox = Button(L("Open the outbox"), "shell.stale.outbox", kind="quiet")
        outbox.clicked.connect(lambda: desk.open_page("outbox"))
        space = theme.current().space
        row = QHBoxLayout(self)
        row.setContentsMargins(space(3), space(1), space(3), space(1))
        row.setSpacing(space(3))
        row.addWidget(self.state, 1)
        row.addWidget(outbox)
        self._tick = QTimer(self)
        self._tick.setInterval(_EVERY_MS)
        self._tick.timeout.connect(self._show_now)
        self._tick.start()
        self.hide()

    def show_status(self, status: SyncStatus) -> None:
        """Look at a status; the band comes and goes by itself as it ages."""
        self._status = status
        self._show_now()

    def stop(self) -> None:
        """The window closes."""
        self._tick.stop()

    @property
    def text(self) -> str:
        """The words, as shown."""
        return self.state.label.text()

    def _show_now(self) -> None:
        if self._status is None:
            return
        now = self._desk.station.clock.now()
        stale = is_stale(self._status, now)
        if stale:
            is_red = self._status.as_of is None or _age(self._status, now) is Age.RED
            icon = "cloud-slash" if self._status.link is Link.OFFLINE else "warning"
            self.state.set_state(icon, stale_words(self._status, now), "danger" if is_red else "warn")
        self.setVisible(stale)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._show_now()
        super().changeEvent(event)
