"""The modules of this PC: which work, which do not and why, and the switch of each."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinician.texts import lazy
from ui.shell.offers import ModuleOffer
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState
from ui.widgets.labels import Glyph, Label, StateLabel
from ui.widgets.panes import Ground, Hairline, Pane, Scrolled

L = lazy("ui")


class _ModuleRow(QWidget):
    """One module: what it is, how it fares, and its switch."""

    switched = Signal(str, bool)

    def __init__(self, offer: ModuleOffer) -> None:
        super().__init__()
        space = theme.current().space
        self.setObjectName(f"shell.modules.{offer.key}")
        words = QVBoxLayout()
        words.setSpacing(space(0.5))
        title = Label(offer.title, size=15, weight=600, wrap=True)
        words.addWidget(title)
        if offer.summary:
            words.addWidget(Label(offer.summary, tone="ink_quiet", wrap=True))
        if offer.version:
            words.addWidget(Label(L("Version {version}", version=offer.version), size=12, tone="ink_quiet"))
        words.addWidget(self._state(offer))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, space(2), 0, space(2))
        row.setSpacing(space(4))
        icon = "warning" if offer.is_broken else offer.icon
        row.addWidget(Glyph(icon, "danger" if offer.is_broken else "ink_quiet", 28))
        row.addLayout(words, 1)
        if not offer.is_broken:
            label = L("Switch off") if offer.is_on else L("Switch on")
            switch = Button(label, f"shell.modules.{offer.key}.switch")
            switch.clicked.connect(lambda: self.switched.emit(offer.key, not offer.is_on))
            row.addWidget(switch)

    def _state(self, offer: ModuleOffer) -> QWidget:
        if offer.is_broken:
            return StateLabel(
                "x-circle", L("Does not work: {reason}", reason=offer.reason), "danger", wrap=True
            )
        if offer.is_on:
            return StateLabel("check-circle", L("On"), "done")
        return StateLabel("circle", L("Off"), "ink_quiet")


class ModulesPage(Ground):
    """`switched(module, on)` when the person wants one on or off."""

    switched = Signal(str, bool)

    def __init__(self) -> None:
        super().__init__("surface")
        self.setObjectName("shell.modules")
        self._pane = Pane(L("Modules"))
        self._pane.body.addWidget(
            Label(L("A module that does not work stops no other."), tone="ink_quiet", wrap=True)
        )
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._pane.body.addLayout(self._rows)
        self._pane.body.addStretch(1)
        outer = QVBoxLayout(self)
        space = theme.current().space
        outer.setContentsMargins(space(3), space(3), space(3), space(3))
        outer.addWidget(Scrolled(self._pane))

    def show_offers(self, offers: tuple[ModuleOffer, ...]) -> None:
        """Show these modules."""
        while self._rows.count():
            item = self._rows.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        if not offers:
            self._rows.addWidget(EmptyState(L("No modules are installed"), icon="puzzle-piece"))
        for at, offer in enumerate(offers):
            if at:
                self._rows.addWidget(Hairline())
            row = _ModuleRow(offer)
            row.switched.connect(self.switched)
            self._rows.addWidget(row)
