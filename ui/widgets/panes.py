"""Frames of the page: a raised pane, one hairline, a scrolling column. Never boxes in boxes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from ui.widgets import theme
from ui.widgets.labels import Label, repolish
from ui.widgets.words import Words


class Hairline(QFrame):
    """One line, one pixel."""

    def __init__(self, *, vertical: bool = False) -> None:
        super().__init__()
        self.setProperty("hairline", "true")
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)


class Ground(QFrame):
    """An area on one of the ground roles."""

    def __init__(self, ground: str = "surface") -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("ground", ground)

    def set_ground(self, ground: str) -> None:
        """Lie on another ground."""
        if self.property("ground") != ground:
            self.setProperty("ground", ground)
            repolish(self)


class Pane(QFrame):
    """A raised pane: a heading with room for tools on its right, and `body` beneath."""

    def __init__(self, title: Words = "", *, margin: float = 4) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("pane", "true")
        space = theme.current().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space(margin), space(margin - 1), space(margin), space(margin))
        column.setSpacing(space(2))
        self.heading = Label(title, size=15, weight=600)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(space(1))
        self.head = QWidget()
        row = QHBoxLayout(self.head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.heading)
        row.addStretch(1)
        row.addLayout(self.tools)
        if not title:  # shown before it has a parent it would be a window of its own
            self.head.hide()
        self.body = QVBoxLayout()
        self.body.setSpacing(space(2))
        column.addWidget(self.head)
        column.addLayout(self.body, 1)

    def set_title(self, title: Words) -> None:
        """Another heading."""
        self.heading.set_words(title)
        self.head.setVisible(bool(title))


class Scrolled(QScrollArea):
    """A column that scrolls up and down, never sideways; Page keys and wheel work, no frame."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self._inner = inner
        inner.setProperty("scrolled", "true")
        self.setWidget(inner)
        self.setWidgetResizable(True)
        # setWidget turns this on: the column would lie grey on a raised pane.
        inner.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow)

    def _follow(self, _old: QWidget | None, now: QWidget | None) -> None:
        """What has the keyboard is in sight, however it got it; what is taller than the view stays put."""
        if now is None or not self._inner.isAncestorOf(now):
            return
        self._show_focus()
        # What opened together with the keyboard has its place only when the layout has settled.
        QTimer.singleShot(0, self, self._show_focus)

    def _show_focus(self) -> None:
        now = QApplication.focusWidget()
        if now is None or not self._inner.isAncestorOf(now) or now.height() >= self.viewport().height():
            return
        self.ensureWidgetVisible(now, 0, theme.current().space(3))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        result = super().eventFilter(watched, event)
        if watched is self._inner and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            least = max(self._inner.minimumWidth(), self._inner.minimumSizeHint().width())
            self.setMinimumWidth(least + self.verticalScrollBar().sizeHint().width())
        return result

    @override
    def sizeHint(self) -> QSize:
        return self._inner.sizeHint()


def column(*parts: QWidget, spacing: float = 2, margin: float = 0) -> QWidget:
    """Widgets one under another."""
    holder = QWidget()
    box = QVBoxLayout(holder)
    space = theme.current().space
    box.setContentsMargins(space(margin), space(margin), space(margin), space(margin))
    box.setSpacing(space(spacing))
    for part in parts:
        box.addWidget(part)
    return holder


def row(*parts: QWidget, spacing: float = 2, stretch: bool = True) -> QWidget:
    """Widgets side by side, gathered to the left."""
    holder = QWidget()
    box = QHBoxLayout(holder)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(theme.current().space(spacing))
    for part in parts:
        box.addWidget(part)
    if stretch:
        box.addStretch(1)
    return holder
