"""What a person does: commands, and the acts they become.

A command is a frozen dataclass named verb + FHIR noun. The bus checks access, asks `check` for every
problem at once, lets `build` make the resources, validates them, and writes overlay, outbox and
audit in one transaction with synchronous=FULL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from clinician.access.who import Who
from clinician.cache.reading import Cached, Raw, Reading
from clinician.errors import UserProblem
from clinician.texts import Text

if TYPE_CHECKING:  # the window is shown before the cache is read
    from clinician.cache.attachments import NewFile


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who acts and when. `new_id` gives a fresh lower-case UUID for a resource made by the act."""

    who: Who
    when: datetime
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Change:
    """One whole resource to write. base None: it must not exist yet; else the version changed."""

    raw: Raw
    base: Cached | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One clinical act: becomes one outbox row and one transaction bundle with its Provenance.

    aggregate: 'Patient/…' (or 'Task/…' where no patient is concerned); acts of one aggregate are
    sent in order. label: the plain words of the outbox page, without the patient's name.
    """

    kind: str
    aggregate: str
    changes: tuple[Change, ...]
    label: Text
    files: tuple[NewFile, ...] = ()
    """Content that must be at the record before the act is sent."""


@runtime_checkable
class Command(Protocol):
    """A frozen dataclass; `needs` lists SMART v2 permissions such as 'Appointment.u'."""

    needs: ClassVar[tuple[str, ...]]

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        """Every problem at once; () when the act may go on."""
        ...

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        """The acts, each independent of the others' fate at the record."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did. `group` undoes all of it with one action (bus.undo)."""

    group: str
    op_ids: tuple[str, ...]
    refs: frozenset[str]
    label: Text | None = field(default=None)
