"""What this record really does: a probe against scratch Basic resources, never an assumption (SYNC §1.1)."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from typing import Any, Final

import orjson

from clinician.errors import RecordTrouble, Refused
from clinician.fhir.bundles import Page, put_entry, slices, transaction
from clinician.fhir.times import parse_instant, to_instant
from clinician.record.answer import Answer
from clinician.record.client import FHIR_JSON, Busy, RecordClient, form

_SYSTEM: Final = "https://clinician.example/fhir/CodeSystem/probe"
ASKED_COUNT: Final = 1000


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """Abilities found by the probe. notes: check → what was seen instead, for the log bundle."""

    software: str = ""
    version: str = ""
    checked_at: str = ""
    update_as_create: bool = False
    unchanged_put_keeps_version: bool = False
    if_match_alone: bool = False
    if_match_in_transaction: bool = False
    transaction_atomic: bool = False
    if_none_match_star: bool = False
    put_if_none_match: bool = False
    ge_inclusive: bool = False
    milliseconds: bool = False
    history: bool = False
    deleted_is_gone: bool = False
    numeric_versions: bool = False
    gzip_requests: bool = False
    largest_count: int = 0
    change_hint: str = ""
    epoch: str = ""
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def may_write(self) -> bool:
        """Lost updates are impossible: If-Match is obeyed alone and in an all-or-nothing transaction."""
        return self.if_match_alone and self.if_match_in_transaction and self.transaction_atomic

    @property
    def page_size(self) -> int:
        """Resources to ask for per page."""
        return min(500, self.largest_count) if self.largest_count else 500

    def as_raw(self) -> dict[str, Any]:
        """For the cache."""
        return asdict(self)


def from_raw(raw: Mapping[str, Any]) -> ServerProfile:
    """A stored profile; what an older program did not know is False."""
    known = {f.name for f in fields(ServerProfile)}
    return ServerProfile(**{key: value for key, value in raw.items() if key in known})


def hint_path(capability: Mapping[str, Any]) -> str:
    """Where the record holds a request open until something changes; '' when it does not say so."""
    rest = capability.get("rest")
    for part in rest if isinstance(rest, list) else []:
        said = str(part.get("documentation", "")) if isinstance(part, dict) else ""
        if "_history?_after=" in said and "_wait=" in said:
            return "_history"
    return ""


def epoch_of(capability: Mapping[str, Any]) -> str:
    """The life of this record, where it names one; another means another or a restored record."""
    url = str(capability.get("url", ""))
    return url if url.startswith("urn:uuid:") else ""


def version_of(capability: Mapping[str, Any]) -> str:
    """The version of the record's software."""
    software = capability.get("software")
    return str(software.get("version", "")) if isinstance(software, dict) else ""


def probe(client: RecordClient) -> ServerProfile:
    """Ask everything. Raises Offline, Busy or Refused when the record cannot be asked at all.

    Leaves nothing behind that a person could meet: every scratch resource is deleted.
    """
    capability = client.capability()
    asked = _Probe(client)
    try:
        asked.run()
    finally:
        asked.clean_up()
    software = capability.get("software")
    return ServerProfile(
        software=str(software.get("name", "")) if isinstance(software, dict) else "",
        version=version_of(capability),
        epoch=epoch_of(capability),
        change_hint=hint_path(capability),
        notes=asked.notes,
        **asked.found,
    )


class _Probe:
    def __init__(self, client: RecordClient) -> None:
        self._client = client
        self._scratch: list[str] = []
        self._beside = ""
        self.found: dict[str, Any] = {}
        self.notes: dict[str, str] = {}

    def run(self) -> None:
        ref = self._new()
        first = self._put(ref, "one", if_none_match=None)
        self.found["update_as_create"] = first.status in (200, 201)
        self.found["checked_at"] = to_instant(first.date) if first.date else ""
        version = self._version(ref)
        self.found["numeric_versions"] = (version or "").isdigit()
        checks: tuple[tuple[str, Callable[[str], bool | int]], ...] = (
            ("unchanged_put_keeps_version", self._unchanged),
            ("if_match_alone", self._stale_put),
            ("if_match_in_transaction", self._stale_transaction),
            ("transaction_atomic", self._rolled_back),
            ("if_none_match_star", self._star),
            ("put_if_none_match", self._star_in_transaction),
            ("ge_inclusive", self._ge_inclusive),
            ("milliseconds", self._milliseconds),
            ("history", self._history),
            ("gzip_requests", self._gzip),
            ("largest_count", self._largest_count),
            ("deleted_is_gone", self._deleted),
        )
        for name, check in checks:
            self.found[name] = self._answered(name, check, ref)

    def _answered(self, name: str, check: Callable[[str], bool | int], ref: str) -> bool | int:
        try:
            return check(ref)
        except (Busy, Refused):
            raise
        except RecordTrouble as trouble:
            self.notes[name] = trouble.detail or type(trouble).__name__
            return False

    # scratch --------------------------------------------------------------------------------

    def _new(self) -> str:
        ref = f"Basic/{uuid.uuid4()}"
        self._scratch.append(ref)
        return ref

    def _body(self, ref: str, text: str) -> dict[str, Any]:
        code = {"coding": [{"system": _SYSTEM, "code": "probe"}], "text": text}
        return {"resourceType": "Basic", "id": ref.partition("/")[2], "code": code}

    def _put(
        self, ref: str, text: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Answer:
        body = orjson.dumps(self._body(ref, text))
        return self._client.put(ref, body, if_match=if_match, if_none_match=if_none_match)

    def _version(self, ref: str) -> str | None:
        answer = self._client.read(ref)
        return answer.version_id or str(answer.raw().get("meta", {}).get("versionId", "")) or None

    def _text(self, ref: str) -> str:
        answer = self._client.read(ref)
        return str(answer.raw()["code"].get("text", "")) if answer.status == 200 else ""

    def clean_up(self) -> None:
        """Delete the scratch; a record that refuses keeps Basic resources nobody lists."""
        for ref in self._scratch:
            answer = self._client.delete(ref)
            if not answer.is_ok and answer.status not in (404, 410):
                self.notes["clean_up"] = str(answer.status)

    def _refused(self, name: str, answer: Answer) -> bool:
        if answer.status in (409, 412):
            return True
        self.notes[name] = f"answered {answer.status}"
        return False

    # checks ---------------------------------------------------------------------------------

    def _unchanged(self, ref: str) -> bool:
        before = self._version(ref)
        self._put(ref, "one")
        return self._version(ref) == before

    def _stale_put(self, ref: str) -> bool:
        stale = self._version(ref)
        self._put(ref, "two", if_match=stale)
        lost = self._put(ref, "three", if_match=stale)
        return self._refused("if_match_alone", lost) and self._text(ref) == "two"

    def _send(self, ref: str, other: str, extra: Mapping[str, str]) -> Answer:
        guarded = put_entry(self._body(ref, "four"))
        guarded["request"].update(extra)
        bundle = transaction([put_entry(self._body(other, "beside")), guarded])
        return self._client.transaction(orjson.dumps(bundle))

    def _stale_transaction(self, ref: str) -> bool:
        stale = self._version(ref)
        self._put(ref, "two and a half", if_match=stale)
        self._beside = self._new()
        refused = self._refused(
            "if_match_in_transaction", self._send(ref, self._beside, {"ifMatch": f'W/"{stale}"'})
        )
        return refused and self._text(ref) == "two and a half"

    def _rolled_back(self, _ref: str) -> bool:
        return bool(self._beside) and self._client.read(self._beside).status in (404, 410)

    def _star(self, ref: str) -> bool:
        fresh = self._put(self._new(), "new", if_none_match="*")
        taken = self._put(ref, "five", if_none_match="*")
        return fresh.status in (200, 201) and self._refused("if_none_match_star", taken)

    def _star_in_transaction(self, ref: str) -> bool:
        name = "put_if_none_match"
        return self._refused(name, self._send(ref, self._new(), {"ifNoneMatch": "*"}))

    def _stamp(self, ref: str) -> str:
        return str(self._client.read(ref).raw()["meta"]["lastUpdated"])

    def _found(self, ref: str, bound: str) -> bool:
        query = form([("_id", ref.partition("/")[2]), ("_lastUpdated", bound)])
        page = slices(self._client.search("Basic", query).body)
        return any(entry.ref == ref for entry in page.entries)

    def _ge_inclusive(self, ref: str) -> bool:
        return self._found(ref, f"ge{self._stamp(ref)}")

    def _milliseconds(self, ref: str) -> bool:
        try:
            stamp = parse_instant(self._stamp(ref))
        except ValueError:
            return False
        after = to_instant(stamp + timedelta(milliseconds=1))
        return self._found(ref, f"ge{to_instant(stamp)}") and not self._found(ref, f"ge{after}")

    def _history(self, ref: str) -> bool:
        answer = self._client.request("GET", f"{ref}/_history")
        return answer.status == 200 and len(slices(answer.body).entries) > 1

    def _gzip(self, ref: str) -> bool:
        query = gzip.compress(form([("_id", ref.partition("/")[2])]).encode())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
        searched = self._client.request("POST", "Basic/_search", content=query, headers=headers)
        if searched.status != 200 or not _holds(slices(searched.body), ref):
            return False
        bundle = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": ref}}],
        }
        headers = {"Content-Type": FHIR_JSON, "Content-Encoding": "gzip"}
        batched = self._client.request(
            "POST", "", content=gzip.compress(orjson.dumps(bundle)), headers=headers
        )
        return batched.status == 200 and [r.status for r in slices(batched.body).responses] == [200]

    def _largest_count(self, _ref: str) -> int:
        """The _count the record says it used; what was asked for when it does not say."""
        page = slices(self._client.search("Basic", form([("_count", str(ASKED_COUNT))])).body)
        _, mark, rest = (page.self_url or "").partition("_count=")
        used = rest.partition("&")[0] if mark else ""
        return int(used) if used.isdigit() else ASKED_COUNT

    def _deleted(self, _ref: str) -> bool:
        gone = self._new()
        self._put(gone, "to be deleted")
        self._client.delete(gone)
        return self._client.read(gone).status == 410


def _holds(page: Page, ref: str) -> bool:
    return [entry.ref for entry in page.entries] == [ref]
