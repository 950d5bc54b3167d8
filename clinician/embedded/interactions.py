"""What can be done to one resource, with its preconditions, inside a transaction or alone."""

from __future__ import annotations

import re
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from clinician.embedded.conditions import Translator
from clinician.embedded.content import Content
from clinician.embedded.history import vread
from clinician.embedded.outcome import RequestError, absent, bad, gone, stale
from clinician.embedded.query import read_query
from clinician.embedded.search import Hit, Search
from clinician.embedded.writing import Row, Writing, Written, current, instant

_ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*|\s*([^",\s]+)\s*')


@dataclass(frozen=True, slots=True)
class Answer:
    """What an interaction led to. version 0: no version to name (nothing was there)."""

    status: int
    type: str = ""
    id: str = ""
    version: int = 0
    last_updated: str = ""
    body: bytes = b""
    created: bool = False

    @property
    def etag(self) -> str:
        """W/"version", or ''."""
        return f'W/"{self.version}"' if self.version else ""

    @property
    def location(self) -> str:
        """'Type/id/_history/version', or ''."""
        return f"{self.type}/{self.id}/_history/{self.version}" if self.version else ""


def of_written(written: Written, status: int | None = None) -> Answer:
    """The answer to a write."""
    return Answer(
        status or (201 if written.created else 200),
        written.type,
        written.id,
        written.version,
        written.last_updated,
        written.body,
        written.created,
    )


def versions_in(header: str) -> frozenset[str]:
    """The version ids of an If-Match or If-None-Match value; '*' stands for any."""
    return frozenset(found[1] or found[2] for found in _ETAG.finditer(header))


# ------------------------------------------------------------------------------------ reading
def read(connection: sqlite3.Connection, type_: str, id_: str, if_none_match: str = "") -> Answer:
    """The newest version. 404 never known, 410 deleted, 304 when the asker has it."""
    row = current(connection, type_, id_)
    ref = f"{type_}/{id_}"
    if row is None:
        raise absent(ref)
    if row.deleted:
        problem = gone(ref)
        problem.headers = {"ETag": f'W/"{row.version}"', "X-Last-Modified": instant(row.updated)}
        raise problem
    known = versions_in(if_none_match)
    same = "*" in known or str(row.version) in known
    return Answer(
        304 if same else 200, type_, id_, row.version, instant(row.updated), b"" if same else row.body
    )


def read_version(connection: sqlite3.Connection, type_: str, id_: str, version: str) -> Answer:
    """One version. 404 when there never was one, 410 when that version is a deletion."""
    ref = f"{type_}/{id_}/_history/{version[:64]}"
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 12 else 0
    found = vread(connection, type_, id_, number) if number else None
    if found is None:
        raise absent(ref)
    deleted, updated, body = found
    if deleted:
        raise gone(ref)
    return Answer(200, type_, id_, number, instant(updated), body)


# ------------------------------------------------------------------------------------ writing
def matching(
    connection: sqlite3.Connection,
    now: datetime,
    type_: str,
    criteria: str | list[tuple[str, str]],
) -> list[Hit]:
    """Up to two matches of the criteria of a conditional request. 400 for unknown parameters or none."""
    pairs = criteria if isinstance(criteria, list) else parse_qsl(criteria.removeprefix("?"))
    if not pairs:
        raise bad("a conditional request without criteria", "required")
    query = read_query(type_, pairs, strict=True)
    if not query.conditions:
        raise bad("a conditional request without criteria", "required")
    return Search(connection, Translator(now), query).matches()


def only_match(hits: list[Hit]) -> Hit | None:
    """The one match, or None; 412 when there are several."""
    if len(hits) > 1:
        raise RequestError(412, "multiple-matches", "the criteria match more than one resource")
    return hits[0] if hits else None


def create(writing: Writing, content: Content, *, id_: str | None = None) -> Answer:
    """A new resource under an id of the record's choosing."""
    new = id_ or str(uuid.uuid4())
    return of_written(writing.put(content.type, new, content.tail, content.raw, method="POST"))


def existing(hit: Hit) -> Answer:
    """The answer to a conditional create that found its resource."""
    return Answer(200, hit.type, hit.id, hit.version, instant(hit.updated), hit.body)


def update(
    writing: Writing, content: Content, id_: str, *, if_match: str = "", if_none_match: str = ""
) -> Answer:
    """Create under `id_`, update or revive. 412 when a precondition does not hold."""
    check_preconditions(
        current(writing.connection, content.type, id_), f"{content.type}/{id_}", if_match, if_none_match
    )
    return of_written(writing.put(content.type, id_, content.tail, content.raw))


def check_preconditions(row: Row | None, ref: str, if_match: str, if_none_match: str) -> None:
    """Raise 412 when If-Match or If-None-Match forbids the write."""
    holds = row.version if row is not None and not row.deleted else None
    if if_match:
        wanted = versions_in(if_match)
        if holds is None or not ("*" in wanted or str(holds) in wanted):
            raise stale(ref, holds)
    if if_none_match and holds is not None:
        refused = versions_in(if_none_match)
        if "*" in refused or str(holds) in refused:
            raise RequestError(412, "conflict", f"{ref} exists here already")


def delete(writing: Writing, type_: str, id_: str, *, if_match: str = "") -> Answer:
    """Delete. 204 also when there was nothing alive to delete, unless If-Match says otherwise."""
    if if_match:
        check_preconditions(current(writing.connection, type_, id_), f"{type_}/{id_}", if_match, "")
    written = writing.delete(type_, id_)
    return of_written(written, 204) if written else Answer(204)
