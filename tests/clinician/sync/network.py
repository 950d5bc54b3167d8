"""A bad network in process: what can become of one exchange, and what can become of the whole way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import httpx
import orjson

from tests.clinician.sync.world import outside

Answer = Callable[[], httpx.Response]
FHIR: Final = {"content-type": "application/fhir+json"}
FAULTS: Final = (
    "no connection",
    "lost request",
    "lost answer",
    "half answer",
    "html 502",
    "503",
    "429",
    "401",
    "500 before",
    "reset",
    "twice",
    "late",
    "kill before",
    "kill after",
)
"""reset: cut off while the answer came. twice: the request arrives twice. late: given up here, it arrives after
the next one. 401: the token has run out."""
CUTS: Final = ("", "in", "out", "both")
"""in: no request arrives. out: no answer arrives. both: no connection at all."""
POISONS: Final = ("500", "422", "503", "garbled", "html 413", "hangs")
"""What the record, or a proxy before it, makes of one act again and again while it takes all others."""
_OUTCOME: Final = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}'


class Killed(BaseException):
    """The program ended in the middle of an exchange."""


class BadNetwork:
    """Does the next faults to the next exchanges, one each; a cut and a poison stay until they are taken away."""

    def __init__(self, tally: Counter[str] | None = None) -> None:
        self.waiting: list[str] = []
        self.hidden: set[str] = set()
        self.cut = ""
        self.poisons: dict[str, str] = {}
        self.tally: Counter[str] = Counter() if tally is None else tally
        self._under_way: list[Answer] = []

    @property
    def is_clean(self) -> bool:
        """Whether the next exchange goes through as it should."""
        return not (self.waiting or self.cut or self._under_way)

    def heal(self) -> None:
        """Everything goes through; what was under way arrives first."""
        self.waiting.clear()
        self.hidden.clear()
        self.poisons.clear()
        self.cut = ""
        self._arrive()

    def __call__(self, request: httpx.Request, go_on: Answer) -> httpx.Response:
        if self.cut:
            return self._cut_off(go_on)
        poisoned = self._poisoned(request)
        if poisoned is not None:
            return poisoned
        fault = self.waiting.pop(0) if self.waiting else ""
        if fault:
            self.tally[fault] += 1
        instead = self._before(fault, go_on)
        if instead is not None:
            return instead
        under_way, self._under_way = self._under_way, []
        answer = go_on()
        if fault == "twice":
            answer.read()
            answer = go_on()
        for arrives in under_way:
            arrives().read()
        return answer if not fault and not self.hidden else self._after(fault, answer)

    def _before(self, fault: str, go_on: Answer) -> httpx.Response | None:
        match fault:
            case "no connection":
                raise httpx.ConnectError("no")
            case "lost request":
                raise httpx.ReadTimeout("lost")
            case "late":
                self._under_way.append(go_on)
                raise httpx.ReadTimeout("late")
            case "kill before":
                raise Killed
            case "html 502":
                return outside(502, b"<html>", **{"content-type": "text/html"})
            case "503" | "429":
                return outside(int(fault), b"{}", **FHIR, **{"retry-after": "1"})
            case "401":
                return outside(401, _OUTCOME, **FHIR)
            case "500 before":
                return outside(500, b'{"resourceType":"OperationOutcome"}', **FHIR)
        return None

    def _after(self, fault: str, answer: httpx.Response) -> httpx.Response:
        body = answer.read()
        if fault == "lost answer":
            raise httpx.ReadTimeout("lost")
        if fault == "reset":
            raise httpx.ReadError("reset")
        if fault == "kill after":
            raise Killed
        if fault == "half answer":
            return outside(answer.status_code, body[: len(body) // 2], **FHIR)
        return outside(answer.status_code, _without(body, self.hidden), **_headers(answer))

    def _cut_off(self, go_on: Answer) -> httpx.Response:
        self.tally[f"cut {self.cut}"] += 1
        if self.cut == "both":
            raise httpx.ConnectError("cut off")
        if self.cut == "out":
            go_on().read()
        raise httpx.ReadTimeout("cut off")

    def _poisoned(self, request: httpx.Request) -> httpx.Response | None:
        kind = next((kind for token, kind in self.poisons.items() if token.encode() in request.content), "")
        if not kind or b'"transaction"' not in request.content:
            return None
        self.tally[f"poison {kind}"] += 1
        if kind == "hangs":
            raise httpx.ReadTimeout("this act only")
        if kind == "garbled":
            return outside(200, b'{"resourceType":"Bundle","ty', **FHIR)
        if kind == "html 413":
            return outside(413, b"<html>", **{"content-type": "text/html"})
        return outside(int(kind), _OUTCOME, **FHIR)

    def _arrive(self) -> None:
        for arrives in self._under_way:
            arrives().read()
        self._under_way.clear()


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {key: value for key, value in answer.headers.items() if key != "content-length"}


def _without(body: bytes, hidden: set[str]) -> bytes:
    """The page as a record gives it whose commit is not visible yet: the newest version is not there."""
    if not any(id_.encode() in body for id_ in hidden) or b'"searchset"' not in body:
        return body
    bundle = orjson.loads(body)
    pages = [bundle, *(entry.get("resource", {}) for entry in bundle.get("entry", []))]
    for page in pages:
        if page.get("type") == "searchset":
            page["entry"] = [e for e in page.get("entry", []) if e["resource"]["id"] not in hidden]
    return orjson.dumps(bundle)
