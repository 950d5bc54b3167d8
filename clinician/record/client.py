"""The HTTP client of the central FHIR R4 record.

It makes one try per call and says exactly what came of it; when to try again is for `sync` to decide.
Identifiers of people travel in bodies (POST _search, batch), never in a URL.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpcore
import httpx
import orjson
import truststore

from clinician.errors import Environment, Offline, RecordTrouble, Refused
from clinician.record.answer import Answer, answer_from, broken_answer
from clinician.record.bodies import LARGEST, read_bounded
from clinician.texts import lazy

L = lazy("record")
_log = logging.getLogger(__name__)

FHIR_JSON: Final = "application/fhir+json"
HEADERS: Final[Mapping[str, str]] = {
    "Accept": FHIR_JSON,
    "Accept-Encoding": "gzip",
    "Cache-Control": "no-cache",
    "User-Agent": "clinician",
}
_UNPACKED: Final[Mapping[str, str]] = {"Accept-Encoding": "identity"}
"""Over a transport in this very process packing only costs time."""
STRICT: Final[Mapping[str, str]] = {"Prefer": "handling=strict"}
_PACKED_FROM: Final = 1024
"""Bytes of a request below which packing is not worth its time."""
_IN_PROCESS: Final = "http://record.local"
_OPAQUE: Final = frozenset({"_getpages", "_getpagesoffset", "_page", "ct", "cursor", "page", "pageId"})


class NotSent(Offline):
    """No connection was made: the record cannot have seen the request."""


class AnswerLost(Offline):
    """The request may have arrived; no whole answer came back."""


class Busy(RecordTrouble):
    """The record asks for a pause; retry_after in seconds where it said how long."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(
            L("The central record is busy. Your work is kept on this PC and is sent by itself."),
            detail=str(answer.status),
        )
        self.retry_after = answer.retry_after


class TooLarge(RecordTrouble):
    """The record, or a proxy before it, takes no request of this size (413): in parts it may."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. whole bounds one exchange, so that a dripping answer cannot hold the line."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 10.0
    whole: float = 120.0

    def for_httpx(self, read: float | None = None) -> httpx.Timeout:
        return httpx.Timeout(connect=self.connect, read=read or self.read, write=self.write, pool=self.pool)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One request of a batch: 'Task?patient=…' or 'Task/id'; headers as ifNoneMatch and the like."""

    method: str
    url: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def as_entry(self) -> dict[str, Any]:
        return {"request": {"method": self.method, "url": self.url, **self.extra}}


def _verify(base_url: str) -> ssl.SSLContext | bool:
    """The trust store of the PC: hospital and municipal networks have certificates of their own."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url.startswith("https:") else True


class RecordClient:
    """One record. Thread-safe for requests; give each long-lived thread its own client.

    base_url: the FHIR base without a trailing slash. transport: an httpx transport, swapped in tests.
    headers: added to every request (authorization).
    """

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST,
    ) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self.base_url = base_url.rstrip("/")
        self._timeouts = timeout or Timeouts()
        self._largest = largest
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=30.0)
        self._http = httpx.Client(
            transport=transport,
            verify=_verify(base_url) if transport is None else True,
            limits=limits,
            timeout=self._timeouts.for_httpx(),
            headers={**HEADERS, **({} if transport is None else _UNPACKED), **(headers or {})},
            follow_redirects=False,
            http2=False,
        )
        self.packs = False
        """Whether the record was found to take gzip in a request (server profile)."""
        self.is_remote = transport is None
        self._streams: list[httpcore.NetworkStream] = []
        self.requests = 0
        self.bytes_in = 0
        self.bytes_out = 0

    def __enter__(self) -> RecordClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def authorization(self) -> Mapping[str, str]:
        """What lets this workstation in, for a websocket of the same record."""
        held = self._http.headers.get("authorization")
        return {"Authorization": held} if held else {}

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def hang_up(self) -> None:
        """Cut what is being waited for in another thread; that thread meets AnswerLost."""
        for stream in self._streams:
            held = stream.get_extra_info("socket")
            if held is not None:
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)

    def _note_stream(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._streams = [*self._streams[-31:], info["return_value"]]

    def stream(
        self, method: str, path: str, *, content: Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> contextlib.AbstractContextManager[httpx.Response]:
        """An exchange whose bodies go by in pieces, for `transfer`. Raises what httpx raises."""
        self.requests += 1
        extensions = {"trace": self._note_stream} if self.is_remote else {}
        url = f"{self.base_url}/{path}"
        return self._http.stream(method, url, content=content, headers=headers, extensions=extensions)

    # one exchange ---------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float | None = None,
    ) -> Answer:
        """One exchange with `path` below the base. Any status is an answer.

        Raises NotSent, AnswerLost or RecordTrouble (a body over the limit, a damaged body).
        """
        url = f"{self.base_url}/{path}" if path and path[0] != "?" else f"{self.base_url}{path}"
        number = str(uuid.uuid4())
        sent = {"X-Request-Id": number, **(headers or {})}
        started = time.monotonic()
        self.requests += 1
        self.bytes_out += len(content or b"")
        try:
            answer = self._exchange(method, url, content, sent, read_timeout)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as fault:
            raise NotSent(_offline(), detail=f"{type(fault).__name__} {number}") from fault
        except (httpx.TransportError, httpx.StreamError) as fault:
            raise AnswerLost(_offline(), detail=f"{type(fault).__name__} {number}") from fault
        took = time.monotonic() - started
        _log.debug("%s %s %d %.0f ms %s", method, _kind(path), answer.status, took * 1e3, number)
        return answer

    def _exchange(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], read: float | None
    ) -> Answer:
        timeout = self._timeouts.for_httpx(read)
        deadline = time.monotonic() + self._timeouts.whole + (read or 0.0)
        extensions = {"trace": self._note_stream} if self.is_remote else {}
        with self._http.stream(
            method, url, content=content, headers=headers, timeout=timeout, extensions=extensions
        ) as response:
            self._refuse_large(response.headers.get("content-length"))
            encoding = response.headers.get("content-encoding", "")
            raw = self._timed(response.iter_raw(), deadline)
            body = read_bounded(raw, encoding, self._largest)
            return answer_from(response.status_code, response.headers, body)

    def _timed(self, chunks: Iterable[bytes], deadline: float) -> Iterable[bytes]:
        for chunk in chunks:
            if time.monotonic() > deadline:
                raise AnswerLost(_offline(), detail="the answer took too long")
            self.bytes_in += len(chunk)
            yield chunk

    def _refuse_large(self, length: str | None) -> None:
        if length and length.isdigit() and int(length) > self._largest:
            raise broken_answer(f"the answer says it holds {length} bytes")

    # reading --------------------------------------------------------------------------------

    def capability(self) -> dict[str, Any]:
        """GET /metadata, parsed."""
        return expect(self.request("GET", "metadata")).raw()

    def read(self, ref: str, *, if_none_match: str | None = None) -> Answer:
        """GET 'Type/id': 200, 304, 404, 410 or any other status, for the caller to judge."""
        extra = {"If-None-Match": f'W/"{if_none_match}"'} if if_none_match else None
        return self.request("GET", ref, headers=extra)

    def search(self, type_: str, query: str) -> Answer:
        """POST {type}/_search with `query` as the form body. Raises for anything but 200."""
        headers = {**STRICT, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self.request("POST", f"{type_}/_search", content=query.encode(), headers=headers)
        return expect(answer)

    def follow(self, next_url: str, *, within: str) -> Answer:
        """The page a next link names, always at this record: only path and query of the link are used.

        A link that repeats the search goes as POST _search, so that no identifier lands in a URL; an
        opaque link goes as it is. within: the type searched, for links to the base itself.
        """
        base = urlsplit(self.base_url).path
        link = urlsplit(urljoin(self.base_url + "/", next_url))
        if not link.path.startswith(base):
            raise broken_answer("a next link leads outside the record")
        path = link.path[len(base) :].strip("/")
        names = {name for name, _ in parse_qsl(link.query, keep_blank_values=True)}
        if names & _OPAQUE or path.removesuffix("/_search") != within:
            return expect(self.request("GET", f"{path}?{link.query}" if link.query else path, headers=STRICT))
        return self.search(within, link.query)

    def batch(self, entries: Iterable[BatchEntry]) -> Answer:
        """POST a batch Bundle; each entry has an outcome of its own. Raises for anything but 200."""
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry.as_entry() for entry in entries]}
        return self.post_batch(orjson.dumps(bundle))

    def post_batch(self, bundle: bytes) -> Answer:
        """POST a batch Bundle as these bytes, packed where the record takes that. Raises unless 200."""
        if self.packs and len(bundle) > _PACKED_FROM:
            answer = self._post_bundle(gzip.compress(bundle, 6), {"Content-Encoding": "gzip"})
            if answer.status != 415:
                return expect(answer)
            self.packs = False  # a proxy before the record may refuse what the record was found to take
        return expect(self._post_bundle(bundle, {}))

    def wait_for_change(self, path: str, seconds: float) -> Answer:
        """Hold a GET open until something changed or `seconds` passed (long-poll hint)."""
        return self.request("GET", path, read_timeout=seconds + 10.0)

    # writing --------------------------------------------------------------------------------

    def transaction(self, bundle: bytes) -> Answer:
        """POST a transaction Bundle as these exact bytes; any status is an answer."""
        return self._post_bundle(bundle, {"Prefer": "return=representation"})

    def put(
        self, ref: str, body: bytes, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Answer:
        """PUT 'Type/id'. if_match: a version id. if_none_match: '*' for a resource that must be new."""
        headers = {"Content-Type": FHIR_JSON}
        if if_match is not None:
            headers["If-Match"] = f'W/"{if_match}"'
        if if_none_match is not None:
            headers["If-None-Match"] = if_none_match
        return self.request("PUT", ref, content=body, headers=headers)

    def delete(self, ref: str) -> Answer:
        """DELETE 'Type/id'. Used by the probe for its scratch only."""
        return self.request("DELETE", ref)

    def _post_bundle(self, bundle: bytes, headers: Mapping[str, str]) -> Answer:
        return self.request("POST", "", content=bundle, headers={"Content-Type": FHIR_JSON, **headers})


def form(parameters: Iterable[tuple[str, str]]) -> str:
    """Search parameters as a form body; colons, commas and slashes stay readable."""
    return urlencode(list(parameters), safe=":,/|")


def expect(answer: Answer) -> Answer:
    """The answer when it is a success; otherwise the error that fits."""
    if answer.is_ok:
        if answer.body and not answer.is_json:
            raise broken_answer(f"{answer.status}: not FHIR JSON")
        return answer
    raise error_for(answer)


def error_for(answer: Answer) -> Environment | Refused:
    """The error a refusing answer stands for."""
    if answer.status in (401, 403):
        return Refused(
            L(
                "The central record does not give this workstation access. Everything you did is kept. "
                "Sign in again or ask your superuser."
            ),
            detail=str(answer.status),
        )
    if answer.status in (429, 503):
        return Busy(answer)
    if answer.status in (502, 504):
        return AnswerLost(_offline(), detail=str(answer.status))
    if answer.status == 413:
        return TooLarge(L("The central record does not take so much at once."), detail="413")
    if answer.status in (404, 410) and answer.is_json:
        return RecordTrouble(
            L("The central record does not have what was asked for."), detail=str(answer.status)
        )
    return broken_answer(f"{answer.status}{'' if answer.is_json else ', not FHIR JSON'}")


def in_process(
    app: Callable[..., Any], *, base_url: str = _IN_PROCESS, headers: Mapping[str, str] | None = None
) -> RecordClient:
    """A client of a WSGI record in this very process: no port, no service, no compression."""
    transport = httpx.WSGITransport(app=app)
    return RecordClient(base_url, transport=transport, headers=headers)


def _offline() -> Any:
    return L(
        "The central record does not answer. You can go on working: everything is kept on this PC and is "
        "sent when the record answers again."
    )


def _kind(path: str) -> str:
    """The part of a path that names no one: the type and the operation."""
    first, _, rest = path.partition("?")[0].partition("/")
    return f"{first}/{rest}" if rest.startswith(("_", "$")) else first
