"""What is typed and not yet signed: kept within half a second, announced when it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from clinician import texts
from clinician.modulekit.context import ModuleContext
from ui.widgets.buttons import Button
from ui.widgets.labels import StateLabel
from ui.widgets.panes import row

L = texts.lazy("homecare")
SAVE_MS: Final = 400


class Draft(QObject):
    """One draft at a time, of one field or form. `read` tells what is typed now, '' when nothing."""

    def __init__(self, ctx: ModuleContext, owner: QWidget, read: Callable[[], str]) -> None:
        super().__init__(owner)
        self._ctx, self._read = ctx, read
        self._key, self._patient = "", ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self._keep)

    def open(self, key: str, patient_ref: str) -> str:
        """Turn to another draft, keeping the one before; returns what was left in it."""
        self.flush()
        self._key, self._patient = key, patient_ref
        return self._ctx.drafts.load(key, patient_ref) if key else ""

    def touch(self) -> None:
        """Something was typed."""
        if self._key:
            self._timer.start()

    def flush(self) -> None:
        """Keep it now."""
        if self._timer.isActive():
            self._timer.stop()
            self._keep()

    def _keep(self) -> None:
        self._ctx.drafts.save(self._key, self._patient, self._read())

    def forget(self) -> None:
        """It is signed, or thrown away."""
        self._timer.stop()
        if self._key:
            self._ctx.drafts.save(self._key, self._patient, "")


class Restored(QWidget):
    """The line that says a draft came back, with the way to throw it away."""

    thrown_away = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._words = StateLabel("floppy-disk", L("Your unsigned text from before is back."), "accent")
        throw = Button(L("Throw away"), name, kind="quiet", icon="trash")
        throw.clicked.connect(self._on_throw)
        holder = row(self._words, throw)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(holder)
        self.hide()

    def _on_throw(self) -> None:
        self.hide()
        self.thrown_away.emit()
