"""Our rule, and four that look right and lose updates; each naive one rewrites what our engine asks.

The wire sees when a pass was completed: then the lower bound our engine asks with has moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from clinician.clock import Clock
from clinician.fhir.times import parse_instant, to_instant

_BOUND = re.compile(rb"([A-Z][A-Za-z]+)\?([^\"]*?)_lastUpdated=ge([^&\"]+)")
_NEXT = re.compile(rb'"relation":"next","url":"([^"]+)"')
EARLIEST = "1970-01-01T00:00:00.000Z"


@dataclass(slots=True)
class Seen:
    """What a naive client remembers of one type."""

    asked: str = ""
    candidate: datetime | None = None
    mark: datetime | None = None
    newest: datetime | None = None


Bound = Callable[[Seen], str | None]


def newest_seen(seen: Seen) -> str | None:
    """android-fhir: greater than the newest stamp ever received."""
    return None if seen.newest is None else f"gt{to_instant(seen.newest)}"


def since_mark(seen: Seen) -> str | None:
    return None if seen.mark is None else f"ge{to_instant(seen.mark)}"


def since_mark_less_5(seen: Seen) -> str | None:
    return None if seen.mark is None else f"ge{to_instant(seen.mark - timedelta(seconds=5))}"


@dataclass(frozen=True, slots=True)
class Naive:
    """A rule. own_clock: seconds this PC's clock is ahead, where that clock makes the mark."""

    name: str
    bound: Bound
    own_clock: float | None = None
    asks_anew: bool = True
    """Sends Cache-Control: no-cache."""
    by_links: bool = False
    """Goes on by next links only, where our engine asks anew from the last stamp."""


NEWEST = Naive("gt newest", newest_seen, asks_anew=False, by_links=True)
OWN_CLOCK = Naive("own clock", since_mark, own_clock=3.0)
NO_OVERLAP = Naive("no overlap", since_mark)
SHORT = Naive("W = 5 s", since_mark_less_5)
NAIVE = (NEWEST, OWN_CLOCK, NO_OVERLAP, SHORT)


@dataclass
class NaiveWire(httpx.BaseTransport):
    """Between our engine and a record: the lower bound of each delta becomes the one of `rule`."""

    inner: httpx.BaseTransport
    rule: Naive
    clock: Clock
    seen: dict[bytes, Seen] = field(default_factory=dict)
    link: str = ""
    """Where the last answer said it goes on."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        is_delta = request.method == "POST" and request.url.path == "/" and b"_lastUpdated=ge" in body
        if is_delta:
            body = _BOUND.sub(self._rewritten, body)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        if not self.rule.asks_anew:
            headers.pop("cache-control", None)
        begun = self.clock.now()
        asked = httpx.Request(request.method, request.url, headers=headers, content=body)
        is_walk = request.url.path.endswith("/_search") and b"_lastUpdated=ge" in body
        if self.rule.by_links and self.link and is_walk:
            asked = httpx.Request("GET", self.link, headers=headers)
        answer = self.inner.handle_request(asked)
        held = answer.read()
        found = _NEXT.search(held)
        self.link = found[1].decode() if found else ""
        self._note(request, held, is_delta=is_delta, begun=begun)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(held))

    def _rewritten(self, found: re.Match[bytes]) -> bytes:
        type_, query, asked = found[1], found[2], found[3].decode()
        seen = self.seen.setdefault(type_, Seen())
        if asked != seen.asked and seen.candidate is not None:
            seen.mark = seen.candidate
        seen.asked = asked
        wanted = self.rule.bound(seen) or f"ge{EARLIEST}"
        return type_ + b"?" + query + b"_lastUpdated=" + wanted.encode()

    def _note(self, request: httpx.Request, held: bytes, *, is_delta: bool, begun: datetime) -> None:
        if self.rule.bound is newest_seen:
            for type_, stamp in _stamps(held):
                seen = self.seen.setdefault(type_, Seen())
                seen.newest = max(seen.newest or stamp, stamp)
        elif is_delta or (b"_lastUpdated=le" in request.content or b"_lastUpdated" not in request.content):
            self._note_pass(request, held, is_delta=is_delta, begun=begun)

    def _note_pass(self, request: httpx.Request, held: bytes, *, is_delta: bool, begun: datetime) -> None:
        """The time a pass began at: by this PC's clock or by the record's."""
        if self.rule.own_clock is not None:
            at = begun + timedelta(seconds=self.rule.own_clock)
        else:
            at = _said(held).replace(microsecond=0)
        if is_delta:
            for seen in self.seen.values():
                seen.candidate = at
        elif request.url.path.endswith("/_search"):
            type_ = request.url.path.split("/")[1].encode()
            first = self.seen.setdefault(type_, Seen())
            first.mark = first.candidate = first.mark or at


def _said(body: bytes) -> datetime:
    """Bundle.meta.lastUpdated: the first stamp of an answer made by this record."""
    found = re.search(rb'"meta":\{"lastUpdated":"([^"]+)"\}', body)
    assert found is not None
    return parse_instant(found[1].decode())


_RESOURCE = re.compile(
    rb'"resource":\{"resourceType":"([A-Za-z]+)","id":"[^"]+","meta":\{[^}]*"lastUpdated":"([^"]+)"'
)


def _stamps(body: bytes) -> list[tuple[bytes, datetime]]:
    newest: dict[bytes, bytes] = {}
    for type_, stamp in _RESOURCE.findall(body):
        if stamp > newest.get(type_, b""):
            newest[type_] = stamp
    return [(type_, datetime.fromisoformat(stamp.decode())) for type_, stamp in newest.items()]
