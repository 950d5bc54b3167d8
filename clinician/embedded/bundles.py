"""Batch and transaction Bundles: read, run, and answered in the order they came."""

from __future__ import annotations

import msgspec

from clinician.embedded import pages
from clinician.embedded.content import check_resource
from clinician.embedded.interactions import Answer
from clinician.embedded.operation import Operation, read_bundle, read_operation
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.reads import Reads
from clinician.embedded.request import read_pairs
from clinician.embedded.store import Store
from clinician.embedded.transaction import Transaction, at_entry
from clinician.embedded.writing import instant
from clinician.fhir.reference import Raw


def run_bundle(store: Store, body: bytes, base: str, *, strict: bool, minimal: bool = False) -> bytes:
    """The response Bundle. minimal: without the resources written.

    RequestError when a transaction fails (nothing of it is kept) or the body is no such Bundle.
    """
    kind, entries, held = read_bundle(body)
    if kind == "transaction":
        answers = _transaction(store, entries, held, base, strict=strict)
        rendered = [_entry(answer, minimal=minimal) for answer in answers]
    elif kind == "batch":
        rendered = _batch(store, entries, held, base, strict=strict)
    else:
        raise bad("a Bundle sent here is a batch or a transaction", "value")
    return pages.response_bundle(f"{kind}-response", rendered, as_of=instant(store.as_of()))


def _entry(answer: Answer, *, minimal: bool = False) -> bytes:
    return pages.response_entry(
        answer.status,
        location=answer.location if answer.status in (200, 201) else "",
        etag=answer.etag,
        last_modified=answer.last_updated,
        resource=b"" if minimal and answer.type else answer.body,
    )


def _failed(problem: RequestError) -> bytes:
    return pages.response_entry(problem.status, outcome=msgspec.json.encode(problem.outcome()))


# ------------------------------------------------------------------------------------ transaction
def _transaction(
    store: Store, entries: list[Raw], held: list[bytes], base: str, *, strict: bool
) -> list[Answer]:
    operations = [_checked(at, entry, held[at], base) for at, entry in enumerate(entries)]
    if not any(operation.is_write for operation in operations):
        as_of = store.as_of()
        with store.reading() as connection:
            reads = Reads(store, connection, base, as_of, strict, sealed=True)
            return [_get(reads, operation) for operation in operations]
    with store.writing() as writing:
        reads = Reads(store, writing.connection, base, writing.updated, strict, sealed=True)
        return Transaction(
            writing, operations, store.clock.now(), lambda operation: _get(reads, operation)
        ).run()


def _checked(index: int, entry: Raw, body: bytes, base: str) -> Operation:
    """Read and check an entry before any lock is taken."""
    operation = read_operation(index, entry, body, base)
    if operation.raw is not None and operation.method in ("POST", "PUT") and operation.is_write:
        try:
            check_resource(operation.raw, operation.type)
        except RequestError as problem:
            raise at_entry(problem, index) from problem
    return operation


def _get(reads: Reads, operation: Operation) -> Answer:
    segments = [part for part in operation.path.split("/") if part]
    return reads.get(segments, read_pairs(operation.query), operation.if_none_match)


# ------------------------------------------------------------------------------------ batch
def _batch(store: Store, entries: list[Raw], held: list[bytes], base: str, *, strict: bool) -> list[bytes]:
    operations: list[Operation | RequestError] = []
    for at, entry in enumerate(entries):
        try:
            operations.append(_checked(at, entry, held[at], base))
        except RequestError as problem:
            operations.append(problem)
    if any(isinstance(one, Operation) and one.is_write for one in operations):
        return [_batch_one(store, one, base, strict=strict) for one in operations]
    as_of = store.as_of()
    with store.reading() as connection:
        reads = Reads(store, connection, base, as_of, strict, sealed=True)
        return [_batch_read(reads, one) for one in operations]


def _batch_read(reads: Reads, operation: Operation | RequestError) -> bytes:
    if isinstance(operation, RequestError):
        return _failed(operation)
    try:
        return _entry(_get(reads, operation))
    except RequestError as problem:
        return _failed(problem)


def _batch_one(store: Store, operation: Operation | RequestError, base: str, *, strict: bool) -> bytes:
    if isinstance(operation, RequestError):
        return _failed(operation)
    if not operation.is_write:
        as_of = store.as_of()
        with store.reading() as connection:
            return _batch_read(Reads(store, connection, base, as_of, strict, sealed=True), operation)
    try:
        with store.writing() as writing:
            (answer,) = Transaction(writing, [operation], store.clock.now(), _no_reads).run()
            return _entry(answer)
    except RequestError as problem:
        return _failed(problem)


def _no_reads(_operation: Operation) -> Answer:
    raise AssertionError("a write is not a read")
