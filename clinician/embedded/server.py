"""The record as a WSGI application."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from werkzeug.http import http_date

from clinician.clock import Clock
from clinician.embedded import binary, history, interactions, schema
from clinician.embedded import body as bodies
from clinician.embedded.bundles import run_bundle
from clinician.embedded.content import check_resource, read_content
from clinician.embedded.interactions import Answer
from clinician.embedded.outcome import RequestError, bad, outcome
from clinician.embedded.parameters import served_types
from clinician.embedded.reads import Reads
from clinician.embedded.request import FHIR_JSON, Reply, Request
from clinician.embedded.search import Hit
from clinician.embedded.store import Store
from clinician.fhir.reference import is_id
from clinician.fhir.times import parse_instant

_log: Final = logging.getLogger(__name__)
_STATUS: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    304: "Not Modified",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}


class RecordApp:
    """A FHIR R4 record. path: its database file; None makes one that vanishes with close()."""

    def __init__(self, path: Path | None, *, clock: Clock | None = None, durable: bool = True) -> None:
        self.store = Store(path, clock=clock, durable=durable)

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self.store.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI: always answers FHIR JSON, an OperationOutcome where it cannot do as asked."""
        request = Request(environ)
        reply = self._guarded(request)
        reply.headers |= {
            "Date": http_date(self.store.clock.now()),
            "X-Record-Epoch": self.store.epoch,
            "X-Change-Sequence": str(self.store.seq),
            "Cache-Control": "no-store",
        }
        if request.header("X-Request-Id").isprintable() and request.header("X-Request-Id"):
            reply.headers["X-Request-Id"] = request.header("X-Request-Id")[:200]
        body = b"" if reply.status in (204, 304) else reply.packed(request.header("Accept-Encoding"))
        if body:
            reply.headers.setdefault("Content-Type", FHIR_JSON)
        if reply.stream is not None:
            return self._streamed(request, reply, start_response)
        if reply.status not in (204, 304):
            reply.headers["Content-Length"] = str(len(body))
        start_response(f"{reply.status} {_STATUS.get(reply.status, 'Status')}", list(reply.headers.items()))
        return [b"" if request.method == "HEAD" else body]

    def _streamed(
        self, request: Request, reply: Reply, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        reply.headers.setdefault("Content-Type", FHIR_JSON)
        start_response(f"{reply.status} {_STATUS.get(reply.status, 'Status')}", list(reply.headers.items()))
        return () if request.method == "HEAD" or reply.stream is None else reply.stream

    def _guarded(self, request: Request) -> Reply:
        try:
            return binary.answer(self.store, request) if binary.is_raw(request) else self._route(request)
        except RequestError as problem:
            return _refusal(problem)
        except sqlite3.OperationalError as fault:
            return _refusal(_storage_problem(fault))
        except Exception:  # noqa: BLE001 - the last door before the network: one bad request must not end the record
            _log.exception("a request failed")
            return _refusal(RequestError(500, "exception", "the record failed on this request"))

    # ------------------------------------------------------------------- routes
    def _route(self, request: Request) -> Reply:
        request.check_accept()
        if request.method in ("GET", "HEAD"):
            return self._get(request)
        match request.method, request.segments:
            case "POST", []:
                return self._bundle(request)
            case "POST", [type_, "_search"] if type_ in served_types():
                return self._post_search(request, type_)
            case "POST", [type_, "$validate"] if type_ in served_types():
                return self._validate(request, type_)
            case "POST", ["Patient", _, "$everything"]:
                return self._get(request)
            case "POST", [type_] if type_ in served_types():
                return self._create(request, type_)
            case "PUT", [type_] if type_ in served_types():
                return self._conditional_update(request, type_)
            case "PUT", [type_, id_] if type_ in served_types():
                return self._update(request, type_, id_)
            case "DELETE", [type_] if type_ in served_types():
                return self._conditional_delete(request, type_)
            case "DELETE", [type_, id_] if type_ in served_types():
                return self._delete(request, type_, id_)
            case "POST" | "PUT" | "DELETE", _:
                raise RequestError(404, "not-found", "there is nothing at this address")
        problem = RequestError(405, "not-supported", f"{request.method[:16]} is not supported")
        problem.headers = {"Allow": "GET, HEAD, POST, PUT, DELETE"}
        raise problem

    def _reads(self, request: Request, connection: sqlite3.Connection, as_of: int) -> Reads:
        return Reads(self.store, connection, request.base, as_of, request.is_strict)

    def _get(self, request: Request) -> Reply:
        if request.segments[-1:] == ["_history"]:
            self._wait(request)
        as_of = self.store.as_of()
        with self.store.reading() as connection:
            answer = self._reads(request, connection, as_of).get(
                request.segments, request.pairs, request.header("If-None-Match")
            )
        reply = _reply(answer, location=False)
        if answer.type == "Binary" and answer.status == 200:
            reply.stream = binary.as_json(self.store, answer.id, answer.version, answer.body)
        return reply

    def _wait(self, request: Request) -> None:
        """Long poll: hold a history request until something newer is there, or its time is up."""
        query = history.read_history_query(request.pairs, strict=request.is_strict)
        if query.wait:
            beyond = query.after if query.after is not None else self.store.seq_before(query.since)
            if self.store.wait_beyond(beyond, query.wait) is None:
                problem = RequestError(429, "throttled", "too many wait for news already")
                problem.headers = {"Retry-After": "10"}
                raise problem

    def _post_search(self, request: Request, type_: str) -> Reply:
        pairs = request.form()
        as_of = self.store.as_of()
        with self.store.reading() as connection:
            reads = Reads(self.store, connection, request.base, as_of, request.is_strict, sealed=True)
            return _reply(reads.search(type_, pairs), location=False)

    def _bundle(self, request: Request) -> Reply:
        minimal = request.prefer.get("return") == "minimal"
        body = request.json_body()
        return Reply(
            200, run_bundle(self.store, body, request.base, strict=request.is_strict, minimal=minimal)
        )

    def _validate(self, request: Request, type_: str) -> Reply:
        raw = bodies.read_json(request.json_body())
        check_resource(raw, type_)
        fine = outcome("informational", "no problem was found", severity="information")
        return Reply(200, msgspec.json.encode(fine))

    # ------------------------------------------------------------------- writes
    def _create(self, request: Request, type_: str) -> Reply:
        content = read_content(request.json_body(), type_)
        criteria = request.header("If-None-Exist")
        with self.store.writing() as writing:
            hit = None
            if criteria:
                hit = interactions.only_match(self._matching(writing.connection, type_, criteria))
            answer = interactions.existing(hit) if hit else interactions.create(writing, content)
        return _written(request, answer)

    def _matching(
        self, connection: sqlite3.Connection, type_: str, criteria: str | list[tuple[str, str]]
    ) -> list[Hit]:
        return interactions.matching(connection, self.store.clock.now(), type_, criteria)

    def _update(self, request: Request, type_: str, id_: str) -> Reply:
        if not is_id(id_):
            raise bad("the id in the URL is not a FHIR id", "value")
        content = read_content(request.json_body(), type_, id_=id_)
        with self.store.writing() as writing:
            answer = interactions.update(
                writing,
                content,
                id_,
                if_match=request.header("If-Match"),
                if_none_match=request.header("If-None-Match"),
            )
        return _written(request, answer)

    def _conditional_update(self, request: Request, type_: str) -> Reply:
        content = read_content(request.json_body(), type_)
        with self.store.writing() as writing:
            hit = interactions.only_match(self._matching(writing.connection, type_, request.pairs))
            if hit is not None and content.id not in ("", hit.id):
                raise bad("the resource has another id than the match")
            if hit is None and not content.id:
                answer = interactions.create(writing, content)
            else:
                id_ = hit.id if hit else content.id
                answer = interactions.update(writing, content, id_, if_match=request.header("If-Match"))
        return _written(request, answer)

    def _delete(self, request: Request, type_: str, id_: str) -> Reply:
        with self.store.writing() as writing:
            answer = interactions.delete(writing, type_, id_, if_match=request.header("If-Match"))
        return _reply(answer, location=False)

    def _conditional_delete(self, request: Request, type_: str) -> Reply:
        with self.store.writing() as writing:
            hit = interactions.only_match(self._matching(writing.connection, type_, request.pairs))
            answer = interactions.delete(writing, type_, hit.id) if hit else Answer(204)
        return _reply(answer, location=False)


def _reply(answer: Answer, *, location: bool, base: str = "") -> Reply:
    headers: dict[str, str] = {}
    if answer.version:
        headers["ETag"] = answer.etag
        headers["Last-Modified"] = http_date(parse_instant(answer.last_updated))
        if location:
            headers["Location"] = f"{base}/{answer.location}"
    return Reply(answer.status, answer.body, headers)


def _written(request: Request, answer: Answer) -> Reply:
    reply = _reply(answer, location=True, base=request.base)
    match request.prefer.get("return"):
        case "minimal":
            reply.body = b""
        case "OperationOutcome":
            done = outcome("informational", "done", severity="information")
            reply.body = msgspec.json.encode(done)
    return reply


def _storage_problem(fault: sqlite3.OperationalError) -> RequestError:
    """Trouble with the file: nothing of the request was kept."""
    _log.error("storage: %s", fault.sqlite_errorname)
    if fault.sqlite_errorcode in schema.NO_ROOM:
        return RequestError(507, "no-store", "the disk of the record is full; nothing was written")
    problem = RequestError(503, "lock-error", "the record is busy; nothing was written")
    problem.headers = {"Retry-After": "1"}
    return problem


def _refusal(problem: RequestError) -> Reply:
    return Reply(problem.status, msgspec.json.encode(problem.outcome()), dict(problem.headers))
