"""A record that went back in time: freeze, fetch everything anew, wait for a superuser (SYNC §1.4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import orjson

from clinician.cache.writing import Writing
from clinician.fhir.bundles import Response, slices
from clinician.fhir.reference import Raw
from clinician.record.client import BatchEntry
from clinician.sync.confirm import forget
from clinician.sync.line import Line
from clinician.sync.pages import instant, one_page, take

_KEY: Final = "sync.frozen"
_ASKED: Final = 100
_SLACK: Final = timedelta(seconds=10)
"""Nodes' clocks may differ by this much without the record having gone back."""


def is_true(line: Line) -> bool:
    """Whether the record went back in time: asked of the record, and judged by what it says now.

    A page may be older than what an act of ours has brought since, and the clock of a node may run behind;
    then what the record holds is taken as it is, and nothing is frozen. Raises Offline or RecordTrouble.
    """
    refs = sorted(line.older)[:_ASKED]
    answer = line.client.batch(BatchEntry("GET", ref) for ref in refs)
    present: list[Response] = []
    for ref, response in zip(refs, slices(answer.body).responses, strict=False):
        if response.status == 404 or (response.status == 200 and _went_back(line, ref, response)):
            return True
        present += [response] if response.status == 200 else []
    line.write(lambda writing: _take(line, writing, present))
    return False


def _went_back(line: Line, ref: str, response: Response) -> bool:
    held = line.write(lambda writing: writing.synced(ref))
    if held is None:
        return False
    now = orjson.loads(response.body)
    meta = now.get("meta", {})
    version, stamp = str(meta.get("versionId", "")), instant(str(meta.get("lastUpdated", "")))
    if version == held.version_id:
        return _content(now) != _content(held.raw)
    if version.isdecimal() and str(held.version_id).isdecimal():
        return int(version) < int(str(held.version_id))
    before = instant(str(held.raw.get("meta", {}).get("lastUpdated", "")))
    return stamp is None or before is None or before - stamp > _SLACK


def _content(raw: Raw) -> Raw:
    return {key: value for key, value in raw.items() if key != "meta"}


def _take(line: Line, writing: Writing, present: Sequence[Response]) -> None:
    """What the record holds now, although a rule of versions would keep what is cached."""
    is_under_way = writing.is_restored()
    writing.begin_restored("read one by one")
    for response in present:
        line.put(writing, take(one_page(response.body)).rows)
    if not is_under_way:
        writing.end_restored()


def begin(line: Line, ready_marks: Callable[[Writing], None]) -> None:
    """Freeze and forget every mark; older versions are taken as they come until `end`."""

    def work(writing: Writing) -> None:
        writing.keep.set(_KEY, "restored")
        writing.begin_restored("the record shows older versions")
        forget(writing)
        for mark in writing.marks.watermarks():
            writing.marks.drop_watermark(mark.key)
        ready_marks(writing)

    line.write(work, durable=True)


def is_under_way(writing: Writing) -> bool:
    """Whether everything is still to be fetched anew; true over restarts too."""
    return writing.is_restored()


def end(writing: Writing) -> None:
    """Everything has been fetched anew; sending stays frozen."""
    writing.end_restored()


def is_frozen(writing: Writing) -> bool:
    """Whether sending waits for a superuser."""
    return writing.keep.get(_KEY) is not None


def thaw(writing: Writing) -> None:
    """A superuser has looked: sending may go on."""
    writing.keep.drop(_KEY)
