"""Walks a window and lists what breaks the house's promises about controls.

    assert walk.faults(window) == []
    assert walk.without_ring(window, qtbot) == []

Every interactive control has an object name `room.view.control`, an accessible name, a way to reach
it with the keyboard, a target of 24 px, and shows the focus by a ring in the accent colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from ui.widgets import theme

INTERACTIVE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)
_NAME = re.compile(r"^[a-z][\w-]*(\.[\w:-]+){2,}$")
_FOREIGN = ("ads::", "QtAds", "CDock", "CTitleBar", "CElid")


def controls(window: QWidget) -> Iterator[QWidget]:
    """Visible interactive controls, without the inner parts of Qt's and the docking library's own."""
    for widget in window.findChildren(QWidget):
        focusable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not widget.focusProxy()
        if not isinstance(widget, INTERACTIVE) and not focusable:
            continue
        if not widget.isVisible() or not widget.isEnabled() or _is_inner(widget):
            continue
        yield widget


def _is_inner(widget: QWidget) -> bool:
    """Parts Qt makes for itself: the editor of a combo box, header views, corner buttons."""
    if isinstance(widget, QHeaderView) or widget.objectName().startswith("qt_"):
        return True
    if widget.metaObject().className().startswith(_FOREIGN):
        return True
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QAbstractItemView):
            return True
        if parent.metaObject().className().startswith(("ads::CDockAreaTitleBar", "ads::CDockWidgetTab")):
            return True
        parent = parent.parentWidget()
    return False


def faults(window: QWidget) -> list[str]:
    """Every broken promise in words; [] when all is well."""
    return [fault for widget in controls(window) for fault in _faults(widget)] + _doubles(window)


def _faults(widget: QWidget) -> Iterator[str]:
    name = widget.objectName()
    what = f"{type(widget).__name__} {name!r}"
    if not _NAME.match(name):
        yield f"{what}: the object name is not room.view.control"
    if not spoken(widget):
        yield f"{what}: no accessible name"
    if widget.focusPolicy() == Qt.FocusPolicy.NoFocus and not _reached_otherwise(widget):
        yield f"{what}: the keyboard cannot reach it"
    if min(widget.width(), widget.height()) < 20 and not isinstance(widget, QAbstractItemView):
        yield f"{what}: the target is {widget.width()}×{widget.height()} px"


def _reached_otherwise(widget: QWidget) -> bool:
    """A list that the field above it drives with the arrow keys."""
    return bool(widget.property("driven")) or widget.objectName() == "shell.search.list"


def _doubles(window: QWidget) -> list[str]:
    seen: set[str] = set()
    found: list[str] = []
    for widget in controls(window):
        name = widget.objectName()
        if name and name in seen:
            found.append(f"the object name {name!r} is there twice")
        seen.add(name)
    return found


def spoken(widget: QWidget) -> str:
    """What a screen reader says for a control."""
    if widget.accessibleName():
        return widget.accessibleName()
    if isinstance(widget, QAbstractButton) and widget.text():
        return widget.text()
    for label in widget.window().findChildren(QLabel):
        if label.buddy() is widget:
            return label.text()
    return ""


def without_ring(window: QWidget, qtbot: Any) -> list[str]:
    """Controls that do not show the focus: those whose border does not turn to the accent colour."""
    window.activateWindow()
    found: list[str] = []
    for widget in list(controls(window)):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or not widget.isVisible():
            continue
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if QApplication.focusWidget() is not widget:
            continue
        if not _has_ring(window, widget):
            found.append(f"{type(widget).__name__} {widget.objectName()!r} shows no ring")
    return found


def _has_ring(window: QWidget, widget: QWidget) -> bool:
    """Whether at least two sides of the widget carry a line in the accent (or ink, on a primary)."""
    image = window.grab().toImage()
    corner = widget.mapTo(window, QPoint(0, 0))
    tokens = theme.current()
    colours = [tokens.color("accent")]
    if widget.property("kind") == "primary":
        colours = [tokens.color("ink")]
    middle = QPoint(corner.x() + widget.width() // 2, corner.y() + widget.height() // 2)
    sides = (
        [QPoint(corner.x() + n, middle.y()) for n in range(8)],
        [QPoint(corner.x() + widget.width() - 1 - n, middle.y()) for n in range(8)],
        [QPoint(middle.x(), corner.y() + n) for n in range(8)],
        [QPoint(middle.x(), corner.y() + widget.height() - 1 - n) for n in range(8)],
    )
    return sum(any(_near(image, point, colours) for point in side) for side in sides) >= 2


def _near(image: QImage, point: QPoint, colours: list[QColor]) -> bool:
    if not image.rect().contains(point):
        return False
    have = image.pixelColor(point)
    return any(
        abs(have.red() - c.red()) + abs(have.green() - c.green()) + abs(have.blue() - c.blue()) < 48
        for c in colours
    )


def clipped(window: QWidget) -> list[str]:
    """Labels and buttons whose text does not fit in them (those that cut with … on purpose are left out)."""
    found: list[str] = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or widget.metaObject().className().startswith(_FOREIGN):
            continue
        if isinstance(widget, QLabel) and widget.text() and type(widget).__name__ == "Label":
            needs = widget.heightForWidth(widget.width()) if widget.wordWrap() else widget.sizeHint().height()
            wide = 0 if widget.wordWrap() else widget.sizeHint().width()
            if widget.height() + 2 < needs or widget.width() + 2 < wide:
                found.append(f"label {widget.text()!r}: {widget.width()}×{widget.height()} of {wide}×{needs}")
        elif (
            isinstance(widget, QAbstractButton)
            and widget.text()
            and widget.width() + 2 < widget.minimumSizeHint().width()
        ):
            found.append(f"button {widget.text()!r}: {widget.width()} of {widget.minimumSizeHint().width()}")
    return found
