"""The patient in context: one for the whole window, the same for every module."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal


class Subscription:
    """A connection that can be ended; ending twice is harmless."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def end(self) -> None:
        """End it."""
        end, self._end = self._end, None
        if end is not None:
            end()


class PatientFocus(QObject):
    """Holds 'Patient/…' or ''. Also remembers those chosen before, newest first."""

    changed_to = Signal(str)
    RECENT = 10

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._current = ""
        self.recent: list[str] = []

    @property
    def current(self) -> str:
        """The patient chosen, '' when none."""
        return self._current

    def choose(self, patient_ref: str) -> None:
        """Choose a patient ('' lays the patient aside). The same again is nothing."""
        if patient_ref == self._current:
            return
        self._current = patient_ref
        if patient_ref:
            self.recent = [patient_ref, *(ref for ref in self.recent if ref != patient_ref)][: self.RECENT]
        self.changed_to.emit(patient_ref)

    def changed(self, call: Callable[[str], None]) -> Subscription:
        """Call with the new patient at every change, until ended."""
        self.changed_to.connect(call)

        def end() -> None:
            self.changed_to.disconnect(call)

        return Subscription(end)

    def clear(self) -> None:
        """Forget everything: another person signs in."""
        self.choose("")
        self.recent = []
