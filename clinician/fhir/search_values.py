"""Typed values as search indexes them, and how each FHIR type becomes them (R4 search, §3.1.1.4)."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from clinician.fhir.reference import relative, split_ref
from clinician.fhir.times import period_bounds

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


class Token(NamedTuple):
    """system: '' when none is written (as for plain codes and booleans)."""

    system: str
    code: str
    text: str = ""


class StringValue(NamedTuple):
    """The text as written; `folded` has neither case nor accents, for prefix matching."""

    text: str
    folded: str


class DateValue(NamedTuple):
    """[low, high) in UTC; an open end is BEGINNING or END."""

    low: datetime
    high: datetime


class RefValue(NamedTuple):
    """type and id of a reference, or '' with the `url` as written; identifier of a logical reference."""

    type: str
    id: str
    url: str
    identifier: Token | None = None


class QuantityValue(NamedTuple):
    """low = high for a plain value; comparators and ranges widen it (±inf). Money: code is the currency."""

    low: float
    high: float
    system: str
    code: str
    unit: str


class NumberValue(NamedTuple):
    """A number; low = high unless it is a range."""

    low: float
    high: float


class UriValue(NamedTuple):
    """An address, compared exactly."""

    uri: str


class CompositeValue(NamedTuple):
    """Values of each component of one node, in the order of the parameter's components."""

    parts: tuple[tuple[Any, ...], ...]


Value = Token | StringValue | DateValue | RefValue | QuantityValue | NumberValue | UriValue | CompositeValue
Converter = Callable[[Any], Iterator[Value]]


def fold(text: str) -> str:
    """Without case, accents and doubled blanks: 'Åse  Ørn' → 'ase ørn'."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _coding(node: Any) -> Iterator[Value]:
    if isinstance(node, dict) and (node.get("code") or node.get("system") or node.get("display")):
        yield Token(_text(node.get("system")), _text(node.get("code")), _text(node.get("display")))


def _concept(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict):
        return
    held = node.get("coding")
    for one in held if isinstance(held, list) else ():
        yield from _coding(one)
    text = _text(node.get("text"))
    if text:
        yield Token("", "", text)


def _identifier(node: Any) -> Iterator[Value]:
    if isinstance(node, dict) and (node.get("value") or node.get("system")):
        kind = node.get("type")
        text = _text(kind.get("text")) if isinstance(kind, dict) else ""
        yield Token(_text(node.get("system")), _text(node.get("value")), text)


def _code(node: Any) -> Iterator[Value]:
    if isinstance(node, bool):
        yield Token("", "true" if node else "false")
    elif isinstance(node, str | int):
        yield Token("", str(node))


def _contact_point(node: Any) -> Iterator[Value]:
    if isinstance(node, dict) and _text(node.get("value")):
        yield Token("", node["value"], "")


def _string(node: Any) -> Iterator[Value]:
    if isinstance(node, str) and node:
        yield StringValue(node, fold(node))


def _parts(*names: str) -> Converter:
    def convert(node: Any) -> Iterator[Value]:
        if not isinstance(node, dict):
            return
        for name in names:
            inner = node.get(name)
            for one in inner if isinstance(inner, list) else (inner,):
                yield from _string(one)

    return convert


def _bounds(node: object) -> tuple[datetime, datetime] | None:
    try:
        return period_bounds(node) if isinstance(node, str) else None
    except (ValueError, OverflowError):
        return None


def _date(node: Any) -> Iterator[Value]:
    found = _bounds(node)
    if found is not None:
        yield DateValue(*found)


def _period(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict):
        return
    start, end = _bounds(node.get("start")), _bounds(node.get("end"))
    if start is not None or end is not None:
        yield DateValue(start[0] if start else BEGINNING, end[1] if end else END)


def _timing(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict):
        return
    events = [found for e in node.get("event") or () if (found := _bounds(e)) is not None]
    if events:
        yield DateValue(min(low for low, _ in events), max(high for _, high in events))
        return
    repeat = node.get("repeat")
    if isinstance(repeat, dict):
        yield from _period(repeat.get("boundsPeriod"))


def _reference(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict):
        return
    logical = next(_identifier(node.get("identifier")), None)
    reference = _text(node.get("reference"))
    if not reference:
        if isinstance(logical, Token):
            yield RefValue(_text(node.get("type")), "", "", logical)
        return
    yield _ref_value(reference, logical if isinstance(logical, Token) else None)


def _ref_value(reference: str, logical: Token | None = None) -> RefValue:
    try:
        type_, id_ = split_ref(reference)
    except ValueError:
        return RefValue("", "", reference, logical)
    return RefValue(type_, id_, relative(reference), logical)


def _canonical(node: Any) -> Iterator[Value]:
    if isinstance(node, str) and node:
        yield _ref_value(node.partition("|")[0])


def _resource(node: Any) -> Iterator[Value]:
    if isinstance(node, dict) and node.get("resourceType") and node.get("id"):
        yield RefValue(str(node["resourceType"]), str(node["id"]), f"{node['resourceType']}/{node['id']}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quantity(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict) or not _is_number(node.get("value")):
        return
    value = float(node["value"])
    comparator = _text(node.get("comparator"))
    low = -math.inf if comparator[:1] == "<" else value
    high = math.inf if comparator[:1] == ">" else value
    code = _text(node.get("code")) or _text(node.get("currency"))
    yield QuantityValue(low, high, _text(node.get("system")), code, _text(node.get("unit")))


def _range(node: Any) -> Iterator[Value]:
    if not isinstance(node, dict):
        return
    low = next(_quantity(node.get("low")), None)
    high = next(_quantity(node.get("high")), None)
    known = low if isinstance(low, QuantityValue) else high
    if isinstance(known, QuantityValue):
        lowest = low.low if isinstance(low, QuantityValue) else -math.inf
        highest = high.high if isinstance(high, QuantityValue) else math.inf
        yield QuantityValue(lowest, highest, known.system, known.code, known.unit)


def _number(node: Any) -> Iterator[Value]:
    if _is_number(node):
        yield NumberValue(float(node), float(node))


def _number_range(node: Any) -> Iterator[Value]:
    for value in _range(node):
        if isinstance(value, QuantityValue):
            yield NumberValue(value.low, value.high)


def _uri(node: Any) -> Iterator[Value]:
    if isinstance(node, str) and node:
        yield UriValue(node)


_NAME: Final = _parts("text", "family", "given", "prefix", "suffix")
_ADDRESS: Final = _parts("text", "line", "city", "district", "state", "postalCode", "country")
_PLAIN: Final = ("string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid")

CONVERTERS: Final[dict[str, dict[str, Converter]]] = {
    "token": {
        "Coding": _coding,
        "CodeableConcept": _concept,
        "Identifier": _identifier,
        "ContactPoint": _contact_point,
        "boolean": _code,
        "integer": _code,
        "positiveInt": _code,
        **dict.fromkeys(_PLAIN, _code),
    },
    "string": {
        "HumanName": _NAME,
        "Address": _ADDRESS,
        "CodeableConcept": _parts("text"),
        "Annotation": _parts("text"),
        **dict.fromkeys(_PLAIN, _string),
    },
    "date": {
        "date": _date,
        "dateTime": _date,
        "instant": _date,
        "Period": _period,
        "Timing": _timing,
    },
    "reference": {
        "Reference": _reference,
        "canonical": _canonical,
        "uri": _canonical,
        "url": _canonical,
        "Resource": _resource,
    },
    "quantity": dict.fromkeys(("Quantity", "Age", "Duration", "Money", "Count", "Distance"), _quantity)
    | {"Range": _range},
    "number": {
        "integer": _number,
        "positiveInt": _number,
        "unsignedInt": _number,
        "decimal": _number,
        "Range": _number_range,
    },
    "uri": dict.fromkeys(_PLAIN, _uri),
}
"""Kind of parameter → FHIR type at the end of the path → values. Types not listed give none."""
