"""From a resource to the rows of the index tables, driven by the official search parameters.

A row lacks its resource's rid, which the writer puts at the end:
ref (pid, target) · token (pid, code, system) · word (pid, folded, exact) · moment (pid, low, high; ms,
high exclusive) · quantity (pid, low, high, system, code, unit) · chart (pid, target).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from clinician.embedded import parameters
from clinician.fhir.reference import Raw
from clinician.fhir.search_params import SearchParam, values
from clinician.fhir.search_values import (
    DateValue,
    NumberValue,
    QuantityValue,
    RefValue,
    StringValue,
    Token,
    UriValue,
    Value,
)
from clinician.fhir.times import period_bounds

Rows = dict[str, frozenset[tuple[Any, ...]]]
"""Table → rows without rid."""
_Made = tuple[str, tuple[Any, ...]]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(when: datetime) -> int:
    """Whole ms since 1970, rounded down; exact."""
    delta = when - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000


def bounds(text: str) -> tuple[int, int]:
    """[low, high) in ms of a written date or time. ValueError when it is neither."""
    low, high = period_bounds(text)
    return milliseconds(low), max(milliseconds(high), milliseconds(low) + 1)


def _token(value: Any) -> _Made | None:
    return ("token", (value.code, value.system)) if value.code or value.system else None


def _moment(value: Any) -> _Made:
    low = milliseconds(value.low)
    return "moment", (low, max(milliseconds(value.high), low + 1))


def _ref(value: Any) -> _Made | None:
    if not value.url:
        return _token(value.identifier) if value.identifier else None
    return None if value.url.startswith("#") else ("ref", (value.url,))


_MAKERS: Final[Mapping[type[Any], Callable[[Any], _Made | None]]] = {
    Token: _token,
    StringValue: lambda value: ("word", (value.folded, value.text)),
    DateValue: _moment,
    RefValue: _ref,
    QuantityValue: lambda value: ("quantity", (value.low, value.high, value.system, value.code, value.unit)),
    NumberValue: lambda value: ("quantity", (value.low, value.high, "", "", "")),
    UriValue: lambda value: ("token", (value.uri, "")),
}


def made(value: Value) -> _Made | None:
    """(table, row without pid and rid) of a typed value; None for what cannot be searched for."""
    return _MAKERS[type(value)](value)


class _Step(NamedTuple):
    pid: int
    param: SearchParam
    in_chart: bool
    heads: frozenset[str] | None


def _heads(param: SearchParam) -> frozenset[str] | None:
    """The elements at the top of a resource a parameter begins with; None: look always."""
    keys = {walk.steps[0].key if walk.steps else "" for walk, _ in param.walks}
    return None if param.special is not None or "" in keys else frozenset(keys)


class Indexer:
    """Makes index rows; compiles the parameters of a type at its first resource."""

    def __init__(self) -> None:
        self._plans: dict[str, list[_Step]] = {}

    def _plan(self, type_: str) -> list[_Step]:
        plan = self._plans.get(type_)
        if plan is None:
            wanted = parameters.indexed(type_).items()
            plan = [
                _Step(parameters.pid(type_, code), param, code == "patient", _heads(param))
                for code, param in wanted
            ]
            self._plans[type_] = plan
        return plan

    def rows(self, type_: str, raw: Raw) -> Rows:
        """The index rows of a resource. What cannot be read (an impossible date) gives none."""
        found: dict[str, set[tuple[Any, ...]]] = {}
        for pid, param, in_chart, heads in self._plan(type_):
            if heads is not None and heads.isdisjoint(raw):
                continue
            for value in values(raw, param):
                row = made(value)
                if row is None:
                    continue
                found.setdefault(row[0], set()).add((pid, *row[1]))
                if in_chart and row[0] == "ref":
                    found.setdefault("chart", set()).add((pid, *row[1]))
        return {table: frozenset(rows) for table, rows in found.items()}
