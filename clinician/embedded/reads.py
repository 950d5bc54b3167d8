"""Every GET the record answers, alone or as an entry of a Bundle, on one snapshot."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from clinician.embedded import compartment, history, interactions, pages
from clinician.embedded.capability import capability_statement
from clinician.embedded.conditions import Clause, Translator
from clinician.embedded.interactions import Answer
from clinician.embedded.outcome import RequestError
from clinician.embedded.parameters import served_types
from clinician.embedded.query import Query, read_query
from clinician.embedded.search import Found, Search
from clinician.embedded.store import Store
from clinician.embedded.writing import current, instant

Pairs = list[tuple[str, str]]


@dataclass(slots=True)
class Reads:
    """The reading side for one request. as_of: ms, taken before the snapshot was opened."""

    store: Store
    connection: sqlite3.Connection
    base: str
    as_of: int
    strict: bool = False
    sealed: bool = False
    """Keep parameters out of links: what came in a body (a Bundle, a form) goes into no URL"""

    def get(self, segments: list[str], pairs: Pairs, if_none_match: str = "") -> Answer:
        """The answer to GET. RequestError for every refusal."""
        match segments:
            case ["metadata"]:
                statement = capability_statement(self.base, self.store.epoch, self.as_of)
                return Answer(200, body=msgspec.json.encode(statement))
            case ["_history"]:
                return self.history(pairs)
            case [type_, *rest] if type_ in served_types():
                return self._of_type(type_, rest, pairs, if_none_match)
        raise RequestError(404, "not-found", "there is nothing at this address")

    def _of_type(self, type_: str, rest: list[str], pairs: Pairs, if_none_match: str) -> Answer:
        match rest:
            case [] | ["_search"]:
                return self.search(type_, pairs)
            case ["_history"]:
                return self.history(pairs, type_)
            case [id_]:
                if id_.startswith(("$", "_")):
                    raise RequestError(404, "not-supported", "this operation is not supported")
                return self._read(type_, id_, pairs, if_none_match)
            case [id_, "_history"]:
                return self.history(pairs, type_, id_)
            case [id_, "_history", version]:
                return interactions.read_version(self.connection, type_, id_, version)
            case [id_, "$everything"] if type_ == "Patient":
                return self.everything(id_, pairs)
            case [id_, inner] if type_ == "Patient" and inner in served_types():
                self._need_patient(id_)
                return self.search(
                    inner, pairs, extra=(compartment.within(inner, id_),), path=f"Patient/{id_}/{inner}"
                )
        raise RequestError(404, "not-found", "there is nothing at this address")

    def _read(self, type_: str, id_: str, pairs: Pairs, if_none_match: str) -> Answer:
        answer = interactions.read(self.connection, type_, id_, if_none_match)
        elements = [part for name, value in pairs if name == "_elements" for part in value.split(",")]
        if not elements or answer.status != 200:
            return answer
        cut = Search(self.connection, self._translator(), Query(type_)).by_id(id_)
        return Answer(
            200, type_, id_, answer.version, answer.last_updated, pages.subset(elements)(cut) if cut else b""
        )

    def _translator(self) -> Translator:
        return Translator(self.store.clock.now())

    def _need_patient(self, id_: str) -> None:
        row = current(self.connection, "Patient", id_)
        if row is None or row.deleted:
            interactions.read(self.connection, "Patient", id_)

    # ------------------------------------------------------------------- bundles
    def search(
        self,
        type_: str,
        pairs: Pairs,
        *,
        extra: tuple[Clause, ...] = (),
        path: str = "",
    ) -> Answer:
        """A searchset of one type."""
        sealed = self.sealed
        if len(pairs) == 1 and pairs[0][0] == "_page":
            pairs, sealed = self.store.seal.open(pairs[0][1]), True
        query = read_query(type_, pairs, strict=self.strict)
        found = Search(self.connection, self._translator(), query, extra=extra).run()
        body = pages.searchset(
            self.base,
            found.hits,
            found.included,
            elements=query.elements,
            summary=query.summary,
            links=self._links(path or type_, query.applied, found, sealed=sealed),
            total=found.total,
            as_of=instant(self.as_of),
        )
        return Answer(200, body=body)

    def _links(self, path: str, applied: Pairs, found: Found, *, sealed: bool) -> list[tuple[str, str]]:
        address = f"{self.base}/{path}"
        links = [("self", address if sealed else _url(address, applied))]
        if found.next_cursor:
            following = [*_without(applied, "_cursor"), ("_cursor", found.next_cursor)]
            if sealed:
                following = [("_page", self.store.seal.close(following))]
            links.append(("next", _url(address, following)))
        return links

    def everything(self, id_: str, pairs: Pairs) -> Answer:
        """Patient/x/$everything."""
        self._need_patient(id_)
        query = compartment.read_everything_query(pairs, strict=self.strict)
        found = compartment.everything(self.connection, id_, query)
        body = pages.searchset(
            self.base,
            found.hits,
            found.included,
            links=self._links(f"Patient/{id_}/$everything", list(query.applied), found, sealed=False),
            total=None if found.next_cursor or query.cursor else len(found.hits),
            as_of=instant(self.as_of),
        )
        return Answer(200, body=body)

    def history(self, pairs: Pairs, type_: str = "", id_: str = "") -> Answer:
        """A history Bundle of a resource, a type or everything."""
        query = history.read_history_query(pairs, strict=self.strict)
        page = history.history_page(self.connection, query, type_, id_)
        address = "/".join(part for part in (self.base, type_, id_, "_history") if part)
        links = [("self", _url(address, list(query.applied)))]
        if page.next_cursor is not None:
            following = [*_without(list(query.applied), "_cursor"), ("_cursor", str(page.next_cursor))]
            links.append(("next", _url(address, following)))
        entries = [pages.history_entry(self.base, row) for row in page.rows]
        body = pages.history(entries, links=links, total=page.total, as_of=instant(self.as_of))
        return Answer(200, body=body)


def _url(address: str, pairs: Pairs) -> str:
    return f"{address}?{urlencode(pairs, safe=':,/|$')}" if pairs else address


def _without(pairs: Pairs, name: str) -> Pairs:
    return [pair for pair in pairs if pair[0] != name]
