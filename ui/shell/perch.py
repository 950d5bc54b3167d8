"""Where a view sits on a module's page.

The docking library takes a page out of the window at every change of tab, and Qt then lays the
whole stylesheet anew on every widget of what left and of what came: 100 ms for a full page. So the
dock holds an empty perch, and the view lies over it, on the page itself, and never moves house.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override


class Perch(QWidget):
    """Keeps `bird` where this widget is: on `page` while the dock is there, in itself once pulled off.

    `stirred` when something about it changed: its neighbours may have been pushed aside without a
    word from Qt, so every perch of a page is to `follow` then.
    """

    stirred = Signal()

    def __init__(self, page: QWidget, bird: QWidget) -> None:
        super().__init__()
        self._page, self._bird, self._home = page, bird, page
        self._least = QSize()
        self.setObjectName(f"{bird.objectName()}.perch")
        bird.setParent(page)
        bird.hide()
        bird.installEventFilter(self)

    @override
    def sizeHint(self) -> QSize:
        return self._bird.sizeHint()

    @override
    def minimumSizeHint(self) -> QSize:
        return self._bird.minimumSizeHint()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        home = self._page if self._page.isAncestorOf(self) else self
        if home is not self._home:
            self._home = home
            self._bird.setParent(home)
        self.follow()
        self._bird.show()
        self._bird.raise_()
        self.stirred.emit()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._bird.hide()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.follow()
        self.stirred.emit()

    @override
    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self.follow()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A view that needs more room tells its own layout only: pass it on to the dock."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self._bird:
            least = self._bird.minimumSizeHint()
            if least != self._least:
                self._least = least
                self.updateGeometry()
        return False

    def follow(self) -> None:
        """Lay the view where the perch is."""
        if self._home is self:
            self._bird.setGeometry(self.rect())
        elif self._page.isAncestorOf(self):
            at = self.mapTo(self._page, QPoint())
            self._bird.setGeometry(at.x(), at.y(), self.width(), self.height())


class Perches(QObject):
    """The perches of one page. After anything stirs, all are followed before the next paint."""

    followed = Signal()
    """Something stirred, and every view lies where it should again."""
    _stirred = Signal()

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self._all: list[Perch] = []
        self._is_due = False
        # Queued, yet ahead of painting, which Qt posts with low priority.
        self._stirred.connect(self._follow, Qt.ConnectionType.QueuedConnection)

    def add(self, bird: QWidget) -> Perch:
        """A perch for a view, to be put into a dock."""
        perch = Perch(self._page, bird)
        perch.stirred.connect(self._on_stirred)
        self._all.append(perch)
        return perch

    def _on_stirred(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._stirred.emit()

    def _follow(self) -> None:
        self._is_due = False
        for perch in self._all:
            if perch.isVisible():
                perch.follow()
        self.followed.emit()
