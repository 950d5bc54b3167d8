"""From a resource to the rows of the index tables, driven by the official search parameters.

A row lacks its resource's rid, which the writer puts at the end:
ref (pid, target) · token (pid, code, system) · word (pid, folded, exact) · moment (pid, low, high; ms,
high exclusive) · quantity (pid, value, system, code) · chart (pid, target).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from clinician.embedded import parameters
from clinician.embedded.folding import fold
from clinician.fhir.reference import Raw, relative
from clinician.fhir.times import period_bounds

Rows = dict[str, frozenset[tuple[Any, ...]]]
"""Table → rows without rid."""

ANY_SYSTEM: Final = "*"
"""Stands as the system of an element of type code, whose system FHIR implies."""
OPEN_START: Final = -(2**62)
OPEN_END: Final = 2**62
_NAME_PARTS: Final = ("family", "given", "prefix", "suffix", "text")
_ADDRESS_PARTS: Final = ("line", "city", "district", "state", "postalCode", "country", "text")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(when: datetime) -> int:
    """Whole ms since 1970, rounded down; exact."""
    delta = when - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000


def bounds(text: str) -> tuple[int, int]:
    """[low, high) in ms of a written date or time. ValueError when it is neither."""
    low, high = period_bounds(text)
    return milliseconds(low), max(milliseconds(high), milliseconds(low) + 1)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _token(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield ("true" if value else "false", ANY_SYSTEM)
    elif isinstance(value, str):
        yield (value, ANY_SYSTEM)
    elif isinstance(value, int):
        yield (str(value), ANY_SYSTEM)
    elif isinstance(value, dict):
        if "coding" in value:
            for coding in value["coding"] or ():
                yield from _token(coding)
        else:
            code = value.get("code", value.get("value"))
            if isinstance(code, str) and code:
                yield (code, str(value.get("system") or ""))


def _string(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for part in (*_NAME_PARTS, *_ADDRESS_PARTS[:-1]):
            for text in _texts(value.get(part)):
                yield (fold(text), text)
    else:
        for text in _texts(value):
            yield (fold(text), text)


def _moment(value: Any) -> Iterator[tuple[int, int]]:
    if isinstance(value, str):
        yield bounds(value)
    elif isinstance(value, dict):
        if "start" in value or "end" in value:
            low = bounds(value["start"])[0] if value.get("start") else OPEN_START
            high = bounds(value["end"])[1] if value.get("end") else OPEN_END
            yield (low, max(high, low + 1))
        for event in value.get("event") or ():
            yield bounds(event)
        repeat = value.get("repeat")
        if isinstance(repeat, dict) and isinstance(repeat.get("boundsPeriod"), dict):
            yield from _moment(repeat["boundsPeriod"])


def _quantity(value: Any) -> Iterator[tuple[float, str, str]]:
    if isinstance(value, dict):
        amount = value.get("value")
        if isinstance(amount, int | float | Decimal) and not isinstance(amount, bool):
            yield (
                float(amount),
                str(value.get("system") or ""),
                str(value.get("code") or value.get("currency") or value.get("unit") or ""),
            )
        for end in ("low", "high"):
            yield from _quantity(value.get(end))
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield (float(value), "", "")


def _reference(value: Any) -> Iterator[tuple[str]]:
    text = value.get("reference") if isinstance(value, dict) else value
    if isinstance(text, str) and text and not text.startswith("#"):
        yield (relative(text),)


def _uri(value: Any) -> Iterator[tuple[str, str]]:
    for text in _texts(value):
        yield (text, ANY_SYSTEM)


_MAKERS: Final[Mapping[str, tuple[str, Callable[[Any], Iterator[tuple[Any, ...]]]]]] = {
    "token": ("token", _token),
    "string": ("word", _string),
    "date": ("moment", _moment),
    "quantity": ("quantity", _quantity),
    "number": ("quantity", _quantity),
    "reference": ("ref", _reference),
    "uri": ("token", _uri),
}


def table_of(kind: str) -> str:
    """The index table that serves a parameter type."""
    return _MAKERS[kind][0]


class Indexer:
    """Makes index rows; `pids` numbers the parameters, (type, code) → pid."""

    def __init__(self, pids: Mapping[tuple[str, str], int]) -> None:
        self.pids = pids
        self._plans: dict[
            str, list[tuple[int, Any, str, Callable[[Any], Iterator[tuple[Any, ...]]], bool]]
        ] = {}

    def _plan(
        self, type_: str
    ) -> list[tuple[int, Any, str, Callable[[Any], Iterator[tuple[Any, ...]]], bool]]:
        plan = self._plans.get(type_)
        if plan is None:
            plan = []
            for code, param in parameters.indexed(type_).items():
                table, make = _MAKERS[param.type]
                plan.append((self.pids[type_, code], param, table, make, code == "patient"))
            self._plans[type_] = plan
        return plan

    def rows(self, type_: str, raw: Raw) -> Rows:
        """The index rows of a resource. What cannot be read (an impossible date) is left out."""
        found: dict[str, set[tuple[Any, ...]]] = {}
        for pid, param, table, make, in_chart in self._plan(type_):
            for value in parameters.values(raw, param):
                try:
                    rows = [(pid, *row) for row in make(value)]
                except (ValueError, OverflowError, TypeError, AttributeError):
                    continue
                if rows:
                    found.setdefault(table, set()).update(rows)
                    if in_chart:
                        found.setdefault("chart", set()).update(rows)
        return {table: frozenset(rows) for table, rows in found.items()}
