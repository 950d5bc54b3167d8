"""The write side as a view sees it: an act is durable on this PC before anybody is told."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from clinician.commands.act import Command, Done
from clinician.errors import Bug, ClinicianError
from clinician.modulekit.context import Kind, Outcome
from clinician.texts import lazy
from ui.jobs import Pool, Several, Threads
from ui.shell.message_channel import MessageChannel
from ui.shell.station import Station

L = lazy("ui")
OnOutcome = Callable[[Outcome], None]


class Writes(QObject):
    """Implements `modulekit.context.Commands`. The last act can be taken back with one key."""

    def __init__(
        self, station: Station, threads: Threads, messages: MessageChannel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._station, self._threads, self._messages = station, threads, messages
        self._last: Done | None = None

    def run(self, command: Command, on_outcome: OnOutcome | None = None) -> None:
        """Do it, then tell what came of it."""
        self._do(lambda: self._station.run_command(command), on_outcome, self._on_done)

    def undo(self, done: Done, on_outcome: OnOutcome | None = None) -> None:
        """Take a group of acts back."""
        self._do(lambda: self._station.undo(done), on_outcome, self._on_undone)

    def undo_last(self) -> None:
        """Take back what was done last, if it was done by this person in this session."""
        done, self._last = self._last, None
        if done is not None:
            self.undo(done)
        else:
            self._messages.say(L("There is nothing to undo."))

    def now(self, command: Command) -> Done:
        """Do it in the calling thread."""
        return self._station.run_command(command)

    def forget(self) -> None:
        """Another person signs in: nobody undoes another's act."""
        self._last = None

    def _do(
        self, work: Callable[[], Done], on_outcome: OnOutcome | None, on_done: Callable[[Done], None]
    ) -> None:
        def done(result: Done) -> None:
            on_done(result)
            if on_outcome is not None:
                on_outcome(Outcome(result))

        def problem(error: ClinicianError) -> None:
            if on_outcome is not None:
                on_outcome(Outcome(None, problems_of(error)))
            elif not isinstance(error, Bug):
                for each in problems_of(error):
                    self._messages.problem(each)

        self._threads.run(work, done, problem, pool=Pool.COMMAND)

    def _on_done(self, done: Done) -> None:
        self._last = done
        if done.label is not None:
            self._messages.say(done.label, Kind.DONE, action=L("Undo"), on_action=self.undo_last)

    def _on_undone(self, done: Done) -> None:
        self._messages.say(done.label or L("Undone."), Kind.DONE)


def problems_of(error: ClinicianError) -> tuple[ClinicianError, ...]:
    """Every problem of a refused command: an error may carry several."""
    return error.problems if isinstance(error, Several) else (error,)
