"""A patient's compartment, by the official R4 definition: Patient/x/Type and Patient/x/$everything."""

# ruff: noqa: S608 - every value is a ? parameter; only placeholders and names of our own are joined

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinician.embedded import parameters
from clinician.embedded.conditions import Clause, marks
from clinician.embedded.history import read_history_query
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.search import Found, Hit, by_refs
from clinician.fhir.search_params import patient_compartment

_AROUND = ("Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Device")
"""Types $everything adds when a resource of the compartment names them."""
_FIELDS = "r.rid, r.type, r.id, r.version, r.updated, r.seq, r.head, r.body"


def compartment_pids(type_: str) -> list[int]:
    """The numbers of the parameters that put a resource of a type into a patient's compartment."""
    codes = patient_compartment().get(type_, ())
    return [parameters.pid(type_, code) for code in codes if code in parameters.indexed(type_)]


def within(type_: str, patient_id: str) -> Clause:
    """Membership of the compartment as a clause. 404 for a type that is never in one."""
    wanted = compartment_pids(type_)
    if not wanted:
        raise RequestError(404, "not-supported", f"{type_} is not part of a patient's compartment")
    rows = f"SELECT rid FROM ref WHERE pid IN ({marks(wanted)}) AND target=?"
    return Clause(rows, (*wanted, f"Patient/{patient_id}"), rank=2)


@dataclass(frozen=True, slots=True)
class EverythingQuery:
    """types: () is all. since: ms."""

    types: tuple[str, ...]
    since: int | None
    count: int
    cursor: int
    applied: tuple[tuple[str, str], ...]


def read_everything_query(given: Sequence[tuple[str, str]], *, strict: bool) -> EverythingQuery:
    """The parameters of $everything: _type, _since, _count."""
    types = tuple(t for name, value in given if name == "_type" for t in value.split(",") if t)
    if not set(types) <= parameters.served_types():
        raise bad("_type names an unknown resource type")
    paging = read_history_query([pair for pair in given if pair[0] != "_type"], strict=strict)
    counted = any(name == "_count" for name, _ in given)
    return EverythingQuery(
        types, paging.since, paging.count if counted else 1000, paging.cursor or 0, tuple(given)
    )


def everything(connection: sqlite3.Connection, patient_id: str, query: EverythingQuery) -> Found:
    """The patient and the compartment in the order of change, with the staff and places they name."""
    types = [t for t in sorted(parameters.served_types()) if not query.types or t in query.types]
    wanted = [pid for type_ in types for pid in compartment_pids(type_)]
    bound, arguments = ("AND r.updated>=?", [query.since]) if query.since is not None else ("", [])
    ref = f"Patient/{patient_id}"
    itself = not query.types or "Patient" in query.types
    members = f"SELECT rid FROM ref WHERE pid IN ({marks(wanted)}) AND target=?"
    own = "SELECT rid FROM resource WHERE type='Patient' AND id=?" if itself else "SELECT -1 WHERE ?=''"
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM (SELECT rid FROM ({members}) UNION {own}) p"
        f" CROSS JOIN resource r ON r.rid=p.rid WHERE r.deleted=0 AND r.seq>? {bound} ORDER BY r.seq LIMIT ?",
        [*wanted, ref, patient_id, query.cursor, *arguments, query.count + 1],
    ).fetchall()
    more = len(rows) > query.count
    hits = [Hit(*row) for row in rows[: query.count]]
    included = _around(connection, hits, query.types)
    return Found(hits, included, str(hits[-1].seq) if more and hits else "")


def _around(connection: sqlite3.Connection, hits: list[Hit], types: Iterable[str]) -> list[Hit]:
    allowed = [f"{type_}/" for type_ in _AROUND if not types or type_ in types]
    rids = [hit.rid for hit in hits]
    targets = connection.execute(f"SELECT DISTINCT target FROM ref WHERE rid IN ({marks(rids)})", rids)
    refs = [target for (target,) in targets if target.startswith(tuple(allowed))] if allowed else []
    have = set(rids)
    return [hit for hit in by_refs(connection, refs) if hit.rid not in have]
