"""What a search asks for: the parameters read once, with everything wrong with them named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from clinician.embedded import parameters
from clinician.embedded.outcome import RequestError, bad
from clinician.fhir.structure import resource_types

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 1000
MAX_VALUES: Final = 2000
SILENT: Final = frozenset({"_format", "_pretty", "_contained", "_containedType"})
"""Accepted and without effect on what is found."""
_ALTERNATIVES: Final = re.compile(r"(?<!\\),")
_HAS: Final = re.compile(r"_has:([A-Za-z]+):([A-Za-z\-_]+):(.+)")
_NAME: Final = re.compile(
    r"(?P<code>[A-Za-z_][A-Za-z0-9_\-]*)(?::(?P<modifier>[A-Za-z\-]+))?(?:\.(?P<rest>.+))?"
)
_TOTALS: Final = frozenset({"none", "estimate", "accurate"})
_SUMMARIES: Final = frozenset({"false", "count", "data", "text", "true"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter: any of `values` must hold. rest: the chained parameter behind the dot.

    has: (type, reference parameter) of a reverse chain, then `code` belongs to that type.
    """

    code: str
    modifier: str
    rest: str
    values: tuple[str, ...]
    has: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Include:
    """_include or _revinclude: the references of parameter `code` of `type`; target '' is any type."""

    type: str
    code: str
    target: str = ""


@dataclass(slots=True)
class Query:
    """A search of one type. `applied` are the parameters that took part, for the self link."""

    type: str
    conditions: list[Condition] = field(default_factory=list)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    """(code, descending)"""
    count: int = DEFAULT_COUNT
    total: str = ""
    summary: str = ""
    elements: tuple[str, ...] = ()
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    cursor: str = ""
    applied: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def alternatives(text: str) -> tuple[str, ...]:
    """The comma-separated alternatives of a value; '\\,' is a comma within one."""
    return tuple(part.replace("\\,", ",") for part in _ALTERNATIVES.split(text) if part)


def unescape(text: str) -> str:
    r"""'\|' and '\$' and '\\' as written in a value."""
    return re.sub(r"\\([\\|$])", r"\1", text)


def read_query(type_: str, given: Iterable[tuple[str, str]], *, strict: bool) -> Query:
    """The query of a search of `type_`. Unknown parameters are refused (strict) or listed as ignored."""
    query = Query(type_)
    for name, value in given:
        if _is_result_parameter(query, name, value, strict=strict) or name in SILENT:
            query.applied.append((name, value))
            continue
        condition = _condition(type_, name, value)
        if isinstance(condition, RequestError):
            if strict or ":" in name:
                raise condition
            query.ignored.append(name)
        elif condition.values or condition.modifier == "missing":
            query.conditions.append(condition)
            query.applied.append((name, value))
    return query


def _is_result_parameter(query: Query, name: str, value: str, *, strict: bool) -> bool:
    match name:
        case "_count":
            query.count = _count(value)
        case "_sort":
            query.sort = [_sort(query.type, part) for part in value.split(",") if part]
        case "_total":
            query.total = _one_of(name, value, _TOTALS)
        case "_summary":
            query.summary = _one_of(name, value, _SUMMARIES)
            if strict and value == "true":
                raise bad("_summary=true is not supported", "not-supported")
        case "_elements":
            query.elements = tuple(part.strip() for part in value.split(",") if part.strip())
        case "_include":
            query.includes.append(_include(name, value))
        case "_revinclude":
            query.revincludes.append(_include(name, value))
        case "_cursor":
            query.cursor = value
        case _:
            return False
    return True


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise bad("_count is a number from 0")
    return min(int(value[:9]), MAX_COUNT)


def _one_of(name: str, value: str, allowed: frozenset[str]) -> str:
    if value not in allowed:
        raise bad(f"{name} is one of {', '.join(sorted(allowed))}")
    return value


def _sort(type_: str, part: str) -> tuple[str, bool]:
    code, descending = part.removeprefix("-"), part.startswith("-")
    if code not in parameters.indexed(type_) and code not in parameters.BUILT_IN:
        raise bad(f"{type_} cannot be sorted by {code[:64]}", "not-supported")
    return code, descending


def _include(name: str, value: str) -> Include:
    parts = value.split(":")
    if len(parts) not in (2, 3) or parts[0] not in resource_types():
        raise bad(f"{name} is Type:parameter or Type:parameter:Target")
    type_, code = parts[0], parts[1]
    param = parameters.indexed(type_).get(code)
    if code != "*" and (param is None or param.kind != "reference"):
        raise bad(f"{type_} has no reference parameter {code[:64]}", "not-supported")
    return Include(type_, code, parts[2] if len(parts) == 3 else "")


def _condition(type_: str, name: str, value: str) -> Condition | RequestError:
    values = alternatives(value)
    if len(values) > MAX_VALUES:
        return RequestError(400, "too-costly", f"more than {MAX_VALUES} alternatives")
    has = _HAS.fullmatch(name)
    if has:
        return _reverse(type_, has[1], has[2], has[3], values)
    found = _NAME.fullmatch(name)
    if found is None:
        return bad("a parameter name cannot be read")
    condition = Condition(found["code"], found["modifier"] or "", found["rest"] or "", values)
    return check(type_, condition) or condition


def _reverse(
    type_: str, source: str, reference: str, inner: str, values: tuple[str, ...]
) -> Condition | RequestError:
    param = parameters.indexed(source).get(reference)
    if param is None or param.kind != "reference":
        return bad(f"_has: {source} has no reference parameter {reference[:64]}", "not-supported")
    if param.targets and type_ not in param.targets:
        return bad(f"_has: {source}.{reference} never names a {type_}")
    found = _condition(source, inner, ",".join(part.replace(",", "\\,") for part in values))
    if isinstance(found, RequestError):
        return found
    if found.has:
        return bad("_has within _has is not supported", "not-supported")
    return Condition(found.code, found.modifier, found.rest, values, (source, reference))


MODIFIERS: Final = {
    "token": frozenset({"", "not", "missing"}),
    "uri": frozenset({"", "missing"}),
    "string": frozenset({"", "exact", "contains", "missing"}),
    "date": frozenset({"", "missing"}),
    "number": frozenset({"", "missing"}),
    "quantity": frozenset({"", "missing"}),
    "reference": frozenset({"", "missing", "identifier"}),
}


def check(type_: str, condition: Condition) -> RequestError | None:
    """What is wrong with a condition for a type, if anything."""
    code = condition.code
    if code in parameters.BUILT_IN:
        wrong = bool(condition.modifier or condition.rest)
        return bad(f"{code} takes no modifier", "not-supported") if wrong else None
    param = parameters.indexed(type_).get(code)
    if param is None:
        return bad(f"{type_} has no search parameter {code[:64]}", "not-supported")
    if condition.rest:
        return _check_chain(type_, condition, param.kind, param.targets)
    allowed = MODIFIERS[param.kind]
    if condition.modifier in allowed or (param.kind == "reference" and condition.modifier in param.targets):
        return None
    return bad(f"{code} does not take the modifier {condition.modifier}", "not-supported")


def _check_chain(type_: str, condition: Condition, kind: str, targets: frozenset[str]) -> RequestError | None:
    if kind != "reference" or condition.rest.count(".") > 1:
        return bad(f"{type_}.{condition.code} cannot be chained this way", "not-supported")
    wanted = chain_targets(condition, targets)
    if not wanted:
        return bad(f"no type behind {condition.code} has {condition.rest[:64]}", "not-supported")
    return None


def chain_targets(condition: Condition, targets: frozenset[str]) -> Sequence[str]:
    """The types behind a chained reference that know the chained parameter."""
    allowed = targets or resource_types()
    if condition.modifier:
        allowed = frozenset({condition.modifier}) & allowed
    values = ",".join(condition.values)
    return sorted(t for t in allowed if isinstance(_condition(t, condition.rest, values or "x"), Condition))


def inner_condition(type_: str, condition: Condition) -> Condition:
    """The condition behind the dot, for a type chain_targets named."""
    joined = ",".join(part.replace(",", "\\,") for part in condition.values)
    found = _condition(type_, condition.rest, joined)
    if isinstance(found, RequestError):
        raise found
    return found
