"""The status strip: the truth about sync on the left, key hints of the focused pane on the right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QWidget
from typing_extensions import override

from clinician.clock import oslo
from clinician.events import Link, Push, SyncStatus
from clinician.texts import lazy, translator
from ui.shell.desk import Desk
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import ElidedLabel
from ui.widgets.panes import Ground
from ui.widgets.words import Words, shown

L = lazy("ui")
_ = translator("ui")
HEIGHT = 28

_FACES = {
    Link.FRESH: ("check-circle", "done"),
    Link.WAITING: ("hourglass", "ink"),
    Link.OFFLINE: ("cloud-slash", "offline"),
}


def clock_text(when: datetime | None, now: datetime, *, seconds: bool = False) -> str:
    """'10:42:07' today, 'man 3. mars 10:42' on another day; '' when unknown."""
    if when is None:
        return ""
    local, today = oslo(when), oslo(now).date()
    time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    if local.date() == today:
        return time
    days = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    return _(
        "{weekday} {day}.{month}. {time}",
        weekday=days[local.weekday()],
        day=local.day,
        month=local.month,
        time=f"{local:%H:%M}",
    )


def truth(status: SyncStatus, now: datetime) -> str:
    """One honest line. Fresh is said only when everything is confirmed by the record."""
    line = _link_text(status, now)
    if status.disk_full:
        return _("The disk of this PC is full · {truth}", truth=line)
    if status.restored:
        return _("{truth} · sending is paused", truth=line)
    if status.push is Push.SICK and status.link is not Link.OFFLINE:
        return _("{truth} · news from others every 10 s", truth=line)
    return line


def _link_text(status: SyncStatus, now: datetime) -> str:
    waiting = _.n("{n} waiting", "{n} waiting", status.waiting)
    match status.link:
        case Link.OFFLINE:
            since = clock_text(status.offline_since, now)
            head = _("Offline since {time}", time=since) if since else _("Offline")
            return f"{head} · {waiting}"
        case Link.WAITING:
            return waiting if not status.as_of else f"{waiting} · {_as_of(status, now)}"
        case _:
            return f"{_as_of(status, now)} · {waiting}"


def _as_of(status: SyncStatus, now: datetime) -> str:
    text = clock_text(status.as_of, now, seconds=True)
    return _("Updated {time}", time=text) if text else _("Not fetched yet")


def work_text(status: SyncStatus) -> str:
    """'Henter … 1 200 av 5 000' while a fetch is under way."""
    if not status.working:
        return ""
    if status.total:
        return _("fetching {done} of {total}", done=_thousands(status.done), total=_thousands(status.total))
    return _("fetching …")


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


class StatusStrip(Ground):
    """28 px at the foot of the window."""

    outbox_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface_sunken")
        self.setObjectName("shell.status")
        self._desk = desk
        self._status = desk.station.status()
        self._pane: Any = None
        self._sync = Button("", "shell.status.sync", kind="quiet", hint=L("Open the outbox"))
        self._decide = Button("", "shell.status.decide", kind="danger")
        self._work = ElidedLabel(size=12, tone="ink_quiet")
        self._hints = ElidedLabel(size=12, tone="ink_quiet")
        self._hints.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for button in (self._sync, self._decide):
            button.setProperty("strip", "true")
            button.clicked.connect(self.outbox_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(theme.current().space(2))
        row.addWidget(self._sync)
        row.addWidget(self._decide)
        row.addWidget(self._work, 1)
        row.addWidget(self._hints, 2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._on_theme()
        self.show_status(self._status)
        desk.bridge.sync_status.connect(self.show_status)
        desk.hints_changed.connect(self._show_hints)
        theme.theme_changed.connect(self._on_theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        self._minute = QTimer(self)
        self._minute.setInterval(60_000)
        self._minute.timeout.connect(lambda: self.show_status(self._status))
        self._minute.start()

    def stop(self) -> None:
        """The window closes."""
        self._minute.stop()

    @property
    def text(self) -> str:
        """The line on the left, as shown."""
        return self._sync.text()

    @property
    def hints(self) -> str:
        """The key hints, as shown."""
        return self._hints.accessibleName()

    def show_status(self, status: SyncStatus) -> None:
        """Tell the truth of now."""
        self._status = status
        icon, role = ("warning-octagon", "danger") if status.disk_full else _FACES[status.link]
        self._sync.set_face(icon, role)
        self._sync.set_words(truth(status, self._desk.station.clock.now()))
        todo = status.conflicts + status.refused
        self._decide.setVisible(todo > 0)
        self._decide.set_words(_.n("{n} to decide", "{n} to decide", todo))
        self._work.set_words(work_text(status))

    def _on_theme(self) -> None:
        self.setFixedHeight(max(HEIGHT, theme.current().px(12) + 16))
        self._sync.setFont(theme.current().font(12))
        self._decide.setFont(theme.current().font(12, 600))

    def _on_focus(self, _old: QWidget | None, now: QWidget | None) -> None:
        found = now
        while found is not None and not hasattr(found, "key_hints"):
            found = found.parentWidget()
        if now is None or now.window() is not self.window():
            return
        self._pane = found
        self._show_hints()

    def pane_keys(self) -> tuple[tuple[Words, Words], ...]:
        """The keys of the pane that has, or last had, the keyboard."""
        return tuple(self._pane.key_hints()) if self._pane is not None else ()

    def _show_hints(self) -> None:
        texts = [f"{shown(key)} = {shown(what)}" for key, what in self.pane_keys()] or [_("F1 = all keys")]
        self._hints.set_words(" · ".join(texts))

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and hasattr(self, "_status"):
            self.show_status(self._status)
            self._show_hints()
        super().changeEvent(event)
