"""The module rail: icon and word, one chord each, a count only where a person must act."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.texts import lazy
from ui.widgets import icons, theme
from ui.widgets.panes import Ground
from ui.widgets.words import Words, shown

L = lazy("ui")
WIDTH = 80
"""SCREENS asks 72; eight more and “Innstillinger” stands on one line."""
SHY = "\N{SOFT HYPHEN}"
_JOINTS = ("tjenest", "tenest", "behandling", "tavle", "kort", "linger", "lingar")
"""Where Norwegian compounds of this field may be parted when the text itself does not say."""


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One place on the rail. key: 'module:homecare' or 'page:outbox'."""

    key: str
    words: Words
    icon: str
    chord: str
    is_broken: bool = False


class RailButton(QAbstractButton):
    """Icon over word; the place one stands in has a bar and ink, the others are quiet."""

    def __init__(self, entry: RailEntry) -> None:
        super().__init__()
        self.entry = entry
        self.count = 0
        self.setObjectName(f"shell.rail.{entry.key.replace(':', '_')}")
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._speak()
        theme.theme_changed.connect(self._on_theme)

    def set_count(self, count: int) -> None:
        """How many things wait for a person here."""
        if count != self.count:
            self.count = count
            self._speak()
            self.update()

    def _speak(self) -> None:
        word = shown(self.entry.words)
        parts = [word.replace(SHY, "")]
        if self.count:
            parts.append(str(L("{count} to decide", count=self.count)))
        if self.entry.is_broken:
            parts.append(str(L("does not work")))
        self.setAccessibleName(", ".join(parts))
        self.setToolTip(f"{', '.join(parts)} ({self.entry.chord})" if self.entry.chord else ", ".join(parts))
        self.setText(word)

    def _on_theme(self) -> None:
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        tokens = theme.current()
        side = tokens.icon_size + 4
        return QSize(rail_width(), side + round(tokens.px(12) * 1.3) * len(self._lines()) + 20)

    def _lines(self) -> list[str]:
        """The word on one line or, when it is too wide, on two, parted where it may be parted."""
        whole = self.text().replace(SHY, "")
        metrics = QFontMetrics(theme.current().font(12, 600))
        if metrics.horizontalAdvance(whole) <= rail_width() - 12:
            return [whole]
        for parting, mark in ((SHY, "-"), (" ", ""), ("-", "-")):
            head, found, tail = self.text().partition(parting)
            if found:
                return [head + mark, tail.replace(SHY, "")]
        joint = next((at for end in _JOINTS if (at := whole.rfind(end)) > 2), 0)
        return [f"{whole[:joint]}-", whole[joint:]] if joint else [whole]

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
        super().changeEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = QRectF(self.rect()).adjusted(4, 2, -4, -2)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("selection" if self.isChecked() else "hover"))
            painter.drawRoundedRect(inner, theme.RADIUS, theme.RADIUS)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("accent"))
            painter.drawRoundedRect(QRectF(0, inner.top() + 8, 3, inner.height() - 16), 1.5, 1.5)
        role = "accent" if self.isChecked() else "ink_quiet"
        side = tokens.icon_size + 4
        top = inner.top() + 6
        icon = "warning" if self.entry.is_broken else self.entry.icon
        icons.paint(painter, icon, role, QRectF((self.width() - side) / 2, top, side, side))
        painter.setFont(tokens.font(12, 600 if self.isChecked() else 400))
        painter.setPen(tokens.color("ink" if self.isChecked() else "ink_quiet"))
        line = round(tokens.px(12) * 1.3)
        for at, word in enumerate(self._lines()):
            below = QRect(1, round(top + side + 1) + at * line, self.width() - 2, line)
            cut = painter.fontMetrics().elidedText(word, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter), cut)
        if self.count:
            self._paint_count(painter, tokens.color("danger"))
        if self.hasFocus():
            theme.paint_focus_ring(painter, inner)

    def _paint_count(self, painter: QPainter, colour: QColor) -> None:
        tokens = theme.current()
        font = tokens.font(12, 600)
        painter.setFont(font)
        text = str(self.count) if self.count < 100 else "99+"
        height = round(tokens.px(12) * 1.35)
        width = max(height, painter.fontMetrics().horizontalAdvance(text) + 8)
        rect = QRectF(self.width() / 2 + 4, 4, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(rect, height / 2, height / 2)
        painter.setPen(tokens.color("on_accent"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)


def rail_width() -> int:
    """80 px at 100 % text; wide enough for its words when text grows."""
    return round(WIDTH * (1 + (theme.current().text_scale / 100 - 1) * 0.6))


class Rail(Ground):
    """Modules on top, the shell's own pages at the foot."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("surface_sunken")
        self.setObjectName("shell.rail")
        self._buttons: dict[str, RailButton] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 8, 0, 8)
        self._column.setSpacing(2)
        self._on_theme()
        theme.theme_changed.connect(self._on_theme)

    def _on_theme(self) -> None:
        self.setFixedWidth(rail_width())

    def set_entries(self, modules: tuple[RailEntry, ...], pages: tuple[RailEntry, ...]) -> None:
        """Show these places."""
        while self._column.count():
            item = self._column.takeAt(0)
            widget: QWidget | None = item.widget() if item else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._buttons = {}
        for entry in modules:
            self._add(entry)
        self._column.addStretch(1)
        for entry in pages:
            self._add(entry)

    def _add(self, entry: RailEntry) -> None:
        button = RailButton(entry)
        button.clicked.connect(lambda _checked=False, key=entry.key: self.wanted.emit(key))
        self._buttons[entry.key] = button
        self._column.addWidget(button)

    def mark(self, key: str) -> None:
        """Show where one stands."""
        for name, button in self._buttons.items():
            button.setChecked(name == key)

    def set_count(self, key: str, count: int) -> None:
        """A count beside a place; 0 shows none."""
        if key in self._buttons:
            self._buttons[key].set_count(count)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every place on the rail, top to bottom."""
        return tuple(self._buttons)
