"""One thing in a visit: done, or not done with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician.cache.reading import Reading
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem
from modules.homecare.rows import NotDone


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """Tick one task."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ExceptTask:
    """One task was not done, with a reason; postponed makes an owned follow-up."""

    needs: ClassVar[tuple[str, ...]] = ("Task.cu",)

    task_ref: str
    reason: NotDone
    text: str = ""
    owner_ref: str = ""
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
