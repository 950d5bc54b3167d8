"""Asks a record what it really does, against scratch Basic resources; never an assumption (SYNC §1.1)."""

from __future__ import annotations

import gzip
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from clinician.errors import RecordTrouble, Refused
from clinician.fhir.bundles import Page, get_entry, put_entry, slices, transaction
from clinician.fhir.times import parse_instant, to_instant
from clinician.record.answer import Answer
from clinician.record.client import FHIR_JSON, BatchEntry, Busy, RecordClient, form
from clinician.record.profile import ServerProfile, epoch_of, hint_path, version_of

_SYSTEM: Final = "https://clinician.example/fhir/CodeSystem/probe"
ASKED_COUNT: Final = 1000
AT_ONCE: Final = 8
"""Conditional creates sent side by side; exactly one may create."""
CALLS: Final = 20
"""Searches made to see whether the record's nodes agree on the time."""

Deed = Callable[[], Answer]
Together = Callable[[Sequence[Deed]], list[Answer]]
Listen = Callable[[RecordClient, Mapping[str, Any]], float | None]


def one_by_one(deeds: Sequence[Deed]) -> list[Answer]:
    """Deeds in a row, for a caller who has no threads."""
    return [deed() for deed in deeds]


def probe(
    client: RecordClient, *, together: Together = one_by_one, listen: Listen | None = None
) -> ServerProfile:
    """Ask everything. Raises Offline, Busy or Refused when the record cannot be asked at all.

    Leaves nothing behind that a person could meet: every scratch resource is deleted. together: runs deeds
    side by side. listen: seconds from a write to its ping over a websocket, None where none came; it is
    handed the CapabilityStatement.
    """
    capability = client.capability()
    asked = _Probe(client, together)
    try:
        asked.run()
        heard = listen(client, capability) if listen is not None else None
    finally:
        asked.clean_up()
    software = capability.get("software")
    return ServerProfile(
        software=str(software.get("name", "")) if isinstance(software, dict) else "",
        version=version_of(capability),
        epoch=epoch_of(capability),
        change_hint=hint_path(capability),
        websocket=heard is not None,
        ping_seconds=heard or 0.0,
        notes=asked.notes,
        **asked.found,
    )


class _Probe:
    def __init__(self, client: RecordClient, together: Together) -> None:
        self._client = client
        self._together = together
        self._scratch: list[str] = []
        self._beside = ""
        self.found: dict[str, Any] = {}
        self.notes: dict[str, str] = {}

    def run(self) -> None:
        ref = self._new()
        first = self._put(ref, "one")
        self.found["update_as_create"] = first.status in (200, 201)
        self.found["checked_at"] = to_instant(first.date) if first.date else ""
        version = self._version(ref)
        self.found["numeric_versions"] = (version or "").isdigit()
        checks: tuple[tuple[str, Callable[[str], bool | float]], ...] = (
            ("unchanged_put_keeps_version", self._unchanged),
            ("if_match_alone", self._stale_put),
            ("if_match_in_transaction", self._stale_transaction),
            ("transaction_atomic", self._rolled_back),
            ("if_none_match_star", self._star),
            ("put_if_none_match", self._star_in_transaction),
            ("missing_put_refused", self._put_of_nothing),
            ("if_match_zero", self._zero),
            ("conditional_create", self._at_once),
            ("ge_inclusive", self._ge_inclusive),
            ("milliseconds", self._milliseconds),
            ("no_cache", self._fresh),
            ("no_cache_in_batch", self._fresh_in_batch),
            ("history", self._history),
            ("history_deletes", self._history_of_deleted),
            ("gzip_requests", self._gzip),
            ("largest_count", self._largest_count),
            ("node_skew", self._node_skew),
            ("deleted_is_gone", self._deleted),
        )
        for name, check in checks:
            self._answered(name, check, ref)

    def _answered(self, name: str, check: Callable[[str], bool | float], ref: str) -> None:
        try:
            self.found[name] = check(ref)
        except (Busy, Refused):
            raise
        except (RecordTrouble, KeyError) as trouble:
            self.notes[name] = getattr(trouble, "detail", "") or type(trouble).__name__

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

    # writing --------------------------------------------------------------------------------

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

    def _put_of_nothing(self, _ref: str) -> bool:
        nothing = self._new()
        answer = self._put(nothing, "from nothing", if_match="7")
        self.notes["missing_put_refused"] = f"answered {answer.status}"
        return not answer.is_ok and self._client.read(nothing).status in (404, 410)

    def _zero(self, ref: str) -> bool:
        fresh = self._put(self._new(), "nothing before", if_match="0")
        taken = self._put(ref, "six", if_match="0")
        self.notes["if_match_zero"] = f"answered {fresh.status} for a new one"
        return fresh.status in (200, 201) and taken.status in (409, 412)

    def _at_once(self, _ref: str) -> bool:
        value = str(uuid.uuid4())
        body = self._body("Basic/unused", "one of eight")
        del body["id"]
        content = orjson.dumps({**body, "identifier": [{"system": _SYSTEM, "value": value}]})
        criteria = form([("identifier", f"{_SYSTEM}|{value}")])
        headers = {"Content-Type": FHIR_JSON, "If-None-Exist": criteria}

        def create() -> Answer:
            return self._client.request("POST", "Basic", content=content, headers=headers)

        statuses = [answer.status for answer in self._together([create] * AT_ONCE)]
        made = slices(self._client.search("Basic", criteria).body).entries
        self._scratch += [entry.ref for entry in made]
        self.notes["conditional_create"] = f"{len(made)} made of {AT_ONCE} at once"
        return len(made) == 1 and statuses.count(201) == 1

    # reading --------------------------------------------------------------------------------

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

    def _fresh(self, _ref: str) -> bool:
        ref = self._new()
        query = form([("_id", ref.partition("/")[2])])
        return self._seen_after_write(ref, lambda: slices(self._client.search("Basic", query).body))

    def _fresh_in_batch(self, _ref: str) -> bool:
        ref = self._new()
        asked = BatchEntry("GET", f"Basic?{form([('_id', ref.partition('/')[2])])}")

        def search() -> Page:
            responses = slices(self._client.batch([asked]).body).responses
            return slices(responses[0].body) if responses else Page("", None, None, "")

        return self._seen_after_write(ref, search)

    def _seen_after_write(self, ref: str, search: Callable[[], Page]) -> bool:
        """The same search before and after a write, with Cache-Control: no-cache."""
        before = _holds(search(), ref)
        self._put(ref, "fresh")
        return not before and _holds(search(), ref)

    def _history(self, ref: str) -> bool:
        answer = self._client.request("GET", f"{ref}/_history")
        return answer.status == 200 and len(slices(answer.body).entries) > 1

    def _history_of_deleted(self, _ref: str) -> bool:
        ref = self._new()
        self._put(ref, "to be deleted")
        self._client.delete(ref)
        answer = self._client.request("GET", f"{ref}/_history")
        return answer.status == 200 and [gone.id for gone in slices(answer.body).deleted] == [ref[6:]]

    def _gzip(self, ref: str) -> bool:
        query = gzip.compress(form([("_id", ref.partition("/")[2])]).encode())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
        searched = self._client.request("POST", "Basic/_search", content=query, headers=headers)
        if searched.status != 200 or not _holds(slices(searched.body), ref):
            return False
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [get_entry(ref)]}
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

    def _node_skew(self, ref: str) -> float:
        """Seconds by which answers disagree on the time, beyond what the calls took."""
        query = form([("_id", ref.partition("/")[2])])
        dates: list[tuple[datetime, float]] = []
        stamps: list[tuple[datetime, float]] = []
        for _ in range(CALLS):
            answer = self._client.search("Basic", query)
            here = time.monotonic()
            stamped = _instant(slices(answer.body).last_updated)
            dates += [(answer.date, here)] if answer.date else []
            stamps += [(stamped, here)] if stamped else []
        return round(max(0.0, _spread(dates), _spread(stamps)), 1)

    def _deleted(self, _ref: str) -> bool:
        gone = self._new()
        self._put(gone, "to be deleted")
        self._client.delete(gone)
        return self._client.read(gone).status == 410


def _instant(text: str) -> datetime | None:
    try:
        return parse_instant(text)
    except ValueError:
        return None


def _spread(told: Sequence[tuple[datetime, float]]) -> float:
    """By how much told times differ from a steady clock; a second less where only whole seconds are told."""
    offsets = [when.timestamp() - here for when, here in told]
    whole = all(when.microsecond == 0 for when, _ in told)
    return max(offsets) - min(offsets) - float(whole) if offsets else 0.0


def _holds(page: Page, ref: str) -> bool:
    return [entry.ref for entry in page.entries] == [ref]
