"""What a person sees who is signed in and not covered: rail, bars, banner, pages, lines and strip."""

from __future__ import annotations

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.access.who import Who
from clinician.events import SyncStatus
from ui.shell.banner import Banner
from ui.shell.desk import Desk
from ui.shell.message_line import MessageLine, WorkLine
from ui.shell.palette import SearchField
from ui.shell.rail import Rail
from ui.shell.running import Running
from ui.shell.stale_banner import StaleBanner
from ui.shell.status_strip import StatusStrip
from ui.shell.sync_trouble import SyncTrouble
from ui.shell.top_bar import TopBar
from ui.widgets.panes import Hairline


class Work(QWidget):
    """Everything a person sees who is signed in and not covered."""

    def __init__(self, desk: Desk, running: Running, search: SearchField) -> None:
        super().__init__()
        self._watched = desk.station.watched
        self._watched(False)
        self.rail = Rail()
        self.top = TopBar(desk, search)
        self.banner = Banner(desk)
        self.stale = StaleBanner(desk)
        self.pages = QStackedWidget()
        self.strip = StatusStrip(desk)
        self._trouble = SyncTrouble(desk)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addWidget(self.banner)
        column.addWidget(Hairline())
        column.addWidget(self.stale)
        column.addWidget(self.pages, 1)
        column.addWidget(WorkLine(running))
        column.addWidget(MessageLine(desk.messages, "shell.message"))
        column.addWidget(self.strip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(column, 1)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """Somebody is signed in and the window is not minimised: the lists are seen."""
        self._watched(True)
        super().showEvent(event)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        self._watched(False)
        super().hideEvent(event)

    def show_status(self, status: SyncStatus, who: Who | None) -> None:
        """What is true of sync: in the rail, the strip, and a message where a person must act."""
        self.rail.set_count("page:outbox", status.conflicts + status.refused)
        self.strip.show_status(status)
        self.stale.show_status(status)
        self._trouble.tell(status, who)
