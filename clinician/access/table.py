"""The table of grants: read from resources/codes/access.toml, or from a municipality's own file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from clinician import texts
from clinician.access.who import Who
from clinician.errors import MissingTable
from clinician.fhir.structure import resource_types

L = texts.lazy("access")
SHIPPED: Final = Path(__file__).resolve().parent.parent.parent / "resources" / "codes" / "access.toml"
_PERMISSION: Final = re.compile(r"([A-Z][A-Za-z]+)\.(c?r?u?s?)")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role may do. allows: type → letters of c r u s."""

    id: str
    everyone: bool
    professions: frozenset[str]
    functions: frozenset[str]
    competences: frozenset[str]
    allows: dict[str, frozenset[str]]

    def holds_for(self, who: Who) -> bool:
        """Whether the person has any of the roles it names."""
        return bool(
            self.everyone
            or self.professions & who.professions
            or self.functions & who.functions
            or self.competences & who.competences
        )

    def covers(self, type_: str, letter: str) -> bool:
        """Whether it allows a letter on a type."""
        return letter in self.allows.get(type_, frozenset())


@dataclass(frozen=True, slots=True)
class Table:
    """All grants. patient_types: types that tell something about a person who receives care."""

    version: str
    valid_from: date
    grants: tuple[Grant, ...]
    patient_types: frozenset[str]

    def who_may(self, type_: str, letter: str) -> tuple[str, ...]:
        """Ids of the grants that allow it, as a way out for whoever may not."""
        return tuple(grant.id for grant in self.grants if grant.covers(type_, letter))


def _grant(row: dict[str, Any]) -> Grant:
    allows: dict[str, frozenset[str]] = {}
    for permission in row["allows"]:
        found = _PERMISSION.fullmatch(permission)
        if found is None or not found[2] or found[1] not in resource_types():
            raise ValueError(f"{permission!r} is no permission")
        allows[found[1]] = allows.get(found[1], frozenset()) | frozenset(found[2])
    return Grant(
        row["id"],
        row.get("everyone", False) is True,
        frozenset(row.get("professions", ())),
        frozenset(row.get("functions", ())),
        frozenset(row.get("competences", ())),
        allows,
    )


def read(path: Path) -> Table:
    """A table from a file. MissingTable when it cannot be read: then nobody may do anything by it."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        grants = tuple(_grant(row) for row in raw["grants"])
        return Table(raw["version"], raw["valid_from"], grants, frozenset(raw["patient_types"]))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise MissingTable(
            L("The table of who may do what cannot be read. Nothing is allowed by it until it is mended."),
            table="access",
            detail=type(problem).__name__,
        ) from problem


@cache
def shipped() -> Table:
    """The table that comes with the program."""
    return read(SHIPPED)
