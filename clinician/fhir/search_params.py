"""The official R4 search parameters of every type, compiled when first asked for.

`for_type('Task')['patient']` names the parameter, `values(raw, parameter)` gives its typed values.
Shared by whoever indexes resources; nothing here knows of a database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from clinician.fhir.expression import Walk, compile_path
from clinician.fhir.reference import Raw
from clinician.fhir.search_values import CONVERTERS, CompositeValue, Converter, Token, Value
from clinician.fhir.structure import shape, table

_log: Final = logging.getLogger(__name__)
_DECEASED: Final = "http://hl7.org/fhir/SearchParameter/Patient-deceased"
Special = Callable[[Raw], Iterator[Value]]


@dataclass(frozen=True, slots=True, eq=False)
class SearchParam:
    """One parameter for one type.

    kind: token, string, date, reference, quantity, number, uri, composite. targets: types a reference
    may name. components: of a composite, in order; they read the nodes the composite's walks end at.
    """

    type: str
    code: str
    kind: str
    expression: str
    targets: frozenset[str] = frozenset()
    walks: tuple[tuple[Walk, Converter], ...] = ()
    components: tuple[SearchParam, ...] = ()
    bases: tuple[Walk, ...] = ()
    special: Special | None = field(default=None)


def values(raw: Raw, param: SearchParam) -> tuple[Value, ...]:
    """Every value `param` finds in `raw`, without repeats, in document order. Never raises on bad data."""
    if param.special is not None:
        return tuple(param.special(raw))
    if param.components:
        return tuple(_composites(raw, param))
    found: dict[Value, None] = {}
    for walk, convert in param.walks:
        for node in walk.nodes(raw):
            for value in convert(node):
                found[value] = None
    return tuple(found)


def _composites(raw: Raw, param: SearchParam) -> Iterator[Value]:
    for base in param.bases:
        for node in base.nodes(raw):
            if isinstance(node, dict):
                parts = tuple(values(node, c) for c in param.components if c.type == base.type)
                if parts and all(parts):
                    yield CompositeValue(parts)


def _deceased(raw: Raw) -> Iterator[Value]:
    gone = raw.get("deceasedBoolean") is True or isinstance(raw.get("deceasedDateTime"), str)
    yield Token("", "true" if gone else "false")


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(table("search-parameters.json.gz"))


@cache
def _kinds() -> Mapping[str, tuple[str, str]]:
    return {row["url"]: (row["code"], row["type"]) for row in _rows()}


@cache
def for_type(type_: str) -> Mapping[str, SearchParam]:
    """Search parameters of a type by code, those of every resource (_id, _lastUpdated …) included.

    {} for a type R4 does not have.
    """
    if shape(type_) is None:
        return MappingProxyType({})
    wanted = (type_, "Resource", "DomainResource")
    found = {}
    for row in _rows():
        if any(base in wanted for base in row["base"]) and row["type"] != "special":
            param = _parameter(type_, row)
            if param is not None:
                found[param.code] = param
    return MappingProxyType(found)


def _parameter(type_: str, row: dict[str, Any]) -> SearchParam | None:
    targets = frozenset(row.get("target", ()))
    made: dict[str, Any] = {"type": type_, "code": row["code"], "kind": row["type"]}
    made |= {"expression": row["expression"], "targets": targets}
    if row["url"] == _DECEASED:
        return SearchParam(**made, special=_deceased)
    try:
        walks = compile_path(row["expression"], type_)
        components = _components(row, walks) if row["type"] == "composite" else ()
    except ValueError:
        _log.debug("search parameter %s of %s is not understood", row["code"], type_)
        return None
    if components:
        return SearchParam(**made, bases=walks, components=components)
    ends = [(walk, CONVERTERS.get(row["type"], {}).get(walk.type)) for walk in walks]
    return SearchParam(**made, walks=tuple((walk, convert) for walk, convert in ends if convert))


def _components(row: dict[str, Any], bases: tuple[Walk, ...]) -> tuple[SearchParam, ...]:
    found = []
    for base_type in dict.fromkeys(base.type for base in bases):
        for component in row.get("component", ()):
            code, kind = _kinds()[component["definition"]]
            walks = compile_path(component["expression"], base_type)
            ends = [(walk, CONVERTERS[kind].get(walk.type)) for walk in walks]
            kept = tuple((walk, convert) for walk, convert in ends if convert)
            found.append(SearchParam(base_type, code, kind, component["expression"], walks=kept))
    return tuple(found)


@cache
def patient_compartment() -> Mapping[str, tuple[str, ...]]:
    """Type → codes of the parameters that put a resource in a patient's compartment (official R4)."""
    return {type_: tuple(codes) for type_, codes in table("patient-compartment.json").items()}
