"""A FHIR R4 record that does to its clients what real ones do. In process, or on a port with `serve`."""

from __future__ import annotations

import gzip
import random
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson

from clinician.clock import Clock, SystemClock
from clinician.fhir.bundles import version_of_etag
from tests.hazards.hazards import Hazards
from tests.hazards.searching import Refusal, Searches, read_pairs
from tests.hazards.shelf import Raw, Shelf, Version, instant

BASE = "http://record.local"
_REASON = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found", 409: "Conflict", 410: "Gone"}


@dataclass(slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HazardRecord:
    """clock: the true time; nodes differ from it by `hazards.node_skew`. wait: how a late commit passes for
    whoever wrote it; None commits at once what comes by HTTP."""

    def __init__(
        self,
        hazards: Hazards | None = None,
        *,
        clock: Clock | None = None,
        seed: int = 0,
        base: str = BASE,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self.hazards = hazards or Hazards()
        self.clock: Clock = clock or SystemClock()
        self.rng = random.Random(seed)
        self.shelf = Shelf()
        self.searches = Searches(self.shelf, lambda: self.hazards, self.rng, base)
        self.version = "1.0"
        self.jump = 0.0
        """Seconds by which every node's clock has jumped."""
        self._wait = wait
        self._lock = threading.RLock()
        self._histories: dict[tuple[str, str], tuple[int, list[Version]]] = {}
        self._backup: Any = None

    def switch(self, **changes: Any) -> None:
        """Turn hazards on or off while the record runs."""
        self.hazards = replace(self.hazards, **changes)

    # time -----------------------------------------------------------------------------------

    def now(self) -> int:
        """True time in ms."""
        return round(self.clock.now().timestamp() * 1000)

    def node(self) -> int:
        """The time by the clock of whichever node answers."""
        at = self.now() + round((self.rng.choice(self.hazards.node_skew) + self.jump) * 1000)
        return at - at % 1000 if self.hazards.whole_seconds else at

    def late(self) -> float:
        """Seconds a write takes from its stamp to its commit: mostly none, else heavy-tailed."""
        hazards = self.hazards
        if not hazards.late_commits or self.rng.random() > hazards.late_share:
            return 0.0
        return min(hazards.late_commits, self.rng.paretovariate(0.6))

    # what others write ----------------------------------------------------------------------

    def write(
        self, raws: Iterable[Raw], *, gone: Iterable[tuple[str, str]] = (), late: float | None = None
    ) -> int:
        """Somebody else's transaction; returns ms of its commit. late: seconds, by default by the hazard."""
        with self._lock:
            begun = self.node()
            takes = self.late() if late is None else late
            versions = [self._version(raw, begun + self._apart(at)) for at, raw in enumerate(raws)]
            versions += [
                self.shelf.version(*place, None, begun, opaque=self.hazards.opaque_versions) for place in gone
            ]
            at = self.now() + round(takes * 1000)
            if takes:
                self.shelf.begin(versions, at)
            else:
                for version in versions:
                    self.shelf.commit(version, at)
            return at

    def _apart(self, at: int) -> int:
        return 0 if self.hazards.shared_stamps else at

    def _version(self, raw: Raw, stamp: int, method: str = "PUT") -> Version:
        if self.hazards.absolute_references:
            raw = _absolute(raw, self.searches.base)
        return self.shelf.version(
            raw["resourceType"], raw["id"], raw, stamp, opaque=self.hazards.opaque_versions, method=method
        )

    def load(self, raws: Iterable[Raw]) -> None:
        """Straight into the record, each in a write of its own."""
        for raw in raws:
            self.write([raw], late=0.0)

    def there(self, ref: str) -> Raw | None:
        """What the record holds now, without meta."""
        found = self.shelf.living(*ref.split("/"))
        return None if found is None else found.raw

    # back in time ---------------------------------------------------------------------------

    def back_up(self) -> None:
        self._backup = self.shelf.copy()

    def restore(self) -> None:
        """The whole record as it was at `back_up`; version numbers are given anew."""
        self.shelf.put_back(self._backup)
        self.searches.forget()
        self._histories.clear()

    # one request ----------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """One exchange. headers: names in lower case."""
        with self._lock:
            self.shelf.land(self.now())
            node = self.node()
            try:
                reply = self._route(method, [p for p in path.split("/") if p], query, headers, body, node)
            except Refusal as refusal:
                reply = Reply(refusal.status, _outcome(refusal.why))
            except (orjson.JSONDecodeError, KeyError, ValueError) as fault:
                reply = Reply(400, _outcome(f"{type(fault).__name__}"))
        reply.headers |= {"content-type": "application/fhir+json", "date": _http_date(node)}
        return reply

    def _route(
        self, method: str, path: list[str], query: str, headers: dict[str, str], body: bytes, node: int
    ) -> Reply:
        if headers.get("content-encoding") == "gzip":
            if not self.hazards.takes_gzip:
                raise Refusal(415, "a body comes plain")
            body = gzip.decompress(body)
        fresh = "no-cache" in headers.get("cache-control", "")
        match method, path:
            case "GET", _:
                return self._get(path, query, headers, node, fresh=fresh)
            case "POST", []:
                return self._bundle(orjson.loads(body), node, fresh=fresh)
            case "POST", [type_, "_search"]:
                pairs = read_pairs(query) + read_pairs(body.decode())
                return Reply(200, self.searches.search(type_, pairs, node, self.now(), fresh=fresh))
            case "POST", [type_]:
                return self._alone(
                    lambda: self._create(type_, orjson.loads(body), headers.get("if-none-exist", ""), node)
                )
            case "PUT", [type_, id_]:
                match_, none = headers.get("if-match", ""), headers.get("if-none-match", "")
                if self.hazards.ignores_if_match:
                    match_ = ""
                return self._alone(lambda: self._update(type_, id_, orjson.loads(body), match_, none, node))
            case "DELETE", [type_, id_]:
                return self._alone(lambda: self._delete(type_, id_, node))
        raise Refusal(405, "not supported")

    def _alone(self, write: Callable[[], Reply]) -> Reply:
        """A write by HTTP: whoever waits for it waits for its commit."""
        late = self.late() if self._wait is not None else 0.0
        if late:
            assert self._wait is not None
            self._wait(late)
        return write()

    def _get(self, path: list[str], query: str, headers: dict[str, str], node: int, *, fresh: bool) -> Reply:
        match path:
            case ["metadata"]:
                return Reply(200, orjson.dumps(self._capability()))
            case []:
                return Reply(200, self.searches.follow(read_pairs(query), node))
            case [type_]:
                pairs = read_pairs(query)
                return Reply(200, self.searches.search(type_, pairs, node, self.now(), fresh=fresh))
            case [type_, id_]:
                return self._read(type_, id_, headers.get("if-none-match", ""))
            case [type_, id_, "_history"]:
                return self._history(type_, id_)
        raise Refusal(404, "nothing there")

    def _read(self, type_: str, id_: str, known: str) -> Reply:
        found = self.shelf.current.get((type_, id_))
        if found is None:
            raise Refusal(404, "never was")
        if found.is_deleted:
            raise Refusal(404 if self.hazards.no_tombstones else 410, "deleted")
        if known and version_of_etag(known) == found.vid:
            return Reply(304, b"", {"etag": f'W/"{found.vid}"'})
        return _shown(found, 200)

    def _history(self, type_: str, id_: str) -> Reply:
        if self.hazards.no_history:
            raise Refusal(404, "no history is kept")
        versions = list(self.shelf.history.get((type_, id_), []))
        held = self._histories.get((type_, id_))
        if held is not None and self.now() - held[0] <= self.hazards.history_cache * 1000:
            versions = held[1]
        elif self.hazards.history_cache:
            self._histories[type_, id_] = (self.now(), versions)
        entries = [_past(version) for version in reversed(versions)]
        return Reply(200, orjson.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}))

    def _capability(self) -> Raw:
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": instant(self.now()),
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "software": {"name": "Hazard record", "version": self.version},
        }

    # writing --------------------------------------------------------------------------------

    def _update(self, type_: str, id_: str, raw: Raw, if_match: str, if_none_match: str, node: int) -> Reply:
        if raw.get("id") != id_ or raw.get("resourceType") != type_:
            raise Refusal(400, "another resource than the address")
        old = self.shelf.living(type_, id_)
        self._check(old, if_match, if_none_match)
        if (type_, id_) in self.shelf.locked:
            raise Refusal(409, "somebody else is writing this")
        if old is not None and not self.hazards.unchanged_put_bumps and _same(old, raw):
            return _shown(old, 200)
        version = self._version({key: value for key, value in raw.items() if key != "meta"}, node)
        self.shelf.commit(version, self.now())
        return _shown(version, 200 if old is not None else 201)

    def _check(self, old: Version | None, if_match: str, if_none_match: str) -> None:
        hazards = self.hazards
        refusal = Refusal(hazards.conflict_status, "another version is in force")
        if if_none_match == "*" and old is not None and not hazards.ignores_if_none_match:
            raise refusal
        if not if_match:
            return
        wanted = version_of_etag(if_match)
        if old is None:
            is_new = wanted == "0" and hazards.takes_version_zero
            if not (is_new or hazards.creates_on_if_match):
                raise refusal
        elif wanted != old.vid:
            raise refusal

    def _create(self, type_: str, raw: Raw, criteria: str, node: int) -> Reply:
        if criteria:
            found = self.searches.matches(type_, read_pairs(criteria), self.now())
            if self.hazards.conditional_create_race:
                found = [version for version in found if version.seen_from < self.now() - 1000]
            if found:
                return _shown(found[0], 200)
        version = self._version(
            {**raw, "id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4))}, node, "POST"
        )
        self.shelf.commit(version, self.now())
        return _shown(version, 201)

    def _delete(self, type_: str, id_: str, node: int) -> Reply:
        if self.shelf.living(type_, id_) is not None:
            gone = self.shelf.version(type_, id_, None, node, opaque=self.hazards.opaque_versions)
            self.shelf.commit(gone, self.now())
        return Reply(204)

    # bundles --------------------------------------------------------------------------------

    def _bundle(self, bundle: Raw, node: int, *, fresh: bool) -> Reply:
        entries = bundle.get("entry", [])
        if bundle["type"] == "batch":
            kept = fresh and not self.hazards.batch_ignores_no_cache
            answers = [self._inner(entry, node, fresh=kept) for entry in entries]
            return Reply(200, _responses("batch-response", answers, node))
        self.shelf.journal = []
        try:
            if self._wait is not None and (late := self.late()):
                self._wait(late)
            answers = [
                self._one(entry, node + self._apart(at), fresh=fresh) for at, entry in enumerate(entries)
            ]
        except Refusal:
            if not self.hazards.breaks_transactions:
                self.shelf.roll_back()
            raise
        finally:
            self.shelf.journal = None
        return Reply(200, _responses("transaction-response", answers, node))

    def _inner(self, entry: Raw, node: int, *, fresh: bool) -> Reply:
        try:
            return self._one(entry, node, fresh=fresh)
        except Refusal as refusal:
            return Reply(refusal.status, _outcome(refusal.why))

    def _one(self, entry: Raw, node: int, *, fresh: bool) -> Reply:
        asked = entry["request"]
        path, _, query = asked["url"].partition("?")
        parts = [part for part in path.split("/") if part]
        match asked["method"], parts:
            case "GET", _:
                return self._get(
                    parts, query, {"if-none-match": asked.get("ifNoneMatch", "")}, node, fresh=fresh
                )
            case "PUT", [type_, id_]:
                match_ = "" if self.hazards.ignores_if_match_in_transactions else asked.get("ifMatch", "")
                return self._update(type_, id_, entry["resource"], match_, asked.get("ifNoneMatch", ""), node)
            case "POST", [type_]:
                return self._create(type_, entry["resource"], asked.get("ifNoneExist", ""), node)
            case "DELETE", [type_, id_]:
                return self._delete(type_, id_, node)
        raise Refusal(400, "no such entry")

    # WSGI -----------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        reply = self.answer(
            environ["REQUEST_METHOD"],
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
            headers,
            body,
        )
        if reply.status not in (204, 304):
            reply.headers["content-length"] = str(len(reply.body))
        start_response(f"{reply.status} {_REASON.get(reply.status, 'Status')}", list(reply.headers.items()))
        return [reply.body if reply.status not in (204, 304) else b""]


def _shown(version: Version, status: int) -> Reply:
    headers = {"etag": f'W/"{version.vid}"', "location": f"{version.ref}/_history/{version.vid}"}
    return Reply(status, version.body, headers)


def _past(version: Version) -> Raw:
    entry: Raw = {
        "request": {"method": version.method, "url": version.ref},
        "response": {"status": "200", "etag": f'W/"{version.vid}"', "lastModified": instant(version.stamp)},
    }
    return entry if version.is_deleted else {"resource": version.raw, **entry}


def _same(old: Version, raw: Raw) -> bool:
    assert old.raw is not None
    return {k: v for k, v in old.raw.items() if k != "meta"} == {k: v for k, v in raw.items() if k != "meta"}


def _responses(kind: str, answers: Iterable[Reply], node: int) -> bytes:
    entries = []
    for answer in answers:
        response: Raw = {"status": str(answer.status)}
        response |= {key: answer.headers[key] for key in ("etag", "location") if key in answer.headers}
        held = b""
        if answer.status >= 400:
            response["outcome"] = orjson.Fragment(answer.body)
        elif answer.body:
            held = b'"resource":' + answer.body + b","
        entries.append(b"{" + held + b'"response":' + orjson.dumps(response) + b"}")
    head = {"resourceType": "Bundle", "type": kind, "meta": {"lastUpdated": instant(node)}}
    return orjson.dumps(head)[:-1] + b',"entry":[' + b",".join(entries) + b"]}"


def _outcome(why: str) -> bytes:
    issue = {"severity": "error", "code": "processing", "diagnostics": why}
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def _http_date(ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(ms // 1000, UTC), usegmt=True)


def _absolute(raw: Any, base: str) -> Any:
    if isinstance(raw, dict):
        return {
            key: f"{base}/{value}" if key == "reference" and "://" not in value else _absolute(value, base)
            for key, value in raw.items()
        }
    return [_absolute(one, base) for one in raw] if isinstance(raw, list) else raw
