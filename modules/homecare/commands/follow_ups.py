"""Follow-ups and replies until a person closes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from clinician.cache.reading import Reading
from clinician.commands.act import Act, Stamp
from clinician.errors import UserProblem


@dataclass(frozen=True, slots=True)
class CloseFollowUp:
    """Somebody did what was to be done."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str
    text: str = ""

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class HandOverFollowUp:
    """Another person takes it from here."""

    needs: ClassVar[tuple[str, ...]] = ("Task.u",)

    task_ref: str
    owner_ref: str
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ReadReply:
    """A reply to the team was read."""

    needs: ClassVar[tuple[str, ...]] = ("Communication.u",)

    communication_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        raise NotImplementedError

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        raise NotImplementedError
