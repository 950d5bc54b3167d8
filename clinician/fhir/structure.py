"""The structure of FHIR R4: which elements a type has, of what kind, how many, with which codes.

Read from resources/fhir/structure.json.gz, which installer/fhir_tables.py makes.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

_FOLDER: Final = Path(__file__).resolve().parent.parent.parent / "resources" / "fhir"


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it is spelt in JSON. choice: the name before [x], '' when it is no choice."""

    name: str
    type: str
    is_list: bool
    is_required: bool
    choice: str
    targets: frozenset[str]
    """Types a Reference may name; empty: any"""
    codes: frozenset[str]
    """Codes a required binding allows; empty: any"""

    @property
    def is_primitive(self) -> bool:
        """A JSON value, not an object."""
        return self.type[0].islower()


@dataclass(frozen=True, slots=True)
class Shape:
    """A resource, datatype or part of a resource."""

    name: str
    elements: Mapping[str, Element]
    required: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    """Name before [x] → the JSON names it may take"""
    required_choices: frozenset[str] = field(default=frozenset())


def table(name: str) -> Any:
    """A table of resources/fhir, parsed; `.gz` is unpacked."""
    body = (_FOLDER / name).read_bytes()
    return msgspec.json.decode(gzip.decompress(body) if name.endswith(".gz") else body)


@cache
def _whole() -> dict[str, Any]:
    found: dict[str, Any] = table("structure.json.gz")
    return found


@cache
def resource_types() -> frozenset[str]:
    """Every resource type of R4."""
    return frozenset(_whole()["resources"])


@cache
def shape(name: str) -> Shape | None:
    """A type by name ('Appointment', 'AppointmentParticipant', 'Period'), None when it is not described."""
    rows = _whole()["types"].get(name)
    if rows is None:
        return None
    elements = {element: _element(element, row) for element, row in rows.items()}
    choices: dict[str, tuple[str, ...]] = {}
    for element in elements.values():
        if element.choice:
            choices[element.choice] = (*choices.get(element.choice, ()), element.name)
    needed = frozenset(row["c"] for row in rows.values() if row.get("cr"))
    required = tuple(e.name for e in elements.values() if e.is_required and not e.choice)
    return Shape(name, elements, required, choices, needed)


def _element(name: str, row: dict[str, Any]) -> Element:
    targets = frozenset(row.get("to", ()))
    return Element(
        name,
        row["t"],
        bool(row.get("l")),
        bool(row.get("r")),
        row.get("c", ""),
        frozenset() if "Resource" in targets else targets,
        frozenset(row.get("codes", ())),
    )
