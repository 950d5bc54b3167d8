"""What the record stored of an act: versions and rows, from its answer or, after a lost one, by asking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from clinician.cache.acts import ActRow, Entry
from clinician.cache.synced import SyncedRow
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble
from clinician.fhir.bundles import Response, head, slices
from clinician.fhir.reference import Raw
from clinician.fhir.times import to_instant
from clinician.record.answer import Answer
from clinician.record.client import BatchEntry
from clinician.sync.confirm import note_applied
from clinician.sync.line import Line
from clinician.sync.merge import content
from clinician.sync.pages import instant, take

NO_VERSION = "0"
"""Where our version cannot be told: an act made upon it meets a 412 and a merge, never somebody's change."""


def answered_versions(bundle: bytes, answer: Answer) -> dict[str, str] | None:
    """Reference → version of every entry; None when the answer is not the whole truth about the bundle."""
    try:
        responses = slices(answer.body).responses
    except RecordTrouble:
        return None
    refs = _refs(bundle)
    if len(responses) != len(refs) or not all(200 <= response.status < 300 for response in responses):
        return None
    return {ref: response.version for ref, response in zip(refs, responses, strict=True)}


def _refs(bundle: bytes) -> list[str]:
    return [entry["request"]["url"] for entry in orjson.loads(bundle)["entry"]]


def store_applied(
    line: Line, act: ActRow, bundle: bytes, answer: Answer, versions: Mapping[str, str]
) -> None:
    """Rows, versions and state in one durable transaction; the overlay goes as the rows come."""
    responses = dict(zip(_refs(bundle), slices(answer.body).responses, strict=True))
    now = line.server_now or line.clock.now()

    def work(writing: Writing) -> None:
        entries = writing.outbox.entries(act.op_id)
        rows = [_row(entry, responses[entry.ref], now) for entry in entries if entry.ref in responses]
        _apply(line, writing, act, rows, versions, versions)

    line.write(work, durable=True)


def _row(entry: Entry, response: Response, now: datetime) -> SyncedRow:
    """What the record says it stored; where it gave no body back, what was sent with its new version."""
    type_, _, id_ = entry.ref.partition("/")
    if response.body:
        found = head(response.body)
        if found.resourceType == type_ and found.id == id_ and found.meta is not None:
            stamp = instant(found.meta.lastUpdated or "")
            version = found.meta.versionId or response.version
            return SyncedRow(type_, id_, version, stamp or now, response.body)
    stamp = instant(response.last_modified) or now
    meta = {**entry.raw.get("meta", {}), "versionId": response.version, "lastUpdated": to_instant(stamp)}
    return SyncedRow(type_, id_, response.version, stamp, orjson.dumps({**entry.raw, "meta": meta}))


def _apply(
    line: Line,
    writing: Writing,
    act: ActRow,
    rows: list[SyncedRow],
    versions: Mapping[str, str],
    seen: Mapping[str, str],
) -> None:
    writing.origin = act.op_id
    line.put(writing, rows)
    writing.outbox.applied(act.op_id, versions)
    note_applied(writing, seen)


# after a lost answer --------------------------------------------------------------------------


def store_earlier(line: Line, act: ActRow) -> None:
    """An earlier try won: ask which version each resource got by it. Raises what a read raises."""
    entries = line.write(lambda writing: writing.outbox.entries(act.op_id))
    answer = line.client.batch(BatchEntry("GET", entry.ref) for entry in entries)
    rows: list[SyncedRow] = []
    versions: dict[str, str] = {}
    seen: dict[str, str] = {}
    for entry, response in zip(entries, slices(answer.body).responses, strict=False):
        row = _read_row(entry, response)
        rows += [row] if row is not None else []
        version = _our_version(line, entry, row)
        versions[entry.ref] = version or entry.base_version or NO_VERSION
        if version:
            seen[entry.ref] = version
    line.write(lambda writing: _apply(line, writing, act, rows, versions, seen), durable=True)


def _read_row(entry: Entry, response: Response) -> SyncedRow | None:
    if response.status != 200 or not response.body:
        return None
    found = head(response.body)
    meta = found.meta
    version = (meta.versionId if meta else None) or response.version
    stamp = instant((meta.lastUpdated if meta else None) or "") or datetime.fromtimestamp(0, UTC)
    type_, _, id_ = entry.ref.partition("/")
    return SyncedRow(type_, id_, version, stamp, response.body)


def _our_version(line: Line, entry: Entry, row: SyncedRow | None) -> str:
    """The version that holds what we wrote; '' when it cannot be told (dependants then meet a 412)."""
    if row is not None and _same(orjson.loads(row.body), entry.raw):
        return row.version
    answer = line.client.request("GET", f"{entry.ref}/_history")
    if answer.status != 200:
        return ""
    held = [past for past in take(answer.body).rows if _same(orjson.loads(past.body), entry.raw)]
    return held[-1].version if held else ""


def _same(there: Any, sent: Raw) -> bool:
    return isinstance(there, dict) and content(there) == content(sent)
