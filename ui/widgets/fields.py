"""Fields with a label above and, when needed, the problem in words beneath."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy
from ui.widgets import theme
from ui.widgets.labels import Label, StateLabel, repolish
from ui.widgets.words import Words, shown

L = lazy("ui")


class Field(QWidget):
    """A label, a control, and room for a problem. `name` is the control's object name."""

    def __init__(self, label: Words, control: QWidget, name: str, *, show_label: bool = True) -> None:
        super().__init__()
        self._label = label
        self.control = control
        control.setObjectName(name)
        control.setAccessibleName(shown(label))
        self.caption = Label(label, size=12, tone="ink_quiet")
        self.caption.setBuddy(control)
        if not show_label:  # shown before it has a parent it would be a window of its own
            self.caption.hide()
        self._problem = StateLabel("warning-circle", "", "danger", wrap=True)
        self._problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for part in (self.caption, control, self._problem):
            column.addWidget(part)
        self.setFocusProxy(control)

    def set_problem(self, words: Words) -> None:
        """Say beneath the control what is wrong; '' takes it away."""
        text = shown(words)
        self._problem.set_state("warning-circle", words, "danger")
        self._problem.setVisible(bool(text))
        self.control.setAccessibleDescription(text)
        self.control.setProperty("problem", "true" if text else "false")
        repolish(self.control)

    @property
    def problem(self) -> str:
        """The problem shown, '' when none."""
        return self.control.accessibleDescription()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.control.setAccessibleName(shown(self._label))
        super().changeEvent(event)


class LineField(Field):
    """One line of text."""

    changed = Signal(str)
    entered = Signal()

    def __init__(
        self,
        label: Words,
        name: str,
        *,
        hint: Words = "",
        show_label: bool = True,
        line: QLineEdit | None = None,
    ) -> None:
        self.line = line or QLineEdit()
        self._hint = hint
        self.line.setPlaceholderText(shown(hint))
        super().__init__(label, self.line, name, show_label=show_label)
        self.line.textChanged.connect(self._on_changed)
        self.line.returnPressed.connect(self.entered)

    def _on_changed(self, text: str) -> None:
        self.set_problem("")
        self.changed.emit(text)

    @property
    def text(self) -> str:
        """What is typed, trimmed."""
        return self.line.text().strip()

    def set_text(self, text: str) -> None:
        """Fill the field."""
        self.line.setText(text)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.line.setPlaceholderText(shown(self._hint))
        super().changeEvent(event)


class NumberField(LineField):
    """A number with decimal comma and a unit after it. `value` is None while it reads as none."""

    def __init__(self, label: Words, name: str, *, unit: str = "", digits: int = 1) -> None:
        super().__init__(label, name)
        self._digits = digits
        if unit:
            tail = QLabel(unit, self.line)
            tail.setProperty("tone", "ink_quiet")
            tail.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._tail = tail
            self.line.setTextMargins(0, 0, tail.sizeHint().width() + 8, 0)
            self.line.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            size = self._tail.sizeHint()
            self._tail.setGeometry(
                self.line.width() - size.width() - 12,
                (self.line.height() - size.height()) // 2,
                size.width(),
                size.height(),
            )
        return False

    @property
    def value(self) -> float | None:
        """The number, or None when empty or not a number."""
        text = self.text.replace(",", ".").replace("−", "-").replace(" ", "")
        try:
            return float(text)
        except ValueError:
            return None

    def set_value(self, value: float | None) -> None:
        """Show a number the Norwegian way."""
        if value is None:
            self.set_text("")
            return
        text = f"{value:.{self._digits}f}".rstrip("0").rstrip(".") if self._digits else f"{value:.0f}"
        self.set_text(text.replace(".", ",").replace("-", "−"))


_TIME = re.compile(r"^(\d{1,2})[:. ]?(\d{2})?$")


def read_time(text: str) -> time | None:
    """'8', '812', '0812', '8:12', '8.12' → a time of day; None when it is none."""
    found = _TIME.match(text.strip()) or re.match(r"^(\d)(\d{2})$", text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


class TimeField(LineField):
    """A time of day on the 24-hour clock, typed with or without a colon."""

    def __init__(self, label: Words, name: str) -> None:
        super().__init__(label, name, hint=L("hh:mm"))
        self.line.editingFinished.connect(self._tidy)

    def _tidy(self) -> None:
        if self.value is not None:
            self.set_value(self.value)
        elif self.text:
            self.set_problem(L("Not a time of day. Write it as 08:30."))

    @property
    def value(self) -> time | None:
        """The time, or None."""
        return read_time(self.text)

    def set_value(self, value: time | None) -> None:
        """Show a time."""
        self.set_text("" if value is None else f"{value:%H:%M}")


class _Notes(QPlainTextEdit):
    entered = Signal()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if ctrl and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
            return
        super().keyPressEvent(event)


class TextField(Field):
    """Several lines; Tab leaves the field, Ctrl+Enter is `entered`."""

    changed = Signal(str)
    entered = Signal()

    def __init__(
        self, label: Words, name: str, *, lines: int = 4, hint: Words = "", show_label: bool = True
    ) -> None:
        self.edit = _Notes()
        self._hint, self._lines = hint, lines
        self.edit.setTabChangesFocus(True)
        self.edit.setPlaceholderText(shown(hint))
        super().__init__(label, self.edit, name, show_label=show_label)
        self.edit.textChanged.connect(self._on_changed)
        self.edit.entered.connect(self.entered)
        theme.theme_changed.connect(self._size)
        self._size()

    def _size(self) -> None:
        self.edit.setMinimumHeight(round(self._lines * theme.current().px(13) * 1.45) + 20)

    def _on_changed(self) -> None:
        self.set_problem("")
        self.changed.emit(self.text)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Fill the field, with the cursor at the end."""
        if text != self.edit.toPlainText():
            self.edit.setPlainText(text)
            self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.edit.setPlaceholderText(shown(self._hint))
        super().changeEvent(event)


class ChoiceField(Field):
    """One of a few. Choices are (value, words); the wheel never changes it by accident."""

    chosen = Signal(str)

    def __init__(
        self,
        label: Words,
        name: str,
        choices: tuple[tuple[str, Words], ...] = (),
        *,
        show_label: bool = True,
    ) -> None:
        self.box = _Box()
        super().__init__(label, self.box, name, show_label=show_label)
        self._choices: tuple[tuple[str, Words], ...] = ()
        self.set_choices(choices)
        self.box.activated.connect(self._on_activated)

    def _on_activated(self, _index: int) -> None:
        self.set_problem("")
        self.chosen.emit(self.value)

    def set_choices(self, choices: tuple[tuple[str, Words], ...]) -> None:
        """Offer other choices, keeping the chosen value where it is still offered."""
        had = self.value
        self._choices = choices
        self.box.clear()
        for value, words in choices:
            self.box.addItem(shown(words), value)
        self.set_value(had)

    @property
    def value(self) -> str:
        """The chosen value, '' when none."""
        return str(self.box.currentData() or "")

    def set_value(self, value: str) -> None:
        """Choose a value without telling; unknown values choose nothing new."""
        index = self.box.findData(value)
        if index >= 0:
            self.box.setCurrentIndex(index)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            for index, (_value, words) in enumerate(self._choices):
                self.box.setItemText(index, shown(words))
        super().changeEvent(event)


class _Box(QComboBox):
    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class OnLeave(QWidget):
    """Calls back when the keyboard leaves a control; install on the control."""

    def __init__(self, control: QWidget, call: Callable[[], None]) -> None:
        super().__init__(control)
        self._call = call
        self.hide()
        control.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.lostFocus():
            self._call()
        return False
