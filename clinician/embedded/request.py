"""The request as the record reads it, and the reply it sends."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Request as WerkzeugRequest

from clinician.embedded.outcome import RequestError, bad

MAX_BODY: Final = 32 * 1024 * 1024
MAX_PAIRS: Final = 1000
JSON_TYPES: Final = frozenset(
    {"application/fhir+json", "application/json", "application/json+fhir", "text/json"}
)
FORM_TYPE: Final = "application/x-www-form-urlencoded"
FHIR_JSON: Final = "application/fhir+json; charset=utf-8"
_BASE: Final = re.compile(r"https?://[A-Za-z0-9.\-_:\[\]%]+(?:/[A-Za-z0-9.\-_~/%]*)?")
_ACCEPTED: Final = ("json", "*/*", "application/*", "html")
_GZIP_FROM: Final = 1400


class Request:
    """A WSGI request. Nothing of it is kept or logged beyond its shape."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._inner = WerkzeugRequest({**environ, "PATH_INFO": _as_wsgi(environ.get("PATH_INFO", ""))})
        self.method = self._inner.method
        self.path = self._inner.path.strip("/")
        self.segments = [part for part in self.path.split("/") if part]

    def header(self, name: str) -> str:
        """A header field, '' when absent."""
        return self._inner.headers.get(name, "")

    @cached_property
    def base(self) -> str:
        """The record's own address without a closing slash, as the sender called it."""
        base = self._inner.root_url.rstrip("/")
        if not _BASE.fullmatch(base):
            raise bad("the Host header cannot be read")
        return base

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Parameters of the query string."""
        return read_pairs(self._inner.query_string.decode("ascii", "replace"))

    @cached_property
    def prefer(self) -> dict[str, str]:
        """Prefer as a mapping: {'return': 'minimal', 'handling': 'strict'}."""
        parts = re.split(r"[;,]", self.header("Prefer"))
        halves = [part.partition("=") for part in parts]
        return {name.strip().lower(): value.strip().strip('"') for name, _, value in halves if name.strip()}

    @property
    def is_strict(self) -> bool:
        """Whether unknown parameters must be refused."""
        return self.prefer.get("handling") == "strict"

    @property
    def mimetype(self) -> str:
        """The content type without its parameters, in small letters; '' when absent."""
        return self._inner.mimetype

    @property
    def content_length(self) -> int | None:
        """As the sender says."""
        return self._inner.content_length

    @property
    def body_stream(self) -> IO[bytes]:
        """The body, to be read once and in pieces."""
        return self._inner.stream

    @property
    def wants_json(self) -> bool:
        """Whether FHIR JSON is asked for by name; without a wish a Binary comes as it is."""
        return "json" in dict(self.pairs).get("_format", "") or "json" in self.header("Accept")

    def check_accept(self) -> None:
        """406 when the asker takes no JSON."""
        wanted = dict(self.pairs).get("_format", "")
        if wanted and "json" not in wanted:
            raise RequestError(406, "not-supported", "this record answers JSON only")
        accepted = parse_accept_header(self.header("Accept"))
        if accepted and not any(mark in kind for kind, quality in accepted for mark in _ACCEPTED if quality):
            raise RequestError(406, "not-supported", "this record answers JSON only")

    def form(self) -> list[tuple[str, str]]:
        """Parameters of a form body (POST _search), after those of the URL."""
        kind = self._inner.mimetype
        if kind and kind != FORM_TYPE:
            raise RequestError(415, "not-supported", f"_search takes {FORM_TYPE}")
        return self.pairs + read_pairs(self._read().decode("utf-8", "replace"))

    def json_body(self) -> bytes:
        """The body, unpacked, when it claims to be JSON. 413 when too large, 415 for anything else."""
        kind = self._inner.mimetype
        if kind and kind not in JSON_TYPES:
            raise RequestError(415, "not-supported", "the body must be application/fhir+json")
        return self._read()

    def _read(self) -> bytes:
        encoding = self.header("Content-Encoding").strip().lower()
        if encoding not in ("", "identity", "gzip"):
            problem = RequestError(415, "not-supported", "a body comes plain or as gzip")
            problem.headers = {"Accept-Encoding": "gzip"}
            raise problem
        if (self._inner.content_length or 0) > MAX_BODY:
            raise _too_long()
        body = self._inner.stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise _too_long()
        return _unpacked(body) if encoding == "gzip" else body


def _unpacked(packed: bytes) -> bytes:
    """What one gzip member holds. 413 when it swells beyond a body's bound, 400 when it is damaged."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, MAX_BODY + 1)
    except zlib.error:
        raise bad("the body is no readable gzip") from None
    if len(body) > MAX_BODY:
        raise _too_long()
    if not unpacker.eof or unpacker.unused_data:
        raise bad("the gzip of the body ends too early or goes on after its end")
    return body


def _too_long() -> RequestError:
    return RequestError(413, "too-long", f"a body takes at most {MAX_BODY} bytes, packed and unpacked")


def _as_wsgi(path: str) -> str:
    """A path as WSGI wants it: bytes shown as latin-1. Some in-process callers hand over plain text."""
    if path.isascii():
        return path
    try:
        path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return path.encode("utf-8", "replace").decode("latin-1")
    return path


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Parameters in their order. 400 when there are absurdly many."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PAIRS)
    except ValueError:
        raise bad("too many parameters", "too-costly") from None


@dataclass(slots=True)
class Reply:
    """What goes back: status, headers, body."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterable[bytes] | None = None
    """Instead of `body`, piece by piece"""
    packable: bool = True

    def packed(self, accept_encoding: str) -> bytes:
        """The body to send, compressed where that pays; sets the headers that say so."""
        if not self.packable or len(self.body) < _GZIP_FROM or "gzip" not in accept_encoding:
            return self.body
        self.headers["Content-Encoding"] = "gzip"
        return gzip.compress(self.body, compresslevel=1, mtime=0)
