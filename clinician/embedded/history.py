"""History of one resource, a type or the whole record: newest first, paged by key."""

# ruff: noqa: S608 - every value is a ? parameter; only placeholders and names of our own are joined

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from clinician.embedded.indexing import bounds
from clinician.embedded.outcome import absent, bad
from clinician.embedded.query import MAX_COUNT, SILENT
from clinician.embedded.writing import current

_COLUMNS: Final = "type, id, version, updated, deleted, method, body, seq"
_FIRST_SEQ: Final = "coalesce((SELECT seq FROM tick WHERE updated>=? ORDER BY updated LIMIT 1), 1<<62)"
DEFAULT_COUNT: Final = 100
MAX_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """since: ms, inclusive. after: seq, exclusive. wait: seconds to wait for something newer."""

    since: int | None = None
    after: int | None = None
    count: int = DEFAULT_COUNT
    cursor: int | None = None
    wait: float = 0.0
    total: bool = True
    applied: tuple[tuple[str, str], ...] = ()


def read_history_query(given: Iterable[tuple[str, str]], *, strict: bool) -> HistoryQuery:
    """The parameters of a history request. RequestError for what cannot be read."""
    found: dict[str, Any] = {}
    applied: list[tuple[str, str]] = []
    for name, value in given:
        match name:
            case "_since":
                found["since"] = _instant(value)
            case "_after":
                found["after"] = _number(name, value)
            case "_count":
                found["count"] = min(max(_number(name, value), 0), MAX_COUNT)
            case "_cursor":
                found["cursor"] = _number(name, value)
            case "_wait":
                found["wait"] = min(_seconds(value), MAX_WAIT)
                continue
            case "_total":
                found["total"] = value != "none"
            case _ if name not in SILENT:
                if strict:
                    raise bad(f"history has no parameter {name[:64]}", "not-supported")
                continue
        applied.append((name, value))
    return HistoryQuery(**found, applied=tuple(applied))


def _instant(value: str) -> int:
    try:
        return bounds(value)[0]
    except (ValueError, OverflowError):
        raise bad("_since cannot be read as an instant") from None


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise bad(f"{name} is a number from 0")
    return int(value)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise bad("_wait is a number of seconds") from None
    return seconds if 0 <= seconds <= 1e6 else 0.0


@dataclass(slots=True)
class HistoryPage:
    """rows as pages.history_entry takes them; next_cursor None at the end."""

    rows: list[tuple[Any, ...]]
    next_cursor: int | None
    total: int | None


def history_page(
    connection: sqlite3.Connection, query: HistoryQuery, type_: str = "", id_: str = ""
) -> HistoryPage:
    """One page. RequestError 404 for an instance the record never had."""
    scope, arguments = _scope(connection, type_, id_)
    bound, bound_arguments = _bound(query)
    parts = [("resource", f"deleted={d}") for d in (0, 1)] if type_ and not id_ else [("resource", "1")]
    parts.append(("past", "1"))
    page = ("seq<?", [query.cursor]) if query.cursor is not None else ("1", [])
    selects: list[str] = []
    given: list[Any] = []
    for table, extra in parts:
        selects.append(
            f"SELECT * FROM (SELECT {_COLUMNS} FROM {table}"
            f" WHERE {scope} AND {extra} AND {bound} AND {page[0]} ORDER BY seq DESC LIMIT ?)"
        )
        given += [*arguments, *bound_arguments, *page[1], query.count + 1]
    rows = connection.execute(
        f"{' UNION ALL '.join(selects)} ORDER BY seq DESC LIMIT ?", [*given, query.count + 1]
    ).fetchall()
    more = len(rows) > query.count
    rows = rows[: query.count]
    total = _total(connection, scope, bound, [*arguments, *bound_arguments]) if query.total else None
    return HistoryPage([row[:7] for row in rows], rows[-1][7] if more and rows else None, total)


def _scope(connection: sqlite3.Connection, type_: str, id_: str) -> tuple[str, list[Any]]:
    if not type_:
        return "1", []
    if not id_:
        return "type=?", [type_]
    found = current(connection, type_, id_)
    if found is None:
        raise absent(f"{type_}/{id_}")
    return "rid=?", [found.rid]


def _bound(query: HistoryQuery) -> tuple[str, list[Any]]:
    parts: list[str] = []
    arguments: list[Any] = []
    if query.since is not None:
        parts.append(f"seq>={_FIRST_SEQ}")
        arguments.append(query.since)
    if query.after is not None:
        parts.append("seq>?")
        arguments.append(query.after)
    return " AND ".join(parts) or "1", arguments


def _total(connection: sqlite3.Connection, scope: str, bound: str, arguments: list[Any]) -> int:
    counts = [f"(SELECT count(*) FROM {table} WHERE {scope} AND {bound})" for table in ("resource", "past")]
    return int(connection.execute(f"SELECT {' + '.join(counts)}", [*arguments, *arguments]).fetchone()[0])


def vread(connection: sqlite3.Connection, type_: str, id_: str, version: int) -> tuple[Any, ...] | None:
    """(deleted, updated, body) of one version, None when there never was one."""
    row = current(connection, type_, id_)
    if row is None:
        return None
    if row.version == version:
        return row.deleted, row.updated, row.body
    found = connection.execute(
        "SELECT deleted, updated, body FROM past WHERE rid=? AND version=?", (row.rid, version)
    ).fetchone()
    return tuple(found) if found else None
