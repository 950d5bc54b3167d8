"""'All sent' is only said of versions the record has given back since (SYNC §1.14, I13)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from clinician.cache.writing import Writing
from clinician.fhir.bundles import slices
from clinician.record.client import BatchEntry
from clinician.sync.line import Line

_KEY: Final = "sync.unconfirmed"
_PER_BATCH: Final = 100


def unconfirmed(writing: Writing) -> dict[str, str]:
    """Reference → version the record answered when an act was applied, not yet seen again."""
    stored = writing.keep.get(_KEY)
    return dict(json.loads(stored)) if stored else {}


def note_applied(writing: Writing, versions: Mapping[str, str]) -> None:
    """Remember what must be seen again; in the transaction that marks the act applied."""
    writing.keep.set(_KEY, json.dumps(unconfirmed(writing) | dict(versions)))


def forget(writing: Writing) -> None:
    """The record went back in time: everything is fetched anew, and what vanished never comes."""
    writing.keep.drop(_KEY)


def reaches(version: str, wanted: str) -> bool:
    """Whether a version shows that `wanted` was stored: the same, or a higher number."""
    if version == wanted:
        return True
    return version.isdigit() and wanted.isdigit() and int(version) > int(wanted)


def confirm(line: Line, returned: Mapping[str, str]) -> bool:
    """Tick off what a delta returned, read the rest by itself; True when nothing is left.

    What the record no longer has, or has in an older version, is put in line.older: it was restored.
    """
    waiting = line.write(unconfirmed)
    if not waiting:
        return True
    seen = {ref for ref, wanted in waiting.items() if reaches(returned.get(ref, ""), wanted)}
    rest = [ref for ref in sorted(waiting) if ref not in seen]
    for start in range(0, len(rest), _PER_BATCH):
        seen |= _read(line, {ref: waiting[ref] for ref in rest[start : start + _PER_BATCH]})

    def work(writing: Writing) -> bool:
        left = {
            ref: version
            for ref, version in unconfirmed(writing).items()
            if ref not in seen or waiting.get(ref) != version
        }
        writing.keep.set(_KEY, json.dumps(left))
        return not left

    return line.write(work)


def _read(line: Line, wanted: Mapping[str, str]) -> set[str]:
    answer = line.client.batch(BatchEntry("GET", ref) for ref in wanted)
    seen: set[str] = set()
    for (ref, version), response in zip(wanted.items(), slices(answer.body).responses, strict=False):
        if response.status == 404 or _went_back(response.status, response.version, version):
            line.older.add(ref)
        elif response.status in (200, 403, 410):
            seen.add(ref)
    return seen


def _went_back(status: int, version: str, wanted: str) -> bool:
    numbers = version.isdigit() and wanted.isdigit()
    return status == 200 and numbers and int(version) < int(wanted)
