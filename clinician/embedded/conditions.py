"""A condition as SQL: the rids it holds for, and a quick probe for one rid.

`rows` is a SELECT of rids (repeats allowed), `probe` the same for the row of an outer alias x.
Negated conditions hold for every rid that `rows` does not give.
"""

# ruff: noqa: S608 - every value is a ? parameter; only placeholders and names of our own are joined

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from clinician.embedded import parameters
from clinician.embedded.indexing import bounds, milliseconds
from clinician.embedded.outcome import bad
from clinician.embedded.query import Condition, chain_targets, inner_condition, unescape
from clinician.fhir.reference import is_id, relative
from clinician.fhir.search_params import SearchParam
from clinician.fhir.search_values import fold
from clinician.fhir.structure import resource_types

_PREFIX: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_ESCAPED_BAR: Final = re.compile(r"(?<!\\)\|")


class Clause(NamedTuple):
    """A condition as SQL. exact: `probe` finds a row by its whole key, so it is cheap for one rid."""

    rows: str
    arguments: tuple[Any, ...]
    negated: bool = False
    exact: bool = False
    rank: int = 5
    """How few rows to expect: 0 an id, 9 half the table"""
    direct: str = ""
    """A condition on columns of alias x itself, better than any look-up"""

    @property
    def probe(self) -> str:
        """The condition on the rid of alias x."""
        if self.direct:
            return self.direct
        no = "NOT " if self.negated else ""
        if self.exact:
            parts = " UNION ALL ".join(f"{part} AND rid=x.rid" for part in self.rows.split(" UNION ALL "))
            return f"{no}EXISTS({parts})"
        return f"x.rid {no}IN ({self.rows})"


def split_prefix(value: str) -> tuple[str, str]:
    """('ge', '2024-01-01'); eq when none is written."""
    found = _PREFIX.fullmatch(value)
    assert found is not None
    return found[1] or "eq", found[2]


def marks(values: Sequence[Any]) -> str:
    """'?,?,?'."""
    return ",".join("?" * len(values))


class Translator:
    """Turns conditions of a type into clauses."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def clause(self, type_: str, condition: Condition) -> Clause:
        """The clause of one condition on resources of `type_`. RequestError for unreadable values."""
        if condition.has:
            return self._has(type_, condition)
        if condition.code == "_id":
            return self._ids(type_, condition.values)
        if condition.code == "_lastUpdated":
            return self._last_updated(condition.values)
        param = parameters.indexed(type_)[condition.code]
        pid = parameters.pid(type_, condition.code)
        if condition.modifier == "missing":
            return self._missing(pid, param, condition.values)
        if condition.rest:
            return self._chain(pid, condition, param)
        return self._of_kind(pid, param, condition)

    def _of_kind(self, pid: int, param: SearchParam, condition: Condition) -> Clause:
        makers: dict[str, Callable[[int, SearchParam, Condition], Clause]] = {
            "token": self._token,
            "uri": self._uri,
            "string": self._string,
            "date": self._date,
            "quantity": self._quantity,
            "number": self._quantity,
            "reference": self._reference,
        }
        return makers[param.kind](pid, param, condition)

    # ------------------------------------------------------------------- built in
    def _ids(self, type_: str, values: Sequence[str]) -> Clause:
        ids = tuple(relative(value).removeprefix(f"{type_}/") for value in values)
        return Clause(
            f"SELECT rid FROM resource WHERE type=? AND id IN ({marks(ids)})", (type_, *ids), rank=0
        )

    def _last_updated(self, values: Sequence[str]) -> Clause:
        parts: list[str] = []
        arguments: list[int] = []
        for value in values:
            prefix, text = split_prefix(value)
            low, high = _bounds_of(text)
            if prefix == "ap":
                low, high = self._around(low, high)
            part, given = _stamp_range(prefix, low, high)
            parts.append(part)
            arguments += given
        joined = f"({' OR '.join(parts)})"
        rows = f"SELECT rid FROM resource WHERE {joined.replace('{x}', '')}"
        return Clause(rows, tuple(arguments), rank=9, direct=joined.replace("{x}", "x."))

    def _around(self, low: int, high: int) -> tuple[int, int]:
        """ap: a tenth of the distance to now on each side (R4 search, 3.1.1.4.7)."""
        room = abs(milliseconds(self.now.astimezone(UTC)) - low) // 10
        return low - room, high + room

    # ------------------------------------------------------------------- kinds
    def _missing(self, pid: int, param: SearchParam, values: Sequence[str]) -> Clause:
        if tuple(values) not in (("true",), ("false",)):
            raise bad(":missing is true or false")
        table = parameters.TABLE_OF_KIND[param.kind]
        rows = f"SELECT rid FROM {table} WHERE pid=?"
        arguments: tuple[Any, ...] = (pid,)
        if param.kind == "reference":
            rows, arguments = f"{rows} UNION ALL SELECT rid FROM token WHERE pid=?", (pid, pid)
        return Clause(rows, arguments, negated=values[0] == "true", rank=8)

    def _token(self, pid: int, param: SearchParam, condition: Condition) -> Clause:
        return _tokens(
            pid,
            condition.values,
            negated=condition.modifier == "not",
            any_system=parameters.has_implied_system(param),
            rank=1 if param.code == "identifier" else 6,
        )

    def _uri(self, pid: int, _param: SearchParam, condition: Condition) -> Clause:
        rows = f"SELECT rid FROM token WHERE pid=? AND code IN ({marks(condition.values)})"
        return Clause(rows, (pid, *condition.values), exact=True, rank=4)

    def _string(self, pid: int, _param: SearchParam, condition: Condition) -> Clause:
        parts: list[str] = []
        arguments: list[Any] = []
        for value in condition.values:
            text = unescape(value)
            folded = fold(text)
            if condition.modifier == "exact":
                parts.append("folded=? AND exact=?")
                arguments += [pid, folded, text]
            elif condition.modifier == "contains":
                parts.append("instr(folded, ?) > 0")
                arguments += [pid, folded]
            else:
                parts.append("folded>=? AND folded<?")
                arguments += [pid, folded, folded + "\U0010ffff"]
        rows = " UNION ALL ".join(f"SELECT rid FROM word WHERE pid=? AND {part}" for part in parts)
        return Clause(rows, tuple(arguments), rank=7 if condition.modifier == "contains" else 3)

    def _date(self, pid: int, _param: SearchParam, condition: Condition) -> Clause:
        parts: list[str] = []
        arguments: list[Any] = []
        for value in condition.values:
            prefix, text = split_prefix(value)
            low, high = _bounds_of(text)
            if prefix == "ap":
                low, high = self._around(low, high)
            part, given = _date_range(prefix, low, high)
            parts.append(f"SELECT rid FROM moment WHERE pid=? AND {part}")
            arguments += [pid, *given]
        return Clause(" UNION ALL ".join(parts), tuple(arguments), rank=7)

    def _quantity(self, pid: int, param: SearchParam, condition: Condition) -> Clause:
        parts: list[str] = []
        arguments: list[Any] = []
        for value in condition.values:
            number, system, code = _quantity_parts(value, param.kind)
            prefix, text = split_prefix(number)
            part, amounts = _amount_range(prefix, text)
            given: list[Any] = list(amounts)
            if code:
                part, given = f"{part} AND (code=? OR unit=?)", [*given, code, code]
            if system:
                part, given = f"{part} AND system=?", [*given, system]
            parts.append(f"SELECT rid FROM quantity WHERE pid=? AND {part}")
            arguments += [pid, *given]
        return Clause(" UNION ALL ".join(parts), tuple(arguments), rank=7)

    def _reference(self, pid: int, param: SearchParam, condition: Condition) -> Clause:
        if condition.modifier == "identifier":
            return _tokens(pid, condition.values, rank=2)
        targets: list[str] = []
        for value in condition.values:
            targets += self._targets(value, condition.modifier, param.targets)
        rows = f"SELECT rid FROM ref WHERE pid=? AND target IN ({marks(targets)})"
        return Clause(rows, (pid, *targets), exact=True, rank=2)

    def _targets(self, value: str, modifier: str, allowed: frozenset[str]) -> list[str]:
        if is_id(value) and "/" not in value:
            types = [modifier] if modifier else sorted(allowed or resource_types())
            return [f"{type_}/{value}" for type_ in types]
        wanted = relative(value)
        return [] if modifier and not wanted.startswith(f"{modifier}/") else [wanted]

    # ------------------------------------------------------------------- chains
    def rids(self, type_: str, condition: Condition) -> tuple[str, tuple[Any, ...]]:
        """A SELECT of the living resources of a type a condition holds for."""
        clause = self.clause(type_, condition)
        return (
            f"SELECT x.rid FROM resource x WHERE x.type=? AND x.deleted=0 AND {clause.probe}"
            if clause.negated
            else f"SELECT rid FROM resource WHERE type=? AND deleted=0 AND rid IN ({clause.rows})",
            (type_, *clause.arguments),
        )

    def _chain(self, pid: int, condition: Condition, param: SearchParam) -> Clause:
        parts: list[str] = []
        arguments: list[Any] = []
        for target in chain_targets(condition, param.targets):
            rows, given = self.rids(target, inner_condition(target, condition))
            parts.append(
                "SELECT rid FROM ref WHERE pid=? AND target IN"
                f" (SELECT type||'/'||id FROM resource WHERE rid IN ({rows}))"
            )
            arguments += [pid, *given]
        return Clause(f"SELECT rid FROM ({' UNION ALL '.join(parts)})", tuple(arguments), rank=4)

    def _has(self, type_: str, condition: Condition) -> Clause:
        assert condition.has is not None
        source, reference = condition.has
        inner = Condition(condition.code, condition.modifier, condition.rest, condition.values)
        rows, given = self.rids(source, inner)
        return Clause(
            "SELECT t.rid FROM resource t WHERE t.type=? AND t.deleted=0 AND t.id IN"
            " (SELECT substr(target, ?) FROM ref WHERE pid=? AND target>=? AND target<?"
            f" AND rid IN ({rows}))",
            (type_, len(type_) + 2, parameters.pid(source, reference), f"{type_}/", f"{type_}0", *given),
            rank=4,
        )


def _tokens(
    pid: int, values: Sequence[str], *, negated: bool = False, any_system: bool = False, rank: int
) -> Clause:
    plain: list[str] = []
    parts: list[str] = []
    arguments: list[Any] = []
    for value in values:
        pieces = [unescape(piece) for piece in _ESCAPED_BAR.split(value, maxsplit=1)]
        if len(pieces) == 1:
            plain.append(pieces[0])
        elif not pieces[1]:
            parts.append("SELECT rid FROM token WHERE pid=? AND system=?")
            arguments += [pid, pieces[0]]
        elif any_system:
            plain.append(pieces[1])
        else:
            parts.append("SELECT rid FROM token WHERE pid=? AND code=? AND system=?")
            arguments += [pid, pieces[1], pieces[0]]
    if plain:
        parts.append(f"SELECT rid FROM token WHERE pid=? AND code IN ({marks(plain)})")
        arguments += [pid, *plain]
    return Clause(" UNION ALL ".join(parts), tuple(arguments), negated=negated, exact=True, rank=rank)


_FIRST_SEQ: Final = "coalesce((SELECT seq FROM tick WHERE updated>=? ORDER BY updated LIMIT 1), 1<<62)"
"""The first seq stamped at or after a time. Stamps never fall as seq grows: a time range is a seq range."""


def _stamp_range(prefix: str, low: int, high: int) -> tuple[str, list[int]]:
    match prefix:
        case "ge":
            return f"{{x}}seq>={_FIRST_SEQ}", [low]
        case "gt" | "sa":
            return f"{{x}}seq>={_FIRST_SEQ}", [high]
        case "le":
            return f"{{x}}seq<{_FIRST_SEQ}", [high]
        case "lt" | "eb":
            return f"{{x}}seq<{_FIRST_SEQ}", [low]
        case "ne":
            return f"({{x}}seq<{_FIRST_SEQ} OR {{x}}seq>={_FIRST_SEQ})", [low, high]
    return f"({{x}}seq>={_FIRST_SEQ} AND {{x}}seq<{_FIRST_SEQ})", [low, high]


def _bounds_of(text: str) -> tuple[int, int]:
    try:
        return bounds(text)
    except (ValueError, OverflowError):
        raise bad("a date in the search cannot be read") from None


def _date_range(prefix: str, low: int, high: int) -> tuple[str, list[int]]:
    """R4 3.1.1.4.7, with ge and le taking everything that reaches over the boundary."""
    match prefix:
        case "ge":
            return "high>?", [low]
        case "gt":
            return "high>?", [high]
        case "le":
            return "low<?", [high]
        case "lt":
            return "low<?", [low]
        case "sa":
            return "low>=?", [high]
        case "eb":
            return "high<=?", [low]
        case "ne":
            return "(low<? OR high>?)", [low, high]
        case "ap":
            return "low<? AND high>?", [high, low]
    return "low>=? AND low<? AND high<=?", [low, high, high]


def _quantity_parts(value: str, kind: str) -> tuple[str, str, str]:
    pieces = [unescape(piece) for piece in _ESCAPED_BAR.split(value)]
    if (kind == "number" and len(pieces) > 1) or len(pieces) not in (1, 3):
        raise bad("a quantity is number or number|system|code")
    return (pieces[0], pieces[1], pieces[2]) if len(pieces) == 3 else (pieces[0], "", "")


def _amount_range(prefix: str, text: str) -> tuple[str, list[float]]:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise bad("a number in the search cannot be read") from None
    if not number.is_finite():
        raise bad("a number in the search cannot be read")
    half = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
    value, low, high = float(number), float(number - half), float(number + half)
    match prefix:
        case "gt" | "sa":
            return ("high>?" if prefix == "gt" else "low>?"), [value]
        case "lt" | "eb":
            return ("low<?" if prefix == "lt" else "high<?"), [value]
        case "ge":
            return "high>=?", [value]
        case "le":
            return "low<=?", [value]
        case "ne":
            return "(low<? OR high>=?)", [low, high]
        case "ap":
            room = abs(value) / 10
            return "low<=? AND high>=?", [value + room, value - room]
    return "low>=? AND high<?", [low, high]
