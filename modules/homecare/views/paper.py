"""Lists on paper: made in a job, kept where the person keeps files."""

from __future__ import annotations

from collections.abc import Callable

from clinician.modulekit.context import ModuleContext


class Paper:
    """Makes one document at a time."""

    def __init__(self, ctx: ModuleContext) -> None:
        self._ctx = ctx

    def make(self, build: Callable[[], bytes], name: str, title: str) -> None:
        """Build off the GUI thread, then save; the place says where it lies."""
        self._ctx.jobs.run(lambda _progress: build(), lambda content: self._keep(name, content), title=title)

    def _keep(self, name: str, content: bytes) -> None:
        self._ctx.places.save_file(name, content)
