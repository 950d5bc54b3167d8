"""'Take back and edit': what a module makes of an act that came back, so that nobody types it twice.

A module names a function for its kinds of act in [[reopens]] of its manifest. It is handed what the act
wrote, and gives the view to open and the drafts that put the typed words back where they were typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from clinician.cache.reading import Raw, Reading


@dataclass(frozen=True, slots=True)
class Refill:
    """One draft to lay out again, as `ModuleContext.drafts` keeps it."""

    key: str
    patient_ref: str
    content: str


@dataclass(frozen=True, slots=True)
class Reopened:
    """view: 'module.view'. arguments: handed to it. drafts: found there when it opens.

    is_typed: whether words or numbers of the person stand there again.
    """

    view: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    drafts: tuple[Refill, ...] = ()
    is_typed: bool = False


Reopen = Callable[[Reading, Sequence[Raw]], Reopened | None]
"""(what this PC knows, what the act wrote) → where it goes on, or None where there is nothing to edit."""
