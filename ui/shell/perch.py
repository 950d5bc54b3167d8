"""Where a view sits on a module's page.

The docking library takes a page out of the window at every change of tab, and Qt then lays the
whole stylesheet anew on every widget of what left and of what came: 100 ms for a full page. So the
dock holds an empty perch, and the view lies over it, on the page itself, and never moves house.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize
from PySide6.QtGui import QHideEvent, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override


class Perch(QWidget):
    """Keeps `bird` where this widget is: on `page` while the dock is there, in itself once pulled off."""

    def __init__(self, page: QWidget, bird: QWidget) -> None:
        super().__init__()
        self._page, self._bird = page, bird
        self._watched: list[QWidget] = []
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
        if self._bird.parentWidget() is not home:
            self._bird.setParent(home)
        self._watch(home)
        self._follow()
        self._bird.show()
        self._bird.raise_()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch(self)
        self._bird.hide()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow()

    @override
    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._follow()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """An area moved by a splitter resizes nothing in it; a view that grows tells nobody else."""
        kind = event.type()
        if kind == QEvent.Type.Move and watched is not self._bird:
            self._follow()
        elif kind == QEvent.Type.LayoutRequest and watched is self._bird:
            self._measure()
        return False

    def _measure(self) -> None:
        least = self._bird.minimumSizeHint()
        if least != self._least:
            self._least = least
            self.updateGeometry()

    def _follow(self) -> None:
        home = self._bird.parentWidget()
        at = QPoint() if home is self else self.mapTo(self._page, QPoint())
        if home is self or self._page.isAncestorOf(self):
            self._bird.setGeometry(at.x(), at.y(), self.width(), self.height())

    def _watch(self, home: QWidget) -> None:
        for widget in self._watched:
            widget.removeEventFilter(self)
        self._watched = []
        above = self.parentWidget()
        while home is self._page and above is not None and above is not home:
            self._watched.append(above)
            above.installEventFilter(self)
            above = above.parentWidget()
