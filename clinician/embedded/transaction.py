"""Transaction Bundles: DELETE, POST, PUT, GET; every link resolved; all of it or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from clinician.embedded.content import content_of, rewritten
from clinician.embedded.interactions import (
    Answer,
    create,
    delete,
    existing,
    matching,
    only_match,
    update,
)
from clinician.embedded.operation import METHODS, Operation
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.search import Hit
from clinician.embedded.writing import Writing
from clinician.fhir.reference import references_in
from clinician.fhir.structure import resource_types

Reader = Callable[[Operation], Answer]
_ORDER: Final = {method: at for at, method in enumerate(METHODS)}


@dataclass(slots=True)
class Transaction:
    """One transaction on an open write transaction. reader answers its GETs at the end."""

    writing: Writing
    operations: list[Operation]
    now: datetime
    reader: Reader
    _ids: dict[int, str] = field(default_factory=dict)
    _found: dict[int, Hit | None] = field(default_factory=dict)

    def run(self) -> list[Answer]:
        """The answers in the order of the entries. Raises the first RequestError: nothing is kept."""
        self._match()
        self._name()
        references = self._references()
        answers: dict[int, Answer] = {}
        for operation in sorted(self.operations, key=lambda one: _ORDER[one.method]):
            try:
                answers[operation.index] = self._do(operation, references)
            except RequestError as problem:
                raise at_entry(problem, operation.index) from problem
        return [answers[operation.index] for operation in self.operations]

    # ------------------------------------------------------------------- before writing
    def _matching(self, type_: str, criteria: str) -> list[Hit]:
        return matching(self.writing.connection, self.now, type_, criteria)

    def _match(self) -> None:
        """Find what conditional entries mean, in the record as it was before this transaction."""
        for operation in self.operations:
            criteria = _criteria(operation)
            if criteria:
                try:
                    hit = only_match(self._matching(operation.type, criteria))
                except RequestError as problem:
                    raise at_entry(problem, operation.index) from problem
                self._found[operation.index] = hit

    def _name(self) -> None:
        """Settle the id of every resource written; the same one may not be written twice."""
        seen: set[tuple[str, str]] = set()
        for operation in self.operations:
            if not operation.is_write:
                continue
            id_ = self._id_of(operation)
            if id_ is None:
                continue
            self._ids[operation.index] = id_
            if (operation.type, id_) in seen:
                raise bad(f"entry {operation.index}: the same resource stands twice in the transaction")
            seen.add((operation.type, id_))

    def _id_of(self, operation: Operation) -> str | None:
        hit = self._found.get(operation.index)
        if hit is not None:
            return hit.id
        if operation.method == "DELETE":
            return operation.id or None
        if operation.method == "PUT":
            if operation.id:
                return operation.id
            given = operation.raw.get("id") if operation.raw else None
            return given if isinstance(given, str) else str(uuid.uuid4())
        return str(uuid.uuid4())

    def _references(self) -> dict[str, str]:
        """What each link in the Bundle becomes: fullUrls of its entries, and conditional references."""
        references: dict[str, str] = {}
        for operation in self.operations:
            if operation.method in ("POST", "PUT") and operation.full_url and operation.is_write:
                target = f"{operation.type}/{self._ids[operation.index]}"
                if not operation.full_url.endswith("/" + target):
                    references[operation.full_url] = target
        for operation in self.operations:
            if operation.is_write and operation.raw is not None:
                self._resolve(operation, references)
        return references

    def _resolve(self, operation: Operation, references: dict[str, str]) -> None:
        for path, reference in references_in(operation.raw):
            if reference in references:
                continue
            if reference.startswith(("urn:uuid:", "urn:oid:")):
                raise bad(f"entry {operation.index}: {path} names nothing in this transaction", "not-found")
            type_, mark, criteria = reference.partition("?")
            if mark and type_ in resource_types():
                hits = self._matching(type_, criteria)
                if len(hits) != 1:
                    text = f"entry {operation.index}: {path} matches {'several' if hits else 'nothing'}"
                    raise RequestError(412, "multiple-matches" if hits else "not-found", text)
                references[reference] = f"{type_}/{hits[0].id}"

    # ------------------------------------------------------------------- writing
    def _do(self, operation: Operation, references: Mapping[str, str]) -> Answer:
        match operation.method:
            case "DELETE":
                id_ = self._ids.get(operation.index)
                if id_ is None:
                    return Answer(204)
                return delete(self.writing, operation.type, id_, if_match=operation.if_match)
            case "POST" if operation.is_write:
                hit = self._found.get(operation.index)
                return existing(hit) if hit is not None else self._write(operation, references)
            case "PUT":
                return self._write(operation, references)
        return self.reader(operation)

    def _write(self, operation: Operation, references: Mapping[str, str]) -> Answer:
        assert operation.raw is not None
        id_ = self._ids[operation.index]
        raw, body = rewritten(operation.raw, operation.body, references)
        if operation.method == "POST":
            return create(self.writing, content_of(raw, body, operation.type), id_=id_)
        content = content_of(raw, body, operation.type, id_=operation.id or None)
        return update(
            self.writing, content, id_, if_match=operation.if_match, if_none_match=operation.if_none_match
        )


def _criteria(operation: Operation) -> str:
    if operation.method == "POST" and operation.is_write:
        return operation.if_none_exist
    if operation.method in ("PUT", "DELETE") and not operation.id:
        return operation.query
    return ""


def at_entry(problem: RequestError, index: int) -> RequestError:
    """The same problem, naming the entry it came from."""
    if problem.diagnostics.startswith("entry "):
        return problem
    return RequestError(
        problem.status, problem.code, f"entry {index}: {problem.diagnostics}", paths=problem.paths
    )
