"""Sign, say so, and offer the way back: every write of these views goes through here."""

from __future__ import annotations

from collections.abc import Callable

from clinician import texts
from clinician.commands.act import Command, Done
from clinician.errors import ClinicianError
from clinician.modulekit.context import Kind, ModuleContext, Outcome

_ = texts.translator("homecare")


class Acting:
    """Runs commands for one view and remembers them, so that Ctrl+Z takes the last one back."""

    def __init__(self, ctx: ModuleContext) -> None:
        self._ctx = ctx
        self._done: list[Done] = []

    def run(
        self,
        command: Command,
        said: str,
        on_done: Callable[[Done], None] | None = None,
        on_problems: Callable[[tuple[ClinicianError, ...]], None] | None = None,
    ) -> None:
        """Do it, say `said` with undo beside it; problems go to the caller, else to the message line."""

        def ended(outcome: Outcome) -> None:
            if outcome.done is None:
                self._tell(outcome.problems, on_problems)
                return
            done = outcome.done
            self._done.append(done)
            self._ctx.messages.say(said, Kind.DONE, action=_("Undo"), on_action=lambda: self.undo(done))
            if on_done is not None:
                on_done(done)

        self._ctx.commands.run(command, ended)

    def _tell(
        self,
        problems: tuple[ClinicianError, ...],
        on_problems: Callable[[tuple[ClinicianError, ...]], None] | None,
    ) -> None:
        if on_problems is not None:
            on_problems(problems)
            return
        for problem in problems:
            self._ctx.messages.problem(problem)

    def undo(self, done: Done) -> None:
        """Take one act back, whole."""
        if done not in self._done:
            return
        self._done.remove(done)

        def ended(outcome: Outcome) -> None:
            if outcome.done is None:
                self._done.append(done)
                self._tell(outcome.problems, None)
            else:
                self._ctx.messages.say(_("Taken back."), Kind.INFO)

        self._ctx.commands.undo(done, ended)

    def undo_last(self) -> bool:
        """Take the last act of this view back; False when there is none."""
        if not self._done:
            self._ctx.messages.say(_("Nothing to take back here."), Kind.INFO)
            return False
        self.undo(self._done[-1])
        return True
