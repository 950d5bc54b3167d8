"""A PIN: four dots, keys large enough for gloves, digits from the keyboard too."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy, translator
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import StateLabel
from ui.widgets.words import Words

L = lazy("ui")
_ = translator("ui")
LENGTH: Final = 4


class _Dots(QWidget):
    """The four places of a PIN; has the keyboard focus of the pad."""

    typed = Signal(str)
    erased = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.filled = 0
        self.length = LENGTH
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._name()

    def set_length(self, length: int) -> None:
        """So many digits are asked for."""
        self.length, self.filled = length, 0
        self._name()
        self.update()

    def _name(self) -> None:
        self.setAccessibleName(
            _("PIN, {count} digits", count=self.length)
            if self.length == LENGTH
            else _("Code, {count} digits", count=self.length)
        )

    @override
    def sizeHint(self) -> QSize:
        return QSize(160, 48)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Backspace:
            self.erased.emit()
        elif event.text().isdigit():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side, gap = 14, 22
        left = (self.width() - self.length * side - (self.length - 1) * gap) / 2
        for place in range(self.length):
            painter.setPen(tokens.color("accent" if place < self.filled else "line"))
            painter.setBrush(tokens.color("accent" if place < self.filled else "surface_raised"))
            painter.drawEllipse(QRectF(left + place * (side + gap), (self.height() - side) / 2, side, side))
        if self.hasFocus():
            theme.paint_focus_ring(painter, QRectF(self.rect()))


class PinPad(QWidget):
    """`entered(pin)` when the last digit is in. It is never shown nor kept."""

    entered = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._pin = ""
        self.dots = _Dots(f"{name}.pin")
        self.dots.typed.connect(self._add)
        self.dots.erased.connect(self._erase)
        self.problem = StateLabel("warning-circle", "", "danger", wrap=True)
        self.problem.hide()
        keys = QGridLayout()
        keys.setSpacing(theme.current().space(2))
        for at, label in enumerate("123456789"):
            keys.addWidget(self._key(name, label), at // 3, at % 3)
        keys.addWidget(self._key(name, "0"), 3, 1)
        erase = Button("", f"{name}.erase", icon="backspace", hint=L("Erase"))
        erase.setProperty("pad", "true")
        erase.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        erase.clicked.connect(self._erase)
        keys.addWidget(erase, 3, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(3))
        column.addWidget(self.dots)
        column.addWidget(self.problem)
        column.addLayout(keys)
        self.setFocusProxy(self.dots)

    def _key(self, name: str, digit: str) -> Button:
        button = Button(digit, f"{name}.key{digit}")
        button.setProperty("pad", "true")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _on=False, digit=digit: self._add(digit))
        return button

    def set_length(self, length: int) -> None:
        """Ask for so many digits, from the beginning."""
        self.dots.set_length(length)
        self.clear()

    def clear(self, problem: Words = "") -> None:
        """Begin again, with what went wrong in words."""
        self._pin = ""
        self._show()
        self.problem.set_state("warning-circle", problem, "danger")
        self.problem.setVisible(bool(problem))
        self.dots.setAccessibleDescription(str(problem))

    def _add(self, digit: str) -> None:
        if len(self._pin) >= self.dots.length:
            return
        self.problem.hide()
        self._pin += digit
        self._show()
        if len(self._pin) == self.dots.length:
            self.entered.emit(self._pin)

    def _erase(self) -> None:
        self._pin = self._pin[:-1]
        self._show()

    def _show(self) -> None:
        self.dots.filled = len(self._pin)
        self.dots.update()
