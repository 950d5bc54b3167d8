"""Runs a search: chooses where to begin, pages by key, never by offset.

Three ways in: the patient chart (what workstations ask all day), the rows of the most telling condition,
or all of the type in the order of change.
"""

# ruff: noqa: S608 - every value is a ? parameter; only placeholders and names of our own are joined

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from clinician.embedded import parameters
from clinician.embedded.conditions import Clause, Translator, marks
from clinician.embedded.outcome import bad
from clinician.embedded.query import Condition, Include, Query

_FEW: Final = 5000
_FIELDS: Final = "r.rid, r.type, r.id, r.version, r.updated, r.seq, r.head, r.body"
_SORT_VALUE: Final = {
    "token": ("min(code)", "max(code)"),
    "word": ("min(folded)", "max(folded)"),
    "moment": ("min(low)", "max(high)"),
    "quantity": ("min(low)", "max(high)"),
    "ref": ("min(target)", "max(target)"),
}


class Hit(NamedTuple):
    """One stored resource as found."""

    rid: int
    type: str
    id: str
    version: int
    updated: int
    seq: int
    head: int
    body: bytes


@dataclass(slots=True)
class Found:
    """A page: matches in order, included resources, the cursor of the next page ('' at the end)."""

    hits: list[Hit]
    included: list[Hit] = field(default_factory=list)
    next_cursor: str = ""
    total: int | None = None


@dataclass(slots=True)
class _Sql:
    source: str = ""
    where: list[str] = field(default_factory=list)
    source_arguments: list[Any] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def add(self, text: str, arguments: tuple[Any, ...] | list[Any]) -> None:
        self.where.append(text)
        self.arguments += arguments

    def tail(self) -> str:
        return f"FROM {self.source} WHERE {' AND '.join(self.where) or '1'}"

    def values(self) -> list[Any]:
        return [*self.source_arguments, *self.arguments]


class Search:
    """One search on one snapshot. extra: clauses beyond the query's own (a compartment)."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        translator: Translator,
        query: Query,
        *,
        extra: tuple[Clause, ...] = (),
    ) -> None:
        self.connection = connection
        self.translator = translator
        self.query = query
        self.extra = extra

    def run(self) -> Found:
        """The page asked for."""
        sql = self._sql()
        total = self._total(sql)
        if self.query.summary == "count" or self.query.count == 0:
            return Found([], total=total)
        found = self._page(sql)
        found.total = total
        found.included = self._included(found.hits)
        return found

    def matches(self, limit: int = 2) -> list[Hit]:
        """The first few matches, for conditional requests."""
        self.query.count = limit
        self.query.sort = []
        return self._page(self._sql()).hits[:limit]

    def explain(self) -> list[str]:
        """How SQLite goes about a page in the order of change, one line a step."""
        statement, arguments = self._by_change_statement(self._sql())
        return [row[3] for row in self.connection.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]

    def by_id(self, id_: str) -> Hit | None:
        """The living resource of this type with an id."""
        hits = by_refs(self.connection, [f"{self.query.type}/{id_}"])
        return hits[0] if hits else None

    # ------------------------------------------------------------------- where to begin
    def _sql(self) -> _Sql:
        conditions = list(self.query.conditions)
        patient = next((c for c in conditions if self._is_chart(c)), None)
        if patient is not None and not self.extra and self._by_change():
            conditions.remove(patient)
            sql = self._chart(patient)
        else:
            patient = None
            sql = _Sql("resource x")
        clauses = [self.translator.clause(self.query.type, c) for c in conditions]
        clauses += self.extra
        if patient is None:
            clauses = self._choose_source(sql, clauses)
            sql.add("x.type=? AND x.deleted=0", [self.query.type])
        for clause in clauses:
            sql.add(clause.probe, clause.arguments)
        return sql

    def _is_chart(self, condition: Condition) -> bool:
        return (
            condition.code == "patient"
            and not condition.rest
            and not condition.has
            and condition.modifier in ("", "Patient")
        )

    def _by_change(self) -> bool:
        return not self.query.sort or self.query.sort[0][0] == "_lastUpdated"

    def _chart(self, condition: Condition) -> _Sql:
        clause = self.translator.clause(self.query.type, condition)
        pid, *targets = clause.arguments
        sql = _Sql("chart x")
        sql.add(f"x.pid=? AND x.target IN ({marks(targets)})", [pid, *targets])
        return sql

    def _choose_source(self, sql: _Sql, clauses: list[Clause]) -> list[Clause]:
        """Begin with the most telling condition unless it gives too many rows to be worth it."""
        telling = [c for c in clauses if not c.negated and not c.direct]
        best = min(telling, key=lambda clause: clause.rank, default=None)
        if best is None or (self._by_change() and not self._are_few(best)):
            sql.source = "resource x INDEXED BY resource_type"
            return clauses
        sql.source = f"(SELECT DISTINCT rid FROM ({best.rows})) d CROSS JOIN resource x ON x.rid=d.rid"
        sql.source_arguments = list(best.arguments)
        return [clause for clause in clauses if clause is not best]

    def _are_few(self, clause: Clause) -> bool:
        counted = self.connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM ({clause.rows}) LIMIT {_FEW})", clause.arguments
        ).fetchone()[0]
        return bool(counted < _FEW)

    # ------------------------------------------------------------------- the page
    def _total(self, sql: _Sql) -> int | None:
        if self.query.total == "none" and self.query.summary != "count":
            return None
        statement = f"SELECT count(DISTINCT x.rid) {sql.tail()}"
        return int(self.connection.execute(statement, sql.values()).fetchone()[0])

    def _page(self, sql: _Sql) -> Found:
        return self._page_by_change(sql) if self._by_change() else self._page_by_value(sql)

    def _descending(self) -> bool:
        return bool(self.query.sort) and self.query.sort[0][1]

    def _by_change_statement(self, sql: _Sql) -> tuple[str, list[Any]]:
        descending = self._descending()
        where, arguments = list(sql.where), list(sql.arguments)
        if self.query.cursor:
            where.append("x.seq<?" if descending else "x.seq>?")
            arguments.append(_seq_cursor(self.query.cursor))
        inner = (
            f"SELECT x.rid, x.seq FROM {sql.source} WHERE {' AND '.join(where)}"
            f" ORDER BY x.seq {'DESC' if descending else ''} LIMIT ?"
        )
        return (
            f"SELECT {_FIELDS} FROM ({inner}) p CROSS JOIN resource r ON r.rid=p.rid",
            [*sql.source_arguments, *arguments, self.query.count + 1],
        )

    def _page_by_change(self, sql: _Sql) -> Found:
        descending = self._descending()
        rows = self.connection.execute(*self._by_change_statement(sql)).fetchall()
        rows.sort(key=lambda row: row[5], reverse=descending)
        more = len(rows) > self.query.count
        hits = [Hit(*row) for row in rows[: self.query.count]]
        # a resource that names two of the patients asked for stands twice in the chart, side by side
        hits = hits[:1] + [after for before, after in pairwise(hits) if after.seq != before.seq]
        return Found(hits, next_cursor=str(hits[-1].seq) if more else "")

    def _page_by_value(self, sql: _Sql) -> Found:
        keys, joins, join_arguments = self._sort_keys()
        where, arguments = list(sql.where), list(sql.arguments)
        if self.query.cursor:
            text, given = _beyond(keys, _value_cursor(self.query.cursor, len(keys) + 1))
            where.append(text)
            arguments += given
        order = ", ".join(f"{key} IS NULL, {key} {'DESC' if down else ''}" for key, down in keys)
        columns = ", ".join(f"{key} AS k{at}" for at, (key, _) in enumerate(keys))
        inner = (
            f"SELECT x.rid, x.seq, {columns} FROM {sql.source} {joins}"
            f" WHERE {' AND '.join(where)} ORDER BY {order}, x.seq LIMIT ?"
        )
        outer = ", ".join(f"p.k{at} IS NULL, p.k{at} {'DESC' if k[1] else ''}" for at, k in enumerate(keys))
        named = ", ".join(f"p.k{at}" for at in range(len(keys)))
        rows = self.connection.execute(
            f"SELECT {_FIELDS}, {named} FROM ({inner}) p CROSS JOIN resource r ON r.rid=p.rid"
            f" ORDER BY {outer}, p.seq",
            [*sql.source_arguments, *join_arguments, *arguments, self.query.count + 1],
        ).fetchall()
        more = len(rows) > self.query.count
        rows = rows[: self.query.count]
        cursor = _pack([*rows[-1][8:], rows[-1][5]]) if more else ""
        return Found([Hit(*row[:8]) for row in rows], next_cursor=cursor)

    def _sort_keys(self) -> tuple[list[tuple[str, bool]], str, list[Any]]:
        keys: list[tuple[str, bool]] = []
        joins: list[str] = []
        arguments: list[Any] = []
        for at, (code, down) in enumerate(self.query.sort[:4]):
            if code == "_id":
                keys.append(("x.id", down))
            elif code == "_lastUpdated":
                keys.append(("x.seq", down))
            else:
                kind = parameters.indexed(self.query.type)[code].kind
                table = parameters.TABLE_OF_KIND[kind]
                value = _SORT_VALUE[table][down]
                joins.append(
                    f"LEFT JOIN (SELECT rid AS s{at}, {value} AS v{at} FROM {table} WHERE pid=?"
                    f" GROUP BY rid) ON s{at}=x.rid"
                )
                arguments.append(parameters.pid(self.query.type, code))
                keys.append((f"v{at}", down))
        return keys, " ".join(joins), arguments

    # ------------------------------------------------------------------- includes
    def _included(self, hits: list[Hit]) -> list[Hit]:
        if not hits or not (self.query.includes or self.query.revincludes):
            return []
        found: dict[int, Hit] = {}
        for include in self.query.includes:
            for hit in self._forward(hits, include):
                found[hit.rid] = hit
        for include in self.query.revincludes:
            for hit in self._backward(hits, include):
                found[hit.rid] = hit
        for hit in hits:
            found.pop(hit.rid, None)
        return list(found.values())

    def _pids(self, include: Include) -> list[int]:
        codes = [include.code]
        if include.code == "*":
            known = parameters.indexed(include.type).values()
            codes = [param.code for param in known if param.kind == "reference"]
        return [parameters.pid(include.type, code) for code in codes]

    def _forward(self, hits: list[Hit], include: Include) -> list[Hit]:
        rids = [hit.rid for hit in hits if hit.type == include.type]
        pids = self._pids(include)
        targets = self.connection.execute(
            f"SELECT DISTINCT target FROM ref WHERE rid IN ({marks(rids)}) AND pid IN ({marks(pids)})",
            [*rids, *pids],
        )
        refs = [target for (target,) in targets]
        if include.target:
            refs = [ref for ref in refs if ref.startswith(f"{include.target}/")]
        return by_refs(self.connection, refs)

    def _backward(self, hits: list[Hit], include: Include) -> list[Hit]:
        refs = [f"{hit.type}/{hit.id}" for hit in hits]
        pids = self._pids(include)
        rows = self.connection.execute(
            f"SELECT {_FIELDS} FROM (SELECT DISTINCT rid FROM ref WHERE pid IN ({marks(pids)})"
            f" AND target IN ({marks(refs)})) p CROSS JOIN resource r ON r.rid=p.rid WHERE r.type=?",
            [*pids, *refs, include.type],
        )
        return [Hit(*row) for row in rows]


def by_refs(connection: sqlite3.Connection, refs: list[str]) -> list[Hit]:
    """The living resources of 'Type/id' references."""
    ids: dict[str, list[str]] = {}
    for ref in refs:
        type_, slash, id_ = ref.partition("/")
        if slash and "/" not in id_:
            ids.setdefault(type_, []).append(id_)
    found: list[Hit] = []
    for type_, wanted in ids.items():
        rows = connection.execute(
            f"SELECT {_FIELDS} FROM resource r WHERE r.type=? AND r.deleted=0 AND r.id IN ({marks(wanted)})",
            [type_, *wanted],
        )
        found += [Hit(*row) for row in rows]
    return found


def _seq_cursor(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise bad("the cursor of the next link cannot be read")
    return int(cursor)


def _pack(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _value_cursor(cursor: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        values = None
    good = isinstance(values, list) and len(values) == length
    if not good or any(isinstance(value, dict | list) for value in values):
        raise bad("the cursor of the next link cannot be read")
    return list(values)


def _beyond(keys: list[tuple[str, bool]], cursor: list[Any]) -> tuple[str, list[Any]]:
    """'Later in the order than the cursor' with empty values last."""
    text, arguments = "x.seq>?", [cursor[-1]]
    for (key, down), value in reversed(list(zip(keys, cursor[:-1], strict=True))):
        if value is None:
            text = f"({key} IS NULL AND {text})"
        else:
            text = f"({key} IS NULL OR {key}{'<' if down else '>'}? OR ({key}=? AND {text}))"
            arguments = [value, value, *arguments]
    return text, arguments
