"""One line of long work: what it does, how far it is, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from clinician import texts
from clinician.errors import ClinicianError
from clinician.modulekit.context import Ending, ModuleContext, Progress
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label

L = texts.lazy("homecare")
R = TypeVar("R")


class _Told(QObject):
    """Carries steps from the job's thread to the line."""

    stepped = Signal(int, int, str)


class _Watched:
    """The job's own progress, also shown here; stop from either side."""

    def __init__(self, inner: Progress, told: _Told, stop: list[bool]) -> None:
        self._inner, self._told, self._stop = inner, told, stop

    @property
    def stopped(self) -> bool:
        return bool(self._stop) or self._inner.stopped

    def step(self, done: int, total: int, words: str = "") -> None:
        self._inner.step(done, total, words)
        self._told.stepped.emit(done, total, words)


class WorkLine(QWidget):
    """Runs one job at a time and shows it; hidden when idle."""

    def __init__(self, ctx: ModuleContext, view: str) -> None:
        super().__init__()
        self._ctx = ctx
        self._stop: list[bool] = []
        self._ending: Ending | None = None
        self._words = Label("", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setObjectName(f"homecare.{view}.progress")
        self._bar.setAccessibleName(str(L("Progress")))
        self._halt = Button(L("Stop"), f"homecare.{view}.stop", icon="stop")
        self._halt.clicked.connect(self.stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().space(3))
        row.addWidget(self._words, 2)
        row.addWidget(self._bar, 1)
        row.addWidget(self._halt)
        self.hide()

    @property
    def is_working(self) -> bool:
        """Whether a job is under way."""
        return self._ending is not None

    def run(
        self,
        work: Callable[[Progress], R],
        on_result: Callable[[R], None],
        title: str,
        on_problem: Callable[[ClinicianError], None] | None = None,
    ) -> None:
        """Start, ending the one before."""
        self.stop()
        stop: list[bool] = []
        self._stop = stop
        told = _Told(self)
        told.stepped.connect(self._on_step)
        self._on_step(0, 0, title)
        self.show()
        finished: list[bool] = []

        def ended(result: R) -> None:
            finished.append(True)
            if not stop:
                self._rest(told)
                on_result(result)

        def failed(problem: ClinicianError) -> None:
            finished.append(True)
            self._rest(told)
            (on_problem or self._ctx.messages.problem)(problem)

        ending = self._ctx.jobs.run(
            lambda progress: work(_Watched(progress, told, stop)), ended, failed, title=title
        )
        self._ending = None if finished else ending

    def _on_step(self, done: int, total: int, words: str) -> None:
        if words:
            self._words.set_words(words)
        self._bar.setRange(0, total)
        self._bar.setValue(done)

    def _rest(self, told: _Told) -> None:
        self._ending = None
        told.deleteLater()
        self.hide()

    def stop(self) -> None:
        """Ask the job to stop; nothing of it is used."""
        self._stop.append(True)
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.end()
        self.hide()
